//! What a quantity at a price is worth, and which sign a contract gives it.

use cq_types::{round_money, Contract, Instrument, Px, Qty};
use rust_decimal::Decimal;

use crate::amount::{over, times};
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
