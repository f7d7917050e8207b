//! Commands and quotes as JSON, for the log of decisions.

use itoa::{Buffer, Integer};
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyTuple};

use cq_types::InstrumentIdx;

use crate::messages::{ladder, order_of, Kind, QuoteOrder, Words};

/// Bytes of an order's id, side, price and quantity, and what parts them, at most.
const LONGEST_ROW: usize = 72;
/// Bytes of what is said once for all cancels and quotes of a wake-up, as they mostly are.
const USUAL_FRAME: usize = 512;

/// A target's quotes as a list of `[side, price, quantity]`.
#[pyfunction]
pub(crate) fn quote_text<'py>(quotes: &Bound<'py, PyTuple>) -> PyResult<Bound<'py, PyBytes>> {
    let ladder = ladder(quotes)?;
    let mut text = Vec::with_capacity(2 + LONGEST_ROW * ladder.len());
    text.push(b'[');
    for (n, (at, quantity)) in ladder.iter().enumerate() {
        if n > 0 {
            text.push(b',');
        }
        text.push(b'[');
        row(&mut text, *at, *quantity);
    }
    text.push(b']');
    Ok(PyBytes::new(quotes.py(), &text))
}

/// Commands as a list; cancels and quotes that follow one another are listed together.
///
/// `other` says the rest, `dumps` any value.
#[pyfunction]
pub(crate) fn command_text<'py>(
    commands: &Bound<'py, PyTuple>,
    other: &Bound<'py, PyAny>,
    dumps: &Bound<'py, PyAny>,
) -> PyResult<Bound<'py, PyBytes>> {
    let py = commands.py();
    let words = Words::get(py)?;
    let mut text = Vec::with_capacity(USUAL_FRAME + LONGEST_ROW * commands.len());
    text.push(b'[');
    let mut list = List {
        text,
        open: None,
        dumps,
    };
    for command in commands {
        match words.kind(&command) {
            Kind::Cancel => list.cancel(&command)?,
            Kind::Place if list.quote(words, &command)? => {}
            _ => {
                list.close()?;
                list.begin();
                list.add(&other.call1((command,))?)?;
            }
        }
    }
    list.close()?;
    list.text.push(b']');
    Ok(PyBytes::new(py, &list.text))
}

/// What the open list of the text is of.
enum Open<'py> {
    /// Cancels of one reason.
    Cancels(Bound<'py, PyAny>),
    /// Quotes of one sleeve, instrument, time and reason, with the checks that all passed.
    Quotes((usize, InstrumentIdx), [Bound<'py, PyAny>; 3]),
}

struct List<'a, 'py> {
    text: Vec<u8>,
    open: Option<Open<'py>>,
    dumps: &'a Bound<'py, PyAny>,
}

impl<'py> List<'_, 'py> {
    fn cancel(&mut self, command: &Bound<'py, PyAny>) -> PyResult<()> {
        let fields = command.cast::<PyTuple>()?;
        let id: u64 = fields.get_item(0)?.extract()?;
        let reason = fields.get_item(1)?;
        let goes_on = match &self.open {
            Some(Open::Cancels(shared)) => is_same(shared, &reason)?,
            _ => false,
        };
        if goes_on {
            self.text.push(b',');
        } else {
            self.close()?;
            self.begin();
            self.text.extend_from_slice(b"{\"cancel\":[");
            self.open = Some(Open::Cancels(reason));
        }
        number(&mut self.text, id);
        Ok(())
    }

    /// Lists a quote; tells whether it is one, post-only and not bound to reduce.
    fn quote(&mut self, words: &Words, command: &Bound<'py, PyAny>) -> PyResult<bool> {
        let order = order_of(command)?;
        let Some(quote) = words.plain_quote(&order)? else {
            return Ok(false);
        };
        let QuoteOrder {
            id,
            sleeve,
            instrument,
            at,
            quantity,
        } = quote;
        let approved = command.cast::<PyTuple>()?.get_item(0)?;
        let checks = approved.cast::<PyTuple>()?.get_item(1)?;
        let of = [order.get_item(0)?, order.get_item(10)?, checks];
        if self.goes_on((sleeve, instrument), &of)? {
            self.text.push(b',');
        } else {
            self.close()?;
            self.begin();
            let [ts, reason, _] = &of;
            self.text.extend_from_slice(b"{\"quote\":{\"ts\":");
            number(&mut self.text, ts.extract::<i64>()?);
            self.text.extend_from_slice(b",\"sleeve\":");
            number(&mut self.text, sleeve);
            self.text.extend_from_slice(b",\"instrument\":");
            number(&mut self.text, instrument);
            self.text.extend_from_slice(b",\"reason\":");
            self.say(reason)?;
            self.text.extend_from_slice(b",\"orders\":[");
            self.open = Some(Open::Quotes((sleeve, instrument), of));
        }
        self.text.push(b'[');
        number(&mut self.text, id);
        self.text.push(b',');
        row(&mut self.text, at, quantity);
        Ok(true)
    }

    fn goes_on(
        &self,
        whose: (usize, InstrumentIdx),
        of: &[Bound<'py, PyAny>; 3],
    ) -> PyResult<bool> {
        let Some(Open::Quotes(open, shared)) = &self.open else {
            return Ok(false);
        };
        if *open != whose {
            return Ok(false);
        }
        for (one, other) in shared.iter().zip(of) {
            if !is_same(one, other)? {
                return Ok(false);
            }
        }
        Ok(true)
    }

    /// Ends the open list.
    fn close(&mut self) -> PyResult<()> {
        match self.open.take() {
            None => return Ok(()),
            Some(Open::Cancels(reason)) => {
                self.text.extend_from_slice(b"],\"reason\":");
                self.say(&reason)?;
            }
            Some(Open::Quotes(_, [_, _, checks])) => {
                self.text.extend_from_slice(b"]},\"checks\":");
                self.say(&checks)?;
            }
        }
        self.text.push(b'}');
        Ok(())
    }

    /// Parts an entry from the one before it.
    fn begin(&mut self) {
        if self.text.len() > 1 {
            self.text.push(b',');
        }
    }

    fn say(&mut self, value: &Bound<'py, PyAny>) -> PyResult<()> {
        let said = self.dumps.call1((value,))?;
        self.add(&said)
    }

    fn add(&mut self, said: &Bound<'py, PyAny>) -> PyResult<()> {
        let said = said.cast::<PyBytes>()?;
        self.text.extend_from_slice(said.as_bytes());
        Ok(())
    }
}

fn is_same(one: &Bound<'_, PyAny>, other: &Bound<'_, PyAny>) -> PyResult<bool> {
    Ok(one.is(other) || one.eq(other)?)
}

/// Ends a row with side, price and quantity.
fn row(text: &mut Vec<u8>, at: i64, quantity: i64) {
    let side: &[u8] = if at < 0 { b"\"sell\"," } else { b"\"buy\"," };
    text.extend_from_slice(side);
    number(text, at.abs());
    text.push(b',');
    number(text, quantity);
    text.push(b']');
}

fn number(text: &mut Vec<u8>, value: impl Integer) {
    text.extend_from_slice(Buffer::new().format(value).as_bytes());
}
