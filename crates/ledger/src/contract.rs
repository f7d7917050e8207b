//! What a quantity at a price is worth, and which sign a contract gives it.

use cq_types::{round_money, BracketUnit, Contract, Instrument, Px, Qty, Ts};
use rust_decimal::Decimal;

use crate::amount::{bounded, over, times};
use crate::LedgerError;

/// A price of the tape as a decimal.
pub(crate) fn price(instrument: &Instrument, px: Px) -> Result<Decimal, LedgerError> {
    if px.0 > 0 {
        Ok(instrument.grid.price(px))
    } else {
        Err(LedgerError::BadPrice(px))
    }
}

/// Units of base (spot, linear) or of quote (inverse) in a quantity, signed, exact.
pub(crate) fn size(instrument: &Instrument, qty: Qty) -> Result<Decimal, LedgerError> {
    times(instrument.grid.quantity(qty), instrument.multiplier)
}

/// Signed notional in the settle asset: exact for spot and linear, 28 digits for inverse.
pub(crate) fn notional(
    instrument: &Instrument,
    price: Decimal,
    qty: Qty,
) -> Result<Decimal, LedgerError> {
    let size = size(instrument, qty)?;
    match instrument.contract {
        Contract::Spot | Contract::Linear => times(size, price),
        Contract::Inverse => over(size, price),
    }
}

/// Value of a position, so that P&L is value now minus value when it was taken.
///
/// An inverse contract pays `q (1/entry - 1/exit)`: its value is minus its coin notional.
/// That one is rounded to 8 decimals; spot and linear values are exact.
pub(crate) fn value(
    instrument: &Instrument,
    price: Decimal,
    qty: Qty,
) -> Result<Decimal, LedgerError> {
    let notional = notional(instrument, price, qty)?;
    Ok(match instrument.contract {
        Contract::Spot | Contract::Linear => notional,
        Contract::Inverse => -round_money(notional),
    })
}

/// A value as it is booked: 8 decimals, half to even.
pub(crate) fn booked_value(
    instrument: &Instrument,
    price: Decimal,
    qty: Qty,
) -> Result<Decimal, LedgerError> {
    Ok(round_money(value(instrument, price, qty)?))
}

/// Unsigned notional in the unit of the margin tiers.
pub(crate) fn tier_notional(
    instrument: &Instrument,
    price: Decimal,
    qty: Qty,
) -> Result<Decimal, LedgerError> {
    let notional = match (instrument.contract, instrument.bracket_unit) {
        (Contract::Inverse, BracketUnit::Quote)
        | (Contract::Spot | Contract::Linear, BracketUnit::Base) => size(instrument, qty)?,
        _ => notional(instrument, price, qty)?,
    };
    Ok(notional.abs())
}

/// Maintenance margin of a position in its settle asset, with the tiers in force at `ts`.
///
/// The tier is that of the notional at `price`. What tiers of the other unit give is turned
/// into the settle asset at that price. Beyond the last cap no margin is known.
pub(crate) fn maintenance(
    instrument: &Instrument,
    price: Decimal,
    qty: Qty,
    ts: Ts,
) -> Result<Decimal, LedgerError> {
    let counted = tier_notional(instrument, price, qty)?;
    let last = instrument.tiers(ts).last().and_then(|tier| tier.cap);
    if let Some(cap) = last.filter(|cap| counted > *cap) {
        return Err(LedgerError::BeyondTiers {
            instrument: instrument.id.clone(),
            counted: counted.normalize(),
            cap: cap.normalize(),
        });
    }
    let needed = bounded(instrument.maintenance_margin(counted, ts))?;
    let settled = match (instrument.contract, instrument.bracket_unit) {
        (Contract::Inverse, BracketUnit::Quote) => over(needed, price)?,
        (Contract::Spot | Contract::Linear, BracketUnit::Base) => times(needed, price)?,
        _ => needed,
    };
    Ok(round_money(settled))
}
