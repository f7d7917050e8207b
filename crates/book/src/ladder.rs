use cq_types::{Px, Qty, Side};

/// One side of the book: levels sorted so that the best price is the last element.
///
/// Most updates hit the few levels next to the touch, so keeping those at the end of a
/// `Vec` makes an insert or delete move a handful of elements; a snapshot of 1000 levels is
/// 16 KiB and stays in the first-level cache.
#[derive(Debug, Clone)]
pub(crate) struct Ladder {
    /// `+1` for bids, `-1` for asks: `px * sign` grows towards the touch.
    sign: i64,
    levels: Vec<(i64, i64)>,
}

impl Ladder {
    pub(crate) fn new(side: Side) -> Self {
        Self {
            sign: side.sign(),
            levels: Vec::with_capacity(1024),
        }
    }

    pub(crate) fn clear(&mut self) {
        self.levels.clear();
    }

    pub(crate) fn set(&mut self, px: Px, qty: Qty) {
        let key = px.0 * self.sign;
        match self.find(key) {
            Ok(at) if qty.0 == 0 => {
                self.levels.remove(at);
            }
            Ok(at) => self.levels[at].1 = qty.0,
            Err(_) if qty.0 == 0 => {}
            Err(at) => self.levels.insert(at, (key, qty.0)),
        }
    }

    /// Walks back from the touch before it searches: updates cluster there.
    fn find(&self, key: i64) -> Result<usize, usize> {
        const NEAR: usize = 8;
        let len = self.levels.len();
        let floor = len.saturating_sub(NEAR);
        for at in (floor..len).rev() {
            let here = self.levels[at].0;
            if here == key {
                return Ok(at);
            }
            if here < key {
                return Err(at + 1);
            }
        }
        self.levels[..floor].binary_search_by_key(&key, |level| level.0)
    }

    pub(crate) fn best(&self) -> Option<(Px, Qty)> {
        self.levels.last().map(|level| self.level(level))
    }

    pub(crate) fn qty_at(&self, px: Px) -> Qty {
        self.find(px.0 * self.sign)
            .map_or(Qty(0), |at| Qty(self.levels[at].1))
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = (Px, Qty)> + '_ {
        self.levels.iter().rev().map(|level| self.level(level))
    }

    pub(crate) fn len(&self) -> usize {
        self.levels.len()
    }

    fn level(&self, &(key, qty): &(i64, i64)) -> (Px, Qty) {
        (Px(key * self.sign), Qty(qty))
    }
}
