//! Strategies in Rust, to be run on the simulated venue and to begin one's own from.
//!
//! Each is a [`cq_line::Strategy`]: it reads what the line knows at a wake-up, and places and
//! cancels. None can reach a venue that is not simulated. [`build`] makes one of its name.

mod desk;
mod glft;
mod grid;
mod imbalance;
mod intensity;
mod parameters;
mod quotes;
mod registry;
mod twap;

pub use desk::{Desk, Placed, Touch};
pub use glft::Glft;
pub use grid::Grid;
pub use imbalance::Imbalance;
pub use parameters::{ParameterError, Value};
pub use registry::{build, Built};
pub use twap::Twap;
