//! Level changes and trades that follow each other pass at once: nearly all of a tape are such, and
//! none of them wakes anybody.

use cq_ledger::LedgerError;
use cq_types::Ts;

use crate::clock::{Next, Turn, COUNT};
use crate::columns::Kind;
use crate::cursor::Run;
use crate::line::Line;
use crate::LineError;

impl Line {
    /// Lets the rows of one stream that are due before anything else pass, at the venue or as they
    /// become known. Returns how many they were, zero where something else is due.
    pub(crate) fn pass_run(&mut self, next: Next, due: [Ts; COUNT]) -> Result<usize, LineError> {
        let merge = match (next.turn, &self.recv, &self.lived) {
            (Turn::Known, Some(recv), _) => recv,
            (Turn::Lived, _, Some(lived)) => &lived.market,
            _ => return Ok(0),
        };
        let kind = merge.stream().map(|at| self.tape[at].kind);
        if !matches!(kind, Some(Kind::Deltas | Kind::Trades)) {
            return Ok(0);
        }
        let run = merge.run(&self.tape, next.until(due, self.end));
        let rows = if next.turn == Turn::Known {
            self.learn_run(&run)?
        } else {
            let ts = next.ts;
            let lived = self.live_run(&run, ts);
            lived.map_err(|source| LineError::Ledger { ts, source })?
        };
        let merge = match (next.turn, &mut self.recv, &mut self.lived) {
            (Turn::Known, Some(recv), _) => recv,
            (_, _, Some(lived)) => &mut lived.market,
            _ => return Ok(0),
        };
        let instrument = self.tape[run.stream].instrument;
        let last = merge.pass(&self.tape, run, rows);
        self.now = self.now.max(last);
        if let (Turn::Lived, Some(lived)) = (next.turn, &mut self.lived) {
            let exchange = lived.exchanges.of_mut(instrument);
            let heard = exchange.hear(last);
            heard.map_err(|source| LineError::Ledger { ts: last, source })?;
            if exchange.custody.has_answers() {
                self.books.queue(exchange.custody.take_answers());
            }
        }
        Ok(rows)
    }

    /// Rows become known; all of them are taken.
    fn learn_run(&mut self, run: &Run) -> Result<usize, LineError> {
        let stream = &self.tape[run.stream];
        self.seq += run.rows.len() as u64;
        if stream.kind == Kind::Deltas {
            self.known.on_changes(stream, run.rows.clone());
        } else if let Some(px) = self.known.on_trades(stream, run.rows.clone()) {
            self.mark_legs(stream.instrument, px)?;
        }
        Ok(run.rows.len())
    }

    /// The venue lives through rows, up to the first that makes it answer: what an order's fill
    /// makes due may come before the rest of the run. Returns how many.
    fn live_run(&mut self, run: &Run, from: Ts) -> Result<usize, LedgerError> {
        let Some(lived) = &mut self.lived else {
            return Ok(0);
        };
        let (stream, purse) = (&self.tape[run.stream], self.books.purse());
        if stream.kind == Kind::Trades {
            return lived.live_trades(stream, run.rows.clone(), from, &purse);
        }
        let changes = stream.changes(run.rows.clone()).timed(from);
        let venue = &mut lived.exchanges.of_mut(stream.instrument).venue;
        Ok(venue.on_changes(stream.instrument, changes, &purse))
    }
}
