//! When a book may be believed: the chain of update ids.
//!
//! An update says which id came before it (`pu` on futures, `U - 1` on spot). The chain
//! holds while that is the last id applied. A snapshot of id `L` is bridged by the first
//! update that ends at or after `L` and whose predecessor is at or before `L`: nothing of
//! this book happened between. That is the venue's own `U <= L <= u`, and also covers an
//! `L` that falls on the predecessor itself, which captures do hold.

use crate::WireError;

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
    pub(super) fn before(self) -> i64 {
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

#[cfg(test)]
mod tests;
