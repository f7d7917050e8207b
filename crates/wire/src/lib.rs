//! Venue wire formats, sans-I/O: bytes in, columns on the instrument's grid out.
//!
//! Nothing here opens a file or a socket. An [`Inflater`] unpacks the bytes that its owner
//! has read; a [`Lines`] splits text into lines and hands each to a venue's decoder; the
//! decoder writes integers straight into a [`Batch`] of columns, without floats and
//! without a string per field. One folder a venue: [`binance`].

mod batch;
pub mod binance;
mod decimal;
mod error;
mod inflate;
mod json;
mod lines;
mod series;
mod stats;
mod time;
mod widen;

pub use batch::{AggTrades, Batch, Column, Deltas, Marks, Quotes, Table, Trades, MISSING};
pub use error::{LineError, WireError};
pub use inflate::{Codec, Inflater};
pub use lines::{LineDecoder, Lines};
pub use stats::Stats;
pub use time::to_ns;
pub use widen::FINEST_QTY_EXP;
