//! `LiveQuotes` and `QuoteDesk`: our own quotes, with messages of Python in and out.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use cq_quotes::{
    ladder_sums, Desk, Key, Live, LiveQuote, Made, Plan, QuoteError, Settings, Sums, Wake,
};
use cq_types::{Account, Event, InstrumentIdx, Side, Ts};
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyList, PyTuple};

use crate::messages::{
    broken, cancelled, ladder, order_of, origin, touch, Kind, Orders, QuoteOrder, Words,
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
    inner: Live,
    /// That of the last order that was taken up: most share it.
    reason: Arc<str>,
}

#[pymethods]
impl PyLiveQuotes {
    #[new]
    fn new() -> Self {
        Self {
            inner: Live::default(),
            reason: Arc::from(""),
        }
    }

    fn take_up<'py>(
        &mut self,
        commands: &Bound<'py, PyTuple>,
        last_id: u64,
    ) -> PyResult<Bound<'py, PyList>> {
        let py = commands.py();
        let words = Words::get(py)?;
        let others = PyList::empty(py);
        for command in commands {
            let is_quote = match words.kind(&command) {
                Kind::Place => self.place(&order_of(&command)?, last_id)?,
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

    fn place(&mut self, order: &Bound<'_, PyTuple>, last_id: u64) -> PyResult<bool> {
        let Some(quote) = QuoteOrder::of(order)? else {
            return Ok(false);
        };
        if quote.id > last_id {
            let text = format!("order {} was never numbered", quote.id);
            return Err(broken(order.py(), &text));
        }
        let (ts, reason) = origin(order, &mut self.reason)?;
        let key = key(quote.sleeve, quote.instrument);
        let quote = LiveQuote::new(quote.id, ts, quote.at, quote.quantity, reason);
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

    fn taking(&self, sleeve: usize, instrument: InstrumentIdx) -> i64 {
        let [bought, sold] = self.inner.beside(key(sleeve, instrument));
        bought - sold
    }

    fn count(
        &mut self,
        sleeve: usize,
        instrument: InstrumentIdx,
        change: i64,
        is_sale: bool,
    ) -> PyResult<()> {
        let key = key(sleeve, instrument);
        self.inner.count(key, change, is_sale).map_err(error)
    }

    #[getter]
    fn is_touched(&self) -> bool {
        !self.inner.touched().is_empty()
    }

    fn touched(&self) -> BTreeSet<InstrumentIdx> {
        self.inner.touched().clone()
    }

    fn forget_touched(&mut self) {
        self.inner.forget_touched();
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
            .want(key(sleeve, instrument), quotes.to_vec(), Arc::from(reason));
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

    fn is_idle(&self, live: &PyLiveQuotes) -> bool {
        self.inner.is_idle(&live.inner)
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
    let mut made = Vec::with_capacity(ids.len());
    for id in ids {
        made.push(words.cancel(py, *id, reason)?);
    }
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
    let mut orders = Orders::new(py, now)?;
    let mut order = |made: &Made| orders.quote(&quote_of(made), &made.reason);
    let mut made = Vec::with_capacity(plan.made.len());
    for quote in &plan.made {
        made.push(order(quote)?);
    }
    let mut withheld = Vec::with_capacity(plan.withheld.len());
    for (quote, owner) in &plan.withheld {
        withheld.push((order(quote)?, *owner));
    }
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
        let ts = quote.ts.into_pyobject(py)?.into_any();
        smaller.push((
            orders.quote_of(ts, &before, &quote.reason)?,
            orders.quote(&after, &quote.reason)?,
        ));
    }
    Ok((
        cancels(&plan.cancels, reason)?,
        PyTuple::new(py, smaller)?,
        PyTuple::new(py, made)?,
        PyTuple::new(py, withheld)?,
        last,
    ))
}

fn quote_of(made: &Made) -> QuoteOrder {
    QuoteOrder {
        id: made.id,
        sleeve: made.key.sleeve,
        instrument: made.key.instrument,
        at: made.at,
        quantity: made.quantity,
    }
}

type SumsRow = (
    BTreeMap<(usize, InstrumentIdx), (i64, i64)>,
    BTreeMap<InstrumentIdx, (i64, i64, i64)>,
);

/// What limit orders come to; `None` where one is anything else.
#[pyfunction(name = "order_sums")]
pub(crate) fn py_order_sums(orders: &Bound<'_, PyTuple>) -> PyResult<Option<SumsRow>> {
    let mut sums = Sums::default();
    let words = Words::get(orders.py())?;
    for order in orders {
        let added = add(&mut sums, words, order.cast::<PyTuple>()?)?;
        if added.is_none() {
            return Ok(None);
        }
    }
    let sides = sums.sides.iter();
    let grids = sums.grids.iter();
    Ok(Some((
        sides
            .map(|(key, [bought, sold])| ((key.sleeve, key.instrument), (*bought, *sold)))
            .collect(),
        grids
            .map(|(at, grid)| (*at, (grid.px, grid.quantity, grid.least)))
            .collect(),
    )))
}

fn add(sums: &mut Sums, words: &Words, order: &Bound<'_, PyTuple>) -> PyResult<Option<()>> {
    if let Some(quote) = words.made(order) {
        let added = sums.add(quote.instrument, quote.at.abs(), quote.quantity);
        let key = key(quote.sleeve, quote.instrument);
        return Ok(added.and_then(|()| sums.add_part(key, quote.quantity * quote.at.signum())));
    }
    let field = |n| order.get_borrowed_item(n);
    let px = field(6)?;
    if px.is_none() || !field(7)?.is_none() || !field(12)?.is_none() {
        return Ok(None);
    }
    let (Ok(px), Ok(quantity)) = (px.extract(), field(4)?.extract()) else {
        return Ok(None);
    };
    let instrument = field(2)?.extract()?;
    if sums.add(instrument, px, quantity).is_none() {
        return Ok(None);
    }
    for part in field(9)?.cast::<PyTuple>()?.iter() {
        let part = part.cast::<PyTuple>()?;
        let sleeve = part.get_borrowed_item(0)?.extract()?;
        let quantity = part.get_borrowed_item(1)?.extract()?;
        if sums.add_part(key(sleeve, instrument), quantity).is_none() {
            return Ok(None);
        }
    }
    Ok(Some(()))
}

/// What a target's quotes come to.
#[pyfunction(name = "ladder_sums")]
pub(crate) fn py_ladder_sums(
    quotes: &Bound<'_, PyTuple>,
    tick: i64,
    lot: i64,
) -> PyResult<(i64, i64)> {
    let sums = ladder_sums(&ladder(quotes)?, tick, lot);
    let [bought, sold] = sums.map_err(|err| PyValueError::new_err(err.to_string()))?;
    Ok((bought, sold))
}
