#![allow(
    missing_docs,
    unused_variables,
    clippy::missing_errors_doc,
    clippy::missing_panics_doc,
    clippy::needless_pass_by_value,
    clippy::unused_self
)]
use std::sync::Arc;

use cq_types::{Instrument, InstrumentIdx, Px, Ts};
use rust_decimal::Decimal;

use crate::{
    Allocation, Attribution, Fill, Flow, Funding, LedgerError, Position, RoundTrip, SleeveIdx,
    State, Transfer, WalletIdx,
};

/// A place that holds assets; an instrument settles in the wallet that lists it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Wallet {
    /// Name such as `spot` or `usdm`.
    pub name: String,
    /// Assets it can hold.
    pub assets: Vec<String>,
    /// Instruments that settle in it.
    pub instruments: Vec<InstrumentIdx>,
}

/// What equity is counted in.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Valuation {
    /// The asset, such as `USDT`.
    pub asset: String,
    /// Assets counted one for one with it (an assumption that a report prints).
    pub at_par: Vec<String>,
}

/// Margin of the contracts that settle in one asset of one wallet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Margin {
    /// Wallet balance.
    pub balance: Decimal,
    /// Unrealised P&L of the contracts.
    pub unrealised: Decimal,
    /// `balance + unrealised`.
    pub margin_balance: Decimal,
    /// Initial margin at the chosen leverage.
    pub initial: Decimal,
    /// Maintenance margin of the dated brackets.
    pub maintenance: Decimal,
    /// What may be spent or moved away, never negative.
    pub available: Decimal,
}

impl Margin {
    /// Maintenance margin over margin balance; `None` where nothing is left to divide by.
    #[must_use]
    pub fn ratio(&self) -> Option<Decimal> {
        unimplemented!()
    }
    /// Whether the venue would liquidate: the margin balance no longer covers maintenance.
    #[must_use]
    pub fn is_liquidated(&self) -> bool {
        unimplemented!()
    }
}

type Result<T> = std::result::Result<T, LedgerError>;

#[derive(Debug, Clone)]
pub struct Ledger {}

impl Ledger {
    pub fn new(
        instruments: Arc<[Instrument]>,
        sleeves: Vec<String>,
        wallets: Vec<Wallet>,
        valuation: Valuation,
    ) -> Result<Self> {
        unimplemented!()
    }
    pub fn set_leverage(&mut self, instrument: InstrumentIdx, leverage: u16) -> Result<()> {
        unimplemented!()
    }
    /// Index of a wallet by name.
    pub fn wallet(&self, name: &str) -> Option<WalletIdx> {
        unimplemented!()
    }
    /// Index of a sleeve by name.
    pub fn sleeve(&self, name: &str) -> Option<SleeveIdx> {
        unimplemented!()
    }
    pub fn deposit(
        &mut self,
        ts: Ts,
        sleeve: SleeveIdx,
        wallet: WalletIdx,
        asset: &str,
        amount: Decimal,
    ) -> Result<()> {
        unimplemented!()
    }
    pub fn withdraw(
        &mut self,
        ts: Ts,
        sleeve: SleeveIdx,
        wallet: WalletIdx,
        asset: &str,
        amount: Decimal,
    ) -> Result<()> {
        unimplemented!()
    }
    pub fn transfer(&mut self, transfer: Transfer<'_>) -> Result<()> {
        unimplemented!()
    }
    /// allocations must sum to `fill.qty`; see `prorate` for partial fills
    pub fn apply_fill(&mut self, fill: &Fill, allocations: &[Allocation]) -> Result<()> {
        unimplemented!()
    }
    /// allocations must sum to zero
    pub fn internal_cross(
        &mut self,
        ts: Ts,
        instrument: InstrumentIdx,
        px: Px,
        allocations: &[Allocation],
    ) -> Result<()> {
        unimplemented!()
    }
    /// returns the amount the account received (negative if paid), settle asset; uses the position just before `ts`
    pub fn apply_funding(&mut self, funding: &Funding) -> Result<Decimal> {
        unimplemented!()
    }
    /// live: the venue's own amount (Account::FundingPaid) is split over the sleeves
    pub fn book_funding(
        &mut self,
        ts: Ts,
        instrument: InstrumentIdx,
        amount: Decimal,
        rate: Decimal,
    ) -> Result<()> {
        unimplemented!()
    }
    /// O(1), no allocation
    pub fn mark(&mut self, instrument: InstrumentIdx, px: Px) -> Result<()> {
        unimplemented!()
    }
    pub fn mark_of(&self, instrument: InstrumentIdx) -> Option<Px> {
        unimplemented!()
    }
    pub fn equity(&self) -> Result<Decimal> {
        unimplemented!()
    }
    pub fn sleeve_equity(&self, sleeve: SleeveIdx) -> Result<Decimal> {
        unimplemented!()
    }
    /// External cash flows of a sleeve so far, at their value then.
    pub fn deposits(&self, sleeve: SleeveIdx) -> Result<Decimal> {
        unimplemented!()
    }
    pub fn attribution(&self, sleeve: SleeveIdx) -> Result<Attribution> {
        unimplemented!()
    }
    pub fn position(&self, instrument: InstrumentIdx) -> Position {
        unimplemented!()
    }
    pub fn sleeve_position(&self, sleeve: SleeveIdx, instrument: InstrumentIdx) -> Position {
        unimplemented!()
    }
    pub fn balance(&self, wallet: WalletIdx, asset: &str) -> Result<Decimal> {
        unimplemented!()
    }
    pub fn sleeve_balance(
        &self,
        sleeve: SleeveIdx,
        wallet: WalletIdx,
        asset: &str,
    ) -> Result<Decimal> {
        unimplemented!()
    }
    pub fn margin(&self, wallet: WalletIdx, asset: &str, ts: Ts) -> Result<Margin> {
        unimplemented!()
    }
    pub fn round_trips(&self) -> &[RoundTrip] {
        unimplemented!()
    }
    pub fn flows(&self) -> &[Flow] {
        unimplemented!()
    }
    pub fn snapshot(&self) -> State {
        unimplemented!()
    }
    pub fn restore(&mut self, state: State) -> Result<()> {
        unimplemented!()
    }
}
