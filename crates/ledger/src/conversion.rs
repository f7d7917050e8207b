//! How a venue in multi-assets mode balances debts: it converts what is there, at a loss.

use cq_types::{round_money, InstrumentIdx, Ts};
use rust_decimal::{Decimal, RoundingStrategy};

use crate::amount::{add_to, minus, over, plus, split, times};
use crate::draft::{Draft, Spare};
use crate::margin_account::{MarginAccount, VenueMarks};
use crate::{Ledger, LedgerError, SleeveIdx};

/// Why a venue converts.
pub mod cause {
    /// A debt is beyond the asset's limit.
    pub const DEBT: &str = "negative_balance";
    /// A liquidation left a debt.
    pub const LIQUIDATION: &str = "liquidation";
    /// Nothing is held or ordered, and the debts reach the loan-to-value limit.
    pub const LOAN_TO_VALUE: &str = "loan_to_value";
}

/// An asset turned into the settle asset of a contract, in the contract's wallet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Conversion {
    /// A contract that settles in the asset that is received.
    pub instrument: InstrumentIdx,
    /// What is given.
    pub asset: String,
    /// How much of it, positive.
    pub given: Decimal,
    /// How much of the settle asset is received.
    pub received: Decimal,
    /// Price of the given asset in the settle asset, before the venue's cut.
    pub price: Decimal,
    /// See [`cause`].
    pub cause: &'static str,
}

/// What may be given: its slot, the balance, the price, and what it pays at most.
struct Source {
    slot: usize,
    balance: Decimal,
    price: Decimal,
    pays: Decimal,
    most: Decimal,
}

impl MarginAccount {
    /// The conversions that the venue makes now of a wallet in multi-assets mode; `is_idle` tells
    /// that it has no positions and no orders, `is_liquidated` that a liquidation just ended.
    ///
    /// The whole debt is balanced. Where several assets are there, each gives by its worth.
    ///
    /// # Errors
    /// When an amount is too large or a mark not positive.
    pub fn conversions(
        &self,
        marks: VenueMarks<'_>,
        (is_idle, is_liquidated): (bool, bool),
        ts: Ts,
    ) -> Result<Vec<Conversion>, LedgerError> {
        let Some(shared) = &self.layout.shared else {
            return Ok(Vec::new());
        };
        let mut out = Vec::new();
        for (slot, rule) in &shared.assets {
            let debt = -self.holdings.balances[*slot];
            if debt <= Decimal::ZERO {
                continue;
            }
            let limit = rule.debt_limit.as_ref().map(|rows| *rows.at(ts).0);
            let why = if is_liquidated {
                cause::LIQUIDATION
            } else if limit.is_some_and(|limit| debt > limit) {
                cause::DEBT
            } else if is_idle && self.is_overlent(marks, ts)? {
                cause::LOAN_TO_VALUE
            } else {
                continue;
            };
            let routes = (0..).zip(&self.layout.routes);
            let mut settling = routes.filter(|(_, r)| r.is_some_and(|r| r.settle == *slot));
            if let Some((instrument, _)) = settling.next() {
                self.pay_debt((instrument, debt), marks, why, ts, &mut out)?;
            }
        }
        Ok(out)
    }

    /// Debts over what the positive balances count, against the mode's limit.
    fn is_overlent(&self, marks: VenueMarks<'_>, ts: Ts) -> Result<bool, LedgerError> {
        let Some(shared) = &self.layout.shared else {
            return Ok(false);
        };
        let (mut debts, mut counts) = (Decimal::ZERO, Decimal::ZERO);
        for (slot, rule) in &shared.assets {
            let balance = self.holdings.balances[*slot];
            if balance.is_zero() {
                continue;
            }
            let Some(price) = self.price_of(*slot, marks)? else {
                return Ok(false);
            };
            let worth = rule.counts(balance, price, ts)?;
            if balance < Decimal::ZERO {
                add_to(&mut debts, -worth)?;
            } else {
                add_to(&mut counts, worth)?;
            }
        }
        Ok(debts >= times(counts, *shared.loan_to_value.at(ts).0)?)
    }

    fn pay_debt(
        &self,
        (instrument, debt): (InstrumentIdx, Decimal),
        marks: VenueMarks<'_>,
        cause: &'static str,
        ts: Ts,
        out: &mut Vec<Conversion>,
    ) -> Result<(), LedgerError> {
        let sources = self.sources(marks, ts)?;
        let whole = sources
            .iter()
            .try_fold(Decimal::ZERO, |sum, s| plus(sum, s.most))?;
        let mut rest = debt.min(whole);
        for (n, source) in sources.iter().enumerate() {
            let (given, received) = if whole <= debt {
                (source.balance, source.most)
            } else {
                let share = if n + 1 == sources.len() {
                    rest
                } else {
                    round_money(over(times(debt, source.most)?, whole)?)
                };
                let share = share.min(source.most);
                let worth = over(over(share, source.price)?, source.pays)?;
                let given = worth.round_dp_with_strategy(8, RoundingStrategy::ToPositiveInfinity);
                (given.min(source.balance), share)
            };
            rest = minus(rest, received)?;
            if received > Decimal::ZERO {
                out.push(Conversion {
                    instrument,
                    asset: self.layout.slots[source.slot].asset.clone(),
                    given,
                    received,
                    price: source.price,
                    cause,
                });
            }
        }
        Ok(())
    }

    /// The positive balances of the wallet; one whose price is not known cannot be given.
    fn sources(&self, marks: VenueMarks<'_>, ts: Ts) -> Result<Vec<Source>, LedgerError> {
        let mut sources = Vec::new();
        for (slot, rule) in self.layout.shared.iter().flat_map(|shared| &shared.assets) {
            let balance = self.holdings.balances[*slot];
            let Some(price) = self.price_of(*slot, marks)? else {
                continue;
            };
            let pays = rule.conversion.as_ref().map(|rows| *rows.at(ts).0);
            if let Some(pays) = pays.filter(|_| balance > Decimal::ZERO) {
                let worth = times(times(balance, price)?, pays)?;
                sources.push(Source {
                    slot: *slot,
                    balance,
                    price,
                    pays,
                    most: worth.round_dp_with_strategy(8, RoundingStrategy::ToZero),
                });
            }
        }
        Ok(sources)
    }

    /// Books a conversion.
    ///
    /// # Errors
    /// When the instrument or the asset is not in its wallet, or an amount is too large.
    pub fn convert(&mut self, made: &Conversion) -> Result<(), LedgerError> {
        let (_, _, route) = self.layout.traded(made.instrument)?;
        let wallet = self.layout.slots[route.settle].wallet;
        let from = self.layout.slot(wallet, &made.asset)?;
        add_to(&mut self.holdings.balances[from], -made.given)?;
        add_to(&mut self.holdings.balances[route.settle], made.received)
    }
}

impl Ledger {
    /// Books a conversion of the venue.
    ///
    /// Sleeves give what they hold of the asset, in proportion, and are paid its worth at the
    /// venue's price; what the venue keeps of that is a fee of the sleeves that owed, in
    /// proportion to their debts, of the givers where nobody owed.
    ///
    /// # Errors
    /// When the instrument or the asset is not in its wallet, nobody holds the asset, or an amount
    /// is too large.
    pub fn book_conversion(&mut self, made: &Conversion) -> Result<(), LedgerError> {
        let (_, _, route) = self.layout.traded(made.instrument)?;
        let to = route.settle;
        let wallet = self.layout.slots[to].wallet;
        let from = self.layout.slot(wallet, &made.asset)?;
        let givers = self.sized(from, Decimal::ONE)?;
        if givers.is_empty() {
            let (available, needed) = (Decimal::ZERO, made.given);
            return Err(self.layout.not_enough(0, from, available, needed));
        }
        let owing = self.sized(to, -Decimal::ONE)?;
        let owing = if owing.is_empty() {
            givers.clone()
        } else {
            owing
        };
        let worth = round_money(times(made.given, made.price)?);
        let cut = minus(worth, made.received)?;
        let mut draft = Draft::new(&self.layout, &self.state, Spare::default())?;
        let (given_at, paid_at) = (draft.valuation().asset(from)?, draft.valuation().asset(to)?);
        let sizes = |rows: &[(SleeveIdx, i64)]| rows.iter().map(|row| row.1).collect::<Vec<_>>();
        let given = split(made.given, &sizes(&givers))?;
        let paid = split(worth, &sizes(&givers))?;
        for (n, (sleeve, _)) in givers.iter().enumerate() {
            draft.credit(*sleeve, from, -given[n])?;
            draft.credit(*sleeve, to, paid[n])?;
            let rise = minus(times(paid[n], paid_at)?, times(given[n], given_at)?)?;
            add_to(&mut draft.books.sleeves[*sleeve].attribution.price, rise)?;
        }
        for ((sleeve, _), cost) in owing.iter().zip(split(-cut, &sizes(&owing))?) {
            draft.credit(*sleeve, to, cost)?;
            let cost = times(cost, paid_at)?;
            add_to(&mut draft.books.sleeves[*sleeve].attribution.fees, cost)?;
        }
        let sealed = draft.seal()?;
        sealed.take_effect(&mut self.state);
        Ok(())
    }

    /// Sleeves whose balance of a slot has a sign, with its size in units of 10^-8.
    fn sized(&self, slot: usize, sign: Decimal) -> Result<Vec<(SleeveIdx, i64)>, LedgerError> {
        let mut rows = Vec::new();
        for (sleeve, book) in self.state.books.sleeves.iter().enumerate() {
            let held = book.holdings.balances[slot] * sign;
            if held > Decimal::ZERO {
                let units = (held * Decimal::from(100_000_000)).trunc();
                let units = i64::try_from(units).map_err(|_| LedgerError::Overflow("balance"))?;
                rows.push((sleeve, units));
            }
        }
        Ok(rows)
    }
}
