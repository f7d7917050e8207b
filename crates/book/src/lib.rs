//! L2 ladder of one instrument: prices and quantities are integers on its grid.
//!
//! A book is valid from the end of a snapshot to the next gap. Between them each frame's
//! level changes are applied; a frame that leaves the book crossed proves that something was
//! missed, so it invalidates the book instead of being papered over.

mod ladder;
mod path;

use cq_types::{flags, Px, Qty, Side};
use ladder::Ladder;

pub use path::MiddlePath;

/// Bids and asks of one instrument.
#[derive(Debug, Clone)]
pub struct Book {
    /// Bids and asks: chosen by a side without a branch, which changes in turn.
    sides: [Ladder; 2],
    state: State,
    crossings: u64,
    /// Worst prices of the last snapshot, bids and asks.
    edges: [Option<Px>; 2],
}

/// Where the book stands between gap and snapshot.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    /// Nothing is known until a snapshot begins.
    Invalid,
    /// Inside a snapshot frame.
    Loading,
    /// Snapshot complete, no gap since.
    Valid,
}

impl Default for Book {
    fn default() -> Self {
        Self::new()
    }
}

impl Book {
    /// An empty book, invalid until its first snapshot, with levels on any price.
    #[must_use]
    pub fn new() -> Self {
        Self::with_step(Px(1))
    }

    /// As [`Self::new`], for levels that lie on multiples of `step`: it is then faster for
    /// those, and slower for any other.
    #[must_use]
    pub fn with_step(step: Px) -> Self {
        Self {
            sides: [Side::Buy, Side::Sell].map(|side| Ladder::new(side, step.0)),
            state: State::Invalid,
            crossings: 0,
            edges: [None; 2],
        }
    }

    /// Takes one level change of the tape with its [`flags`].
    ///
    /// The first `SNAPSHOT` row clears the book; the `LAST` row of a frame completes it and
    /// is where the book is checked. Rows between a gap and the next snapshot are ignored.
    /// Returns what was at the level.
    #[inline]
    pub fn on_delta(&mut self, side: Side, px: Px, qty: Qty, marks: u32) -> Qty {
        let is_inside = marks & (flags::SNAPSHOT | flags::LAST) == 0;
        if is_inside && self.state != State::Invalid {
            self.apply(side, px, qty)
        } else {
            self.on_bound(side, px, qty, marks)
        }
    }

    /// Takes a change that is not amid a frame of a book that is known.
    fn on_bound(&mut self, side: Side, px: Px, qty: Qty, marks: u32) -> Qty {
        let is_snapshot = marks & flags::SNAPSHOT != 0;
        if is_snapshot && self.state != State::Loading {
            self.clear();
            self.state = State::Loading;
        }
        if self.state == State::Invalid {
            return Qty(0);
        }
        let before = self.apply(side, px, qty);
        if marks & flags::LAST != 0 {
            self.end_frame();
        }
        before
    }

    /// Sets one level, a zero quantity deletes it; returns what was there. Validity is
    /// unchanged.
    #[inline]
    pub fn apply(&mut self, side: Side, px: Px, qty: Qty) -> Qty {
        self.sides[place(side)].set(px, qty)
    }

    /// Declares the frame complete: the book becomes or stays valid, unless it is crossed.
    pub fn end_frame(&mut self) {
        if self.is_crossed() {
            self.crossings += 1;
            self.invalidate();
        } else if self.state == State::Loading {
            self.state = State::Valid;
            self.edges = self.sides.each_ref().map(Ladder::worst);
        }
    }

    /// Removes all levels.
    pub fn clear(&mut self) {
        self.sides.iter_mut().for_each(Ladder::clear);
    }

    /// Forgets everything until the next snapshot: events were missed.
    pub fn invalidate(&mut self) {
        self.clear();
        self.state = State::Invalid;
    }

    /// Whether the levels are complete and gap-free.
    #[must_use]
    pub fn is_valid(&self) -> bool {
        self.state == State::Valid
    }

    /// How many frames left the book crossed and so invalidated it.
    #[must_use]
    pub fn crossings(&self) -> u64 {
        self.crossings
    }

    /// Highest bid.
    #[must_use]
    pub fn best_bid(&self) -> Option<(Px, Qty)> {
        self.best(Side::Buy)
    }

    /// Lowest ask.
    #[must_use]
    pub fn best_ask(&self) -> Option<(Px, Qty)> {
        self.best(Side::Sell)
    }

    /// Best level of one side.
    #[must_use]
    pub fn best(&self, side: Side) -> Option<(Px, Qty)> {
        self.sides[place(side)].best()
    }

    /// Quantity resting at a price, zero where there is no level.
    #[must_use]
    pub fn qty_at(&self, side: Side, px: Px) -> Qty {
        self.sides[place(side)].qty_at(px)
    }

    /// Whether what rests at a price is known: beyond the worst level of the last snapshot it is
    /// only where a level has changed since.
    #[must_use]
    pub fn is_known(&self, side: Side, px: Px) -> bool {
        let (edge, ladder) = (self.edges[place(side)], &self.sides[place(side)]);
        let is_inside = edge.is_some_and(|edge| px.0 * side.sign() >= edge.0 * side.sign());
        is_inside || ladder.qty_at(px).0 != 0
    }

    /// The best `n` levels of a side, from the touch outwards.
    pub fn levels(&self, side: Side, n: usize) -> impl Iterator<Item = (Px, Qty)> + '_ {
        self.sides[place(side)].iter().take(n)
    }

    /// Number of levels of a side.
    #[must_use]
    pub fn depth(&self, side: Side) -> usize {
        self.sides[place(side)].len()
    }

    fn is_crossed(&self) -> bool {
        match (self.best_bid(), self.best_ask()) {
            (Some((bid, _)), Some((ask, _))) => bid >= ask,
            _ => false,
        }
    }
}

/// Where a side's ladder is.
fn place(side: Side) -> usize {
    match side {
        Side::Buy => 0,
        Side::Sell => 1,
    }
}

#[cfg(test)]
mod tests;
