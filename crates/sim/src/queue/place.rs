use cq_types::Ts;

use super::QueueModel;

/// An order's place in the queue at its price: quantities as the market counts them (see
/// [`crate::Matching::exact_queues`]), fractions where a model guesses.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub(crate) struct Place {
    /// Quantity before it; negative by what a trade had left for it; infinite while unknown.
    front: f64,
    /// Traded at its price since the level last changed: that change contains it.
    traded: f64,
    /// The last change of the level, for trades that are reported after it.
    change: Option<Change>,
}

/// A change of the level, and where the order stood before it.
#[derive(Debug, Clone, Copy, PartialEq)]
struct Change {
    front: f64,
    traded: f64,
    before: f64,
    after: f64,
    ts: Ts,
}

impl Place {
    /// Behind `qty`, the quantity that is known to rest at its price.
    pub(crate) fn behind(qty: f64) -> Self {
        Self {
            front: qty,
            ..Self::default()
        }
    }

    /// At a price of which nothing is known.
    pub(crate) fn unknown() -> Self {
        Self {
            front: f64::INFINITY,
            ..Self::default()
        }
    }

    /// Events were missed: whatever is at the level may stand before the order.
    pub(crate) fn forget(&mut self) {
        *self = Self::unknown();
    }

    /// A snapshot tells what rests at the level: no more than that is before the order.
    pub(crate) fn resync(&mut self, qty: f64) {
        *self = Self {
            front: self.front.min(qty),
            ..Self::default()
        };
    }

    /// A trade of `qty` at its price, at `ts`. One that the last change of the level contained
    /// already is taken out of it instead of advancing the order a second time.
    pub(crate) fn on_trade(&mut self, model: &dyn QueueModel, qty: f64, ts: Ts) {
        match &mut self.change {
            Some(change) if ts <= change.ts => {
                change.front -= qty;
                change.traded += qty;
                self.front = change.outcome(model) - self.traded;
            }
            _ => {
                self.front -= qty;
                self.traded += qty;
            }
        }
    }

    /// The level changed at `ts`. `keeps` the change, for trades reported after it.
    pub(crate) fn on_change(
        &mut self,
        model: &dyn QueueModel,
        (before, after): (f64, f64),
        ts: Ts,
        keeps: bool,
    ) {
        let change = Change {
            front: self.front,
            traded: self.traded,
            before,
            after,
            ts,
        };
        *self = Self {
            front: change.outcome(model),
            traded: 0.0,
            change: keeps.then_some(change),
        };
    }

    /// Whole lots that trades have left for the order.
    pub(crate) fn reached(&self, lot: f64) -> i64 {
        #[allow(clippy::cast_possible_truncation)] // saturates: more than any order holds
        let lots = (-self.front / lot).round() as i64;
        lots.max(0)
    }

    /// What was left for it is used up: it is the first in its queue.
    pub(crate) fn put_first(&mut self) {
        self.front = 0.0;
        self.change = None;
    }
}

impl Change {
    /// Where the order stands after the change.
    fn outcome(&self, model: &dyn QueueModel) -> f64 {
        let left = self.before - self.after - self.traded;
        if left < 0.0 || self.front.is_infinite() {
            return self.front.min(self.after);
        }
        let back = self.before - self.front;
        let mut behind = model.behind(self.front, back);
        if behind.is_infinite() {
            behind = 1.0;
        }
        let front = self.front - (1.0 - behind) * left + (back - behind * left).min(0.0);
        front.min(self.after)
    }
}

#[cfg(test)]
mod tests {
    use super::super::Queue;
    use super::*;

    /// Quantities are counted in thousandths.
    const UNIT: f64 = 1e-3;

    fn after(queue: Queue, qty: f64, act: impl FnOnce(&mut Place, &dyn QueueModel)) -> f64 {
        let model = queue.exact(UNIT);
        let mut place = Place::behind(qty);
        act(&mut place, &*model);
        place.front
    }

    #[test]
    fn a_decrease_of_a_level_moves_each_model_as_its_formula_says() {
        // 300 before and 100 behind; 80 leave. Worked by hand from the formulas.
        let ratio = |a: f64, b: f64| a / b;
        for (queue, behind) in [
            (Queue::RiskAverse, 1.0),
            (Queue::Optimistic, 0.0),
            (Queue::Power(2.0), ratio(1.0, 10.0)),
            (Queue::Power2(2.0), ratio(1.0, 16.0)),
            (Queue::Power3(2.0), 1.0 - ratio(9.0, 16.0)),
            (Queue::Log, ratio(1.1_f64.ln(), 1.1_f64.ln() + 1.3_f64.ln())),
            (Queue::Log2, ratio(1.1_f64.ln(), 1.4_f64.ln())),
        ] {
            let front = after(queue, 300.0, |place, model| {
                place.on_change(model, (300.0, 400.0), 1, false);
                place.on_change(model, (400.0, 320.0), 2, false);
            });
            let expected: f64 = 300.0 - (1.0 - behind) * 80.0;
            assert!((front - expected).abs() < 1e-9, "{queue:?} {front}");
        }
    }

    #[test]
    fn a_trade_advances_once_whether_its_decrease_comes_after_or_before_it() {
        for queue in [Queue::RiskAverse, Queue::Power(2.0), Queue::Log2] {
            let trade_first = after(queue, 300.0, |place, model| {
                place.on_trade(model, 120.0, 5);
                place.on_change(model, (300.0, 150.0), 5, true);
            });
            let change_first = after(queue, 300.0, |place, model| {
                place.on_change(model, (300.0, 150.0), 5, true);
                place.on_trade(model, 120.0, 5);
            });
            assert!((trade_first - change_first).abs() < 1e-9, "{queue:?}");
        }
    }

    #[test]
    fn no_more_is_before_an_order_than_the_level_holds() {
        // 200 are before it after the trade; the level has 150 left, which trades did not take.
        let front = after(Queue::RiskAverse, 300.0, |place, model| {
            place.on_trade(model, 100.0, 5);
            place.on_change(model, (300.0, 150.0), 6, false);
        });
        assert!((front - 150.0).abs() < 1e-12);
    }

    #[test]
    fn a_late_trade_does_not_undo_those_after_the_change() {
        // 200 are left at 5, 50 of them trade at 6; the 20 of 5 are among what had left by then.
        let front = after(Queue::RiskAverse, 300.0, |place, model| {
            place.on_change(model, (300.0, 200.0), 5, true);
            place.on_trade(model, 50.0, 6);
            place.on_trade(model, 20.0, 5);
        });
        assert!((front - 150.0).abs() < 1e-12);
    }

    #[test]
    fn a_trade_after_the_last_change_is_no_part_of_it() {
        let front = after(Queue::RiskAverse, 300.0, |place, model| {
            place.on_change(model, (300.0, 200.0), 5, true);
            place.on_trade(model, 50.0, 6);
        });
        assert!((front - 150.0).abs() < 1e-12);
    }

    #[test]
    fn where_a_formula_has_no_value_the_order_is_the_first() {
        // A trade has left a part of a unit for the order: before it there is less than nothing.
        let front = after(Queue::Power(1.5), 4.7, |place, model| {
            place.on_trade(model, 5.0, 1);
            place.on_change(model, (10.0, 5.0), 2, true);
        });
        assert!((front + 0.3).abs() < 1e-9, "{front}");
    }

    #[test]
    fn the_first_stays_the_first_when_a_trade_is_reported_late() {
        let front = after(Queue::RiskAverse, 10.0, |place, model| {
            place.on_change(model, (10.0, 2.0), 5, true);
            place.put_first();
            place.on_trade(model, 3.0, 4);
        });
        assert!((front + 3.0).abs() < 1e-12, "{front}");
    }

    #[test]
    fn an_unknown_place_becomes_the_whole_level_and_no_better() {
        let model = Queue::Power(2.0).exact(UNIT);
        let mut place = Place::unknown();
        place.on_trade(&*model, 1_000_000.0, 1);
        assert_eq!(place.reached(1.0), 0);
        place.on_change(&*model, (0.0, 700.0), 2, true);
        place.on_trade(&*model, 705.0, 3);
        assert_eq!(place.reached(1.0), 5);
    }
}
