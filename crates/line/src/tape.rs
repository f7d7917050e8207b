use std::ops::Range;

use cq_types::{Change, Event, InstrumentIdx, Market, Px, Qty, Side, Ts};
use rust_decimal::Decimal;

use crate::LineError;

/// When each row of a stream happened and when it could be known.
#[derive(Debug, Clone, Default)]
pub struct Stamps {
    /// Venue time, ns.
    pub ts_event: Vec<Ts>,
    /// Our time, ns; never earlier, never decreasing.
    pub ts_recv: Vec<Ts>,
    /// Quality marks of each row, all zero if `None`.
    pub flags: Option<Vec<u32>>,
}

/// Columns of one kind of market data; all as long as the stamps.
#[derive(Debug, Clone)]
pub enum Columns {
    /// Bars of one interval; `ts_event` is the open time.
    Bars {
        /// Length, ns.
        interval: Ts,
        /// Open, high, low, close.
        prices: [Vec<i64>; 4],
        /// Volume.
        volume: Vec<i64>,
        /// Number of trades, negative where not recorded.
        count: Option<Vec<i64>>,
        /// Volume bought by aggressors, negative where not recorded.
        taker_buy: Option<Vec<i64>>,
    },
    /// Trades; `side` is +1 for a buying aggressor.
    Trades {
        /// Venue ids.
        id: Vec<i64>,
        /// Prices.
        px: Vec<i64>,
        /// Quantities.
        qty: Vec<i64>,
        /// Aggressors.
        side: Vec<i8>,
    },
    /// Book level changes; `side` is +1 for bids.
    Deltas {
        /// Sides.
        side: Vec<i8>,
        /// Prices.
        px: Vec<i64>,
        /// New quantities.
        qty: Vec<i64>,
    },
    /// Best bid, its quantity, best ask, its quantity.
    Quotes([Vec<i64>; 4]),
    /// Mark prices.
    Marks(Vec<i64>),
    /// Settled funding rates, integers of `10^-exp`.
    Funding {
        /// Rates.
        rate: Vec<i64>,
        /// Decimals of a rate.
        exp: u32,
    },
    /// Points of an outside series.
    External {
        /// Position in the run's series list.
        series: u16,
        /// Values; NaN rows are left out of the tape.
        values: Vec<f64>,
    },
    /// Points before which events are missing.
    Gaps,
}

impl Columns {
    /// Order of kinds at equal times: what invalidates comes first, then trades, book and
    /// bars (short before long), then marks before the funding that settles at them.
    fn rank(&self) -> (u8, Ts) {
        match self {
            Self::Gaps => (0, 0),
            Self::Trades { .. } => (1, 0),
            Self::Deltas { .. } => (2, 0),
            Self::Quotes(_) => (3, 0),
            Self::Bars { interval, .. } => (4, *interval),
            Self::Marks(_) => (5, 0),
            Self::Funding { .. } => (6, 0),
            Self::External { series, .. } => (7, Ts::from(*series)),
        }
    }

    pub(crate) fn name(&self) -> &'static str {
        match self {
            Self::Gaps => "gap",
            Self::Trades { .. } => "trade",
            Self::Deltas { .. } => "delta",
            Self::Quotes(_) => "quote",
            Self::Bars { .. } => "bar",
            Self::Marks(_) => "mark",
            Self::Funding { .. } => "funding",
            Self::External { .. } => "external",
        }
    }

    pub(crate) fn lengths(&self) -> Vec<usize> {
        let some = |column: &Option<Vec<i64>>| column.as_ref().map(Vec::len);
        match self {
            Self::Gaps => vec![],
            Self::Trades { id, px, qty, side } => vec![id.len(), px.len(), qty.len(), side.len()],
            Self::Deltas { side, px, qty } => vec![side.len(), px.len(), qty.len()],
            Self::Quotes(columns) => columns.iter().map(Vec::len).collect(),
            Self::Marks(px) => vec![px.len()],
            Self::Funding { rate, .. } => vec![rate.len()],
            Self::External { values, .. } => vec![values.len()],
            Self::Bars {
                prices,
                volume,
                count,
                taker_buy,
                ..
            } => {
                let mut out: Vec<_> = prices.iter().map(Vec::len).collect();
                out.push(volume.len());
                out.extend(some(count));
                out.extend(some(taker_buy));
                out
            }
        }
    }
}

/// One stream of the recorded tape: columns of one kind of one instrument.
#[derive(Debug, Clone)]
pub struct Stream {
    pub(crate) instrument: InstrumentIdx,
    pub(crate) stamps: Stamps,
    pub(crate) columns: Columns,
}

impl Stream {
    /// Checks and takes the columns.
    ///
    /// # Errors
    /// When lengths differ, `ts_recv` decreases or lies before `ts_event`, bars overlap, a bar is
    /// said to be known before its end, funding is settled twice at one time, or a price or
    /// quantity cannot be one.
    pub fn new(
        instrument: InstrumentIdx,
        stamps: Stamps,
        columns: Columns,
    ) -> Result<Self, LineError> {
        let stream = Self {
            instrument,
            stamps,
            columns,
        };
        stream.check()?;
        Ok(stream)
    }

    /// Sorts streams into the defined order of events at equal times.
    pub(crate) fn order(&self) -> (u8, Ts, InstrumentIdx) {
        let (kind, within) = self.columns.rank();
        (kind, within, self.instrument)
    }

    pub(crate) fn len(&self) -> usize {
        self.stamps.ts_event.len()
    }

    pub(crate) fn flags(&self, row: usize) -> u32 {
        self.stamps.flags.as_ref().map_or(0, |f| f[row])
    }

    /// Level changes of consecutive rows; none where the stream holds something else.
    pub(crate) fn changes(&self, rows: Range<usize>) -> impl Iterator<Item = Change> + '_ {
        let (side, px, qty) = match &self.columns {
            Columns::Deltas { side, px, qty } => {
                (&side[rows.clone()], &px[rows.clone()], &qty[rows.clone()])
            }
            _ => Default::default(),
        };
        let marks = self.stamps.flags.as_ref().map(|flags| &flags[rows]);
        let levels = side.iter().zip(px).zip(qty).enumerate();
        levels.map(move |(at, ((side, px), qty))| Change {
            side: side_of(*side),
            px: Px(*px),
            qty: Qty(*qty),
            marks: marks.map_or(0, |marks| marks[at]),
        })
    }

    /// As [`Self::changes`], each with its venue time, which never goes back before `from`.
    pub(crate) fn changes_at(
        &self,
        rows: Range<usize>,
        from: Ts,
    ) -> impl Iterator<Item = (Ts, Change)> + '_ {
        let mut now = from;
        let times = self.stamps.ts_event[rows.clone()].iter();
        times.zip(self.changes(rows)).map(move |(ts, change)| {
            now = now.max(*ts);
            (now, change)
        })
    }

    /// The event of a row; `None` for an outside value that is NaN.
    pub(crate) fn event(&self, row: usize, seq: u64) -> Option<Event<Market>> {
        Some(Event {
            ts_event: self.stamps.ts_event[row],
            ts_recv: self.stamps.ts_recv[row],
            seq,
            flags: self.flags(row),
            instrument: self.instrument,
            body: self.body(row)?,
        })
    }

    fn body(&self, row: usize) -> Option<Market> {
        Some(match &self.columns {
            Columns::Gaps => Market::Gap,
            Columns::Trades { id, px, qty, side } => Market::Trade {
                id: id[row],
                px: Px(px[row]),
                qty: Qty(qty[row]),
                side: side_of(side[row]),
            },
            Columns::Deltas { side, px, qty } => Market::Delta {
                side: side_of(side[row]),
                px: Px(px[row]),
                qty: Qty(qty[row]),
            },
            Columns::Quotes([bid, bid_qty, ask, ask_qty]) => Market::Quote {
                bid: Px(bid[row]),
                bid_qty: Qty(bid_qty[row]),
                ask: Px(ask[row]),
                ask_qty: Qty(ask_qty[row]),
            },
            Columns::Marks(px) => Market::Mark { px: Px(px[row]) },
            Columns::Funding { rate, exp } => Market::Funding {
                rate: Decimal::new(rate[row], *exp),
            },
            Columns::External { series, values } => Market::External {
                series: *series,
                value: Some(values[row]).filter(|v| !v.is_nan())?,
            },
            Columns::Bars {
                interval,
                prices: [open, high, low, close],
                volume,
                count,
                taker_buy,
            } => {
                let known = |column: &Option<Vec<i64>>| {
                    column.as_ref().map(|c| c[row]).filter(|value| *value >= 0)
                };
                Market::Bar {
                    interval: *interval,
                    open: Px(open[row]),
                    high: Px(high[row]),
                    low: Px(low[row]),
                    close: Px(close[row]),
                    volume: Qty(volume[row]),
                    count: known(count),
                    taker_buy: known(taker_buy).map(Qty),
                }
            }
        })
    }
}

fn side_of(sign: i8) -> Side {
    if sign < 0 {
        Side::Sell
    } else {
        Side::Buy
    }
}
