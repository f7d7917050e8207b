//! Auto-deleveraging: at a stated time the venue takes part of a position to close another's.

use cq_ledger::prorate;
use cq_sim::{ForcedOrder, Request};
use cq_types::{InstrumentIdx, Px, Qty, Side, Ts};
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::Decimal;

use crate::cursor::NEVER;
use crate::line::{bad, Line, Phase};
use crate::record::{OrderRow, OrderStatus};
use crate::LineError;

/// The tag of its orders and fills.
const TAG: &str = "adl";

/// Part of a position that the venue takes.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Deleverage {
    /// When, in venue time.
    pub ts: Ts,
    /// Of which contract.
    pub instrument: InstrumentIdx,
    /// Share of the position that is held then, above 0 and at most 1.
    pub fraction: Decimal,
}

/// Those that are still to come, latest first.
#[derive(Debug, Clone, Default)]
pub(crate) struct Deleverages(Vec<Deleverage>);

impl Deleverages {
    pub(crate) fn next(&self) -> Ts {
        self.0.last().map_or(NEVER, |next| next.ts)
    }

    fn add(&mut self, one: Deleverage) {
        self.0.push(one);
        self.0
            .sort_by_key(|one| (std::cmp::Reverse(one.ts), one.instrument));
    }
}

/// What the venue takes: an order of its own, and how it is shared.
struct Taken {
    side: Side,
    qty: Qty,
    px: Px,
}

impl Line {
    /// Adds a deleveraging; all are added before the first [`Self::advance`].
    ///
    /// # Errors
    /// When the line has begun, the instrument is unknown, or the fraction is none.
    pub fn add_deleverage(&mut self, one: Deleverage) -> Result<(), LineError> {
        if self.phase != Phase::Loading {
            return Err(LineError::OutOfTurn(
                "a deleveraging cannot be added to a line that has begun",
            ));
        }
        if usize::from(one.instrument) >= self.instruments.len() {
            let expected = format!("an index below {}", self.instruments.len());
            return Err(bad("instrument", &expected, &one.instrument));
        }
        if one.fraction <= Decimal::ZERO || one.fraction > Decimal::ONE {
            return Err(bad("fraction", "above 0 and at most 1", &one.fraction));
        }
        self.deleverages.add(one);
        Ok(())
    }

    /// The next one happens. Our orders of the contract are ended, and the position is given up at
    /// the mark, free of charge; both reach us like any other answer.
    pub(crate) fn deleverage(&mut self, ts: Ts) -> Result<(), LineError> {
        let Some(next) = self.deleverages.0.pop() else {
            return Ok(());
        };
        let index = next.instrument;
        let Some(taken) = self.taken(&next, ts) else {
            return Ok(());
        };
        let Taken { side, qty, px } = taken;
        let whole = self.books.closing(index);
        let parts = prorate(&whole, Qty(0), qty);
        let allocations = parts.map_err(|source| LineError::Ledger { ts, source })?;
        let Some(lived) = &mut self.lived else {
            return Ok(());
        };
        let forced = ForcedOrder {
            instrument: index,
            qty,
            bankruptcy: px,
            mark: px,
        };
        let exchange = lived.exchanges.of_mut(index);
        let Some(id) = exchange.venue.deleverage(forced, ts) else {
            return Ok(());
        };
        let heard = exchange.hear(ts);
        heard.map_err(|source| LineError::Ledger { ts, source })?;
        let answers = exchange.custody.take_answers();
        self.books.enter(OrderRow {
            ts,
            asked: ts,
            request: Request {
                reduce_only: true,
                ..Request::market(id, index, side, qty)
            },
            allocations,
            filled: Qty(0),
            status: OrderStatus::Sent,
            reason: "",
            is_cancelling: false,
            answers: 0,
            tag: TAG,
        })?;
        self.books.queue(answers);
        Ok(())
    }

    /// Whole lots of what both the venue and our books hold; `None` where that is nothing.
    fn taken(&self, next: &Deleverage, ts: Ts) -> Option<Taken> {
        let index = next.instrument;
        let exchange = self.lived.as_ref()?.exchanges.of(index);
        let px = (*exchange.custody.marks.get(usize::from(index))?)?;
        let held = exchange.venue.position(index).0;
        let known = self.books.ledger.position(index).qty.0;
        if held.signum() != known.signum() {
            return None;
        }
        let lot = self.instruments[usize::from(index)].lot.at(ts).0 .0;
        let share = (Decimal::from(held.abs()) * next.fraction)
            .floor()
            .to_i64()?;
        let qty = share.min(known.abs()) / lot * lot;
        let side = Side::of(-held)?;
        (qty > 0).then_some(Taken {
            side,
            qty: Qty(qty),
            px,
        })
    }
}
