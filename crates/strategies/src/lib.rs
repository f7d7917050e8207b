//! Strategies in Rust, to be run on the simulated venue and to begin one's own from.
//!
//! Each is a [`cq_line::Strategy`]: it reads what the line knows at a wake-up, and places and
//! cancels. None can reach a venue that is not simulated.

mod desk;
mod grid;

pub use desk::Desk;
pub use grid::Grid;
