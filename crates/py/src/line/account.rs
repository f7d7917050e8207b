//! What a line tells of prices, money and positions.

use std::collections::BTreeMap;

use cq_ledger::approx;
use cq_types::{Side, Ts};
use numpy::{IntoPyArray, PyArray2, PyArrayMethods};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use rust_decimal::Decimal;

use super::PyLine;
use crate::arguments::ledger_error;
use crate::tables;

#[pymethods]
impl PyLine {
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

    fn levels<'py>(
        &self,
        py: Python<'py>,
        instrument: u16,
        count: usize,
    ) -> PyResult<Option<[Bound<'py, PyArray2<i64>>; 2]>> {
        let Some(book) = self.inner.book(instrument) else {
            return Ok(None);
        };
        let side = |side| {
            let levels = book.levels(side, count);
            let flat: Vec<i64> = levels.flat_map(|(px, qty)| [px.0, qty.0]).collect();
            let rows = flat.len() / 2;
            flat.into_pyarray(py).reshape([rows, 2])
        };
        Ok(Some([side(Side::Buy)?, side(Side::Sell)?]))
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

    fn in_flight(&self, wallet: usize, asset: &str) -> PyResult<Decimal> {
        let ledger = self.inner.ledger();
        ledger.in_flight(wallet, asset).map_err(ledger_error)
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
            ("leverage_pnl", margin.leverage_pnl().map_err(ledger_error)?),
        ]))
    }

    fn fills<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        tables::fills(py, self.inner.fills(), self.inner.ledger())
    }

    fn orders<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        tables::orders(py, self.inner.orders(), self.inner.ledger())
    }

    fn liquidations<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        tables::liquidations(py, self.inner.liquidations())
    }

    fn conversions<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        tables::conversions(py, self.inner.conversions())
    }

    fn transfers<'py>(&self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        tables::transfers(py, self.inner.transfers(), self.inner.ledger())
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
