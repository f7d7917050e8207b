//! Own best prices: what a new quote must not reach.

use cq_types::InstrumentIdx;

use crate::{At, Live};

/// Best bid and ask of all live quotes of an instrument, and whose they are.
pub(crate) struct Edges {
    bid: Option<(i64, usize)>,
    ask: Option<(i64, usize)>,
}

impl Edges {
    pub(crate) fn new(live: &Live, instrument: InstrumentIdx) -> Self {
        let mut edges = Self {
            bid: None,
            ask: None,
        };
        for (key, ladder) in live.ladders() {
            if key.instrument == instrument {
                for quote in ladder.quotes() {
                    edges.add(quote.at, key.sleeve);
                }
            }
        }
        edges
    }

    /// Takes in a quote of a sleeve.
    pub(crate) fn add(&mut self, at: At, sleeve: usize) {
        if at > 0 {
            if self.bid.is_none_or(|(best, _)| at > best) {
                self.bid = Some((at, sleeve));
            }
        } else if self.ask.is_none_or(|(best, _)| -at < best) {
            self.ask = Some((-at, sleeve));
        }
    }

    /// The sleeve whose quote one at this price would meet.
    pub(crate) fn met_by(&self, at: At) -> Option<usize> {
        let met = if at > 0 {
            self.ask.filter(|(best, _)| at >= *best)
        } else {
            self.bid.filter(|(best, _)| -at <= *best)
        };
        met.map(|(_, sleeve)| sleeve)
    }
}
