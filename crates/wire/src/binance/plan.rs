//! Which recorded rows make a book: the sequence rule over files, part by part.

use std::collections::VecDeque;

use cq_types::flags;

use super::sequence::{Sequencer, Step, Update};
use crate::MISSING;

/// Most rows that wait for a snapshot; the oldest give way. A snapshot that is asked for comes
/// within seconds, a venue sends at most some ten thousand changes in one.
const WAITING: usize = 1 << 20;

/// The columns of recorded updates that the rule reads, in the order of recording.
#[derive(Debug, Clone, Copy)]
pub struct Chain<'a> {
    first_id: &'a [i64],
    last_id: &'a [i64],
    prev_id: &'a [i64],
    side: &'a [i8],
    flags: &'a [u32],
}

impl<'a> Chain<'a> {
    /// Puts the columns together: first and last id of a row's frame, last id of the frame
    /// before or [`MISSING`], side (0: the row changes no level), SNAPSHOT and LAST marks.
    /// `None` if they differ in length.
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

/// Replays the sequence rule over recorded rows of one book, across parts and files. Rows are
/// numbered from the first part's start.
///
/// A snapshot that the book is already past is not applied. Rows before the first
/// snapshot, after a break, or of side 0 are in no plan.
#[derive(Debug, Clone, Default)]
pub struct Planner {
    sequencer: Sequencer,
    /// Updates without a book, each following the one before it.
    waiting: VecDeque<Frame>,
    waiting_rows: usize,
    /// The frame whose last row has not come yet.
    open: Option<Frame>,
    next: u64,
    plan: Plan,
}

#[derive(Debug, Clone)]
struct Frame {
    start: u64,
    update: Update,
    is_snapshot: bool,
    /// Rows that change a level.
    levels: Vec<u64>,
}

impl Planner {
    /// Judges the next rows; those of a frame that is not complete wait for its end.
    pub fn feed(&mut self, part: Chain<'_>) -> Plan {
        for row in 0..part.flags.len() {
            let frame = self.open.get_or_insert_with(|| {
                let previous = part.prev_id[row];
                Frame {
                    start: self.next,
                    update: Update {
                        first: part.first_id[row],
                        last: part.last_id[row],
                        previous: (previous != MISSING).then_some(previous),
                    },
                    is_snapshot: part.flags[row] & flags::SNAPSHOT != 0,
                    levels: Vec::new(),
                }
            });
            if part.side[row] != 0 {
                frame.levels.push(self.next);
            }
            self.next += 1;
            if part.flags[row] & flags::LAST != 0 {
                self.end_frame();
            }
        }
        std::mem::take(&mut self.plan)
    }

    /// Ends the last frame: no more rows come.
    pub fn finish(&mut self) -> Plan {
        self.end_frame();
        std::mem::take(&mut self.plan)
    }

    /// The first row that a later plan may still name.
    #[must_use]
    pub fn keeps(&self) -> u64 {
        let oldest = self.waiting.front().or(self.open.as_ref());
        oldest.map_or(self.next, |frame| frame.start)
    }

    fn end_frame(&mut self) {
        let Some(frame) = self.open.take() else {
            return;
        };
        if frame.is_snapshot {
            let last = frame.update.last;
            if self.sequencer.last().is_some_and(|held| held >= last) {
                return;
            }
            self.sequencer.snapshot(last);
            self.plan.rows.extend(frame.levels);
            self.waiting_rows = 0;
            for frame in std::mem::take(&mut self.waiting) {
                self.judge(frame);
            }
        } else if let Some(frame) = self.judge(frame) {
            self.wait(frame);
        }
    }

    /// Applies an update or notes a gap; gives it back when it has to wait for a snapshot.
    fn judge(&mut self, frame: Frame) -> Option<Frame> {
        match self.sequencer.update(frame.update) {
            Ok(Step::Apply) => self.plan.rows.extend(frame.levels),
            Ok(Step::Drop) => {}
            Ok(Step::Buffer) => return Some(frame),
            Err(_) => {
                self.plan.gaps.push(frame.start);
                return Some(frame);
            }
        }
        None
    }

    fn wait(&mut self, frame: Frame) {
        let before = frame.update.before();
        if self.waiting.back().is_some_and(|w| w.update.last != before) {
            self.waiting.clear();
            self.waiting_rows = 0;
        }
        self.waiting_rows += frame.levels.len();
        self.waiting.push_back(frame);
        while self.waiting_rows > WAITING {
            let oldest = self.waiting.pop_front();
            self.waiting_rows -= oldest.map_or(0, |frame| frame.levels.len());
        }
    }
}

#[cfg(test)]
mod tests;
