//! A made-up market: seeded order flow whose numbers were fitted on captures.
//!
//! Limit orders arrive by distance from the touch, queues walk within their fitted
//! distribution, small ones are cancelled first; takers come in clusters, split their orders
//! and so keep their side for long; a touch that is taken or cancelled moves the price,
//! because the other side mostly follows into the gap. [`Recorder`] writes what a recorder of
//! the venue's streams would have written, [`Bars`] the same flow summed over minutes. The
//! numbers come from outside ([`Parameters`]); the same numbers and seed give the same bytes.

mod alias;
mod bars;
mod error;
mod half;
mod market;
mod parameters;
mod quantiles;
mod recorder;
mod rng;
mod slow;
mod takers;

pub use bars::{Bars, Coarse, Minutes};
pub use error::FlowError;
pub use market::{Listener, Market, Touch};
pub use parameters::{Band, Closing, Parameters, Taking, TouchQueue};
pub use quantiles::Quantiles;
pub use recorder::{Recorder, Streams};
pub use slow::{Slow, SlowParameters};
