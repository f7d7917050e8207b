//! Whether the venue takes an order or an amendment, before it meets the market.

use cq_types::{InstrumentIdx, Px, Qty, Ts};

use super::Venue;
use crate::execution::{Desk, Purse};
use crate::models::StopMargin;
use crate::order::{OrderType, Request, TriggerBy, Working};
use crate::rules::{self, reason};

/// A recent price, and the mark or what stands in for it.
pub(super) type Prices = (Option<Px>, Option<Px>);

impl Venue {
    /// Counts an order or an amendment; whether the venue takes that many.
    pub(super) fn is_in_rate(&mut self, ts: Ts) -> bool {
        let has_room = self.rates.iter_mut().all(|rate| rate.has_room(ts));
        if has_room {
            self.rates.iter_mut().for_each(|rate| rate.count(ts));
        }
        has_room
    }

    /// Why an order is refused on arrival.
    pub(super) fn refuses(
        &self,
        order: &Working,
        ts: Ts,
        purse: &dyn Purse,
    ) -> Option<&'static str> {
        let request = &order.request;
        let index = usize::from(request.instrument);
        if index >= self.desk.instruments.len() {
            return Some(reason::UNKNOWN_INSTRUMENT);
        }
        let (mut counts, mut working, mut is_known) = ([0; 2], 0, false);
        self.of(request.instrument).for_each(|own| {
            is_known |= own.request.id == request.id;
            counts[usize::from(own.is_waiting())] += 1;
            working += i128::from(own.left);
        });
        if is_known {
            return Some(reason::DUPLICATE_ID);
        }
        let kind = usize::from(order.is_waiting());
        if counts[kind] >= self.max_orders[kind] {
            return Some([reason::MAX_ORDERS, reason::MAX_TRIGGERS][kind]);
        }
        let prices = self.prices(request.instrument);
        let instrument = self.desk.instrument(request.instrument);
        if let Some(refusal) = rules::refuses(instrument, request, ts, prices) {
            return Some(refusal);
        }
        if !self.takes_triggered && is_triggered(order, prices) {
            return Some(reason::WOULD_TRIGGER);
        }
        if self.is_too_large(request, working + i128::from(request.qty.0), prices) {
            return Some(reason::TOO_LARGE);
        }
        if let Some(barred) = self.barred(order) {
            return Some(barred);
        }
        // A stop protects a position that an order beside it may only now be opening.
        let is_stop = request.is_conditional();
        let is_short_sale = (self.is_bounded(request) || !request.only_reduces())
            && self.desk.allowed(order) < order.left;
        if !is_stop && (self.desk.allowed(order) == 0 || is_short_sale) {
            return Some(Desk::barred_by(order));
        }
        self.is_short(order, purse)
            .then_some(reason::INSUFFICIENT_BALANCE)
    }

    /// In hedge mode a close may be no larger than the position.
    pub(super) fn is_bounded(&self, request: &Request) -> bool {
        self.legs.side(request.instrument).is_some() && !request.close_position
    }

    /// Why an order that opens is refused for its margin or its size; one that waits may be asked
    /// for them at its trigger alone.
    pub(super) fn barred(&self, order: &Working) -> Option<&'static str> {
        let is_asked = !order.is_waiting() || self.stop_margin == StopMargin::ArrivalAndTrigger;
        let request = &order.request;
        self.barred[usize::from(request.instrument)].filter(|_| is_asked && !request.only_reduces())
    }

    /// Whether the position could not be counted, nor what it is worth, if `all` that works traded.
    pub(super) fn is_too_large(&self, request: &Request, all: i128, (last, _): Prices) -> bool {
        let position = i128::from(self.desk.positions.of(request.instrument));
        let Ok(largest) = i64::try_from(position.abs() + all) else {
            return true;
        };
        let instrument = self.desk.instrument(request.instrument);
        let px = request.price.or(request.stop).or(last);
        px.is_some_and(|px| !rules::is_counted(instrument, Qty(largest), px))
    }

    /// A recent price, and the mark or what stands in for it.
    pub(super) fn prices(&self, instrument: InstrumentIdx) -> Prices {
        let index = usize::from(self.legs.market(instrument));
        let last = self.bars[index].last();
        match &self.ticks[index] {
            Some(market) => (market.last(), market.mark()),
            None => (last, last),
        }
    }
}

/// Whether the prices of now have reached a stop or a take-profit.
pub(super) fn is_triggered(order: &Working, (last, mark): Prices) -> bool {
    let request = &order.request;
    let seen = match request.trigger_by {
        TriggerBy::Last => last,
        TriggerBy::Mark => mark,
    };
    matches!(request.kind, OrderType::Stop | OrderType::TakeProfit)
        && seen.is_some_and(|px| order.clone().is_triggered_by(px))
}
