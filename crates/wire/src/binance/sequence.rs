//! When a book may be believed: the chain of update ids.
//!
//! An update says which id came before it (`pu` on futures, `U - 1` on spot). The chain
//! holds while that is the last id applied. A snapshot of id `L` is bridged by the first
//! update that ends at or after `L` and whose predecessor is at or before `L`: nothing of
//! this book happened between. That is the venue's own `U <= L <= u`, and also covers an
//! `L` that falls on the predecessor itself, which captures do hold.

use cq_types::flags;

use crate::{WireError, MISSING};

/// Ids of one book update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Update {
    /// First id (`U`).
    pub first: i64,
    /// Last id (`u`).
    pub last: i64,
    /// Last id of the update before (`pu`), where the venue sends it.
    pub previous: Option<i64>,
}

impl Update {
    fn before(self) -> i64 {
        self.previous
            .unwrap_or_else(|| self.first.saturating_sub(1))
    }
}

/// What to do with an update.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Step {
    /// Keep it: no snapshot has come yet.
    Buffer,
    /// The book holds it already.
    Drop,
    /// Apply it.
    Apply,
}

/// The sequence rule of one book, live or recorded.
#[derive(Debug, Clone, Copy, Default)]
pub struct Sequencer {
    last: Option<i64>,
    is_bridged: bool,
}

impl Sequencer {
    /// A full snapshot came: the book is its levels, waiting to be bridged.
    pub fn snapshot(&mut self, id: i64) {
        self.last = Some(id);
        self.is_bridged = false;
    }

    /// Judges the next update.
    ///
    /// # Errors
    /// [`WireError::Gap`] when updates are missing before this one; the book is then
    /// invalid, and every update is [`Step::Buffer`] until a snapshot comes.
    pub fn update(&mut self, update: Update) -> Result<Step, WireError> {
        let Some(last) = self.last else {
            return Ok(Step::Buffer);
        };
        let before = update.before();
        let is_next = if self.is_bridged {
            before == last
        } else {
            before <= last && update.last >= last
        };
        if is_next {
            self.last = Some(update.last);
            self.is_bridged = true;
            return Ok(Step::Apply);
        }
        if update.last <= last {
            return Ok(Step::Drop);
        }
        self.last = None;
        Err(WireError::Gap {
            expected: last,
            found: before,
        })
    }

    /// Last id that the book holds; `None` while it is not to be believed.
    #[must_use]
    pub const fn last(&self) -> Option<i64> {
        self.last
    }
}

/// The columns of recorded updates that the rule reads, in the order of recording.
#[derive(Debug, Clone, Copy)]
pub struct Chain<'a> {
    /// First id of the row's frame.
    pub first_id: &'a [i64],
    /// Last id of the row's frame.
    pub last_id: &'a [i64],
    /// Last id of the frame before, or [`MISSING`].
    pub prev_id: &'a [i64],
    /// 0: a row that changes no level.
    pub side: &'a [i8],
    /// SNAPSHOT and LAST marks.
    pub flags: &'a [u32],
}

impl<'a> Chain<'a> {
    /// Puts the columns together; `None` if they differ in length.
    #[must_use]
    pub fn new(
        first_id: &'a [i64],
        last_id: &'a [i64],
        prev_id: &'a [i64],
        side: &'a [i8],
        flags: &'a [u32],
    ) -> Option<Self> {
        let lengths = [first_id.len(), last_id.len(), prev_id.len(), side.len()];
        let chain = Self {
            first_id,
            last_id,
            prev_id,
            side,
            flags,
        };
        (lengths == [flags.len(); 4]).then_some(chain)
    }

    /// The rows of the frame that starts at `start`: up to its LAST mark.
    fn frame_at(self, start: usize) -> std::ops::Range<usize> {
        let is_last = |marks: &u32| marks & flags::LAST != 0;
        let length = self.flags[start..].iter().position(is_last);
        start..length.map_or(self.flags.len(), |n| start + n + 1)
    }
}

/// Which recorded rows make a book, in the order to apply them.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Plan {
    /// Row numbers, in order. Updates recorded before the snapshot that they follow come
    /// after it: they can be applied no earlier than the snapshot is known.
    pub rows: Vec<u64>,
    /// Rows at which the chain broke: the book is invalid from here to the next snapshot.
    pub gaps: Vec<u64>,
}

/// Replays the sequence rule over recorded rows, across files, of one book.
///
/// A snapshot that the book is already past is not applied. Rows before the first
/// snapshot, after a break, or of side 0 are in no plan.
#[must_use]
pub fn plan_book(deltas: Chain<'_>) -> Plan {
    let mut plan = Plan::default();
    let mut sequencer = Sequencer::default();
    let mut waiting: Vec<(Update, std::ops::Range<usize>)> = Vec::new();
    let mut start = 0;
    while start < deltas.flags.len() {
        let rows = deltas.frame_at(start);
        start = rows.end;
        let last = deltas.last_id[rows.start];
        if deltas.flags[rows.start] & flags::SNAPSHOT != 0 {
            if sequencer.last().is_some_and(|held| held >= last) {
                continue;
            }
            sequencer.snapshot(last);
            plan.take(deltas, rows);
            for (update, rows) in std::mem::take(&mut waiting) {
                plan.judge(deltas, &mut sequencer, update, rows);
            }
            continue;
        }
        let previous = deltas.prev_id[rows.start];
        let update = Update {
            first: deltas.first_id[rows.start],
            last,
            previous: (previous != MISSING).then_some(previous),
        };
        if plan.judge(deltas, &mut sequencer, update, rows.clone()) {
            if waiting
                .last()
                .is_some_and(|(w, _)| w.last != update.before())
            {
                waiting.clear();
            }
            waiting.push((update, rows));
        }
    }
    plan
}

impl Plan {
    fn take(&mut self, deltas: Chain<'_>, rows: std::ops::Range<usize>) {
        let levels = rows.filter(|&row| deltas.side[row] != 0);
        self.rows.extend(levels.map(|row| row as u64));
    }

    /// Applies an update or notes a gap; true when it has to wait for a snapshot.
    fn judge(
        &mut self,
        deltas: Chain<'_>,
        sequencer: &mut Sequencer,
        update: Update,
        rows: std::ops::Range<usize>,
    ) -> bool {
        match sequencer.update(update) {
            Ok(Step::Apply) => self.take(deltas, rows),
            Ok(Step::Drop) => {}
            Ok(Step::Buffer) => return true,
            Err(_) => {
                self.gaps.push(rows.start as u64);
                return true;
            }
        }
        false
    }
}

#[cfg(test)]
mod tests;
