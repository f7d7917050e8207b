use std::collections::BTreeMap;

use cq_book::Book;
use cq_types::{Change, Px, Qty, Side, Ts};

use crate::execution::{Deal, Desk, Fate, Purse};
use crate::order::{is_worse_or_equal, OrderType, Working};

/// Queue ahead of an order whose place is not known: only a trade beyond its price fills it.
const UNKNOWN: i64 = i64::MAX / 4;

/// Best bid and ask of a quote event.
#[derive(Debug, Clone, Copy)]
struct Quote {
    bid: (Px, Qty),
    ask: (Px, Qty),
}

/// An instrument that trades on its recorded book, on venue time.
#[derive(Debug, Clone)]
pub(crate) struct TickMarket {
    book: Book,
    quote: Option<Quote>,
    /// What our own takers have consumed of a level since it was last refreshed.
    taken: BTreeMap<(bool, i64), i64>,
    last: Option<Px>,
}

impl TickMarket {
    pub(crate) fn new(step: Px) -> Self {
        Self {
            book: Book::with_step(step),
            quote: None,
            taken: BTreeMap::new(),
            last: None,
        }
    }

    pub(crate) fn on_change(&mut self, change: Change) {
        let Change {
            side,
            px,
            qty,
            marks,
        } = change;
        if self.taken.is_empty() {
            self.book.on_delta(side, px, qty, marks);
            return;
        }
        self.taken.remove(&(side == Side::Buy, px.0));
        let was_valid = self.book.is_valid();
        self.book.on_delta(side, px, qty, marks);
        if was_valid != self.book.is_valid() {
            self.taken.clear();
        }
    }

    pub(crate) fn on_quote(&mut self, bid: (Px, Qty), ask: (Px, Qty)) {
        self.quote = Some(Quote { bid, ask });
        if !self.book.is_valid() {
            self.taken.clear();
        }
    }

    pub(crate) fn on_gap(&mut self) {
        self.book.invalidate();
        self.quote = None;
        self.taken.clear();
    }

    pub(crate) fn on_trade(&mut self, px: Px) {
        self.last = Some(px);
    }

    /// Last trade, else the middle of the market.
    pub(crate) fn last(&self) -> Option<Px> {
        self.last.or_else(|| self.mid(Side::Buy))
    }

    fn best(&self, side: Side) -> Option<(Px, Qty)> {
        if self.book.is_valid() {
            return self.book.best(side);
        }
        self.quote.map(|quote| match side {
            Side::Buy => quote.bid,
            Side::Sell => quote.ask,
        })
    }

    /// Middle of best bid and ask; half a grid unit goes to the worse for what we report as
    /// our own cost (down for a buyer, up for a seller).
    fn mid(&self, side: Side) -> Option<Px> {
        let sum = self.best(Side::Buy)?.0 .0 + self.best(Side::Sell)?.0 .0;
        Some(Px(match side {
            Side::Buy => sum.div_euclid(2),
            Side::Sell => -(-sum).div_euclid(2),
        }))
    }

    /// An order arrives.
    pub(crate) fn arrive(
        &mut self,
        desk: &mut Desk,
        order: &mut Working,
        ts: Ts,
        purse: &dyn Purse,
    ) -> Fate {
        let side = order.request.side;
        let reached = |t: Px| {
            self.last
                .is_some_and(|last| is_worse_or_equal(side, last, t))
        };
        if order.trigger().is_some_and(reached) {
            order.triggered = true;
        }
        if order.trigger().is_some() {
            return Fate::Alive;
        }
        if self.best(side.opposite()).is_none() {
            return desk.refuse(order, crate::reason::NO_BOOK, ts);
        }
        let crosses = order.limit().is_none_or(|limit| {
            let best = self.best(side.opposite());
            best.is_some_and(|(px, _)| is_worse_or_equal(side, limit, px))
        });
        if crosses && order.request.kind == OrderType::PostOnly {
            return desk.refuse(order, crate::reason::WOULD_CROSS, ts);
        }
        if desk.allowed(order) == 0 {
            return desk.refuse(order, Desk::barred_by(order), ts);
        }
        if crosses && self.walk(desk, order, ts, purse) == Fate::Done {
            return Fate::Done;
        }
        if order.is_market() || order.request.ioc {
            return desk.cancelled(order, ts);
        }
        order.rests = true;
        order.ahead = order.limit().map_or(0, |px| self.queue_at(side, px));
        desk.go_on(order, ts)
    }

    /// Takes level after level up to the limit; what is taken stays taken.
    fn walk(&mut self, desk: &mut Desk, order: &mut Working, ts: Ts, purse: &dyn Purse) -> Fate {
        let side = order.request.side;
        let (Some((best, _)), Some(mid)) = (self.best(side.opposite()), self.mid_or_best(side))
        else {
            return Fate::Alive;
        };
        for (px, available) in self.offers(order, desk.allowed(order)) {
            let qty = available.min(desk.allowed(order));
            let deal = Deal {
                px,
                reference: mid,
                impact: (px.0 - best.0) * side.sign(),
                is_taker: true,
            };
            if qty == 0 {
                break;
            }
            let before = order.left;
            let fate = desk.fill(order, qty, &deal, ts, purse);
            *self.taken.entry((side == Side::Sell, px.0)).or_default() += before - order.left;
            if fate == Fate::Done {
                return Fate::Done;
            }
        }
        Fate::Alive
    }

    fn mid_or_best(&self, side: Side) -> Option<Px> {
        let best = self.best(side.opposite()).map(|(px, _)| px);
        self.mid(side).or(best)
    }

    /// Levels that an order may take from, until they cover `wanted`.
    fn offers(&self, order: &Working, wanted: i64) -> Vec<(Px, i64)> {
        let side = order.request.side;
        let theirs = side.opposite();
        let (mut out, mut left) = (Vec::new(), wanted);
        let mut offer = |px: Px, qty: Qty| {
            let is_beyond = |limit: Px| !is_worse_or_equal(side, limit, px);
            if left <= 0 || order.limit().is_some_and(is_beyond) {
                return false;
            }
            let taken = self.taken.get(&(theirs == Side::Buy, px.0)).copied();
            let available = qty.0 - taken.unwrap_or(0);
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

    /// Quantity that rests before a new order at `px`.
    fn queue_at(&self, side: Side, px: Px) -> i64 {
        if self.book.is_valid() {
            return self.book.qty_at(side, px).0;
        }
        match self.best(side) {
            Some((best, qty)) if best == px => qty.0,
            Some((best, _)) if is_worse_or_equal(side, px, best) => 0,
            _ => UNKNOWN,
        }
    }

    /// A gap: nobody knows any more what rests before an order.
    pub(crate) fn forget_queue(order: &mut Working) {
        order.ahead = UNKNOWN;
    }

    /// A trade meets a resting order; `shared` is what is left of it for our orders.
    pub(crate) fn meet_trade(
        &mut self,
        desk: &mut Desk,
        order: &mut Working,
        trade: (Px, Qty),
        shared: &mut i64,
        ts: Ts,
        purse: &dyn Purse,
    ) -> Fate {
        let (px, qty) = trade;
        let side = order.request.side;
        if order
            .trigger()
            .is_some_and(|t| is_worse_or_equal(side, px, t))
        {
            order.triggered = true;
            return self.arrive(desk, order, ts, purse);
        }
        let Some(limit) = order.limit().filter(|_| order.rests) else {
            return Fate::Alive;
        };
        let allowed = desk.allowed(order);
        let is_through = is_worse_or_equal(side, limit, px) && px != limit;
        let fillable = if is_through {
            allowed
        } else if px == limit {
            order.ahead -= qty.0;
            let beyond = (-order.ahead).max(0);
            order.ahead = order.ahead.max(0);
            let mine = beyond.min(*shared).min(allowed);
            *shared -= mine;
            mine
        } else {
            0
        };
        if fillable == 0 {
            return Fate::Alive;
        }
        let deal = Deal {
            px: limit,
            reference: self.mid(side).unwrap_or(limit),
            impact: 0,
            is_taker: false,
        };
        if desk.fill(order, fillable, &deal, ts, purse) == Fate::Done {
            return Fate::Done;
        }
        desk.go_on(order, ts)
    }

    /// Where the last unit of a close at once would trade, and the middle of the market:
    /// beyond the levels that are there, at the last of them. No price where the book is empty.
    pub(crate) fn closing_level(&self, order: &Working) -> (Option<Px>, Option<Px>) {
        let level = self.offers(order, order.left).last().map(|(px, _)| *px);
        (level, self.mid_or_best(order.request.side).or(self.last))
    }
}
