//! Orders get another price, trigger or quantity.

use cq_types::{InstrumentIdx, Ts};

use super::acceptance::is_triggered;
use super::Venue;
use crate::execution::{Desk, Fate, Purse};
use crate::models::WaitingAmends;
use crate::order::{Amendment, OrderType, Working};
use crate::rules::{self, reason};
use crate::transit::Message;

impl Venue {
    /// Asks at `now` for another price, trigger or quantity; of an order that is done the venue says
    /// that it has none.
    pub fn amend(
        &mut self,
        now: Ts,
        instrument: InstrumentIdx,
        order: u64,
        to: impl Into<Amendment>,
    ) {
        let to = to.into();
        self.post(now, instrument, Message::Amend { order, to });
    }

    /// An order gets another price, trigger or quantity, if the venue's rules let it.
    pub(super) fn change(
        &mut self,
        (index, id): (InstrumentIdx, u64),
        to: Amendment,
        ts: Ts,
        purse: &dyn Purse,
    ) {
        let is_in_rate = self.is_in_rate(ts);
        let Some(own) = self.of(index).find(|own| own.request.id == id) else {
            self.desk.keep(index, id, reason::NO_SUCH_ORDER, ts);
            return;
        };
        let to = to.of(own);
        let too_many = (!is_in_rate).then_some(reason::TOO_MANY_ORDERS);
        if let Some(reason) = too_many.or_else(|| self.refuses_change(own, to, ts, purse)) {
            self.desk.keep(index, id, reason, ts);
            return;
        }
        let Some(order) = self.remove(index, id) else {
            return;
        };
        let market = usize::from(self.legs.market(index));
        if to.stop.is_some() {
            self.move_trigger(&order, to, ts, purse);
        } else if let Some(market) = &mut self.ticks[market] {
            market.amend(&mut self.desk, (order, to), ts, purse);
        } else if let Some(order) = self.desk.amend(&order, to, ts) {
            self.working.push(order);
        }
    }

    /// Why an order is not made what is wanted of it.
    fn refuses_change(
        &self,
        own: &Working,
        to: Amendment,
        ts: Ts,
        purse: &dyn Purse,
    ) -> Option<&'static str> {
        let has_trigger = matches!(own.request.kind, OrderType::Stop | OrderType::TakeProfit);
        let moves_trigger = to.stop.is_some();
        let is_amendable = !own.is_waiting() || self.waiting_amends == WaitingAmends::Take;
        if !is_amendable || (moves_trigger && !(has_trigger && own.is_waiting())) {
            return Some(reason::NOT_AMENDABLE);
        }
        let wanted = own.amended(to);
        let more = i128::from(wanted.request.qty.0) - i128::from(own.request.qty.0);
        let request = &wanted.request;
        let prices = self.prices(request.instrument);
        let instrument = self.desk.instrument(request.instrument);
        if let Some(refusal) = rules::refuses(instrument, request, ts, prices) {
            return Some(refusal);
        }
        if moves_trigger && !self.takes_triggered && is_triggered(&wanted, prices) {
            return Some(reason::WOULD_TRIGGER);
        }
        let own = self.of(request.instrument);
        let working = own.map(|own| i128::from(own.left)).sum::<i128>();
        if self.is_too_large(request, working + more, prices) {
            return Some(reason::TOO_LARGE);
        }
        if let Some(barred) = self.barred(&wanted) {
            return Some(barred);
        }
        let grows = more > 0 && self.is_bounded(request);
        if grows && self.desk.allowed(&wanted) < wanted.left {
            return Some(Desk::barred_by(&wanted));
        }
        self.is_short(&wanted, purse)
            .then_some(reason::INSUFFICIENT_BALANCE)
    }

    /// An order waits for another trigger, the youngest one that waits; a price that has reached it
    /// already sets the order off. On bars the next price does.
    fn move_trigger(&mut self, order: &Working, to: Amendment, ts: Ts, purse: &dyn Purse) {
        let Some(mut order) = self.desk.amend(order, to, ts) else {
            return;
        };
        let at = usize::from(self.legs.market(order.request.instrument));
        let Some(market) = &mut self.ticks[at] else {
            self.working.push(order);
            return;
        };
        let Some(px) = market.reached(&mut order) else {
            market.keep(order);
            return;
        };
        let touch = self.touch(order.request.instrument);
        if self.set_off(&mut order, (px, touch), ts, purse) == Fate::Done {
            return;
        }
        if let Some(market) = &mut self.ticks[at] {
            market.act(&mut self.desk, order, px, ts, purse);
        }
    }
}
