use crate::parameters::FARTHEST;

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // 8192
const RING: usize = 2 * FARTHEST as usize;

/// One side of the book: quantities on a ring of prices that goes along with the touch.
///
/// Levels lie less than `reach` ticks behind the touch; one that the touch leaves farther
/// behind is cancelled. There always is a touch.
#[derive(Debug, Clone)]
pub(crate) struct Half {
    /// +1 bids, -1 asks.
    sign: i64,
    reach: i64,
    best: i64,
    quantities: Vec<i64>,
    /// Price that was last written down as changed in a slot, and in which turn.
    noted: Vec<(i64, u32)>,
    changed: Vec<i64>,
    turn: u32,
    changes: u64,
}

impl Half {
    pub(crate) fn new(sign: i64, reach: i64, best: i64, qty: i64) -> Self {
        let mut half = Self {
            sign,
            reach,
            best,
            quantities: vec![0; RING],
            noted: vec![(0, 0); RING],
            changed: Vec::new(),
            turn: 1,
            changes: 0,
        };
        half.quantities[slot(best)] = qty;
        half
    }

    pub(crate) fn best(&self) -> i64 {
        self.best
    }

    pub(crate) fn best_qty(&self) -> i64 {
        self.quantities[slot(self.best)]
    }

    /// Level changes so far.
    pub(crate) fn changes(&self) -> u64 {
        self.changes
    }

    /// The price so many ticks behind the touch (before it, if negative).
    pub(crate) fn price(&self, distance: i64) -> i64 {
        self.best - self.sign * distance
    }

    fn distance(&self, px: i64) -> i64 {
        (self.best - px) * self.sign
    }

    /// Quantity at a price, 0 where there is no level.
    pub(crate) fn at(&self, px: i64) -> i64 {
        if (0..self.reach).contains(&self.distance(px)) {
            self.quantities[slot(px)]
        } else {
            0
        }
    }

    /// Sets the quantity of a level at the touch or behind it; 0 removes it.
    ///
    /// A touch that is removed leaves the next level as the touch. Where there is none, one
    /// lot is quoted a tick behind: a side does not vanish.
    pub(crate) fn set(&mut self, px: i64, qty: i64) {
        self.put(px, qty);
        if qty != 0 || px != self.best {
            return;
        }
        let next = (1..self.reach).find(|&d| self.quantities[slot(self.price(d))] != 0);
        let behind = self.price(next.unwrap_or(1));
        self.best = behind;
        if next.is_none() {
            self.put(behind, 1);
        }
    }

    /// Quotes before the touch: the new one is at `px`, which was empty.
    pub(crate) fn improve(&mut self, px: i64, qty: i64) {
        let by = -self.distance(px);
        for d in (self.reach - by).max(0)..self.reach {
            let left = self.price(d);
            if self.quantities[slot(left)] != 0 {
                self.put(left, 0);
            }
        }
        self.best = px;
        self.put(px, qty);
    }

    fn put(&mut self, px: i64, qty: i64) {
        let at = slot(px);
        self.quantities[at] = qty;
        self.changes += 1;
        if self.noted[at] != (px, self.turn) {
            self.noted[at] = (px, self.turn);
            self.changed.push(px);
        }
    }

    /// Hands over the prices that changed since the last call, ascending, with what is there.
    pub(crate) fn take_changed(&mut self, out: &mut Vec<(i64, i64)>) {
        self.changed.sort_unstable();
        self.changed.dedup(); // a slot that two prices shared in turns notes both again
        out.clear();
        out.extend(self.changed.iter().map(|&px| (px, self.at(px))));
        self.changed.clear();
        self.turn = self.turn.wrapping_add(1);
    }

    /// Levels from the touch outwards.
    pub(crate) fn levels(&self) -> impl Iterator<Item = (i64, i64)> + '_ {
        (0..self.reach)
            .map(|d| self.price(d))
            .map(|px| (px, self.quantities[slot(px)]))
            .filter(|level| level.1 != 0)
    }
}

#[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // the low bits of a price
fn slot(px: i64) -> usize {
    px as usize & (RING - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_touch_goes_to_the_next_level_and_far_ones_are_cancelled() {
        let mut asks = Half::new(-1, 100, 1_000, 5);
        asks.set(1_007, 3);
        asks.set(1_099, 9);
        asks.set(1_000, 0);
        assert_eq!((asks.best(), asks.best_qty()), (1_007, 3));
        asks.improve(995, 2);
        let mut changed = Vec::new();
        asks.take_changed(&mut changed);
        assert_eq!(changed, [(995, 2), (1_000, 0), (1_007, 3), (1_099, 0)]);
        assert_eq!(asks.levels().collect::<Vec<_>>(), [(995, 2), (1_007, 3)]);
        asks.set(995, 0);
        asks.set(1_007, 0);
        assert_eq!(asks.levels().collect::<Vec<_>>(), [(1_008, 1)]);
    }
}
