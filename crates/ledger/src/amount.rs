use rust_decimal::Decimal;

use crate::LedgerError;

/// Amounts stay below this. With at most 16 decimals (checked at set-up) they then have at
/// most 28 digits, which a `Decimal` holds: additions of amounts are exact, never rounded.
const LIMIT: Decimal = Decimal::from_parts(0xD4A5_1000, 0xE8, 0, false, 0);

/// An amount that is small enough to stay exact.
pub(crate) fn bounded(amount: Decimal) -> Result<Decimal, LedgerError> {
    if amount.abs() < LIMIT {
        Ok(amount)
    } else {
        Err(LedgerError::Overflow("amount"))
    }
}

/// Sum of two amounts.
pub(crate) fn plus(a: Decimal, b: Decimal) -> Result<Decimal, LedgerError> {
    bounded(a.checked_add(b).ok_or(LedgerError::Overflow("sum"))?)
}

/// Product of an amount and a factor.
pub(crate) fn times(a: Decimal, b: Decimal) -> Result<Decimal, LedgerError> {
    bounded(a.checked_mul(b).ok_or(LedgerError::Overflow("product"))?)
}
