//! Between which marks nothing can happen, so that most marks cost a few integer comparisons.

use cq_types::{Bracket, InstrumentIdx, Px, Ts};
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::Decimal;

use crate::{LedgerError, MarginAccount, Pool};

/// Marks of one contract between which its pool is safe; at or beyond them it may not be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Safe {
    /// The pool may be liquidated at this mark or below.
    pub low: Px,
    /// The pool may be liquidated at this mark or above.
    pub high: Px,
    /// From here on other tiers are in force.
    pub until: Ts,
}

impl Safe {
    /// No mark can do harm: nothing is held.
    pub const ALWAYS: Self = Self {
        low: Px(i64::MIN),
        high: Px(i64::MAX),
        until: Ts::MAX,
    };
    /// Every mark has to be looked at.
    pub const NEVER: Self = Self {
        low: Px(i64::MAX),
        high: Px(i64::MIN),
        until: Ts::MAX,
    };

    /// Whether a mark at `ts` leaves the pool as it is; a few integer comparisons.
    #[must_use]
    pub fn holds(&self, mark: Px, ts: Ts) -> bool {
        self.low < mark && mark < self.high && ts < self.until
    }
}

impl MarginAccount {
    /// The marks of a contract between which its pool needs no look. Exact for a contract that
    /// is alone in its pool, to a grid unit on the safe side; beside others every mark counts.
    ///
    /// # Errors
    /// When an amount is too large.
    pub fn safe(&self, instrument: InstrumentIdx, pool: Pool, ts: Ts) -> Result<Safe, LedgerError> {
        let position = self.position(instrument);
        if self.floats(pool) {
            return Ok(Safe::NEVER);
        }
        if position.qty.0 == 0 {
            return Ok(Safe::ALWAYS);
        }
        if self.held(pool).count() > 1 {
            return Ok(Safe::NEVER);
        }
        let traded = &self.layout.instruments[usize::from(instrument)];
        // Collateral that no mark moves needs none.
        let Some(collateral) = self.collateral(pool, &[], ts)? else {
            return Ok(Safe::NEVER);
        };
        let next = |rows: &cq_types::Dated<Vec<Bracket>>| {
            let later = rows.rows().iter().map(|(from, _)| *from);
            later.filter(|from| *from > ts).min()
        };
        let until = traded.brackets.as_ref().and_then(next).unwrap_or(Ts::MAX);
        let at = position.liquidation_price(traded, collateral, ts)?;
        let grid = Decimal::from(10_u64.pow(u32::from(traded.grid.price_exp)));
        let units = at.and_then(|at| at.checked_mul(grid));
        let Some(units) = units.and_then(|units| units.floor().to_i64()) else {
            return Ok(Safe {
                until,
                ..Safe::ALWAYS
            });
        };
        Ok(if position.qty.0 > 0 {
            Safe {
                low: Px(units.saturating_add(2)),
                until,
                ..Safe::ALWAYS
            }
        } else {
            Safe {
                high: Px(units.saturating_sub(1)),
                until,
                ..Safe::ALWAYS
            }
        })
    }
}
