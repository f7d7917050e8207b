use std::collections::BTreeMap;
use std::fmt;

use thiserror::Error;

/// What was given for a parameter.
#[derive(Debug, Clone, PartialEq)]
pub enum Value {
    /// A whole number.
    Whole(i64),
    /// Any other number.
    Real(f64),
    /// Something that is no number, as it reads.
    Other(String),
}

impl fmt::Display for Value {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Self::Whole(number) => number.fmt(f),
            Self::Real(number) => number.fmt(f),
            Self::Other(text) => text.fmt(f),
        }
    }
}

/// Why a strategy cannot be built.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("{what}: expected {expected}, was {found}")]
pub struct ParameterError {
    /// Which parameter.
    pub what: String,
    /// What it must be.
    pub expected: String,
    /// What it was.
    pub found: String,
}

/// The parameters of a strategy, by name.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Parameters<'a>(&'a BTreeMap<String, Value>);

impl<'a> Parameters<'a> {
    /// Refuses names that are not known.
    pub(crate) fn new(
        given: &'a BTreeMap<String, Value>,
        known: &[&str],
    ) -> Result<Self, ParameterError> {
        match given.keys().find(|name| !known.contains(&name.as_str())) {
            None => Ok(Self(given)),
            Some(odd) => Err(ParameterError {
                what: "parameters".to_owned(),
                expected: format!("some of {}", known.join(", ")),
                found: odd.clone(),
            }),
        }
    }

    /// A whole number between two bounds, both included; written as a real number it is one too.
    pub(crate) fn whole(self, name: &str, least: i64, most: i64) -> Result<i64, ParameterError> {
        let range = match most {
            i64::MAX => format!("from {least} on"),
            _ => format!("from {least} to {most}"),
        };
        let given = self.0.get(name);
        match given {
            Some(Value::Whole(number)) if (least..=most).contains(number) => Ok(*number),
            Some(Value::Real(number)) => exactly(*number)
                .filter(|number| (least..=most).contains(number))
                .ok_or_else(|| bad(name, format!("a whole number {range}"), given)),
            _ => Err(bad(name, format!("a whole number {range}"), given)),
        }
    }

    /// A number above `low`, and at most `high`.
    pub(crate) fn real(self, name: &str, low: f64, high: f64) -> Result<f64, ParameterError> {
        let given = self.0.get(name);
        let number = match given {
            Some(Value::Whole(number)) => *number as f64,
            Some(Value::Real(number)) => *number,
            _ => f64::NAN,
        };
        if number > low && number <= high && number.is_finite() {
            return Ok(number);
        }
        let range = match high {
            f64::INFINITY => format!("above {low}"),
            _ => format!("above {low}, at most {high}"),
        };
        Err(bad(name, format!("a number {range}"), given))
    }

    /// As [`Self::whole`], of one that may be left out.
    pub(crate) fn whole_or(
        self,
        name: &str,
        (least, most): (i64, i64),
        otherwise: i64,
    ) -> Result<i64, ParameterError> {
        match self.0.get(name) {
            None => Ok(otherwise),
            Some(_) => self.whole(name, least, most),
        }
    }
}

/// The whole number that a float is, if it is one that can be counted.
fn exactly(number: f64) -> Option<i64> {
    const BEYOND: f64 = 9_223_372_036_854_775_808.0;
    let is_whole = number.fract() == 0.0 && number.abs() < BEYOND;
    #[allow(clippy::cast_possible_truncation)] // whole and small enough
    is_whole.then_some(number as i64)
}

pub(crate) fn bad(what: &str, expected: String, found: Option<&Value>) -> ParameterError {
    ParameterError {
        what: what.to_owned(),
        expected,
        found: found.map_or_else(|| "not given".to_owned(), Value::to_string),
    }
}
