//! Our own quotes: what sleeves want to rest in the book, kept there with the fewest messages.
//!
//! [`Live`] holds the quotes that live at the venues and folds their answers in; [`Desk`] holds
//! what is wanted and says what is to be cancelled, lessened and sent. [`Sums`] and [`ladder_sums`]
//! tell those who set limits what quotes and orders of one wake-up come to.

mod budget;
mod desk;
mod difference;
mod edges;
mod live;
mod standing;
mod sums;

pub use desk::{Desk, Made, Plan, Settings, Smaller, Wake};
pub use live::{Ladder, Live, LiveQuote, QuoteError};
pub use sums::{ladder_sums, Grid, Sums, Unsound};

use cq_types::InstrumentIdx;

/// Whose quotes they are, and in what.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Key {
    /// The sleeve.
    pub sleeve: usize,
    /// The instrument.
    pub instrument: InstrumentIdx,
}

/// A price with its side: that of a sale is negative.
pub type At = i64;
