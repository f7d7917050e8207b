//! What a sleeve wants in an instrument.

use std::sync::Arc;

use rustc_hash::{FxHashMap, FxHashSet};

use crate::At;

/// Quotes in the order in which they are to be sent, one at a price.
pub(crate) struct Standing {
    quotes: Vec<(At, i64)>,
    places: FxHashMap<At, usize>,
    pub(crate) reason: Arc<str>,
    /// Where it was said already that another sleeve's quote is in the way.
    pub(crate) said: FxHashSet<At>,
}

impl Standing {
    pub(crate) fn new(quotes: Vec<(At, i64)>, reason: Arc<str>, said: FxHashSet<At>) -> Self {
        let places = places(&quotes);
        Self {
            quotes,
            places,
            reason,
            said,
        }
    }

    pub(crate) fn quotes(&self) -> &[(At, i64)] {
        &self.quotes
    }

    /// The quantity that is wanted at a price.
    pub(crate) fn at(&self, at: At) -> Option<i64> {
        self.places.get(&at).map(|place| self.quotes[*place].1)
    }

    /// Wants no more than this at a price, or nothing.
    pub(crate) fn give_up(&mut self, at: At, left: Option<i64>) {
        let Some(place) = self.places.get(&at).copied() else {
            return;
        };
        if let Some(left) = left {
            self.quotes[place].1 = left;
        } else {
            self.quotes.remove(place);
            self.places = places(&self.quotes);
        }
    }
}

fn places(quotes: &[(At, i64)]) -> FxHashMap<At, usize> {
    quotes
        .iter()
        .enumerate()
        .map(|(place, (at, _))| (*at, place))
        .collect()
}
