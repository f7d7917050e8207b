//! Which wallet an instrument settles in, and what prices the assets of the wallets.

use std::sync::Arc;

use cq_types::{Contract, Dated, Instrument, InstrumentIdx};
use rust_decimal::Decimal;

use crate::collateral::Shared;
use crate::{LedgerError, SleeveIdx, WalletIdx};

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

impl Valuation {
    fn counts(&self, asset: &str) -> bool {
        self.asset == asset || self.at_par.iter().any(|par| par == asset)
    }
}

/// Where the price of an asset in a wallet comes from.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Pricer {
    /// Counted one for one.
    Par,
    /// The mark of this instrument.
    Mark(usize),
}

/// One asset of one wallet.
#[derive(Debug, Clone)]
pub(crate) struct Slot {
    pub(crate) wallet: WalletIdx,
    pub(crate) asset: String,
    pub(crate) pricer: Pricer,
    /// Whether a spot instrument trades it here: then it is a position, not only collateral.
    pub(crate) is_traded: bool,
}

/// Where an instrument's money goes.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Route {
    /// Slot of the settle asset.
    pub(crate) settle: usize,
    /// Slot of the base asset; spot only.
    pub(crate) base: Option<usize>,
    /// Position of its base asset in [`Layout::bases`].
    pub(crate) group: usize,
}

/// The fixed part of a ledger.
#[derive(Debug, Clone)]
pub(crate) struct Layout {
    pub(crate) instruments: Arc<[Instrument]>,
    pub(crate) sleeves: Vec<String>,
    pub(crate) wallets: Vec<Wallet>,
    pub(crate) slots: Vec<Slot>,
    pub(crate) routes: Vec<Option<Route>>,
    pub(crate) bases: Vec<String>,
    /// Whether no tier of an instrument ever asks for more than a position is worth.
    pub(crate) is_mild: Vec<bool>,
    /// The wallet in multi-assets mode, if one is.
    pub(crate) shared: Option<Shared>,
}

fn is_mild(instrument: &Instrument) -> bool {
    let rows = instrument.brackets.iter().flat_map(Dated::rows);
    let mut tiers = rows.flat_map(|(_, tiers)| tiers);
    tiers.all(|tier| tier.mmr <= Decimal::ONE && tier.cum >= Decimal::ZERO)
}

fn setup<T>(text: String) -> Result<T, LedgerError> {
    Err(LedgerError::Setup(text))
}

impl Layout {
    pub(crate) fn new(
        instruments: Arc<[Instrument]>,
        sleeves: Vec<String>,
        wallets: Vec<Wallet>,
        valuation: &Valuation,
    ) -> Result<Self, LedgerError> {
        check_names("sleeve", &sleeves, String::as_str)?;
        check_names("wallet", &wallets, |w| &w.name)?;
        instruments.iter().try_for_each(check_grid)?;
        let mut layout = Self {
            routes: vec![None; instruments.len()],
            is_mild: instruments.iter().map(is_mild).collect(),
            instruments,
            sleeves,
            wallets: Vec::new(),
            slots: Vec::new(),
            bases: Vec::new(),
            shared: None,
        };
        for (w, wallet) in wallets.iter().enumerate() {
            check_names("asset", &wallet.assets, String::as_str)?;
            for asset in &wallet.assets {
                let pricer = layout.pricer(wallet, asset, valuation)?;
                let asset = asset.clone();
                layout.slots.push(Slot {
                    wallet: w,
                    asset,
                    pricer,
                    is_traded: false,
                });
            }
        }
        layout.wallets = wallets;
        for w in 0..layout.wallets.len() {
            for i in layout.wallets[w].instruments.clone() {
                layout.route(w, i)?;
            }
        }
        Ok(layout)
    }

    /// An asset is priced where it is traded: in its own wallet if it can be, spot before
    /// linear before inverse.
    fn pricer(
        &self,
        wallet: &Wallet,
        asset: &str,
        valuation: &Valuation,
    ) -> Result<Pricer, LedgerError> {
        if valuation.counts(asset) {
            return Ok(Pricer::Par);
        }
        let rank = |i: usize, contract: Contract| {
            let elsewhere = !wallet.instruments.iter().any(|own| usize::from(*own) == i);
            let kind = match contract {
                Contract::Spot => 0,
                Contract::Linear => 1,
                Contract::Inverse => 2,
            };
            (elsewhere, kind, i)
        };
        self.instruments
            .iter()
            .enumerate()
            .filter(|(_, x)| x.base == asset && valuation.counts(&x.quote))
            .min_by_key(|(i, x)| rank(*i, x.contract))
            .map(|(i, _)| Pricer::Mark(i))
            .ok_or_else(|| {
                let (name, unit) = (&wallet.name, &valuation.asset);
                LedgerError::Setup(format!(
                    "no instrument prices {asset} of wallet {name} in {unit}; add one, or count it at par"
                ))
            })
    }

    fn route(&mut self, wallet: WalletIdx, instrument: InstrumentIdx) -> Result<(), LedgerError> {
        let i = self.known(instrument)?;
        let traded = &self.instruments[i];
        if self.routes[i].is_some() {
            return setup(format!("{} settles in two wallets", traded.id));
        }
        let settle = self.slot(wallet, &traded.settle)?;
        let base = match traded.contract {
            Contract::Spot => Some(self.slot(wallet, &traded.base)?),
            Contract::Linear | Contract::Inverse => None,
        };
        if let Some(base) = base {
            self.slots[base].is_traded = true;
        }
        let group = self.bases.iter().position(|base| *base == traded.base);
        let group = group.unwrap_or_else(|| {
            self.bases.push(traded.base.clone());
            self.bases.len() - 1
        });
        self.routes[i] = Some(Route {
            settle,
            base,
            group,
        });
        Ok(())
    }

    /// Index of an instrument.
    pub(crate) fn known(&self, instrument: InstrumentIdx) -> Result<usize, LedgerError> {
        let i = usize::from(instrument);
        if i < self.instruments.len() {
            Ok(i)
        } else {
            Err(LedgerError::UnknownInstrument(instrument))
        }
    }

    /// An instrument that is traded, with where its money goes.
    pub(crate) fn traded(
        &self,
        instrument: InstrumentIdx,
    ) -> Result<(usize, &Instrument, Route), LedgerError> {
        let i = self.known(instrument)?;
        let traded = &self.instruments[i];
        match self.routes[i] {
            Some(route) => Ok((i, traded, route)),
            None => Err(LedgerError::NoWallet(traded.id.clone())),
        }
    }

    /// Position of an asset of a wallet in the list of balances.
    pub(crate) fn slot(&self, wallet: WalletIdx, asset: &str) -> Result<usize, LedgerError> {
        let place = self
            .wallets
            .get(wallet)
            .ok_or(LedgerError::UnknownWallet(wallet))?;
        self.slots
            .iter()
            .position(|slot| slot.wallet == wallet && slot.asset == asset)
            .ok_or_else(|| LedgerError::UnknownAsset {
                wallet: place.name.clone(),
                asset: asset.to_owned(),
            })
    }

    /// The multi-assets mode of a slot's wallet.
    pub(crate) fn shared_of(&self, slot: usize) -> Option<&Shared> {
        let wallet = self.slots[slot].wallet;
        self.shared
            .as_ref()
            .filter(|shared| shared.wallet == wallet)
    }

    pub(crate) fn check_sleeve(&self, sleeve: SleeveIdx) -> Result<(), LedgerError> {
        if sleeve < self.sleeves.len() {
            Ok(())
        } else {
            Err(LedgerError::UnknownSleeve(sleeve))
        }
    }

    /// The error of a sleeve that would spend more than it has.
    pub(crate) fn not_enough(
        &self,
        sleeve: SleeveIdx,
        slot: usize,
        available: Decimal,
        needed: Decimal,
    ) -> LedgerError {
        let Slot { wallet, asset, .. } = &self.slots[slot];
        LedgerError::NotEnough {
            sleeve: self.sleeves[sleeve].clone(),
            wallet: self.wallets[*wallet].name.clone(),
            asset: asset.clone(),
            available,
            needed,
        }
    }
}

fn check_names<T>(what: &str, parts: &[T], name: impl Fn(&T) -> &str) -> Result<(), LedgerError> {
    if parts.is_empty() {
        return setup(format!("at least one {what} is needed"));
    }
    for (i, part) in parts.iter().enumerate() {
        if parts[..i].iter().any(|other| name(other) == name(part)) {
            return setup(format!("{what} {:?} is named twice", name(part)));
        }
    }
    Ok(())
}

/// Finer grids would let a product of quantity and price outgrow 28 digits.
fn check_grid(x: &Instrument) -> Result<(), LedgerError> {
    let qty_decimals = u32::from(x.grid.qty_exp) + x.multiplier.normalize().scale();
    if x.grid.price_exp > 8 || qty_decimals > 8 {
        return setup(format!(
            "{}: prices and quantities may have 8 decimals each, were {} and {qty_decimals}",
            x.id, x.grid.price_exp
        ));
    }
    if x.multiplier <= Decimal::ZERO {
        return setup(format!("{}: the multiplier must be positive", x.id));
    }
    Ok(())
}
