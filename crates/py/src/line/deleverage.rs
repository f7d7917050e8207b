//! Parts of positions that the venue takes.

use cq_line::Deleverage;
use cq_types::Ts;
use pyo3::prelude::*;
use rust_decimal::Decimal;

use super::PyLine;
use crate::arguments::error;

#[pymethods]
impl PyLine {
    fn add_deleverage(&mut self, instrument: u16, ts: Ts, fraction: Decimal) -> PyResult<()> {
        let one = Deleverage {
            ts,
            instrument,
            fraction,
        };
        self.inner.add_deleverage(one).map_err(error)
    }
}
