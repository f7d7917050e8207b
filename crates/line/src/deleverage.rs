//! Auto-deleveraging: at a stated time the venue takes part of a position to close another's.

use cq_ledger::prorate;
use cq_sim::{ForcedOrder, Request};
use cq_types::{Account, Event, InstrumentIdx, Qty, Ts};
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::Decimal;

use crate::account::Books;
use crate::cursor::NEVER;
use crate::exchange::Exchange;
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

    /// The next one happens, on what the venue's account holds then, whether we know of it yet or
    /// not. Our orders of the contract are ended, and the position is given up at the mark, free of
    /// charge; both reach us like any other answer.
    pub(crate) fn deleverage(&mut self, ts: Ts) -> Result<(), LineError> {
        let Some(next) = self.deleverages.0.pop() else {
            return Ok(());
        };
        let lot = *self.instruments[usize::from(next.instrument)].lot.at(ts).0;
        let Some(lived) = &mut self.lived else {
            return Ok(());
        };
        let exchange = lived.exchanges.of_mut(next.instrument);
        let Some(forced) = exchange.taken(&next, lot) else {
            return Ok(());
        };
        exchange.venue.deleverage(forced, ts);
        let heard = exchange.hear(ts);
        heard.map_err(|source| LineError::Ledger { ts, source })?;
        self.books.queue(exchange.custody.take_answers());
        Ok(())
    }
}

impl Exchange {
    /// Whole lots of what is held, at the mark; `None` where that is nothing or has none.
    fn taken(&self, next: &Deleverage, lot: Qty) -> Option<ForcedOrder> {
        let index = next.instrument;
        let mark = (*self.custody.marks.get(usize::from(index))?)?;
        let held = Decimal::from(self.venue.position(index).0.abs());
        let share = (held * next.fraction).floor().to_i64()?;
        let qty = Qty(share / lot.0 * lot.0);
        (qty.0 > 0).then_some(ForcedOrder {
            instrument: index,
            qty,
            bankruptcy: mark,
            mark,
        })
    }
}

impl Books {
    /// Writes down a deleveraging that has become known: by its fill, as the venue announces none.
    /// All that was traded before it on its contract is known by then, so each sleeve's part is its
    /// part of the position.
    pub(crate) fn enter_deleveraging(&mut self, answer: &Event<Account>) -> Result<(), LineError> {
        let Account::Fill {
            order, qty, side, ..
        } = answer.body
        else {
            return Ok(());
        };
        let (ts, instrument) = (answer.ts_event, answer.instrument);
        let parts = prorate(&self.closing(instrument), Qty(0), qty);
        self.enter(OrderRow {
            ts,
            asked: ts,
            request: Request {
                reduce_only: true,
                ..Request::market(order, instrument, side, qty)
            },
            allocations: parts.map_err(|source| LineError::Ledger { ts, source })?,
            filled: Qty(0),
            status: OrderStatus::Sent,
            reason: "",
            is_cancelling: false,
            answers: 0,
            tag: TAG,
        })
    }
}
