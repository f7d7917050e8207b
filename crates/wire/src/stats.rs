use cq_types::Ts;

/// What was counted while decoding; nothing is dropped without a count.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Stats {
    /// Book change frames.
    pub depth: u64,
    /// Full book snapshots.
    pub snapshot: u64,
    /// Trades.
    pub trade: u64,
    /// Aggregated trades.
    pub agg_trade: u64,
    /// Best bid and ask updates.
    pub quote: u64,
    /// Mark prices.
    pub mark: u64,
    /// Frames of streams that have no column here, and control replies.
    pub other: u64,
    /// Trades that are not the market's (insurance fund, ADL).
    pub not_market: u64,
    /// Frames stamped earlier than the one before by the recorder.
    pub clock_back: u64,
    /// Breaks in the chain of book updates.
    pub depth_breaks: u64,
    /// Breaks in the trade ids.
    pub trade_breaks: u64,
    /// Breaks in the ids of aggregated trades.
    pub agg_breaks: u64,
    /// First recorder stamp, ns.
    pub first_recv: Option<Ts>,
    /// Last recorder stamp, ns.
    pub last_recv: Option<Ts>,
    /// Least (recorder stamp - venue's publication time), ns; negative: a clock was off.
    pub least_latency: Option<Ts>,
}

impl Stats {
    /// The counts by name; a missing time is left out.
    #[must_use]
    pub fn named(&self) -> Vec<(&'static str, i64)> {
        let counts = [
            ("depth", self.depth),
            ("snapshot", self.snapshot),
            ("trade", self.trade),
            ("agg_trade", self.agg_trade),
            ("quote", self.quote),
            ("mark", self.mark),
            ("other", self.other),
            ("not_market", self.not_market),
            ("clock_back", self.clock_back),
            ("depth_breaks", self.depth_breaks),
            ("trade_breaks", self.trade_breaks),
            ("agg_breaks", self.agg_breaks),
        ];
        let times = [
            ("first_recv", self.first_recv),
            ("last_recv", self.last_recv),
            ("least_latency", self.least_latency),
        ];
        let counts = counts
            .into_iter()
            .map(|(name, n)| (name, i64::try_from(n).unwrap_or(i64::MAX)));
        let times = times.into_iter().filter_map(|(name, t)| Some((name, t?)));
        counts.chain(times).collect()
    }

    pub(crate) fn received(&mut self, ts: Ts) {
        self.first_recv.get_or_insert(ts);
        self.clock_back += u64::from(self.last_recv.is_some_and(|last| ts < last));
        self.last_recv = Some(ts);
    }

    pub(crate) fn latency(&mut self, latency: Ts) {
        self.least_latency = Some(self.least_latency.map_or(latency, |l| l.min(latency)));
    }
}
