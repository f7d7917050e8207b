//! The messages of `crypto_quant.core.messages` that are read and made here.

use cq_types::{InstrumentIdx, Ts};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::sync::PyOnceLock;
use pyo3::types::{PyBool, PyTuple, PyType};

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

    /// A `Cancel`.
    pub(crate) fn cancel<'py>(
        &self,
        py: Python<'py>,
        id: u64,
        reason: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        self.new.bind(py).call1((&self.cancel, (id, reason)))
    }

    /// The `Order` of a quote.
    pub(crate) fn quote<'py>(
        &self,
        py: Python<'py>,
        ts: Ts,
        quote: &QuoteOrder,
        reason: &Bound<'py, PyAny>,
    ) -> PyResult<Bound<'py, PyAny>> {
        let QuoteOrder {
            id,
            sleeve,
            instrument,
            at,
            quantity,
        } = *quote;
        let (side, signed) = if at > 0 {
            (&self.buy, quantity)
        } else {
            (&self.sell, -quantity)
        };
        let new = self.new.bind(py);
        let part = new.call1((&self.allocation, (sleeve, signed)))?;
        let fields = [
            ts.into_pyobject(py)?.into_any(),
            id.into_pyobject(py)?.into_any(),
            instrument.into_pyobject(py)?.into_any(),
            side.bind(py).clone(),
            quantity.into_pyobject(py)?.into_any(),
            self.post_only.bind(py).clone(),
            at.abs().into_pyobject(py)?.into_any(),
            py.None().into_bound(py),
            PyBool::new(py, false).to_owned().into_any(),
            (part,).into_pyobject(py)?.into_any(),
            reason.clone(),
            PyBool::new(py, true).to_owned().into_any(),
            py.None().into_bound(py),
        ];
        new.call1((&self.order, PyTuple::new(py, fields)?))
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
        if !order.get_item(11)?.is_truthy()? {
            return Ok(None);
        }
        let part = order.get_item(9)?.cast_into::<PyTuple>()?.get_item(0)?;
        let (sleeve, signed): (usize, i64) = part.extract()?;
        let px: Option<i64> = order.get_item(6)?.extract()?;
        Ok(Some(Self {
            id: order.get_item(1)?.extract()?,
            sleeve,
            instrument: order.get_item(2)?.extract()?,
            at: px.unwrap_or(0) * signed.signum(),
            quantity: order.get_item(4)?.extract()?,
        }))
    }
}

/// When an `Order` was made, and why.
pub(crate) fn origin(order: &Bound<'_, PyTuple>) -> PyResult<(Ts, String)> {
    Ok((
        order.get_item(0)?.extract()?,
        order.get_item(10)?.extract()?,
    ))
}

/// What a target's quotes say: price, that of a sale negative, and quantity.
pub(crate) fn ladder(quotes: &Bound<'_, PyTuple>) -> PyResult<Vec<(i64, i64)>> {
    let words = Words::get(quotes.py())?;
    quotes
        .iter()
        .map(|quote| {
            let quote = quote.cast::<PyTuple>()?;
            let px: i64 = quote.get_item(1)?.extract()?;
            let is_buy = quote.get_item(0)?.is(&words.buy);
            Ok((if is_buy { px } else { -px }, quote.get_item(2)?.extract()?))
        })
        .collect()
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
