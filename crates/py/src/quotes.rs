//! `LiveQuotes` and `QuoteDesk`: our own quotes, with messages of Python in and out.

use std::collections::BTreeSet;
use std::sync::Arc;

use cq_quotes::{Desk, Key, Live, LiveQuote, Made, Plan, QuoteError, Settings, Wake};
use cq_types::{Account, Event, InstrumentIdx, Side, Ts};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyString, PyTuple};

use crate::messages::{
    broken, cancelled, ladder, order_of, origin, touch, Kind, QuoteOrder, Words,
};

type LiveRow = (u64, usize, InstrumentIdx, i64, i64, i64, bool, Option<i64>);
/// Cancels, pairs of orders before and after, orders, those withheld with the sleeve in the way.
type PlanRow<'py> = (
    Bound<'py, PyTuple>,
    Bound<'py, PyTuple>,
    Bound<'py, PyTuple>,
    Bound<'py, PyTuple>,
    u64,
);

fn error(error: QuoteError) -> PyErr {
    Python::attach(|py| broken(py, &error.to_string()))
}

/// Quotes that live at the venues.
#[pyclass(name = "LiveQuotes", module = "crypto_quant._native")]
pub(crate) struct PyLiveQuotes {
    pub(crate) inner: Live,
}

#[pymethods]
impl PyLiveQuotes {
    #[new]
    fn new() -> Self {
        Self {
            inner: Live::default(),
        }
    }

    fn take_up<'py>(&mut self, commands: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyList>> {
        let py = commands.py();
        let words = Words::get(py)?;
        let others = PyList::empty(py);
        for command in commands {
            let is_quote = match words.kind(&command) {
                Kind::Place => self.place(&order_of(&command)?)?,
                Kind::Cancel => self.inner.cancel(cancelled(&command)?),
                Kind::Amend => self.amend(&order_of(&command)?)?,
                Kind::Other => false,
            };
            if !is_quote {
                others.append(command)?;
            }
        }
        Ok(others)
    }

    fn place(&mut self, order: &Bound<'_, PyTuple>) -> PyResult<bool> {
        let Some(quote) = QuoteOrder::of(order)? else {
            return Ok(false);
        };
        let (ts, reason) = origin(order)?;
        let key = key(quote.sleeve, quote.instrument);
        let quote = LiveQuote::new(quote.id, ts, quote.at, quote.quantity, reason.into());
        self.inner.place(key, quote).map_err(error)?;
        Ok(true)
    }

    fn amend(&mut self, order: &Bound<'_, PyTuple>) -> PyResult<bool> {
        let quote = QuoteOrder::of(order)?;
        Ok(quote.is_some_and(|quote| self.inner.amend(quote.id, quote.quantity)))
    }

    fn cancel(&mut self, order_id: u64) -> bool {
        self.inner.cancel(order_id)
    }

    fn on_ack(&mut self, order_id: u64) -> bool {
        self.inner.on_ack(order_id)
    }

    fn on_fill(&mut self, order_id: u64, quantity: i64) -> PyResult<bool> {
        self.inner.on_fill(order_id, quantity).map_err(error)
    }

    fn on_cancelled(&mut self, order_id: u64) -> bool {
        self.inner.on_end(order_id)
    }

    fn on_reject(&mut self, order_id: u64) -> bool {
        self.inner.on_reject(order_id)
    }

    fn on_kept(&mut self, order_id: u64) -> bool {
        self.inner.on_kept(order_id)
    }

    fn on_amended(&mut self, order_id: u64, quantity: i64) -> bool {
        self.inner.on_amended(order_id, quantity)
    }

    fn working(&self, sleeve: usize, instrument: InstrumentIdx) -> i64 {
        let [bought, sold] = self.inner.working(key(sleeve, instrument));
        bought - sold
    }

    fn selling(&self, sleeve: usize, instrument: InstrumentIdx) -> i64 {
        -self.inner.working(key(sleeve, instrument))[1]
    }

    #[getter]
    fn is_touched(&self) -> bool {
        self.inner.is_touched()
    }

    fn take_touched(&mut self) -> BTreeSet<InstrumentIdx> {
        self.inner.take_touched()
    }

    fn live(&self) -> Vec<LiveRow> {
        let mut rows: Vec<LiveRow> = self
            .inner
            .ladders()
            .flat_map(|(key, ladder)| ladder.quotes().iter().map(|quote| row(*key, quote)))
            .collect();
        rows.sort_unstable_by_key(|row| row.0);
        rows
    }

    fn reset(&mut self) {
        self.inner.reset();
    }
}

/// What sleeves want to rest in the book.
#[pyclass(name = "QuoteDesk", module = "crypto_quant._native")]
pub(crate) struct PyQuoteDesk {
    inner: Desk,
}

#[pymethods]
impl PyQuoteDesk {
    #[new]
    fn new(messages: usize, window_ns: Ts, refill: f64, amends: bool) -> Self {
        Self {
            inner: Desk::new(Settings {
                messages,
                window: window_ns,
                refill,
                amends,
            }),
        }
    }

    fn want(
        &mut self,
        sleeve: usize,
        instrument: InstrumentIdx,
        quotes: &Bound<'_, PyTuple>,
        reason: &str,
    ) -> PyResult<()> {
        let quotes = ladder(quotes)?;
        self.inner
            .want(key(sleeve, instrument), quotes, Arc::from(reason));
        Ok(())
    }

    fn unwant(&mut self, sleeve: usize, instrument: InstrumentIdx) {
        self.inner.unwant(key(sleeve, instrument));
    }

    fn give_up(&mut self, order: &Bound<'_, PyTuple>, left: Option<i64>) -> PyResult<()> {
        if let Some(quote) = QuoteOrder::of(order)? {
            let key = key(quote.sleeve, quote.instrument);
            self.inner.give_up(key, quote.at, left);
        }
        Ok(())
    }

    fn pull<'py>(
        &mut self,
        live: &PyLiveQuotes,
        instrument: Option<InstrumentIdx>,
        reason: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyTuple>> {
        cancels(&self.inner.pull(&live.inner, instrument), reason)
    }

    fn plan<'py>(
        &mut self,
        live: &mut PyLiveQuotes,
        view: &Bound<'py, PyAny>,
        last_id: u64,
        is_timer: bool,
        has_news: bool,
        reason: &Bound<'py, PyAny>,
    ) -> PyResult<Option<PlanRow<'py>>> {
        let mut last = last_id;
        let now = view.getattr(intern!(view.py(), "now"))?.extract()?;
        let wake = Wake {
            now,
            is_timer,
            has_news,
        };
        let next = || {
            last += 1;
            last
        };
        let best = |instrument, side| touch(view, instrument, side == Side::Buy);
        let Some(plan) = self.inner.plan(&mut live.inner, wake, next, best)? else {
            return Ok(None);
        };
        said(&plan, now, last, reason).map(Some)
    }

    fn reset(&mut self) {
        self.inner.reset();
    }
}

impl PyLiveQuotes {
    /// Folds in what the venue said of quotes; returns the rest.
    pub(crate) fn hear(&mut self, said: Vec<Event<Account>>) -> PyResult<Vec<Event<Account>>> {
        let mut others = Vec::new();
        for event in said {
            if !self.takes(&event.body)? {
                others.push(event);
            }
        }
        Ok(others)
    }

    fn takes(&mut self, said: &Account) -> PyResult<bool> {
        let live = &mut self.inner;
        Ok(match said {
            Account::Fill { order, qty, .. } => live.on_fill(*order, qty.0).map_err(error)?,
            Account::Ack { order } => live.on_ack(*order),
            Account::Cancelled { order, .. } => live.on_end(*order),
            Account::Reject { order, .. } => live.on_reject(*order),
            Account::Kept { order, .. } => live.on_kept(*order),
            Account::Amended { order, qty, .. } => live.on_amended(*order, qty.0),
            _ => false,
        })
    }
}

fn key(sleeve: usize, instrument: InstrumentIdx) -> Key {
    Key { sleeve, instrument }
}

fn row(key: Key, quote: &LiveQuote) -> LiveRow {
    (
        quote.id,
        key.sleeve,
        key.instrument,
        quote.at,
        quote.quantity,
        quote.filled,
        quote.is_cancelling,
        quote.amended,
    )
}

fn cancels<'py>(ids: &[u64], reason: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyTuple>> {
    let py = reason.py();
    let words = Words::get(py)?;
    let made: Vec<_> = ids
        .iter()
        .map(|id| words.cancel(py, *id, reason))
        .collect::<PyResult<_>>()?;
    PyTuple::new(py, made)
}

/// A plan in Python's messages.
fn said<'py>(
    plan: &Plan,
    now: Ts,
    last: u64,
    reason: &Bound<'py, PyAny>,
) -> PyResult<PlanRow<'py>> {
    let py = reason.py();
    let words = Words::get(py)?;
    let mut reasons = Reasons::default();
    let mut order = |made: &Made| {
        let quote = QuoteOrder {
            id: made.id,
            sleeve: made.key.sleeve,
            instrument: made.key.instrument,
            at: made.at,
            quantity: made.quantity,
        };
        words.quote(py, now, &quote, reasons.of(py, &made.reason))
    };
    let orders: Vec<_> = plan.made.iter().map(&mut order).collect::<PyResult<_>>()?;
    let withheld: Vec<_> = plan
        .withheld
        .iter()
        .map(|(made, owner)| Ok((order(made)?, *owner)))
        .collect::<PyResult<_>>()?;
    let mut smaller = Vec::with_capacity(plan.smaller.len());
    for change in &plan.smaller {
        let quote = &change.before;
        let before = QuoteOrder {
            id: quote.id,
            sleeve: change.key.sleeve,
            instrument: change.key.instrument,
            at: quote.at,
            quantity: quote.quantity,
        };
        let after = QuoteOrder {
            quantity: quote.filled + change.left,
            ..before
        };
        let reason = reasons.of(py, &quote.reason);
        smaller.push((
            words.quote(py, quote.ts, &before, reason)?,
            words.quote(py, now, &after, reason)?,
        ));
    }
    Ok((
        cancels(&plan.cancels, reason)?,
        PyTuple::new(py, smaller)?,
        PyTuple::new(py, orders)?,
        PyTuple::new(py, withheld)?,
        last,
    ))
}

/// Reasons as Python has them: most quotes of a wake-up share one.
#[derive(Default)]
struct Reasons<'py> {
    last: Option<(Arc<str>, Bound<'py, PyAny>)>,
}

impl<'py> Reasons<'py> {
    fn of(&mut self, py: Python<'py>, reason: &Arc<str>) -> &Bound<'py, PyAny> {
        let is_last = |(last, _): &(Arc<str>, _)| Arc::ptr_eq(last, reason) || last == reason;
        if !self.last.as_ref().is_some_and(is_last) {
            self.last = None;
        }
        let make = || (Arc::clone(reason), PyString::new(py, reason).into_any());
        &self.last.get_or_insert_with(make).1
    }
}
