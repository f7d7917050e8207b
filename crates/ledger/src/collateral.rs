//! Multi-assets mode: the assets of one wallet margin its contracts together.
//!
//! Every asset counts at its price, a positive balance at its dated ratio (the haircut), a debt
//! in full. Losses, fees and funding are paid in the settle asset, whose balance may be negative.

use cq_types::{round_money, Contract, Dated, InstrumentIdx, Ts};
use rust_decimal::{Decimal, RoundingStrategy};

use crate::amount::{add_to, over, times};
use crate::layout::{Layout, Pricer};
use crate::{Ledger, LedgerError, WalletIdx};

/// What the mode says of one asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Collateral {
    /// Its name.
    pub asset: String,
    /// Part of its worth that counts as margin.
    pub ratio: Dated<Decimal>,
    /// Part of its worth that pays a debt when the venue converts it; `None`: it is never
    /// converted, as no source says for how much. What is not at par must have one.
    pub conversion: Option<Dated<Decimal>>,
    /// Largest debt of this asset before the venue converts others; `None`: no limit is known.
    pub debt_limit: Option<Dated<Decimal>>,
    /// Most of it that transfers may bring into the wallet; `None`: as much as one likes.
    pub largest: Option<Dated<Decimal>>,
}

/// The mode of one wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct MultiAssets {
    /// The wallet's name; all its contracts are linear and settle at par.
    pub wallet: String,
    /// One rule for each of its assets.
    pub assets: Vec<Collateral>,
    /// Debts over what the positive balances count at which a wallet without positions and
    /// orders is balanced by a conversion.
    pub loan_to_value: Dated<Decimal>,
}

/// The mode as a layout has it.
#[derive(Debug, Clone)]
pub(crate) struct Shared {
    pub(crate) wallet: WalletIdx,
    /// The wallet's slots in their order, each with its rule.
    pub(crate) assets: Vec<(usize, Collateral)>,
    pub(crate) loan_to_value: Dated<Decimal>,
}

impl Ledger {
    /// Puts a wallet into multi-assets mode from `ts` on, before anything is booked.
    ///
    /// # Errors
    /// [`LedgerError::Setup`] when the wallet is unknown, a contract of it is not linear or does
    /// not settle at par, an asset has no rule, or a rule is in no source at `ts`.
    pub fn with_multi_assets(mut self, rules: &MultiAssets, ts: Ts) -> Result<Self, LedgerError> {
        let shared = Shared::new(&self.layout, rules, ts)?;
        let layout = std::sync::Arc::get_mut(&mut self.layout);
        let layout =
            layout.ok_or_else(|| setup("multi-assets: the ledger is in use".to_owned()))?;
        layout.shared = Some(shared);
        Ok(self)
    }
}

fn setup(text: String) -> LedgerError {
    LedgerError::Setup(text)
}

impl Shared {
    fn new(layout: &Layout, rules: &MultiAssets, ts: Ts) -> Result<Self, LedgerError> {
        let name = &rules.wallet;
        let wallet = layout.wallets.iter().position(|w| w.name == *name);
        let wallet = wallet.ok_or_else(|| setup(format!("multi-assets: no wallet {name:?}")))?;
        for index in &layout.wallets[wallet].instruments {
            let (_, traded, route) = layout.traded(*index)?;
            let is_par = layout.slots[route.settle].pricer == Pricer::Par;
            if traded.contract != Contract::Linear || !is_par {
                return Err(setup(format!(
                    "multi-assets: {} of wallet {name} must be linear and settle at par; give \
                     others a wallet of their own",
                    traded.id
                )));
            }
        }
        let mut assets = Vec::new();
        for (slot, place) in layout.slots.iter().enumerate() {
            if place.wallet != wallet {
                continue;
            }
            let asset = &place.asset;
            let rule = rules.assets.iter().find(|rule| rule.asset == *asset);
            let rule = rule.ok_or_else(|| {
                setup(format!(
                    "multi-assets: {asset} of wallet {name} has no rule"
                ))
            })?;
            rule.check(ts)?;
            if rule.conversion.is_none() && place.pricer != Pricer::Par {
                return Err(setup(format!(
                    "multi-assets: no rule says for how much {asset} is converted"
                )));
            }
            assets.push((slot, rule.clone()));
        }
        Ok(Self {
            wallet,
            assets,
            loan_to_value: rules.loan_to_value.clone(),
        })
    }

    /// The rule of a slot of the wallet.
    pub(crate) fn rule(&self, slot: usize) -> Option<&Collateral> {
        let own = self.assets.iter().find(|(own, _)| *own == slot);
        own.map(|(_, rule)| rule)
    }

    /// What the balances count as margin, in the valuation asset; `None` while a price is
    /// missing that is needed.
    pub(crate) fn worth(
        &self,
        balances: &[Decimal],
        price: impl Fn(usize) -> Result<Option<Decimal>, LedgerError>,
        ts: Ts,
    ) -> Result<Option<Decimal>, LedgerError> {
        let mut total = Decimal::ZERO;
        for (slot, rule) in &self.assets {
            let balance = balances[*slot];
            if balance.is_zero() {
                continue;
            }
            let Some(price) = price(*slot)? else {
                return Ok(None);
            };
            add_to(&mut total, rule.counts(balance, price, ts)?)?;
        }
        Ok(Some(total))
    }

    /// Whether the worth of the balances moves with a mark.
    pub(crate) fn moves(&self, layout: &Layout, balances: &[Decimal]) -> bool {
        let mut assets = self.assets.iter();
        assets.any(|(slot, _)| {
            layout.slots[*slot].pricer != Pricer::Par && !balances[*slot].is_zero()
        })
    }

    /// Whether an instrument's mark prices an asset of the wallet.
    pub(crate) fn is_priced_by(&self, layout: &Layout, instrument: InstrumentIdx) -> bool {
        let pricer = Pricer::Mark(usize::from(instrument));
        let mut assets = self.assets.iter();
        assets.any(|(slot, _)| layout.slots[*slot].pricer == pricer)
    }
}

impl Collateral {
    /// What a balance counts as margin at a price, 8 decimals: a debt is not cut.
    pub(crate) fn counts(
        &self,
        balance: Decimal,
        price: Decimal,
        ts: Ts,
    ) -> Result<Decimal, LedgerError> {
        let worth = times(balance, price)?;
        Ok(round_money(if balance > Decimal::ZERO {
            times(worth, *self.ratio.at(ts).0)?
        } else {
            worth
        }))
    }

    /// How much of a balance above zero can leave while what is left counts no less than nothing,
    /// where all counts `free` more than is needed; 8 decimals, or the whole of it.
    pub(crate) fn movable(
        &self,
        balance: Decimal,
        price: Decimal,
        free: Decimal,
        ts: Ts,
    ) -> Result<Decimal, LedgerError> {
        // What all of it counts is rounded: dividing by it would not always give all of it back.
        if free >= self.counts(balance, price, ts)? {
            return Ok(balance);
        }
        let each = times(price, *self.ratio.at(ts).0)?;
        let most =
            over(free, each)?.round_dp_with_strategy(8, RoundingStrategy::ToNegativeInfinity);
        Ok(most.min(balance))
    }

    fn check(&self, ts: Ts) -> Result<(), LedgerError> {
        let asset = &self.asset;
        let (ratio, is_sourced) = self.ratio.at(ts);
        if !is_sourced {
            let first = self.ratio.rows()[0].0;
            return Err(setup(format!(
                "multi-assets: the collateral ratio of {asset} is known from {first} ns on: begin \
                 there or later, or margin each asset alone"
            )));
        }
        let conversion = self.conversion.as_ref().map(|rows| rows.at(ts).0);
        let mut parts = std::iter::once(ratio).chain(conversion);
        if parts.any(|p| *p <= Decimal::ZERO || *p > Decimal::ONE) {
            return Err(setup(format!(
                "multi-assets: the ratios of {asset} must lie above 0 and be at most 1"
            )));
        }
        Ok(())
    }
}
