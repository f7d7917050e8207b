use cq_types::{InstrumentIdx, Px, Ts};
use rust_decimal::Decimal;
use thiserror::Error;

use crate::{SleeveIdx, WalletIdx};

/// Why the ledger did not book. The ledger is as it was before the call.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum LedgerError {
    /// No instrument has this index.
    #[error("unknown instrument {0}")]
    UnknownInstrument(InstrumentIdx),
    /// No sleeve has this index.
    #[error("unknown sleeve {0}")]
    UnknownSleeve(SleeveIdx),
    /// No wallet has this index.
    #[error("unknown wallet {0}")]
    UnknownWallet(WalletIdx),
    /// The wallet does not hold this asset.
    #[error("wallet {wallet} does not hold {asset}")]
    UnknownAsset {
        /// The wallet's name.
        wallet: String,
        /// The asset asked for.
        asset: String,
    },
    /// The instrument is in the list but in no wallet: it can be marked, not traded.
    #[error("{0} settles in no wallet")]
    NoWallet(String),
    /// The parts given to [`crate::Ledger::new`] do not fit together.
    #[error("ledger set-up: {0}")]
    Setup(String),
    /// A sleeve has less than it would spend: nothing is ever borrowed.
    #[error("sleeve {sleeve} has {available} {asset} to spend in {wallet}, needs {needed}")]
    NotEnough {
        /// The sleeve's name.
        sleeve: String,
        /// The wallet's name.
        wallet: String,
        /// The asset that is short.
        asset: String,
        /// What the sleeve may spend.
        available: Decimal,
        /// What the booking takes.
        needed: Decimal,
    },
    /// More than the venue takes of an asset as collateral.
    #[error("wallet {wallet} takes at most {largest} {asset}, would hold {would_be}")]
    NoRoom {
        /// The wallet's name.
        wallet: String,
        /// The asset.
        asset: String,
        /// The venue's limit.
        largest: Decimal,
        /// What would be there and on its way.
        would_be: Decimal,
    },
    /// A value is needed and the instrument that prices it was never marked.
    #[error("{0} was never marked")]
    NoMark(String),
    /// A position is larger than the last margin tier that a source gives.
    #[error(
        "{instrument}: a position of {counted} is beyond the last margin tier that is sourced, \
         {cap}: trade less, or add the tiers to the venue's rules"
    )]
    BeyondTiers {
        /// The instrument's id.
        instrument: String,
        /// Its notional in the unit of the tiers.
        counted: Decimal,
        /// The cap of the last tier.
        cap: Decimal,
    },
    /// A price is zero or negative.
    #[error("a price must be positive, was {}", .0 .0)]
    BadPrice(Px),
    /// A leverage that cannot be chosen, and the largest that can.
    #[error("leverage: expected a whole number from 1 to {1}, was {0}")]
    BadLeverage(u16, u16),
    /// An amount or rate is outside its range.
    #[error("{what} {value} is out of range")]
    BadAmount {
        /// What the number is.
        what: &'static str,
        /// The number.
        value: Decimal,
    },
    /// The parts that the sleeves take do not add up to what was traded.
    #[error("allocations: {0}")]
    BadAllocation(String),
    /// A funding payment for an instrument that no sleeve held just before it.
    #[error("funding of {instrument} at {ts}, but no sleeve held it")]
    NothingHeld {
        /// The instrument's id.
        instrument: String,
        /// When it was settled.
        ts: Ts,
    },
    /// Funding older than the position changes that are remembered.
    #[error("funding at {ts} is older than the remembered position changes")]
    TooLate {
        /// When it was settled.
        ts: Ts,
    },
    /// An amount is too large to stay exact (10^12 and more).
    #[error("{0} is too large to be kept exactly")]
    Overflow(&'static str),
}
