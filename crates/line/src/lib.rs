//! The line: tape → book → features → wake-ups, with the ledger and the simulated venue.
//!
//! # Order of events
//! Two timelines are merged into one: what we learn, by `ts_recv`, and what the venue lives
//! through, by `ts_event`. At one time they come in this order: market data that becomes
//! known (gaps, trades, book, quotes, bars from short to long, marks, funding, outside series;
//! then by instrument) · the venue's answers · the timer of the decision grid · market data at
//! the venue · delistings · funding · deleveragings · the equity row · orders that waited for a bar's open ·
//! orders that arrive. So a decision at `t` knows nothing of the bar that begins at `t`, funding
//! at `t` is paid on the position held just before `t`, and no fill at `t` precedes it.
//!
//! Instruments may trade at several venues, each with an account of its own. At one time they
//! come by kind of event, whatever the venue; then messages and answers in the order in which the
//! instruments name the venues. What trades at one venue changes nothing at another.
//!
//! What happened inside a bar (a stop or a limit that its range reached) is stamped with the
//! bar's last nanosecond and answered by the bar's end, before the timer there: a decision at
//! `t` never closes what a stop has closed before `t`. What was decided by `t`, an order or a
//! cancellation, is in place at an open at `t`: see [`cq_sim`].

mod account;
mod admission;
mod at_once;
mod check;
mod clock;
mod columns;
mod conversion;
mod cursor;
mod custody;
mod deleverage;
mod ending;
mod error;
mod exchange;
mod feed;
mod funding;
mod jitter;
mod known;
mod legs;
mod line;
mod liquidation;
mod orders;
mod purse;
mod recent;
mod record;
mod seen;
mod settle;
mod setup;
mod strategy;
mod tape;
mod transfer;
mod transfers;
mod venue;

pub use columns::{Columns, Stamps};
pub use conversion::ConversionRow;
pub use deleverage::Deleverage;
pub use error::LineError;
pub use line::{Line, Wake};
pub use record::{FillRow, LiquidationRow, OrderRow, OrderStatus, Rows};
pub use seen::{FeedLatency, OrderLatency, Tally, Traded};
pub use setup::{Deposit, Setup};
pub use strategy::Strategy;
pub use tape::Stream;
pub use transfers::{TransferRow, TransferStatus};
