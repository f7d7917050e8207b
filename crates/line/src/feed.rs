//! The tape comes in parts: what the line still has of it, and what it waits for.

use cq_types::InstrumentIdx;

use crate::clock::{Next, Turn};
use crate::columns::{Columns, Stamps};
use crate::cursor::Merge;
use crate::line::{bad, Line, Phase};
use crate::tape::Stream;
use crate::LineError;

impl Line {
    /// Adds a stream, whole or its first part; all are added before the first
    /// [`Self::advance`]. Returns its number, by which parts are added.
    ///
    /// # Errors
    /// When the line has begun or the instrument is unknown.
    pub fn add(&mut self, mut stream: Stream) -> Result<usize, LineError> {
        self.can_add(stream.instrument)?;
        let number = self.tape.len();
        stream.number = number;
        self.tape.push(stream);
        Ok(number)
    }

    /// Whether data of an instrument can be added.
    pub(crate) fn can_add(&self, instrument: InstrumentIdx) -> Result<(), LineError> {
        if self.phase != Phase::Loading {
            return Err(LineError::OutOfTurn(
                "data cannot be added to a line that has begun",
            ));
        }
        let contract = self.legs.contract(instrument);
        if contract != instrument {
            let id = &self.instruments[usize::from(contract)].id;
            let expected = format!("the long leg of a contract in hedge mode, {id}");
            return Err(bad("instrument", &expected, &instrument));
        }
        if usize::from(instrument) < self.instruments.len() {
            return Ok(());
        }
        let expected = format!("an index below {}", self.instruments.len());
        Err(bad("instrument", &expected, &instrument))
    }

    /// Adds the next part of an unfinished stream, at any time before the line has ended; it may
    /// be empty. What the line has passed of the stream is dropped.
    ///
    /// # Errors
    /// As [`Stream::new`], with rows counted from the stream's start; when the part is of
    /// another instrument or kind, or the stream is unknown or complete.
    pub fn extend(
        &mut self,
        stream: usize,
        instrument: InstrumentIdx,
        stamps: Stamps,
        columns: Columns,
    ) -> Result<(), LineError> {
        let at = self.unfinished(stream)?;
        let own = self.tape[at].instrument;
        if instrument != own {
            let expected = format!("{own}, the stream's own");
            return Err(bad("instrument", &expected, &instrument));
        }
        let passed = self.merges().filter_map(|merge| merge.row_of(at)).min();
        let own = &mut self.tape[at];
        own.drop_before(passed.unwrap_or(0));
        own.extend(stamps, columns)?;
        self.refresh(at);
        Ok(())
    }

    /// Says that a stream has no more parts.
    ///
    /// # Errors
    /// When it is unknown, or was complete before.
    pub fn complete(&mut self, stream: usize) -> Result<(), LineError> {
        let at = self.unfinished(stream)?;
        self.tape[at].complete();
        self.refresh(at);
        Ok(())
    }

    /// The stream whose next part is needed before the line can go on, if it waits for one.
    #[must_use]
    pub fn wants(&self) -> Option<usize> {
        self.wants
    }

    /// The stream that has run dry, where what is next depends on its next row.
    pub(crate) fn dry(&self, next: Next) -> Option<usize> {
        let market = self.lived.as_ref().map(|lived| &lived.market);
        let funding = self.lived.as_ref().map(|lived| &lived.funding);
        let merge = match next.turn {
            Turn::Known => self.recv.as_ref(),
            Turn::Lived => market,
            Turn::Funding => funding,
            // An answer comes after a settlement that precedes it: is there one?
            Turn::Answer => {
                let answer = self.books.on_the_way.front();
                funding.filter(|m| answer.is_some_and(|e| e.ts_event >= m.due))
            }
            _ => None,
        };
        let at = merge.filter(|merge| merge.is_dry)?.stream()?;
        Some(self.tape[at].number)
    }

    /// Where an unfinished stream is on the tape.
    fn unfinished(&self, number: usize) -> Result<usize, LineError> {
        let at = self.tape.iter().position(|s| s.number == number);
        at.filter(|at| !self.tape[*at].is_complete())
            .ok_or_else(|| bad("stream", "the number of an unfinished stream", &number))
    }

    fn merges(&self) -> impl Iterator<Item = &Merge> {
        let lived = self.lived.iter();
        let venue = lived.flat_map(|lived| [&lived.market, &lived.funding]);
        self.recv.iter().chain(venue)
    }

    fn refresh(&mut self, at: usize) {
        let venue = self.lived.iter_mut();
        let venue = venue.flat_map(|lived| [&mut lived.market, &mut lived.funding]);
        for merge in self.recv.iter_mut().chain(venue) {
            merge.refresh(&self.tape, at);
        }
        self.wants = None;
    }
}
