use cq_line::{Line, LineError};
use cq_types::{Px, Side};

use crate::Desk;

/// Most ticks that a parameter may ask for.
pub(crate) const WIDEST: i64 = 1_000_000;

/// Ticks at which a side is quoted: `levels` of them from `best` on.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Quotes {
    pub(crate) best: i64,
    /// Ticks from one to the next, negative for bids.
    pub(crate) step: i64,
    pub(crate) levels: i64,
}

impl Quotes {
    fn holds(&self, tick: i64) -> bool {
        let (away, gap) = ((tick - self.best) * self.step.signum(), self.step.abs());
        (0..self.levels * gap).contains(&away) && (gap == 1 || away % gap == 0)
    }

    fn ticks(self) -> impl Iterator<Item = i64> {
        (0..self.levels).map(move |level| self.best + level * self.step)
    }
}

/// Brings the working orders in line with the quotes that are wanted: what is wanted and works
/// stays in its queue.
#[derive(Debug, Clone, Default)]
pub(crate) struct Board {
    stale: Vec<u64>,
    kept: Vec<i64>,
}

impl Board {
    /// Cancels what is not wanted and posts `qty` at each tick that is wanted and free.
    pub(crate) fn show(
        &mut self,
        line: &mut Line,
        desk: &mut Desk,
        [bids, asks]: [Quotes; 2],
        qty: i64,
    ) -> Result<(), LineError> {
        let tick = desk.tick(line);
        self.stale.clear();
        self.kept.clear();
        for (id, side, px, can_cancel) in desk.working(line) {
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
                    desk.post(line, side, qty, Px(at * tick))?;
                }
            }
        }
        Ok(())
    }
}
