//! Simulated venue, in process: it acts on market data in venue time (`ts_event`), holds its
//! own truth of orders and positions, and answers after a response latency.
//!
//! An instrument with book or quote data trades in tick mode: takers walk the book and consume
//! it, makers wait their turn behind what rested before them. Any other instrument trades in
//! bars mode, which is conservative: market orders fill at the open of the first bar that opens
//! at or after the decision, worsened by spread and square-root impact (of the whole order, in
//! however many bars it fills); limits fill only when a
//! later bar trades through by a tick; stops fill at the worse of trigger and open.
//!
//! In bars mode orders and cancellations are in place by when they were decided, so that a stop
//! and the close that replaces it never both trade:
//! - What was decided by an open is in place at it: an order that is still on its way gets that
//!   open's price on arrival, an order whose cancellation is still on its way does not trade.
//! - What was decided after an open comes too late for it: an order waits for the next open, a
//!   cancellation undoes nothing.
//! - What was decided inside a bar is at the venue by the bar's end, before stops and limits
//!   meet its range; what that range did is answered by the bar's end.
//!
//! Same input, same answers, bit for bit: no randomness, no clock.

mod bars;
mod execution;
mod latency;
mod matching;
mod models;
mod order;
mod positions;
mod queue;
mod rate;
mod rules;
mod ticks;
mod trailing;
mod transit;
mod venue;

pub use bars::Bar;
pub use execution::{Bottomless, Purse};
pub use latency::{FeedLatencies, FeedLatency, Latencies, Latency, Passage, RoundTrip};
pub use matching::{Amend, Matching, SelfTrade};
pub use models::{
    Impact, SimConfig, SimError, SquareRoot, StopMargin, TriggeredStops, WaitingAmends,
};
pub use order::{Amendment, OrderType, PositionSide, Request, TimeInForce, TriggerBy};
pub use queue::{Queue, QueueModel};
pub use rate::OrderRate;
pub use rules::{reason, reject_code, REASONS};
pub use venue::{Asked, ForcedOrder, OpenOrder, Trade, Venue, FORCED_ID};
