//! The account as its venue keeps it: what liquidation is decided on.

use std::sync::Arc;

use cq_types::{round_money, Instrument, InstrumentIdx, Px, Qty};
use rust_decimal::Decimal;

use crate::amount::{add_to, minus, over, plus, share};
use crate::ceiling::always_allowed;
use crate::contract::{booked_value, notional, price};
use crate::draft::{take, Trade};
use crate::layout::Layout;
use crate::position::magnitude;
use crate::state::Holdings;
use crate::trip::Part;
use crate::{Fill, Ledger, LedgerError, MarginMode, Position, WalletIdx};

/// Last mark of each instrument at the venue.
pub type VenueMarks<'a> = &'a [Option<Px>];

/// Balances and positions as the venue has them now, however late its answers reach us.
///
/// It books what [`Ledger`] books for the account, to the last digit, and knows no sleeves.
#[derive(Debug, Clone)]
pub struct MarginAccount {
    pub(crate) layout: Arc<Layout>,
    pub(crate) holdings: Holdings,
    pub(crate) leverage: Vec<u16>,
    /// Positions up to here are within the tiers of all times at the leverage, as they count.
    pub(crate) allowed: Vec<f64>,
    pub(crate) mode: MarginMode,
    /// Part of the settle asset's balance that each isolated position holds as its margin.
    pub(crate) set_aside: Vec<Decimal>,
}

impl MarginAccount {
    /// The account of a ledger that has heard everything, as its venue has it.
    #[must_use]
    pub fn of(ledger: &Ledger, mode: MarginMode) -> Self {
        let holdings = ledger.state.books.account.clone();
        let leverage = ledger.state.leverage.clone();
        let contracts = ledger.layout.instruments.iter().zip(&leverage);
        Self {
            allowed: contracts.map(|(i, at)| always_allowed(i, *at)).collect(),
            set_aside: vec![Decimal::ZERO; holdings.positions.len()],
            layout: Arc::clone(&ledger.layout),
            leverage,
            holdings,
            mode,
        }
    }

    /// The part of it at one of several venues: the instruments that trade there, and the
    /// wallets that they settle in.
    #[must_use]
    pub fn at_venue(mut self, is_there: impl Fn(InstrumentIdx) -> bool) -> Self {
        let mut layout = Layout::clone(&self.layout);
        for (index, route) in (0..).zip(&mut layout.routes) {
            *route = route.filter(|_| is_there(index));
        }
        let is_here = |i: &InstrumentIdx| layout.routes[usize::from(*i)].is_some();
        let shared = layout.shared.as_ref().map(|shared| shared.wallet);
        if shared.is_some_and(|w| !layout.wallets[w].instruments.iter().all(is_here)) {
            layout.shared = None;
        }
        self.layout = Arc::new(layout);
        self
    }

    /// Whether a wallet is kept here: no instrument of another venue settles in it.
    #[must_use]
    pub fn keeps(&self, wallet: WalletIdx) -> bool {
        let Some(wallet) = self.layout.wallets.get(wallet) else {
            return false;
        };
        let is_here = |i: &InstrumentIdx| self.layout.routes[usize::from(*i)].is_some();
        wallet.instruments.iter().all(is_here)
    }

    /// Instruments, in the order of their indices.
    #[must_use]
    pub fn instruments(&self) -> &[Instrument] {
        &self.layout.instruments
    }

    /// Whether a ledger that has heard everything has the same balances, on their way and there,
    /// and positions, as far as they are kept here.
    #[must_use]
    pub fn agrees_with(&self, ledger: &Ledger) -> bool {
        let (own, other) = (&self.holdings, &ledger.state.books.account);
        let same = |slot: usize| {
            own.balances[slot] == other.balances[slot]
                && own.in_flight[slot] == other.in_flight[slot]
        };
        let mut slots = self.layout.slots.iter().enumerate();
        let positions = own.positions.iter().zip(&other.positions);
        let routed = self.layout.routes.iter().map(Option::is_some);
        slots.all(|(slot, place)| same(slot) || !self.keeps(place.wallet))
            && positions
                .zip(routed)
                .all(|((a, b), is_here)| a == b || !is_here)
    }

    /// Chooses the leverage that orders are margined at from now on.
    pub fn set_leverage(&mut self, instrument: InstrumentIdx, leverage: u16) {
        let i = usize::from(instrument);
        self.leverage[i] = leverage;
        self.allowed[i] = always_allowed(&self.layout.instruments[i], leverage);
    }

    /// Net position of an instrument.
    #[must_use]
    pub fn position(&self, instrument: InstrumentIdx) -> Position {
        self.holdings.positions[usize::from(instrument)]
    }

    /// Balance of the asset that a contract settles in, whatever is set aside of it.
    ///
    /// # Errors
    /// When the instrument settles in no wallet.
    pub fn settled(&self, instrument: InstrumentIdx) -> Result<Decimal, LedgerError> {
        let (_, _, route) = self.layout.traded(instrument)?;
        Ok(self.holdings.balances[route.settle])
    }

    /// What is left of the asset that a contract settles in to open a position from.
    ///
    /// # Errors
    /// When the instrument settles in no wallet or an amount is too large.
    pub fn spare(&self, instrument: InstrumentIdx) -> Result<Decimal, LedgerError> {
        let (_, _, route) = self.layout.traded(instrument)?;
        self.free(route.settle)
    }

    /// Balance of a slot that no isolated position holds.
    pub(crate) fn free(&self, slot: usize) -> Result<Decimal, LedgerError> {
        let settles = |i: &usize| self.layout.routes[*i].is_some_and(|r| r.settle == slot);
        let own = (0..self.set_aside.len()).filter(settles);
        own.map(|i| self.set_aside[i])
            .try_fold(self.holdings.balances[slot], minus)
    }

    /// Books a fill.
    ///
    /// # Errors
    /// When the instrument settles in no wallet, the price is not positive, or an amount is
    /// too large.
    pub fn fill(&mut self, fill: &Fill) -> Result<(), LedgerError> {
        let layout = Arc::clone(&self.layout);
        let (i, instrument, route) = layout.traded(fill.instrument)?;
        let trade = Trade {
            ts: fill.ts,
            index: fill.instrument,
            instrument,
            route,
        };
        let before = self.holdings.positions[i].qty;
        let paid = price(instrument, fill.px)?;
        let whole = Part {
            qty: fill.qty,
            value: booked_value(instrument, paid, fill.qty)?,
            fee: -fill.fee,
            spread: Decimal::ZERO,
            impact: Decimal::ZERO,
        };
        let closed = take(&mut self.holdings, trade, &whole)?;
        if self.mode == MarginMode::Isolated && route.base.is_none() {
            let held = self.set_aside[i];
            let released = match before.0 {
                0 => Decimal::ZERO,
                _ => share(held, closed.qty, magnitude(before)?)?,
            };
            self.set_aside[i] = minus(held, released)?;
            let opened = Qty(magnitude(fill.qty)? - closed.qty);
            let worth = notional(instrument, paid, opened)?;
            let asked = round_money(over(worth, self.leverage[i].into())?);
            let free = self.free(route.settle)?;
            // What the free balance cannot pay, the position's own margin does.
            let own = asked.min(free.max(Decimal::ZERO)) + free.min(Decimal::ZERO);
            let held = plus(self.set_aside[i], own)?;
            self.set_aside[i] = held.max(Decimal::ZERO);
        }
        Ok(())
    }

    /// What the wallet of a contract owes although nothing of it is held that could be
    /// liquidated; zero otherwise.
    ///
    /// # Errors
    /// When the instrument settles in no wallet or an amount is too large.
    pub fn owed(&self, instrument: InstrumentIdx) -> Result<Decimal, LedgerError> {
        let Some(pool) = self.pool(instrument) else {
            return Ok(Decimal::ZERO);
        };
        if self.held(pool).next().is_some() || self.has_others(pool) {
            return Ok(Decimal::ZERO);
        }
        Ok((-self.spare(instrument)?).max(Decimal::ZERO))
    }

    /// Books funding or what the insurance fund pays, negative if the account pays it.
    ///
    /// # Errors
    /// When the instrument settles in no wallet or an amount is too large.
    pub fn credit(
        &mut self,
        instrument: InstrumentIdx,
        amount: Decimal,
    ) -> Result<(), LedgerError> {
        let (i, _, route) = self.layout.traded(instrument)?;
        add_to(&mut self.holdings.balances[route.settle], amount)?;
        if self.mode == MarginMode::Isolated && self.holdings.positions[i].qty.0 != 0 {
            add_to(&mut self.set_aside[i], amount)?;
        }
        Ok(())
    }
}
