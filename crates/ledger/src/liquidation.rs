//! At which prices a venue liquidates, and what it takes for that.
//!
//! A maintenance margin of tiers with rising rates is the largest of what each tier's line
//! `notional * mmr - cum` gives (the lines meet at the caps). So a price liquidates as soon as
//! one line says so, and the liquidation price is the first that any line reaches. Tiers of a size
//! that no price changes leave one line.

use cq_types::{Bracket, BracketUnit, Contract, Instrument, InstrumentIdx, Px, Qty, Ts};
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::Decimal;

use crate::amount::{minus, over, plus, times};
use crate::contract::{notional, price, size};
use crate::margin_account::MarginAccount;
use crate::{LedgerError, Margin, Position};

impl Position {
    /// Mark at which the position alone, margined by `collateral`, is liquidated with the
    /// tiers in force at `ts`; `None` where no price can.
    ///
    /// # Errors
    /// When an amount is too large.
    pub fn liquidation_price(
        &self,
        instrument: &Instrument,
        collateral: Decimal,
        ts: Ts,
    ) -> Result<Option<Decimal>, LedgerError> {
        let held = size(instrument, self.qty)?;
        if held.is_zero() {
            return Ok(None);
        }
        let backing = minus(collateral, self.cost)?;
        let unknown = [Bracket {
            cap: None,
            mmr: Decimal::ZERO,
            max_leverage: 1,
            cum: Decimal::ZERO,
        }];
        let tiers = match instrument.tiers(ts) {
            [] => &unknown[..],
            known => match size_tier(instrument, held, ts) {
                Some(tier) => &known[tier..=tier],
                None => known,
            },
        };
        let mut first: Option<Decimal> = None;
        for tier in tiers {
            let root = root(instrument, held, backing, tier)?;
            let Some(root) = root.filter(|root| *root > Decimal::ZERO) else {
                continue;
            };
            first = Some(match first {
                Some(other) if held > Decimal::ZERO => other.max(root),
                Some(other) => other.min(root),
                None => root,
            });
        }
        Ok(first)
    }
}

/// The tier of a position whose tiers are counted in its size, whatever its price.
fn size_tier(instrument: &Instrument, held: Decimal, ts: Ts) -> Option<usize> {
    let is_size = matches!(
        (instrument.contract, instrument.bracket_unit),
        (Contract::Inverse, BracketUnit::Quote)
            | (Contract::Spot | Contract::Linear, BracketUnit::Base)
    );
    is_size
        .then(|| instrument.tier_of(held.abs(), ts))
        .flatten()
}

/// Where `backing` plus the position's value equals the maintenance of one tier's line.
fn root(
    instrument: &Instrument,
    held: Decimal,
    backing: Decimal,
    tier: &Bracket,
) -> Result<Option<Decimal>, LedgerError> {
    let rated = times(held.abs(), tier.mmr)?;
    let (above, below) = match (instrument.contract, instrument.bracket_unit) {
        // backing + held P = rated P - cum
        (Contract::Spot | Contract::Linear, BracketUnit::Quote) => {
            (-plus(backing, tier.cum)?, minus(held, rated)?)
        }
        // backing + held P = (rated - cum) P
        (Contract::Spot | Contract::Linear, BracketUnit::Base) => {
            (-backing, plus(minus(held, rated)?, tier.cum)?)
        }
        // backing - held / P = rated / P - cum
        (Contract::Inverse, BracketUnit::Base) => (plus(held, rated)?, plus(backing, tier.cum)?),
        // backing - held / P = (rated - cum) / P
        (Contract::Inverse, BracketUnit::Quote) => (minus(plus(held, rated)?, tier.cum)?, backing),
    };
    // Beyond what is kept exactly lies no price of a tape.
    Ok(over(above, below).ok())
}

impl MarginAccount {
    /// The price on the grid at which closing a contract leaves nothing of its pool's margin,
    /// while the other contracts stand at their marks; rounded so that no less than nothing
    /// is left.
    ///
    /// # Errors
    /// When an amount is too large.
    pub fn bankruptcy_price(
        &self,
        instrument: InstrumentIdx,
        margin: &Margin,
        mark: Px,
    ) -> Result<Px, LedgerError> {
        let i = usize::from(instrument);
        let traded = &self.layout.instruments[i];
        let (at, left) = (price(traded, mark)?, margin.margin_balance);
        let held = size(traded, self.holdings.positions[i].qty)?;
        let exact = match traded.contract {
            Contract::Spot | Contract::Linear => over(left, held).and_then(|d| minus(at, d)).ok(),
            Contract::Inverse => {
                let worth = plus(over(held, at)?, left)?;
                over(held, worth).ok().filter(|px| *px > Decimal::ZERO)
            }
        };
        let grid = Decimal::from(10_u64.pow(u32::from(traded.grid.price_exp)));
        let units = exact.and_then(|px| px.checked_mul(grid));
        let rounded = units.map(|units| {
            if held > Decimal::ZERO {
                units.ceil()
            } else {
                units.floor()
            }
        });
        // Beyond that no price of a tape lies; the fund settles the rest.
        let farthest = mark.0.saturating_mul(1_000);
        let units = rounded.map_or(farthest, |px| px.to_i64().unwrap_or(farthest));
        Ok(Px(units.clamp(1, farthest)))
    }
}

/// What the venue takes of what it liquidates at `price`, in the settle asset: the taker's fee where
/// no source says another one.
///
/// # Errors
/// When the notional is too large.
pub fn liquidation_fee(
    instrument: &Instrument,
    price: Decimal,
    qty: Qty,
    ts: Ts,
) -> Result<Decimal, LedgerError> {
    let rate = match &instrument.liquidation_fee {
        Some(rows) => *rows.at(ts).0,
        None => instrument.fees.at(ts).0.taker.max(Decimal::ZERO),
    };
    let paid_on = notional(instrument, price, qty)?.abs();
    Ok(cq_types::round_money(times(paid_on, rate)?))
}
