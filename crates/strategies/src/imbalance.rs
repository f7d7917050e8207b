use cq_line::{Line, LineError, Strategy, Wake};
use cq_types::{Px, Side};

use crate::parameters::Parameters;
use crate::quotes::WIDEST;
use crate::{Desk, ParameterError};

/// Takes the side of the book that is about to give way: long while bids outweigh asks, short
/// while asks outweigh bids, with orders that trade at once or not at all.
///
/// The signal is `(bids - asks) / (bids + asks)` over the quantities of the best `levels`; of one
/// level it is the distance of the microprice from the middle in half spreads (Stoikov, "The
/// micro-price", Quantitative Finance 18, 2018).
#[derive(Debug, Clone)]
pub struct Imbalance {
    desk: Desk,
    levels: usize,
    /// Signal from which on a position is opened.
    enter: f64,
    /// Signal in a position's direction from which down it is closed.
    leave: f64,
    /// Size of a position, grid units.
    qty: i64,
    /// How many ticks beyond the best price are paid at most.
    slip: i64,
}

impl Imbalance {
    pub(crate) const PARAMETERS: [&'static str; 5] =
        ["levels", "enter", "leave", "quantity", "slip"];

    pub(crate) fn build(given: Parameters<'_>, desk: Desk) -> Result<Self, ParameterError> {
        let levels = given.whole("levels", 1, 1_000)?;
        let enter = given.real("enter", 0.0, 1.0)?;
        Ok(Self {
            desk,
            levels: usize::try_from(levels).unwrap_or(usize::MAX),
            enter,
            leave: given.real("leave", -1.0, enter)?,
            qty: given.whole("quantity", 1, i64::MAX / 2)?,
            slip: given.whole("slip", 0, WIDEST)?,
        })
    }

    /// The signal, between -1 and 1; `None` while there is no book.
    fn signal(&self, line: &Line) -> Option<f64> {
        let book = line.book(self.desk.instrument())?;
        let sum = |side| -> f64 {
            let levels = book.levels(side, self.levels);
            levels.map(|(_, qty)| qty.0 as f64).sum()
        };
        let (bids, asks) = (sum(Side::Buy), sum(Side::Sell));
        (bids + asks > 0.0).then(|| (bids - asks) / (bids + asks))
    }

    /// The position that a signal asks of one who holds `position`.
    fn wanted(&self, signal: f64, position: i64) -> i64 {
        if signal >= self.enter {
            self.qty
        } else if signal <= -self.enter {
            -self.qty
        } else if signal * position.signum() as f64 <= self.leave {
            0
        } else {
            position
        }
    }
}

impl Strategy for Imbalance {
    fn decide(&mut self, line: &mut Line, wake: Wake) -> Result<(), LineError> {
        if wake != Wake::Timer || self.desk.is_busy(line) {
            return Ok(());
        }
        let tick = self.desk.tick(line);
        let (Some(signal), Some(touch)) = (self.signal(line), self.desk.touch(line, tick)) else {
            return Ok(());
        };
        let position = self.desk.position(line);
        let trade = self.wanted(signal, position) - position;
        let (best, slip) = match Side::of(trade) {
            None => return Ok(()),
            Some(Side::Buy) => (touch.ask, self.slip),
            Some(Side::Sell) => (touch.bid, -self.slip),
        };
        let side = if trade > 0 { Side::Buy } else { Side::Sell };
        let limit = Px((best + slip).max(1) * tick);
        self.desk.take(line, side, trade.abs(), limit)?;
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_signal_opens_turns_keeps_and_closes() {
        let taker = Imbalance {
            desk: Desk::new(0, 0, 1),
            levels: 1,
            enter: 0.5,
            leave: 0.1,
            qty: 7,
            slip: 0,
        };
        let wanted = |signal, position| taker.wanted(signal, position);
        assert_eq!(wanted(0.5, 0), 7);
        assert_eq!(wanted(-0.5, 7), -7, "turned in one order");
        assert_eq!((wanted(0.11, 7), wanted(0.1, 7)), (7, 0));
        assert_eq!((wanted(-0.11, -7), wanted(-0.1, -7)), (-7, 0));
        assert_eq!(wanted(0.3, 0), 0);
        assert_eq!(wanted(0.6, 3), 7, "what was not filled is asked for again");
    }
}
