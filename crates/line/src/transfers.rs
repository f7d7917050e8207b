//! What is written down of transfers, and what they cost.

use std::collections::BTreeSet;

use cq_ledger::{Transfer, WalletIdx};
use cq_sim::SimConfig;
use cq_types::Ts;
use rust_decimal::Decimal;

use crate::cursor::NEVER;

/// What became of a transfer.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum TransferStatus {
    /// On its way: in no wallet, but part of the equity.
    InFlight,
    /// In the other wallet.
    Arrived,
    /// Refused: nothing was moved.
    Refused,
}

impl TransferStatus {
    /// Its name in records.
    #[must_use]
    pub fn name(self) -> &'static str {
        match self {
            Self::InFlight => "in_flight",
            Self::Arrived => "arrived",
            Self::Refused => "refused",
        }
    }
}

/// One transfer between two wallets.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct TransferRow {
    /// When it was asked for.
    pub ts: Ts,
    /// When it arrives, or was refused.
    pub arrives: Ts,
    /// Whose money it is.
    pub sleeve: usize,
    /// Wallet that pays amount and fee.
    pub from: WalletIdx,
    /// Wallet that receives the amount.
    pub to: WalletIdx,
    /// What is moved.
    pub asset: String,
    /// How much arrives.
    pub amount: Decimal,
    /// What the sender pays on top.
    pub fee: Decimal,
    /// What became of it.
    pub status: TransferStatus,
    /// Why it was refused; empty otherwise.
    pub reason: &'static str,
}

impl TransferRow {
    pub(crate) fn transfer(&self) -> Transfer<'_> {
        Transfer {
            ts: self.ts,
            from: self.from,
            to: self.to,
            asset: &self.asset,
            amount: self.amount,
            fee: self.fee,
            sleeve: self.sleeve,
        }
    }
}

/// All transfers, and which are on their way.
#[derive(Debug, Default)]
pub(crate) struct Transfers {
    pub(crate) rows: Vec<TransferRow>,
    /// Arrival and number of each.
    pub(crate) coming: BTreeSet<(Ts, usize)>,
}

impl Transfers {
    pub(crate) fn next(&self) -> Ts {
        self.coming.first().map_or(NEVER, |(ts, _)| *ts)
    }
}

/// How long a venue's transfers take, and what they cost by asset.
#[derive(Debug, Clone, Default)]
pub(crate) struct TransferTerms {
    pub(crate) delay: Ts,
    fees: Vec<(String, Decimal)>,
}

impl TransferTerms {
    pub(crate) fn of(config: &SimConfig) -> Self {
        Self {
            delay: config.transfer_delay,
            fees: config.transfer_fees.clone(),
        }
    }

    pub(crate) fn fee(&self, asset: &str) -> Decimal {
        let own = self.fees.iter().find(|(name, _)| name == asset);
        own.map_or(Decimal::ZERO, |(_, fee)| *fee)
    }
}
