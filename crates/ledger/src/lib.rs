//! Money and positions: accounts, fees, funding, margin, and the virtual books of the
//! sleeves that add up to the account to the last digit.
//!
//! The ledger is folded from account events in every mode; it is the one owner of money.
//! See [`Ledger`] for the rules of booking.

mod allocation;
mod amount;
mod error;
mod event;
mod fee;
mod ledger;
mod state;

pub use allocation::{prorate, Allocation};
pub use error::LedgerError;
pub use event::{Fill, Funding, Transfer};
pub use fee::fee;
pub use ledger::{Ledger, Margin, Valuation, Wallet};
pub use state::{Attribution, Flow, Leg, Position, RoundTrip, State};

/// Position of a sleeve in the ledger's sleeve list.
pub type SleeveIdx = usize;
/// Position of a wallet in the ledger's wallet list.
pub type WalletIdx = usize;
