//! What the sleeves can pay with in spot: their balances, less what has gone or is locked.

use std::collections::{HashMap, VecDeque};

use cq_ledger::{prorate, Ledger};
use cq_sim::{OpenOrder, Purse};
use cq_types::{Account, Contract, Event, Instrument, InstrumentIdx, Px, Qty};
use rust_decimal::Decimal;
use rustc_hash::FxHashMap;

use crate::record::OrderRow;

/// The sleeves' balances less what fills on their way to us have already taken.
pub(crate) struct Purses<'a> {
    pub(crate) ledger: &'a Ledger,
    pub(crate) orders: &'a [OrderRow],
    pub(crate) index: &'a FxHashMap<u64, usize>,
    pub(crate) on_the_way: &'a VecDeque<Event<Account>>,
}

impl Purses<'_> {
    fn row(&self, order: u64) -> Option<&OrderRow> {
        self.index.get(&order).map(|at| &self.orders[*at])
    }

    fn traded(&self, instrument: InstrumentIdx) -> &Instrument {
        &self.ledger.instruments()[usize::from(instrument)]
    }

    /// What each buying sleeve of an order pays for a fill, one grid unit of quantity more
    /// than its share: a partial fill is split to whole units. `None` where that has more
    /// digits than money has.
    fn shares(&self, order: u64, qty: Qty, cost: Decimal) -> Option<Vec<(usize, Decimal)>> {
        let Some(row) = self.row(order) else {
            return Some(Vec::new());
        };
        let net = Decimal::from(row.request.qty.0.max(1));
        let unit = cost / Decimal::from(qty.0.max(1));
        row.allocations
            .iter()
            .filter(|(_, part)| part.0 > 0)
            .map(|(sleeve, part)| {
                let is_shared = row.allocations.len() > 1;
                let slack = if is_shared { unit } else { Decimal::ZERO };
                let whole = cost.checked_mul(Decimal::from(part.0))?;
                Some((*sleeve, whole / net + slack))
            })
            .collect()
    }

    /// Whether two spot instruments settle in the same asset of the same wallet.
    fn pays_alike(&self, a: InstrumentIdx, b: InstrumentIdx) -> bool {
        let (one, other) = (self.traded(a), self.traded(b));
        self.ledger.wallet_of(a) == self.ledger.wallet_of(b)
            && one.settle == other.settle
            && one.contract == Contract::Spot
    }

    /// Whether two spot instruments deliver the same coins of the same wallet.
    fn delivers_alike(&self, a: InstrumentIdx, b: InstrumentIdx) -> bool {
        let (one, other) = (self.traded(a), self.traded(b));
        self.ledger.wallet_of(a) == self.ledger.wallet_of(b)
            && one.base == other.base
            && one.contract == Contract::Spot
    }

    fn waiting<'b>(
        &'b self,
        unseen: &'b [Event<Account>],
    ) -> impl Iterator<Item = &'b Event<Account>> {
        self.on_the_way.iter().chain(unseen)
    }

    /// What a fill that is on its way will take from `sleeve` in the same asset and wallet.
    fn spent(&self, event: &Event<Account>, sleeve: usize, instrument: InstrumentIdx) -> Decimal {
        let Account::Fill {
            order,
            px,
            qty,
            fee,
            ..
        } = event.body
        else {
            return Decimal::ZERO;
        };
        if !self.pays_alike(event.instrument, instrument) {
            return Decimal::ZERO;
        }
        let cost = self.traded(event.instrument).notional(px, qty) + fee;
        let shares = self.shares(order, qty, cost).unwrap_or_default();
        let own = shares.iter().filter(|(s, _)| *s == sleeve);
        own.map(|(_, amount)| *amount).sum()
    }

    /// What a sleeve can pay in an instrument's settle asset, as far as we know.
    fn money(
        &self,
        sleeve: usize,
        instrument: InstrumentIdx,
        unseen: &[Event<Account>],
    ) -> Option<Decimal> {
        let wallet = self.ledger.wallet_of(instrument)?;
        let settle = &self.traded(instrument).settle;
        let balance = self.ledger.sleeve_balance(sleeve, wallet, settle).ok()?;
        let spent = self
            .waiting(unseen)
            .map(|e| self.spent(e, sleeve, instrument));
        Some(balance - spent.sum::<Decimal>())
    }

    /// Parts of the fills on their way, each with its instrument, and how much of `order` has
    /// traded with them.
    fn moved(&self, order: u64, unseen: &[Event<Account>]) -> (Vec<Moved>, i64) {
        let mut done: HashMap<u64, i64> = HashMap::new();
        let known = |id| self.row(id).map_or(0, |row| row.filled.0);
        let mut moved = Vec::new();
        for event in self.waiting(unseen) {
            let Account::Fill { order, qty, .. } = event.body else {
                continue;
            };
            let before = done.entry(order).or_insert_with(|| known(order));
            let row = self.row(order);
            let parts = row.and_then(|row| prorate(&row.allocations, Qty(*before), qty).ok());
            *before += qty.0;
            for (sleeve, part) in parts.into_iter().flatten() {
                moved.push(Moved {
                    instrument: event.instrument,
                    sleeve,
                    part,
                });
            }
        }
        (moved, done.get(&order).copied().unwrap_or(known(order)))
    }

    /// What a sleeve has of the coins of a spot instrument, in whole units of it.
    fn coins(&self, sleeve: usize, instrument: InstrumentIdx, moved: &[Moved]) -> i128 {
        let mut own = i128::from(self.ledger.coins(sleeve, instrument).0);
        for one in moved.iter().filter(|one| one.sleeve == sleeve) {
            if self.delivers_alike(one.instrument, instrument) {
                own += self.in_units_of(instrument, one.instrument, one.part.0);
            }
        }
        own
    }

    /// A quantity of one instrument in units of another of the same coins, down.
    fn in_units_of(&self, instrument: InstrumentIdx, other: InstrumentIdx, qty: i64) -> i128 {
        if instrument == other {
            return i128::from(qty);
        }
        let unit = |index| {
            let traded = self.traded(index);
            traded.grid.quantity(Qty(1)) * traded.multiplier
        };
        let units = (Decimal::from(qty) * unit(other)).checked_div(unit(instrument));
        let units = units.and_then(|units| i128::try_from(units.floor()).ok());
        units.unwrap_or(i128::MIN / 4)
    }

    /// What a purchase of so many units locks at a price. `None` where that has more digits than
    /// money has.
    fn worth(&self, instrument: InstrumentIdx, px: Px, units: i64) -> Option<Decimal> {
        let traded = self.traded(instrument);
        let size = traded
            .grid
            .quantity(Qty(units))
            .checked_mul(traded.multiplier)?;
        size.checked_mul(traded.grid.price(px))
    }

    /// What an order that works has locked of each sleeve: signed units of its instrument.
    fn locked(&self, own: &OpenOrder) -> Vec<(usize, i64)> {
        let Some(row) = self.row(own.id) else {
            return Vec::new();
        };
        if let [(sleeve, part)] = row.allocations[..] {
            return vec![(sleeve, part.0.signum() * own.left.0)];
        }
        let done = Qty((row.request.qty.0 - own.left.0).max(0));
        let rest = prorate(&row.allocations, done, own.left);
        let parts = rest.unwrap_or_else(|_| row.allocations.clone());
        parts.into_iter().map(|(s, part)| (s, part.0)).collect()
    }
}

impl Purses<'_> {
    /// What the spot orders that `work` have locked of an asset of a sleeve in a wallet. `None`
    /// where that has more digits than money has.
    pub(crate) fn tied_up(
        &self,
        (sleeve, wallet, asset): (usize, usize, &str),
        work: impl Iterator<Item = OpenOrder>,
    ) -> Option<Decimal> {
        let mut total = Decimal::ZERO;
        for own in work.filter(|own| self.ledger.wallet_of(own.instrument) == Some(wallet)) {
            let traded = self.traded(own.instrument);
            for (_, part) in self.locked(&own).into_iter().filter(|(s, _)| *s == sleeve) {
                let locks = match own.limit {
                    Some(px) if part > 0 && traded.settle == asset => {
                        self.worth(own.instrument, px, part)?
                    }
                    _ if part < 0 && traded.base == asset => {
                        let coins = traded.grid.quantity(Qty(-part));
                        coins.checked_mul(traded.multiplier)?
                    }
                    _ => Decimal::ZERO,
                };
                total = total.checked_add(locks)?;
            }
        }
        Some(total)
    }
}

/// A sleeve's part of a fill that is on its way.
struct Moved {
    instrument: InstrumentIdx,
    sleeve: usize,
    part: Qty,
}

impl Purse for Purses<'_> {
    fn can_pay(
        &self,
        order: u64,
        instrument: InstrumentIdx,
        qty: Qty,
        cost: Decimal,
        unseen: &[Event<Account>],
    ) -> bool {
        let Some(shares) = self.shares(order, qty, cost) else {
            return false;
        };
        shares.iter().all(|(sleeve, needed)| {
            let has = self.money(*sleeve, instrument, unseen);
            has.is_some_and(|has| has >= *needed)
        })
    }

    fn can_deliver(
        &self,
        order: u64,
        instrument: InstrumentIdx,
        qty: Qty,
        cost: Decimal,
        unseen: &[Event<Account>],
    ) -> bool {
        let Some(row) = self.row(order) else {
            return true;
        };
        if row.allocations.iter().all(|(_, part)| part.0 > 0) {
            return true;
        }
        let (moved, done) = self.moved(order, unseen);
        let Ok(parts) = prorate(&row.allocations, Qty(done), qty) else {
            return false;
        };
        let delivers = parts.iter().all(|(sleeve, part)| {
            part.0 >= 0 || i128::from(-part.0) <= self.coins(*sleeve, instrument, &moved)
        });
        delivers && self.can_pay(order, instrument, qty, cost, unseen)
    }

    fn can_lock(
        &self,
        asked: &OpenOrder,
        work: &mut dyn Iterator<Item = OpenOrder>,
        unseen: &[Event<Account>],
    ) -> bool {
        let instrument = asked.instrument;
        let work: Vec<_> = work.map(|own| (own, self.locked(&own))).collect();
        let (moved, _) = self.moved(asked.id, unseen);
        let sells = |sleeve: usize| {
            let own = work
                .iter()
                .filter(|(own, _)| self.delivers_alike(own.instrument, instrument));
            let parts =
                own.flat_map(|(own, parts)| parts.iter().map(move |part| (own.instrument, part)));
            let sold = parts.filter(|(_, (s, part))| *s == sleeve && *part < 0);
            sold.map(|(at, (_, part))| -self.in_units_of(instrument, at, *part))
                .sum::<i128>()
        };
        let buys = |sleeve: usize| {
            let own = work
                .iter()
                .filter(|(own, _)| self.pays_alike(own.instrument, instrument));
            own.map(|(own, parts)| {
                let bought = parts.iter().filter(|(s, part)| *s == sleeve && *part > 0);
                let units: i64 = bought.map(|(_, part)| *part).sum();
                own.limit.map_or(Some(Decimal::ZERO), |px| {
                    self.worth(own.instrument, px, units)
                })
            })
            .sum::<Option<Decimal>>()
        };
        self.locked(asked).iter().all(|(sleeve, part)| {
            if *part < 0 {
                let free = self.coins(*sleeve, instrument, &moved) - sells(*sleeve);
                return i128::from(-*part) <= free;
            }
            let Some(px) = asked.limit else {
                return true;
            };
            let needed = self.worth(instrument, px, *part);
            let has = self.money(*sleeve, instrument, unseen);
            let free = has.zip(buys(*sleeve)).map(|(has, locked)| has - locked);
            needed
                .zip(free)
                .is_some_and(|(needed, free)| needed <= free)
        })
    }
}
