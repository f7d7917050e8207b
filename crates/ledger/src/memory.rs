//! The position of each sleeve just before a time, for funding that is told late.

use cq_types::{InstrumentIdx, Qty, Ts, NS_PER_S};

use crate::state::{Change, State};
use crate::{LedgerError, SleeveIdx};

/// How long position changes are remembered: three funding intervals of the slowest venue.
const MEMORY: Ts = 24 * 3600 * NS_PER_S;

impl State {
    pub(crate) fn remember(&mut self, change: Change) {
        self.changes.push_back(change);
        while let Some(oldest) = self.changes.front().copied() {
            if oldest.ts >= change.ts.saturating_sub(MEMORY) {
                break;
            }
            self.changes.pop_front();
            self.forgotten = self.forgotten.max(Some(oldest.ts));
        }
    }

    /// What a sleeve held just before `ts`: a change stamped `ts` itself came after.
    pub(crate) fn held_before(
        &self,
        sleeve: SleeveIdx,
        instrument: InstrumentIdx,
        ts: Ts,
    ) -> Result<Qty, LedgerError> {
        if self.forgotten.is_some_and(|forgotten| ts <= forgotten) {
            return Err(LedgerError::TooLate { ts });
        }
        let now = self.books.sleeves[sleeve].holdings.positions[usize::from(instrument)].qty;
        let since = self
            .changes
            .iter()
            .filter(|c| c.ts >= ts && c.instrument == instrument && c.sleeve == sleeve);
        let held = since.fold(i128::from(now.0), |held, c| held - i128::from(c.qty.0));
        i64::try_from(held)
            .map(Qty)
            .map_err(|_| LedgerError::Overflow("position"))
    }
}
