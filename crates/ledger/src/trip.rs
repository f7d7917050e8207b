use cq_types::{Contract, Instrument, InstrumentIdx, Qty, Ts};
use rust_decimal::Decimal;

use crate::amount::{add_to, minus, over, share, times};
use crate::contract::size;
use crate::position::{magnitude, Closed};
use crate::{LedgerError, SleeveIdx};

/// What one instrument contributed to a round trip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leg {
    /// What was traded.
    pub instrument: InstrumentIdx,
    /// Quantity that was opened in total, with the sign of the first opening.
    pub qty: Qty,
    /// Average price of opening, costs in.
    pub entry_price: Decimal,
    /// Average price of closing, costs in.
    pub exit_price: Decimal,
}

/// What a round trip earned and cost, in the valuation asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Outcome {
    /// P&L net of all the costs below.
    pub pnl: Decimal,
    /// Trading fees in it (negative if paid).
    pub fees: Decimal,
    /// Funding in it (positive if received).
    pub funding: Decimal,
    /// Spread in it (negative if paid).
    pub spread: Decimal,
    /// Own impact in it (negative if paid).
    pub impact: Decimal,
}

/// A sleeve's way from flat to flat in all instruments of one base asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundTrip {
    /// Whose.
    pub sleeve: SleeveIdx,
    /// The base asset, such as `BTC`.
    pub base: String,
    /// When the first position was opened.
    pub entry_ts: Ts,
    /// When the last position was closed.
    pub exit_ts: Ts,
    /// What was traded, one row an instrument.
    pub legs: Vec<Leg>,
    /// What came of it.
    pub outcome: Outcome,
}

/// Totals of one instrument in a round trip that is not over.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenLeg {
    /// What is traded.
    pub instrument: InstrumentIdx,
    /// Quantity opened so far, with the sign of the first opening.
    pub opened: Qty,
    /// Absolute value of what was opened, in the settle asset.
    pub opened_value: Decimal,
    /// Quantity closed so far, unsigned.
    pub closed: i64,
    /// Absolute value of what was closed, in the settle asset.
    pub closed_value: Decimal,
}

/// A round trip that is not over.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OpenTrip {
    /// When the first position was opened.
    pub entry_ts: Ts,
    /// What was traded so far.
    pub legs: Vec<OpenLeg>,
    /// What was made final so far.
    pub outcome: Outcome,
}

/// A sleeve's part of a trade in the settle asset.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Part {
    pub(crate) qty: Qty,
    /// Signed value it was booked at, costs in.
    pub(crate) value: Decimal,
    /// Effects on equity, negative if paid.
    pub(crate) fee: Decimal,
    pub(crate) spread: Decimal,
    pub(crate) impact: Decimal,
}

impl Part {
    /// What of this trade closed an older position, and what opened a new one.
    pub(crate) fn halves(
        self,
        closed: &Closed,
    ) -> Result<(Option<Self>, Option<Self>), LedgerError> {
        let whole = magnitude(self.qty)?;
        if closed.qty == 0 {
            return Ok((None, Some(self)));
        }
        if closed.qty == whole {
            return Ok((Some(self), None));
        }
        let closing = Self {
            qty: Qty(self.qty.0.signum() * closed.qty),
            value: closed.value,
            fee: share(self.fee, closed.qty, whole)?,
            spread: share(self.spread, closed.qty, whole)?,
            impact: share(self.impact, closed.qty, whole)?,
        };
        let opening = Self {
            qty: Qty(self.qty.0 - closing.qty.0),
            value: minus(self.value, closing.value)?,
            fee: minus(self.fee, closing.fee)?,
            spread: minus(self.spread, closing.spread)?,
            impact: minus(self.impact, closing.impact)?,
        };
        Ok((Some(closing), Some(opening)))
    }
}

impl Outcome {
    /// Adds what a part made final; `rate` is the price of the settle asset.
    fn book(&mut self, part: &Part, realised: Decimal, rate: Decimal) -> Result<(), LedgerError> {
        let fee = times(part.fee, rate)?;
        add_to(&mut self.pnl, times(realised, rate)?)?;
        add_to(&mut self.pnl, fee)?;
        add_to(&mut self.fees, fee)?;
        add_to(&mut self.spread, times(part.spread, rate)?)?;
        add_to(&mut self.impact, times(part.impact, rate)?)
    }

    pub(crate) fn book_fee(&mut self, amount: Decimal) -> Result<(), LedgerError> {
        add_to(&mut self.pnl, amount)?;
        add_to(&mut self.fees, amount)
    }

    pub(crate) fn book_funding(&mut self, amount: Decimal) -> Result<(), LedgerError> {
        add_to(&mut self.pnl, amount)?;
        add_to(&mut self.funding, amount)
    }
}

impl OpenTrip {
    pub(crate) fn new(entry_ts: Ts) -> Self {
        Self {
            entry_ts,
            legs: Vec::new(),
            outcome: Outcome::default(),
        }
    }

    /// Becomes what another is, in the memory that is here.
    pub(crate) fn copy(&mut self, other: &Self) {
        self.entry_ts = other.entry_ts;
        self.legs.clone_from(&other.legs);
        self.outcome = other.outcome;
    }

    fn leg(&mut self, instrument: InstrumentIdx) -> &mut OpenLeg {
        let at = self
            .legs
            .iter()
            .position(|leg| leg.instrument == instrument);
        let at = at.unwrap_or_else(|| {
            self.legs.push(OpenLeg {
                instrument,
                opened: Qty(0),
                opened_value: Decimal::ZERO,
                closed: 0,
                closed_value: Decimal::ZERO,
            });
            self.legs.len() - 1
        });
        &mut self.legs[at]
    }

    pub(crate) fn open(
        &mut self,
        instrument: InstrumentIdx,
        part: &Part,
        rate: Decimal,
    ) -> Result<(), LedgerError> {
        let size = magnitude(part.qty)?;
        let leg = self.leg(instrument);
        let sign = match leg.opened.0 {
            0 => part.qty.0.signum(),
            opened => opened.signum(),
        };
        let opened = leg.opened.0.checked_add(sign * size);
        leg.opened = Qty(opened.ok_or(LedgerError::Overflow("round trip"))?);
        add_to(&mut leg.opened_value, part.value.abs())?;
        self.outcome.book(part, Decimal::ZERO, rate)
    }

    pub(crate) fn close(
        &mut self,
        instrument: InstrumentIdx,
        part: &Part,
        realised: Decimal,
        rate: Decimal,
    ) -> Result<(), LedgerError> {
        let size = magnitude(part.qty)?;
        let leg = self.leg(instrument);
        let closed = leg.closed.checked_add(size);
        leg.closed = closed.ok_or(LedgerError::Overflow("round trip"))?;
        add_to(&mut leg.closed_value, part.value.abs())?;
        self.outcome.book(part, realised, rate)
    }

    pub(crate) fn finished(
        &self,
        sleeve: SleeveIdx,
        base: &str,
        exit_ts: Ts,
        instruments: &[Instrument],
    ) -> Result<RoundTrip, LedgerError> {
        let legs = self.legs.iter().map(|leg| {
            let traded = &instruments[usize::from(leg.instrument)];
            let entry = Qty(magnitude(leg.opened)?);
            Ok(Leg {
                instrument: leg.instrument,
                qty: leg.opened,
                entry_price: average(traded, entry, leg.opened_value)?,
                exit_price: average(traded, Qty(leg.closed), leg.closed_value)?,
            })
        });
        Ok(RoundTrip {
            sleeve,
            base: base.to_owned(),
            entry_ts: self.entry_ts,
            exit_ts,
            legs: legs.collect::<Result<_, LedgerError>>()?,
            outcome: self.outcome,
        })
    }
}

/// Average price of an unsigned quantity from its absolute value.
fn average(traded: &Instrument, qty: Qty, value: Decimal) -> Result<Decimal, LedgerError> {
    let size = size(traded, qty)?;
    match traded.contract {
        Contract::Spot | Contract::Linear => over(value, size),
        Contract::Inverse => over(size, value),
    }
}
