use std::ops::Range;

use cq_types::{Px, Side};

use crate::order::Working;

/// Our limit orders that rest on one side of a book: best price first, then oldest first.
///
/// A venue lets an account have a few hundred orders, so that an array is the fastest index.
#[derive(Debug, Clone)]
pub(crate) struct Resting {
    side: Side,
    orders: Vec<Working>,
    /// Keys of the worst and the best order; an empty range where there is none.
    bounds: (i64, i64),
}

impl Resting {
    pub(crate) fn new(side: Side) -> Self {
        Self {
            side,
            orders: Vec::new(),
            bounds: NOTHING,
        }
    }

    pub(crate) fn is_empty(&self) -> bool {
        self.orders.is_empty()
    }

    /// Whether an order may rest at `px`: quick, for the changes of all other levels.
    #[inline]
    pub(crate) fn may_be_at(&self, px: Px) -> bool {
        let key = px.0 * self.side.sign();
        self.bounds.0 <= key && key <= self.bounds.1
    }

    /// The best price, in a number that is greater the better it is.
    #[inline]
    pub(crate) fn best_key(&self) -> i64 {
        self.bounds.1
    }

    pub(crate) fn iter(&self) -> impl Iterator<Item = &Working> {
        self.orders.iter()
    }

    pub(crate) fn iter_mut(&mut self) -> impl Iterator<Item = &mut Working> {
        self.orders.iter_mut()
    }

    /// Orders at a price.
    pub(crate) fn at(&mut self, px: Px) -> &mut [Working] {
        let range = self.range(px.0 * self.side.sign());
        &mut self.orders[range]
    }

    fn range(&self, key: i64) -> Range<usize> {
        let from = self.orders.partition_point(|o| self.key(o) > key);
        let rest = &self.orders[from..];
        let count = rest.iter().take_while(|o| self.key(o) == key).count();
        from..from + count
    }

    fn key(&self, order: &Working) -> i64 {
        order.limit().map_or(0, |px| px.0 * self.side.sign())
    }

    /// Puts an order at its price where its age places it.
    pub(crate) fn add(&mut self, order: Working) {
        let key = self.key(&order);
        let is_before = |o: &Working| {
            let other = self.key(o);
            other > key || (other == key && o.age < order.age)
        };
        let at = self.orders.partition_point(is_before);
        self.orders.insert(at, order);
        self.measure();
    }

    /// Takes an order away by its id.
    pub(crate) fn remove(&mut self, id: u64) -> Option<Working> {
        let at = self.orders.iter().position(|o| o.request.id == id)?;
        let order = self.orders.remove(at);
        self.measure();
        Some(order)
    }

    /// Lets the orders act whose price is `px` or better, with their price, from the best on;
    /// those that say that they are done leave.
    pub(crate) fn each_from_best(&mut self, px: Px, mut act: impl FnMut(&mut Working, Px) -> bool) {
        let least = px.0 * self.side.sign();
        let reached = self.orders.partition_point(|o| self.key(o) >= least);
        let mut at = 0;
        self.orders.retain_mut(|order| {
            at += 1;
            match order.limit() {
                Some(limit) if at <= reached => act(order, limit),
                _ => true,
            }
        });
        self.measure();
    }

    pub(crate) fn take(&mut self) -> Vec<Working> {
        self.bounds = NOTHING;
        std::mem::take(&mut self.orders)
    }

    fn measure(&mut self) {
        let key = |order: Option<&Working>| order.map(|o| self.key(o));
        self.bounds = key(self.orders.last())
            .zip(key(self.orders.first()))
            .unwrap_or(NOTHING);
    }
}

/// Bounds without a price between them.
const NOTHING: (i64, i64) = (i64::MAX, i64::MIN);
