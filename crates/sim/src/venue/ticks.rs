//! What a recorded book brings: level changes, quotes, trades, marks and gaps.

use cq_types::{flags, Change, InstrumentIdx, Px, Qty, Side, Ts};

use super::Venue;
use crate::execution::Purse;
use crate::order::TriggerBy;
use crate::ticks::Print;

/// A recorded trade.
#[derive(Debug, Clone, Copy)]
pub struct Trade {
    /// Price.
    pub px: Px,
    /// Quantity.
    pub qty: Qty,
    /// Aggressor.
    pub side: Side,
    /// See [`flags`].
    pub marks: u32,
    /// When the venue matched it; reports of it may come later.
    pub matched: Ts,
}

impl Venue {
    /// Levels of the recorded book changed, each at its time. Takes them up to the first that
    /// makes the venue answer, and returns how many.
    pub fn on_changes(
        &mut self,
        instrument: InstrumentIdx,
        changes: impl IntoIterator<Item = (Ts, Change)>,
        purse: &dyn Purse,
    ) -> usize {
        match &mut self.ticks[usize::from(instrument)] {
            Some(market) => market.on_changes(&mut self.desk, changes, purse),
            None => changes.into_iter().count(),
        }
    }

    /// The recorded best bid and ask changed.
    pub fn on_quote(
        &mut self,
        instrument: InstrumentIdx,
        (bid, ask): ((Px, Qty), (Px, Qty)),
        ts: Ts,
        purse: &dyn Purse,
    ) {
        if let Some(market) = &mut self.ticks[usize::from(instrument)] {
            market.on_quote(&mut self.desk, (bid, ask), ts, purse);
        }
    }

    /// The mark price changed.
    pub fn on_mark(&mut self, instrument: InstrumentIdx, px: Px, ts: Ts, purse: &dyn Purse) {
        if let Some(market) = &mut self.ticks[usize::from(instrument)] {
            market.on_mark(px);
            if market.has_waiting() {
                self.trigger(instrument, (TriggerBy::Mark, px), ts, purse);
            }
        }
    }

    /// Events are missing: the book and each order's place in its queue are unknown.
    pub fn on_gap(&mut self, instrument: InstrumentIdx) {
        if let Some(market) = &mut self.ticks[usize::from(instrument)] {
            market.on_gap();
        }
    }

    /// A recorded trade meets our resting orders, then those that wait for its price. Trades that are
    /// not the market's ([`flags::NOT_MARKET`]) meet nothing.
    pub fn on_trade(&mut self, instrument: InstrumentIdx, trade: Trade, ts: Ts, purse: &dyn Purse) {
        if trade.marks & flags::NOT_MARKET != 0 {
            return;
        }
        if let Some(market) = &mut self.ticks[usize::from(instrument)] {
            let print = Print {
                px: trade.px,
                qty: trade.qty,
                side: trade.side,
                matched: trade.matched,
            };
            market.on_trade(&mut self.desk, print, ts, purse);
            if market.has_waiting() {
                let is_marked = market.is_marked();
                self.trigger(instrument, (TriggerBy::Last, trade.px), ts, purse);
                if !is_marked {
                    // Nothing says more of the mark.
                    self.trigger(instrument, (TriggerBy::Mark, trade.px), ts, purse);
                }
            }
        }
    }
}
