//! A booking is made on a copy of the books and takes effect as a whole or not at all.

use cq_types::{Contract, Instrument, InstrumentIdx, Px, Qty, Ts};
use rust_decimal::Decimal;

use crate::amount::{add_to, bounded, minus, plus, times};
use crate::contract::size;
use crate::layout::{Layout, Route};
use crate::position::Closed;
use crate::state::{Attribution, Books, Change, Holdings, State};
use crate::trip::{OpenTrip, Part};
use crate::valuation::Marks;
use crate::{LedgerError, RoundTrip, SleeveIdx};

/// Books in the middle of a booking.
pub(crate) struct Draft<'a> {
    pub(crate) layout: &'a Layout,
    pub(crate) marks: Vec<Option<Px>>,
    pub(crate) books: Books,
    finished: Vec<RoundTrip>,
    changes: Vec<Change>,
}

/// What a draft changes, ready to take effect.
pub(crate) struct Sealed {
    marks: Vec<Option<Px>>,
    books: Books,
    finished: Vec<RoundTrip>,
    changes: Vec<Change>,
}

/// What one draft leaves to the next, so that fills need no memory of their own.
#[derive(Debug, Clone, Default)]
pub(crate) struct Spare {
    marks: Vec<Option<Px>>,
    books: Books,
    finished: Vec<RoundTrip>,
    changes: Vec<Change>,
}

/// An instrument that is traded now.
#[derive(Clone, Copy)]
pub(crate) struct Trade<'a> {
    pub(crate) ts: Ts,
    pub(crate) index: InstrumentIdx,
    pub(crate) instrument: &'a Instrument,
    pub(crate) route: Route,
}

impl<'a> Draft<'a> {
    /// Copies the books and turns the moves of the marks so far into attribution.
    pub(crate) fn new(
        layout: &'a Layout,
        state: &State,
        spare: Spare,
    ) -> Result<Self, LedgerError> {
        let Spare {
            mut marks,
            mut books,
            finished,
            changes,
        } = spare;
        marks.clone_from(&state.marks);
        books.copy(&state.books);
        Self {
            layout,
            marks,
            books,
            finished,
            changes,
        }
        .settled(state)
    }

    /// The same with what the marks have moved since the last booking.
    fn settled(mut self, state: &State) -> Result<Self, LedgerError> {
        if state.marks == state.books.settled_marks {
            return Ok(self);
        }
        let marks = Marks {
            layout: self.layout,
            marks: &state.marks,
        };
        for book in &mut self.books.sleeves {
            let moved = marks.since_booking(book, &state.books.settled_marks)?;
            book.attribution.add(&moved)?;
        }
        self.books.settled_marks.clone_from(&state.marks);
        Ok(self)
    }

    pub(crate) fn valuation(&self) -> Marks<'_> {
        Marks {
            layout: self.layout,
            marks: &self.marks,
        }
    }

    /// Marks an instrument that never was, so that what is bought can be valued.
    pub(crate) fn mark_first(&mut self, instrument: InstrumentIdx, px: Px) {
        let i = usize::from(instrument);
        if self.marks[i].is_none() {
            self.marks[i] = Some(px);
            self.books.settled_marks[i] = Some(px);
        }
    }

    /// Books a sleeve's part of a trade; `reference` is its value at the reference price.
    pub(crate) fn trade(
        &mut self,
        trade: Trade<'_>,
        sleeve: SleeveIdx,
        part: &Part,
        reference: Decimal,
    ) -> Result<(), LedgerError> {
        let rate = self.valuation().asset(trade.route.settle)?;
        let before = self.worth(trade, sleeve)?;
        let closed = take(&mut self.books.sleeves[sleeve].holdings, trade, part)?;
        self.check_no_borrowing(trade, sleeve, part)?;
        let moved = minus(self.worth(trade, sleeve)?, before)?;
        let effect = Attribution {
            price: minus(moved, times(reference, rate)?)?,
            fees: times(part.fee, rate)?,
            spread: times(part.spread, rate)?,
            impact: times(part.impact, rate)?,
            ..Attribution::default()
        };
        self.books.sleeves[sleeve].attribution.add(&effect)?;
        self.changes.push(Change {
            ts: trade.ts,
            instrument: trade.index,
            sleeve,
            qty: part.qty,
        });
        self.follow_trip(trade, sleeve, part, &closed, rate)
    }

    /// What the sleeve's holding of the traded thing is worth, in the valuation asset.
    fn worth(&self, trade: Trade<'_>, sleeve: SleeveIdx) -> Result<Decimal, LedgerError> {
        let holdings = &self.books.sleeves[sleeve].holdings;
        let marks = self.valuation();
        if let Some(base) = trade.route.base {
            return match holdings.balances[base] {
                held if held.is_zero() => Ok(held),
                held => times(held, marks.asset(base)?),
            };
        }
        let i = usize::from(trade.index);
        let value = marks.contract(i, &holdings.positions[i])?;
        times(value, marks.asset(trade.route.settle)?)
    }

    /// A spot trade is paid from what is there.
    fn check_no_borrowing(
        &self,
        trade: Trade<'_>,
        sleeve: SleeveIdx,
        part: &Part,
    ) -> Result<(), LedgerError> {
        let Some(base) = trade.route.base else {
            return Ok(());
        };
        let paid = if part.qty.0 > 0 {
            trade.route.settle
        } else {
            base
        };
        let left = self.books.sleeves[sleeve].holdings.balances[paid];
        if left >= Decimal::ZERO {
            return Ok(());
        }
        let needed = if part.qty.0 > 0 {
            minus(part.value, part.fee)?
        } else {
            -size(trade.instrument, part.qty)?
        };
        Err(self
            .layout
            .not_enough(sleeve, paid, plus(left, needed)?, needed))
    }

    fn follow_trip(
        &mut self,
        trade: Trade<'_>,
        sleeve: SleeveIdx,
        part: &Part,
        closed: &Closed,
        rate: Decimal,
    ) -> Result<(), LedgerError> {
        let group = trade.route.group;
        let (closing, opening) = part.halves(closed)?;
        if let Some(closing) = closing {
            let trip = self.open_trip(trade, sleeve);
            trip.close(trade.index, &closing, closed.realised, rate)?;
            let opened = opening.map_or(Qty(0), |part| part.qty);
            if self.is_flat_but(sleeve, trade, opened) {
                self.finish_trip(trade.ts, sleeve, group)?;
            }
        }
        if let Some(opening) = opening {
            let trip = self.open_trip(trade, sleeve);
            trip.open(trade.index, &opening, rate)?;
        }
        Ok(())
    }

    fn open_trip(&mut self, trade: Trade<'_>, sleeve: SleeveIdx) -> &mut OpenTrip {
        let open = &mut self.books.sleeves[sleeve].open[trade.route.group];
        open.get_or_insert_with(|| OpenTrip::new(trade.ts))
    }

    /// Whether nothing of the base is left but what this trade opens anew.
    fn is_flat_but(&self, sleeve: SleeveIdx, trade: Trade<'_>, opened: Qty) -> bool {
        let positions = &self.books.sleeves[sleeve].holdings.positions;
        let in_group =
            |i: usize| self.layout.routes[i].is_some_and(|route| route.group == trade.route.group);
        positions.iter().enumerate().all(|(i, position)| {
            let left = if i == usize::from(trade.index) {
                opened
            } else {
                Qty(0)
            };
            !in_group(i) || position.qty == left
        })
    }

    fn finish_trip(&mut self, ts: Ts, sleeve: SleeveIdx, group: usize) -> Result<(), LedgerError> {
        if let Some(open) = self.books.sleeves[sleeve].open[group].take() {
            let base = &self.layout.bases[group];
            let trip = open.finished(sleeve, base, ts, &self.layout.instruments)?;
            self.finished.push(trip);
        }
        Ok(())
    }

    /// Adds to a balance of the account and of a sleeve alike.
    pub(crate) fn credit(
        &mut self,
        sleeve: SleeveIdx,
        slot: usize,
        amount: Decimal,
    ) -> Result<(), LedgerError> {
        add_to(&mut self.books.account.balances[slot], amount)?;
        add_to(
            &mut self.books.sleeves[sleeve].holdings.balances[slot],
            amount,
        )
    }

    /// Adds to what is on its way to a balance of the account and of a sleeve alike.
    pub(crate) fn send(
        &mut self,
        sleeve: SleeveIdx,
        slot: usize,
        amount: Decimal,
    ) -> Result<(), LedgerError> {
        add_to(&mut self.books.account.in_flight[slot], amount)?;
        let own = &mut self.books.sleeves[sleeve].holdings;
        add_to(&mut own.in_flight[slot], amount)
    }

    /// Values the books once more, so that later moves of the marks are seen from here.
    pub(crate) fn seal(mut self) -> Result<Sealed, LedgerError> {
        let marks = Marks {
            layout: self.layout,
            marks: &self.marks,
        };
        for book in &mut self.books.sleeves {
            book.settled = marks.sleeve(book)?;
        }
        Ok(Sealed {
            marks: self.marks,
            books: self.books,
            finished: self.finished,
            changes: self.changes,
        })
    }
}

impl Sealed {
    pub(crate) fn take_effect(mut self, state: &mut State) -> Spare {
        let marks = std::mem::replace(&mut state.marks, self.marks);
        let books = std::mem::replace(&mut state.books, self.books);
        state.round_trips.append(&mut self.finished);
        for change in self.changes.drain(..) {
            state.remember(change);
        }
        Spare {
            marks,
            books,
            finished: self.finished,
            changes: self.changes,
        }
    }
}

/// Moves a trade's quantity and money into holdings.
pub(crate) fn take(
    holdings: &mut Holdings,
    trade: Trade<'_>,
    part: &Part,
) -> Result<Closed, LedgerError> {
    let i = usize::from(trade.index);
    let (position, closed) = holdings.positions[i].traded(part.qty, part.value)?;
    holdings.positions[i] = position;
    let money = match (trade.instrument.contract, trade.route.base) {
        (Contract::Spot, Some(base)) => {
            let bought = size(trade.instrument, part.qty)?;
            add_to(&mut holdings.balances[base], bought)?;
            bounded(-part.value)?
        }
        _ => closed.realised,
    };
    add_to(
        &mut holdings.balances[trade.route.settle],
        plus(money, part.fee)?,
    )?;
    Ok(closed)
}
