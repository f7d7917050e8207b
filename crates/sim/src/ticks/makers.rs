use cq_types::{Px, Side, Ts};

use super::{Print, Resting, TickMarket};
use crate::execution::{Deal, Desk, Fate, Purse};
use crate::order::{is_worse_or_equal, TriggerBy, Working};

impl TickMarket {
    /// The best prices meet our resting orders at the end of a frame; returns whether the venue
    /// has answered.
    pub(super) fn meet_best(&mut self, desk: &mut Desk, ts: Ts, purse: &dyn Purse) -> bool {
        let mut has_answered = false;
        for side in [Side::Buy, Side::Sell] {
            let Some((best, _)) = self.best(side.opposite()) else {
                continue;
            };
            if self.resting(side).best_key() >= best.0 * side.sign() {
                self.meet_crossing(desk, (side, best), ts, purse);
                has_answered = true;
            }
        }
        has_answered
    }

    /// The other side's best price is at ours or beyond: its orders would have traded with us.
    fn meet_crossing(
        &mut self,
        desk: &mut Desk,
        (side, best): (Side, Px),
        ts: Ts,
        purse: &dyn Purse,
    ) {
        let mut own = std::mem::replace(self.resting(side), Resting::new(side));
        own.each_from_best(best, |order, limit| {
            let mut qty = desk.allowed(order);
            if self.matching.partial_fills {
                let offers = self.offers(order, qty);
                qty = qty.min(offers.iter().map(|(_, offered)| *offered).sum());
                self.take(side.opposite(), &offers, qty);
            }
            order.place.put_first();
            self.fill_maker(desk, order, (limit, qty), ts, purse) == Fate::Alive
        });
        *self.resting(side) = own;
    }

    /// A recorded trade meets our resting orders, then those that wait for its price.
    pub(crate) fn on_trade(&mut self, desk: &mut Desk, print: Print, ts: Ts, purse: &dyn Purse) {
        let side = print.side.opposite();
        if self.resting(side).best_key() >= print.px.0 * side.sign() {
            self.meet_trade(desk, print, ts, purse);
        }
        self.last = Some(print.px);
        if let Some(footprint) = &mut self.footprint {
            footprint.on_trade(print.px, print.qty, ts);
        }
        if !self.waiting.is_empty() {
            self.trigger(desk, (TriggerBy::Last, print.px), ts, purse);
            if self.mark.is_none() {
                // Nothing says more of the mark.
                self.trigger(desk, (TriggerBy::Mark, print.px), ts, purse);
            }
        }
    }

    /// What was sold at a price met the buyers there or above before any other.
    fn meet_trade(&mut self, desk: &mut Desk, print: Print, ts: Ts, purse: &dyn Purse) {
        let side = print.side.opposite();
        let lot = desk.instrument(self.instrument).lot.at(ts).0 .0;
        let mut gone = 0;
        let mut own = std::mem::replace(self.resting(side), Resting::new(side));
        own.each_from_best(print.px, |order, limit| {
            let mut reached = print.qty.0;
            if limit == print.px {
                let qty = print.qty.0 as f64 / self.scale;
                order.place.on_trade(&*self.model, qty, print.matched);
                let lots = order.place.reached(lot as f64 / self.scale);
                reached = lots.saturating_mul(lot);
            }
            if reached == 0 {
                return true;
            }
            let mut qty = desk.allowed(order);
            if self.matching.partial_fills {
                // What our orders before it got is no longer there for this one.
                qty = qty.min(reached.min(print.qty.0) - gone).max(0);
                gone += qty;
            }
            order.place.put_first();
            self.fill_maker(desk, order, (limit, qty), ts, purse) == Fate::Alive
        });
        *self.resting(side) = own;
    }

    fn fill_maker(
        &self,
        desk: &mut Desk,
        order: &mut Working,
        (limit, qty): (Px, i64),
        ts: Ts,
        purse: &dyn Purse,
    ) -> Fate {
        if qty > 0 {
            let deal = Deal {
                px: limit,
                reference: self.mid(order.request.side).unwrap_or(limit),
                impact: 0,
                is_taker: false,
            };
            if desk.fill(order, qty, &deal, ts, purse) == Fate::Done {
                return Fate::Done;
            }
        }
        desk.go_on(order, ts)
    }

    /// Whether a limit order would trade at once.
    pub(super) fn crosses(&self, order: &Working) -> bool {
        let side = order.request.side;
        let best = self.best(side.opposite());
        let reaches = |px| order.worst().is_none_or(|l| is_worse_or_equal(side, l, px));
        best.is_some_and(|(px, _)| reaches(px))
    }
}
