//! What the oracle says to orders and amendments that arrive.

use cq_sim::{
    reason, Amend, Amendment, OrderType, Purse, Request, TriggerBy, TriggeredStops, WaitingAmends,
};
use cq_types::{Account, Contract, Px, Side, Ts};
use rust_decimal::Decimal;

use super::engine::{barred, Fate, Oracle};
use super::order::Own;

impl Oracle {
    pub(super) fn accept(&mut self, request: Request, ts: Ts, purse: &dyn Purse) {
        let mut order = Own::new(request);
        if self.is_too_fast(ts) {
            self.refuse(&order, reason::TOO_MANY_ORDERS, ts);
            return;
        }
        if let Some(reason) = self.objects(&order, ts) {
            self.refuse(&order, reason, ts);
            return;
        }
        if order.waits() {
            let market = &self.markets[usize::from(request.instrument)];
            let seen = match request.trigger_by {
                TriggerBy::Last => market.last,
                TriggerBy::Mark => market.mark.or(market.last),
            };
            order.has_fired = seen.is_some_and(|px| order.sees(px));
            if order.has_fired && !self.has_margin(&order) {
                self.refuse(&order, reason::INSUFFICIENT_MARGIN, ts);
                return;
            }
        }
        if !order.waits() && self.meet(&mut order, ts, purse) == Fate::Ends {
            return;
        }
        if order.filled == 0 {
            order.is_acked = true;
            let body = Account::Ack { order: request.id };
            self.say(request.instrument, ts, body);
        }
        self.stay(order);
    }

    pub(super) fn change(
        &mut self,
        instrument: u16,
        id: u64,
        to: Amendment,
        ts: Ts,
        purse: &dyn Purse,
    ) {
        let is_too_fast = self.is_too_fast(ts);
        let is_it = |o: &&Own| o.request.instrument == instrument && o.request.id == id;
        let Some(own) = self.orders.iter().find(is_it) else {
            let reason = reason::NO_SUCH_ORDER;
            self.say(instrument, ts, Account::Kept { order: id, reason });
            return;
        };
        let (px, qty) = (to.price.or(own.request.price), to.qty);
        let stop = to.stop.or(own.request.stop);
        let wanted = Request {
            price: px,
            qty,
            stop,
            ..own.request
        };
        let is_moved = stop != own.request.stop;
        let refusal = if is_too_fast {
            Some(reason::TOO_MANY_ORDERS)
        } else if (own.waits() && self.config.waiting_amends == WaitingAmends::Refuse)
            || (is_moved && (!own.waits() || own.request.kind == OrderType::TrailingStop))
        {
            Some(reason::NOT_AMENDABLE)
        } else {
            let too_soon = is_moved && self.fires_too_soon(&wanted);
            let late = too_soon.then_some(reason::WOULD_TRIGGER);
            self.breaks_rule(&wanted, ts).or(late)
        };
        if let Some(reason) = refusal {
            self.say(instrument, ts, Account::Kept { order: id, reason });
            return;
        }
        let is_smaller = wanted.price == own.request.price && qty <= own.request.qty;
        let keeps = is_smaller && self.config.matching.amend == Amend::KeepsOnDecrease;
        let at = self.orders.iter().position(|o| is_it(&o)).unwrap();
        let mut order = self.orders.remove(at);
        if qty.0 <= order.filled {
            self.end(&order, ts);
            return;
        }
        order.request = wanted;
        let said = Account::Amended {
            order: id,
            px,
            qty,
            stop,
        };
        self.say(instrument, ts, said);
        let market = &self.markets[usize::from(instrument)];
        let seen = match order.request.trigger_by {
            TriggerBy::Last => market.last,
            TriggerBy::Mark => market.mark.or(market.last),
        };
        if let Some(px) = seen.filter(|px| is_moved && order.sees(*px)) {
            self.fire(order, px, ts, purse);
        } else if keeps && !is_moved {
            self.orders.insert(at, order);
        } else if order.waits() || self.meet(&mut order, ts, purse) == Fate::Works {
            self.stay(order);
        }
    }

    /// Whether one more is more than any limit lets pass in its time; else it counts.
    fn is_too_fast(&mut self, ts: Ts) -> bool {
        let is_full = self.config.max_order_rate.iter().any(|rate| {
            let own = self.counted.iter();
            own.filter(|at| **at > ts - rate.window).count() >= rate.orders
        });
        if !is_full {
            self.counted.push(ts);
        }
        is_full
    }

    /// Why an order is not taken at all.
    pub(super) fn objects(&self, order: &Own, ts: Ts) -> Option<&'static str> {
        let request = &order.request;
        if usize::from(request.instrument) >= self.instruments.len() {
            return Some(reason::UNKNOWN_INSTRUMENT);
        }
        let own = self.orders.iter();
        let own: Vec<_> = own
            .filter(|o| o.request.instrument == request.instrument)
            .collect();
        if own.iter().any(|o| o.request.id == request.id) {
            return Some(reason::DUPLICATE_ID);
        }
        let alike = own.iter().filter(|o| o.waits() == order.waits()).count();
        let (most, which) = if order.waits() {
            (self.config.max_orders[1], reason::MAX_TRIGGERS)
        } else {
            (self.config.max_orders[0], reason::MAX_ORDERS)
        };
        if alike >= most {
            return Some(which);
        }
        if let Some(reason) = self.breaks_rule(request, ts) {
            return Some(reason);
        }
        if order.waits() {
            return self
                .fires_too_soon(request)
                .then_some(reason::WOULD_TRIGGER);
        }
        let may = self.may_trade(order);
        let refusal = barred(order);
        let least = if order.only_reduces() {
            1
        } else {
            order.left()
        };
        (may < least).then_some(refusal)
    }

    /// Whether a venue that refuses such orders sees that a stop's trigger has been reached.
    fn fires_too_soon(&self, request: &Request) -> bool {
        let at = usize::from(request.instrument);
        let seen = match request.trigger_by {
            TriggerBy::Last => self.recent(at),
            TriggerBy::Mark => self.mark(at),
        };
        let (Some(seen), Some(level)) = (seen, request.stop) else {
            return false;
        };
        let is_buy = request.side == Side::Buy;
        let is_there = match (request.kind, is_buy) {
            (OrderType::Stop, true) | (OrderType::TakeProfit, false) => seen.0 >= level.0,
            (OrderType::Stop, false) | (OrderType::TakeProfit, true) => seen.0 <= level.0,
            _ => false,
        };
        is_there && self.config.triggered_stops == TriggeredStops::Refuse
    }

    fn recent(&self, at: usize) -> Option<Px> {
        let market = &self.markets[at];
        market.last.or_else(|| market.mid(true).map(Px))
    }

    /// The mark, a recent price where there is none.
    pub(super) fn mark(&self, at: usize) -> Option<Px> {
        self.markets[at].mark.or_else(|| self.recent(at))
    }

    fn breaks_rule(&self, request: &Request, ts: Ts) -> Option<&'static str> {
        let at = usize::from(request.instrument);
        let rules = &self.instruments[at];
        let (tick, lot) = (rules.tick.at(ts).0 .0, rules.lot.at(ts).0 .0);
        let trails = request.kind == OrderType::TrailingStop;
        let is_limit = request.kind == OrderType::Limit;
        let has_trigger = matches!(request.kind, OrderType::Stop | OrderType::TakeProfit);
        if request.qty.0 <= 0 {
            return Some(reason::BAD_QUANTITY);
        }
        if rules.valid_from.is_some_and(|from| ts < from) {
            return Some(reason::NOT_LISTED);
        }
        if rules.valid_to.is_some_and(|to| ts >= to) {
            return Some(reason::DELISTED);
        }
        if request.qty.0 % lot != 0 {
            return Some(reason::OFF_LOT);
        }
        if trails && request.callback_ppm == 0 {
            return Some(reason::NO_CALLBACK);
        }
        for (px, is_needed) in [(request.price, is_limit), (request.stop, has_trigger)] {
            if px.map_or(is_needed, |px| px.0 <= 0) {
                return Some(reason::NO_PRICE);
            }
            if px.is_some_and(|px| px.0 % tick != 0) {
                return Some(reason::OFF_TICK);
            }
        }
        let (bands, mark) = (rules.price_bands.as_ref(), self.mark(at));
        let bands = bands.map(|b| b.at(ts)).filter(|b| b.1);
        if let (Some((bands, _)), Some(mark), true) = (bands, mark, is_limit) {
            let (px, mark) = (request.price.unwrap().0, Decimal::from(mark.0));
            let is_buy = request.side == Side::Buy;
            if is_buy && Decimal::from(px) / mark > bands.up {
                return Some(reason::ABOVE_BAND);
            }
            if !is_buy && Decimal::from(px) / mark < bands.down {
                return Some(reason::BELOW_BAND);
            }
        }
        let recent = self.recent(at);
        let px = request.price.or(request.stop).or(recent)?;
        let is_exempt = request.reduce_only || request.close_position;
        let worth = match rules.contract {
            Contract::Inverse => rules.grid.quantity(request.qty) * rules.multiplier,
            _ => rules.grid.quantity(request.qty) * rules.multiplier * rules.grid.price(px),
        };
        let is_small = worth < *rules.min_notional.at(ts).0;
        (is_small && !is_exempt).then_some(reason::MIN_NOTIONAL)
    }

    /// Whether all that may open on the side of an order that has just fired is margined: the
    /// position, what works, and the order.
    pub(super) fn has_margin(&self, order: &Own) -> bool {
        let Request {
            instrument, side, ..
        } = order.request;
        let works = self.orders.iter().filter(|own| {
            let is_alike = own.request.instrument == instrument && own.request.side == side;
            is_alike && !own.waits() && !own.only_reduces()
        });
        let all = works.map(Own::left).sum::<i64>() + order.left();
        let held = self.positions[usize::from(instrument)];
        let held = if side == Side::Buy { held } else { -held };
        order.only_reduces() || held + all <= self.most
    }

    /// What the position lets an order trade.
    pub(super) fn may_trade(&self, order: &Own) -> i64 {
        let at = usize::from(order.request.instrument);
        let position = self.positions[at];
        let held = match order.request.side {
            Side::Buy => (-position).max(0),
            Side::Sell => position.max(0),
        };
        let is_spot = self.instruments[at].contract == Contract::Spot;
        if order.only_reduces() || (is_spot && order.request.side == Side::Sell) {
            held.min(order.left())
        } else {
            order.left()
        }
    }
}
