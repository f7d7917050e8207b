//! Money on its way between two wallets: nobody's margin, but part of what everything is worth.

use cq_types::{InstrumentIdx, Ts};
use rust_decimal::Decimal;

use crate::amount::{add_to, minus, plus, times};
use crate::cash::{booked, out_of_range, positive};
use crate::draft::{Draft, Spare};
use crate::{
    Ledger, LedgerError, MarginAccount, MarginMode, OpenOrders, Pool, SleeveIdx, Transfer,
    VenueMarks, WalletIdx,
};

impl Ledger {
    /// Moves money of a sleeve between two wallets at once; the fee is paid on top by the first.
    ///
    /// # Errors
    /// As [`Ledger::depart`].
    pub fn transfer(&mut self, transfer: Transfer<'_>) -> Result<(), LedgerError> {
        self.depart(transfer)?;
        self.arrive(&transfer)
    }

    /// Takes the money of a transfer out of the first wallet. Until [`Ledger::arrive`] it is in
    /// no balance, but counts at the price that it will have where it goes.
    ///
    /// # Errors
    /// When an index is unknown, an amount is out of range, the sleeve or the account cannot spare
    /// `amount + fee`, or the other wallet takes no more of it.
    pub fn depart(&mut self, transfer: Transfer<'_>) -> Result<(), LedgerError> {
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
        self.check_spare(sleeve, from, leaves, transfer.ts)?;
        self.check_room(to, amount, transfer.ts)?;
        let mut draft = Draft::new(&self.layout, &self.state, Spare::default())?;
        let paid_at = draft.valuation().asset(from)?;
        let rise = minus(draft.valuation().asset(to)?, paid_at)?;
        draft.credit(sleeve, from, -leaves)?;
        draft.send(sleeve, to, amount)?;
        let attribution = &mut draft.books.sleeves[sleeve].attribution;
        add_to(&mut attribution.price, times(amount, rise)?)?;
        add_to(&mut attribution.transfer_fees, -times(fee, paid_at)?)?;
        let sealed = draft.seal()?;
        sealed.take_effect(&mut self.state);
        Ok(())
    }

    /// Brings the money of a transfer that has departed into the second wallet.
    ///
    /// # Errors
    /// When an index is unknown, or as much is not on its way.
    pub fn arrive(&mut self, transfer: &Transfer<'_>) -> Result<(), LedgerError> {
        let Transfer { sleeve, amount, .. } = *transfer;
        self.layout.check_sleeve(sleeve)?;
        let to = self.layout.slot(transfer.to, transfer.asset)?;
        let on_its_way = self.state.books.sleeves[sleeve].holdings.in_flight[to];
        if on_its_way < amount {
            return Err(self.layout.not_enough(sleeve, to, on_its_way, amount));
        }
        let mut draft = Draft::new(&self.layout, &self.state, Spare::default())?;
        draft.send(sleeve, to, -amount)?;
        draft.credit(sleeve, to, amount)?;
        let sealed = draft.seal()?;
        sealed.take_effect(&mut self.state);
        Ok(())
    }

    /// What is on its way to an asset of a wallet, of all sleeves.
    ///
    /// # Errors
    /// When the wallet does not exist or does not hold that asset.
    pub fn in_flight(&self, wallet: WalletIdx, asset: &str) -> Result<Decimal, LedgerError> {
        let slot = self.layout.slot(wallet, asset)?;
        Ok(self.state.books.account.in_flight[slot])
    }

    /// Refuses to take more out of a wallet than the sleeve has and the account can spare.
    pub(crate) fn check_spare(
        &self,
        sleeve: SleeveIdx,
        slot: usize,
        needed: Decimal,
        ts: Ts,
    ) -> Result<(), LedgerError> {
        let own = self.spare_of(sleeve, slot, ts)?;
        let available = own.min(self.available(slot, ts)?);
        if needed <= available {
            return Ok(());
        }
        Err(self.layout.not_enough(sleeve, slot, available, needed))
    }

    /// What a sleeve could move out of a slot if it were alone: losses are not spare.
    fn spare_of(&self, sleeve: SleeveIdx, slot: usize, ts: Ts) -> Result<Decimal, LedgerError> {
        let holdings = &self.state.books.sleeves[sleeve].holdings;
        let balance = holdings.balances[slot];
        let marks = self.marks();
        if let Some(shared) = self.layout.shared_of(slot) {
            let worth = self.worth_of(shared, holdings, ts)?;
            let mut lost = Decimal::ZERO;
            for (own, _) in &shared.assets {
                add_to(&mut lost, marks.unrealised(holdings, *own)?)?;
            }
            return self.movable(
                shared,
                slot,
                balance,
                plus(worth, lost.min(Decimal::ZERO))?,
                ts,
            );
        }
        let unrealised = marks.unrealised(holdings, slot)?;
        plus(balance, unrealised.min(Decimal::ZERO))
    }

    /// Refuses to bring more of an asset into a wallet than the venue takes as collateral.
    pub(crate) fn check_room(
        &self,
        slot: usize,
        amount: Decimal,
        ts: Ts,
    ) -> Result<(), LedgerError> {
        let rule = self.layout.shared.as_ref().and_then(|s| s.rule(slot));
        let Some(largest) = rule.and_then(|rule| rule.largest.as_ref()) else {
            return Ok(());
        };
        let largest = *largest.at(ts).0;
        let account = &self.state.books.account;
        let there = plus(account.balances[slot], account.in_flight[slot])?;
        let would_be = plus(there, amount)?;
        if would_be <= largest {
            return Ok(());
        }
        let place = &self.layout.slots[slot];
        Err(LedgerError::NoRoom {
            wallet: self.layout.wallets[place.wallet].name.clone(),
            asset: place.asset.clone(),
            largest,
            would_be,
        })
    }
}

impl MarginAccount {
    /// What the venue lets out of an asset of a wallet: neither margin, nor that of the contracts'
    /// `orders`, nor needed for a loss. Where a mark is missing that tells, the balance.
    ///
    /// # Errors
    /// When the wallet or asset is unknown or an amount is too large.
    pub fn free_to_send(
        &self,
        (wallet, asset): (WalletIdx, &str),
        orders: impl Fn(InstrumentIdx) -> Result<OpenOrders, LedgerError>,
        marks: VenueMarks<'_>,
        ts: Ts,
    ) -> Result<Decimal, LedgerError> {
        let slot = self.layout.slot(wallet, asset)?;
        let balance = self.free(slot)?;
        let shared = self.layout.shared_of(slot);
        let pool = shared.map_or(Pool::Cross(slot), |shared| Pool::Shared(shared.wallet));
        let Some(margin) = self.margin(pool, marks, ts)? else {
            return Ok(balance);
        };
        let mut needed = match self.mode {
            MarginMode::Cross => minus(margin.initial, margin.unrealised)?.max(Decimal::ZERO),
            MarginMode::Isolated => Decimal::ZERO,
        };
        for index in self.contracts(pool) {
            add_to(&mut needed, self.tied_up(index, orders(index)?, marks)?)?;
        }
        let free = minus(margin.balance, needed)?;
        let Some(rule) = shared.and_then(|shared| shared.rule(slot)) else {
            return Ok(free);
        };
        if balance <= Decimal::ZERO {
            return Ok(balance);
        }
        let Some(price) = self.price_of(slot, marks)? else {
            return Ok(balance);
        };
        rule.movable(balance, price, free, ts)
    }

    /// Books the departure of a transfer that the ledger has let through.
    ///
    /// # Errors
    /// When a wallet or asset is unknown or an amount is too large.
    pub fn depart(&mut self, transfer: &Transfer<'_>) -> Result<(), LedgerError> {
        let from = self.layout.slot(transfer.from, transfer.asset)?;
        let to = self.layout.slot(transfer.to, transfer.asset)?;
        let leaves = plus(transfer.amount, transfer.fee)?;
        add_to(&mut self.holdings.balances[from], -leaves)?;
        add_to(&mut self.holdings.in_flight[to], transfer.amount)
    }

    /// Books its arrival.
    ///
    /// # Errors
    /// As [`MarginAccount::depart`].
    pub fn arrive(&mut self, transfer: &Transfer<'_>) -> Result<(), LedgerError> {
        let to = self.layout.slot(transfer.to, transfer.asset)?;
        add_to(&mut self.holdings.in_flight[to], -transfer.amount)?;
        add_to(&mut self.holdings.balances[to], transfer.amount)
    }
}
