//! What reaches us: market events as they become known, and the venues' answers.

use cq_types::{Event, InstrumentIdx, Market, Px, Ts};

use crate::line::{Line, Wake};
use crate::LineError;

impl Line {
    /// The next market event becomes known.
    pub(crate) fn learn(&mut self) -> Result<Option<Wake>, LineError> {
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
    pub(crate) fn hear(&mut self, ts: Ts) -> Result<Option<Wake>, LineError> {
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
