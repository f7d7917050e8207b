//! Whether an order that arrives is paid: initial margin with that of the orders that work.
//!
//! A contract in one-way mode ties up `max(|position + bids|, |position - asks|) / leverage`, the
//! position at its mark and each order at its assumed price; orders that can only reduce tie up
//! nothing. (dev.binance.vision/t/margin-requirements/17078.) An order costs beside what that
//! grows by its open loss, what it would lose at the mark
//! (binance.com/en/support/faq/87fa7ee33b574f7084d42bd2ce2e463b), and its fee.

use cq_types::{round_money, InstrumentIdx, Px, Qty, Side, Ts};
use rust_decimal::Decimal;

use crate::amount::{add_to, minus, over, plus};
use crate::contract::{notional, price, value};
use crate::pool::Pool;
use crate::{fee, LedgerError, MarginAccount, VenueMarks};

/// Orders of one contract that work and may open a position: unsigned notionals in the settle
/// asset, each at its assumed price.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct OpenOrders {
    /// Of those that buy.
    pub bids: Decimal,
    /// Of those that sell.
    pub asks: Decimal,
}

impl OpenOrders {
    /// The same with one more.
    ///
    /// # Errors
    /// When an amount is too large.
    pub fn with(self, side: Side, notional: Decimal) -> Result<Self, LedgerError> {
        let mut all = self;
        match side {
            Side::Buy => add_to(&mut all.bids, notional)?,
            Side::Sell => add_to(&mut all.asks, notional)?,
        }
        Ok(all)
    }
}

/// An order that arrives, or what an amendment makes of one.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Opening {
    /// Of which contract.
    pub instrument: InstrumentIdx,
    /// Bought or sold.
    pub side: Side,
    /// How much of it is yet to trade, positive.
    pub qty: Qty,
    /// The price that it is assumed to trade at.
    pub px: Px,
}

impl MarginAccount {
    /// What a contract ties up beyond the initial margin of its position.
    pub(crate) fn tied_up(
        &self,
        instrument: InstrumentIdx,
        orders: OpenOrders,
        marks: VenueMarks<'_>,
    ) -> Result<Decimal, LedgerError> {
        let held = self.exposure(instrument, marks)?;
        self.initial(instrument, beyond(held, orders)?)
    }

    /// What a position is worth at its mark, signed as it is.
    fn exposure(
        &self,
        instrument: InstrumentIdx,
        marks: VenueMarks<'_>,
    ) -> Result<Decimal, LedgerError> {
        let i = usize::from(instrument);
        let traded = &self.layout.instruments[i];
        let qty = self.holdings.positions[i].qty;
        Ok(match marks[i] {
            Some(px) if qty.0 != 0 => {
                let worth = notional(traded, price(traded, px)?, qty)?.abs();
                worth * Decimal::from(qty.0.signum())
            }
            _ => Decimal::ZERO,
        })
    }

    /// Initial margin of an amount of a contract.
    fn initial(&self, instrument: InstrumentIdx, worth: Decimal) -> Result<Decimal, LedgerError> {
        let leverage = self.leverage[usize::from(instrument)];
        Ok(round_money(over(worth, leverage.into())?))
    }

    /// Whether what is free pays an order, with what works already. `orders` tells of each
    /// contract what works without the order; one that ties up no more than that is always paid.
    ///
    /// # Errors
    /// When a price is not positive or an amount is too large.
    pub fn can_open(
        &self,
        asked: Opening,
        orders: impl Fn(InstrumentIdx) -> Result<OpenOrders, LedgerError>,
        marks: VenueMarks<'_>,
        ts: Ts,
    ) -> Result<bool, LedgerError> {
        let Opening {
            instrument,
            side,
            qty,
            px,
        } = asked;
        let (i, traded, _) = self.layout.traded(instrument)?;
        let Some(pool) = self.pool(instrument) else {
            return Ok(true);
        };
        let worth = notional(traded, price(traded, px)?, qty)?;
        let before = orders(instrument)?;
        let held = self.exposure(instrument, marks)?;
        let after = beyond(held, before.with(side, worth)?)?;
        if after <= beyond(held, before)? {
            return Ok(true);
        }
        let signed = Qty(side.sign() * qty.0);
        let margin = self.initial(instrument, after)?;
        let mut needed = plus(margin, fee(traded, px, signed, true, ts)?)?;
        if let Some(mark) = marks[i] {
            add_to(&mut needed, self.open_loss(instrument, signed, px, mark)?)?;
        }
        let free = match pool {
            Pool::Isolated(_) => self.spare(instrument)?,
            Pool::Cross(_) | Pool::Shared(_) => match self.margin(pool, marks, ts)? {
                Some(margin) => minus(margin.margin_balance, margin.initial)?,
                None => return Ok(true),
            },
        };
        for other in self.beside(instrument) {
            add_to(&mut needed, self.tied_up(other, orders(other)?, marks)?)?;
        }
        Ok(needed <= free)
    }

    /// The other contracts whose orders are paid from the same money.
    fn beside(&self, instrument: InstrumentIdx) -> Vec<InstrumentIdx> {
        let pool = |index| match self.pool(index)? {
            Pool::Isolated(own) => {
                let route = self.layout.routes[usize::from(own)].as_ref()?;
                Some(Pool::Cross(route.settle))
            }
            pool => Some(pool),
        };
        let all = (0..)
            .zip(&self.layout.instruments[..])
            .map(|(index, _)| index);
        let own = pool(instrument);
        all.filter(|other| *other != instrument && pool(*other) == own)
            .collect()
    }

    /// What the part of an order that opens would lose at the mark, not negative.
    fn open_loss(
        &self,
        instrument: InstrumentIdx,
        signed: Qty,
        px: Px,
        mark: Px,
    ) -> Result<Decimal, LedgerError> {
        let i = usize::from(instrument);
        let traded = &self.layout.instruments[i];
        let held = self.holdings.positions[i].qty.0;
        let closes = if held.signum() == -signed.0.signum() {
            held.saturating_abs().min(signed.0.saturating_abs())
        } else {
            0
        };
        let opened = Qty(signed.0 - closes * signed.0.signum());
        let now = value(traded, price(traded, mark)?, opened)?;
        let lost = minus(value(traded, price(traded, px)?, opened)?, now)?;
        Ok(round_money(lost.max(Decimal::ZERO)))
    }
}

/// What a position and orders may come to at most, beyond the position itself.
fn beyond(held: Decimal, orders: OpenOrders) -> Result<Decimal, LedgerError> {
    let bought = plus(held, orders.bids)?.abs();
    let sold = minus(held, orders.asks)?.abs();
    minus(bought.max(sold), held.abs())
}
