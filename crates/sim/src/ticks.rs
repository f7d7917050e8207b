//! An instrument that trades on its recorded book, on venue time.
//!
//! What rests at a price is known from the book; where our order stands in it is a guess of the
//! queue model. An order trades as a maker when a trade at its price has passed what stood
//! before it, when a trade goes through its price, or when the other side's best price reaches
//! it at the end of a frame.

mod arrival;
mod footprint;
mod makers;
mod resting;
mod taken;

use cq_book::Book;
use cq_types::{flags, Change, Grid, InstrumentIdx, Px, Qty, Side, Ts};

use crate::execution::{Desk, Purse};
use crate::matching::Matching;
use crate::order::Working;
use crate::queue::{Queue, QueueModel};
use footprint::Footprint;
use resting::Resting;
use taken::Taken;

/// Best bid and ask of a quote event.
#[derive(Debug, Clone, Copy)]
struct Quote {
    bid: (Px, Qty),
    ask: (Px, Qty),
}

/// A recorded trade as it meets our orders.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Print {
    pub(crate) px: Px,
    pub(crate) qty: Qty,
    /// Aggressor.
    pub(crate) side: Side,
    /// When it was matched, which may lie before the time at which it is reported.
    pub(crate) matched: Ts,
}

/// The market, and our orders in it.
pub(crate) struct TickMarket {
    instrument: InstrumentIdx,
    book: Book,
    quote: Option<Quote>,
    /// What our own orders have consumed of a level since it was last refreshed.
    taken: Taken,
    last: Option<Px>,
    mark: Option<Px>,
    bids: Resting,
    asks: Resting,
    /// Orders that wait for a trigger, oldest first.
    waiting: Vec<Working>,
    /// How often an order has come to a place so far.
    ages: u64,
    model: Box<dyn QueueModel>,
    /// Grid units in what queues count in.
    scale: f64,
    matching: Matching,
    /// What a taker pays beyond its walk, where that is asked for.
    footprint: Option<Footprint>,
}

impl TickMarket {
    pub(crate) fn new(
        instrument: InstrumentIdx,
        step: Px,
        grid: Grid,
        (queue, matching, impact): (Queue, Matching, f64),
    ) -> Self {
        let whole = 10_f64.powi(i32::from(grid.qty_exp));
        let scale = if matching.exact_queues { 1.0 } else { whole };
        Self {
            instrument,
            book: Book::with_step(step),
            quote: None,
            taken: Taken::default(),
            last: None,
            mark: None,
            bids: Resting::new(Side::Buy),
            asks: Resting::new(Side::Sell),
            waiting: Vec::new(),
            ages: 0,
            model: if matching.exact_queues {
                queue.exact(1.0 / whole)
            } else {
                queue.model(1.0)
            },
            scale,
            matching,
            footprint: (impact > 0.0).then(|| Footprint::new(impact)),
        }
    }

    /// Takes level changes up to the first that makes the venue answer; returns how many.
    pub(crate) fn on_changes(
        &mut self,
        desk: &mut Desk,
        changes: impl IntoIterator<Item = (Ts, Change)>,
        purse: &dyn Purse,
    ) -> usize {
        let mut count = 0;
        if self.bids.is_empty() && self.asks.is_empty() && self.taken.is_empty() {
            for (_, change) in changes {
                self.book
                    .on_delta(change.side, change.px, change.qty, change.marks);
                count += 1;
            }
            return count;
        }
        // Amid a frame of a book that is known, a change where nothing of ours rests is nothing
        // but a change of the book: nearly all are such.
        let mut is_quiet = self.is_quiet();
        for (ts, change) in changes {
            count += 1;
            let is_inside = change.marks & (flags::SNAPSHOT | flags::LAST) == 0;
            if is_quiet && is_inside && !self.own(change.side).may_be_at(change.px) {
                self.book.apply(change.side, change.px, change.qty);
                continue;
            }
            if self.on_change(desk, change, ts, purse) {
                break;
            }
            is_quiet = self.is_quiet();
        }
        count
    }

    /// Whether the book is known, and nothing of it consumed by our own orders.
    fn is_quiet(&self) -> bool {
        self.book.is_valid() && self.taken.is_empty()
    }

    fn own(&self, side: Side) -> &Resting {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    /// Returns whether the venue has answered.
    fn on_change(&mut self, desk: &mut Desk, change: Change, ts: Ts, purse: &dyn Purse) -> bool {
        let Change {
            side,
            px,
            qty,
            marks,
        } = change;
        let was_valid = self.book.is_valid();
        if was_valid && !self.taken.is_empty() {
            self.taken.refresh(side, px.0);
        }
        let crossings = self.book.crossings();
        let before = self.book.on_delta(side, px, qty, marks);
        let is_valid = self.book.is_valid();
        if was_valid != is_valid {
            self.taken.clear();
        }
        if was_valid && marks & flags::SNAPSHOT == 0 {
            let own = match side {
                Side::Buy => &mut self.bids,
                Side::Sell => &mut self.asks,
            };
            if own.may_be_at(px) {
                for order in own.at(px) {
                    let change = (before.0 as f64 / self.scale, qty.0 as f64 / self.scale);
                    let keeps = self.matching.late_trades;
                    order.place.on_change(&*self.model, change, ts, keeps);
                }
            }
        }
        if marks & flags::LAST == 0 {
            return false;
        }
        if self.book.crossings() != crossings {
            self.forget();
        }
        if !is_valid {
            return false;
        }
        if !was_valid || marks & flags::SNAPSHOT != 0 {
            self.resync();
        }
        self.meet_best(desk, ts, purse)
    }

    /// The recorded best bid and ask changed.
    pub(crate) fn on_quote(
        &mut self,
        desk: &mut Desk,
        (bid, ask): ((Px, Qty), (Px, Qty)),
        ts: Ts,
        purse: &dyn Purse,
    ) {
        self.quote = Some(Quote { bid, ask });
        if !self.book.is_valid() {
            self.taken.clear();
            self.meet_best(desk, ts, purse);
        }
    }

    pub(crate) fn on_gap(&mut self) {
        self.book.invalidate();
        self.quote = None;
        self.taken.clear();
        self.forget();
    }

    /// Nobody knows any more what rests before our orders.
    fn forget(&mut self) {
        for order in self.bids.iter_mut().chain(self.asks.iter_mut()) {
            order.place.forget();
        }
    }

    /// After a snapshot no more than a level's quantity is before our orders at it.
    fn resync(&mut self) {
        for own in [&mut self.bids, &mut self.asks] {
            for order in own.iter_mut() {
                let Some(px) = order.limit() else { continue };
                let side = order.request.side;
                if self.book.is_known(side, px) {
                    order
                        .place
                        .resync(self.book.qty_at(side, px).0 as f64 / self.scale);
                }
            }
        }
    }

    /// Last trade, else the middle of the market.
    pub(crate) fn last(&self) -> Option<Px> {
        self.last.or_else(|| self.mid(Side::Buy))
    }

    /// Whether a mark price was recorded.
    pub(crate) fn is_marked(&self) -> bool {
        self.mark.is_some()
    }

    /// The mark price, a recent one where none is recorded.
    pub(crate) fn mark(&self) -> Option<Px> {
        self.mark.or_else(|| self.last())
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

    /// Best bid and ask, as far as they are known.
    pub(crate) fn touch(&self) -> [Option<Px>; 2] {
        [Side::Buy, Side::Sell].map(|side| self.best(side).map(|(px, _)| px))
    }

    /// Middle of best bid and ask; half a grid unit goes to the worse for what we report as
    /// our own cost (down for a buyer, up for a seller).
    fn mid(&self, side: Side) -> Option<Px> {
        let (bid, ask) = (self.best(Side::Buy)?.0 .0, self.best(Side::Sell)?.0 .0);
        let down = i64::midpoint(bid, ask);
        Some(Px(match side {
            Side::Buy => down,
            Side::Sell => down + (bid ^ ask) % 2,
        }))
    }

    fn mid_or_best(&self, side: Side) -> Option<Px> {
        let best = self.best(side.opposite()).map(|(px, _)| px);
        self.mid(side).or(best)
    }

    fn resting(&mut self, side: Side) -> &mut Resting {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    /// Our orders: those that rest, then those that wait for a trigger.
    pub(crate) fn orders(&self) -> impl Iterator<Item = &Working> {
        self.bids
            .iter()
            .chain(self.asks.iter())
            .chain(&self.waiting)
    }

    /// Takes an order away by its id.
    pub(crate) fn remove(&mut self, id: u64) -> Option<Working> {
        let resting = self.bids.remove(id).or_else(|| self.asks.remove(id));
        resting.or_else(|| {
            let at = self.waiting.iter().position(|o| o.request.id == id)?;
            Some(self.waiting.remove(at))
        })
    }

    /// Takes all orders of an instrument away, oldest id first; in hedge mode there are others.
    pub(crate) fn take_of(&mut self, instrument: InstrumentIdx) -> Vec<Working> {
        let mut all = self.bids.take();
        all.append(&mut self.asks.take());
        all.append(&mut self.waiting);
        let is_own = |order: &Working| order.request.instrument == instrument;
        let (mut own, others): (Vec<_>, Vec<_>) = all.into_iter().partition(is_own);
        for order in others {
            self.put(order);
        }
        own.sort_by_key(|order| order.request.id);
        own
    }
}
