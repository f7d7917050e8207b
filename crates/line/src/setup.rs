use std::collections::BTreeMap;

use cq_features::FeatureSpec;
use cq_ledger::{Valuation, Wallet};
use cq_sim::SimConfig;
use cq_types::{Instrument, InstrumentIdx, Ts};
use rust_decimal::Decimal;

/// Money that a sleeve begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deposit {
    /// Whose.
    pub sleeve: usize,
    /// In which wallet.
    pub wallet: String,
    /// Which asset.
    pub asset: String,
    /// How much.
    pub amount: Decimal,
}

/// What a line is made of.
#[derive(Debug, Clone)]
pub struct Setup {
    /// Instruments, by index.
    pub instruments: Vec<Instrument>,
    /// Names of the sleeves.
    pub sleeves: Vec<String>,
    /// Wallets of the account.
    pub wallets: Vec<Wallet>,
    /// What equity is counted in.
    pub valuation: Valuation,
    /// Features, in the order of their columns.
    pub features: Vec<FeatureSpec>,
    /// Names of the outside series, by index.
    pub series: Vec<String>,
    /// Decision grid, ns, anchored at the epoch.
    pub grid: Ts,
    /// Grid of the equity rows, ns, anchored at the epoch.
    pub sample: Ts,
    /// First moment at which something is decided; earlier data only warms up.
    pub start: Ts,
    /// End of the segment; nothing later is read.
    pub end: Ts,
    /// Settings of the simulated venues, or none; there is one venue for each that the ids of
    /// the instruments name.
    pub sim: Option<SimConfig>,
    /// Settings of venues that have others, by name.
    pub venues: BTreeMap<String, SimConfig>,
    /// Long and short leg of each contract in hedge mode: the same contract by two ids. Its tape
    /// is that of the long leg.
    pub hedged: Vec<[InstrumentIdx; 2]>,
    /// Money to begin with, booked at `start`.
    pub capital: Vec<Deposit>,
    /// What one unit of an asset of it is worth at `start`, of those that are not counted one for
    /// one with what equity is counted in.
    pub prices: BTreeMap<String, Decimal>,
}

impl Setup {
    /// A line for research has no account; the ledger wants one sleeve and one wallet.
    pub(crate) fn with_account(mut self) -> Self {
        if self.sleeves.is_empty() {
            self.sleeves.push("account".to_owned());
        }
        if self.wallets.is_empty() {
            self.wallets.push(Wallet {
                name: "account".to_owned(),
                assets: vec![self.valuation.asset.clone()],
                instruments: Vec::new(),
            });
        }
        self
    }
}
