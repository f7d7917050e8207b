//! How a line comes to be: its parts are checked, it may go on from an earlier one, and it begins.

use std::collections::BTreeSet;
use std::sync::Arc;

use cq_ledger::{Ledger, LedgerError};
use cq_types::{Instrument, InstrumentIdx, Px, Ts};
use rust_decimal::Decimal;

use crate::account::Books;
use crate::clock::{is_time, on_grid, LONGEST};
use crate::cursor::{Clock, Merge};
use crate::deleverage::Deleverages;
use crate::exchange::{Exchanges, Listing};
use crate::known::Known;
use crate::legs::Legs;
use crate::line::{bad, Line, Phase};
use crate::seen::Tallies;
use crate::setup::{Deposit, Setup};
use crate::tape::Stream;
use crate::venue::{has_ticks, Lived};
use crate::LineError;

impl Line {
    /// Builds a line without data.
    ///
    /// # Errors
    /// When the parts do not fit together.
    pub fn new(setup: Setup) -> Result<Self, LineError> {
        for (what, step) in [("grid_ns", setup.grid), ("sample_ns", setup.sample)] {
            if !(1..=LONGEST).contains(&step) {
                return Err(bad(what, "a positive duration of at most 2^61 ns", &step));
            }
        }
        for (what, ts) in [("start", setup.start), ("end", setup.end)] {
            if !is_time(ts) {
                return Err(bad(what, "ns within 146 years of 1970", &ts));
            }
        }
        if setup.end <= setup.start {
            return Err(bad("end", "a time after start", &setup.end));
        }
        let setup = setup.with_account();
        let known = Known::new(&setup.features, &setup.instruments, &setup.series)?;
        let instruments: Arc<[Instrument]> = setup.instruments.into();
        let listing = Listing::new(&instruments, setup.sim.as_ref(), &setup.venues)?;
        listing.check(&setup.wallets)?;
        let legs = Legs::new(&instruments, setup.hedged)?;
        let parts = Arc::clone(&instruments);
        let ledger = Ledger::new(parts, setup.sleeves, setup.wallets, &setup.valuation);
        let ledger = ledger.and_then(|ledger| listing.ruled(ledger, setup.start));
        let mut ledger = ledger.map_err(LineError::Start)?;
        for deposit in &setup.capital {
            let price = setup.prices.get(&deposit.asset).copied();
            book_capital(&mut ledger, deposit, price, setup.start)?;
        }
        Ok(Self {
            instruments,
            listing,
            legs,
            tape: Vec::new(),
            wants: None,
            known,
            recv: None,
            lived: None,
            unfunded: Vec::new(),
            books: Books::new(ledger),
            deleverages: Deleverages::default(),
            phase: Phase::Loading,
            grid: setup.grid,
            sample: setup.sample,
            start: setup.start,
            end: setup.end,
            now: setup.start,
            next_timer: on_grid(setup.start, setup.grid),
            alarms: BTreeSet::new(),
            next_sample: on_grid(setup.start, setup.sample),
            seq: 0,
            gap: None,
            asked: 0,
            tallies: Tallies::default(),
        })
    }

    /// Names times at which funding of an instrument is due although the tape has no row: a
    /// position that is held then is an error, for nobody knows what it paid.
    ///
    /// # Errors
    /// As [`Self::add`].
    pub fn expect_funding(
        &mut self,
        instrument: InstrumentIdx,
        times: &[Ts],
    ) -> Result<(), LineError> {
        self.can_add(instrument)?;
        for leg in [Some(instrument), self.legs.short(instrument)] {
            let leg = leg.into_iter();
            self.unfunded
                .extend(leg.flat_map(|leg| times.iter().map(move |ts| (*ts, leg))));
        }
        self.unfunded.sort_unstable_by(|a, b| b.cmp(a));
        Ok(())
    }

    /// Goes on with the money, orders and rows of an earlier segment, which is left empty.
    /// Features start anew: they never look across a hole.
    ///
    /// # Errors
    /// When this line has begun, the earlier one has not ended, or their parts differ.
    pub fn adopt(&mut self, before: &mut Self) -> Result<(), LineError> {
        if self.phase != Phase::Loading || before.phase != Phase::Ended {
            return Err(LineError::OutOfTurn(
                "a segment goes on from one that has ended, before it begins itself",
            ));
        }
        if self.start < before.end {
            return Err(bad(
                "start",
                "a time after the earlier segment",
                &self.start,
            ));
        }
        let state = before.books.ledger.snapshot();
        let ts = self.start;
        self.books
            .ledger
            .restore(state)
            .map_err(|source| LineError::Ledger { ts, source })?;
        let ledger = self.books.ledger.clone();
        self.books = std::mem::replace(&mut before.books, Books::new(ledger.clone()));
        self.books.ledger = ledger;
        before.tallies = Tallies::default();
        Ok(())
    }

    /// Begins, where it has not: from then on no data is added and commands are taken.
    pub(crate) fn start(&mut self) -> Result<(), LineError> {
        if self.phase != Phase::Loading {
            return Ok(());
        }
        self.tape.sort_by_key(Stream::order);
        let ticks: Vec<Px> = (self.instruments.iter())
            .map(|instrument| *instrument.tick.at(self.start).0)
            .collect();
        self.known.expect(&self.tape, &ticks);
        let all = (0..self.tape.len()).map(|at| (at, Clock::Recv));
        self.recv = Some(Merge::new(&self.tape, all));
        if self.listing.is_simulated() {
            let steps: Vec<_> = (0..)
                .zip(ticks)
                .map(|(index, tick)| {
                    has_ticks(&self.tape, self.legs.contract(index)).then_some(tick)
                })
                .collect();
            let mut opened = self.listing.open(&self.books, &self.instruments, &steps)?;
            for [long, short] in self.legs.pairs() {
                let at = self.listing.places()[usize::from(*long)];
                opened[at].venue.hedge(*long, *short);
            }
            let exchanges = Exchanges::new(opened, self.listing.places());
            let tape = &self.tape;
            let legs = self.legs.clone();
            self.lived = Some(Lived::new(
                exchanges,
                legs,
                &self.instruments,
                tape,
                self.start,
            ));
        }
        self.phase = Phase::Running;
        Ok(())
    }
}

fn book_capital(
    ledger: &mut Ledger,
    deposit: &Deposit,
    price: Option<Decimal>,
    ts: Ts,
) -> Result<(), LineError> {
    let Deposit {
        sleeve,
        wallet,
        asset,
        amount,
    } = deposit;
    let index = ledger.wallet(wallet).ok_or_else(|| {
        let known: Vec<_> = ledger.wallets().iter().map(|w| w.name.as_str()).collect();
        bad("capital", &format!("a wallet of {known:?}"), wallet)
    })?;
    if let Some(price) = price {
        ledger
            .value(index, asset, price)
            .map_err(LineError::Start)?;
    }
    match ledger.deposit(ts, *sleeve, index, asset, *amount) {
        Err(LedgerError::NoMark(_)) => {
            let expected = format!("a price of {asset} at the start");
            Err(bad("capital", &expected, &"none"))
        }
        booked => booked.map_err(LineError::Start),
    }
}
