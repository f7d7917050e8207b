use cq_types::{Px, Qty, Side, Ts};

use super::TickMarket;
use crate::execution::{Deal, Desk, Fate, Purse};
use crate::matching::{Amend, SelfTrade};
use crate::order::{is_worse_or_equal, Amendment, TimeInForce, TriggerBy, Working};
use crate::queue::Place;
use crate::rules::{self, reason};

impl TickMarket {
    /// An order arrives, and stays where it goes on.
    pub(crate) fn accept(
        &mut self,
        desk: &mut Desk,
        mut order: Working,
        ts: Ts,
        purse: &dyn Purse,
    ) {
        if order.is_waiting() || self.meet_market(desk, &mut order, ts, purse) == Fate::Alive {
            desk.ack(&mut order, ts);
            self.keep(order);
        }
    }

    /// An order works on, behind those that came to its price before it.
    pub(crate) fn keep(&mut self, mut order: Working) {
        self.ages += 1;
        order.age = self.ages;
        self.put(order);
    }

    /// An order works where its age places it.
    pub(super) fn put(&mut self, order: Working) {
        if order.is_waiting() {
            let at = self.waiting.partition_point(|o| o.age < order.age);
            self.waiting.insert(at, order);
        } else {
            self.resting(order.request.side).add(order);
        }
    }

    /// The price that the market has seen and that sets off an order at its arrival.
    pub(crate) fn reached(&self, order: &mut Working) -> Option<Px> {
        let seen = match order.request.trigger_by {
            TriggerBy::Last => self.last,
            TriggerBy::Mark => self.mark.or(self.last),
        };
        seen.filter(|px| order.is_triggered_by(*px))
    }

    /// Whether orders wait for a trigger.
    pub(crate) fn has_waiting(&self) -> bool {
        !self.waiting.is_empty()
    }

    /// Takes the orders away whose trigger a price reaches, oldest first.
    pub(crate) fn take_hit(&mut self, by: TriggerBy, px: Px) -> Vec<Working> {
        let is_hit = |o: &mut Working| o.request.trigger_by == by && o.is_triggered_by(px);
        self.waiting.extract_if(.., is_hit).collect()
    }

    /// An order that a price has set off acts.
    pub(crate) fn act(
        &mut self,
        desk: &mut Desk,
        mut order: Working,
        px: Px,
        ts: Ts,
        purse: &dyn Purse,
    ) {
        let is_blind = order.is_market() && self.best(order.request.side.opposite()).is_none();
        let fate = if is_blind {
            Self::fill_blind(desk, &mut order, px, ts, purse)
        } else {
            self.meet_market(desk, &mut order, ts, purse)
        };
        if fate == Fate::Alive {
            self.keep(order);
        }
    }

    /// A stop that protects is not lost because the book is not known: it trades at the price
    /// that triggered it, worsened as a taker's on bars.
    fn fill_blind(desk: &mut Desk, order: &mut Working, px: Px, ts: Ts, purse: &dyn Purse) -> Fate {
        let qty = desk.allowed(order);
        if qty == 0 {
            return desk.refuse(order, Desk::barred_by(order), ts);
        }
        let deal = Deal {
            px: desk.against(order, px, desk.costs.spread_ppb, 0, ts),
            reference: px,
            impact: 0,
            is_taker: true,
        };
        match desk.fill(order, qty, &deal, ts, purse) {
            Fate::Alive => desk.cancelled(order, ts),
            Fate::Done => Fate::Done,
        }
    }

    /// The mark price changed.
    pub(crate) fn on_mark(&mut self, px: Px) {
        self.mark = Some(px);
    }

    /// A market or limit order meets the book; what is left of a limit order rests.
    fn meet_market(
        &mut self,
        desk: &mut Desk,
        order: &mut Working,
        ts: Ts,
        purse: &dyn Purse,
    ) -> Fate {
        let side = order.request.side;
        if !self.book.is_valid() && self.quote.is_none() {
            return desk.refuse(order, reason::NO_BOOK, ts);
        }
        if order.is_market() {
            let instrument = desk.instrument(self.instrument);
            let mark = self.mark();
            order.bound = mark.and_then(|mark| rules::take_bound(instrument, side, ts, mark));
        }
        let crosses = self.crosses(order);
        if order.is_market() && !crosses && self.best(side.opposite()).is_some() {
            return desk.refuse(order, reason::BEYOND_BOUND, ts);
        }
        if crosses && order.request.tif == TimeInForce::PostOnly && order.limit().is_some() {
            return desk.refuse(order, reason::WOULD_CROSS, ts);
        }
        if desk.allowed(order) == 0 {
            return desk.refuse(order, Desk::barred_by(order), ts);
        }
        // First, so that one which does not trade cancels nothing.
        if order.request.tif == TimeInForce::Fok && !self.can_fill(desk, order) {
            return desk.refuse(order, reason::FOK_NOT_FILLED, ts);
        }
        if self.prevent_self_trade(desk, order, ts) == Fate::Done {
            return desk.refuse(order, reason::SELF_TRADE, ts);
        }
        if crosses && self.walk(desk, order, ts, purse) == Fate::Done {
            return Fate::Done;
        }
        if order.is_market() || matches!(order.request.tif, TimeInForce::Ioc | TimeInForce::Fok) {
            return desk.cancelled(order, ts);
        }
        order.rests = true;
        order.place = order
            .limit()
            .map_or(Place::unknown(), |px| self.place_at(side, px));
        desk.go_on(order, ts)
    }

    /// Whether all of an order can trade at once.
    fn can_fill(&self, desk: &Desk, order: &Working) -> bool {
        let wanted = desk.allowed(order);
        if wanted < order.left {
            return false;
        }
        if !self.matching.walks_book {
            return self.crosses(order);
        }
        let offers = self.offers(order, wanted);
        offers.iter().map(|(_, qty)| *qty).sum::<i64>() == wanted
    }

    /// Our own orders that an arriving one would meet; `Done` where it may not go on.
    fn prevent_self_trade(&mut self, desk: &mut Desk, order: &Working, ts: Ts) -> Fate {
        let rule = self.matching.self_trade;
        let theirs = order.request.side.opposite();
        if rule == SelfTrade::Ignore || self.resting(theirs).is_empty() {
            return Fate::Alive;
        }
        let reach = self.reach(desk, order);
        if self.resting(theirs).best_key() < reach.0 * theirs.sign() {
            return Fate::Alive;
        }
        if rule != SelfTrade::ExpireTaker {
            self.resting(theirs).each_from_best(reach, |own, _| {
                desk.expire(own, reason::SELF_TRADE, ts);
                false
            });
        }
        match rule {
            SelfTrade::ExpireMaker | SelfTrade::Ignore => Fate::Alive,
            SelfTrade::ExpireTaker | SelfTrade::ExpireBoth => Fate::Done,
        }
    }

    /// The worst price at which an order meets others before it is filled.
    fn reach(&self, desk: &Desk, order: &Working) -> Px {
        let side = order.request.side;
        let wanted = desk.allowed(order);
        let offers = self.offers(order, wanted);
        let covered = offers.iter().map(|(_, qty)| *qty).sum::<i64>() == wanted;
        match offers.last() {
            // At the level that fills it, others are before ours.
            Some((px, _)) if covered => Px(px.0.saturating_sub(side.sign())),
            _ => order.worst().unwrap_or(Px(i64::MAX * side.sign())),
        }
    }

    /// Takes level after level up to the limit; what is taken stays taken.
    fn walk(&mut self, desk: &mut Desk, order: &mut Working, ts: Ts, purse: &dyn Purse) -> Fate {
        let side = order.request.side;
        let (Some((best, _)), Some(mid)) = (self.best(side.opposite()), self.mid_or_best(side))
        else {
            return Fate::Alive;
        };
        let offers = if self.matching.walks_book {
            self.offers(order, desk.allowed(order))
        } else {
            vec![(best, desk.allowed(order))]
        };
        let day = self.footprint.as_mut().and_then(|own| own.day(ts));
        for (level, available) in offers {
            let qty = available.min(desk.allowed(order));
            if qty == 0 {
                break;
            }
            let px = match (&self.footprint, day) {
                (Some(own), Some(day)) => own.moved(desk, order, (level, qty), day, ts),
                _ => level,
            };
            let deal = Deal {
                px,
                reference: mid,
                impact: (px.0 - best.0) * side.sign(),
                is_taker: true,
            };
            let before = order.left;
            let fate = desk.fill(order, qty, &deal, ts, purse);
            if self.matching.walks_book {
                let taken = before - order.left;
                self.taken.add(side.opposite(), level.0, taken);
            }
            if fate == Fate::Done {
                return Fate::Done;
            }
        }
        Fate::Alive
    }

    /// What an order may take, level by level, up to `wanted`.
    pub(super) fn offers(&self, order: &Working, wanted: i64) -> Vec<(Px, i64)> {
        let side = order.request.side;
        let theirs = side.opposite();
        let (mut out, mut left) = (Vec::new(), wanted);
        let mut offer = |px: Px, qty: Qty| {
            let is_beyond = |limit: Px| !is_worse_or_equal(side, limit, px);
            if left <= 0 || order.worst().is_some_and(is_beyond) {
                return false;
            }
            let available = (qty.0 - self.taken.of(theirs, px.0)).min(left);
            if available > 0 {
                out.push((px, available));
                left -= available;
            }
            true
        };
        if self.book.is_valid() {
            for (px, qty) in self.book.levels(theirs, usize::MAX) {
                if !offer(px, qty) {
                    break;
                }
            }
        } else if let Some((px, qty)) = self.best(theirs) {
            offer(px, qty);
        }
        out
    }

    /// Notes that `qty` of what was offered on a side is taken.
    pub(super) fn take(&mut self, theirs: Side, offers: &[(Px, i64)], qty: i64) {
        let mut left = qty;
        for (px, offered) in offers {
            let taken = left.min(*offered);
            self.taken.add(theirs, px.0, taken);
            left -= taken;
        }
    }

    /// The place of a new order at `px`: behind what rests there, unknown where that is.
    fn place_at(&self, side: Side, px: Px) -> Place {
        if self.book.is_valid() {
            if self.matching.snapshot_edge && !self.book.is_known(side, px) {
                return Place::unknown();
            }
            return self.behind(self.book.qty_at(side, px));
        }
        match self.best(side) {
            Some((best, qty)) if best == px => self.behind(qty),
            Some((best, _)) if is_worse_or_equal(side, px, best) => Place::behind(0.0),
            _ => Place::unknown(),
        }
    }

    fn behind(&self, qty: Qty) -> Place {
        Place::behind(qty.0 as f64 / self.scale)
    }

    /// Where the last unit of a close at once would trade, and the middle of the market:
    /// beyond the levels that are there, at the last of them. No price where the book is empty.
    pub(crate) fn closing_level(&self, order: &Working) -> (Option<Px>, Option<Px>) {
        let level = self.offers(order, order.left).last().map(|(px, _)| *px);
        (level, self.mid_or_best(order.request.side).or(self.last))
    }

    /// An amended order: a place in the queue is kept where the venue keeps it.
    pub(crate) fn amend(
        &mut self,
        desk: &mut Desk,
        (order, to): (Working, Amendment),
        ts: Ts,
        purse: &dyn Purse,
    ) {
        let before = order.request;
        let Some(mut order) = desk.amend(&order, to, ts) else {
            return;
        };
        let is_moved = order.request.price != before.price;
        let is_larger = order.request.qty > before.qty;
        let keeps = self.matching.amend == Amend::KeepsOnDecrease && !is_moved && !is_larger;
        if keeps {
            self.put(order);
        } else if order.is_waiting() || self.meet_market(desk, &mut order, ts, purse) == Fate::Alive
        {
            self.keep(order);
        }
    }
}
