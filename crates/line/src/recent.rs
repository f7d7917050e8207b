use std::collections::VecDeque;

use cq_types::{Event, Market, Ts};

const DAY: Ts = 86_400_000_000_000;

/// How much of an instrument was traded in the last day, and when it last was, as far as is
/// known. Of bars only the shortest series counts: the longer ones say the same again.
#[derive(Debug, Clone, Default)]
pub(crate) struct Recent {
    shortest: Option<Ts>,
    /// Ends and volumes of bars.
    bars: VecDeque<(Ts, i64)>,
    traded: Option<Ts>,
}

impl Recent {
    pub(crate) fn new(shortest: Option<Ts>) -> Self {
        Self {
            shortest,
            ..Self::default()
        }
    }

    /// A trade of the market happened.
    pub(crate) fn on_trade(&mut self, ts: Ts) {
        self.traded = self.traded.max(Some(ts));
    }

    /// Takes an event that is no trade.
    pub(crate) fn on_market(&mut self, event: &Event<Market>) {
        match event.body {
            Market::Bar {
                interval, volume, ..
            } if Some(interval) == self.shortest && volume.0 > 0 => {
                let end = event.ts_event + interval;
                self.traded = self.traded.max(Some(end));
                while self.bars.front().is_some_and(|bar| bar.0 <= end - DAY) {
                    self.bars.pop_front();
                }
                self.bars.push_back((end, volume.0));
            }
            _ => {}
        }
    }

    /// Volume of the bars that ended in the last 24 hours, grid units.
    pub(crate) fn day_volume(&self, now: Ts) -> i64 {
        let day = self.bars.iter().filter(|bar| bar.0 > now - DAY);
        day.fold(0, |sum, bar| sum.saturating_add(bar.1))
    }

    /// Time since the last trade, or since the end of the last bar in which there was one.
    pub(crate) fn age(&self, now: Ts) -> Option<Ts> {
        self.traded.map(|ts| now - ts)
    }
}

#[cfg(test)]
mod tests {
    use cq_types::{Px, Qty};

    use super::*;

    const MINUTE: Ts = 60_000_000_000;

    fn bar(open_minute: i64, minutes: i64, volume: i64) -> Event<Market> {
        let interval = minutes * MINUTE;
        Event {
            ts_event: open_minute * MINUTE,
            ts_recv: open_minute * MINUTE + interval,
            seq: 0,
            flags: 0,
            instrument: 0,
            body: Market::Bar {
                interval,
                open: Px(1),
                high: Px(1),
                low: Px(1),
                close: Px(1),
                volume: Qty(volume),
                count: None,
                taker_buy: None,
            },
        }
    }

    #[test]
    fn a_day_of_minutes_is_counted_once_and_forgotten_after_it() {
        let mut recent = Recent::new(Some(MINUTE));
        for minute in 0..2_000 {
            recent.on_market(&bar(minute, 1, minute));
            if minute % 60 == 59 {
                recent.on_market(&bar(minute - 59, 60, 1_000_000));
            }
        }
        let now = 2_000 * MINUTE;
        assert_eq!(recent.day_volume(now), (560..2_000).sum::<i64>());
        assert_eq!(recent.bars.len(), 1_440);
        assert_eq!(
            recent.day_volume(now + 600 * MINUTE),
            (1_160..2_000).sum::<i64>()
        );
        assert_eq!(recent.day_volume(now + DAY), 0);
    }

    #[test]
    fn a_price_grows_old_while_nothing_is_traded() {
        let mut recent = Recent::new(Some(MINUTE));
        assert_eq!(recent.age(5), None);
        recent.on_market(&bar(0, 1, 7));
        recent.on_market(&bar(1, 1, 0)); // a halt: the bar repeats the last price
        recent.on_market(&bar(0, 60, 7)); // the hour knows nothing newer
        assert_eq!(recent.age(60 * MINUTE), Some(59 * MINUTE));
        recent.on_trade(61 * MINUTE);
        recent.on_trade(60 * MINUTE); // reported late
        assert_eq!(recent.age(62 * MINUTE), Some(MINUTE));
    }
}
