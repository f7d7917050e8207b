use cq_line::{Line, LineError, Strategy, Wake};

use crate::parameters::Parameters;
use crate::quotes::{Board, Quotes, WIDEST};
use crate::{Desk, ParameterError};

/// A grid market maker: quotes on both sides at equal distances, moved against its position and
/// away from a market that moves.
///
/// The rule is that of the benchmarks against hftbacktest and `NautilusTrader`.
#[derive(Debug, Clone)]
pub struct Grid {
    desk: Desk,
    /// Quotes a side.
    levels: i64,
    /// Ticks between quotes.
    gap: i64,
    /// Quantity of a quote, grid units.
    qty: i64,
    /// Position at which a side is no longer quoted, grid units.
    most: i64,
    /// Moving average of squared moves of the middle, ticks.
    variance: f64,
    middle: Option<f64>,
    board: Board,
}

impl Grid {
    /// `levels` quotes of `qty` a side, `gap` ticks apart, up to a position of `most`.
    #[must_use]
    pub fn new(desk: Desk, levels: i64, gap: i64, qty: i64, most: i64) -> Self {
        Self {
            desk,
            levels,
            gap,
            qty,
            most,
            variance: 0.0,
            middle: None,
            board: Board::default(),
        }
    }

    pub(crate) const PARAMETERS: [&'static str; 4] = ["levels", "gap", "quantity", "most"];

    pub(crate) fn build(given: Parameters<'_>, desk: Desk) -> Result<Self, ParameterError> {
        Ok(Self::new(
            desk,
            given.whole("levels", 1, 100)?,
            given.whole("gap", 1, WIDEST)?,
            given.whole("quantity", 1, i64::MAX)?,
            given.whole("most", 1, i64::MAX)?,
        ))
    }

    fn quotes(&mut self, bid: i64, ask: i64, position: i64) -> [Quotes; 2] {
        let middle = (bid + ask) as f64 / 2.0;
        if let Some(before) = self.middle.replace(middle) {
            let step = middle - before;
            self.variance = 0.99 * self.variance + 0.01 * (step * step);
        }
        let half = 2.0 + 0.5 * self.variance.sqrt();
        let centre = middle - 2.0 * position as f64 / self.qty as f64;
        let gap = self.gap as f64;
        #[allow(clippy::cast_possible_truncation)] // ticks of a price
        let (low, high) = (
            (((centre - half) / gap).floor() * gap) as i64,
            (((centre + half) / gap).ceil() * gap) as i64,
        );
        let levels = |may: bool| if may { self.levels } else { 0 };
        [
            Quotes {
                best: low.min(bid),
                step: -self.gap,
                levels: levels(position < self.most),
            },
            Quotes {
                best: high.max(ask),
                step: self.gap,
                levels: levels(position > -self.most),
            },
        ]
    }
}

impl Strategy for Grid {
    fn decide(&mut self, line: &mut Line, wake: Wake) -> Result<(), LineError> {
        if wake != Wake::Timer {
            return Ok(());
        }
        let tick = self.desk.tick(line);
        let Some(touch) = self.desk.touch(line, tick) else {
            return Ok(());
        };
        let position = self.desk.position(line);
        let quotes = self.quotes(touch.bid, touch.ask, position);
        self.board.show(line, &mut self.desk, quotes, self.qty)
    }
}
