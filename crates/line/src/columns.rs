use cq_types::{Market, Px, Qty, Side, Ts};
use rust_decimal::Decimal;

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
    pub(crate) fn kind(&self) -> Kind {
        match self {
            Self::Gaps => Kind::Gaps,
            Self::Trades { .. } => Kind::Trades,
            Self::Deltas { .. } => Kind::Deltas,
            Self::Quotes(_) => Kind::Quotes,
            Self::Bars { interval, .. } => Kind::Bars(*interval),
            Self::Marks(_) => Kind::Marks,
            Self::Funding { exp, .. } => Kind::Funding(*exp),
            Self::External { series, .. } => Kind::External(*series),
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

    /// What a row says; `None` for an outside value that is NaN.
    pub(crate) fn body(&self, row: usize) -> Option<Market> {
        Some(match self {
            Self::Gaps => Market::Gap,
            Self::Trades { id, px, qty, side } => Market::Trade {
                id: id[row],
                px: Px(px[row]),
                qty: Qty(qty[row]),
                side: side_of(side[row]),
            },
            Self::Deltas { side, px, qty } => Market::Delta {
                side: side_of(side[row]),
                px: Px(px[row]),
                qty: Qty(qty[row]),
            },
            Self::Quotes([bid, bid_qty, ask, ask_qty]) => Market::Quote {
                bid: Px(bid[row]),
                bid_qty: Qty(bid_qty[row]),
                ask: Px(ask[row]),
                ask_qty: Qty(ask_qty[row]),
            },
            Self::Marks(px) => Market::Mark { px: Px(px[row]) },
            Self::Funding { rate, exp } => Market::Funding {
                rate: Decimal::new(rate[row], *exp),
            },
            Self::External { series, values } => Market::External {
                series: *series,
                value: Some(values[row]).filter(|v| !v.is_nan())?,
            },
            Self::Bars {
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

/// What a stream holds, with what all its rows share.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Kind {
    Gaps,
    Trades,
    Deltas,
    Quotes,
    /// Of one interval, ns.
    Bars(Ts),
    Marks,
    /// Of one exponent.
    Funding(u32),
    /// Of one position in the run's series list.
    External(u16),
}

impl Kind {
    /// Order of kinds at equal times: what invalidates comes first, then trades, book and
    /// bars (short before long), then marks before the funding that settles at them.
    pub(crate) fn rank(self) -> (u8, Ts) {
        match self {
            Self::Gaps => (0, 0),
            Self::Trades => (1, 0),
            Self::Deltas => (2, 0),
            Self::Quotes => (3, 0),
            Self::Bars(interval) => (4, interval),
            Self::Marks => (5, 0),
            Self::Funding(_) => (6, 0),
            Self::External(series) => (7, Ts::from(series)),
        }
    }

    pub(crate) fn name(self) -> &'static str {
        match self {
            Self::Gaps => "gap",
            Self::Trades => "trade",
            Self::Deltas => "delta",
            Self::Quotes => "quote",
            Self::Bars(_) => "bar",
            Self::Marks => "mark",
            Self::Funding(_) => "funding",
            Self::External(_) => "external",
        }
    }
}

pub(crate) fn side_of(sign: i8) -> Side {
    if sign < 0 {
        Side::Sell
    } else {
        Side::Buy
    }
}
