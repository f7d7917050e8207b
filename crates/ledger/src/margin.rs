use cq_types::{round_money, Ts};
use rust_decimal::Decimal;

use crate::amount::{add_to, minus, over, plus};
use crate::contract::{self, notional};
use crate::{Ledger, LedgerError, WalletIdx};

/// Margin of the contracts that settle in one asset of one wallet.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Margin {
    /// Wallet balance.
    pub balance: Decimal,
    /// Unrealised P&L of the contracts.
    pub unrealised: Decimal,
    /// `balance + unrealised`.
    pub margin_balance: Decimal,
    /// Initial margin at the chosen leverage.
    pub initial: Decimal,
    /// Maintenance margin of the dated brackets.
    pub maintenance: Decimal,
    /// What may be spent or moved away, never negative: unrealised profit is not.
    pub available: Decimal,
}

impl Margin {
    /// Maintenance margin over margin balance; `None` where nothing is left to divide by.
    #[must_use]
    pub fn ratio(&self) -> Option<Decimal> {
        if self.margin_balance > Decimal::ZERO {
            over(self.maintenance, self.margin_balance).ok()
        } else {
            None
        }
    }

    /// Whether the venue liquidates: a position is held and the margin balance no longer
    /// covers maintenance. Where no tier is known, maintenance is zero: nothing is left.
    #[must_use]
    pub fn is_liquidated(&self) -> bool {
        self.initial > Decimal::ZERO && self.margin_balance <= self.maintenance
    }
}

impl Ledger {
    /// Margin of the account in one asset of a wallet, with the brackets in force at `ts`.
    ///
    /// The notional and margin of an inverse contract are in its coin.
    ///
    /// # Errors
    /// When the wallet or asset is unknown, or an amount is too large.
    pub fn margin(&self, wallet: WalletIdx, asset: &str, ts: Ts) -> Result<Margin, LedgerError> {
        let slot = self.layout.slot(wallet, asset)?;
        let mut maintenance = Decimal::ZERO;
        for (i, _) in self.notionals(slot)? {
            let qty = self.state.books.account.positions[i].qty;
            let traded = &self.layout.instruments[i];
            let needed = contract::maintenance(traded, self.marks().of(i)?, qty, ts)?;
            add_to(&mut maintenance, needed)?;
        }
        let balance = self.state.books.account.balances[slot];
        let unrealised = self.marks().account_unrealised(&self.state.books, slot)?;
        Ok(Margin {
            balance,
            unrealised,
            margin_balance: plus(balance, unrealised)?,
            initial: self.initial(slot)?,
            maintenance,
            available: self.available(slot)?,
        })
    }

    /// Balance that is neither margin nor needed for a loss.
    pub(crate) fn available(&self, slot: usize) -> Result<Decimal, LedgerError> {
        let balance = self.state.books.account.balances[slot];
        let unrealised = self.marks().account_unrealised(&self.state.books, slot)?;
        let free = minus(plus(balance, unrealised)?, self.initial(slot)?)?;
        Ok(free.min(balance).max(Decimal::ZERO))
    }

    fn initial(&self, slot: usize) -> Result<Decimal, LedgerError> {
        let mut initial = Decimal::ZERO;
        for (i, size) in self.notionals(slot)? {
            let leverage = Decimal::from(self.state.leverage[i]);
            add_to(&mut initial, round_money(over(size, leverage)?))?;
        }
        Ok(initial)
    }

    /// Unsigned notionals of the account's positions that settle in a slot.
    fn notionals(&self, slot: usize) -> Result<Vec<(usize, Decimal)>, LedgerError> {
        let marks = self.marks();
        let mut rows = Vec::new();
        for i in marks.contracts_of(slot) {
            let qty = self.state.books.account.positions[i].qty;
            if qty.0 != 0 {
                let size = notional(&self.layout.instruments[i], marks.of(i)?, qty)?;
                rows.push((i, size.abs()));
            }
        }
        Ok(rows)
    }
}
