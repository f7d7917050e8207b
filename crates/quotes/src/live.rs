//! The quotes that live at the venues.

use std::collections::{BTreeMap, BTreeSet};
use std::mem;
use std::sync::Arc;

use cq_types::{InstrumentIdx, Ts};
use rustc_hash::{FxHashMap, FxHashSet};
use thiserror::Error;

use crate::{At, Key};

/// What cannot be true of our quotes: the venue's truth is not ours, or ours is broken.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum QuoteError {
    /// A number that lives already.
    #[error("order {0} is placed twice")]
    Twice(u64),
    /// A sleeve's second quote at a price.
    #[error("order {0}: its sleeve has a live quote at that price")]
    TwoAtOne(u64),
    /// No price or quantity, or that of the other side.
    #[error("order {0} is a quote: expected a positive price and quantity")]
    NotOne(u64),
    /// More than can be counted.
    #[error("order {0}: what its side may trade is 2^63 units or more")]
    TooLarge(u64),
    /// Other orders are more than can be counted.
    #[error("what a sleeve's orders may trade is 2^63 units or more")]
    Uncounted,
    /// More was filled than ordered.
    #[error("order {id}: a fill of {quantity}, expected 1 to {most}")]
    Overfilled {
        /// The order.
        id: u64,
        /// What is said to be filled.
        quantity: i64,
        /// What it may still trade.
        most: i64,
    },
}

/// A quote that lives.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LiveQuote {
    /// Its number.
    pub id: u64,
    /// When it was made.
    pub ts: Ts,
    /// Its price.
    pub at: At,
    /// What was ordered, unsigned.
    pub quantity: i64,
    /// What of it is filled.
    pub filled: i64,
    /// Why it was made.
    pub reason: Arc<str>,
    /// The venue has said nothing of it yet.
    pub is_new: bool,
    /// It is being taken back.
    pub is_cancelling: bool,
    /// The quantity that it is being changed to.
    pub amended: Option<i64>,
}

impl LiveQuote {
    /// A quote that is about to leave.
    #[must_use]
    pub fn new(id: u64, ts: Ts, at: At, quantity: i64, reason: Arc<str>) -> Self {
        Self {
            id,
            ts,
            at,
            quantity,
            filled: 0,
            reason,
            is_new: true,
            is_cancelling: false,
            amended: None,
        }
    }

    /// What may still trade.
    #[must_use]
    pub fn remaining(&self) -> i64 {
        self.quantity - self.filled
    }
}

/// A sleeve's live quotes in an instrument, one at a price, oldest first.
#[derive(Debug, Default)]
pub struct Ladder {
    quotes: Vec<LiveQuote>,
    prices: FxHashSet<At>,
    bought: i64,
    sold: i64,
}

impl Ladder {
    /// The quotes, oldest first.
    #[must_use]
    pub fn quotes(&self) -> &[LiveQuote] {
        &self.quotes
    }

    pub(crate) fn has(&self, at: At) -> bool {
        self.prices.contains(&at)
    }

    fn find(&self, id: u64) -> Result<usize, usize> {
        self.quotes.binary_search_by_key(&id, |quote| quote.id)
    }

    /// Adds to what a side may still trade.
    fn count(&mut self, at: At, change: i64) {
        if at > 0 {
            self.bought += change;
        } else {
            self.sold += change;
        }
    }
}

/// All live quotes, and what they and our other orders may still trade.
#[derive(Debug, Default)]
pub struct Live {
    others: FxHashMap<Key, [i64; 2]>,
    ladders: BTreeMap<Key, Ladder>,
    keys: FxHashMap<u64, Key>,
    touched: BTreeSet<InstrumentIdx>,
    requote: BTreeSet<Key>,
}

impl Live {
    /// Whether an order is a quote that lives.
    #[must_use]
    pub fn has(&self, id: u64) -> bool {
        self.keys.contains_key(&id)
    }

    /// A quote that lives, and whose it is.
    #[must_use]
    pub fn get(&self, id: u64) -> Option<(Key, &LiveQuote)> {
        let key = *self.keys.get(&id)?;
        let ladder = self.ladders.get(&key)?;
        let place = ladder.find(id).ok()?;
        Some((key, &ladder.quotes[place]))
    }

    /// Those that have or had quotes, in order.
    pub fn ladders(&self) -> impl Iterator<Item = (&Key, &Ladder)> {
        self.ladders.iter()
    }

    pub(crate) fn ladder(&self, key: Key) -> Option<&Ladder> {
        self.ladders.get(&key)
    }

    /// What a sleeve's orders may still buy and sell, unsigned.
    #[must_use]
    pub fn working(&self, key: Key) -> [i64; 2] {
        let [bought, sold] = self.beside(key);
        let ladder = self.ladders.get(&key);
        ladder.map_or([bought, sold], |ladder| {
            [
                bought.saturating_add(ladder.bought),
                sold.saturating_add(ladder.sold),
            ]
        })
    }

    /// What of it is no quote's.
    #[must_use]
    pub fn beside(&self, key: Key) -> [i64; 2] {
        self.others.get(&key).copied().unwrap_or_default()
    }

    /// Adds to what a sleeve's orders beside its quotes may still trade, signed as a position.
    ///
    /// # Errors
    ///
    /// It is too much to be counted.
    pub fn count(&mut self, key: Key, change: i64, is_sale: bool) -> Result<(), QuoteError> {
        let [bought, sold] = self.others.entry(key).or_default();
        let after = if is_sale {
            sold.checked_sub(change)
        } else {
            bought.checked_add(change)
        };
        *(if is_sale { sold } else { bought }) = after.ok_or(QuoteError::Uncounted)?;
        Ok(())
    }

    /// The instruments with news since they were last forgotten.
    #[must_use]
    pub fn touched(&self) -> &BTreeSet<InstrumentIdx> {
        &self.touched
    }

    /// Forgets which instruments had news.
    pub fn forget_touched(&mut self) {
        self.touched.clear();
    }

    pub(crate) fn has_requote(&self) -> bool {
        !self.requote.is_empty()
    }

    pub(crate) fn take_requote(&mut self) -> BTreeSet<Key> {
        mem::take(&mut self.requote)
    }

    /// Forgets all: a new segment has begun.
    pub fn reset(&mut self) {
        *self = Self::default();
    }

    /// Takes up a quote that leaves.
    ///
    /// # Errors
    ///
    /// Its number or its price is that of another, or it is none.
    pub fn place(&mut self, key: Key, quote: LiveQuote) -> Result<(), QuoteError> {
        let id = quote.id;
        if quote.at == 0 || quote.quantity <= 0 {
            return Err(QuoteError::NotOne(id));
        }
        if self.has(id) {
            return Err(QuoteError::Twice(id));
        }
        let ladder = self.ladders.entry(key).or_default();
        let Err(place) = ladder.find(id) else {
            return Err(QuoteError::Twice(id));
        };
        let side = if quote.at > 0 {
            ladder.bought
        } else {
            ladder.sold
        };
        if side.checked_add(quote.quantity).is_none() {
            return Err(QuoteError::TooLarge(id));
        }
        if !ladder.prices.insert(quote.at) {
            return Err(QuoteError::TwoAtOne(id));
        }
        ladder.count(quote.at, quote.quantity);
        ladder.quotes.insert(place, quote);
        self.keys.insert(id, key);
        Ok(())
    }

    /// Notes that an order is being taken back; tells whether it is a live quote.
    pub fn cancel(&mut self, id: u64) -> bool {
        self.with(id, |_, quote| quote.is_cancelling = true)
    }

    /// Notes that an order is being changed to a quantity; tells whether it is a live quote.
    pub fn amend(&mut self, id: u64, quantity: i64) -> bool {
        self.with(id, |_, quote| quote.amended = Some(quantity))
    }

    /// The venue has an order; tells whether it is a live quote, as all that follow.
    pub fn on_ack(&mut self, id: u64) -> bool {
        self.with(id, |_, quote| quote.is_new = false)
    }

    /// An order traded.
    ///
    /// # Errors
    ///
    /// More than it had left.
    pub fn on_fill(&mut self, id: u64, quantity: i64) -> Result<bool, QuoteError> {
        let Some((_, quote)) = self.get(id) else {
            return Ok(false);
        };
        let most = quote.remaining();
        if quantity < 1 || quantity > most {
            return Err(QuoteError::Overfilled { id, quantity, most });
        }
        self.with(id, |count, quote| {
            quote.is_new = false;
            quote.filled += quantity;
            *count -= quantity;
        });
        self.tell(id);
        if quantity == most {
            self.remove(id);
        }
        Ok(true)
    }

    /// An order no longer rests.
    pub fn on_end(&mut self, id: u64) -> bool {
        self.tell(id);
        self.remove(id)
    }

    /// The venue refused an order; of one that rests it means that its cancel was refused.
    pub fn on_reject(&mut self, id: u64) -> bool {
        match self.get(id) {
            Some((_, quote)) if quote.is_cancelling && !quote.is_new => self.on_kept(id),
            _ => self.on_end(id),
        }
    }

    /// The venue refused to cancel or to change an order: it works on as it was.
    pub fn on_kept(&mut self, id: u64) -> bool {
        self.tell(id);
        self.with(id, |_, quote| {
            quote.is_cancelling = false;
            quote.amended = None;
        })
    }

    /// An order has another whole quantity; never less than what is filled.
    pub fn on_amended(&mut self, id: u64, quantity: i64) -> bool {
        self.tell(id);
        self.with(id, |count, quote| {
            let whole = quantity.max(quote.filled);
            *count += whole - quote.quantity;
            quote.quantity = whole;
            quote.amended = None;
        })
    }

    /// Changes a quote, beside what its side may still trade.
    fn with(&mut self, id: u64, change: impl FnOnce(&mut i64, &mut LiveQuote)) -> bool {
        let Some(ladder) = self.keys.get(&id).and_then(|k| self.ladders.get_mut(k)) else {
            return false;
        };
        let Ok(place) = ladder.find(id) else {
            return false;
        };
        let quote = &mut ladder.quotes[place];
        let count = if quote.at > 0 {
            &mut ladder.bought
        } else {
            &mut ladder.sold
        };
        change(count, quote);
        true
    }

    fn remove(&mut self, id: u64) -> bool {
        let Some(key) = self.keys.remove(&id) else {
            return false;
        };
        if let Some(ladder) = self.ladders.get_mut(&key) {
            if let Ok(place) = ladder.find(id) {
                let quote = ladder.quotes.remove(place);
                ladder.prices.remove(&quote.at);
                ladder.count(quote.at, -quote.remaining());
            }
        }
        true
    }

    /// Marks what has to be looked at again.
    fn tell(&mut self, id: u64) {
        if let Some(key) = self.keys.get(&id) {
            self.touched.insert(key.instrument);
            self.requote.insert(*key);
        }
    }
}
