//! Money and positions: accounts, fees, funding, margin, and the virtual books of the
//! sleeves that add up to the account to the last digit.
//!
//! The ledger is folded from account events in every mode; it is the one owner of money.
//! See [`Ledger`] for the rules of booking.

mod allocation;
mod amount;
mod approx;
mod booking;
mod cash;
mod ceiling;
mod charge;
mod collateral;
mod contract;
mod conversion;
mod draft;
mod error;
mod event;
mod fee;
mod funding;
mod layout;
mod ledger;
mod liquidation;
mod margin;
mod margin_account;
mod memory;
mod opening;
mod pool;
mod position;
mod reduction;
mod rough;
mod safe;
mod state;
mod transfer;
mod trip;
mod valuation;

pub use allocation::{prorate, Allocation, Parts};
pub use approx::approx;
pub use booking::Share;
pub use collateral::{Collateral, MultiAssets};
pub use conversion::{cause, Conversion};
pub use error::LedgerError;
pub use event::{Fill, Funding, Transfer};
pub use fee::fee;
pub use layout::{Valuation, Wallet};
pub use ledger::Ledger;
pub use liquidation::liquidation_fee;
pub use margin::Margin;
pub use margin_account::{MarginAccount, VenueMarks};
pub use opening::{OpenOrders, Opening};
pub use pool::{MarginMode, Pool};
pub use position::Position;
pub use reduction::{Reducing, Reduction};
pub use rough::RoughOrders;
pub use safe::Safe;
pub use state::{Attribution, Book, Books, Change, Flow, Holdings, State};
pub use trip::{Leg, OpenLeg, OpenTrip, Outcome, RoundTrip};

/// Position of a sleeve in the ledger's sleeve list.
pub type SleeveIdx = usize;
/// Position of a wallet in the ledger's wallet list.
pub type WalletIdx = usize;
