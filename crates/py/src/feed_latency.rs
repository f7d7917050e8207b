//! When rows of a stream are known under a model of the feed.

use cq_sim::{FeedLatencies, FeedLatency};
use cq_types::Ts;
use numpy::{IntoPyArray, PyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

use crate::columns::{Given, Rows};

/// See `_native.pyi`.
#[pyclass(name = "FeedLatency", module = "crypto_quant._native")]
pub(crate) struct PyFeedLatency {
    inner: FeedLatency,
}

impl PyFeedLatency {
    fn of(latencies: &FeedLatencies) -> PyResult<Self> {
        let inner = FeedLatency::new(latencies).map_err(PyValueError::new_err)?;
        Ok(Self { inner })
    }
}

#[pymethods]
impl PyFeedLatency {
    #[staticmethod]
    fn constant(ns: Ts) -> PyResult<Self> {
        Self::of(&FeedLatencies::Constant(ns))
    }

    #[staticmethod]
    fn recorded(ts_event: Given<'_>, ts_recv: Given<'_>) -> PyResult<Self> {
        let rows = Rows::new("feed latency".to_owned(), &ts_event);
        let event = rows.column::<Ts>("ts_event", &ts_event)?;
        let recv = rows.column::<Ts>("ts_recv", &ts_recv)?;
        Self::of(&FeedLatencies::Recorded(
            event.into_iter().zip(recv).collect(),
        ))
    }

    #[staticmethod]
    fn sampled(samples_ns: Given<'_>, seed: u64) -> PyResult<Self> {
        let rows = Rows::new("feed latency".to_owned(), &samples_ns);
        let samples = rows.column::<Ts>("samples_ns", &samples_ns)?.into();
        Self::of(&FeedLatencies::Sampled { samples, seed })
    }

    fn stamp<'py>(
        &mut self,
        py: Python<'py>,
        ts_event: Given<'_>,
        ts_recv: Given<'_>,
    ) -> PyResult<Bound<'py, PyArray1<i64>>> {
        let rows = Rows::new("rows".to_owned(), &ts_event);
        let event = rows.column::<Ts>("ts_event", &ts_event)?;
        let mut known = rows.column::<Ts>("ts_recv", &ts_recv)?;
        py.detach(|| self.inner.stamp(&event, &mut known));
        Ok(known.into_pyarray(py))
    }
}
