//! Records of a line as columns: int64 arrays, lists of texts, and money as the bytes of
//! little-endian `decimal128(38, 18)`, which Arrow reads without a copy.

use cq_ledger::{Ledger, Share};
use cq_line::{ConversionRow, FillRow, LiquidationRow, OrderRow, Rows, TransferRow};
use cq_sim::{OrderType, Request, TimeInForce};
use cq_types::Px;
use numpy::IntoPyArray;
use pyo3::exceptions::PyRuntimeError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};
use rust_decimal::Decimal;

/// A price that an order does not have.
const NONE: i64 = i64::MIN;

type Table<'py> = PyResult<Bound<'py, PyDict>>;

/// What was paid of one kind of cost.
type Paid = fn(&Share) -> Decimal;

struct Columns<'py> {
    out: Bound<'py, PyDict>,
}

impl<'py> Columns<'py> {
    fn new(py: Python<'py>) -> Self {
        Self {
            out: PyDict::new(py),
        }
    }

    fn ints(&self, name: &str, values: impl Iterator<Item = i64>) -> PyResult<()> {
        let column: Vec<i64> = values.collect();
        self.out.set_item(name, column.into_pyarray(self.out.py()))
    }

    fn texts<'a>(&self, name: &str, values: impl Iterator<Item = &'a str>) -> PyResult<()> {
        self.out.set_item(name, values.collect::<Vec<_>>())
    }

    fn money(&self, name: &str, values: impl Iterator<Item = Decimal>) -> PyResult<()> {
        let column = values.map(|value| {
            Rows::scaled(value).map_err(|e| PyRuntimeError::new_err(format!("{name}: {e}")))
        });
        self.scaled(name, &column.collect::<PyResult<Vec<i128>>>()?)
    }

    fn scaled(&self, name: &str, values: &[i128]) -> PyResult<()> {
        let bytes: Vec<u8> = values.iter().flat_map(|v| v.to_le_bytes()).collect();
        self.out.set_item(name, PyBytes::new(self.out.py(), &bytes))
    }

    /// What each sleeve asked for in the orders.
    fn parts(&self, ledger: &Ledger, rows: &[OrderRow]) -> PyResult<()> {
        for (index, sleeve) in ledger.sleeves().iter().enumerate() {
            let part = |row: &OrderRow| {
                let own = row.allocations.iter().filter(|(s, _)| *s == index);
                own.map(|(_, qty)| qty.0).sum()
            };
            self.ints(&format!("qty.{sleeve}"), rows.iter().map(part))?;
        }
        Ok(())
    }

    /// What each sleeve had of the fills, as the ledger booked it: costs are positive if paid.
    fn shares(&self, ledger: &Ledger, rows: &[FillRow]) -> PyResult<()> {
        let costs: [(&str, Paid); 3] = [
            ("fee", |share| -share.fee),
            ("spread", |share| -share.spread),
            ("impact", |share| -share.impact),
        ];
        for (index, sleeve) in ledger.sleeves().iter().enumerate() {
            let own = || {
                rows.iter()
                    .map(move |row| row.shares.iter().find(|share| share.sleeve == index))
            };
            let qty = own().map(|share| share.map_or(0, |share| share.qty.0));
            self.ints(&format!("qty.{sleeve}"), qty)?;
            for (cost, of) in costs {
                let paid = own().map(|share| share.map_or(Decimal::ZERO, of));
                self.money(&format!("{cost}.{sleeve}"), paid)?;
            }
        }
        Ok(())
    }
}

fn id(order: u64) -> i64 {
    i64::try_from(order).unwrap_or(i64::MAX)
}

pub(crate) fn fills<'py>(py: Python<'py>, rows: &[FillRow], ledger: &Ledger) -> Table<'py> {
    let table = Columns::new(py);
    table.ints("order_id", rows.iter().map(|r| id(r.order)))?;
    table.ints("ts_event", rows.iter().map(|r| r.ts_event))?;
    table.ints("ts_recv", rows.iter().map(|r| r.ts_recv))?;
    table.ints("instrument", rows.iter().map(|r| r.instrument.into()))?;
    table.ints("side", rows.iter().map(|r| r.side.sign()))?;
    table.ints("px", rows.iter().map(|r| r.px.0))?;
    table.ints("qty", rows.iter().map(|r| r.qty.0))?;
    table.ints("reference", rows.iter().map(|r| r.reference.0))?;
    table.ints("is_taker", rows.iter().map(|r| r.is_taker.into()))?;
    table.money("fee", rows.iter().map(|r| r.fee))?;
    table.money("impact", rows.iter().map(|r| r.impact))?;
    table.texts("tag", rows.iter().map(|r| r.tag))?;
    table.shares(ledger, rows)?;
    Ok(table.out)
}

/// Orders of liquidations and how the insurance fund settled them.
pub(crate) fn liquidations<'py>(py: Python<'py>, rows: &[LiquidationRow]) -> Table<'py> {
    let table = Columns::new(py);
    table.ints("order_id", rows.iter().map(|r| id(r.order)))?;
    table.ints("ts_event", rows.iter().map(|r| r.ts_event))?;
    table.ints("ts_recv", rows.iter().map(|r| r.ts_recv))?;
    table.ints("instrument", rows.iter().map(|r| r.instrument.into()))?;
    table.ints("side", rows.iter().map(|r| r.side.sign()))?;
    table.ints("qty", rows.iter().map(|r| r.qty.0))?;
    table.ints("bankruptcy", rows.iter().map(|r| r.bankruptcy.0))?;
    table.ints("is_takeover", rows.iter().map(|r| r.is_takeover.into()))?;
    table.money("insurance", rows.iter().map(|r| r.insurance))?;
    table.money("deficit", rows.iter().map(|r| r.deficit))?;
    table.ints("is_adl", rows.iter().map(|r| r.is_adl.into()))?;
    Ok(table.out)
}

/// Collateral that the venue converted.
pub(crate) fn conversions<'py>(py: Python<'py>, rows: &[ConversionRow]) -> Table<'py> {
    let table = Columns::new(py);
    table.ints("ts_event", rows.iter().map(|r| r.ts_event))?;
    table.ints("ts_recv", rows.iter().map(|r| r.ts_recv))?;
    table.ints("instrument", rows.iter().map(|r| r.made.instrument.into()))?;
    table.texts("asset", rows.iter().map(|r| r.made.asset.as_str()))?;
    table.money("given", rows.iter().map(|r| r.made.given))?;
    table.money("received", rows.iter().map(|r| r.made.received))?;
    table.money("price", rows.iter().map(|r| r.made.price))?;
    table.texts("cause", rows.iter().map(|r| r.made.cause))?;
    Ok(table.out)
}

/// Money sent between wallets.
pub(crate) fn transfers<'py>(py: Python<'py>, rows: &[TransferRow], ledger: &Ledger) -> Table<'py> {
    let table = Columns::new(py);
    let sleeve = |s: usize| ledger.sleeves().get(s).map_or("", String::as_str);
    let wallet = |w: usize| ledger.wallets().get(w).map_or("", |w| w.name.as_str());
    table.ints("ts", rows.iter().map(|r| r.ts))?;
    table.ints("arrives", rows.iter().map(|r| r.arrives))?;
    table.texts("sleeve", rows.iter().map(|r| sleeve(r.sleeve)))?;
    table.texts("source", rows.iter().map(|r| wallet(r.from)))?;
    table.texts("target", rows.iter().map(|r| wallet(r.to)))?;
    table.texts("asset", rows.iter().map(|r| r.asset.as_str()))?;
    table.money("amount", rows.iter().map(|r| r.amount))?;
    table.money("fee", rows.iter().map(|r| r.fee))?;
    table.texts("status", rows.iter().map(|r| r.status.name()))?;
    table.texts("reason", rows.iter().map(|r| r.reason))?;
    Ok(table.out)
}

pub(crate) fn orders<'py>(py: Python<'py>, rows: &[OrderRow], ledger: &Ledger) -> Table<'py> {
    let table = Columns::new(py);
    let px = |price: Option<Px>| price.map_or(NONE, |px| px.0);
    table.ints("order_id", rows.iter().map(|r| id(r.request.id)))?;
    table.ints("ts", rows.iter().map(|r| r.ts))?;
    let instruments = rows.iter().map(|r| r.request.instrument.into());
    table.ints("instrument", instruments)?;
    table.ints("side", rows.iter().map(|r| r.request.side.sign()))?;
    table.ints("qty", rows.iter().map(|r| r.request.qty.0))?;
    table.ints("price", rows.iter().map(|r| px(r.request.price)))?;
    table.ints("stop", rows.iter().map(|r| px(r.request.stop)))?;
    let reducing = rows.iter().map(|r| r.request.reduce_only.into());
    table.ints("reduce_only", reducing)?;
    table.ints("filled", rows.iter().map(|r| r.filled.0))?;
    table.texts("type", rows.iter().map(|r| type_name(&r.request)))?;
    table.texts("status", rows.iter().map(|r| r.status.name()))?;
    table.texts("reason", rows.iter().map(|r| r.reason))?;
    table.texts("tag", rows.iter().map(|r| r.tag))?;
    table.parts(ledger, rows)?;
    Ok(table.out)
}

fn type_name(request: &Request) -> &'static str {
    let is_market = request.price.is_none();
    match (request.kind, request.tif) {
        (OrderType::Market, _) => "market",
        (OrderType::Limit, TimeInForce::PostOnly) => "post_only",
        (OrderType::Limit, _) => "limit",
        (OrderType::Stop, _) if is_market => "stop_market",
        (OrderType::Stop, _) => "stop",
        (OrderType::TakeProfit, _) if is_market => "take_profit_market",
        (OrderType::TakeProfit, _) => "take_profit",
        (OrderType::TrailingStop, _) => "trailing_stop_market",
    }
}

pub(crate) fn rows<'py>(py: Python<'py>, rows: &Rows) -> Table<'py> {
    let table = Columns::new(py);
    table.ints("ts", rows.ts.iter().copied())?;
    for (name, column) in &rows.money {
        table.scaled(name, column)?;
    }
    for (name, column) in &rows.positions {
        table.ints(name, column.iter().copied())?;
    }
    for (name, column) in &rows.ratios {
        table.out.set_item(name, column.clone().into_pyarray(py))?;
    }
    Ok(table.out)
}

pub(crate) fn round_trips<'py>(py: Python<'py>, ledger: &Ledger) -> Table<'py> {
    let table = Columns::new(py);
    let trips = ledger.round_trips();
    let name = |sleeve: usize| ledger.sleeves().get(sleeve).map_or("", String::as_str);
    table.texts("sleeve", trips.iter().map(|t| name(t.sleeve)))?;
    table.texts("base", trips.iter().map(|t| t.base.as_str()))?;
    table.ints("entry_ts", trips.iter().map(|t| t.entry_ts))?;
    table.ints("exit_ts", trips.iter().map(|t| t.exit_ts))?;
    table.money("pnl", trips.iter().map(|t| t.outcome.pnl))?;
    table.money("fees", trips.iter().map(|t| t.outcome.fees))?;
    table.money("funding", trips.iter().map(|t| t.outcome.funding))?;
    table.money("spread", trips.iter().map(|t| t.outcome.spread))?;
    table.money("impact", trips.iter().map(|t| t.outcome.impact))?;
    let legs = trips.iter().map(|trip| {
        let leg = |l: &cq_ledger::Leg| (l.instrument, l.qty.0, l.entry_price, l.exit_price);
        trip.legs.iter().map(leg).collect::<Vec<_>>()
    });
    table.out.set_item("legs", legs.collect::<Vec<_>>())?;
    Ok(table.out)
}

pub(crate) fn flows<'py>(py: Python<'py>, ledger: &Ledger) -> Table<'py> {
    let table = Columns::new(py);
    let flows = ledger.flows();
    let sleeve = |s: usize| ledger.sleeves().get(s).map_or("", String::as_str);
    let wallet = |w: usize| ledger.wallets().get(w).map_or("", |w| w.name.as_str());
    table.ints("ts", flows.iter().map(|f| f.ts))?;
    table.texts("sleeve", flows.iter().map(|f| sleeve(f.sleeve)))?;
    table.texts("wallet", flows.iter().map(|f| wallet(f.wallet)))?;
    table.texts("asset", flows.iter().map(|f| f.asset.as_str()))?;
    table.money("amount", flows.iter().map(|f| f.amount))?;
    table.money("value", flows.iter().map(|f| f.value))?;
    Ok(table.out)
}
