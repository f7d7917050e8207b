//! At which prices a venue liquidates, and by how much it must reduce.
//!
//! A maintenance margin of tiers with rising rates is the largest of what each tier's line
//! `notional * mmr - cum` gives (the lines meet at the caps). So a price liquidates as soon as
//! one line says so, and the liquidation price is the first that any line reaches.

use cq_types::{Bracket, BracketUnit, Contract, Instrument, InstrumentIdx, Px, Qty, Ts};
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::Decimal;

use crate::amount::{minus, over, plus, times};
use crate::contract::{maintenance, notional, price, size, tier_notional};
use crate::margin_account::{MarginAccount, VenueMarks};
use crate::pool::Pool;
use crate::position::magnitude;
use crate::{LedgerError, Margin, Position};

/// Part of a position that brings its pool back within the margin.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Reduction {
    /// Which contract.
    pub instrument: InstrumentIdx,
    /// How much is closed, positive.
    pub qty: Qty,
}

/// How a venue reduces a position before it takes it over.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum Reducing {
    /// One order down to the highest lower tier that suffices; what it trades counts (Binance).
    #[default]
    OneOrder,
    /// The same order, traded as a whole or not at all (Bybit).
    FillOrKill,
    /// From the third tier up by two tiers at a time, while the lowest tier's margin is there (OKX).
    TwoTiers,
}

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
            [] => &unknown,
            known => known,
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

    /// The contracts of a pool that are held, the one that needs most margin first.
    ///
    /// # Errors
    /// When an amount is too large.
    pub fn by_maintenance(
        &self,
        pool: Pool,
        marks: VenueMarks<'_>,
        ts: Ts,
    ) -> Result<Vec<InstrumentIdx>, LedgerError> {
        let mut rows = Vec::new();
        for index in self.held(pool) {
            let i = usize::from(index);
            let (traded, qty) = (&self.layout.instruments[i], self.holdings.positions[i].qty);
            let mark = marks[i].ok_or_else(|| LedgerError::NoMark(traded.id.clone()))?;
            rows.push((maintenance(traded, price(traded, mark)?, qty, ts)?, index));
        }
        rows.sort_by(|a, b| b.0.cmp(&a.0).then(a.1.cmp(&b.1)));
        Ok(rows.into_iter().map(|(_, index)| index).collect())
    }

    /// The part of a position that a venue closes next; `None` where it takes all over.
    ///
    /// # Errors
    /// When an amount is too large.
    pub fn reduction(
        &self,
        (pool, how): (Pool, Reducing),
        margin: &Margin,
        marks: VenueMarks<'_>,
        ts: Ts,
    ) -> Result<Option<Reduction>, LedgerError> {
        match how {
            Reducing::OneOrder | Reducing::FillOrKill => self.sufficient(pool, margin, marks, ts),
            Reducing::TwoTiers => self.two_tiers(pool, margin, marks, ts),
        }
    }

    /// What takes a position two tiers down, to the cap there at the mark: of the one that needs
    /// most margin, where it is in the third tier or above and what is left is more than it would
    /// need in the lowest.
    ///
    /// OKX, "Forced Partial Liquidation".
    fn two_tiers(
        &self,
        pool: Pool,
        margin: &Margin,
        marks: VenueMarks<'_>,
        ts: Ts,
    ) -> Result<Option<Reduction>, LedgerError> {
        for instrument in self.by_maintenance(pool, marks, ts)? {
            let i = usize::from(instrument);
            let traded = &self.layout.instruments[i];
            let Some(mark) = marks[i] else {
                continue;
            };
            let at = price(traded, mark)?;
            let qty = self.holdings.positions[i].qty;
            let tiers = traded.tiers(ts);
            let tier = traded.tier_of(tier_notional(traded, at, qty)?, ts);
            let lower = tier.and_then(|tier| tiers.get(tier.checked_sub(2)?));
            let (Some(cap), Some(lowest)) = (lower.and_then(|lower| lower.cap), tiers.first())
            else {
                continue;
            };
            let others = minus(margin.maintenance, maintenance(traded, at, qty, ts)?)?;
            let least = times(notional(traded, at, qty)?.abs(), lowest.mmr)?;
            if margin.margin_balance <= plus(others, least)? {
                continue;
            }
            let held = magnitude(qty)?;
            let closed = Qty(held - within(traded, cap, at, held, ts)?);
            return Ok(Some(Reduction {
                instrument,
                qty: closed,
            }));
        }
        Ok(None)
    }

    /// The smallest part of a position whose close, to the cap of a lower tier at the mark and
    /// with the venue's fee, brings the pool back within its margin. `None` where no tier does.
    fn sufficient(
        &self,
        pool: Pool,
        margin: &Margin,
        marks: VenueMarks<'_>,
        ts: Ts,
    ) -> Result<Option<Reduction>, LedgerError> {
        for index in self.by_maintenance(pool, marks, ts)? {
            let i = usize::from(index);
            let traded = &self.layout.instruments[i];
            let Some(mark) = marks[i] else {
                continue;
            };
            let at = price(traded, mark)?;
            let qty = self.holdings.positions[i].qty;
            let Some(tier) = traded.tier_of(tier_notional(traded, at, qty)?, ts) else {
                continue;
            };
            let others = minus(margin.maintenance, maintenance(traded, at, qty, ts)?)?;
            let held = magnitude(qty)?;
            for lower in traded.tiers(ts)[..tier].iter().rev() {
                let Some(cap) = lower.cap else {
                    continue;
                };
                let kept = within(traded, cap, at, held, ts)?;
                let closed = Qty(held - kept);
                let fee = liquidation_fee(traded, at, closed, ts)?;
                let needed = plus(others, maintenance(traded, at, Qty(kept), ts)?)?;
                if minus(margin.margin_balance, fee)? > needed {
                    let instrument = index;
                    return Ok(Some(Reduction {
                        instrument,
                        qty: closed,
                    }));
                }
            }
        }
        Ok(None)
    }
}

/// The largest quantity in whole lots whose notional at `price` is within a tier's cap.
fn within(
    instrument: &Instrument,
    cap: Decimal,
    price: Decimal,
    held: i64,
    ts: Ts,
) -> Result<i64, LedgerError> {
    let unit = size(instrument, Qty(1))?;
    let units = match (instrument.contract, instrument.bracket_unit) {
        (Contract::Spot | Contract::Linear, BracketUnit::Quote) => over(cap, times(unit, price)?)?,
        (Contract::Inverse, BracketUnit::Base) => over(times(cap, price)?, unit)?,
        _ => over(cap, unit)?,
    };
    let lot = instrument.lot.at(ts).0 .0;
    let whole = units.floor().to_i64().unwrap_or(i64::MAX);
    Ok(whole.min(held) / lot * lot)
}

/// What the venue takes of what it liquidates at `price`, in the settle asset.
///
/// # Errors
/// When the notional is too large.
pub fn liquidation_fee(
    instrument: &Instrument,
    price: Decimal,
    qty: Qty,
    ts: Ts,
) -> Result<Decimal, LedgerError> {
    let Some(rows) = &instrument.liquidation_fee else {
        return Ok(Decimal::ZERO);
    };
    let paid_on = notional(instrument, price, qty)?.abs();
    Ok(cq_types::round_money(times(paid_on, *rows.at(ts).0)?))
}
