//! The ledger seen from outside.
#![allow(clippy::unwrap_used)] // a fixture that does not book must fail its test

mod allocation;
mod ceiling;
mod collateral;
mod funding;
mod invariants;
mod liquidation;
mod refusals;
mod rough;
mod sessions;
mod venue;
mod worked_examples;
