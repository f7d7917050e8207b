//! What the books are worth at the marks.
//!
//! Between two bookings only marks move, so the change of a sleeve's equity since the last
//! booking is price, of which the hedged part is basis. Marks are therefore only stored when
//! they come; they are turned into attribution when somebody asks or before the next booking.

use cq_types::{Contract, Px, Qty};
use rust_decimal::Decimal;

use crate::amount::{add_to, minus, plus, times};
use crate::contract::{price, size, value};
use crate::layout::{Layout, Pricer};
use crate::position::magnitude;
use crate::state::{Attribution, Book, Books, Holdings};
use crate::{LedgerError, Position};

/// The marks that one valuation uses.
#[derive(Clone, Copy)]
pub(crate) struct Marks<'a> {
    pub(crate) layout: &'a Layout,
    pub(crate) marks: &'a [Option<Px>],
}

impl Marks<'_> {
    /// Mark price of an instrument.
    pub(crate) fn of(&self, instrument: usize) -> Result<Decimal, LedgerError> {
        let traded = &self.layout.instruments[instrument];
        match self.marks[instrument] {
            Some(px) => price(traded, px),
            None => Err(LedgerError::NoMark(traded.id.clone())),
        }
    }

    /// Price of an asset in the valuation asset.
    pub(crate) fn asset(&self, slot: usize) -> Result<Decimal, LedgerError> {
        match self.layout.slots[slot].pricer {
            Pricer::Par => Ok(Decimal::ONE),
            Pricer::Mark(instrument) => self.of(instrument),
        }
    }

    /// Value of a contract position in its settle asset; zero when flat.
    pub(crate) fn contract(
        &self,
        instrument: usize,
        position: &Position,
    ) -> Result<Decimal, LedgerError> {
        if position.qty.0 == 0 {
            return Ok(Decimal::ZERO);
        }
        let traded = &self.layout.instruments[instrument];
        value(traded, self.of(instrument)?, position.qty)
    }

    /// Unrealised P&L of a sleeve's contracts that settle in a slot.
    pub(crate) fn unrealised(
        &self,
        holdings: &Holdings,
        slot: usize,
    ) -> Result<Decimal, LedgerError> {
        let mut total = Decimal::ZERO;
        for i in self.contracts_of(slot) {
            let position = &holdings.positions[i];
            let value = self.contract(i, position)?;
            add_to(&mut total, minus(value, position.cost)?)?;
        }
        Ok(total)
    }

    /// Unrealised P&L of the account: its value is the sum of what the sleeves' parts are
    /// worth, so that the roundings of inverse values agree.
    pub(crate) fn account_unrealised(
        &self,
        books: &Books,
        slot: usize,
    ) -> Result<Decimal, LedgerError> {
        let mut total = Decimal::ZERO;
        for i in self.contracts_of(slot) {
            for sleeve in &books.sleeves {
                add_to(&mut total, self.contract(i, &sleeve.holdings.positions[i])?)?;
            }
            total = minus(total, books.account.positions[i].cost)?;
        }
        Ok(total)
    }

    /// Contracts that settle in a slot.
    pub(crate) fn contracts_of(&self, slot: usize) -> impl Iterator<Item = usize> + '_ {
        let routes = self.layout.routes.iter().enumerate();
        routes.filter_map(move |(i, route)| {
            let route = route.as_ref()?;
            (route.base.is_none() && route.settle == slot).then_some(i)
        })
    }

    /// Equity of a sleeve.
    pub(crate) fn sleeve(&self, book: &Book) -> Result<Decimal, LedgerError> {
        self.sum(&book.holdings, |slot| self.unrealised(&book.holdings, slot))
    }

    /// Equity of the account, from its own balances and positions.
    pub(crate) fn account(&self, books: &Books) -> Result<Decimal, LedgerError> {
        self.sum(&books.account, |slot| self.account_unrealised(books, slot))
    }

    fn sum(
        &self,
        holdings: &Holdings,
        unrealised: impl Fn(usize) -> Result<Decimal, LedgerError>,
    ) -> Result<Decimal, LedgerError> {
        let mut total = Decimal::ZERO;
        for (slot, balance) in holdings.balances.iter().enumerate() {
            let amount = plus(*balance, unrealised(slot)?)?;
            let amount = plus(amount, holdings.in_flight[slot])?;
            if !amount.is_zero() {
                add_to(&mut total, times(amount, self.asset(slot)?)?)?;
            }
        }
        Ok(total)
    }

    /// What moves of the marks since the last booking did to a sleeve.
    pub(crate) fn since_booking(
        &self,
        book: &Book,
        settled_marks: &[Option<Px>],
    ) -> Result<Attribution, LedgerError> {
        let moved = minus(self.sleeve(book)?, book.settled)?;
        let before = Marks {
            layout: self.layout,
            marks: settled_marks,
        };
        let basis = self.basis(book, before)?;
        Ok(Attribution {
            price: minus(moved, basis)?,
            basis,
            ..Attribution::default()
        })
    }

    /// Price P&L of the hedged part: spot holdings against linear shorts of the same base,
    /// matched in the order of the lists.
    fn basis(&self, book: &Book, before: Marks<'_>) -> Result<Decimal, LedgerError> {
        let mut total = Decimal::ZERO;
        for base in &self.layout.bases {
            let mut longs = self.longs(book, base).peekable();
            if longs.peek().is_none() {
                continue;
            }
            let mut shorts = self.shorts(book, base);
            let mut short = shorts.next().transpose()?;
            for (slot, mut long) in longs {
                while !long.is_zero() {
                    let Some((i, left)) = short.as_mut() else {
                        break;
                    };
                    let hedged = long.min(*left);
                    let spot = minus(self.asset(slot)?, before.asset(slot)?)?;
                    let perp = minus(self.of(*i)?, before.of(*i)?)?;
                    add_to(&mut total, times(hedged, minus(spot, perp)?)?)?;
                    long -= hedged;
                    *left -= hedged;
                    if left.is_zero() {
                        short = shorts.next().transpose()?;
                    }
                }
            }
        }
        Ok(total)
    }

    fn longs<'b>(
        &'b self,
        book: &'b Book,
        base: &'b str,
    ) -> impl Iterator<Item = (usize, Decimal)> + 'b {
        let slots = self.layout.slots.iter().enumerate();
        slots.filter_map(move |(s, slot)| {
            let held = book.holdings.balances[s];
            let is_long = slot.is_traded && held > Decimal::ZERO && slot.asset == base;
            is_long.then_some((s, held))
        })
    }

    /// Linear shorts of a base that settle at par, with their sizes.
    fn shorts<'b>(
        &'b self,
        book: &'b Book,
        base: &'b str,
    ) -> impl Iterator<Item = Result<(usize, Decimal), LedgerError>> + 'b {
        let instruments = self.layout.instruments.iter().enumerate();
        instruments.filter_map(move |(i, traded)| {
            let qty = book.holdings.positions[i].qty;
            let route = self.layout.routes[i].as_ref()?;
            let at_par = self.layout.slots[route.settle].pricer == Pricer::Par;
            let is_short =
                traded.contract == Contract::Linear && traded.base == base && at_par && qty.0 < 0;
            is_short.then(|| Ok((i, size(traded, Qty(magnitude(qty)?))?)))
        })
    }
}
