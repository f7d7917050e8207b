//! Money that comes and goes.

use cq_types::{InstrumentIdx, Qty, Ts, MONEY_DP};
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::Decimal;

use crate::amount::{add_to, bounded, times};
use crate::contract::size;
use crate::draft::{Draft, Spare};
use crate::{Flow, Ledger, LedgerError, SleeveIdx, WalletIdx};

impl Ledger {
    /// Books money that came from outside for a sleeve; it is no P&L.
    ///
    /// # Errors
    /// When an index is unknown, the amount is not positive or finer than 8 decimals, or
    /// the asset cannot be valued yet.
    pub fn deposit(
        &mut self,
        ts: Ts,
        sleeve: SleeveIdx,
        wallet: WalletIdx,
        asset: &str,
        amount: Decimal,
    ) -> Result<(), LedgerError> {
        self.layout.check_sleeve(sleeve)?;
        let slot = self.layout.slot(wallet, asset)?;
        let amount = positive("deposit", amount)?;
        self.check_room(slot, amount, ts)?;
        self.flow(ts, sleeve, slot, amount)
    }

    /// Books money of a sleeve that left.
    ///
    /// # Errors
    /// As [`Ledger::deposit`], and when the sleeve or the account cannot spare it.
    pub fn withdraw(
        &mut self,
        ts: Ts,
        sleeve: SleeveIdx,
        wallet: WalletIdx,
        asset: &str,
        amount: Decimal,
    ) -> Result<(), LedgerError> {
        self.layout.check_sleeve(sleeve)?;
        let slot = self.layout.slot(wallet, asset)?;
        let amount = positive("withdrawal", amount)?;
        self.check_spare(sleeve, slot, amount, ts)?;
        self.flow(ts, sleeve, slot, -amount)
    }

    /// Whole grid units of a spot instrument that a sleeve has in the instrument's wallet; zero
    /// where that is less than nothing, or the instrument is none of spot.
    #[must_use]
    pub fn coins(&self, sleeve: SleeveIdx, instrument: InstrumentIdx) -> Qty {
        let units = || {
            let (_, traded, route) = self.layout.traded(instrument).ok()?;
            let held = self.state.books.sleeves.get(sleeve)?.holdings.balances[route.base?];
            let unit = size(traded, Qty(1)).ok()?;
            held.checked_div(unit)?.floor().to_i64()
        };
        Qty(units().unwrap_or_default().max(0))
    }

    fn flow(
        &mut self,
        ts: Ts,
        sleeve: SleeveIdx,
        slot: usize,
        amount: Decimal,
    ) -> Result<(), LedgerError> {
        let mut draft = Draft::new(&self.layout, &self.state, Spare::default())?;
        let value = times(amount, draft.valuation().asset(slot)?)?;
        draft.credit(sleeve, slot, amount)?;
        add_to(&mut draft.books.sleeves[sleeve].deposits, value)?;
        let sealed = draft.seal()?;
        sealed.take_effect(&mut self.state);
        let place = &self.layout.slots[slot];
        self.state.flows.push(Flow {
            ts,
            sleeve,
            wallet: place.wallet,
            asset: place.asset.clone(),
            amount,
            value,
        });
        Ok(())
    }
}

pub(crate) fn out_of_range(what: &'static str, value: Decimal) -> LedgerError {
    LedgerError::BadAmount { what, value }
}

/// An amount that a ledger can book as it is: rounding it would lose money.
pub(crate) fn booked(what: &'static str, value: Decimal) -> Result<Decimal, LedgerError> {
    if value.normalize().scale() > MONEY_DP {
        return Err(out_of_range(what, value));
    }
    bounded(value)
}

pub(crate) fn positive(what: &'static str, value: Decimal) -> Result<Decimal, LedgerError> {
    if value > Decimal::ZERO {
        booked(what, value)
    } else {
        Err(out_of_range(what, value))
    }
}
