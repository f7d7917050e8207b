use cq_types::{round_money, Ts};
use rust_decimal::Decimal;

use crate::amount::{add_to, minus, over, plus, times};
use crate::collateral::Shared;
use crate::contract::{self, notional};
use crate::state::Holdings;
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

    /// What Binance ranks accounts by for auto-deleveraging (`LeveragePnl`): unrealised profit over
    /// the wallet's balance, or over one where that is less, times the margin ratio. The highest go
    /// first; where in the queue that is depends on all other accounts. Without a profit it is zero.
    ///
    /// <https://www.binance.com/en/support/faq/360033525471>
    ///
    /// # Errors
    /// When it is too large.
    pub fn leverage_pnl(&self) -> Result<Decimal, LedgerError> {
        let ratio = self.ratio().unwrap_or_default();
        let profit = self.unrealised.max(Decimal::ZERO);
        times(over(profit, self.balance.max(Decimal::ONE))?, ratio)
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
    /// The notional and margin of an inverse contract are in its coin. In a wallet in multi-assets
    /// mode every asset has the same margin, that of all together in the valuation asset; the
    /// balance is what the assets count.
    ///
    /// # Errors
    /// When the wallet or asset is unknown, or an amount is too large.
    pub fn margin(&self, wallet: WalletIdx, asset: &str, ts: Ts) -> Result<Margin, LedgerError> {
        let slot = self.layout.slot(wallet, asset)?;
        let account = &self.state.books.account;
        let balance = match self.layout.shared_of(slot) {
            Some(shared) => self.worth_of(shared, account, ts)?,
            None => account.balances[slot],
        };
        let mut maintenance = Decimal::ZERO;
        for slot in self.together(slot) {
            for (i, _) in self.notionals(slot)? {
                let qty = account.positions[i].qty;
                let traded = &self.layout.instruments[i];
                let needed = contract::maintenance(traded, self.marks().of(i)?, qty, ts)?;
                add_to(&mut maintenance, needed)?;
            }
        }
        let unrealised = self.unrealised(slot)?;
        let initial = self.initial(slot)?;
        let margin_balance = plus(balance, unrealised)?;
        let free = minus(margin_balance, initial)?;
        Ok(Margin {
            balance,
            unrealised,
            margin_balance,
            initial,
            maintenance,
            available: free.min(balance).max(Decimal::ZERO),
        })
    }

    /// What may be moved out of a slot: neither margin nor needed for a loss.
    pub(crate) fn available(&self, slot: usize, ts: Ts) -> Result<Decimal, LedgerError> {
        let account = &self.state.books.account;
        let balance = account.balances[slot];
        let needed = minus(self.initial(slot)?, self.unrealised(slot)?)?.max(Decimal::ZERO);
        let free = match self.layout.shared_of(slot) {
            Some(shared) => {
                let worth = self.worth_of(shared, account, ts)?;
                self.movable(shared, slot, balance, minus(worth, needed)?, ts)?
            }
            None => minus(balance, needed)?,
        };
        Ok(free.max(Decimal::ZERO))
    }

    /// What the balances of a wallet in multi-assets mode count as margin at the marks.
    pub(crate) fn worth_of(
        &self,
        shared: &Shared,
        holdings: &Holdings,
        ts: Ts,
    ) -> Result<Decimal, LedgerError> {
        let price = |slot| self.marks().asset(slot).map(Some);
        let worth = shared.worth(&holdings.balances, price, ts)?;
        Ok(worth.unwrap_or_default())
    }

    /// How much of a balance can leave where all counts `free` more than is needed.
    pub(crate) fn movable(
        &self,
        shared: &Shared,
        slot: usize,
        balance: Decimal,
        free: Decimal,
        ts: Ts,
    ) -> Result<Decimal, LedgerError> {
        let Some(rule) = shared.rule(slot).filter(|_| balance > Decimal::ZERO) else {
            return Ok(balance);
        };
        rule.movable(balance, self.marks().asset(slot)?, free, ts)
    }

    /// Slots whose contracts share one margin with those of `slot`.
    fn together(&self, slot: usize) -> Vec<usize> {
        let shared = self.layout.shared_of(slot);
        shared.map_or(vec![slot], |s| {
            s.assets.iter().map(|(own, _)| *own).collect()
        })
    }

    fn unrealised(&self, slot: usize) -> Result<Decimal, LedgerError> {
        let mut total = Decimal::ZERO;
        for slot in self.together(slot) {
            let own = self.marks().account_unrealised(&self.state.books, slot)?;
            add_to(&mut total, own)?;
        }
        Ok(total)
    }

    fn initial(&self, slot: usize) -> Result<Decimal, LedgerError> {
        let mut initial = Decimal::ZERO;
        for slot in self.together(slot) {
            for (i, size) in self.notionals(slot)? {
                let leverage = Decimal::from(self.state.leverage[i]);
                add_to(&mut initial, round_money(over(size, leverage)?))?;
            }
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
