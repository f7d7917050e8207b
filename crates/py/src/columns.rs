//! Columns from Python: arrays of one dimension, of one type, all of one length.

use numpy::{Element, PyArray1, PyArrayMethods, PyUntypedArray, PyUntypedArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;

/// What is passed where a column belongs.
pub(crate) type Given<'py> = Bound<'py, PyAny>;

/// The columns of one call, as long as the first of them.
pub(crate) struct Rows {
    what: String,
    count: usize,
}

impl Rows {
    /// `what` names the call's data in errors.
    pub(crate) fn new(what: String, first: &Given<'_>) -> Self {
        Self {
            what,
            count: first.len().unwrap_or(0),
        }
    }

    /// The values of a column, copied; they need not lie side by side.
    pub(crate) fn column<T: Element + Copy>(
        &self,
        name: &str,
        given: &Given<'_>,
    ) -> PyResult<Vec<T>> {
        match given.cast::<PyArray1<T>>() {
            Ok(array) if array.len() == self.count => Ok(array.try_readonly()?.as_array().to_vec()),
            _ => Err(PyValueError::new_err(format!(
                "{}, column {name}: expected {} values of {}, was {}",
                self.what,
                self.count,
                T::get_dtype(given.py()),
                found(given)?,
            ))),
        }
    }

    /// A column that may be left out.
    pub(crate) fn optional<T: Element + Copy>(
        &self,
        name: &str,
        given: Option<&Given<'_>>,
    ) -> PyResult<Option<Vec<T>>> {
        given.map(|given| self.column(name, given)).transpose()
    }
}

fn found(given: &Given<'_>) -> PyResult<String> {
    let Ok(array) = given.cast::<PyUntypedArray>() else {
        return Ok(format!("a {}", given.get_type().name()?));
    };
    let dtype = array.dtype();
    Ok(match array.shape() {
        [count] => format!("{count} of {dtype}"),
        shape => format!("{shape:?} of {dtype}"),
    })
}
