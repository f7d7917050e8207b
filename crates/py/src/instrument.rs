//! `Instrument`: a contract and its dated rules, built once per run.

use cq_types::{
    Bracket, BracketUnit, Contract, Dated, Fees, Grid, Instrument, PriceBands, Px, Qty, Ts,
};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::Decimal;

type BracketRow = (Option<Decimal>, Decimal, u16, Decimal);
type BandRow = (Decimal, Decimal, Decimal);

/// Native twin of `core.instruments.Instrument`.
#[pyclass(name = "Instrument", frozen, module = "crypto_quant._native")]
pub struct PyInstrument {
    pub(crate) inner: Instrument,
}

fn scaled(value: Decimal, exp: u8, what: &str) -> PyResult<i64> {
    let wide = value * Decimal::from(10_u64.pow(u32::from(exp)));
    if !wide.is_integer() {
        return Err(PyValueError::new_err(format!(
            "{what} {value} needs more than {exp} decimals"
        )));
    }
    wide.to_i64()
        .ok_or_else(|| PyValueError::new_err(format!("{what} {value} is too large")))
}

fn dated<T, U>(
    rows: Vec<(Ts, T)>,
    what: &str,
    convert: impl Fn(T) -> PyResult<U>,
) -> PyResult<Dated<U>> {
    let rows = rows
        .into_iter()
        .map(|(ts, v)| Ok((ts, convert(v)?)))
        .collect::<PyResult<Vec<_>>>()?;
    Dated::new(rows).ok_or_else(|| PyValueError::new_err(format!("{what} has no dated row")))
}

#[pymethods]
impl PyInstrument {
    #[new]
    #[pyo3(signature = (id, contract, base, quote, settle, multiplier, price_exp, qty_exp, tick, lot,
                        min_notional, fees, brackets=None, valid_from=None, valid_to=None,
                        bracket_unit="quote", liquidation_fee=None, price_bands=None))]
    #[allow(clippy::too_many_arguments)] // keyword arguments of one frozen Python dataclass
    fn new(
        id: String,
        contract: &str,
        base: String,
        quote: String,
        settle: String,
        multiplier: Decimal,
        price_exp: u8,
        qty_exp: u8,
        tick: Vec<(Ts, Decimal)>,
        lot: Vec<(Ts, Decimal)>,
        min_notional: Vec<(Ts, Decimal)>,
        fees: Vec<(Ts, (Decimal, Decimal))>,
        brackets: Option<Vec<(Ts, Vec<BracketRow>)>>,
        valid_from: Option<Ts>,
        valid_to: Option<Ts>,
        bracket_unit: &str,
        liquidation_fee: Option<Vec<(Ts, Decimal)>>,
        price_bands: Option<Vec<(Ts, BandRow)>>,
    ) -> PyResult<Self> {
        let contract = match contract {
            "spot" => Contract::Spot,
            "linear" => Contract::Linear,
            "inverse" => Contract::Inverse,
            other => {
                let text = format!("contract: expected spot, linear or inverse, was {other:?}");
                return Err(PyValueError::new_err(text));
            }
        };
        let bracket_unit = match bracket_unit {
            "quote" => BracketUnit::Quote,
            "base" => BracketUnit::Base,
            other => {
                let text = format!("bracket_unit: expected quote or base, was {other:?}");
                return Err(PyValueError::new_err(text));
            }
        };
        let tiers = |rows: Vec<BracketRow>| {
            Ok(rows
                .into_iter()
                .map(|(cap, mmr, max_leverage, cum)| Bracket {
                    cap,
                    mmr,
                    max_leverage,
                    cum,
                })
                .collect())
        };
        let bands = |(up, down, take): BandRow| Ok(PriceBands { up, down, take });
        let inner = Instrument {
            id,
            contract,
            base,
            quote,
            settle,
            multiplier,
            grid: Grid { price_exp, qty_exp },
            tick: dated(tick, "tick", |v| scaled(v, price_exp, "tick").map(Px))?,
            lot: dated(lot, "lot", |v| scaled(v, qty_exp, "lot").map(Qty))?,
            min_notional: dated(min_notional, "min_notional", Ok)?,
            fees: dated(fees, "fees", |(maker, taker)| Ok(Fees { maker, taker }))?,
            brackets: brackets
                .map(|rows| dated(rows, "brackets", tiers))
                .transpose()?,
            bracket_unit,
            liquidation_fee: liquidation_fee
                .map(|rows| dated(rows, "liquidation_fee", Ok))
                .transpose()?,
            price_bands: price_bands
                .map(|rows| dated(rows, "price_bands", bands))
                .transpose()?,
            valid_from,
            valid_to,
        };
        Ok(Self { inner })
    }

    /// Id such as `BTCUSDT-PERP.BINANCE`.
    #[getter]
    fn id(&self) -> &str {
        &self.inner.id
    }

    /// Maintenance margin of a notional at a time, both in the unit of the brackets.
    fn maintenance_margin(&self, notional: Decimal, ts: Ts) -> Decimal {
        self.inner.maintenance_margin(notional, ts)
    }

    /// Exact notional of a quantity at a price, both in grid units.
    fn notional(&self, px: i64, qty: i64) -> Decimal {
        self.inner.notional(Px(px), Qty(qty))
    }
}
