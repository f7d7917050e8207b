//! Settled funding rates.

use cq_types::{Ts, NS_PER_S};

use crate::args::{Args, Built};
use crate::operator::{Freshness, Input, OnGap, Operator, Topic};
use crate::state::state;
use crate::window::{Moments, Window};
use crate::FeatureError;

/// A day without a settlement means that the history is missing, not that funding is zero.
const MAX_AGE_S: Ts = 86_400;
const HOUR: Ts = 3600 * NS_PER_S;
const MINUTE: Ts = 60 * NS_PER_S;

fn on_funding(
    args: &Args<'_>,
    build: impl FnOnce(Freshness) -> Box<dyn Operator>,
) -> Result<Built, FeatureError> {
    let freshness = Freshness::new(args.seconds_or("max_age_s", MAX_AGE_S)?);
    Ok(Built {
        operator: build(freshness),
        topics: vec![Topic::Funding(args.instrument("instrument")?)],
        on_gap: OnGap::Bridge,
    })
}

/// The last settled rate, and statistics of the last `n`.
struct Funding {
    rates: Window<Moments>,
    last: f64,
    freshness: Freshness,
    output: fn(&Moments, f64) -> f64,
}

state!(Funding {
    rates,
    last,
    freshness
});

impl Operator for Funding {
    fn update(&mut self, _slot: usize, input: &Input<'_>) {
        if let Input::Funding { settled, rate } = *input {
            self.last = rate;
            self.freshness.touch(settled);
            self.rates.push(settled, Moments::of(rate));
        }
    }
    fn value(&self, now: Ts) -> f64 {
        match self.rates.at(now) {
            Some(rates) if self.freshness.holds(now) => (self.output)(&rates, self.last),
            _ => f64::NAN,
        }
    }
}

fn funding(
    args: &Args<'_>,
    n: usize,
    output: fn(&Moments, f64) -> f64,
) -> Result<Built, FeatureError> {
    on_funding(args, |freshness| {
        Box::new(Funding {
            rates: Window::count(n),
            last: f64::NAN,
            freshness,
            output,
        })
    })
}

/// The last settled rate.
pub(crate) fn last(args: &Args<'_>) -> Result<Built, FeatureError> {
    funding(args, 1, |_, last| last)
}

/// Mean of the last `n` settled rates.
pub(crate) fn mean(args: &Args<'_>) -> Result<Built, FeatureError> {
    funding(args, args.whole("window", 1)?, |rates, _| rates.mean)
}

/// The last rate in standard deviations from the mean of the last `n`.
pub(crate) fn z(args: &Args<'_>) -> Result<Built, FeatureError> {
    funding(args, args.whole("window", 2)?, Moments::z)
}

/// Hours to the next settlement, taking the last interval to repeat.
struct HoursToNext {
    last: Option<Ts>,
    interval: Option<Ts>,
    freshness: Freshness,
}

state!(HoursToNext {
    last,
    interval,
    freshness
});

/// Nearest multiple of `unit`: recorded stamps jitter by milliseconds.
fn round_to(ts: Ts, unit: Ts) -> Ts {
    (ts + unit / 2).div_euclid(unit) * unit
}

impl Operator for HoursToNext {
    fn update(&mut self, _slot: usize, input: &Input<'_>) {
        if let Input::Funding { settled, .. } = *input {
            let scheduled = round_to(settled, MINUTE);
            self.freshness.touch(settled);
            if let Some(previous) = self.last.replace(scheduled) {
                let interval = round_to(scheduled - previous, HOUR);
                let is_plausible = interval > 0 && interval <= MAX_AGE_S * NS_PER_S;
                self.interval = is_plausible.then_some(interval);
            }
        }
    }
    fn value(&self, now: Ts) -> f64 {
        match self.last.zip(self.interval) {
            Some((last, interval)) if self.freshness.holds(now) => {
                let since = (now - last).rem_euclid(interval);
                (interval - since) as f64 / HOUR as f64
            }
            _ => f64::NAN,
        }
    }
}

pub(crate) fn hours_to_next(args: &Args<'_>) -> Result<Built, FeatureError> {
    on_funding(args, |freshness| {
        Box::new(HoursToNext {
            last: None,
            interval: None,
            freshness,
        })
    })
}
