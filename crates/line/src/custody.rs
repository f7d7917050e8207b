//! What a venue keeps of the account beside its orders, on the venue's timeline.

use cq_ledger::{Fill, LedgerError, MarginAccount, Reducing, Safe};
use cq_sim::{SimConfig, Venue};
use cq_types::{Account, Event, InstrumentIdx, Px, Ts};
use rust_decimal::Decimal;

use crate::jitter::{Jitter, Settlement};
use crate::transfers::TransferTerms;

/// What a venue keeps of the account beside its orders.
pub(crate) struct Custody {
    pub(crate) account: MarginAccount,
    /// The mark that margin, funding and equity rows use, per instrument.
    pub(crate) marks: Vec<Option<Px>>,
    /// Whether the last price of each instrument is its mark, as none is recorded.
    pub(crate) unmarked: Vec<bool>,
    /// Marks of each instrument that need no look.
    safe: Vec<Safe>,
    /// Answers that are booked here and not yet on their way to us.
    answers: Vec<Event<Account>>,
    /// Empty but while answers are booked: its memory serves the next ones.
    heard: Vec<Event<Account>>,
    /// What the insurance fund holds, in each instrument's settle asset, if it can be empty.
    pub(crate) fund: Option<Vec<Decimal>>,
    pub(crate) jitter: Jitter,
    pub(crate) reducing: Reducing,
    /// The last order of each instrument that traded.
    pub(crate) traded: Vec<Option<u64>>,
    pub(crate) transfers: TransferTerms,
}

impl Custody {
    pub(crate) fn new(account: MarginAccount, count: usize, config: &SimConfig) -> Self {
        Self {
            account,
            marks: vec![None; count],
            unmarked: vec![false; count],
            safe: vec![Safe::NEVER; count],
            answers: Vec::new(),
            heard: Vec::new(),
            fund: config.insurance_fund.map(|fund| vec![fund; count]),
            reducing: config.reducing,
            jitter: Jitter::new(config.funding_jitter),
            traded: vec![None; count],
            transfers: TransferTerms::of(config),
        }
    }

    pub(crate) fn take_answers(&mut self) -> impl Iterator<Item = Event<Account>> + '_ {
        self.answers.drain(..)
    }

    pub(crate) fn has_answers(&self) -> bool {
        !self.answers.is_empty()
    }

    /// A new mark; nearly always a few integer comparisons.
    pub(crate) fn on_mark(
        &mut self,
        venue: &mut Venue,
        instrument: InstrumentIdx,
        px: Px,
        ts: Ts,
    ) -> Result<(), LedgerError> {
        let i = usize::from(instrument);
        self.marks[i] = Some(px);
        if self.safe[i].holds(px, ts) {
            return Ok(());
        }
        self.look(venue, instrument, ts)
    }

    /// Books what the venue has just done, and looks at the margin of what it touched.
    pub(crate) fn hear(&mut self, venue: &mut Venue, ts: Ts) -> Result<(), LedgerError> {
        if !venue.has_answers() {
            return Ok(());
        }
        for (instrument, order) in self.book(venue)? {
            self.look(venue, instrument, ts)?;
            self.cover(venue, instrument, order, ts)?;
        }
        Ok(())
    }

    /// Looks at the pool of an instrument, and liquidates it where it must be.
    pub(crate) fn look(
        &mut self,
        venue: &mut Venue,
        instrument: InstrumentIdx,
        ts: Ts,
    ) -> Result<(), LedgerError> {
        let Some(pool) = self.account.moved_by(instrument) else {
            self.safe[usize::from(instrument)] = Safe::ALWAYS;
            return Ok(());
        };
        let i = usize::from(instrument);
        if let (Some(px), Some(safe)) = (self.marks[i], self.account.covered(instrument, pool)) {
            if safe.holds(px, ts) {
                self.safe[i] = safe;
                return Ok(());
            }
        }
        if let Some(margin) = self.account.margin(pool, &self.marks, ts)? {
            if margin.is_liquidated() {
                self.liquidate(venue, pool, &margin, ts)?;
            }
        }
        self.convert(venue, pool, false, ts)?;
        let movers: Vec<_> = self.account.movers(pool).collect();
        for index in movers {
            self.safe[usize::from(index)] = self.account.safe(index, pool, ts)?;
        }
        Ok(())
    }

    /// Books the venue's answers; returns what was traded, each with its last order.
    pub(crate) fn book(
        &mut self,
        venue: &mut Venue,
    ) -> Result<Vec<(InstrumentIdx, u64)>, LedgerError> {
        let mut traded: Vec<(InstrumentIdx, u64)> = Vec::new();
        let mut heard = std::mem::take(&mut self.heard);
        venue.swap_answers(&mut heard);
        for answer in heard.drain(..) {
            let mut costs = Vec::new();
            if let Some(fill) = Fill::of(&answer) {
                costs = take(&mut self.account, &mut self.jitter, &fill)?;
                let mark = &mut self.marks[usize::from(fill.instrument)];
                mark.get_or_insert(fill.reference);
                if let Account::Fill { order, .. } = answer.body {
                    traded.retain(|(instrument, _)| *instrument != fill.instrument);
                    traded.push((fill.instrument, order));
                    self.traded[usize::from(fill.instrument)] = Some(order);
                }
            }
            let ts = answer.ts_event;
            self.answers.push(answer);
            for (at, cost) in costs {
                self.pay(venue, &at, cost, ts)?;
            }
        }
        self.heard = heard;
        // What such fills cost was told above.
        if venue.has_answers() {
            self.answers.append(&mut venue.take_answers());
        }
        Ok(traded)
    }

    /// Lets the answers since `from` arrive by `ts` at the latest.
    pub(crate) fn hasten(&mut self, from: usize, ts: Ts) {
        for answer in &mut self.answers[from..] {
            answer.ts_recv = answer.ts_recv.min(ts);
        }
    }

    /// How many answers wait.
    pub(crate) fn waiting(&self) -> usize {
        self.answers.len()
    }
}

/// Books a fill; returns what it costs by the settlements near it, which is to be booked too.
pub(crate) fn take(
    account: &mut MarginAccount,
    jitter: &mut Jitter,
    fill: &Fill,
) -> Result<Vec<(Settlement, Decimal)>, LedgerError> {
    let before = account.position(fill.instrument).qty.0;
    account.fill(fill)?;
    let turned = (before, before + fill.qty.0);
    let own = &account.instruments()[usize::from(fill.instrument)];
    Ok(jitter.on_fill(own, fill.instrument, turned, fill.ts))
}
