use cq_line::{Line, LineError, Strategy, Wake};
use cq_types::{Px, Side};

use crate::Desk;

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
    stale: Vec<u64>,
    kept: Vec<i64>,
}

/// Ticks at which a side is quoted: `levels` of them from `best` on.
#[derive(Debug, Clone, Copy)]
struct Quotes {
    best: i64,
    step: i64,
    levels: i64,
}

impl Quotes {
    fn holds(&self, tick: i64) -> bool {
        let away = (tick - self.best) / self.step;
        self.best + away * self.step == tick && (0..self.levels).contains(&away)
    }

    fn ticks(self) -> impl Iterator<Item = i64> {
        (0..self.levels).map(move |level| self.best + level * self.step)
    }
}

impl Grid {
    /// `levels` quotes of `qty` a side, `gap` ticks apart, up to a position of `most`.
    #[must_use]
    pub const fn new(desk: Desk, levels: i64, gap: i64, qty: i64, most: i64) -> Self {
        Self {
            desk,
            levels,
            gap,
            qty,
            most,
            variance: 0.0,
            middle: None,
            stale: Vec::new(),
            kept: Vec::new(),
        }
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
        let [bids, asks] = self.quotes(touch.bid, touch.ask, position);
        self.stale.clear();
        self.kept.clear();
        for (id, side, px, can_cancel) in self.desk.working(line) {
            let at = px.0 / tick;
            let wanted = match side {
                Side::Buy => bids.holds(at),
                Side::Sell => asks.holds(at),
            };
            if can_cancel && !wanted {
                self.stale.push(id);
            }
            self.kept.push(at);
        }
        for id in &self.stale {
            line.cancel(*id)?;
        }
        for (side, quotes) in [(Side::Buy, bids), (Side::Sell, asks)] {
            for at in quotes.ticks() {
                if !self.kept.contains(&at) {
                    self.desk.post(line, side, self.qty, Px(at * tick))?;
                }
            }
        }
        Ok(())
    }
}
