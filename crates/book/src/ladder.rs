//! One side of the book.
//!
//! Most changes hit levels within a few hundred ticks of the touch. Those lie in a window: an
//! array with an entry per step of price, so that a change is one store, and a bitmap of the
//! entries in use, so that the next best level is a few words away. Entries are half as wide as
//! quantities: what a change costs is mostly waiting for its entry. The rest is kept apart:
//! levels beyond the window, which nobody looks at often, and quantities too large for an entry
//! in hash maps; levels between the steps, which a venue hardly ever has, in a sorted one.

mod bitmap;
mod scale;

use std::collections::{BTreeMap, HashMap};

use bitmap::Bitmap;
use cq_types::{Px, Qty, Side};
use scale::{Mix, Scale};

/// Entries of a window: 256 KiB of quantities.
const ENTRIES: usize = 1 << 16;
/// Stands for a quantity that an entry cannot hold.
const LARGE: u32 = u32::MAX;
/// Where a fresh window puts the touch: levels lie mostly on its worse side.
const TOUCH: usize = ENTRIES / 4 * 3;
/// A touch below this entry is brought back to [`TOUCH`].
const LOW: usize = ENTRIES / 8;

/// Levels of one side. Keys are prices that grow towards the touch: `px` for bids, `-px` for
/// asks.
#[derive(Debug, Clone)]
pub(crate) struct Ladder {
    sign: i64,
    scale: Scale,
    /// Key of entry 0, a multiple of the step.
    base: i64,
    /// How many entries a key may fall on: none before the first level.
    entries: u64,
    /// Quantities by entry, or [`LARGE`].
    window: Box<[u32; ENTRIES]>,
    /// Quantities of the entries that are [`LARGE`].
    large: HashMap<usize, i64, Mix>,
    used: Bitmap,
    /// One above the entry of the best level in the window; 0 where it has none.
    above: usize,
    /// Levels on a step, worse than the window.
    far: HashMap<i64, i64, Mix>,
    /// Levels between the steps.
    odd: BTreeMap<i64, i64>,
}

impl Ladder {
    #[allow(clippy::large_stack_arrays)] // a quarter of a mebibyte, moved to the heap at once
    pub(crate) fn new(side: Side, step: i64) -> Self {
        Self {
            sign: side.sign(),
            scale: Scale::new(step),
            base: 0,
            entries: 0,
            window: Box::new([0; ENTRIES]),
            large: HashMap::default(),
            used: Bitmap::default(),
            above: 0,
            far: HashMap::default(),
            odd: BTreeMap::new(),
        }
    }

    pub(crate) fn clear(&mut self) {
        self.empty_window();
        self.far.clear();
        self.odd.clear();
    }

    fn empty_window(&mut self) {
        while let Some(at) = self.touch() {
            self.window[at] = 0;
            self.used.put(at, false);
            self.above = self.used.above(at);
        }
        self.large.clear();
    }

    /// Sets a level, a zero quantity deletes it; returns what was there.
    ///
    /// What is rare is handed on whole, so that the rest keeps nothing for it.
    #[inline]
    pub(crate) fn set(&mut self, px: Px, qty: Qty) -> Qty {
        let key = px.0.wrapping_mul(self.sign);
        match self.entry(key) {
            Some(at) => Qty(self.set_inside(at, qty.0)),
            None => Qty(self.set_outside(key, qty.0)),
        }
    }

    pub(crate) fn best(&self) -> Option<(Px, Qty)> {
        let near = self.touch().map(|at| (self.key(at), self.inside(at)));
        let odd = self.odd.last_key_value().map(|(key, qty)| (*key, *qty));
        near.max(odd).map(|level| self.level(level))
    }

    /// The worst price; looks at every level.
    pub(crate) fn worst(&self) -> Option<Px> {
        let worst = self.iter().last();
        worst.map(|(px, _)| px)
    }

    pub(crate) fn qty_at(&self, px: Px) -> Qty {
        let key = px.0.wrapping_mul(self.sign);
        Qty(match self.entry(key) {
            Some(at) => self.inside(at),
            None if self.scale.is_on_step(key) => self.far.get(&key).copied().unwrap_or(0),
            None => self.odd.get(&key).copied().unwrap_or(0),
        })
    }

    /// Levels from the touch outwards.
    pub(crate) fn iter(&self) -> impl Iterator<Item = (Px, Qty)> + '_ {
        let mut near = self.near().peekable();
        let mut odd = self.odd.iter().rev().map(|(k, q)| (*k, *q)).peekable();
        std::iter::from_fn(move || match (near.peek(), odd.peek()) {
            (Some(a), Some(b)) if a < b => odd.next(),
            (Some(_), _) => near.next(),
            (None, _) => odd.next(),
        })
        .map(|level| self.level(level))
    }

    /// How many levels; counts those of the window.
    pub(crate) fn len(&self) -> usize {
        self.used.count() + self.far.len() + self.odd.len()
    }

    /// Levels on a step; those beyond the window are sorted only when they are asked for.
    fn near(&self) -> impl Iterator<Item = (i64, i64)> + '_ {
        let mut above = self.above;
        let window = std::iter::from_fn(move || {
            let here = above.checked_sub(1)?;
            above = self.used.above(here);
            Some((self.key(here), self.inside(here)))
        });
        let far = || {
            let mut all: Vec<_> = self.far.iter().map(|(k, q)| (*k, *q)).collect();
            all.sort_unstable_by(|a, b| b.cmp(a));
            all
        };
        window.chain(std::iter::once_with(far).flatten())
    }

    fn level(&self, (key, qty): (i64, i64)) -> (Px, Qty) {
        (Px(key * self.sign), Qty(qty))
    }

    fn key(&self, at: usize) -> i64 {
        self.base + self.scale.times(at)
    }

    /// The window's entry of a key, if it has one.
    #[inline]
    fn entry(&self, key: i64) -> Option<usize> {
        let at = self.scale.steps(key.wrapping_sub(self.base));
        #[allow(clippy::cast_possible_truncation)] // less than the entries of a window
        (at < self.entries).then_some(at as usize)
    }

    /// Entry of the best level in the window.
    fn touch(&self) -> Option<usize> {
        self.above.checked_sub(1)
    }

    /// Every second change makes a level or removes one: what follows from that is computed
    /// without a branch, which the processor would guess wrong.
    #[inline]
    fn set_inside(&mut self, at: usize, qty: i64) -> i64 {
        let old = self.window[at];
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // compared beside it
        let entry = qty as u32;
        if qty.cast_unsigned() >= u64::from(LARGE) || old == LARGE {
            return self.set_large(at, qty);
        }
        self.window[at] = entry;
        self.used.put(at, entry != 0);
        if at + 1 >= self.above {
            self.move_touch(at);
        }
        i64::from(old)
    }

    /// Sets an entry that cannot hold its quantity, or could not until now.
    #[cold]
    fn set_large(&mut self, at: usize, qty: i64) -> i64 {
        let was = self.inside(at);
        match u32::try_from(qty) {
            Ok(entry) if entry != LARGE => {
                self.large.remove(&at);
                self.window[at] = entry;
            }
            _ => {
                self.large.insert(at, qty);
                self.window[at] = LARGE;
            }
        }
        self.used.put(at, qty != 0);
        if at + 1 >= self.above {
            self.move_touch(at);
        }
        was
    }

    fn inside(&self, at: usize) -> i64 {
        match self.window[at] {
            LARGE => self.large.get(&at).copied().unwrap_or(0),
            entry => i64::from(entry),
        }
    }

    /// An entry at the touch or better holds a level now, or none.
    fn move_touch(&mut self, at: usize) {
        if self.window[at] != 0 {
            self.above = at + 1;
        } else if self.above == at + 1 {
            self.above = self.used.above(at);
            let is_low = self.above <= LOW;
            if is_low && !self.far.is_empty() {
                self.recentre();
            }
        }
    }

    #[cold]
    fn set_outside(&mut self, key: i64, qty: i64) -> i64 {
        if !self.scale.is_on_step(key) {
            return put(&mut self.odd, key, qty);
        }
        let old = if qty == 0 {
            self.far.remove(&key)
        } else {
            self.far.insert(key, qty)
        };
        let is_better = self.above == 0 || key > self.key(ENTRIES - 1);
        if qty != 0 && is_better {
            self.recentre();
        }
        old.unwrap_or(0)
    }

    /// Moves the window so that the best level on a step has its place in it.
    #[cold]
    fn recentre(&mut self) {
        let mut all: Vec<_> = self.near().collect();
        all.sort_unstable_by(|a, b| b.cmp(a));
        let Some(&(best, _)) = all.first() else {
            return;
        };
        self.empty_window();
        self.far.clear();
        self.base = best - self.scale.times(TOUCH);
        self.entries = ENTRIES as u64;
        for (key, qty) in all {
            if let Some(at) = self.entry(key) {
                self.set_inside(at, qty);
            } else {
                self.far.insert(key, qty);
            }
        }
    }
}

fn put(map: &mut BTreeMap<i64, i64>, key: i64, qty: i64) -> i64 {
    let old = if qty == 0 {
        map.remove(&key)
    } else {
        map.insert(key, qty)
    };
    old.unwrap_or(0)
}
