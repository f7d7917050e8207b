//! The messages of `crypto_quant.core.messages` that are read and made here.

use std::sync::Arc;

use cq_types::{InstrumentIdx, Ts};
use pyo3::exceptions::PyValueError;
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyString, PyTuple, PyType};

use crate::made::{Ladder, LastLadder, Made};

const MODULE: &str = "crypto_quant.core.messages";

/// Classes and members that messages are told by and made of.
pub(crate) struct Words {
    new: Py<PyAny>,
    order: Py<PyAny>,
    allocation: Py<PyAny>,
    cancel: Py<PyType>,
    place: Py<PyType>,
    amend: Py<PyType>,
    buy: Py<PyAny>,
    sell: Py<PyAny>,
    post_only: Py<PyAny>,
    made: Made,
    ladder: LastLadder,
}

/// What a command is, as far as it is told here.
pub(crate) enum Kind {
    Place,
    Amend,
    Cancel,
    Other,
}

impl Words {
    pub(crate) fn get(py: Python<'_>) -> PyResult<&'static Self> {
        static WORDS: PyOnceLock<Words> = PyOnceLock::new();
        WORDS.get_or_try_init(py, || Self::import(py))
    }

    fn import(py: Python<'_>) -> PyResult<Self> {
        let module = py.import(MODULE)?;
        let class = |name: &str| -> PyResult<Py<PyType>> {
            Ok(module.getattr(name)?.cast_into::<PyType>()?.unbind())
        };
        let side = module.getattr("Side")?;
        Ok(Self {
            // A named tuple's own constructor takes more than twice as long.
            new: py.get_type::<PyTuple>().getattr("__new__")?.unbind(),
            order: class("Order")?.into_any(),
            allocation: class("Allocation")?.into_any(),
            cancel: class("Cancel")?,
            place: class("Place")?,
            amend: class("Amend")?,
            buy: side.getattr("BUY")?.unbind(),
            sell: side.getattr("SELL")?.unbind(),
            post_only: module.getattr("OrderType")?.getattr("POST_ONLY")?.unbind(),
            made: Made::default(),
            ladder: LastLadder::default(),
        })
    }

    pub(crate) fn kind(&self, command: &Bound<'_, PyAny>) -> Kind {
        let class = command.get_type();
        if class.is(&self.place) {
            Kind::Place
        } else if class.is(&self.cancel) {
            Kind::Cancel
        } else if class.is(&self.amend) {
            Kind::Amend
        } else {
            Kind::Other
        }
    }

    /// What an `Order` says that was made here at the last wake-up.
    pub(crate) fn made(&self, order: &Bound<'_, PyTuple>) -> Option<QuoteOrder> {
        self.made.find(order)
    }

    /// What an `Order` says that is a quote as those of targets are: post-only, not bound to reduce.
    pub(crate) fn plain_quote(&self, order: &Bound<'_, PyTuple>) -> PyResult<Option<QuoteOrder>> {
        if let Some(quote) = self.made(order) {
            return Ok(Some(quote));
        }
        let is_plain = order.get_borrowed_item(5)?.is(&self.post_only)
            && !order.get_borrowed_item(8)?.is_truthy()?;
        if is_plain {
            QuoteOrder::read(order)
        } else {
            Ok(None)
        }
    }

    /// Price, that of a sale negative, and quantity of a `Quote`.
    fn rung(&self, quote: &Bound<'_, PyAny>) -> PyResult<(i64, i64)> {
        let fields = quote.cast::<PyTuple>()?;
        let field = |n| fields.get_borrowed_item(n);
        let (side, px, quantity) = (field(0)?, field(1)?, field(2)?);
        let is_bid = side.is(&self.buy);
        let is_side = is_bid || side.is(&self.sell);
        match (px.extract::<i64>(), quantity.extract()) {
            (Ok(at), Ok(quantity)) if at > 0 && is_side => {
                Ok((if is_bid { at } else { -at }, quantity))
            }
            _ => Err(PyValueError::new_err(format!(
                "{} {} at {}: expected a Side and positive whole numbers of grid units",
                *side, *quantity, *px
            ))),
        }
    }

    /// A `Cancel`.
    pub(crate) fn cancel<'py>(
        &self,
        py: Python<'py>,
        id: u64,
        reason: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.new.bind(py).call1((&self.cancel, (id, reason)))
    }

    /// What belongs to a sleeve of an order that is all its own: `(Allocation,)`.
    fn allocations<'py>(
        &self,
        py: Python<'py>,
        sleeve: usize,
        signed: i64,
    ) -> PyResult<Bound<'py, PyAny>> {
        let part = (sleeve, signed);
        let part = self.new.bind(py).call1((&self.allocation, part))?;
        Ok((part,).into_pyobject(py)?.into_any())
    }
}

/// What an `Order` that is a quote says in numbers; `at` is its price, that of a sale negative.
#[derive(Clone, Copy)]
pub(crate) struct QuoteOrder {
    pub(crate) id: u64,
    pub(crate) sleeve: usize,
    pub(crate) instrument: InstrumentIdx,
    pub(crate) at: i64,
    pub(crate) quantity: i64,
}

/// Makes the orders of one wake-up: what most of them share is made once.
pub(crate) struct Orders<'py> {
    words: &'static Words,
    py: Python<'py>,
    now: Bound<'py, PyAny>,
    reason: Option<(Arc<str>, Bound<'py, PyAny>)>,
    sides: [Option<Side<'py>>; 2],
}

/// What the orders of one side, sleeve, instrument and quantity share.
struct Side<'py> {
    of: (usize, InstrumentIdx, i64),
    instrument: Bound<'py, PyAny>,
    quantity: Bound<'py, PyAny>,
    allocations: Bound<'py, PyAny>,
}

impl<'py> Orders<'py> {
    pub(crate) fn new(py: Python<'py>, ts: Ts) -> PyResult<Self> {
        let words = Words::get(py)?;
        words.made.begin();
        Ok(Self {
            words,
            py,
            now: ts.into_pyobject(py)?.into_any(),
            reason: None,
            sides: [None, None],
        })
    }

    /// The `Order` of a quote, made now.
    pub(crate) fn quote(
        &mut self,
        quote: &QuoteOrder,
        reason: &Arc<str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.quote_of(self.now.clone(), quote, reason)
    }

    /// The `Order` of a quote that was made at `ts`.
    pub(crate) fn quote_of(
        &mut self,
        ts: Bound<'py, PyAny>,
        quote: &QuoteOrder,
        reason: &Arc<str>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let (py, words, at) = (self.py, self.words, quote.at);
        let reason = self.reason(reason);
        let side = if at > 0 { &words.buy } else { &words.sell };
        let shared = self.shared(quote)?;
        let fields = [
            ts,
            quote.id.into_pyobject(py)?.into_any(),
            shared.instrument.clone(),
            side.bind(py).clone(),
            shared.quantity.clone(),
            words.post_only.bind(py).clone(),
            at.abs().into_pyobject(py)?.into_any(),
            py.None().into_bound(py),
            PyBool::new(py, false).to_owned().into_any(),
            shared.allocations.clone(),
            reason,
            PyBool::new(py, true).to_owned().into_any(),
            py.None().into_bound(py),
        ];
        let fields = PyTuple::new(py, fields)?;
        let order = words.new.bind(py).call1((&words.order, fields))?;
        words.made.add(&order, *quote);
        Ok(order)
    }

    fn reason(&mut self, reason: &Arc<str>) -> Bound<'py, PyAny> {
        match &self.reason {
            Some((last, said)) if last == reason => said.clone(),
            _ => {
                let said = PyString::new(self.py, reason).into_any();
                self.reason = Some((Arc::clone(reason), said.clone()));
                said
            }
        }
    }

    fn shared(&mut self, quote: &QuoteOrder) -> PyResult<&Side<'py>> {
        let QuoteOrder {
            sleeve,
            instrument,
            at,
            quantity,
            ..
        } = *quote;
        let of = (sleeve, instrument, quantity);
        let side = &mut self.sides[usize::from(at < 0)];
        let made = match side.take() {
            Some(side) if side.of == of => side,
            _ => Side {
                of,
                instrument: instrument.into_pyobject(self.py)?.into_any(),
                quantity: quantity.into_pyobject(self.py)?.into_any(),
                allocations: self
                    .words
                    .allocations(self.py, sleeve, quantity * at.signum())?,
            },
        };
        Ok(side.insert(made))
    }
}

/// The `Order` of a `Place` or an `Amend`.
pub(crate) fn order_of<'py>(command: &Bound<'py, PyAny>) -> PyResult<Bound<'py, PyTuple>> {
    let approved = command.cast::<PyTuple>()?.get_item(0)?;
    Ok(approved.cast::<PyTuple>()?.get_item(0)?.cast_into()?)
}

/// The number of a `Cancel`.
pub(crate) fn cancelled(command: &Bound<'_, PyAny>) -> PyResult<u64> {
    command.cast::<PyTuple>()?.get_item(0)?.extract()
}

impl QuoteOrder {
    /// What an `Order` says, `None` where it is no quote.
    pub(crate) fn of(order: &Bound<'_, PyTuple>) -> PyResult<Option<Self>> {
        match Words::get(order.py())?.made(order) {
            Some(made) => Ok(Some(made)),
            None => Self::read(order),
        }
    }

    fn read(order: &Bound<'_, PyTuple>) -> PyResult<Option<Self>> {
        if !order.get_borrowed_item(11)?.is_truthy()? {
            return Ok(None);
        }
        let parts = order.get_item(9)?.cast_into::<PyTuple>()?;
        let part = parts.get_item(0)?.cast_into::<PyTuple>()?;
        let sleeve = part.get_borrowed_item(0)?.extract()?;
        let signed: i64 = part.get_borrowed_item(1)?.extract()?;
        let px: Option<i64> = order.get_borrowed_item(6)?.extract()?;
        Ok(Some(Self {
            id: order.get_borrowed_item(1)?.extract()?,
            sleeve,
            instrument: order.get_borrowed_item(2)?.extract()?,
            at: px.unwrap_or(0) * signed.signum(),
            quantity: order.get_borrowed_item(4)?.extract()?,
        }))
    }
}

/// When an `Order` was made, and why; `last` is the reason of the order before it.
pub(crate) fn origin(order: &Bound<'_, PyTuple>, last: &mut Arc<str>) -> PyResult<(Ts, Arc<str>)> {
    let reason = order.get_item(10)?;
    let said = reason.cast::<PyString>()?.to_str()?;
    if **last != *said {
        *last = Arc::from(said);
    }
    Ok((order.get_item(0)?.extract()?, Arc::clone(last)))
}

/// What a target's quotes say: price, that of a sale negative, and quantity.
///
/// # Errors
///
/// `ValueError` where one is no whole number, or has no side of a price above 0.
pub(crate) fn ladder(quotes: &Bound<'_, PyTuple>) -> PyResult<Ladder> {
    let words = Words::get(quotes.py())?;
    words.ladder.of(quotes, || {
        let mut read = Vec::with_capacity(quotes.len());
        for quote in quotes {
            read.push(words.rung(&quote)?);
        }
        Ok(read.into())
    })
}

/// The best price that a side would trade at as an account view tells it, else the last price.
pub(crate) fn touch(
    view: &Bound<'_, PyAny>,
    instrument: InstrumentIdx,
    buys: bool,
) -> PyResult<i64> {
    let py = view.py();
    let name = if buys {
        intern!(py, "ask_px")
    } else {
        intern!(py, "bid_px")
    };
    let best: i64 = view.call_method1(name, (instrument,))?.extract()?;
    if best != 0 {
        return Ok(best);
    }
    view.call_method1(intern!(py, "px"), (instrument,))?
        .extract()
}

/// An `InvariantError`: our books are not what they must be.
pub(crate) fn broken(py: Python<'_>, text: &str) -> PyErr {
    static CLASS: PyOnceLock<Py<PyType>> = PyOnceLock::new();
    match CLASS.import(py, "crypto_quant.core.errors", "InvariantError") {
        Ok(class) => PyErr::from_type(class.clone(), text.to_owned()),
        Err(err) => err,
    }
}
