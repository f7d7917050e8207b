//! Outside series: on-chain, options, alternative data.

use std::collections::VecDeque;

use cq_types::Ts;

use crate::args::{Args, Built};
use crate::operator::{Freshness, Input, OnGap, Operator, Topic};
use crate::registry::BAR_MAX_AGE_S;
use crate::state::state;
use crate::volatility::{annual_factor, log_ratio, ReturnMoments};
use crate::window::{Moments, Window};
use crate::FeatureError;

/// Long enough for a daily series over a long weekend; later it has stopped, or is missing.
const MAX_AGE_S: Ts = 4 * 86_400;

/// The last value while it is recent enough.
struct Last {
    value: f64,
    freshness: Freshness,
}

state!(Last { value, freshness });

impl Last {
    fn new(args: &Args<'_>) -> Result<Self, FeatureError> {
        Ok(Self {
            value: f64::NAN,
            freshness: Freshness::new(args.seconds_or("max_age_s", MAX_AGE_S)?),
        })
    }
    /// Takes a point; its period and value.
    fn push(&mut self, input: &Input<'_>) -> Option<(Ts, f64)> {
        let Input::External {
            period,
            known,
            value,
        } = *input
        else {
            return None;
        };
        self.value = value;
        self.freshness.touch(known);
        Some((period, value))
    }
    fn at(&self, now: Ts) -> Option<f64> {
        self.freshness.holds(now).then_some(self.value)
    }
}

/// The last value itself.
struct Level {
    last: Last,
}

state!(Level { last });

impl Operator for Level {
    fn update(&mut self, _slot: usize, input: &Input<'_>) {
        self.last.push(input);
    }
    fn value(&self, now: Ts) -> f64 {
        self.last.at(now).unwrap_or(f64::NAN)
    }
}

fn on_series(args: &Args<'_>, operator: Box<dyn Operator>) -> Result<Built, FeatureError> {
    Ok(Built {
        operator,
        topics: args.external()?,
        on_gap: OnGap::Bridge,
    })
}

pub(crate) fn level(args: &Args<'_>) -> Result<Built, FeatureError> {
    let last = Last::new(args)?;
    on_series(args, Box::new(Level { last }))
}

/// Change over a span of the series' own time: from the newest point at least `span` older
/// than the last one, unless that is `slack` too old.
struct Change {
    last: Last,
    span: Ts,
    slack: Ts,
    history: VecDeque<(Ts, f64)>,
    is_log: bool,
}

state!(Change { last, history });

impl Operator for Change {
    fn update(&mut self, _slot: usize, input: &Input<'_>) {
        let Some((period, value)) = self.last.push(input) else {
            return;
        };
        self.history.push_back((period, value));
        // The second point is already old enough: the first one cannot matter again.
        while self.history.len() > 1 && self.history[1].0 <= period - self.span {
            self.history.pop_front();
        }
    }
    fn value(&self, now: Ts) -> f64 {
        let ends = self.history.front().zip(self.history.back());
        let Some((&(then, old), &(period, new))) = ends.filter(|_| self.last.at(now).is_some())
        else {
            return f64::NAN;
        };
        let age = period - then;
        if age < self.span || age > self.span + self.slack {
            return f64::NAN;
        }
        if self.is_log {
            log_ratio(new, old)
        } else {
            new - old
        }
    }
}

pub(crate) fn change(args: &Args<'_>) -> Result<Built, FeatureError> {
    let operator = Change {
        last: Last::new(args)?,
        span: args.seconds("window_s")?,
        slack: args.seconds_or("max_age_s", MAX_AGE_S)?,
        history: VecDeque::new(),
        is_log: args.choice("output", &["log", "difference"])? == 0,
    };
    on_series(args, Box::new(operator))
}

/// The last value in standard deviations from the mean of the last `n`.
struct Z {
    last: Last,
    values: Window<Moments>,
}

state!(Z { last, values });

impl Operator for Z {
    fn update(&mut self, _slot: usize, input: &Input<'_>) {
        if let Some((period, value)) = self.last.push(input) {
            self.values.push(period, Moments::of(value));
        }
    }
    fn value(&self, now: Ts) -> f64 {
        let both = self.last.at(now).zip(self.values.at(now));
        both.map_or(f64::NAN, |(last, values)| values.z(last))
    }
}

pub(crate) fn z(args: &Args<'_>) -> Result<Built, FeatureError> {
    let operator = Z {
        last: Last::new(args)?,
        values: Window::count(args.whole("window", 2)?),
    };
    on_series(args, Box::new(operator))
}

/// Implied minus realised volatility, both per year: `series / 100 − sd(log returns)`.
struct VolatilityPremium {
    implied: Last,
    realised: ReturnMoments,
    freshness: Freshness,
    factor: f64,
}

state!(VolatilityPremium {
    implied,
    realised,
    freshness
});

impl Operator for VolatilityPremium {
    fn update(&mut self, _slot: usize, input: &Input<'_>) {
        match input {
            Input::Bar(bar) => {
                self.freshness.touch(bar.end);
                self.realised.push(bar);
            }
            other => {
                self.implied.push(other);
            }
        }
    }
    fn value(&self, now: Ts) -> f64 {
        let both = self.implied.at(now).zip(self.realised.at(now));
        match both.filter(|_| self.freshness.holds(now)) {
            Some((implied, realised)) => implied / 100.0 - realised.sd() * self.factor,
            None => f64::NAN,
        }
    }
}

pub(crate) fn volatility_premium(args: &Args<'_>) -> Result<Built, FeatureError> {
    let mut topics: Vec<Topic> = args.external()?;
    topics.push(args.bars()?);
    Ok(Built {
        operator: Box::new(VolatilityPremium {
            implied: Last::new(args)?,
            realised: ReturnMoments::new(args.whole("window", 2)?),
            freshness: Freshness::new(BAR_MAX_AGE_S * cq_types::NS_PER_S),
            factor: annual_factor(args.interval()?),
        }),
        topics,
        on_gap: OnGap::Bridge,
    })
}
