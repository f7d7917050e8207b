//! Funding near its settlement: nobody knows to the second which fills a venue counts.
//!
//! Within the jitter of a settlement the position that counts is taken to be the worst for us of
//! those that were held: a fill there pays adverse funding and receives none.

use std::collections::VecDeque;

use cq_types::{round_money, Instrument, InstrumentIdx, Px, Qty, Ts};
use rust_decimal::Decimal;

/// A settlement whose jitter is not over.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Settlement {
    pub(crate) instrument: InstrumentIdx,
    pub(crate) ts: Ts,
    pub(crate) rate: Decimal,
    pub(crate) mark: Px,
}

/// A position that a fill ended.
#[derive(Debug, Clone, Copy)]
struct Past {
    instrument: InstrumentIdx,
    until: Ts,
    qty: i64,
}

/// Remembers positions and settlements for as long as they may concern one another.
#[derive(Debug, Clone, Default)]
pub(crate) struct Jitter {
    /// Half the window, ns; zero: the rule is off.
    width: Ts,
    past: VecDeque<Past>,
    open: Vec<(Settlement, i64)>,
}

impl Jitter {
    pub(crate) fn new(width: Ts) -> Self {
        Self {
            width,
            ..Self::default()
        }
    }

    /// The window before a settlement.
    pub(crate) fn width(&self) -> Ts {
        self.width
    }

    /// A settlement, on the position `held` just before it; returns what fills before it cost.
    pub(crate) fn settle(&mut self, traded: &Instrument, at: Settlement, held: i64) -> Decimal {
        if self.width == 0 || at.rate.is_zero() {
            return Decimal::ZERO;
        }
        self.forget(at.ts);
        let since = at.ts - self.width;
        let past = self.past.iter();
        let own = past.filter(|p| p.instrument == at.instrument && p.until >= since);
        let worst = own.fold(held, |worst, p| worse(at.rate, worst, p.qty));
        self.open.push((at, worst));
        paid(traded, &at, worst) - paid(traded, &at, held)
    }

    /// A fill at `ts` that turned the position `before` into `after`; returns what it costs by
    /// each settlement that it came soon after.
    pub(crate) fn on_fill(
        &mut self,
        traded: &Instrument,
        instrument: InstrumentIdx,
        (before, after): (i64, i64),
        ts: Ts,
    ) -> Vec<(Settlement, Decimal)> {
        if self.width == 0 {
            return Vec::new();
        }
        self.forget(ts);
        self.past.push_back(Past {
            instrument,
            until: ts,
            qty: before,
        });
        let mut costs = Vec::new();
        for (at, worst) in &mut self.open {
            let now = worse(at.rate, *worst, after);
            if at.instrument == instrument && now != *worst {
                costs.push((*at, paid(traded, at, now) - paid(traded, at, *worst)));
                *worst = now;
            }
        }
        costs
    }

    fn forget(&mut self, ts: Ts) {
        let since = ts - self.width;
        while self.past.front().is_some_and(|past| past.until < since) {
            self.past.pop_front();
        }
        self.open.retain(|(at, _)| at.ts >= since);
    }
}

/// Longs pay a positive rate, shorts a negative one.
fn worse(rate: Decimal, a: i64, b: i64) -> i64 {
    if rate > Decimal::ZERO {
        a.max(b)
    } else {
        a.min(b)
    }
}

fn paid(traded: &Instrument, at: &Settlement, held: i64) -> Decimal {
    round_money(-traded.notional(at.mark, Qty(held)) * at.rate)
}
