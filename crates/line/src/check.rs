//! What rows must be before the line takes them.

use cq_types::{InstrumentIdx, Ts};

use crate::clock::{is_time, LONGEST};
use crate::columns::{Columns, Kind, Stamps};
use crate::cursor::scheduled;
use crate::LineError;

/// Rows that a stream is to take, after those that it has.
#[derive(Clone, Copy)]
pub(crate) struct Rows<'a> {
    pub(crate) instrument: InstrumentIdx,
    pub(crate) kind: Kind,
    /// Number of the first row.
    pub(crate) first: usize,
    /// `ts_event` and `ts_recv` of the row before it.
    pub(crate) before: Option<(Ts, Ts)>,
    pub(crate) stamps: &'a Stamps,
    pub(crate) columns: &'a Columns,
}

impl Rows<'_> {
    pub(crate) fn check(self) -> Result<(), LineError> {
        let (event, recv) = (&self.stamps.ts_event, &self.stamps.ts_recv);
        if self.columns.kind() != self.kind {
            let text = "the part holds something else than those before it";
            return Err(self.bad(0, text));
        }
        let rows = event.len();
        let flags = self.stamps.flags.as_ref().map(Vec::len);
        let lengths = self.columns.lengths();
        if recv.len() != rows
            || flags.is_some_and(|n| n != rows)
            || lengths.iter().any(|n| *n != rows)
        {
            return Err(self.bad(0, "columns differ in length"));
        }
        if let Some(row) = (0..rows).find(|&i| !is_time(event[i]) || !is_time(recv[i])) {
            let text = "a time must be ns within 146 years of 1970: was it in another unit?";
            return Err(self.bad(row, text));
        }
        let before = self.before.map(|(_, recv)| recv);
        if let Some(row) = broken(before, recv, |before, own| own < before) {
            return Err(self.bad(row, "ts_recv decreases: sort the rows by ts_recv"));
        }
        if let Some(row) = (0..rows).find(|&i| recv[i] < event[i]) {
            let text = "ts_recv lies before ts_event: re-base the recording's clock";
            return Err(self.bad(row, text));
        }
        self.check_values()
    }

    fn check_values(&self) -> Result<(), LineError> {
        match self.columns {
            Columns::Bars {
                interval,
                prices,
                volume,
                ..
            } => {
                self.check_bars(*interval)?;
                prices.iter().try_for_each(|column| self.prices(column))?;
                self.quantities(volume, 0)
            }
            Columns::Trades { px, qty, side, .. } => {
                self.prices(px)?;
                self.quantities(qty, 1)?;
                self.sides(side)
            }
            Columns::Deltas { px, qty, side } => {
                self.prices(px)?;
                self.quantities(qty, 0)?;
                self.sides(side)
            }
            Columns::Quotes([bid, bid_qty, ask, ask_qty]) => {
                self.prices(bid)?;
                self.prices(ask)?;
                self.quantities(bid_qty, 0)?;
                self.quantities(ask_qty, 0)
            }
            Columns::Marks(px) => self.prices(px),
            Columns::Funding { .. } => self.check_funding(),
            Columns::External { .. } | Columns::Gaps => Ok(()),
        }
    }

    fn check_bars(&self, interval: Ts) -> Result<(), LineError> {
        let (event, recv) = (&self.stamps.ts_event, &self.stamps.ts_recv);
        if !(1..=LONGEST).contains(&interval) {
            return Err(self.bad(0, "the interval must be 1 to 2^61 ns"));
        }
        let before = self.before.map(|(event, _)| event);
        if let Some(row) = broken(before, event, |before, own| own < before + interval) {
            return Err(self.bad(row, "bars overlap: ts_event must grow by the interval"));
        }
        if let Some(row) = (0..event.len()).find(|&i| recv[i] < event[i] + interval) {
            return Err(self.bad(row, "a bar is known before its end"));
        }
        Ok(())
    }

    /// A rate that is there twice would be paid twice.
    fn check_funding(&self) -> Result<(), LineError> {
        let before = self.before.map(|(event, _)| event);
        let is_again = |before, own| scheduled(own) <= scheduled(before);
        match broken(before, &self.stamps.ts_event, is_again) {
            Some(row) => Err(self.bad(row, "funding is settled at this time already")),
            None => Ok(()),
        }
    }

    fn prices(&self, column: &[i64]) -> Result<(), LineError> {
        match column.iter().position(|px| *px <= 0) {
            Some(row) => Err(self.bad(
                row,
                &format!("a price must be positive, was {}", column[row]),
            )),
            None => Ok(()),
        }
    }

    fn quantities(&self, column: &[i64], least: i64) -> Result<(), LineError> {
        match column.iter().position(|qty| *qty < least) {
            Some(row) => {
                let what = if least > 0 {
                    "positive"
                } else {
                    "zero or more"
                };
                Err(self.bad(
                    row,
                    &format!("a quantity must be {what}, was {}", column[row]),
                ))
            }
            None => Ok(()),
        }
    }

    fn sides(&self, column: &[i8]) -> Result<(), LineError> {
        match column.iter().position(|side| !matches!(side, -1 | 1)) {
            Some(row) => {
                Err(self.bad(row, &format!("a side must be 1 or -1, was {}", column[row])))
            }
            None => Ok(()),
        }
    }

    fn bad(&self, row: usize, what: &str) -> LineError {
        LineError::BadTape {
            kind: self.kind.name(),
            instrument: self.instrument,
            row: self.first + row,
            what: what.to_owned(),
        }
    }
}

/// The first row that breaks a rule between a row and the one before it.
fn broken(before: Option<Ts>, column: &[Ts], is_broken: impl Fn(Ts, Ts) -> bool) -> Option<usize> {
    if let (Some(before), Some(first)) = (before, column.first()) {
        if is_broken(before, *first) {
            return Some(0);
        }
    }
    let seam = column
        .windows(2)
        .position(|pair| is_broken(pair[0], pair[1]));
    seam.map(|at| at + 1)
}
