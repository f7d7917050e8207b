//! By how much a venue reduces the positions of a pool that is short of margin.

use cq_types::{BracketUnit, Contract, Instrument, InstrumentIdx, Qty, Ts};
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::Decimal;

use crate::amount::{minus, over, plus, times};
use crate::contract::{maintenance, notional, price, size, tier_notional};
use crate::liquidation::liquidation_fee;
use crate::margin_account::{MarginAccount, VenueMarks};
use crate::pool::Pool;
use crate::position::magnitude;
use crate::{LedgerError, Margin};

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

/// A position of a pool at its mark.
struct Standing<'a> {
    instrument: InstrumentIdx,
    traded: &'a Instrument,
    at: Decimal,
    /// How much is held, positive.
    held: i64,
    /// What it needs of margin.
    needed: Decimal,
    /// Its tier, where any is known.
    tier: Option<usize>,
}

impl MarginAccount {
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
        let all = self.standings(pool, marks, ts)?;
        Ok(all.iter().map(|own| own.instrument).collect())
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
        for own in self.standings(pool, marks, ts)? {
            let kept = match how {
                Reducing::OneOrder | Reducing::FillOrKill => own.sufficient(margin, ts)?,
                Reducing::TwoTiers => own.two_tiers(margin, ts)?,
            };
            if let Some(kept) = kept {
                return Ok(Some(Reduction {
                    instrument: own.instrument,
                    qty: Qty(own.held - kept),
                }));
            }
        }
        Ok(None)
    }

    /// The positions of a pool, the one that needs most margin first.
    fn standings(
        &self,
        pool: Pool,
        marks: VenueMarks<'_>,
        ts: Ts,
    ) -> Result<Vec<Standing<'_>>, LedgerError> {
        let mut all = Vec::new();
        for instrument in self.held(pool) {
            let i = usize::from(instrument);
            let (traded, qty) = (&self.layout.instruments[i], self.holdings.positions[i].qty);
            let mark = marks[i].ok_or_else(|| LedgerError::NoMark(traded.id.clone()))?;
            let at = price(traded, mark)?;
            all.push(Standing {
                instrument,
                traded,
                at,
                held: magnitude(qty)?,
                needed: maintenance(traded, at, qty, ts)?,
                tier: traded.tier_of(tier_notional(traded, at, qty)?, ts),
            });
        }
        all.sort_by(|a, b| {
            b.needed
                .cmp(&a.needed)
                .then(a.instrument.cmp(&b.instrument))
        });
        Ok(all)
    }
}

impl Standing<'_> {
    /// What is kept by a venue that takes a position two tiers down, to the cap there at the mark:
    /// where it is in the third tier or above and what is left is more than it would need in the
    /// lowest.
    ///
    /// OKX, "Forced Partial Liquidation".
    fn two_tiers(&self, margin: &Margin, ts: Ts) -> Result<Option<i64>, LedgerError> {
        let tiers = self.traded.tiers(ts);
        let lower = self.tier.and_then(|tier| tiers.get(tier.checked_sub(2)?));
        let (Some(cap), Some(lowest)) = (lower.and_then(|lower| lower.cap), tiers.first()) else {
            return Ok(None);
        };
        let others = minus(margin.maintenance, self.needed)?;
        let worth = notional(self.traded, self.at, Qty(self.held))?.abs();
        let least = times(worth, lowest.mmr)?;
        if margin.margin_balance <= plus(others, least)? {
            return Ok(None);
        }
        Ok(Some(self.within(cap, ts)?))
    }

    /// The largest part of a position, up to the cap of a lower tier at the mark, that leaves the
    /// pool within its margin once the rest is closed with the venue's fee. `None` where no tier
    /// does.
    fn sufficient(&self, margin: &Margin, ts: Ts) -> Result<Option<i64>, LedgerError> {
        let others = minus(margin.maintenance, self.needed)?;
        let lower = &self.traded.tiers(ts)[..self.tier.unwrap_or(0)];
        for cap in lower.iter().rev().filter_map(|tier| tier.cap) {
            let kept = self.within(cap, ts)?;
            let fee = liquidation_fee(self.traded, self.at, Qty(self.held - kept), ts)?;
            let needed = plus(others, maintenance(self.traded, self.at, Qty(kept), ts)?)?;
            if minus(margin.margin_balance, fee)? > needed {
                return Ok(Some(kept));
            }
        }
        Ok(None)
    }

    /// The largest part of it in whole lots whose notional at the mark is within a tier's cap.
    fn within(&self, cap: Decimal, ts: Ts) -> Result<i64, LedgerError> {
        let traded = self.traded;
        let unit = size(traded, Qty(1))?;
        let units = match (traded.contract, traded.bracket_unit) {
            (Contract::Spot | Contract::Linear, BracketUnit::Quote) => {
                over(cap, times(unit, self.at)?)?
            }
            (Contract::Inverse, BracketUnit::Base) => over(times(cap, self.at)?, unit)?,
            _ => over(cap, unit)?,
        };
        let lot = traded.lot.at(ts).0 .0;
        let whole = units.floor().to_i64().unwrap_or(i64::MAX);
        Ok(whole.min(self.held) / lot * lot)
    }
}
