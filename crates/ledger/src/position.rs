use cq_types::{Contract, Instrument, Px, Qty};
use rust_decimal::Decimal;

use crate::amount::{minus, over, plus, share};
use crate::contract::{price, size, value};
use crate::LedgerError;

/// A signed position and the exact signed value at which it was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// Signed quantity, long > 0.
    pub qty: Qty,
    /// Signed value of the open quantity in the settle asset: notional for spot and linear
    /// contracts, minus notional in coin for inverse ones. P&L is value now minus cost.
    pub cost: Decimal,
}

/// What a trade closed of the position before it.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub(crate) struct Closed {
    /// Quantity, not negative.
    pub(crate) qty: i64,
    /// Signed value of that part of the trade.
    pub(crate) value: Decimal,
    /// P&L made final, in the settle asset, before fees.
    pub(crate) realised: Decimal,
}

impl Position {
    /// Average price of the open quantity; `None` when flat.
    #[must_use]
    pub fn entry_price(&self, instrument: &Instrument) -> Option<Decimal> {
        let size = size(instrument, self.qty).ok()?;
        match instrument.contract {
            Contract::Spot | Contract::Linear => over(self.cost, size).ok(),
            Contract::Inverse => over(size, -self.cost).ok(),
        }
    }

    /// P&L that is not final, in the settle asset, at a mark price.
    ///
    /// # Errors
    /// When the price is not positive or the value too large to be kept exactly.
    pub fn unrealised(&self, instrument: &Instrument, mark: Px) -> Result<Decimal, LedgerError> {
        minus(
            value(instrument, price(instrument, mark)?, self.qty)?,
            self.cost,
        )
    }

    /// The position after a trade of `qty` booked at the signed `value`.
    ///
    /// A partial close releases its rounded share of the cost and the rest keeps the
    /// remainder, so that over time exactly what was put in comes out.
    pub(crate) fn traded(self, qty: Qty, value: Decimal) -> Result<(Self, Closed), LedgerError> {
        let after = self.qty.0.checked_add(qty.0);
        let after = Qty(after.ok_or(LedgerError::Overflow("position"))?);
        let adds = self.qty.0 == 0 || (self.qty.0 > 0) == (qty.0 > 0);
        if adds {
            let cost = plus(self.cost, value)?;
            return Ok((Self { qty: after, cost }, Closed::default()));
        }
        let (held, traded) = (magnitude(self.qty)?, magnitude(qty)?);
        let closed = held.min(traded);
        let value_closed = share(value, closed, traded)?;
        let released = share(self.cost, closed, held)?;
        let kept = minus(self.cost, released)?;
        let opened = minus(value, value_closed)?;
        let position = Self {
            qty: after,
            cost: plus(kept, opened)?,
        };
        let realised = minus(-value_closed, released)?;
        Ok((
            position,
            Closed {
                qty: closed,
                value: value_closed,
                realised,
            },
        ))
    }
}

/// Unsigned size of a signed quantity.
pub(crate) fn magnitude(qty: Qty) -> Result<i64, LedgerError> {
    qty.0.checked_abs().ok_or(LedgerError::Overflow("quantity"))
}
