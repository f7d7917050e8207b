use std::collections::BTreeSet;
use std::sync::Arc;

use cq_ledger::Ledger;
use cq_types::{Event, Instrument, InstrumentIdx, Market, Px, Ts};

use crate::account::Books;
use crate::clock::{first, is_time, on_grid, Turn, COUNT, LONGEST};
use crate::cursor::{Clock, Merge, NEVER};
use crate::deleverage::Deleverages;
use crate::exchange::{Exchanges, Listing};
use crate::known::Known;
use crate::legs::Legs;
use crate::seen::Tallies;
use crate::setup::{Deposit, Setup};
use crate::tape::Stream;
use crate::venue::{has_ticks, Lived};
use crate::LineError;

/// Why the step is woken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// The decision grid.
    Timer,
    /// A time that the step asked for.
    Alarm,
    /// A fill, a rejection or a cancellation reached us.
    Account,
    /// Events of an instrument are missing.
    Gap,
    /// The tape ended; positions were closed.
    DataEnd,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Phase {
    Loading,
    Running,
    Ended,
}

/// One segment of the recorded line.
///
/// Streams are added, then [`Self::advance`] runs to each wake-up; between wake-ups orders
/// are placed. A stream may come in parts: the line asks for the next one when it has run
/// dry, and drops what it has passed; however a stream is cut, what happens is the same. See
/// the crate's documentation for the order of events.
pub struct Line {
    pub(crate) instruments: Arc<[Instrument]>,
    pub(crate) listing: Listing,
    pub(crate) legs: Legs,
    pub(crate) tape: Vec<Stream>,
    /// The stream whose next part is needed.
    pub(crate) wants: Option<usize>,
    pub(crate) known: Known,
    pub(crate) recv: Option<Merge>,
    pub(crate) lived: Option<Lived>,
    /// When funding is due that the tape lacks, latest first.
    pub(crate) unfunded: Vec<(Ts, InstrumentIdx)>,
    pub(crate) books: Books,
    pub(crate) deleverages: Deleverages,
    pub(crate) phase: Phase,
    pub(crate) grid: Ts,
    pub(crate) sample: Ts,
    pub(crate) start: Ts,
    pub(crate) end: Ts,
    pub(crate) now: Ts,
    pub(crate) next_timer: Ts,
    pub(crate) alarms: BTreeSet<Ts>,
    pub(crate) next_sample: Ts,
    pub(crate) seq: u64,
    pub(crate) gap: Option<InstrumentIdx>,
    /// How often a strategy in Rust was asked.
    pub(crate) asked: u64,
    pub(crate) tallies: Tallies,
}

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
        let at_start = |source| LineError::Ledger {
            ts: setup.start,
            source,
        };
        let known = Known::new(&setup.features, &setup.instruments, &setup.series)?;
        let instruments: Arc<[Instrument]> = setup.instruments.into();
        let listing = Listing::new(&instruments, setup.sim.as_ref(), &setup.venues)?;
        listing.check(&setup.wallets)?;
        let legs = Legs::new(&instruments, setup.hedged)?;
        let parts = Arc::clone(&instruments);
        let ledger = Ledger::new(parts, setup.sleeves, setup.wallets, &setup.valuation);
        let ledger = ledger.and_then(|ledger| listing.ruled(ledger, setup.start));
        let mut ledger = ledger.map_err(at_start)?;
        for deposit in &setup.capital {
            book_capital(&mut ledger, deposit, setup.start)?;
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

    /// When funding is settled next, or due without a row.
    fn next_funding(&self) -> Ts {
        let settled = self.lived.as_ref().map_or(NEVER, |lived| lived.funding.due);
        settled.min(self.next_unfunded())
    }

    fn next_unfunded(&self) -> Ts {
        self.unfunded.last().map_or(NEVER, |(ts, _)| *ts)
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

    /// Runs at most `budget` events, to the next wake-up.
    ///
    /// `Ok(Some(Some(wake)))` at a wake-up, `Ok(Some(None))` at the end, `Ok(None)` when the
    /// budget is spent or [`Self::wants`] says what is missing.
    ///
    /// # Errors
    /// When the ledger refuses what the venue did, or two parts disagree.
    #[allow(clippy::option_option)] // three outcomes that the caller tells apart at once
    pub fn advance(&mut self, budget: usize) -> Result<Option<Option<Wake>>, LineError> {
        if self.phase == Phase::Ended {
            return Ok(Some(None));
        }
        self.start()?;
        self.gap = None;
        let mut spent = 0;
        while spent < budget {
            let due = self.due();
            let Some(next) = first(due, self.end) else {
                self.finish()?;
                return Ok(Some(Some(Wake::DataEnd)));
            };
            self.wants = self.dry(next);
            if self.wants.is_some() {
                return Ok(None);
            }
            let rows = self.pass_run(next, due)?;
            if rows > 0 {
                spent += rows;
                continue;
            }
            spent += 1;
            if let Some(wake) = self.turn(next.ts, next.turn)? {
                return Ok(Some(Some(wake)));
            }
        }
        Ok(None)
    }

    /// Runs to the end without a step: times of the decision grid, and the features known
    /// at each, row after row. Where [`Self::wants`] says what is missing, they are those so far,
    /// and the next call goes on.
    ///
    /// # Errors
    /// As [`Self::advance`].
    pub fn research(&mut self) -> Result<(Vec<Ts>, Vec<f64>), LineError> {
        let width = self.known.features().len();
        let (mut times, mut rows) = (Vec::new(), Vec::new());
        loop {
            match self.advance(usize::MAX)? {
                Some(Some(Wake::Timer)) => {
                    times.push(self.now);
                    let from = rows.len();
                    rows.resize(from + width, f64::NAN);
                    self.known.write(self.now, &mut rows[from..]);
                }
                Some(None) => return Ok((times, rows)),
                None if self.wants.is_some() => return Ok((times, rows)),
                Some(Some(_)) | None => {}
            }
        }
    }

    fn due(&self) -> [Ts; COUNT] {
        let known = self.recv.as_ref().map_or(NEVER, |m| m.due);
        // What happens at the moment of a settlement comes after it, however fast its answer.
        let funding = self.lived.as_ref().map(|lived| &lived.funding);
        let settles = funding.filter(|m| !m.is_dry).map_or(NEVER, |m| m.due);
        let settles = settles.min(self.next_unfunded());
        let answer = self.books.on_the_way.front();
        let answer = answer.filter(|e| e.ts_event < settles);
        let answer = answer.map_or(NEVER, |e| e.ts_recv);
        let timer = self.next_timer;
        let alarm = self.alarms.first().map_or(NEVER, |ts| *ts);
        let Some(lived) = &self.lived else {
            let mut due = [NEVER; COUNT];
            due[..4].copy_from_slice(&[known, answer, timer, alarm]);
            return due;
        };
        [
            known,
            answer,
            timer,
            alarm,
            lived.market.due,
            lived.next_delisting(),
            self.next_funding(),
            self.deleverages.next(),
            self.next_sample,
            lived.opened_at(),
            lived.exchanges.next_arrival(),
            self.books.transfers.next(),
        ]
    }

    fn turn(&mut self, ts: Ts, turn: Turn) -> Result<Option<Wake>, LineError> {
        // Data before the start warms up: the clock of decisions has not begun.
        self.now = self.now.max(ts);
        match turn {
            Turn::Known => return self.learn(),
            Turn::Answer => return self.hear(ts),
            Turn::Timer => {
                self.next_timer += self.grid;
                return Ok(Some(Wake::Timer));
            }
            Turn::Alarm => {
                self.alarms.pop_first();
                return Ok(Some(Wake::Alarm));
            }
            Turn::Sample => {
                self.next_sample += self.sample;
                self.write_row(ts)?;
            }
            Turn::Funding => self.settle()?,
            Turn::Transfer => {
                self.land()?;
                return Ok(Some(Wake::Account));
            }
            Turn::Delisting => self.delist(ts)?,
            Turn::Deleverage => self.deleverage(ts)?,
            Turn::Lived | Turn::Open | Turn::Arrival => {
                let Some(lived) = &mut self.lived else {
                    return Ok(None);
                };
                let purse = self.books.purse();
                let lives = match turn {
                    Turn::Lived => lived.live(&self.tape, ts, &purse),
                    Turn::Open => {
                        lived.meet_opens(ts, &purse);
                        Ok(())
                    }
                    _ => lived.exchanges.admit(&purse, ts),
                };
                let ledger_error = |source| LineError::Ledger { ts, source };
                lives.map_err(ledger_error)?;
                for exchange in lived.exchanges.all_mut() {
                    exchange.hear(ts).map_err(ledger_error)?;
                    if exchange.custody.has_answers() {
                        self.books.queue(exchange.custody.take_answers());
                    }
                }
            }
        }
        Ok(None)
    }

    /// The next market event becomes known.
    fn learn(&mut self) -> Result<Option<Wake>, LineError> {
        let Some(recv) = &mut self.recv else {
            return Ok(None);
        };
        let due = recv.pop(&self.tape);
        let Some(event) = self.tape[due.stream].event(due.row, self.seq) else {
            return Ok(None);
        };
        self.seq += 1;
        self.known.on_market(&event);
        self.mark(&event)?;
        if matches!(event.body, Market::Gap) && event.ts_recv >= self.start {
            self.gap = Some(event.instrument);
            return Ok(Some(Wake::Gap));
        }
        Ok(None)
    }

    /// The ledger is marked with what is known: recorded marks, else bar closes and trades.
    fn mark(&mut self, event: &Event<Market>) -> Result<(), LineError> {
        let Some(px) = self.known.mark(event) else {
            return Ok(());
        };
        self.mark_legs(event.instrument, px)
    }

    /// Marks a contract, and its short leg where it has one.
    pub(crate) fn mark_legs(&mut self, instrument: InstrumentIdx, px: Px) -> Result<(), LineError> {
        self.mark_at(instrument, px)?;
        match self.legs.short(instrument) {
            Some(short) => self.mark_at(short, px),
            None => Ok(()),
        }
    }

    pub(crate) fn mark_at(&mut self, instrument: InstrumentIdx, px: Px) -> Result<(), LineError> {
        let ts = self.now;
        let marked = self.books.ledger.mark(instrument, px);
        marked.map_err(|source| LineError::Ledger { ts, source })
    }

    /// All answers that arrive at `ts`; one wake-up for them.
    fn hear(&mut self, ts: Ts) -> Result<Option<Wake>, LineError> {
        let mut wakes = false;
        while let Some(mut answer) = self.books.on_the_way.front().cloned() {
            if answer.ts_recv > ts {
                break;
            }
            self.books.on_the_way.pop_front();
            answer.seq = self.seq;
            self.seq += 1;
            wakes |= self.books.fold(answer)?;
        }
        Ok(wakes.then_some(Wake::Account))
    }
}

fn book_capital(ledger: &mut Ledger, deposit: &Deposit, ts: Ts) -> Result<(), LineError> {
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
    ledger
        .deposit(ts, *sleeve, index, asset, *amount)
        .map_err(|source| LineError::Ledger { ts, source })
}

pub(crate) fn bad(what: &'static str, expected: &str, found: &impl ToString) -> LineError {
    LineError::BadArgument {
        what,
        expected: expected.to_owned(),
        found: found.to_string(),
    }
}
