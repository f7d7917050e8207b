use cq_types::Side;

/// What our own orders have consumed of levels since those were last refreshed.
///
/// Nearly always there are none or a few, near the touch: a list, with its bounds for the
/// changes of all other levels.
#[derive(Debug, Clone, Default)]
pub(crate) struct Taken(Vec<Level>);

#[derive(Debug, Clone, Copy)]
struct Level {
    side: Side,
    px: i64,
    qty: i64,
}

impl Taken {
    pub(crate) fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub(crate) fn of(&self, side: Side, px: i64) -> i64 {
        let own = self.0.iter().find(|l| l.px == px && l.side == side);
        own.map_or(0, |level| level.qty)
    }

    pub(crate) fn add(&mut self, side: Side, px: i64, qty: i64) {
        let own = self.0.iter_mut().find(|l| l.px == px && l.side == side);
        match own {
            Some(level) => level.qty += qty,
            None => self.0.push(Level { side, px, qty }),
        }
    }

    /// The level is what its last change says: whatever was taken is in it.
    pub(crate) fn refresh(&mut self, side: Side, px: i64) {
        self.0.retain(|l| l.px != px || l.side != side);
    }

    pub(crate) fn clear(&mut self) {
        self.0.clear();
    }
}
