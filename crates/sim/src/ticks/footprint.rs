//! What a taker moves beyond the levels that it walks.
//!
//! The recorded market does not react to us. The square-root law says what a market that does
//! would cost more: `Y * sigma * sqrt(Q / V)` of the whole order, from volatility and volume of
//! the last day at most. As both grow with the length of time, sigma with its root, the law needs
//! no whole day: what the session has traded so far says the same.

use cq_types::{Px, Qty, Ts};

use crate::execution::Desk;
use crate::models::{Impact, SquareRoot};
use crate::order::{is_worse_or_equal, Working};
use crate::trailing::Trailing;

const SECOND: Ts = 1_000_000_000;
/// Seconds of a day: more without a trade are no longer counted.
const LONGEST: Ts = 86_400;

/// The trades of the second that runs.
#[derive(Debug, Clone, Copy)]
struct Running {
    second: Ts,
    open: Px,
    close: Px,
    qty: i64,
}

/// The law with what it is fed: the market's trades by the second.
#[derive(Debug, Clone)]
pub(crate) struct Footprint {
    law: SquareRoot,
    trailing: Trailing,
    running: Option<Running>,
}

impl Footprint {
    pub(crate) fn new(y: f64) -> Self {
        Self {
            law: SquareRoot { y },
            trailing: Trailing::default(),
            running: None,
        }
    }

    /// A trade of others, at venue time.
    pub(crate) fn on_trade(&mut self, px: Px, qty: Qty, ts: Ts) {
        self.end_seconds(ts);
        let second = ts.div_euclid(SECOND);
        let now = self.running.get_or_insert(Running {
            second,
            open: px,
            close: px,
            qty: 0,
        });
        now.close = px;
        now.qty = now.qty.saturating_add(qty.0);
    }

    /// Ends the seconds that are over by `ts`; those without a trade end as they began.
    fn end_seconds(&mut self, ts: Ts) {
        let second = ts.div_euclid(SECOND);
        let Some(now) = self.running.filter(|now| now.second < second) else {
            return;
        };
        self.trailing
            .push(SECOND, now.open, now.close, Qty(now.qty));
        for _ in 0..(second - now.second - 1).min(LONGEST) {
            self.trailing.push(SECOND, now.close, now.close, Qty(0));
        }
        self.running = Some(Running {
            second,
            open: now.close,
            close: now.close,
            qty: 0,
        });
    }

    /// A day's volatility and volume as known at `ts`; none before a second with a trade ended.
    pub(crate) fn day(&mut self, ts: Ts) -> Option<(f64, f64)> {
        self.end_seconds(ts);
        self.trailing.day()
    }

    /// The price of `qty` at a level, moved against its taker, never beyond what it accepts.
    pub(crate) fn moved(
        &self,
        desk: &Desk,
        order: &Working,
        (level, qty): (Px, i64),
        (sigma, volume): (f64, f64),
        ts: Ts,
    ) -> Px {
        let (before, now) = ((order.request.qty.0 - order.left) as f64, qty as f64);
        let volume = volume.max(before + now);
        let fraction = self.law.fraction(before, now, volume, sigma);
        #[allow(clippy::cast_possible_truncation)] // a few grid units of a price
        let units = (level.0 as f64 * fraction * desk.costs.multiplier_f64).ceil() as i64;
        let px = desk.against(order, level, 0, units, ts);
        match order.worst() {
            Some(worst) if !is_worse_or_equal(order.request.side, worst, px) => worst,
            _ => px,
        }
    }
}
