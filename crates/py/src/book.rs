//! The middle of a recorded book over time.

use cq_book::MiddlePath;
use cq_types::{Px, Qty, Side, Ts};
use numpy::{IntoPyArray, PyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::columns::{Given, Rows};

type Ints<'py> = Bound<'py, PyArray1<i64>>;

/// See `_native.pyi`.
#[pyclass(name = "MiddlePath", module = "crypto_quant._native")]
pub(crate) struct PyMiddlePath {
    /// Taken when it is finished.
    inner: Option<MiddlePath>,
}

impl PyMiddlePath {
    fn over() -> PyErr {
        PyValueError::new_err("the path is finished")
    }
}

#[pymethods]
impl PyMiddlePath {
    #[new]
    fn new(step: i64, gaps: Vec<Ts>) -> PyResult<Self> {
        if step < 1 {
            let text = format!("step: expected at least 1, was {step}");
            return Err(PyValueError::new_err(text));
        }
        if !gaps.is_sorted() {
            return Err(PyValueError::new_err("gaps: expected ascending times"));
        }
        let inner = Some(MiddlePath::new(Px(step), gaps));
        Ok(Self { inner })
    }

    fn add(
        &mut self,
        py: Python<'_>,
        ts_event: Given<'_>,
        side: Given<'_>,
        px: Given<'_>,
        qty: Given<'_>,
        flags: Given<'_>,
    ) -> PyResult<()> {
        let rows = Rows::new("delta".to_owned(), &ts_event);
        let times = rows.column::<Ts>("ts_event", &ts_event)?;
        let sides = rows.column::<i8>("side", &side)?;
        let prices = rows.column::<i64>("px", &px)?;
        let quantities = rows.column::<i64>("qty", &qty)?;
        let marks = rows.column::<u32>("flags", &flags)?;
        let path = self.inner.as_mut().ok_or_else(Self::over)?;
        py.detach(|| {
            let levels = prices.into_iter().zip(quantities);
            let rows = times.into_iter().zip(sides).zip(levels).zip(marks);
            for (((ts, side), (px, qty)), marks) in rows {
                let side = if side < 0 { Side::Sell } else { Side::Buy };
                path.on_delta(ts, side, (Px(px), Qty(qty)), marks);
            }
        });
        Ok(())
    }

    fn finish<'py>(&mut self, py: Python<'py>) -> PyResult<(Ints<'py>, Ints<'py>)> {
        let path = self.inner.take().ok_or_else(Self::over)?;
        let (times, sums) = path.finish();
        Ok((times.into_pyarray(py), sums.into_pyarray(py)))
    }
}
