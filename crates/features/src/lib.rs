//! Streaming feature operators: the same code computes a feature live, in a
//! backtest and in a research table.
//!
//! A [`FeatureSet`] is built from [`FeatureSpec`]s by the literal table in
//! `registry.rs`. Events change its state in `ts_recv` order; [`FeatureSet::write`]
//! reads it and changes nothing, so when and how often it is read cannot matter.
//!
//! Rules of every operator: NaN until warm, then finite; an undefined value (zero
//! volume, zero variance) and a missing or stale input are NaN, never 0; a bar counts
//! from its end, an outside value from its `ts_recv`; memory is bounded by the window.

mod args;
mod error;
mod feed;
mod operator;
mod registry;
mod set;
mod smooth;
mod spec;
mod state;
mod window;

mod basis;
mod calendar;
mod channel;
mod depth;
mod external;
mod flow;
mod funding;
mod liquidity;
mod microprice;
mod minutes;
mod ofi;
mod oscillator;
mod returns;
mod tape;
mod top;
mod trend;
mod volatility;
mod volume;
mod vpin;

pub use error::FeatureError;
pub use registry::operators;
pub use set::FeatureSet;
pub use spec::{FeatureSpec, Param, Source};
