//! Binance: USD-M, COIN-M and spot market frames, the book's sequence rule, archive CSV.
//!
//! Frames are read in one pass whatever the order of their keys; unknown keys and
//! streams are stepped over (the venue adds fields without notice), unknown streams are
//! counted. Sources: developers.binance.com, "Websocket Market Streams" and "How to
//! manage a local order book correctly".

mod archive;
mod capture;
mod encode;
mod fields;
mod frames;
mod plan;
mod rows;
mod sequence;

pub use archive::{Archive, ArchiveKind};
pub use capture::Capture;
pub use encode::{Encoder, Levels, Times};
pub use frames::Decoder;
pub use plan::{Chain, Plan, Planner};
pub use sequence::{Sequencer, Step, Update};

/// Decimals of mark price, index price and funding rate as the venue sends them.
pub const MARK_EXP: u8 = 8;
