use std::collections::BTreeMap;

use cq_types::{Grid, Instrument};

/// A parameter of a feature.
#[derive(Debug, Clone, PartialEq)]
pub enum Param {
    /// A count, a duration in seconds or another number.
    Number(f64),
    /// An instrument id, a series name or a choice.
    Text(String),
}

impl From<f64> for Param {
    fn from(value: f64) -> Self {
        Self::Number(value)
    }
}

impl From<&str> for Param {
    fn from(value: &str) -> Self {
        Self::Text(value.to_owned())
    }
}

/// One feature: its name, the operator that computes it, and the operator's parameters.
#[derive(Debug, Clone, PartialEq)]
pub struct FeatureSpec {
    /// Column name, `<what>_<level>_<window>`.
    pub name: String,
    /// Row of the registry.
    pub operator: String,
    /// What the operator reads and over which window.
    pub params: BTreeMap<String, Param>,
}

impl FeatureSpec {
    /// A spec from literal parameters.
    #[must_use]
    pub fn new<const N: usize>(name: &str, operator: &str, params: [(&str, Param); N]) -> Self {
        let params = params.map(|(key, value)| (key.to_owned(), value));
        Self {
            name: name.to_owned(),
            operator: operator.to_owned(),
            params: BTreeMap::from(params),
        }
    }
}

/// What features need to know of an instrument.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Source {
    /// Id such as `BTCUSDT-PERP.BINANCE`.
    pub id: String,
    /// Integer grid of its market data.
    pub grid: Grid,
}

impl From<&Instrument> for Source {
    fn from(instrument: &Instrument) -> Self {
        Self {
            id: instrument.id.clone(),
            grid: instrument.grid,
        }
    }
}
