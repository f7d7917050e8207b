use std::collections::VecDeque;

use cq_types::{Px, Qty, Ts};

const DAY: Ts = 86_400_000_000_000;

/// The last day of bars that have ended: what own impact is estimated from.
///
/// Simple returns and sums from the oldest to the newest: only operations that IEEE 754
/// rounds exactly, so that each machine gets the same bits.
#[derive(Debug, Clone, Default)]
pub(crate) struct Trailing {
    rows: VecDeque<(f64, i64)>,
    interval: Ts,
    last: Option<Px>,
}

impl Trailing {
    /// Takes a bar that has ended; its return runs from the previous close.
    pub(crate) fn push(&mut self, interval: Ts, open: Px, close: Px, volume: Qty) {
        if self.interval != interval {
            self.rows.clear();
            self.interval = interval;
        }
        let from = self.last.unwrap_or(open);
        self.last = Some(close);
        if from.0 <= 0 {
            return;
        }
        let change = close.0 as f64 / from.0 as f64 - 1.0;
        self.rows.push_back((change * change, volume.0));
        while self.rows.len() > 1 && Self::span(self.rows.len(), interval) > DAY {
            self.rows.pop_front();
        }
    }

    /// Last close.
    pub(crate) fn last(&self) -> Option<Px> {
        self.last
    }

    /// A day's volatility and volume, scaled up where less than a day is known.
    pub(crate) fn day(&self) -> Option<(f64, f64)> {
        if self.rows.is_empty() {
            return None;
        }
        let scale = DAY as f64 / Self::span(self.rows.len(), self.interval) as f64;
        let (variance, volume) = self
            .rows
            .iter()
            .fold((0.0, 0.0), |(v, q), row| (v + row.0, q + row.1 as f64));
        Some(((variance * scale).sqrt(), volume * scale))
    }

    fn span(bars: usize, interval: Ts) -> Ts {
        Ts::try_from(bars)
            .unwrap_or(Ts::MAX)
            .saturating_mul(interval)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const HOUR: Ts = 3_600_000_000_000;

    #[test]
    fn a_day_is_scaled_up_from_what_is_known() {
        let mut trailing = Trailing::default();
        assert_eq!(trailing.day(), None);
        trailing.push(HOUR, Px(100), Px(110), Qty(5));
        trailing.push(HOUR, Px(110), Px(99), Qty(7));
        let (sigma, volume) = trailing.day().unwrap();
        // Returns +10 % (open to close of the first bar) and -10 %: variance 0.02 over 2 h.
        assert!((sigma - (0.02_f64 * 12.0).sqrt()).abs() < 1e-15);
        assert!((volume - 144.0).abs() < 1e-12);
        assert_eq!(trailing.last(), Some(Px(99)));
    }

    #[test]
    fn bars_older_than_a_day_are_forgotten() {
        let mut trailing = Trailing::default();
        trailing.push(HOUR, Px(100), Px(200), Qty(1_000));
        for _ in 0..24 {
            trailing.push(HOUR, Px(200), Px(200), Qty(1));
        }
        assert_eq!(trailing.day(), Some((0.0, 24.0)));
    }
}
