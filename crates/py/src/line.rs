//! `Line`: the recorded line, one call per wake-up.

use std::collections::BTreeMap;

use cq_ledger::{approx, Transfer, Valuation, Wallet};
use cq_line::{Columns, Deposit, Line, Setup, Stamps, Stream};
use cq_sim::Request;
use cq_types::{Px, Qty, Side, Ts};
use numpy::{IntoPyArray, PyArray1, PyArray2, PyArrayMethods, PyReadonlyArray1};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use rust_decimal::Decimal;

use crate::arguments::{
    answer, code, error, ints, ledger_error, order_type, parts, signs, sim_config, stamps,
    Allocations, Answer, CapitalArg, Flags, Ints, WalletArg,
};
use crate::features::{feature_specs, SpecArg};
use crate::instrument::PyInstrument;
use crate::tables;

/// Events run before the interpreter is let go: a hop that ends sooner is not worth it.
const SHORT_HOP: usize = 256;

/// Times and the features known at each.
type Table<'py> = (Bound<'py, PyArray1<i64>>, Bound<'py, PyArray2<f64>>);

/// One segment of the recorded line.
#[pyclass(name = "Line", module = "crypto_quant._native")]
pub struct PyLine {
    inner: Line,
    values: Py<PyArray1<f64>>,
    view: Py<PyAny>,
}

impl PyLine {
    fn add(&mut self, instrument: u16, stamps: Stamps, columns: Columns) -> PyResult<()> {
        let stream = Stream::new(instrument, stamps, columns).map_err(error)?;
        self.inner.add(stream).map_err(error)
    }
}

#[pymethods]
impl PyLine {
    #[new]
    #[pyo3(signature = (instruments, sleeves, features, series, *, grid_ns, start, end, sim=None,
                        wallets=Vec::new(), capital=Vec::new(), valuation="USDT".to_owned(),
                        at_par=Vec::new(), sample_ns=3_600_000_000_000))]
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
            capital: capital.into_iter().map(deposit).collect(),
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
            values: values.unbind(),
            view: view.unbind(),
        })
    }

    #[pyo3(signature = (instrument, interval_ns, ts_event, ts_recv, open, high, low, close, volume,
                        count=None, taker_buy=None, flags=None))]
    #[allow(clippy::too_many_arguments)] // one argument a column
    fn add_bars(
        &mut self,
        instrument: u16,
        interval_ns: Ts,
        ts_event: Ints<'_>,
        ts_recv: Ints<'_>,
        open: Ints<'_>,
        high: Ints<'_>,
        low: Ints<'_>,
        close: Ints<'_>,
        volume: Ints<'_>,
        count: Option<Ints<'_>>,
        taker_buy: Option<Ints<'_>>,
        flags: Flags<'_>,
    ) -> PyResult<()> {
        let columns = Columns::Bars {
            interval: interval_ns,
            prices: [ints(&open)?, ints(&high)?, ints(&low)?, ints(&close)?],
            volume: ints(&volume)?,
            count: count.as_ref().map(ints).transpose()?,
            taker_buy: taker_buy.as_ref().map(ints).transpose()?,
        };
        self.add(instrument, stamps(&ts_event, &ts_recv, flags)?, columns)
    }

    #[pyo3(signature = (instrument, ts_event, ts_recv, id, px, qty, side, flags=None))]
    #[allow(clippy::too_many_arguments)] // one argument a column
    fn add_trades(
        &mut self,
        instrument: u16,
        ts_event: Ints<'_>,
        ts_recv: Ints<'_>,
        id: Ints<'_>,
        px: Ints<'_>,
        qty: Ints<'_>,
        side: PyReadonlyArray1<'_, i8>,
        flags: Flags<'_>,
    ) -> PyResult<()> {
        let columns = Columns::Trades {
            id: ints(&id)?,
            px: ints(&px)?,
            qty: ints(&qty)?,
            side: signs(&side)?,
        };
        self.add(instrument, stamps(&ts_event, &ts_recv, flags)?, columns)
    }

    #[pyo3(signature = (instrument, ts_event, ts_recv, side, px, qty, flags=None))]
    #[allow(clippy::too_many_arguments)] // one argument a column
    fn add_deltas(
        &mut self,
        instrument: u16,
        ts_event: Ints<'_>,
        ts_recv: Ints<'_>,
        side: PyReadonlyArray1<'_, i8>,
        px: Ints<'_>,
        qty: Ints<'_>,
        flags: Flags<'_>,
    ) -> PyResult<()> {
        let columns = Columns::Deltas {
            side: signs(&side)?,
            px: ints(&px)?,
            qty: ints(&qty)?,
        };
        self.add(instrument, stamps(&ts_event, &ts_recv, flags)?, columns)
    }

    #[pyo3(signature = (instrument, ts_event, ts_recv, bid, bid_qty, ask, ask_qty, flags=None))]
    #[allow(clippy::too_many_arguments)] // one argument a column
    fn add_quotes(
        &mut self,
        instrument: u16,
        ts_event: Ints<'_>,
        ts_recv: Ints<'_>,
        bid: Ints<'_>,
        bid_qty: Ints<'_>,
        ask: Ints<'_>,
        ask_qty: Ints<'_>,
        flags: Flags<'_>,
    ) -> PyResult<()> {
        let columns = Columns::Quotes([ints(&bid)?, ints(&bid_qty)?, ints(&ask)?, ints(&ask_qty)?]);
        self.add(instrument, stamps(&ts_event, &ts_recv, flags)?, columns)
    }

    #[pyo3(signature = (instrument, ts_event, ts_recv, mark, flags=None))]
    fn add_marks(
        &mut self,
        instrument: u16,
        ts_event: Ints<'_>,
        ts_recv: Ints<'_>,
        mark: Ints<'_>,
        flags: Flags<'_>,
    ) -> PyResult<()> {
        let columns = Columns::Marks(ints(&mark)?);
        self.add(instrument, stamps(&ts_event, &ts_recv, flags)?, columns)
    }

    #[pyo3(signature = (instrument, ts_event, ts_recv, rate, rate_exp, flags=None))]
    fn add_funding(
        &mut self,
        instrument: u16,
        ts_event: Ints<'_>,
        ts_recv: Ints<'_>,
        rate: Ints<'_>,
        rate_exp: u32,
        flags: Flags<'_>,
    ) -> PyResult<()> {
        let columns = Columns::Funding {
            rate: ints(&rate)?,
            exp: rate_exp,
        };
        self.add(instrument, stamps(&ts_event, &ts_recv, flags)?, columns)
    }

    fn add_external(
        &mut self,
        series: u16,
        ts_event: Ints<'_>,
        ts_recv: Ints<'_>,
        values: PyReadonlyArray1<'_, f64>,
    ) -> PyResult<()> {
        let columns = Columns::External {
            series,
            values: values.as_slice()?.to_vec(),
        };
        self.add(0, stamps(&ts_event, &ts_recv, None)?, columns)
    }

    fn add_gaps(&mut self, instrument: u16, ts_event: Ints<'_>, ts_recv: Ints<'_>) -> PyResult<()> {
        self.add(
            instrument,
            stamps(&ts_event, &ts_recv, None)?,
            Columns::Gaps,
        )
    }

    fn adopt(&mut self, before: &Bound<'_, Self>) -> PyResult<()> {
        let mut before = before.try_borrow_mut()?;
        self.inner.adopt(&mut before.inner).map_err(error)
    }

    fn next(&mut self, py: Python<'_>) -> PyResult<u8> {
        let line = &mut self.inner;
        let wake = match line.advance(SHORT_HOP).map_err(error)? {
            Some(wake) => wake,
            None => py.detach(|| loop {
                if let Some(wake) = line.advance(usize::MAX).map_err(error)? {
                    return Ok::<_, PyErr>(wake);
                }
            })?,
        };
        if wake.is_some() {
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
                        allocations, ioc=false))]
    #[allow(clippy::too_many_arguments)] // the fields of one order
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
        ioc: bool,
    ) -> PyResult<()> {
        let request = Request {
            id: order_id,
            instrument,
            side: if is_buy { Side::Buy } else { Side::Sell },
            qty: Qty(quantity),
            kind: order_type(type_code)?,
            price: price.map(Px),
            stop: stop.map(Px),
            reduce_only,
            ioc,
        };
        self.inner.place(request, parts(allocations)).map_err(error)
    }

    fn cancel(&mut self, order_id: u64) -> PyResult<()> {
        self.inner.cancel(order_id).map_err(error)
    }

    #[pyo3(signature = (sleeve, source, target, asset, amount, fee=Decimal::ZERO))]
    fn transfer(
        &mut self,
        sleeve: usize,
        source: usize,
        target: usize,
        asset: &str,
        amount: Decimal,
        fee: Decimal,
    ) -> PyResult<()> {
        let transfer = Transfer {
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

    fn answers(&mut self) -> Vec<Answer> {
        self.inner.take_answers().iter().map(answer).collect()
    }

    fn last_price(&self, instrument: u16) -> Option<i64> {
        self.inner.last_price(instrument).map(|px| px.0)
    }

    fn px(&self, instrument: u16) -> i64 {
        self.inner.last_price(instrument).map_or(0, |px| px.0)
    }

    fn day_volume(&self, instrument: u16) -> i64 {
        self.inner.day_volume(instrument)
    }

    fn price_age(&self, instrument: u16) -> Option<Ts> {
        self.inner.price_age(instrument)
    }

    fn mark(&self, instrument: u16) -> Option<i64> {
        self.inner.ledger().mark_of(instrument).map(|px| px.0)
    }

    fn top(&self, instrument: u16) -> Option<(i64, i64, i64, i64)> {
        let [bid, ask] = self.inner.top(instrument)?;
        Some((bid.0 .0, bid.1 .0, ask.0 .0, ask.1 .0))
    }

    fn position(&self, instrument: u16) -> i64 {
        self.inner.ledger().position(instrument).qty.0
    }

    fn sleeve_position(&self, sleeve: usize, instrument: u16) -> i64 {
        let ledger = self.inner.ledger();
        ledger.sleeve_position(sleeve, instrument).qty.0
    }

    fn positions(&self, sleeve: usize) -> Vec<i64> {
        let ledger = self.inner.ledger();
        (0..)
            .zip(ledger.instruments())
            .map(|(index, _)| ledger.sleeve_position(sleeve, index).qty.0)
            .collect()
    }

    fn entry_price(&self, sleeve: usize, instrument: u16) -> Option<Decimal> {
        let ledger = self.inner.ledger();
        let traded = ledger.instruments().get(usize::from(instrument))?;
        ledger
            .sleeve_position(sleeve, instrument)
            .entry_price(traded)
    }

    fn entry_price_approx(&self, sleeve: usize, instrument: u16) -> f64 {
        let ledger = self.inner.ledger();
        let traded = ledger.instruments().get(usize::from(instrument));
        let position = ledger.sleeve_position(sleeve, instrument);
        traded.map_or(f64::NAN, |traded| position.entry_price_approx(traded))
    }

    fn equity(&self) -> PyResult<Decimal> {
        self.inner.ledger().equity().map_err(ledger_error)
    }

    fn equity_approx(&self) -> PyResult<f64> {
        self.inner.ledger().equity_approx().map_err(ledger_error)
    }

    fn sleeve_equity(&self, sleeve: usize) -> PyResult<Decimal> {
        let equity = self.inner.ledger().sleeve_equity(sleeve);
        equity.map_err(ledger_error)
    }

    fn sleeve_equity_approx(&self, sleeve: usize) -> PyResult<f64> {
        let equity = self.inner.ledger().sleeve_equity_approx(sleeve);
        equity.map_err(ledger_error)
    }

    fn attribution(&self, sleeve: usize) -> PyResult<BTreeMap<&'static str, Decimal>> {
        let ledger = self.inner.ledger();
        let part = ledger.attribution(sleeve).map_err(ledger_error)?;
        Ok(BTreeMap::from([
            ("price", part.price),
            ("funding", part.funding),
            ("basis", part.basis),
            ("fees", part.fees),
            ("spread", part.spread),
            ("impact", part.impact),
            ("transfer_fees", part.transfer_fees),
        ]))
    }

    fn balance(&self, wallet: usize, asset: &str) -> PyResult<Decimal> {
        let balance = self.inner.ledger().balance(wallet, asset);
        balance.map_err(ledger_error)
    }

    fn sleeve_balance(&self, sleeve: usize, wallet: usize, asset: &str) -> PyResult<Decimal> {
        let ledger = self.inner.ledger();
        let balance = ledger.sleeve_balance(sleeve, wallet, asset);
        balance.map_err(ledger_error)
    }

    fn sleeve_balance_approx(&self, sleeve: usize, wallet: usize, asset: &str) -> PyResult<f64> {
        Ok(approx(self.sleeve_balance(sleeve, wallet, asset)?))
    }

    fn sleeve_margin_approx(&self, sleeve: usize, wallet: usize, asset: &str) -> PyResult<f64> {
        let price = |i: usize| self.inner.last_price(u16::try_from(i).ok()?);
        let ledger = self.inner.ledger();
        let margin = ledger.margin_balance_approx(sleeve, wallet, asset, price);
        margin.map_err(ledger_error)
    }

    fn margin(&self, wallet: usize, asset: &str) -> PyResult<BTreeMap<&'static str, Decimal>> {
        let margin = self
            .inner
            .ledger()
            .margin(wallet, asset, self.inner.now())
            .map_err(ledger_error)?;
        Ok(BTreeMap::from([
            ("balance", margin.balance),
            ("unrealised", margin.unrealised),
            ("margin_balance", margin.margin_balance),
            ("initial", margin.initial),
            ("maintenance", margin.maintenance),
            ("available", margin.available),
        ]))
    }

    fn fills<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        tables::fills(py, self.inner.fills(), self.inner.ledger())
    }

    fn orders<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        tables::orders(py, self.inner.orders(), self.inner.ledger())
    }

    fn equity_rows<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        tables::rows(py, self.inner.rows())
    }

    fn round_trips<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        tables::round_trips(py, self.inner.ledger())
    }

    fn flows<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        tables::flows(py, self.inner.ledger())
    }
}
