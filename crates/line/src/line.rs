use std::collections::BTreeSet;
use std::sync::Arc;

use cq_types::{Instrument, InstrumentIdx, Ts};

use crate::account::Books;
use crate::clock::{first, Turn, COUNT};
use crate::cursor::{Merge, NEVER};
use crate::deleverage::Deleverages;
use crate::exchange::Listing;
use crate::known::Known;
use crate::legs::Legs;
use crate::seen::Tallies;
use crate::tape::Stream;
use crate::venue::Lived;
use crate::LineError;

/// Why the step is woken.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Wake {
    /// The decision grid.
    Timer,
    /// A time that the step asked for.
    Alarm,
    /// A fill, a rejection, a cancellation or what else became of an order reached us.
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
    /// When funding is settled next, or due without a row.
    fn next_funding(&self) -> Ts {
        let settled = self.lived.as_ref().map_or(NEVER, |lived| lived.funding.due);
        settled.min(self.next_unfunded())
    }

    fn next_unfunded(&self) -> Ts {
        self.unfunded.last().map_or(NEVER, |(ts, _)| *ts)
    }

    /// Runs at most `budget` events, to the next wake-up; level changes and trades that follow each
    /// other are not cut.
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
}

pub(crate) fn bad(what: &'static str, expected: &str, found: &impl ToString) -> LineError {
    LineError::BadArgument {
        what,
        expected: expected.to_owned(),
        found: found.to_string(),
    }
}
