//! Where the close stands in the range of recent prices.

use cq_types::Ts;

use crate::args::{Args, Built};
use crate::operator::{Bar, BarOperator};
use crate::state::state;
use crate::window::{ratio, Extremes, Moments, Window};
use crate::FeatureError;

/// Bollinger bands at two population standard deviations: position of the close between
/// them (0 lower, 1 upper), or their distance over the mean.
struct Bollinger {
    closes: Window<Moments>,
    close: f64,
    is_width: bool,
}

state!(Bollinger { closes, close });

const BAND_SDS: f64 = 2.0;

impl BarOperator for Bollinger {
    fn push(&mut self, bar: &Bar) {
        self.close = bar.close;
        self.closes.push(bar.end, Moments::of(bar.close));
    }
    fn value(&self, now: Ts) -> Option<f64> {
        let closes = self.closes.at(now)?;
        let half = BAND_SDS * closes.population_sd();
        Some(if self.is_width {
            ratio(2.0 * half, closes.mean)
        } else {
            ratio(self.close - closes.mean + half, 2.0 * half)
        })
    }
}

pub(crate) fn bollinger(args: &Args<'_>) -> Result<Built, FeatureError> {
    args.on_bars(Bollinger {
        closes: Window::count(args.whole("window", 2)?),
        close: 0.0,
        is_width: args.choice("output", &["position", "width"])? == 1,
    })
}

/// Highest high and lowest low of the last `n` bars.
struct Range {
    extremes: Window<Extremes>,
    close: f64,
}

state!(Range { extremes, close });

impl Range {
    fn new(n: usize) -> Self {
        Self {
            extremes: Window::count(n),
            close: 0.0,
        }
    }
    fn push(&mut self, bar: &Bar) {
        self.close = bar.close;
        let extremes = Extremes {
            min: bar.low,
            max: bar.high,
        };
        self.extremes.push(bar.end, extremes);
    }
}

/// Position of the close between the lowest low (0) and the highest high (1).
struct Donchian {
    range: Range,
}

state!(Donchian { range });

impl BarOperator for Donchian {
    fn push(&mut self, bar: &Bar) {
        self.range.push(bar);
    }
    fn value(&self, now: Ts) -> Option<f64> {
        let Extremes { min, max } = self.range.extremes.at(now)?;
        Some(ratio(self.range.close - min, max - min))
    }
}

pub(crate) fn donchian(args: &Args<'_>) -> Result<Built, FeatureError> {
    let range = Range::new(args.whole("window", 1)?);
    args.on_bars(Donchian { range })
}

/// `ln(close / highest high)` (≤ 0) or `ln(close / lowest low)` (≥ 0).
struct ExtremeDistance {
    range: Range,
    is_low: bool,
}

state!(ExtremeDistance { range });

impl BarOperator for ExtremeDistance {
    fn push(&mut self, bar: &Bar) {
        self.range.push(bar);
    }
    fn value(&self, now: Ts) -> Option<f64> {
        let Extremes { min, max } = self.range.extremes.at(now)?;
        let extreme = if self.is_low { min } else { max };
        Some((self.range.close / extreme).ln())
    }
}

pub(crate) fn extreme_distance(args: &Args<'_>) -> Result<Built, FeatureError> {
    let range = Range::new(args.whole("window", 1)?);
    let is_low = args.choice("extreme", &["high", "low"])? == 1;
    args.on_bars(ExtremeDistance { range, is_low })
}
