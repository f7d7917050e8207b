//! The line: tape → book → features → wake-ups, with the ledger and the simulated venue.
//!
//! # Order of events
//! Two timelines are merged into one: what we learn, by `ts_recv`, and what the venue lives
//! through, by `ts_event`. At one time they come in this order: market data that becomes
//! known (gaps, trades, book, quotes, bars from short to long, marks, funding, outside series;
//! then by instrument) · the venue's answers · the timer of the decision grid · market data at
//! the venue · delistings · funding · the equity row · orders that waited for a bar's open ·
//! orders that arrive. So a decision at `t` knows nothing of the bar that begins at `t`, funding
//! at `t` is paid on the position held just before `t`, and no fill at `t` precedes it.

mod account;
mod clock;
mod cursor;
mod ending;
mod error;
mod known;
mod line;
mod orders;
mod purse;
mod record;
mod settle;
mod setup;
mod tape;
mod venue;

pub use error::LineError;
pub use line::{Line, Wake};
pub use record::{FillRow, OrderRow, OrderStatus, Rows};
pub use setup::{Deposit, Setup};
pub use tape::{Columns, Stamps, Stream};
