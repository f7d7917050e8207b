use cq_line::{Line, LineError, OrderStatus, Strategy, Wake};
use cq_sim::reason;
use cq_types::{Side, Ts};

use crate::parameters::Parameters;
use crate::{Desk, ParameterError, Touch};

/// Buys or sells a quantity in equal slices over a horizon. Each slice first rests at its own
/// side's best price; what has not traded after a while is taken at the market.
#[derive(Debug, Clone)]
pub struct Twap {
    desk: Desk,
    side: Side,
    /// All that is to be traded, grid units.
    qty: i64,
    slices: i64,
    /// Length of a slice, ns.
    slice: Ts,
    /// How long a slice's limit order rests, ns.
    rest: Ts,
    begun: Option<Ts>,
    child: Option<Child>,
    /// Slices that have had their limit order.
    rested: i64,
    /// Traded by orders that are done, grid units.
    done: i64,
}

/// The order that works.
#[derive(Debug, Clone, Copy)]
struct Child {
    id: u64,
    /// When it is withdrawn, if it is.
    until: Option<Ts>,
}

impl Twap {
    pub(crate) const PARAMETERS: [&'static str; 5] =
        ["side", "quantity", "slices", "slice_ns", "rest_ns"];

    pub(crate) fn build(given: Parameters<'_>, desk: Desk) -> Result<Self, ParameterError> {
        let side = given.whole("side", -1, 1)?;
        let side = Side::of(side).ok_or_else(|| ParameterError {
            what: "side".to_owned(),
            expected: "1 to buy or -1 to sell".to_owned(),
            found: side.to_string(),
        })?;
        let slice = given.whole("slice_ns", 1, 1 << 53)?;
        Ok(Self {
            desk,
            side,
            qty: given.whole("quantity", 1, i64::MAX)?,
            slices: given.whole("slices", 1, 100_000)?,
            slice,
            rest: given.whole("rest_ns", 0, slice - 1)?,
            begun: None,
            child: None,
            rested: 0,
            done: 0,
        })
    }

    /// What is to be traded by the end of a slice, grid units: whole lots, of which later slices
    /// get those that do not divide.
    fn due(&self, slice: i64, lot: i64) -> i64 {
        let lots = i128::from(self.qty / lot);
        let due = lots * i128::from(slice + 1) / i128::from(self.slices);
        i64::try_from(due).unwrap_or(i64::MAX) * lot
    }

    /// Follows the order that works. Whether none does any more.
    fn is_free(&mut self, line: &mut Line) -> Result<bool, LineError> {
        let Some(child) = self.child else {
            return Ok(true);
        };
        let Some(row) = line.order(child.id) else {
            return Ok(false);
        };
        if row.is_open() {
            let is_over = child.until.is_some_and(|until| line.now() >= until);
            if is_over && row.can_cancel() {
                line.cancel(child.id)?;
            }
            return Ok(false);
        }
        if row.status == OrderStatus::Rejected && row.reason != reason::NO_BOOK {
            return Err(LineError::BadArgument {
                what: "quantity",
                expected: "slices that the venue takes".to_owned(),
                found: format!("{} of {}", row.reason, row.request.qty.0),
            });
        }
        self.done += row.filled.0;
        self.child = None;
        Ok(true)
    }

    fn trade(&mut self, line: &mut Line, begun: Ts, touch: Touch) -> Result<(), LineError> {
        let now = line.now();
        let slice = ((now - begun) / self.slice).min(self.slices - 1);
        let start = begun + slice * self.slice;
        let left = self.due(slice, self.desk.lot(line)) - self.done;
        if left > 0 {
            let rests = now < start + self.rest && self.rested <= slice;
            let id = if rests {
                let tick = self.desk.tick(line);
                let own = touch.of(self.side, tick);
                self.desk.rest(line, self.side, left, own)?
            } else {
                self.desk.cross(line, self.side, left)?
            };
            self.child = Some(Child {
                id,
                until: rests.then_some(start + self.rest),
            });
        }
        self.rested = self.rested.max(slice + 1);
        for at in [start + self.rest, start + self.slice] {
            if at > now {
                line.wake_at(at)?;
            }
        }
        Ok(())
    }
}

impl Strategy for Twap {
    fn decide(&mut self, line: &mut Line, _wake: Wake) -> Result<(), LineError> {
        let tick = self.desk.tick(line);
        let lot = self.desk.lot(line);
        if self.qty % lot != 0 {
            return Err(LineError::BadArgument {
                what: "quantity",
                expected: format!("a multiple of the lot, {lot}"),
                found: self.qty.to_string(),
            });
        }
        if self.done >= self.qty || !self.is_free(line)? {
            return Ok(());
        }
        let Some(touch) = self.desk.touch(line, tick) else {
            return Ok(());
        };
        let begun = *self.begun.get_or_insert(line.now());
        self.trade(line, begun, touch)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn slices_are_whole_lots_and_add_up() {
        let twap = Twap {
            desk: Desk::new(0, 0, 1),
            side: Side::Buy,
            qty: 50,
            slices: 3,
            slice: 1,
            rest: 0,
            begun: None,
            child: None,
            rested: 0,
            done: 0,
        };
        let due: Vec<i64> = (0..3).map(|slice| twap.due(slice, 10)).collect();
        assert_eq!(due, [10, 30, 50]);
    }
}
