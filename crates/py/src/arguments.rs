//! Arguments and answers of a line, between Python's types and ours.

use std::str::FromStr;

use cq_ledger::MarginMode;
use cq_line::{LineError, Wake};
use cq_sim::{OrderType, SimConfig};
use cq_types::{Account, Event, Qty, Side, Ts};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyDict;
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::Decimal;

pub(crate) type WalletArg = (String, Vec<String>, Vec<u16>);
pub(crate) type CapitalArg = (usize, String, String, Decimal);
pub(crate) type Allocations = Vec<(usize, i64)>;
pub(crate) type Answer = (
    &'static str,
    Ts,
    Ts,
    u64,
    u16,
    i64,
    i64,
    bool,
    bool,
    Decimal,
    &'static str,
);

pub(crate) fn error(error: LineError) -> PyErr {
    match error {
        LineError::Ledger { .. } | LineError::Broken { .. } => {
            PyRuntimeError::new_err(error.to_string())
        }
        _ => PyValueError::new_err(error.to_string()),
    }
}

pub(crate) fn ledger_error(error: cq_ledger::LedgerError) -> PyErr {
    PyRuntimeError::new_err(error.to_string())
}

pub(crate) fn code(wake: Option<Wake>) -> u8 {
    match wake {
        None => 0,
        Some(Wake::Timer) => 1,
        Some(Wake::Account) => 2,
        Some(Wake::Gap) => 3,
        Some(Wake::DataEnd) => 4,
        Some(Wake::Alarm) => 5,
    }
}

pub(crate) fn order_type(code: u8) -> PyResult<OrderType> {
    match code {
        0 => Ok(OrderType::Market),
        1 => Ok(OrderType::Limit),
        2 => Ok(OrderType::PostOnly),
        3 => Ok(OrderType::StopMarket),
        _ => Err(PyValueError::new_err(format!(
            "type_code: expected 0 to 3, was {code}"
        ))),
    }
}

/// A number of any Python type, read from its text so that 0.1 means 0.1.
pub(crate) fn exact(key: &str, value: &Bound<'_, PyAny>) -> PyResult<Decimal> {
    let text = value.str()?.to_string();
    let number = Decimal::from_str(&text).or_else(|_| Decimal::from_scientific(&text));
    number.map_err(|_| PyValueError::new_err(format!("sim.{key}: expected a number, was {text:?}")))
}

pub(crate) fn whole(key: &str, value: &Bound<'_, PyAny>) -> PyResult<Ts> {
    let number = exact(key, value)?;
    let whole = Some(number).filter(Decimal::is_integer);
    whole.and_then(|n| n.to_i64()).ok_or_else(|| {
        PyValueError::new_err(format!("sim.{key}: expected a whole number, was {number}"))
    })
}

fn margin_mode(value: &Bound<'_, PyAny>) -> PyResult<MarginMode> {
    let text = value.str()?.to_string();
    match text.as_str() {
        "cross" => Ok(MarginMode::Cross),
        "isolated" => Ok(MarginMode::Isolated),
        _ => {
            let text = format!("sim.margin: expected cross or isolated, was {text:?}");
            Err(PyValueError::new_err(text))
        }
    }
}

pub(crate) fn sim_config(settings: &Bound<'_, PyDict>) -> PyResult<SimConfig> {
    let mut config = SimConfig::default();
    let bps = Decimal::new(1, 4);
    for (key, value) in settings {
        let key: String = key.extract()?;
        match key.as_str() {
            "entry_latency_ns" => config.entry_latency = whole(&key, &value)?,
            "response_latency_ns" => config.response_latency = whole(&key, &value)?,
            "half_spread_bps" => config.half_spread = exact(&key, &value)? * bps,
            "slippage_floor_bps" => config.slippage_floor = exact(&key, &value)? * bps,
            "impact_y" => config.impact = value.extract()?,
            "max_participation" => config.participation = exact(&key, &value)?,
            "cost_multiplier" => config.cost_multiplier = exact(&key, &value)?,
            "funding_jitter_ns" => config.funding_jitter = whole(&key, &value)?,
            "margin" => config.margin = margin_mode(&value)?,
            "insurance_fund" => config.insurance_fund = Some(exact(&key, &value)?),
            _ => {
                let text = format!(
                    "sim.{key}: unknown key; expected entry_latency_ns, response_latency_ns, \
                     half_spread_bps, slippage_floor_bps, impact_y, max_participation, \
                     cost_multiplier, margin, funding_jitter_ns or insurance_fund"
                );
                return Err(PyValueError::new_err(text));
            }
        }
    }
    Ok(config)
}

pub(crate) fn parts(allocations: Allocations) -> Vec<cq_ledger::Allocation> {
    let part = |(sleeve, qty)| (sleeve, Qty(qty));
    allocations.into_iter().map(part).collect()
}

pub(crate) fn answer(event: &Event<Account>) -> Answer {
    let zero = Decimal::ZERO;
    let plain = |kind, order, reason| {
        let (at, known, what) = (event.ts_event, event.ts_recv, event.instrument);
        (
            kind, at, known, order, what, 0, 0, false, false, zero, reason,
        )
    };
    match &event.body {
        Account::Fill {
            order,
            px,
            qty,
            side,
            is_taker,
            fee,
            ..
        } => (
            "fill",
            event.ts_event,
            event.ts_recv,
            *order,
            event.instrument,
            px.0,
            qty.0,
            *side == Side::Buy,
            *is_taker,
            *fee,
            "",
        ),
        Account::FundingPaid { amount, .. } | Account::FundingOfFills { amount, .. } => {
            let mut row = plain("funding", 0, "");
            row.9 = *amount;
            row
        }
        Account::Liquidation {
            order,
            side,
            qty,
            bankruptcy,
            is_takeover,
        } => (
            "liquidation",
            event.ts_event,
            event.ts_recv,
            *order,
            event.instrument,
            bankruptcy.0,
            qty.0,
            *side == Side::Buy,
            *is_takeover,
            zero,
            "",
        ),
        Account::Insurance {
            order,
            amount,
            is_adl,
            ..
        } => {
            let mut row = plain("insurance", *order, if *is_adl { "adl" } else { "" });
            row.9 = *amount;
            row
        }
        Account::Ack { order } => plain("ack", *order, ""),
        Account::Reject { order, reason } => plain("reject", *order, reason),
        Account::Cancelled { order } => plain("cancelled", *order, ""),
        _ => plain("other", 0, ""),
    }
}
