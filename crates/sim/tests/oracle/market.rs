//! What the tape says of one instrument: levels in plain maps, nothing remembered but them.

use std::collections::BTreeMap;

use cq_types::{flags, Change, Px, Qty, Side};

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum State {
    Unknown,
    Loading,
    Known,
}

type Touch = ((Px, Qty), (Px, Qty));

/// Levels, trades and marks of one instrument as they were recorded, and what we have consumed.
#[derive(Debug, Clone)]
pub(crate) struct Market {
    state: State,
    bids: BTreeMap<i64, i64>,
    asks: BTreeMap<i64, i64>,
    /// Worst bid and worst ask of the last snapshot.
    edges: (Option<i64>, Option<i64>),
    pub(crate) quote: Option<Touch>,
    pub(crate) last: Option<Px>,
    pub(crate) mark: Option<Px>,
    taken: BTreeMap<(bool, i64), i64>,
}

/// What a level change did.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Did {
    /// Nothing that an order could notice yet.
    Loads,
    /// A level was this and is that.
    Moved { before: i64, after: i64 },
}

/// How a frame ended.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Ended {
    Not,
    Wrong,
    Frame,
    Snapshot,
}

impl Market {
    pub(crate) fn new() -> Self {
        Self {
            state: State::Unknown,
            bids: BTreeMap::new(),
            asks: BTreeMap::new(),
            edges: (None, None),
            quote: None,
            last: None,
            mark: None,
            taken: BTreeMap::new(),
        }
    }

    pub(crate) fn is_known(&self) -> bool {
        self.state == State::Known
    }

    fn side(&self, side: Side) -> &BTreeMap<i64, i64> {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    /// Levels of a side, best first.
    pub(crate) fn levels(&self, side: Side) -> Vec<(i64, i64)> {
        let mut all: Vec<_> = self.side(side).iter().map(|(p, q)| (*p, *q)).collect();
        if side == Side::Buy {
            all.reverse();
        }
        all
    }

    pub(crate) fn at(&self, side: Side, px: i64) -> i64 {
        self.side(side).get(&px).copied().unwrap_or(0)
    }

    /// Whether a level's quantity is known: inside the last snapshot, or changed since.
    pub(crate) fn tells(&self, side: Side, px: i64) -> bool {
        let is_inside = match side {
            Side::Buy => self.edges.0.is_some_and(|edge| px >= edge),
            Side::Sell => self.edges.1.is_some_and(|edge| px <= edge),
        };
        is_inside || self.at(side, px) > 0
    }

    /// Best price with its quantity: of the book, or of the quote where no book is known.
    pub(crate) fn best(&self, side: Side) -> Option<(i64, i64)> {
        if self.is_known() {
            return self.levels(side).first().copied();
        }
        let quote = self.quote?;
        let (px, qty) = match side {
            Side::Buy => quote.0,
            Side::Sell => quote.1,
        };
        Some((px.0, qty.0))
    }

    /// Middle of the market, half a unit down or up.
    pub(crate) fn mid(&self, is_down: bool) -> Option<i64> {
        let sum = self.best(Side::Buy)?.0 + self.best(Side::Sell)?.0;
        Some(if is_down { sum / 2 } else { (sum + 1) / 2 })
    }

    /// What a side has left for us from the best price to `limit`.
    pub(crate) fn offered(&self, theirs: Side, limit: Option<i64>) -> Vec<(i64, i64)> {
        let all = if self.is_known() {
            self.levels(theirs)
        } else {
            self.best(theirs).into_iter().collect()
        };
        let is_in = |px: i64| match (theirs, limit) {
            (_, None) => true,
            (Side::Sell, Some(limit)) => px <= limit,
            (Side::Buy, Some(limit)) => px >= limit,
        };
        let left = |(px, qty): (i64, i64)| (px, qty - self.consumed(theirs, px));
        let all = all.into_iter().filter(|(px, _)| is_in(*px)).map(left);
        all.filter(|(_, qty)| *qty > 0).collect()
    }

    fn consumed(&self, theirs: Side, px: i64) -> i64 {
        let key = (theirs == Side::Buy, px);
        self.taken.get(&key).copied().unwrap_or(0)
    }

    pub(crate) fn consume(&mut self, theirs: Side, px: i64, qty: i64) {
        *self.taken.entry((theirs == Side::Buy, px)).or_insert(0) += qty;
    }

    /// The levels are gone, and with them what was taken of them; of a quote it stays taken.
    fn lose(&mut self) {
        if self.is_known() {
            self.taken.clear();
        }
        self.state = State::Unknown;
        self.bids.clear();
        self.asks.clear();
    }

    pub(crate) fn gap(&mut self) {
        self.lose();
        self.quote = None;
        self.taken.clear();
    }

    pub(crate) fn quote(&mut self, touch: Touch) {
        self.quote = Some(touch);
        if !self.is_known() {
            self.taken.clear();
        }
    }

    pub(crate) fn change(&mut self, change: Change) -> (Did, Ended) {
        let is_snapshot = change.marks & flags::SNAPSHOT != 0;
        if is_snapshot && self.state != State::Loading {
            self.lose();
            self.state = State::Loading;
        }
        if self.state == State::Unknown {
            return (Did::Loads, Ended::Not);
        }
        if self.is_known() {
            let key = (change.side == Side::Buy, change.px.0);
            self.taken.remove(&key);
        }
        let before = self.at(change.side, change.px.0);
        let levels = match change.side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        };
        levels.insert(change.px.0, change.qty.0);
        levels.retain(|_, qty| *qty > 0);
        let did = match self.state {
            State::Known => Did::Moved {
                before,
                after: change.qty.0,
            },
            _ => Did::Loads,
        };
        if change.marks & flags::LAST == 0 {
            return (did, Ended::Not);
        }
        (did, self.end_frame())
    }

    fn end_frame(&mut self) -> Ended {
        let tops = (self.bids.keys().next_back(), self.asks.keys().next());
        if let (Some(bid), Some(ask)) = tops {
            if bid >= ask {
                self.lose();
                return Ended::Wrong;
            }
        }
        if self.state == State::Known {
            return Ended::Frame;
        }
        let worst = (self.bids.keys().next(), self.asks.keys().next_back());
        self.edges = (worst.0.copied(), worst.1.copied());
        self.state = State::Known;
        self.taken.clear();
        Ended::Snapshot
    }
}
