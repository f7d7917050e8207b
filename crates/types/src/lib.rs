//! The vocabulary every other crate speaks: events with two times, prices and
//! quantities on integer grids, instruments with dated rules, and decimal money.
//!
//! Nothing here does I/O or knows the wall clock.

mod dated;
mod error;
mod event;
mod grid;
mod instrument;
mod money;

pub use dated::Dated;
pub use error::TypeError;
pub use event::{flags, Account, Change, Event, Market};
pub use grid::{Grid, Px, Qty, Side};
pub use instrument::{
    largest_position, Bracket, BracketUnit, Contract, Fees, Instrument, InstrumentIdx, PriceBands,
};
pub use money::{is_less, is_one, round_money, MONEY_DP};

/// Nanoseconds since the Unix epoch, UTC.
pub type Ts = i64;
/// One second in [`Ts`] units.
pub const NS_PER_S: Ts = 1_000_000_000;
