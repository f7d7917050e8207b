//! The orders that live as a plain list: everything is counted anew whenever it is asked.

use cq_quotes::{Key, QuoteError};
use cq_types::InstrumentIdx;

/// What the venue and we have said of one quote.
#[derive(Clone, Debug)]
pub(crate) struct Order {
    pub(crate) id: u64,
    pub(crate) key: Key,
    pub(crate) at: i64,
    pub(crate) ordered: i64,
    pub(crate) fills: Vec<i64>,
    pub(crate) is_heard_of: bool,
    pub(crate) is_leaving: bool,
    pub(crate) becomes: Option<i64>,
}

impl Order {
    pub(crate) fn filled(&self) -> i64 {
        self.fills.iter().sum()
    }

    pub(crate) fn left(&self) -> i64 {
        self.ordered - self.filled()
    }
}

#[derive(Debug, Default)]
pub(crate) struct Naive {
    pub(crate) orders: Vec<Order>,
    /// Whose, what is bought and what is sold, unsigned.
    pub(crate) others: Vec<(Key, i64, i64)>,
    pub(crate) news: Vec<InstrumentIdx>,
    pub(crate) requote: Vec<Key>,
}

impl Naive {
    pub(crate) fn find(&mut self, id: u64) -> Option<&mut Order> {
        self.orders.iter_mut().find(|order| order.id == id)
    }

    pub(crate) fn place(
        &mut self,
        id: u64,
        key: Key,
        at: i64,
        quantity: i64,
    ) -> Result<(), QuoteError> {
        if at == 0 || quantity < 1 {
            return Err(QuoteError::NotOne(id));
        }
        if self.orders.iter().any(|order| order.id == id) {
            return Err(QuoteError::Twice(id));
        }
        if self.orders.iter().any(|o| o.key == key && o.at == at) {
            return Err(QuoteError::TwoAtOne(id));
        }
        self.orders.push(Order {
            id,
            key,
            at,
            ordered: quantity,
            fills: Vec::new(),
            is_heard_of: false,
            is_leaving: false,
            becomes: None,
        });
        Ok(())
    }

    pub(crate) fn fill(&mut self, id: u64, quantity: i64) -> Result<bool, QuoteError> {
        let Some(order) = self.find(id) else {
            return Ok(false);
        };
        let most = order.left();
        if !(1..=most).contains(&quantity) {
            return Err(QuoteError::Overfilled { id, quantity, most });
        }
        order.fills.push(quantity);
        order.is_heard_of = true;
        let is_done = order.left() == 0;
        self.note(id);
        if is_done {
            self.orders.retain(|order| order.id != id);
        }
        Ok(true)
    }

    pub(crate) fn end(&mut self, id: u64) -> bool {
        let is_one = self.note(id);
        self.orders.retain(|order| order.id != id);
        is_one
    }

    pub(crate) fn reject(&mut self, id: u64) -> bool {
        let rests = |order: &mut Order| order.is_heard_of && order.is_leaving;
        if self.find(id).is_some_and(rests) {
            self.keep(id)
        } else {
            self.end(id)
        }
    }

    pub(crate) fn keep(&mut self, id: u64) -> bool {
        if let Some(order) = self.find(id) {
            order.is_leaving = false;
            order.becomes = None;
        }
        self.note(id)
    }

    pub(crate) fn amended(&mut self, id: u64, quantity: i64) -> bool {
        if let Some(order) = self.find(id) {
            let filled = order.filled();
            order.ordered = if quantity < filled { filled } else { quantity };
            order.becomes = None;
        }
        self.note(id)
    }

    /// Notes that there is news of an order; tells whether it lives.
    fn note(&mut self, id: u64) -> bool {
        let key = self.find(id).map(|order| order.key);
        self.news.extend(key.map(|key| key.instrument));
        self.requote.extend(key);
        key.is_some()
    }

    pub(crate) fn beside(&self, key: Key) -> [i64; 2] {
        let mine = || self.others.iter().filter(|(one, _, _)| *one == key);
        [mine().map(|o| o.1).sum(), mine().map(|o| o.2).sum()]
    }

    pub(crate) fn working(&self, key: Key) -> [i64; 2] {
        let side = |is_buy: bool| -> i64 {
            let mine = self.orders.iter().filter(|order| order.key == key);
            mine.filter(|order| (order.at > 0) == is_buy)
                .map(Order::left)
                .sum()
        };
        let [bought, sold] = self.beside(key);
        [bought + side(true), sold + side(false)]
    }
}
