//! How orders and positions are ended at once: all of an instrument, whoever waits.

use cq_types::{InstrumentIdx, Qty, Side, Ts};

use super::Venue;
use crate::execution::{Deal, Fate, Purse};
use crate::order::{Request, Working};
use crate::transit::Message;

impl Venue {
    /// Cancels all orders of an instrument, working or on their way.
    pub fn cancel_all(&mut self, instrument: InstrumentIdx, ts: Ts) {
        self.cancel_each(instrument, ts, (true, ""));
        for sent in self.transit.take(|at| at == instrument) {
            if let Message::New(request) = sent.message {
                let mut order = Working::new(request, sent.decided);
                order.forced = true;
                self.desk.cancelled(&order, ts);
            }
        }
    }

    /// Ends the orders of an instrument that work, for a reason; where that is `forced`, the
    /// answers have no latency.
    pub(super) fn cancel_each(
        &mut self,
        instrument: InstrumentIdx,
        ts: Ts,
        (forced, reason): (bool, &'static str),
    ) {
        let at = self.legs.market(instrument);
        self.each(at, |venue, order| {
            if order.request.instrument != instrument {
                return Fate::Alive;
            }
            order.forced = forced;
            venue.desk.expire(order, reason, ts)
        });
        let market = self.ticks.get_mut(usize::from(at)).and_then(Option::as_mut);
        let own = market.map(|market| market.take_of(instrument));
        for mut order in own.into_iter().flatten() {
            order.forced = forced;
            self.desk.expire(&order, reason, ts);
        }
    }

    /// Closes a position at once, at the last price with all costs, beyond any volume limit.
    ///
    /// Returns the id of the order it made, `None` where there was no position. Answers come
    /// without latency: there is no later time to receive them at.
    pub fn force_close(
        &mut self,
        instrument: InstrumentIdx,
        ts: Ts,
        purse: &dyn Purse,
    ) -> Option<u64> {
        let position = self.desk.positions.of(instrument);
        let side = Side::of(-position)?;
        let request = Request {
            reduce_only: true,
            ..Request::market(self.forced, instrument, side, Qty(position.abs()))
        };
        let mut order = Working::new(request, ts);
        order.forced = true;
        let deal = self.closing_deal(&order, ts)?;
        self.forced += 1;
        self.desk.fill(&mut order, position.abs(), &deal, ts, purse);
        Some(order.request.id)
    }

    fn closing_deal(&self, order: &Working, ts: Ts) -> Option<Deal> {
        let index = usize::from(self.legs.market(order.request.instrument));
        let spread = self.desk.costs.spread_ppb;
        let plain = |px, reference| Deal {
            px,
            reference,
            impact: 0,
            is_taker: true,
        };
        if let Some(market) = &self.ticks[index] {
            let (level, middle) = market.closing_level(order);
            let reference = middle?;
            let blind = self.desk.against(order, reference, spread, 0, ts);
            return Some(plain(level.unwrap_or(blind), reference));
        }
        let market = &self.bars[index];
        let last = market.last()?;
        let deal = self
            .desk
            .worsen(order, last, order.left, &market.trailing, ts);
        Some(deal.unwrap_or_else(|| plain(self.desk.against(order, last, spread, 0, ts), last)))
    }
}
