//! How the market meets the oracle's orders.

use cq_sim::{reason, Purse, Queue, Trade, TriggerBy};
use cq_types::{flags, Account, Change, Instrument, Px, Qty, Side, Ts};

use super::engine::{barred, Fate, Oracle};
use super::market::{Did, Ended};
use super::order::{sort, Own};
use super::queue::Happened;

impl Oracle {
    pub(crate) fn on_change(&mut self, at: u16, change: Change, ts: Ts, purse: &dyn Purse) {
        let index = usize::from(at);
        let (did, ended) = self.markets[index].change(change);
        let is_snapshot = change.marks & flags::SNAPSHOT != 0;
        for own in self
            .orders
            .iter_mut()
            .filter(|o| o.request.instrument == at)
        {
            let Some(limit) = own.limit() else { continue };
            let is_there = own.request.side == change.side && limit == change.px.0;
            if let (Did::Moved { before, after }, true, false) = (did, is_there, is_snapshot) {
                own.history.push(Happened::Change { before, after, ts });
            }
            match ended {
                Ended::Wrong => own.history.push(Happened::Lost),
                Ended::Snapshot if self.markets[index].tells(own.request.side, limit) => {
                    let qty = self.markets[index].at(own.request.side, limit);
                    own.history.push(Happened::Told(qty));
                }
                _ => {}
            }
        }
        if matches!(ended, Ended::Frame | Ended::Snapshot) {
            self.meet_best(at, ts, purse);
        }
    }

    pub(crate) fn on_quote(
        &mut self,
        at: u16,
        touch: ((Px, Qty), (Px, Qty)),
        ts: Ts,
        purse: &dyn Purse,
    ) {
        self.markets[usize::from(at)].quote(touch);
        if !self.markets[usize::from(at)].is_known() {
            self.meet_best(at, ts, purse);
        }
    }

    pub(crate) fn on_gap(&mut self, at: u16) {
        self.markets[usize::from(at)].gap();
        for own in self
            .orders
            .iter_mut()
            .filter(|o| o.request.instrument == at)
        {
            own.history.push(Happened::Lost);
        }
    }

    pub(crate) fn on_mark(&mut self, at: u16, px: Px, ts: Ts, purse: &dyn Purse) {
        self.markets[usize::from(at)].mark = Some(px);
        self.trigger(at, (TriggerBy::Mark, px), ts, purse);
    }

    pub(crate) fn on_trade(&mut self, at: u16, trade: Trade, ts: Ts, purse: &dyn Purse) {
        if trade.marks & flags::NOT_MARKET != 0 {
            return;
        }
        self.meet_trade(at, trade, ts, purse);
        self.markets[usize::from(at)].last = Some(trade.px);
        self.trigger(at, (TriggerBy::Last, trade.px), ts, purse);
        if self.markets[usize::from(at)].mark.is_none() {
            self.trigger(at, (TriggerBy::Mark, trade.px), ts, purse);
        }
    }

    pub(super) fn trigger(
        &mut self,
        at: u16,
        (by, px): (TriggerBy, Px),
        ts: Ts,
        purse: &dyn Purse,
    ) {
        let mut hit = Vec::new();
        let mut rest = Vec::new();
        for mut own in std::mem::take(&mut self.orders) {
            let looks = own.request.instrument == at && own.request.trigger_by == by;
            if looks && own.waits() && own.sees(px) {
                hit.push(own);
            } else {
                rest.push(own);
            }
        }
        self.orders = rest;
        hit.sort_by_key(|own| own.age);
        for own in hit {
            self.fire(own, px, ts, purse);
        }
    }

    /// A price has set an order off.
    pub(super) fn fire(&mut self, mut own: Own, px: Px, ts: Ts, purse: &dyn Purse) {
        let at = own.request.instrument;
        own.has_fired = true;
        if !self.has_margin(&own) {
            self.refuse(&own, reason::INSUFFICIENT_MARGIN, ts);
            return;
        }
        if let (true, Some(_), order) = (own.is_acked, own.request.price, own.request.id) {
            self.say(at, ts, Account::Triggered { order });
        }
        let theirs = own.request.side.opposite();
        let is_blind = self.markets[usize::from(at)].best(theirs).is_none();
        if is_blind && own.limit().is_none() {
            self.fill_blind(own, px.0, ts, purse);
        } else if self.meet(&mut own, ts, purse) == Fate::Works {
            self.stay(own);
        }
    }

    /// With nobody to trade with, at the price that triggered it and the floor on slippage worse.
    fn fill_blind(&mut self, mut own: Own, px: i64, ts: Ts, purse: &dyn Purse) {
        let qty = self.may_trade(&own);
        if qty == 0 {
            self.refuse(&own, barred(&own), ts);
            return;
        }
        let tick = self.instruments[usize::from(own.request.instrument)]
            .tick
            .at(ts)
            .0
             .0;
        // One basis point is the default floor.
        let worse = px * (10_000 + own.request.side.sign());
        let ticks = match own.request.side {
            Side::Buy => (worse + 10_000 * tick - 1) / (10_000 * tick),
            Side::Sell => worse / (10_000 * tick),
        };
        let paid = (ticks * tick, qty);
        if !self.fill(&mut own, paid, (px, 0), true, ts, purse) {
            self.refuse(&own, reason::INSUFFICIENT_BALANCE, ts);
        } else if own.left() > 0 {
            self.end(&own, ts);
        }
    }

    /// Our orders on a side that a price reaches: best price first, then oldest.
    pub(super) fn reached(&self, at: u16, side: Side, px: i64) -> Vec<Own> {
        let is_hit =
            |o: &&Own| o.request.instrument == at && o.request.side == side && o.is_reached(px);
        let mut all: Vec<_> = self.orders.iter().filter(is_hit).cloned().collect();
        sort(&mut all);
        all
    }

    pub(super) fn put_back(&mut self, order: Own, fate: Fate) {
        let is_it = |o: &Own| {
            o.request.instrument == order.request.instrument && o.request.id == order.request.id
        };
        let at = self.orders.iter().position(is_it).unwrap();
        if fate == Fate::Works {
            self.orders[at] = order;
        } else {
            self.orders.remove(at);
        }
    }

    pub(super) fn meet_trade(&mut self, at: u16, trade: Trade, ts: Ts, purse: &dyn Purse) {
        let side = trade.side.opposite();
        let lot = self.instruments[usize::from(at)].lot.at(ts).0 .0;
        let unit = unit(&self.instruments[usize::from(at)]);
        let queue: Queue = self.config.queue;
        let mut gone = 0;
        for mut own in self.reached(at, side, trade.px.0) {
            let limit = own.limit().unwrap();
            let mut passed = trade.qty.0;
            if limit == trade.px.0 {
                let is_once = self.config.matching.late_trades;
                own.history.trade(trade.qty.0, trade.matched, is_once);
                passed = own.history.reached(queue, unit, lot);
            }
            if passed == 0 {
                self.put_back(own, Fate::Works);
                continue;
            }
            let mut qty = self.may_trade(&own);
            if self.config.matching.partial_fills {
                qty = qty.min(passed.min(trade.qty.0) - gone).max(0);
                gone += qty;
            }
            own.history.push(Happened::First);
            let fate = self.make(&mut own, (limit, qty), ts, purse);
            self.put_back(own, fate);
        }
    }

    pub(super) fn meet_best(&mut self, at: u16, ts: Ts, purse: &dyn Purse) {
        for side in [Side::Buy, Side::Sell] {
            let theirs = side.opposite();
            let Some((best, _)) = self.markets[usize::from(at)].best(theirs) else {
                continue;
            };
            for mut own in self.reached(at, side, best) {
                let limit = own.limit().unwrap();
                let mut qty = self.may_trade(&own);
                if self.config.matching.partial_fills {
                    let wanted = qty;
                    for (px, there) in self.markets[usize::from(at)].offered(theirs, own.limit()) {
                        let part = there.min(qty);
                        self.markets[usize::from(at)].consume(theirs, px, part);
                        qty -= part;
                    }
                    qty = wanted - qty;
                }
                own.history.push(Happened::First);
                let fate = self.make(&mut own, (limit, qty), ts, purse);
                self.put_back(own, fate);
            }
        }
    }

    pub(super) fn make(
        &mut self,
        own: &mut Own,
        (px, qty): (i64, i64),
        ts: Ts,
        purse: &dyn Purse,
    ) -> Fate {
        if qty > 0 {
            let market = &self.markets[usize::from(own.request.instrument)];
            let reference = market.mid(own.request.side == Side::Buy).unwrap_or(px);
            if !self.fill(own, (px, qty), (reference, 0), false, ts, purse) {
                return self.refuse(own, reason::INSUFFICIENT_BALANCE, ts);
            }
            if own.left() == 0 {
                return Fate::Ends;
            }
        }
        self.goes_on(own, ts)
    }
}

/// Units of quantity in a grid unit.
fn unit(instrument: &Instrument) -> f64 {
    10_f64.powi(-i32::from(instrument.grid.qty_exp))
}
