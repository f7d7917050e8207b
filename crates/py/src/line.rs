//! `Line`: the recorded line, one call per wake-up.

mod account;
mod deleverage;
mod sending;
mod simulator;
mod streams;

use std::collections::{BTreeMap, BTreeSet};

use cq_ledger::{Transfer, Valuation, Wallet};
use cq_line::{Deposit, Line, Setup};
use cq_sim::{Amendment, Request, TriggerBy};
use cq_strategies::Built;
use cq_types::{Px, Qty, Side, Ts};
use numpy::{IntoPyArray, PyArray1, PyArray2, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyTuple};
use rust_decimal::Decimal;

use crate::arguments::{
    code, error, leg, order_type, parts, said, Allocations, CapitalArg, WalletArg,
};
use crate::features::{feature_specs, SpecArg};
use crate::instrument::PyInstrument;
use crate::quotes::PyLiveQuotes;
use crate::sim::{sim_config, venue_configs};

/// Events run before the interpreter is let go: a hop that ends sooner is not worth it.
const SHORT_HOP: usize = 256;

/// What [`PyLine::next`] returns where it cannot go on without the next part of a stream.
const WANTS_DATA: u8 = 6;

/// Times and the features known at each.
type Table<'py> = (Bound<'py, PyArray1<i64>>, Bound<'py, PyArray2<f64>>);

/// One segment of the recorded line.
#[pyclass(name = "Line", module = "crypto_quant._native")]
pub struct PyLine {
    inner: Line,
    /// A strategy in Rust that waits for data.
    strategy: Option<Built>,
    /// The instruments in hedge mode: an order in one names its leg.
    legs: BTreeSet<u16>,
    /// How many features there are.
    width: usize,
    values: Py<PyArray1<f64>>,
    view: Py<PyAny>,
}

#[pymethods]
impl PyLine {
    #[new]
    #[pyo3(signature = (instruments, sleeves, features, series, *, grid_ns, start, end, sim=None,
                        wallets=Vec::new(), capital=Vec::new(), valuation="USDT".to_owned(),
                        at_par=Vec::new(), sample_ns=3_600_000_000_000,
                        venues=BTreeMap::new(), hedged=Vec::new(), prices=BTreeMap::new()))]
    #[allow(clippy::too_many_arguments)] // keyword arguments of one Python call
    fn new(
        py: Python<'_>,
        instruments: Vec<PyRef<'_, PyInstrument>>,
        sleeves: Vec<String>,
        features: Vec<SpecArg>,
        series: Vec<String>,
        grid_ns: Ts,
        start: Ts,
        end: Ts,
        sim: Option<&Bound<'_, PyDict>>,
        wallets: Vec<WalletArg>,
        capital: Vec<CapitalArg>,
        valuation: String,
        at_par: Vec<String>,
        sample_ns: Ts,
        venues: BTreeMap<String, Bound<'_, PyDict>>,
        hedged: Vec<[u16; 2]>,
        prices: BTreeMap<String, Decimal>,
    ) -> PyResult<Self> {
        let wallet = |(name, assets, instruments)| Wallet {
            name,
            assets,
            instruments,
        };
        let deposit = |(sleeve, wallet, asset, amount)| Deposit {
            sleeve,
            wallet,
            asset,
            amount,
        };
        let legs = hedged.iter().flatten().copied().collect();
        let inner = Line::new(Setup {
            instruments: instruments.iter().map(|i| i.inner.clone()).collect(),
            sleeves,
            wallets: wallets.into_iter().map(wallet).collect(),
            valuation: Valuation {
                asset: valuation,
                at_par,
            },
            features: feature_specs(features)?,
            series,
            grid: grid_ns,
            sample: sample_ns,
            start,
            end,
            sim: sim.map(sim_config).transpose()?,
            venues: venue_configs(&venues)?,
            hedged,
            capital: capital.into_iter().map(deposit).collect(),
            prices,
        })
        .map_err(error)?;
        let width = inner.feature_names().len();
        let values = vec![f64::NAN; width].into_pyarray(py);
        let view = values.call_method0("view")?;
        let settings = PyDict::new(py);
        settings.set_item("write", false)?;
        view.call_method("setflags", (), Some(&settings))?;
        Ok(Self {
            inner,
            strategy: None,
            legs,
            width,
            values: values.unbind(),
            view: view.unbind(),
        })
    }

    fn adopt(&mut self, before: &Bound<'_, Self>) -> PyResult<()> {
        let mut before = before.try_borrow_mut()?;
        self.inner.adopt(&mut before.inner).map_err(error)
    }

    fn next(&mut self, py: Python<'_>) -> PyResult<u8> {
        let line = &mut self.inner;
        let mut wake = line.advance(SHORT_HOP).map_err(error)?;
        while wake.is_none() && line.wants().is_none() {
            wake = py.detach(|| line.advance(usize::MAX)).map_err(error)?;
        }
        let Some(wake) = wake else {
            return Ok(WANTS_DATA);
        };
        if wake.is_some() && self.width > 0 {
            let mut values = self.values.bind(py).try_readwrite()?;
            self.inner.write_features(values.as_slice_mut()?);
        }
        Ok(code(wake))
    }

    fn research<'py>(&mut self, py: Python<'py>) -> PyResult<Table<'py>> {
        let line = &mut self.inner;
        let width = line.feature_names().len();
        let (times, rows) = py.detach(|| line.research()).map_err(error)?;
        let shape = [times.len(), width];
        let rows = rows.into_pyarray(py).reshape(shape)?;
        Ok((times.into_pyarray(py), rows))
    }

    #[getter]
    fn now(&self) -> Ts {
        self.inner.now()
    }

    #[getter]
    fn seq(&self) -> u64 {
        self.inner.seq()
    }

    #[getter]
    fn gap(&self) -> Option<u16> {
        self.inner.gap()
    }

    #[getter]
    fn features(&self, py: Python<'_>) -> Py<PyAny> {
        self.view.clone_ref(py)
    }

    #[getter]
    fn feature_names(&self) -> Vec<String> {
        self.inner.feature_names()
    }

    #[pyo3(signature = (order_id, instrument, is_buy, quantity, type_code, price, stop, reduce_only,
                        allocations, tif=0, by_mark=false, callback_ppm=0, close_position=false,
                        position_side=0))]
    #[allow(clippy::too_many_arguments)] // the fields of one order
    #[allow(clippy::fn_params_excessive_bools)] // as they are in Python
    fn place(
        &mut self,
        order_id: u64,
        instrument: u16,
        is_buy: bool,
        quantity: i64,
        type_code: u8,
        price: Option<i64>,
        stop: Option<i64>,
        reduce_only: bool,
        allocations: Allocations,
        tif: u8,
        by_mark: bool,
        callback_ppm: u32,
        close_position: bool,
        position_side: i8,
    ) -> PyResult<()> {
        let (kind, tif) = order_type(type_code, tif)?;
        let side = if is_buy { Side::Buy } else { Side::Sell };
        let request = Request {
            kind,
            tif,
            price: price.map(Px),
            stop: stop.map(Px),
            trigger_by: if by_mark {
                TriggerBy::Mark
            } else {
                TriggerBy::Last
            },
            callback_ppm,
            reduce_only,
            close_position,
            position_side: leg(position_side)?,
            ..Request::market(order_id, instrument, side, Qty(quantity))
        };
        self.inner.place(request, parts(allocations)).map_err(error)
    }

    fn cancel(&mut self, order_id: u64) -> PyResult<()> {
        self.inner.cancel(order_id).map_err(error)
    }

    #[pyo3(signature = (order_id, price, quantity, stop=None))]
    fn amend(
        &mut self,
        order_id: u64,
        price: Option<i64>,
        quantity: i64,
        stop: Option<i64>,
    ) -> PyResult<()> {
        let to = Amendment {
            price: price.map(Px),
            qty: Qty(quantity),
            stop: stop.map(Px),
        };
        self.inner.amend(order_id, to).map_err(error)
    }

    fn wake_at(&mut self, ts: Ts) -> PyResult<()> {
        self.inner.wake_at(ts).map_err(error)
    }

    #[pyo3(signature = (sleeve, source, target, asset, amount, fee=None))]
    fn transfer(
        &mut self,
        sleeve: usize,
        source: usize,
        target: usize,
        asset: &str,
        amount: Decimal,
        fee: Option<Decimal>,
    ) -> PyResult<u64> {
        let fee = fee.unwrap_or_else(|| self.inner.transfer_fee(source, asset));
        let transfer = Transfer {
            ts: self.inner.now(),
            from: source,
            to: target,
            asset,
            amount,
            fee,
            sleeve,
        };
        self.inner.transfer(transfer).map_err(error)
    }

    fn internal_cross(
        &mut self,
        instrument: u16,
        px: i64,
        allocations: Allocations,
    ) -> PyResult<()> {
        let allocations = parts(allocations);
        let crossed = self.inner.internal_cross(instrument, Px(px), &allocations);
        crossed.map_err(error)
    }

    fn set_leverage(&mut self, instrument: u16, leverage: u16) -> PyResult<()> {
        self.inner.set_leverage(instrument, leverage).map_err(error)
    }

    #[pyo3(signature = (quotes=None))]
    fn answers<'py>(
        &mut self,
        py: Python<'py>,
        quotes: Option<&Bound<'py, PyLiveQuotes>>,
    ) -> PyResult<Vec<Bound<'py, PyTuple>>> {
        let heard = self.inner.take_answers();
        if heard.is_empty() {
            return Ok(Vec::new());
        }
        let mut others = heard;
        if let Some(quotes) = quotes {
            others = quotes.try_borrow_mut()?.hear(others)?;
            if others.is_empty() {
                return Ok(Vec::new());
            }
        }
        let nothing = Decimal::ZERO.into_pyobject(py)?.into_any();
        others
            .iter()
            .map(|event| said(py, event, &nothing))
            .collect()
    }
}
