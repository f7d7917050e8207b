//! The place of an order, from all that has happened at its price since it came there.

use cq_sim::Queue;
use cq_types::Ts;

/// What happened at the order's price.
#[derive(Debug, Clone, Copy)]
pub(crate) enum Happened {
    Trade(i64),
    Change {
        before: i64,
        after: i64,
        ts: Ts,
    },
    /// A snapshot said what rests there.
    Told(i64),
    /// A gap, or a book that proved wrong.
    Lost,
    /// What was left for the order was given to it: it is the first.
    First,
}

/// Where it came in (`None`: nobody knows), and what has happened since.
#[derive(Debug, Clone)]
pub(crate) struct History {
    began: Option<i64>,
    happened: Vec<Happened>,
}

impl History {
    pub(crate) fn new(began: Option<i64>) -> Self {
        let happened = Vec::new();
        Self { began, happened }
    }

    pub(crate) fn push(&mut self, what: Happened) {
        self.happened.push(what);
    }

    /// A trade that was matched no later than the last change is a part of it: it came before.
    /// Of what lies before a snapshot, a gap or its turn nothing is left to correct.
    pub(crate) fn trade(&mut self, qty: i64, matched: Ts, counts_late_once: bool) {
        let is_bound = |h: &Happened| !matches!(h, Happened::Trade(_));
        let last = self.happened.iter().rposition(is_bound);
        let at = match last.map(|at| (at, self.happened[at])) {
            Some((at, Happened::Change { ts, .. })) if counts_late_once && matched <= ts => at,
            _ => self.happened.len(),
        };
        self.happened.insert(at, Happened::Trade(qty));
    }

    /// Whole lots that have passed what stood before the order, in grid units.
    pub(crate) fn reached(&self, queue: Queue, unit: f64, lot: i64) -> i64 {
        match queue {
            Queue::RiskAverse | Queue::Optimistic => self.exact(queue).map_or(0, |front| {
                let lot = i128::from(lot);
                let lots = (-2 * front + lot).div_euclid(2 * lot).max(0);
                i64::try_from(lots * lot).unwrap()
            }),
            _ => {
                let lots = (-self.guessed(queue, unit) / lot as f64).round().max(0.0);
                #[allow(clippy::cast_possible_truncation)] // small flows
                let lots = lots as i64;
                lots * lot
            }
        }
    }

    /// All leaves from behind, or all from before: whole numbers.
    fn exact(&self, queue: Queue) -> Option<i128> {
        let mut front = self.began.map(i128::from);
        let mut traded = 0;
        for happened in &self.happened {
            match *happened {
                Happened::Trade(qty) => {
                    front = front.map(|f| f - i128::from(qty));
                    traded += i128::from(qty);
                }
                Happened::Change { before, after, .. } => {
                    let (before, after) = (i128::from(before), i128::from(after));
                    let left = before - after - traded;
                    front = Some(match front {
                        None => after,
                        Some(f) if left < 0 => f.min(after),
                        Some(f) => {
                            let back = before - f;
                            let moved = match queue {
                                Queue::Optimistic => f - left + back.min(0),
                                _ => f + (back - left).min(0),
                            };
                            moved.min(after)
                        }
                    });
                    traded = 0;
                }
                Happened::Told(qty) => {
                    front = Some(front.map_or(i128::from(qty), |f| f.min(i128::from(qty))));
                    traded = 0;
                }
                Happened::Lost => (front, traded) = (None, 0),
                Happened::First => front = Some(0),
            }
        }
        front
    }

    /// A part leaves from behind: fractions, infinite while nobody knows.
    fn guessed(&self, queue: Queue, unit: f64) -> f64 {
        let mut front = self.began.map_or(f64::INFINITY, |qty| qty as f64);
        let mut traded = 0.0;
        for happened in &self.happened {
            match *happened {
                Happened::Trade(qty) => {
                    front -= qty as f64;
                    traded += qty as f64;
                }
                Happened::Change { before, after, .. } => {
                    let (before, after) = (before as f64, after as f64);
                    let left = before - after - traded;
                    let back = before - front;
                    if left >= 0.0 && front.is_finite() {
                        let p = Some(probability(queue, front, back, unit));
                        let p = p.filter(|p| p.is_finite()).unwrap_or(1.0);
                        front = front - (1.0 - p) * left + (back - p * left).min(0.0);
                    }
                    front = front.min(after);
                    traded = 0.0;
                }
                Happened::Told(qty) => {
                    front = front.min(qty as f64);
                    traded = 0.0;
                }
                Happened::Lost => (front, traded) = (f64::INFINITY, 0.0),
                Happened::First => front = 0.0,
            }
        }
        front
    }
}

fn probability(queue: Queue, front: f64, back: f64, unit: f64) -> f64 {
    let ln = |x: f64| (1.0 + x * unit).ln();
    match queue {
        Queue::Power(n) => back.powf(n) / (back.powf(n) + front.powf(n)),
        Queue::Power2(n) => back.powf(n) / (back + front).powf(n),
        Queue::Power3(n) => 1.0 - (front / (front + back)).powf(n),
        Queue::Log => ln(back) / (ln(back) + ln(front)),
        Queue::Log2 => ln(back) / ln(back + front),
        Queue::Optimistic => 0.0,
        Queue::RiskAverse => 1.0,
    }
}
