//! Arguments and answers of a line, between Python's types and ours.

use cq_line::{LineError, Wake};
use cq_sim::{OrderType, PositionSide, TimeInForce};
use cq_types::{Account, Event, Qty, Side, Ts};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyString, PyTuple};
use rust_decimal::Decimal;

pub(crate) type WalletArg = (String, Vec<String>, Vec<u16>);
pub(crate) type CapitalArg = (usize, String, String, Decimal);
pub(crate) type Allocations = Vec<(usize, i64)>;
type Answer = (
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

/// Without the time of the line: Python says that in words.
pub(crate) fn error(error: LineError) -> PyErr {
    use cq_ledger::LedgerError::{
        BadAmount, BadLeverage, BeyondTiers, Setup, UnknownAsset, UnknownSleeve, UnknownWallet,
    };

    let what = error.what();
    match error {
        // What a caller named or said wrongly is no broken book.
        LineError::Ledger {
            source:
                BadAmount { .. }
                | BadLeverage(..)
                | BeyondTiers { .. }
                | Setup(_)
                | UnknownAsset { .. }
                | UnknownSleeve(_)
                | UnknownWallet(_),
            ..
        } => PyValueError::new_err(what),
        LineError::Ledger { .. } | LineError::Broken { .. } => PyRuntimeError::new_err(what),
        _ => PyValueError::new_err(what),
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

/// Position side of Python's sign: 1 long, -1 short, 0 none.
pub(crate) fn leg(sign: i8) -> PyResult<Option<PositionSide>> {
    match sign {
        0 => Ok(None),
        1 => Ok(Some(PositionSide::Long)),
        -1 => Ok(Some(PositionSide::Short)),
        _ => {
            let text = format!("position_side: expected 1, -1 or 0, was {sign}");
            Err(PyValueError::new_err(text))
        }
    }
}

/// Kind and time in force of Python's codes; a post-only order is a limit order.
pub(crate) fn order_type(code: u8, tif: u8) -> PyResult<(OrderType, TimeInForce)> {
    let tif = match (code, tif) {
        (2, 0) | (1 | 3 | 4, 3) => TimeInForce::PostOnly,
        (_, 0) => TimeInForce::Gtc,
        (0 | 1 | 3 | 4 | 5, 1) => TimeInForce::Ioc,
        (0 | 1 | 3 | 4 | 5, 2) => TimeInForce::Fok,
        _ => {
            let text = format!(
                "tif: expected 0 to 2, 3 of a limit price, 0 for post-only orders, was {tif}"
            );
            return Err(PyValueError::new_err(text));
        }
    };
    let kind = match code {
        0 => OrderType::Market,
        1 | 2 => OrderType::Limit,
        3 => OrderType::Stop,
        4 => OrderType::TakeProfit,
        5 => OrderType::TrailingStop,
        _ => {
            let text = format!("type_code: expected 0 to 5, was {code}");
            return Err(PyValueError::new_err(text));
        }
    };
    Ok((kind, tif))
}

pub(crate) fn parts(allocations: Allocations) -> cq_ledger::Parts {
    let part = |(sleeve, qty)| (sleeve, Qty(qty));
    allocations.into_iter().map(part).collect()
}

/// What the venue said, as Python has it. Most that a market maker hears are acks and
/// cancellations: their words, and the `nothing` that they cost, are made once.
pub(crate) fn said<'py>(
    py: Python<'py>,
    event: &Event<Account>,
    nothing: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyTuple>> {
    let (kind, at, known, order, instrument, px, qty, is_buy, is_taker, amount, reason) =
        answer(event);
    let kind = match kind {
        "ack" => intern!(py, "ack").clone(),
        "cancelled" => intern!(py, "cancelled").clone(),
        "fill" => intern!(py, "fill").clone(),
        other => PyString::new(py, other),
    };
    let reason = match reason {
        "" => intern!(py, "").clone(),
        other => PyString::new(py, other),
    };
    let amount = if amount.is_zero() && amount.scale() == 0 {
        nothing.clone()
    } else {
        amount.into_pyobject(py)?.into_any()
    };
    (
        kind, at, known, order, instrument, px, qty, is_buy, is_taker, amount, reason,
    )
        .into_pyobject(py)
}

fn answer(event: &Event<Account>) -> Answer {
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
        Account::Converted {
            received, cause, ..
        } => {
            let mut row = plain("converted", 0, cause);
            row.9 = *received;
            row
        }
        Account::Transferred { transfer, amount } => {
            let mut row = plain("transferred", *transfer, "");
            row.9 = *amount;
            row
        }
        Account::TransferRefused { transfer, reason } => {
            plain("transfer_refused", *transfer, reason)
        }
        Account::Ack { order } => plain("ack", *order, ""),
        Account::Reject { order, reason } => plain("reject", *order, reason),
        Account::Kept { order, reason } => plain("kept", *order, reason),
        Account::Amended { order, px, qty, .. } => {
            let mut row = plain("amended", *order, "");
            (row.5, row.6) = (px.map_or(0, |px| px.0), qty.0);
            row
        }
        Account::Cancelled { order, reason } => plain("cancelled", *order, reason),
        Account::Triggered { order } => plain("triggered", *order, ""),
        _ => plain("other", 0, ""),
    }
}
