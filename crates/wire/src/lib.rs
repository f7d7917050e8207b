//! Venue wire formats, sans-I/O: bytes in, columns on the instrument's grid out.
//!
//! Nothing here opens a file or a socket. A [`Lines`] takes whatever bytes its owner
//! has read, inflates and splits them, and hands each line to a venue's decoder; the
//! decoder writes integers straight into a [`Batch`] of columns, without floats and
//! without a string per field. One file a venue: [`binance`].

mod batch;
pub mod binance;
mod error;
mod inflate;
mod lines;
mod scan;
mod stats;
mod time;
mod widen;

pub use batch::{AggTrades, Batch, Column, Deltas, Marks, Quotes, Trades, MISSING};
pub use error::{LineError, WireError};
pub use inflate::Codec;
pub use lines::{LineDecoder, Lines};
pub use stats::Stats;
pub use time::to_ns;
pub use widen::FINEST_QTY_EXP;
