use cq_types::{round_money, Instrument, Px, Qty, Ts};
use rust_decimal::Decimal;

use crate::amount::times;
use crate::contract::{notional, price};
use crate::LedgerError;

/// Fee of a fill in the settle asset, booked half-even to 8 decimals; a rebate is negative.
///
/// `qty` may be signed. Uses the maker or the taker fraction in force at `ts`.
///
/// # Errors
/// When the price is not positive or the notional is too large to be kept exactly.
pub fn fee(
    instrument: &Instrument,
    px: Px,
    qty: Qty,
    is_taker: bool,
    ts: Ts,
) -> Result<Decimal, LedgerError> {
    let fees = instrument.fees.at(ts).0;
    let rate = if is_taker { fees.taker } else { fees.maker };
    let paid_on = notional(instrument, price(instrument, px)?, qty)?.abs();
    Ok(round_money(times(paid_on, rate)?))
}
