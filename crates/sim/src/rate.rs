use std::collections::VecDeque;

use cq_types::Ts;

/// Most orders and amendments that the venue takes of an account in any span of time.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OrderRate {
    /// How many.
    pub orders: usize,
    /// In how long, ns.
    pub window: Ts,
}

/// Counts what arrives against one [`OrderRate`].
///
/// A venue that counts by the clock (so many from 12:00:00 to 12:00:10) lets more pass where two
/// spans meet; which of both ours does is not documented, so this is the stricter one.
#[derive(Debug, Clone)]
pub(crate) struct RateLimit {
    rate: OrderRate,
    /// Arrivals of the last window, no more than the rate allows.
    recent: VecDeque<Ts>,
}

impl RateLimit {
    pub(crate) fn new(rate: OrderRate) -> Self {
        let recent = VecDeque::new();
        Self { rate, recent }
    }

    /// Whether one more may arrive at `ts`.
    pub(crate) fn has_room(&mut self, ts: Ts) -> bool {
        let begin = ts.saturating_sub(self.rate.window);
        while self.recent.front().is_some_and(|at| *at <= begin) {
            self.recent.pop_front();
        }
        self.recent.len() < self.rate.orders
    }

    pub(crate) fn count(&mut self, ts: Ts) {
        self.recent.push_back(ts);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn one_more_fits_as_soon_as_the_first_of_a_full_window_has_left_it() {
        let mut limit = RateLimit::new(OrderRate {
            orders: 2,
            window: 10,
        });
        for (ts, has_room) in [(0, true), (4, true), (9, false), (10, true), (13, false)] {
            assert_eq!(limit.has_room(ts), has_room, "{ts}");
            if has_room {
                limit.count(ts);
            }
        }
    }
}
