//! The quotes of the last wake-up: known again at sight, they are not read field by field.

use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use pyo3::prelude::*;
use pyo3::types::PyTuple;

use crate::messages::QuoteOrder;

/// Orders with what they say, in the order in which they were made.
#[derive(Default)]
pub(crate) struct Made(Mutex<List>);

#[derive(Default)]
struct List {
    orders: Vec<(Py<PyAny>, QuoteOrder)>,
    /// Where the next one is looked for: those who read them go through all.
    next: usize,
}

impl Made {
    /// Forgets them: others are made now.
    pub(crate) fn begin(&self) {
        self.with(|list| {
            list.orders.clear();
            list.next = 0;
        });
    }

    /// Remembers an order that was just made.
    pub(crate) fn add(&self, order: &Bound<'_, PyAny>, quote: QuoteOrder) {
        self.with(|list| list.orders.push((order.clone().unbind(), quote)));
    }

    /// What an order says, where it is the one after the one found last, or the first.
    pub(crate) fn find(&self, order: &Bound<'_, PyTuple>) -> Option<QuoteOrder> {
        self.with(|list| {
            [list.next, 0].into_iter().find_map(|at| {
                let (made, quote) = list.orders.get(at)?;
                order.is(made).then(|| {
                    list.next = at + 1;
                    *quote
                })
            })
        })
    }

    fn with<T>(&self, act: impl FnOnce(&mut List) -> T) -> T {
        // What another thread left there is whole: each change is a single step.
        act(&mut self.0.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Prices, those of sales negative, and quantities.
pub(crate) type Ladder = Arc<[(i64, i64)]>;

/// The quotes of the target that was read last.
#[derive(Default)]
pub(crate) struct LastLadder(Mutex<Option<(Py<PyTuple>, Ladder)>>);

impl LastLadder {
    /// What quotes say; they are read where they are not those of before.
    pub(crate) fn of(
        &self,
        quotes: &Bound<'_, PyTuple>,
        read: impl FnOnce() -> PyResult<Ladder>,
    ) -> PyResult<Ladder> {
        if let Some((said, ladder)) = &*self.last() {
            if quotes.is(said) {
                return Ok(Arc::clone(ladder));
            }
        }
        let ladder = read()?; // it may run Python, which must not wait for the lock
        let before = self
            .last()
            .replace((quotes.clone().unbind(), Arc::clone(&ladder)));
        drop(before);
        Ok(ladder)
    }

    fn last(&self) -> MutexGuard<'_, Option<(Py<PyTuple>, Ladder)>> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}
