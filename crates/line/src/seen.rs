//! What a loop of calls reads beside books and money: trades, latencies, orders that are done,
//! and sums over the fills.

use cq_ledger::LedgerError;
use cq_types::{InstrumentIdx, Px, Qty, Side, Ts};
use rust_decimal::Decimal;

use crate::line::Line;
use crate::record::{FillRow, OrderRow};
use crate::LineError;

/// A trade as it became known.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Traded {
    /// Venue time, ns.
    pub ts_event: Ts,
    /// When it was known, ns.
    pub ts_recv: Ts,
    /// Price.
    pub px: Px,
    /// Quantity.
    pub qty: Qty,
    /// Aggressor.
    pub side: Side,
}

/// Times of a market event, ns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct FeedLatency {
    /// When it happened at the venue.
    pub at_venue: Ts,
    /// When it was known.
    pub known: Ts,
}

/// Times of an order's way to the venue and back, ns.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderLatency {
    /// When the order, its amendment or its cancellation was sent.
    pub asked: Ts,
    /// When the venue did what it answered.
    pub at_venue: Ts,
    /// When the answer was known.
    pub known: Ts,
}

/// Sums over the fills of an instrument.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Tally {
    /// How many.
    pub fills: u64,
    /// Quantity, grid units.
    pub qty: i64,
    /// Notional, in the asset that the contract settles in.
    pub value: Decimal,
    /// Notional sold less notional bought, in the same asset.
    pub cash: Decimal,
    /// Fees paid, in the same asset.
    pub fee: Decimal,
}

/// The tallies, and how many fills they hold.
#[derive(Debug, Clone, Default)]
pub(crate) struct Tallies {
    seen: usize,
    rows: Vec<Tally>,
}

impl Tally {
    fn add(&mut self, fill: &FillRow, notional: Decimal) -> Option<()> {
        self.fills += 1;
        self.qty = self.qty.checked_add(fill.qty.0)?;
        self.value = self.value.checked_add(notional)?;
        let paid = notional * Decimal::from(fill.side.sign());
        self.cash = self.cash.checked_sub(paid)?;
        self.fee = self.fee.checked_add(fill.fee)?;
        Some(())
    }
}

impl Line {
    /// Trades of an instrument that became known since they were last taken, or since they were
    /// first asked for; those of an insurance fund or a deleveraging are left out.
    pub fn take_trades(&mut self, instrument: InstrumentIdx) -> Vec<Traded> {
        let kept = self.known.trades(instrument);
        kept.map_or_else(Vec::new, std::mem::take)
    }

    /// As [`Self::take_trades`], which stay.
    pub fn trades(&mut self, instrument: InstrumentIdx) -> &[Traded] {
        let kept = self.known.trades(instrument);
        kept.map_or(&[], |kept| kept.as_slice())
    }

    /// Times of the last market event of an instrument that became known.
    #[must_use]
    pub fn feed_latency(&self, instrument: InstrumentIdx) -> Option<FeedLatency> {
        self.known.latency(instrument)
    }

    /// Times of the last answer about an order of an instrument.
    #[must_use]
    pub fn order_latency(&self, instrument: InstrumentIdx) -> Option<OrderLatency> {
        *self.books.latency.get(usize::from(instrument))?
    }

    /// Orders of an instrument that are done and not forgotten, in the order in which they
    /// ended.
    pub fn ended_orders(&self, instrument: InstrumentIdx) -> impl Iterator<Item = &OrderRow> {
        let ended = self.books.ended.iter().map(|at| &self.books.orders[*at]);
        ended.filter(move |row| row.request.instrument == instrument)
    }

    /// Forgets the orders of an instrument that are done.
    pub fn forget_ended(&mut self, instrument: InstrumentIdx) {
        let orders = &self.books.orders;
        let of = |at: &usize| orders[*at].request.instrument;
        self.books.ended.retain(|at| of(at) != instrument);
    }

    /// Sums over the fills of an instrument so far.
    ///
    /// # Errors
    /// When a sum is too large to be kept exactly.
    pub fn tally(&mut self, instrument: InstrumentIdx) -> Result<Tally, LineError> {
        let (ts, tallies) = (self.now, &mut self.tallies);
        tallies
            .rows
            .resize(self.instruments.len(), Tally::default());
        for fill in &self.books.fills[tallies.seen..] {
            let at = usize::from(fill.instrument);
            let notional = self.instruments[at].notional(fill.px, fill.qty);
            tallies.rows[at]
                .add(fill, notional)
                .ok_or(LedgerError::Overflow("tally"))
                .map_err(|source| LineError::Ledger { ts, source })?;
        }
        tallies.seen = self.books.fills.len();
        let row = tallies.rows.get(usize::from(instrument)).copied();
        Ok(row.unwrap_or_default())
    }
}
