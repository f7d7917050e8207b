//! Whether a position stays within what the tiers allow at the leverage that was chosen.
//!
//! Binance refuses an order that takes a position, with the orders of its side, beyond the cap of
//! the highest tier that allows the leverage: -2027, "exceeded the maximum allowable position at
//! current leverage" (developers.binance.com/docs/derivatives/usds-margined-futures/error-code).

use cq_types::{largest_position, Dated, Instrument, InstrumentIdx, Px, Qty, Ts};
use rust_decimal::Decimal;

use crate::amount::plus;
use crate::approx::approx;
use crate::contract::{price, tier_notional};
use crate::opening::Opening;
use crate::{LedgerError, MarginAccount, VenueMarks};

impl MarginAccount {
    /// A quantity at a price as the tiers of its contract count it, unsigned.
    ///
    /// # Errors
    /// When the price is not positive or the amount too large.
    pub fn counted(
        &self,
        instrument: InstrumentIdx,
        px: Px,
        qty: Qty,
    ) -> Result<Decimal, LedgerError> {
        let traded = &self.layout.instruments[usize::from(instrument)];
        tier_notional(traded, price(traded, px)?, qty)
    }

    /// Whether the tiers in force allow an order at the leverage: the position at its mark, what
    /// `works` on the order's side, as the tiers count it, and the order. What shrinks a position
    /// is allowed, however large that is.
    ///
    /// # Errors
    /// When a price is not positive or an amount is too large.
    pub fn allows(
        &self,
        asked: Opening,
        works: impl FnOnce() -> Result<Decimal, LedgerError>,
        marks: VenueMarks<'_>,
        ts: Ts,
    ) -> Result<bool, LedgerError> {
        let i = usize::from(asked.instrument);
        let leverage = self.leverage[i];
        let Some(largest) = self.layout.instruments[i].max_position(leverage, ts) else {
            return Ok(true);
        };
        let held = self.holdings.positions[i].qty;
        let mark = marks[i].unwrap_or(asked.px);
        let held_worth = self.counted(asked.instrument, mark, held)?;
        let along = Decimal::from(held.0.signum() * asked.side.sign());
        let own = self.counted(asked.instrument, asked.px, asked.qty)?;
        let all = plus(plus(held_worth * along, works()?)?, own)?;
        Ok(all <= largest)
    }
}

/// What every table of tiers allows at a leverage, roughly; infinite where none sets a bound.
pub(crate) fn always_allowed(instrument: &Instrument, leverage: u16) -> f64 {
    let rows = instrument.brackets.iter().flat_map(Dated::rows);
    rows.filter_map(|(_, tiers)| largest_position(tiers, leverage))
        .map(approx)
        .fold(f64::INFINITY, f64::min)
}
