//! `Ledger`: money and positions, for live use and for tests in Python; `prorate`.

use std::sync::Arc;

use cq_ledger::{
    fee, prorate, Fill, Funding, Ledger, LedgerError, Position, Transfer, Valuation, Wallet,
};
use cq_types::{Instrument, InstrumentIdx, Px, Qty, Ts};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use rust_decimal::Decimal;

use crate::instrument::PyInstrument;

type PartsRow = (
    Decimal,
    Decimal,
    Decimal,
    Decimal,
    Decimal,
    Decimal,
    Decimal,
);
type FlowRow = (Ts, usize, usize, String, Decimal, Decimal);
type LegRow = (InstrumentIdx, i64, Decimal, Decimal);
type OutcomeRow = (Decimal, Decimal, Decimal, Decimal, Decimal);
type TripRow = (usize, String, Ts, Ts, Vec<LegRow>, OutcomeRow);
type MarginRow = (Decimal, Decimal, Decimal, Decimal, Decimal, Decimal);

/// Native twin of `core.ledger.Ledger`.
#[pyclass(name = "Ledger", module = "crypto_quant._native")]
pub struct PyLedger {
    inner: Ledger,
}

fn value_error(error: LedgerError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

fn row(position: Position) -> (i64, Decimal) {
    (position.qty.0, position.cost)
}

fn allocations(rows: Vec<(usize, i64)>) -> Vec<(usize, Qty)> {
    rows.into_iter().map(|(s, q)| (s, Qty(q))).collect()
}

/// Parts of one partial fill, from the parts of its order.
#[pyfunction(name = "prorate")]
pub fn py_prorate(order: Vec<(usize, i64)>, filled: i64, qty: i64) -> PyResult<Vec<(usize, i64)>> {
    let parts = prorate(&allocations(order), Qty(filled), Qty(qty)).map_err(value_error)?;
    Ok(parts.into_iter().map(|(s, q)| (s, q.0)).collect())
}

#[pymethods]
impl PyLedger {
    #[new]
    fn new(
        instruments: Vec<PyRef<'_, PyInstrument>>,
        sleeves: Vec<String>,
        wallets: Vec<(String, Vec<String>, Vec<InstrumentIdx>)>,
        asset: String,
        at_par: Vec<String>,
    ) -> PyResult<Self> {
        let instruments: Arc<[Instrument]> = instruments.iter().map(|i| i.inner.clone()).collect();
        let wallets = wallets
            .into_iter()
            .map(|(name, assets, instruments)| Wallet {
                name,
                assets,
                instruments,
            });
        let valuation = Valuation { asset, at_par };
        let made = Ledger::new(instruments, sleeves, wallets.collect(), &valuation);
        Ok(Self {
            inner: made.map_err(value_error)?,
        })
    }

    /// Chooses the leverage of an instrument.
    fn set_leverage(&mut self, instrument: InstrumentIdx, leverage: u16) -> PyResult<()> {
        let done = self.inner.set_leverage(instrument, leverage);
        done.map_err(value_error)
    }

    /// Books money from outside.
    fn deposit(
        &mut self,
        ts: Ts,
        sleeve: usize,
        wallet: usize,
        asset: &str,
        amount: Decimal,
    ) -> PyResult<()> {
        let done = self.inner.deposit(ts, sleeve, wallet, asset, amount);
        done.map_err(value_error)
    }

    /// Books money that left.
    fn withdraw(
        &mut self,
        ts: Ts,
        sleeve: usize,
        wallet: usize,
        asset: &str,
        amount: Decimal,
    ) -> PyResult<()> {
        let done = self.inner.withdraw(ts, sleeve, wallet, asset, amount);
        done.map_err(value_error)
    }

    /// Moves money between two wallets.
    fn transfer(
        &mut self,
        sleeve: usize,
        source: usize,
        target: usize,
        asset: &str,
        amount: Decimal,
        fee: Decimal,
    ) -> PyResult<()> {
        let done = self.inner.transfer(Transfer {
            ts: 0,
            from: source,
            to: target,
            asset,
            amount,
            fee,
            sleeve,
        });
        done.map_err(value_error)
    }

    /// Books a fill and its parts.
    #[allow(clippy::too_many_arguments)] // the fields of one fill
    fn apply_fill(
        &mut self,
        ts: Ts,
        instrument: InstrumentIdx,
        px: i64,
        qty: i64,
        fee: Decimal,
        reference: i64,
        impact: Decimal,
        parts: Vec<(usize, i64)>,
    ) -> PyResult<()> {
        let fill = Fill {
            ts,
            instrument,
            px: Px(px),
            qty: Qty(qty),
            fee,
            reference: Px(reference),
            impact,
        };
        let done = self.inner.apply_fill(&fill, &allocations(parts));
        done.map(|_| ()).map_err(value_error)
    }

    /// Books a trade of the sleeves with each other.
    fn internal_cross(
        &mut self,
        ts: Ts,
        instrument: InstrumentIdx,
        px: i64,
        parts: Vec<(usize, i64)>,
    ) -> PyResult<()> {
        let parts = allocations(parts);
        let done = self.inner.internal_cross(ts, instrument, Px(px), &parts);
        done.map_err(value_error)
    }

    /// Computes and books one funding settlement.
    fn apply_funding(
        &mut self,
        ts: Ts,
        instrument: InstrumentIdx,
        rate: Decimal,
        mark: i64,
    ) -> PyResult<Decimal> {
        let done = self.inner.apply_funding(&Funding {
            ts,
            instrument,
            rate,
            mark: Px(mark),
        });
        done.map_err(value_error)
    }

    /// Books a settlement as the venue stated it.
    fn book_funding(
        &mut self,
        ts: Ts,
        instrument: InstrumentIdx,
        amount: Decimal,
        rate: Decimal,
    ) -> PyResult<()> {
        let done = self.inner.book_funding(ts, instrument, amount, rate);
        done.map_err(value_error)
    }

    /// Takes note of a mark.
    fn mark(&mut self, instrument: InstrumentIdx, px: i64) -> PyResult<()> {
        self.inner.mark(instrument, Px(px)).map_err(value_error)
    }

    /// Fee of a fill in the settle asset.
    fn fee(
        &self,
        instrument: InstrumentIdx,
        px: i64,
        qty: i64,
        is_taker: bool,
        ts: Ts,
    ) -> PyResult<Decimal> {
        let rules = self.inner.instruments().get(usize::from(instrument));
        let rules = rules.ok_or(LedgerError::UnknownInstrument(instrument));
        let paid = rules.and_then(|rules| fee(rules, Px(px), Qty(qty), is_taker, ts));
        paid.map_err(value_error)
    }

    /// Equity of the account.
    fn equity(&self) -> PyResult<Decimal> {
        self.inner.equity().map_err(value_error)
    }

    /// Equity of a sleeve.
    fn sleeve_equity(&self, sleeve: usize) -> PyResult<Decimal> {
        self.inner.sleeve_equity(sleeve).map_err(value_error)
    }

    /// External cash flows of a sleeve.
    fn deposits(&self, sleeve: usize) -> PyResult<Decimal> {
        self.inner.deposits(sleeve).map_err(value_error)
    }

    /// Price, funding, basis, fees, spread, impact, transfer fees.
    fn attribution(&self, sleeve: usize) -> PyResult<PartsRow> {
        let a = self.inner.attribution(sleeve).map_err(value_error)?;
        Ok((
            a.price,
            a.funding,
            a.basis,
            a.fees,
            a.spread,
            a.impact,
            a.transfer_fees,
        ))
    }

    /// Quantity and cost of the account.
    fn position(&self, instrument: InstrumentIdx) -> (i64, Decimal) {
        row(self.inner.position(instrument))
    }

    /// Quantity and cost of a sleeve.
    fn sleeve_position(&self, sleeve: usize, instrument: InstrumentIdx) -> (i64, Decimal) {
        row(self.inner.sleeve_position(sleeve, instrument))
    }

    /// Balance of the account.
    fn balance(&self, wallet: usize, asset: &str) -> PyResult<Decimal> {
        self.inner.balance(wallet, asset).map_err(value_error)
    }

    /// Balance of a sleeve.
    fn sleeve_balance(&self, sleeve: usize, wallet: usize, asset: &str) -> PyResult<Decimal> {
        let held = self.inner.sleeve_balance(sleeve, wallet, asset);
        held.map_err(value_error)
    }

    /// Balance, unrealised, margin balance, initial, maintenance, available.
    fn margin(&self, wallet: usize, asset: &str, ts: Ts) -> PyResult<MarginRow> {
        let m = self.inner.margin(wallet, asset, ts).map_err(value_error)?;
        Ok((
            m.balance,
            m.unrealised,
            m.margin_balance,
            m.initial,
            m.maintenance,
            m.available,
        ))
    }

    /// Closed round trips: sleeve, base, entry, exit, legs, outcome.
    fn round_trips(&self) -> Vec<TripRow> {
        let trips = self.inner.round_trips().iter().map(|trip| {
            let legs = trip.legs.iter();
            let legs = legs.map(|l| (l.instrument, l.qty.0, l.entry_price, l.exit_price));
            let (base, legs, o) = (trip.base.clone(), legs.collect(), trip.outcome);
            let outcome = (o.pnl, o.fees, o.funding, o.spread, o.impact);
            (
                trip.sleeve,
                base,
                trip.entry_ts,
                trip.exit_ts,
                legs,
                outcome,
            )
        });
        trips.collect()
    }

    /// External cash flows: time, sleeve, wallet, asset, amount, value.
    fn flows(&self) -> Vec<FlowRow> {
        let flows = self.inner.flows().iter();
        let rows = flows.map(|f| (f.ts, f.sleeve, f.wallet, f.asset.clone(), f.amount, f.value));
        rows.collect()
    }
}
