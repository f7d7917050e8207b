//! A desk and what lives, with nothing between them and a venue that answers when it is told to.

use std::convert::Infallible;
use std::sync::Arc;

use cq_quotes::{Desk, Live, LiveQuote, Made, Plan, Settings, Wake};
use cq_types::{InstrumentIdx, Side, Ts};

use super::key;

pub(crate) const BEST_BID: i64 = 95;
pub(crate) const BEST_ASK: i64 = 100;

/// Hardly a limit, and each answer is a replacement.
pub(crate) const FREE: Settings = Settings {
    messages: 1_000,
    window: 10,
    refill: 1.0,
    amends: false,
};

pub(crate) struct Bench {
    pub(crate) desk: Desk,
    pub(crate) live: Live,
    pub(crate) now: Ts,
    last: u64,
}

impl Bench {
    pub(crate) fn new(settings: Settings) -> Self {
        Self {
            desk: Desk::new(settings),
            live: Live::default(),
            now: 0,
            last: 0,
        }
    }

    /// A sleeve wants quotes (price, quantity) in instrument 0.
    pub(crate) fn want(&mut self, sleeve: usize, quotes: &[(i64, i64)]) {
        self.want_in(sleeve, 0, quotes);
    }

    pub(crate) fn want_in(
        &mut self,
        sleeve: usize,
        instrument: InstrumentIdx,
        quotes: &[(i64, i64)],
    ) {
        let reason = Arc::from(format!("sleeve {sleeve}"));
        self.desk
            .want(key(sleeve, instrument), quotes.to_vec(), reason);
    }

    /// A wake-up of the clock 1 ns later, whose plan is carried out.
    pub(crate) fn clock(&mut self) -> Option<Plan> {
        self.now += 1;
        self.wake(true, false)
    }

    pub(crate) fn wake(&mut self, is_timer: bool, has_news: bool) -> Option<Plan> {
        let wake = Wake {
            now: self.now,
            is_timer,
            has_news,
        };
        let last = &mut self.last;
        let next = || {
            *last += 1;
            *last
        };
        let touch = |_, side| -> Result<i64, Infallible> {
            Ok(if side == Side::Buy {
                BEST_ASK
            } else {
                BEST_BID
            })
        };
        let Ok(plan) = self.desk.plan(&mut self.live, wake, next, touch);
        if let Some(plan) = &plan {
            self.carry_out(plan);
        }
        plan
    }

    fn carry_out(&mut self, plan: &Plan) {
        for id in &plan.cancels {
            assert!(self.live.cancel(*id));
        }
        for change in &plan.smaller {
            let whole = change.before.filled + change.left;
            assert!(self.live.amend(change.before.id, whole));
        }
        for made in &plan.made {
            let (at, quantity) = (made.at, made.quantity);
            let reason = Arc::clone(&made.reason);
            let quote = LiveQuote::new(made.id, self.now, at, quantity, reason);
            self.live.place(made.key, quote).unwrap();
        }
    }

    /// The quotes (price, quantity) that a wake-up of the clock sends, and nothing else.
    pub(crate) fn sends(&mut self) -> Vec<(i64, i64)> {
        let plan = self.clock().unwrap_or_default();
        assert_eq!((plan.cancels, plan.smaller), (vec![], vec![]));
        placed(&plan.made)
    }

    /// The numbers that a wake-up of the clock takes back, and nothing else.
    pub(crate) fn cancels(&mut self) -> Vec<u64> {
        let plan = self.clock().unwrap_or_default();
        assert_eq!((plan.smaller, plan.made), (vec![], vec![]));
        plan.cancels
    }

    /// The venue took these back.
    pub(crate) fn end(&mut self, ids: &[u64]) {
        for id in ids {
            assert!(self.live.on_end(*id));
        }
    }
}

pub(crate) fn placed(made: &[Made]) -> Vec<(i64, i64)> {
    made.iter().map(|made| (made.at, made.quantity)).collect()
}
