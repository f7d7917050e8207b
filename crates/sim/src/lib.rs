//! Simulated venue, in process: it acts on market data in venue time (`ts_event`), holds its
//! own truth of orders and positions, and answers after a response latency.
//!
//! An instrument with book or quote data trades in tick mode: takers walk the book and consume
//! it, makers wait their turn behind what rested before them. Any other instrument trades in
//! bars mode, which is conservative: market orders fill at the open of the first bar that opens
//! at or after the decision, worsened by spread and square-root impact (of the whole order, in
//! however many bars it fills); limits fill only when a
//! later bar trades through by a tick; stops fill at the worse of trigger and open. What
//! happened inside a bar is answered by the bar's end; what was decided by a bar's open, a
//! cancellation too, is in place at that open.
//! Same input, same answers, bit for bit: no randomness, no clock.

mod bars;
mod execution;
mod models;
mod order;
mod rules;
mod ticks;
mod trailing;
mod venue;

pub use bars::Bar;
pub use execution::{Bottomless, Purse};
pub use models::{ConstantLatency, Impact, Latency, SimConfig, SimError, SquareRoot};
pub use order::{OrderType, Request};
pub use rules::reason;
pub use venue::{Venue, FORCED_ID};
