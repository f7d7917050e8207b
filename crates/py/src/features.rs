//! `FeatureSet`: streaming features fed from columns of events.

use std::collections::BTreeMap;

use cq_book::Book;
use cq_features::{FeatureError, FeatureSet, FeatureSpec, Param, Source};
use cq_types::{flags, Event, Grid, Market, Px, Qty, Side, Ts};
use numpy::{
    IntoPyArray, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1, PyReadonlyArray2,
    PyUntypedArrayMethods,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyType;
use rust_decimal::Decimal;

use crate::instrument::PyInstrument;

/// A parameter as Python writes it.
#[derive(FromPyObject, IntoPyObject, Clone)]
pub(crate) enum ParamArg {
    Number(f64),
    Text(String),
}

/// `(name, {"operator": …, parameter: value, …})`.
pub(crate) type SpecArg = (String, BTreeMap<String, ParamArg>);
type SourceArg = (String, u8, u8);
type LevelArg = (bool, i64, i64);
type Restored = (
    Vec<SpecArg>,
    Vec<SourceArg>,
    Vec<String>,
    Vec<u64>,
    Vec<Option<Vec<LevelArg>>>,
);

/// Specs as the feature crate takes them.
pub(crate) fn feature_specs(rows: Vec<SpecArg>) -> PyResult<Vec<FeatureSpec>> {
    rows.into_iter().map(feature_spec).collect()
}

fn feature_spec((name, mut params): SpecArg) -> PyResult<FeatureSpec> {
    let Some(ParamArg::Text(operator)) = params.remove("operator") else {
        let text = format!("feature {name}: parameter \"operator\" expected a text");
        return Err(PyValueError::new_err(text));
    };
    let params = params.into_iter().map(|(key, value)| {
        let value = match value {
            ParamArg::Number(number) => Param::Number(number),
            ParamArg::Text(text) => Param::Text(text),
        };
        (key, value)
    });
    Ok(FeatureSpec {
        name,
        operator,
        params: params.collect(),
    })
}

fn spec_arg(spec: &FeatureSpec) -> SpecArg {
    let operator = ("operator".to_owned(), ParamArg::Text(spec.operator.clone()));
    let params = spec.params.iter().map(|(key, value)| {
        let value = match value {
            Param::Number(number) => ParamArg::Number(*number),
            Param::Text(text) => ParamArg::Text(text.clone()),
        };
        (key.clone(), value)
    });
    (spec.name.clone(), params.chain([operator]).collect())
}

pub(crate) fn value_error(error: FeatureError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// Features of one run over its own books.
#[pyclass(name = "FeatureSet", module = "crypto_quant._native")]
pub struct PyFeatureSet {
    inner: FeatureSet,
    books: Vec<Book>,
}

const NULL: i64 = i64::MIN;

fn known(value: i64) -> Option<i64> {
    (value != NULL).then_some(value)
}

/// The body of one row of the event columns: its meaning by kind, as `feature_engineering.events`
/// writes it.
fn market(kind: i64, row: &[i64; 8], value: f64) -> PyResult<Market> {
    let bad = |what: &str| PyValueError::new_err(format!("event of kind {kind}: bad {what}"));
    Ok(match kind {
        0 => Market::Trade {
            id: row[0],
            px: Px(row[1]),
            qty: Qty(row[2]),
            side: Side::of(row[3]).ok_or_else(|| bad("side"))?,
        },
        1 => Market::Delta {
            side: Side::of(row[0]).ok_or_else(|| bad("side"))?,
            px: Px(row[1]),
            qty: Qty(row[2]),
        },
        2 => Market::Quote {
            bid: Px(row[0]),
            bid_qty: Qty(row[1]),
            ask: Px(row[2]),
            ask_qty: Qty(row[3]),
        },
        3 => Market::Bar {
            interval: row[0],
            open: Px(row[1]),
            high: Px(row[2]),
            low: Px(row[3]),
            close: Px(row[4]),
            volume: Qty(row[5]),
            count: known(row[6]),
            taker_buy: known(row[7]).map(Qty),
        },
        4 => {
            let exp = u32::try_from(row[1]).map_err(|_| bad("rate_exp"))?;
            let rate = Decimal::try_new(row[0], exp).map_err(|_| bad("rate_exp"))?;
            Market::Funding { rate }
        }
        5 => Market::External {
            series: u16::try_from(row[0]).map_err(|_| bad("series"))?,
            value,
        },
        6 => Market::Gap,
        _ => return Err(bad("kind")),
    })
}

/// One row of the event columns.
fn event(head: &[i64; 5], body: &[i64; 8], value: f64) -> PyResult<Event<Market>> {
    let [kind, instrument, ts_event, ts_recv, marks] = *head;
    let bad = |_| PyValueError::new_err("instrument or flags out of range");
    Ok(Event {
        ts_event,
        ts_recv,
        seq: 0,
        flags: u32::try_from(marks).map_err(bad)?,
        instrument: u16::try_from(instrument).map_err(bad)?,
        body: market(kind, body, value)?,
    })
}

impl PyFeatureSet {
    fn take(&mut self, event: &Event<Market>) {
        let book = self.books.get_mut(usize::from(event.instrument));
        if let Some(book) = book {
            match event.body {
                Market::Delta { side, px, qty } => {
                    book.on_delta(side, px, qty, event.flags);
                }
                Market::Gap => book.invalidate(),
                _ => {}
            }
        }
        let book = self.books.get(usize::from(event.instrument));
        self.inner.on_market(event, book);
    }

    fn run(
        &mut self,
        head: &[i64],
        body: &[i64],
        values: &[f64],
        grid: &[Ts],
    ) -> PyResult<Vec<f64>> {
        let width = self.inner.len();
        let mut out = vec![f64::NAN; grid.len() * width];
        let mut row = 0;
        let columns = head.as_chunks::<5>().0.iter().zip(body.as_chunks::<8>().0);
        for ((head, body), value) in columns.zip(values) {
            let event = event(head, body, *value)?;
            while row < grid.len() && grid[row] < event.ts_recv {
                self.inner
                    .write(grid[row], &mut out[row * width..][..width]);
                row += 1;
            }
            self.take(&event);
        }
        for row in row..grid.len() {
            self.inner
                .write(grid[row], &mut out[row * width..][..width]);
        }
        Ok(out)
    }

    fn levels(book: &Book) -> Option<Vec<LevelArg>> {
        let rows = |side: Side| {
            let all = book.levels(side, usize::MAX);
            all.map(move |(px, qty)| (side == Side::Buy, px.0, qty.0))
        };
        let both = rows(Side::Buy).chain(rows(Side::Sell));
        book.is_valid().then(|| both.collect())
    }
}

#[pymethods]
impl PyFeatureSet {
    #[new]
    fn new(
        specs: Vec<SpecArg>,
        instruments: Vec<PyRef<'_, PyInstrument>>,
        series: Vec<String>,
    ) -> PyResult<Self> {
        let sources: Vec<_> = instruments.iter().map(|i| Source::from(&i.inner)).collect();
        let books = vec![Book::new(); sources.len()];
        let inner = FeatureSet::with_sources(feature_specs(specs)?, sources, series);
        Ok(Self {
            inner: inner.map_err(value_error)?,
            books,
        })
    }

    /// Column names.
    #[getter]
    fn names(&self) -> Vec<String> {
        self.inner.names().map(str::to_owned).collect()
    }

    /// Holes in bars gone over so far.
    #[getter]
    fn bridged(&self) -> u64 {
        self.inner.bridged()
    }

    /// Bars refused so far.
    #[getter]
    fn refused(&self) -> u64 {
        self.inner.refused()
    }

    /// Words of state held.
    #[getter]
    fn state_words(&self) -> usize {
        self.inner.save().len()
    }

    /// Takes events in order; returns the values at each time of `grid`.
    fn table<'py>(
        &mut self,
        py: Python<'py>,
        head: PyReadonlyArray2<'py, i64>,
        body: PyReadonlyArray2<'py, i64>,
        values: PyReadonlyArray1<'py, f64>,
        grid: PyReadonlyArray1<'py, i64>,
    ) -> PyResult<Bound<'py, PyArray2<f64>>> {
        let rows = [head.shape()[0], body.shape()[0], values.len()];
        if rows != [rows[0]; 3] || head.shape()[1] != 5 || body.shape()[1] != 8 {
            return Err(PyValueError::new_err(format!(
                "event columns expected shapes (n, 5), (n, 8), (n,), were {:?}, {:?}, ({},)",
                head.shape(),
                body.shape(),
                rows[2]
            )));
        }
        let (head, body) = (head.as_slice()?, body.as_slice()?);
        let (values, grid) = (values.as_slice()?, grid.as_slice()?);
        let out = py.detach(|| self.run(head, body, values, grid))?;
        let shape = [grid.len(), self.inner.len()];
        out.into_pyarray(py).reshape(shape)
    }

    /// Values knowable at `now`.
    fn write<'py>(&self, py: Python<'py>, now: Ts) -> Bound<'py, PyArray1<f64>> {
        let mut out = vec![f64::NAN; self.inner.len()];
        self.inner.write(now, &mut out);
        out.into_pyarray(py)
    }

    fn __reduce__<'py>(&self, py: Python<'py>) -> PyResult<(Bound<'py, PyAny>, Restored)> {
        let (specs, sources, series) = self.inner.parts();
        let source = |s: &Source| (s.id.clone(), s.grid.price_exp, s.grid.qty_exp);
        let restore = PyType::new::<Self>(py).getattr("restore")?;
        let parts = (
            specs.iter().map(spec_arg).collect(),
            sources.iter().map(source).collect(),
            series.to_vec(),
            self.inner.save(),
            self.books.iter().map(Self::levels).collect(),
        );
        Ok((restore, parts))
    }

    /// Builds a set from what pickling took apart.
    #[staticmethod]
    fn restore(
        specs: Vec<SpecArg>,
        sources: Vec<SourceArg>,
        series: Vec<String>,
        state: Vec<u64>,
        levels: Vec<Option<Vec<LevelArg>>>,
    ) -> PyResult<Self> {
        let source = |(id, price_exp, qty_exp)| Source {
            id,
            grid: Grid { price_exp, qty_exp },
        };
        let sources = sources.into_iter().map(source).collect();
        let inner = FeatureSet::with_sources(feature_specs(specs)?, sources, series);
        let mut inner = inner.map_err(value_error)?;
        inner.load(&state).map_err(value_error)?;
        let books = levels.into_iter().map(|rows| {
            let mut book = Book::new();
            let rows = rows.unwrap_or_default();
            let last = rows.len();
            for (index, (is_bid, px, qty)) in rows.into_iter().enumerate() {
                let side = if is_bid { Side::Buy } else { Side::Sell };
                let mark = if index + 1 == last { flags::LAST } else { 0 };
                book.on_delta(side, Px(px), Qty(qty), flags::SNAPSHOT | mark);
            }
            book
        });
        Ok(Self {
            inner,
            books: books.collect(),
        })
    }
}
