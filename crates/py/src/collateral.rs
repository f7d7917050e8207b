//! Multi-assets mode, from a dictionary.

use cq_ledger::{Collateral, MultiAssets};
use cq_types::{Dated, Ts};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use rust_decimal::Decimal;

const KEYS: [&str; 3] = ["wallet", "assets", "loan_to_value"];

type Rows = Vec<(Ts, Decimal)>;
/// Asset, ratio, conversion, debt limit, largest amount.
type AssetArg = (String, Rows, Option<Rows>, Option<Rows>, Option<Rows>);

fn dated(what: &str, rows: Rows) -> PyResult<Dated<Decimal>> {
    Dated::new(rows).ok_or_else(|| {
        PyValueError::new_err(format!("sim.multi_assets.{what}: expected rows, was none"))
    })
}

fn asset((asset, ratio, conversion, debt_limit, largest): AssetArg) -> PyResult<Collateral> {
    Ok(Collateral {
        asset,
        ratio: dated("assets", ratio)?,
        conversion: conversion.and_then(Dated::new),
        debt_limit: debt_limit.and_then(Dated::new),
        largest: largest.and_then(Dated::new),
    })
}

/// The mode from `wallet`, `assets` and `loan_to_value`, all needed.
pub(crate) fn multi_assets(value: &Bound<'_, PyAny>) -> PyResult<MultiAssets> {
    let given = value.cast::<PyDict>()?;
    for key in given.keys() {
        let key: String = key.extract()?;
        if !KEYS.contains(&key.as_str()) {
            let known = KEYS.join(", ");
            let text = format!("sim.multi_assets.{key}: unknown key; expected {known}");
            return Err(PyValueError::new_err(text));
        }
    }
    let needed = |key: &str| {
        given.get_item(key)?.ok_or_else(|| {
            PyValueError::new_err(format!(
                "sim.multi_assets.{key}: expected a value, was none"
            ))
        })
    };
    let assets: Vec<AssetArg> = needed("assets")?.extract()?;
    Ok(MultiAssets {
        wallet: needed("wallet")?.extract()?,
        assets: assets.into_iter().map(asset).collect::<PyResult<_>>()?,
        loan_to_value: dated("loan_to_value", needed("loan_to_value")?.extract()?)?,
    })
}
