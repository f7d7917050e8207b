//! Commands as plain values, for the log of decisions.

use pyo3::intern;
use pyo3::prelude::*;
use pyo3::types::{PyDict, PyList, PyTuple};

use crate::messages::{order_of, Kind, Words};

/// Commands in plain values; cancels and quotes that follow one another are listed together.
///
/// `other` says the rest.
#[pyfunction]
pub(crate) fn command_rows<'py>(
    commands: &Bound<'py, PyTuple>,
    other: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyList>> {
    let py = commands.py();
    let words = Words::get(py)?;
    let rows = PyList::empty(py);
    let mut open: Option<Open<'py>> = None;
    for command in commands {
        let said = match words.kind(&command) {
            Kind::Cancel => Some(Said::cancel(&command)?),
            Kind::Place => Said::quote(words, &command)?,
            Kind::Amend | Kind::Other => None,
        };
        let Some(Said { shared, row }) = said else {
            open = None;
            rows.append(other.call1((command,))?)?;
            continue;
        };
        match &open {
            Some(list) if list.shared.is_same(&shared)? => list.rows.append(row)?,
            _ => {
                let list = PyList::new(py, [row])?;
                rows.append(shared.heads(&list)?)?;
                open = Some(Open { shared, rows: list });
            }
        }
    }
    Ok(rows)
}

/// A list that what follows may be put into.
struct Open<'py> {
    shared: Shared<'py>,
    rows: Bound<'py, PyList>,
}

/// What a command says alone, and what it shares with those listed with it.
struct Said<'py> {
    shared: Shared<'py>,
    row: Bound<'py, PyAny>,
}

enum Shared<'py> {
    Cancel(Bound<'py, PyAny>),
    /// When, sleeve, instrument, reason, checks.
    Quote([Bound<'py, PyAny>; 5]),
}

impl<'py> Said<'py> {
    fn cancel(command: &Bound<'py, PyAny>) -> PyResult<Self> {
        let fields = command.cast::<PyTuple>()?;
        Ok(Self {
            shared: Shared::Cancel(fields.get_item(1)?),
            row: fields.get_item(0)?,
        })
    }

    /// A quote; `None` of any other order.
    fn quote(words: &Words, command: &Bound<'py, PyAny>) -> PyResult<Option<Self>> {
        let order = order_of(command)?;
        if !words.is_plain_quote(&order)? {
            return Ok(None);
        }
        let approved = command.cast::<PyTuple>()?.get_item(0)?;
        let checks = approved.cast::<PyTuple>()?.get_item(1)?;
        let part = order.get_item(9)?.cast_into::<PyTuple>()?.get_item(0)?;
        let sleeve = part.cast::<PyTuple>()?.get_item(0)?;
        let field = |n| order.get_item(n);
        let side = words.said(&field(3)?);
        let row = [field(1)?, side, field(6)?, field(4)?];
        Ok(Some(Self {
            shared: Shared::Quote([field(0)?, sleeve, field(2)?, field(10)?, checks]),
            row: PyTuple::new(command.py(), row)?.into_any(),
        }))
    }
}

impl<'py> Shared<'py> {
    fn is_same(&self, other: &Self) -> PyResult<bool> {
        match (self, other) {
            (Self::Cancel(one), Self::Cancel(two)) => equal(one, two),
            (Self::Quote(one), Self::Quote(two)) => {
                for (a, b) in one.iter().zip(two) {
                    if !equal(a, b)? {
                        return Ok(false);
                    }
                }
                Ok(true)
            }
            _ => Ok(false),
        }
    }

    /// The entry of a list of such.
    fn heads(&self, rows: &Bound<'py, PyList>) -> PyResult<Bound<'py, PyDict>> {
        let py = rows.py();
        let entry = PyDict::new(py);
        match self {
            Self::Cancel(reason) => {
                entry.set_item(intern!(py, "cancel"), rows)?;
                entry.set_item(intern!(py, "reason"), reason)?;
            }
            Self::Quote([ts, sleeve, instrument, reason, checks]) => {
                let of = PyDict::new(py);
                of.set_item(intern!(py, "ts"), ts)?;
                of.set_item(intern!(py, "sleeve"), sleeve)?;
                of.set_item(intern!(py, "instrument"), instrument)?;
                of.set_item(intern!(py, "reason"), reason)?;
                of.set_item(intern!(py, "orders"), rows)?;
                entry.set_item(intern!(py, "quote"), of)?;
                entry.set_item(intern!(py, "checks"), checks)?;
            }
        }
        Ok(entry)
    }
}

fn equal(one: &Bound<'_, PyAny>, two: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(one.is(two) || one.eq(two)?)
}
