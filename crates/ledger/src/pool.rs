//! Positions that stand and fall together, and what there is to pay their losses from.

use cq_types::{round_money, InstrumentIdx, Ts};
use rust_decimal::Decimal;

use crate::amount::{add_to, minus, over, plus};
use crate::contract::{self, notional, price, value};
use crate::layout::Pricer;
use crate::{LedgerError, Margin, MarginAccount, VenueMarks, WalletIdx};

/// What a position's losses are paid from.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum MarginMode {
    /// All of the settle asset in its wallet.
    #[default]
    Cross,
    /// Only what was set aside for it when it was opened.
    Isolated,
}

/// Positions that stand and fall together.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Pool {
    /// All contracts that settle in one asset of one wallet, by its slot.
    Cross(usize),
    /// One contract.
    Isolated(InstrumentIdx),
    /// All contracts of a wallet in multi-assets mode.
    Shared(WalletIdx),
}

impl MarginAccount {
    /// What the losses of a contract are paid from; `None` for spot.
    #[must_use]
    pub fn pool(&self, instrument: InstrumentIdx) -> Option<Pool> {
        let route = self.layout.routes.get(usize::from(instrument))?.as_ref()?;
        let pool = match (self.mode, self.layout.shared_of(route.settle)) {
            (_, Some(shared)) => Pool::Shared(shared.wallet),
            (MarginMode::Cross, None) => Pool::Cross(route.settle),
            (MarginMode::Isolated, None) => Pool::Isolated(instrument),
        };
        route.base.is_none().then_some(pool)
    }

    /// Contracts of a pool, held or not.
    pub fn contracts(&self, pool: Pool) -> impl Iterator<Item = InstrumentIdx> + '_ {
        let routes = (0..).zip(&self.layout.routes);
        routes.filter_map(move |(index, route)| {
            let route = route.as_ref().filter(|route| route.base.is_none())?;
            let is_in = match pool {
                Pool::Cross(slot) => route.settle == slot,
                Pool::Isolated(own) => own == index,
                Pool::Shared(wallet) => self.layout.slots[route.settle].wallet == wallet,
            };
            is_in.then_some(index)
        })
    }

    /// Contracts of a pool that are held.
    pub fn held(&self, pool: Pool) -> impl Iterator<Item = InstrumentIdx> + '_ {
        self.contracts(pool)
            .filter(|i| self.position(*i).qty.0 != 0)
    }

    /// The pool whose margin a mark of an instrument moves: its own, or the one that it prices an
    /// asset of.
    #[must_use]
    pub fn moved_by(&self, instrument: InstrumentIdx) -> Option<Pool> {
        let shared = self.layout.shared.as_ref();
        let priced = shared.filter(|shared| shared.is_priced_by(&self.layout, instrument));
        let priced = priced.map(|shared| Pool::Shared(shared.wallet));
        self.pool(instrument).or(priced)
    }

    /// Instruments whose marks move the margin of a pool.
    pub fn movers(&self, pool: Pool) -> impl Iterator<Item = InstrumentIdx> + '_ {
        let all = (0..).zip(&self.layout.instruments[..]);
        all.map(|(index, _)| index)
            .filter(move |index| self.moved_by(*index) == Some(pool))
    }

    /// What is there to pay losses of a pool from, before unrealised P&L; `None` while a mark is
    /// missing that prices it.
    ///
    /// # Errors
    /// When an amount is too large.
    pub fn collateral(
        &self,
        pool: Pool,
        marks: VenueMarks<'_>,
        ts: Ts,
    ) -> Result<Option<Decimal>, LedgerError> {
        match pool {
            Pool::Isolated(instrument) => Ok(Some(self.set_aside[usize::from(instrument)])),
            Pool::Cross(slot) => self.free(slot).map(Some),
            Pool::Shared(_) => {
                let Some(shared) = &self.layout.shared else {
                    return Ok(None);
                };
                let price = |slot| self.price_of(slot, marks);
                shared.worth(&self.holdings.balances, price, ts)
            }
        }
    }

    /// Price of a slot's asset at the venue's marks.
    pub(crate) fn price_of(
        &self,
        slot: usize,
        marks: VenueMarks<'_>,
    ) -> Result<Option<Decimal>, LedgerError> {
        match self.layout.slots[slot].pricer {
            Pricer::Par => Ok(Some(Decimal::ONE)),
            Pricer::Mark(i) => {
                let traded = &self.layout.instruments[i];
                marks[i].map(|px| price(traded, px)).transpose()
            }
        }
    }

    /// Whether what a pool's collateral is worth moves with a mark.
    pub(crate) fn floats(&self, pool: Pool) -> bool {
        let shared = self.layout.shared.as_ref();
        let shared = shared.filter(|_| matches!(pool, Pool::Shared(_)));
        shared.is_some_and(|shared| shared.moves(&self.layout, &self.holdings.balances))
    }

    /// Whether a pool has a balance that can be converted into what is owed.
    pub(crate) fn has_others(&self, pool: Pool) -> bool {
        let shared = self.layout.shared.as_ref();
        let shared = shared.filter(|_| matches!(pool, Pool::Shared(_)));
        let mut assets = shared.into_iter().flat_map(|shared| &shared.assets);
        assets.any(|(slot, _)| self.holdings.balances[*slot] > Decimal::ZERO)
    }

    /// Margin of a pool with the tiers in force at `ts`; `None` while a contract that is held
    /// or an asset that counts has no mark.
    ///
    /// # Errors
    /// When an amount is too large or a mark not positive.
    pub fn margin(
        &self,
        pool: Pool,
        marks: VenueMarks<'_>,
        ts: Ts,
    ) -> Result<Option<Margin>, LedgerError> {
        let Some(balance) = self.collateral(pool, marks, ts)? else {
            return Ok(None);
        };
        let (mut unrealised, mut maintenance) = (Decimal::ZERO, Decimal::ZERO);
        let mut initial = Decimal::ZERO;
        for index in self.held(pool) {
            let i = usize::from(index);
            let Some(px) = marks[i] else {
                return Ok(None);
            };
            let (instrument, position) = (&self.layout.instruments[i], &self.holdings.positions[i]);
            let mark = price(instrument, px)?;
            let now = value(instrument, mark, position.qty)?;
            add_to(&mut unrealised, minus(now, position.cost)?)?;
            let needed = contract::maintenance(instrument, mark, position.qty, ts)?;
            add_to(&mut maintenance, needed)?;
            let worth = notional(instrument, mark, position.qty)?.abs();
            let asked = round_money(over(worth, self.leverage[i].into())?);
            add_to(&mut initial, asked)?;
        }
        let margin_balance = plus(balance, unrealised)?;
        let available = minus(margin_balance, initial)?.min(balance);
        Ok(Some(Margin {
            balance,
            unrealised,
            margin_balance,
            initial,
            maintenance,
            available: available.max(Decimal::ZERO),
        }))
    }
}
