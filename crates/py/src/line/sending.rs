//! Sends what a market maker sends most: cancels and quotes.

use cq_line::LineError;
use cq_sim::{OrderType, Request, TimeInForce};
use cq_types::{Px, Qty, Side};
use pyo3::exceptions::{PyRuntimeError, PyValueError};
use pyo3::prelude::*;
use pyo3::types::PyTuple;

use super::PyLine;
use crate::arguments::error;
use crate::messages::{cancelled, order_of, Kind, QuoteOrder, Words};

#[pymethods]
impl PyLine {
    fn send(&mut self, commands: &Bound<'_, PyTuple>, first: usize) -> PyResult<usize> {
        let words = Words::get(commands.py())?;
        for (at, command) in commands.iter().enumerate().skip(first) {
            match words.kind(&command) {
                Kind::Cancel => {
                    let sent = self.inner.cancel(cancelled(&command)?);
                    sent.map_err(|err| refused("cancel", err))?;
                }
                Kind::Place => {
                    let quote = words.plain_quote(&order_of(&command)?)?;
                    let Some(quote) = quote.filter(|quote| !self.legs.contains(&quote.instrument))
                    else {
                        return Ok(at);
                    };
                    let sent = self.quote(quote);
                    sent.map_err(|err| refused("place", err))?;
                }
                Kind::Amend | Kind::Other => return Ok(at),
            }
        }
        Ok(commands.len())
    }
}

impl PyLine {
    fn quote(&mut self, quote: QuoteOrder) -> Result<(), LineError> {
        let QuoteOrder {
            id,
            sleeve,
            instrument,
            at,
            quantity,
        } = quote;
        let (side, signed) = if at > 0 {
            (Side::Buy, quantity)
        } else {
            (Side::Sell, -quantity)
        };
        let request = Request {
            kind: OrderType::Limit,
            tif: TimeInForce::PostOnly,
            price: Some(Px(at.abs())),
            ..Request::market(id, instrument, side, Qty(quantity))
        };
        self.inner.place(request, vec![(sleeve, Qty(signed))])
    }
}

/// Says which command could not be one, or could not be booked.
fn refused(name: &str, err: LineError) -> PyErr {
    let text = format!("{name}: {}", err.what());
    Python::attach(|py| {
        if error(err).is_instance_of::<PyValueError>(py) {
            PyValueError::new_err(text)
        } else {
            PyRuntimeError::new_err(text)
        }
    })
}
