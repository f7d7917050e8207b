//! Money that comes, goes, and moves between wallets.

use cq_types::{Ts, MONEY_DP};
use rust_decimal::Decimal;

use crate::amount::{add_to, bounded, minus, plus, times};
use crate::draft::Draft;
use crate::{Flow, Ledger, LedgerError, SleeveIdx, Transfer, WalletIdx};

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
        self.flow(ts, sleeve, slot, positive("deposit", amount)?)
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
        self.check_spare(sleeve, slot, amount)?;
        self.flow(ts, sleeve, slot, -amount)
    }

    /// Moves money of a sleeve between two wallets; the fee is paid on top by the first.
    ///
    /// # Errors
    /// When an index is unknown, an amount is out of range, or the sleeve or the account
    /// cannot spare `amount + fee`.
    pub fn transfer(&mut self, transfer: Transfer<'_>) -> Result<(), LedgerError> {
        let Transfer { sleeve, asset, .. } = transfer;
        self.layout.check_sleeve(sleeve)?;
        let from = self.layout.slot(transfer.from, asset)?;
        let to = self.layout.slot(transfer.to, asset)?;
        let amount = positive("transfer", transfer.amount)?;
        let fee = booked("transfer fee", transfer.fee)?;
        if fee < Decimal::ZERO {
            return Err(out_of_range("transfer fee", fee));
        }
        let leaves = plus(amount, fee)?;
        self.check_spare(sleeve, from, leaves)?;
        let mut draft = Draft::new(&self.layout, &self.state)?;
        let paid_at = draft.valuation().asset(from)?;
        let rise = minus(draft.valuation().asset(to)?, paid_at)?;
        draft.credit(sleeve, from, -leaves)?;
        draft.credit(sleeve, to, amount)?;
        let attribution = &mut draft.books.sleeves[sleeve].attribution;
        add_to(&mut attribution.price, times(amount, rise)?)?;
        add_to(&mut attribution.transfer_fees, -times(fee, paid_at)?)?;
        let sealed = draft.seal()?;
        sealed.take_effect(&mut self.state);
        Ok(())
    }

    fn flow(
        &mut self,
        ts: Ts,
        sleeve: SleeveIdx,
        slot: usize,
        amount: Decimal,
    ) -> Result<(), LedgerError> {
        let mut draft = Draft::new(&self.layout, &self.state)?;
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

    /// Refuses to take more out of a wallet than the sleeve has and the account can spare.
    fn check_spare(
        &self,
        sleeve: SleeveIdx,
        slot: usize,
        needed: Decimal,
    ) -> Result<(), LedgerError> {
        let book = &self.state.books.sleeves[sleeve];
        let balance = book.holdings.balances[slot];
        let unrealised = self.marks().unrealised(&book.holdings, slot)?;
        let own = plus(balance, unrealised.min(Decimal::ZERO))?;
        let available = own.min(self.available(slot)?);
        if needed <= available {
            return Ok(());
        }
        Err(self.layout.not_enough(sleeve, slot, available, needed))
    }
}

fn out_of_range(what: &'static str, value: Decimal) -> LedgerError {
    LedgerError::BadAmount { what, value }
}

/// An amount that a ledger can book as it is: rounding it would lose money.
fn booked(what: &'static str, value: Decimal) -> Result<Decimal, LedgerError> {
    if value.normalize().scale() > MONEY_DP {
        return Err(out_of_range(what, value));
    }
    bounded(value)
}

fn positive(what: &'static str, value: Decimal) -> Result<Decimal, LedgerError> {
    if value > Decimal::ZERO {
        booked(what, value)
    } else {
        Err(out_of_range(what, value))
    }
}
