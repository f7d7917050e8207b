//! The bare simulator: time passes by calls, orders are ours alone, strategies run in Rust.

use cq_line::Strategy;
use cq_sim::Request;
use cq_strategies::{Desk, Grid};
use cq_types::{Px, Qty, Side, Ts};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;

use super::PyLine;
use crate::arguments::{error, order_type};

/// An open order: id, whether it buys, price (-1: none), quantity, filled, whether the venue
/// has it, whether a cancellation may be asked for.
type OpenOrder = (u64, bool, i64, i64, i64, bool, bool);

#[pymethods]
impl PyLine {
    fn elapse(&mut self, py: Python<'_>, duration: Ts) -> PyResult<bool> {
        let line = &mut self.inner;
        py.detach(|| line.elapse(duration)).map_err(error)
    }

    fn wait_for(&mut self, py: Python<'_>, order_id: u64, timeout: Ts) -> PyResult<bool> {
        let line = &mut self.inner;
        py.detach(|| line.wait_for(order_id, timeout))
            .map_err(error)
    }

    #[pyo3(signature = (order_id, instrument, is_buy, quantity, price, type_code=1, tif=0))]
    #[allow(clippy::too_many_arguments)] // the fields of one order
    fn submit(
        &mut self,
        order_id: u64,
        instrument: u16,
        is_buy: bool,
        quantity: i64,
        price: Option<i64>,
        type_code: u8,
        tif: u8,
    ) -> PyResult<()> {
        let (kind, tif) = order_type(type_code, tif)?;
        let side = if is_buy { Side::Buy } else { Side::Sell };
        let request = Request {
            kind,
            tif,
            price: price.map(Px),
            ..Request::market(order_id, instrument, side, Qty(quantity))
        };
        let part = Qty(side.sign() * quantity);
        self.inner.place(request, vec![(0, part)]).map_err(error)
    }

    fn open_orders(&self, instrument: u16) -> Vec<OpenOrder> {
        let own = self.inner.open_orders();
        own.filter(|row| row.request.instrument == instrument)
            .map(|row| {
                let request = &row.request;
                (
                    request.id,
                    request.side == Side::Buy,
                    request.price.map_or(-1, |px| px.0),
                    request.qty.0,
                    row.filled.0,
                    row.status == cq_line::OrderStatus::Working,
                    row.can_cancel(),
                )
            })
            .collect()
    }

    fn run(
        &mut self,
        py: Python<'_>,
        strategy: &str,
        parameters: &Bound<'_, PyDict>,
    ) -> PyResult<u64> {
        let mut strategy = build(strategy, &Parameters(parameters))?;
        let line = &mut self.inner;
        py.detach(|| line.run(&mut *strategy)).map_err(error)
    }
}

/// Whole numbers by name.
struct Parameters<'a, 'py>(&'a Bound<'py, PyDict>);

impl Parameters<'_, '_> {
    fn whole(&self, name: &str, least: i64) -> PyResult<i64> {
        let bad = |found: String| {
            let text = format!("{name}: expected a whole number from {least} on, was {found}");
            PyValueError::new_err(text)
        };
        let Some(value) = self.0.get_item(name)? else {
            return Err(bad("nothing".to_owned()));
        };
        let number: i64 = value.extract().map_err(|_| bad(value.to_string()))?;
        Some(number)
            .filter(|n| *n >= least)
            .ok_or_else(|| bad(number.to_string()))
    }

    fn only(&self, known: &[&str]) -> PyResult<()> {
        for key in self.0.keys() {
            let key: String = key.extract()?;
            if !known.contains(&key.as_str()) {
                let text = format!("{key}: unknown; expected {}", known.join(", "));
                return Err(PyValueError::new_err(text));
            }
        }
        Ok(())
    }
}

fn build(name: &str, given: &Parameters<'_, '_>) -> PyResult<Box<dyn Strategy + Send>> {
    if name != "grid" {
        let text = format!("strategy: expected one of grid, was {name:?}");
        return Err(PyValueError::new_err(text));
    }
    given.only(&["levels", "gap", "quantity", "most"])?;
    let whole = |name| given.whole(name, 1);
    Ok(Box::new(Grid::new(
        Desk::new(0, 0, 1),
        whole("levels")?,
        whole("gap")?,
        whole("quantity")?,
        whole("most")?,
    )))
}
