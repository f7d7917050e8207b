//! Trades: what the account paid, and what part of it each sleeve takes.

use cq_types::{InstrumentIdx, Px, Qty, Side, Ts};
use rust_decimal::Decimal;
use smallvec::SmallVec;

use crate::amount::{bounded, minus, plus, split};
use crate::contract::{booked_value, price};
use crate::draft::{take, Draft, Spare, Trade};
use crate::layout::Layout;
use crate::position::magnitude;
use crate::trip::Part;
use crate::{Allocation, Fill, Ledger, LedgerError, SleeveIdx};

/// What a sleeve had of a fill.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Share {
    /// Whose.
    pub sleeve: SleeveIdx,
    /// Signed quantity, traded at the reference price.
    pub qty: Qty,
    /// Effects on equity in the settle asset, negative if paid.
    pub fee: Decimal,
    /// As `fee`.
    pub spread: Decimal,
    /// As `fee`.
    pub impact: Decimal,
}

/// A value for each part of a trade; nearly every one is of one sleeve.
type Each<T> = SmallVec<[T; 2]>;

/// What a trade was worth at the reference price, and what it cost beyond.
struct Costs {
    /// One value a sleeve, at the reference price.
    references: Each<Decimal>,
    /// Effects on equity, negative if paid; one a sleeve.
    fees: Each<Decimal>,
    spreads: Each<Decimal>,
    impacts: Each<Decimal>,
}

impl Ledger {
    /// Books a fill: the account trades the net, each sleeve its part.
    ///
    /// `allocations` sum to the fill's signed quantity (see [`crate::prorate`] for partial
    /// fills). A sleeve trades its part at the reference price; fee, spread and own impact
    /// of the net are split over the sleeves by size, the last one takes the remainder.
    /// An instrument that was never marked is marked at the reference price. Returns what each
    /// sleeve had of it.
    ///
    /// # Errors
    /// When an index is unknown, the allocations do not fit, a price is not positive, a
    /// sleeve would spend spot assets it does not have, or an amount is too large. Then
    /// nothing is booked.
    pub fn apply_fill(
        &mut self,
        fill: &Fill,
        allocations: &[Allocation],
    ) -> Result<Vec<Share>, LedgerError> {
        let spare = std::mem::take(&mut self.spare);
        let (sealed, shares) = {
            let trade = self.trade(fill.ts, fill.instrument)?;
            let parts = checked_parts(&self.layout, allocations, fill.qty)?;
            let mut draft = Draft::new(&self.layout, &self.state, spare)?;
            draft.mark_first(fill.instrument, fill.reference);
            let paid = price(trade.instrument, fill.px)?;
            let value = booked_value(trade.instrument, paid, fill.qty)?;
            let costs = costs(trade, fill, &parts, value)?;
            let mut shares = Vec::with_capacity(parts.len());
            for (i, (sleeve, qty)) in parts.iter().enumerate() {
                let cost = plus(costs.spreads[i], costs.impacts[i])?;
                let part = Part {
                    qty: *qty,
                    value: minus(costs.references[i], cost)?,
                    fee: costs.fees[i],
                    spread: costs.spreads[i],
                    impact: costs.impacts[i],
                };
                draft.trade(trade, *sleeve, &part, costs.references[i])?;
                shares.push(Share {
                    sleeve: *sleeve,
                    qty: *qty,
                    fee: part.fee,
                    spread: part.spread,
                    impact: part.impact,
                });
            }
            let whole = Part {
                qty: fill.qty,
                value,
                fee: -bounded(fill.fee)?,
                spread: Decimal::ZERO,
                impact: Decimal::ZERO,
            };
            take(&mut draft.books.account, trade, &whole)?;
            (draft.seal()?, shares)
        };
        self.spare = sealed.take_effect(&mut self.state);
        Ok(shares)
    }

    /// Books a trade of the sleeves with each other, at `px`, without cost: what is left
    /// when their wishes cancel. `allocations` sum to zero; the account does not change.
    ///
    /// # Errors
    /// As [`Ledger::apply_fill`].
    pub fn internal_cross(
        &mut self,
        ts: Ts,
        instrument: InstrumentIdx,
        px: Px,
        allocations: &[Allocation],
    ) -> Result<(), LedgerError> {
        let sealed = {
            let trade = self.trade(ts, instrument)?;
            let parts = checked_parts(&self.layout, allocations, Qty(0))?;
            let mut draft = Draft::new(&self.layout, &self.state, Spare::default())?;
            draft.mark_first(instrument, px);
            let at = price(trade.instrument, px)?;
            let mut rest = Decimal::ZERO;
            for (i, (sleeve, qty)) in parts.iter().enumerate() {
                let value = if i + 1 == parts.len() {
                    -rest
                } else {
                    booked_value(trade.instrument, at, *qty)?
                };
                rest = plus(rest, value)?;
                let part = Part {
                    qty: *qty,
                    value,
                    fee: Decimal::ZERO,
                    spread: Decimal::ZERO,
                    impact: Decimal::ZERO,
                };
                draft.trade(trade, *sleeve, &part, value)?;
            }
            draft.seal()?
        };
        sealed.take_effect(&mut self.state);
        Ok(())
    }

    fn trade(&self, ts: Ts, index: InstrumentIdx) -> Result<Trade<'_>, LedgerError> {
        let (_, instrument, route) = self.layout.traded(index)?;
        Ok(Trade {
            ts,
            index,
            instrument,
            route,
        })
    }
}

/// The parts that are not empty: known sleeves, each once, adding up to `net`.
fn checked_parts(
    layout: &Layout,
    allocations: &[Allocation],
    net: Qty,
) -> Result<Each<Allocation>, LedgerError> {
    let bad = |text: String| Err(LedgerError::BadAllocation(text));
    let parts: Each<Allocation> = allocations
        .iter()
        .copied()
        .filter(|(_, qty)| qty.0 != 0)
        .collect();
    for (i, (sleeve, _)) in parts.iter().enumerate() {
        layout.check_sleeve(*sleeve)?;
        if parts[..i].iter().any(|(other, _)| other == sleeve) {
            return bad(format!("sleeve {} has two parts", layout.sleeves[*sleeve]));
        }
    }
    let sum: i128 = parts.iter().map(|(_, qty)| i128::from(qty.0)).sum();
    if parts.is_empty() || sum != i128::from(net.0) {
        return bad(format!("expected parts that sum to {}, was {sum}", net.0));
    }
    Ok(parts)
}

/// Splits what a fill cost over its parts.
fn costs(
    trade: Trade<'_>,
    fill: &Fill,
    parts: &[Allocation],
    value: Decimal,
) -> Result<Costs, LedgerError> {
    let Some(side) = Side::of(fill.qty.0) else {
        return Err(LedgerError::BadAllocation("the fill is empty".to_owned()));
    };
    let (mut references, mut sizes) = (Each::new(), Each::new());
    let mut total = Decimal::ZERO;
    let reference = price(trade.instrument, fill.reference)?;
    for (_, qty) in parts {
        let at_reference = booked_value(trade.instrument, reference, *qty)?;
        total = plus(total, at_reference)?;
        references.push(at_reference);
        sizes.push(magnitude(*qty)?);
    }
    let slippage = minus(total, value)?;
    let unmoved = match fill.impact {
        none if none.is_zero() => value,
        _ => without_impact(trade, fill, side)?,
    };
    let impact = minus(unmoved, value)?;
    Ok(Costs {
        references,
        fees: split(-bounded(fill.fee)?, &sizes)?,
        spreads: split(minus(slippage, impact)?, &sizes)?,
        impacts: split(impact, &sizes)?,
    })
}

/// What the fill would have been booked at, had our own size not moved the price.
fn without_impact(trade: Trade<'_>, fill: &Fill, side: Side) -> Result<Decimal, LedgerError> {
    let paid = price(trade.instrument, fill.px)?;
    let better = minus(paid, bounded(fill.impact)? * Decimal::from(side.sign()))?;
    if better <= Decimal::ZERO {
        return Err(LedgerError::BadAmount {
            what: "impact",
            value: fill.impact,
        });
    }
    booked_value(trade.instrument, better, fill.qty)
}
