//! Volatility and the shape of returns.

use cq_types::{Ts, NS_PER_S};

use crate::args::{Args, Built};
use crate::operator::{Bar, BarOperator};
use crate::smooth::{LogReturn, Wilder};
use crate::state::state;
use crate::window::{ratio, Moments, Window};
use crate::FeatureError;

const YEAR_NS: f64 = 365.0 * 86_400.0 * NS_PER_S as f64;

/// Factor from a standard deviation per bar to one per 365-day year.
pub(crate) fn annual_factor(interval: Ts) -> f64 {
    (YEAR_NS / interval as f64).sqrt()
}

/// Moments of the last `n` log returns.
pub(crate) struct ReturnMoments {
    returns: LogReturn,
    window: Window<Moments>,
}

state!(ReturnMoments { returns, window });

impl ReturnMoments {
    pub(crate) fn new(n: usize) -> Self {
        Self {
            returns: LogReturn::default(),
            window: Window::count(n),
        }
    }
    pub(crate) fn push(&mut self, bar: &Bar) {
        if let Some(r) = self.returns.push(bar.close) {
            self.window.push(bar.end, Moments::of(r));
        }
    }
    pub(crate) fn at(&self, now: Ts) -> Option<Moments> {
        self.window.at(now)
    }
}

/// Sample standard deviation of log returns, per year.
struct Volatility {
    returns: ReturnMoments,
    factor: f64,
}

state!(Volatility { returns });

impl BarOperator for Volatility {
    fn push(&mut self, bar: &Bar) {
        self.returns.push(bar);
    }
    fn value(&self, now: Ts) -> Option<f64> {
        Some(self.returns.at(now)?.sd() * self.factor)
    }
}

pub(crate) fn volatility(args: &Args<'_>) -> Result<Built, FeatureError> {
    let returns = ReturnMoments::new(args.whole("window", 2)?);
    let factor = annual_factor(args.interval()?);
    args.on_bars(Volatility { returns, factor })
}

/// `ln(sd_fast / sd_slow)`: above zero in an unusually lively market.
struct VolatilityRatio {
    returns: LogReturn,
    fast: Window<Moments>,
    slow: Window<Moments>,
}

state!(VolatilityRatio {
    returns,
    fast,
    slow
});

impl BarOperator for VolatilityRatio {
    fn push(&mut self, bar: &Bar) {
        if let Some(r) = self.returns.push(bar.close) {
            self.fast.push(bar.end, Moments::of(r));
            self.slow.push(bar.end, Moments::of(r));
        }
    }
    fn value(&self, now: Ts) -> Option<f64> {
        let (fast, slow) = (self.fast.at(now)?.sd(), self.slow.at(now)?.sd());
        Some(log_ratio(fast, slow))
    }
}

/// `ln(a / b)`, NaN unless both are positive.
pub(crate) fn log_ratio(a: f64, b: f64) -> f64 {
    if a > 0.0 && b > 0.0 {
        return (a / b).ln();
    }
    f64::NAN
}

pub(crate) fn volatility_ratio(args: &Args<'_>) -> Result<Built, FeatureError> {
    args.on_bars(VolatilityRatio {
        returns: LogReturn::default(),
        fast: Window::count(args.whole("fast", 2)?),
        slow: Window::count(args.whole("slow", 2)?),
    })
}

/// Population skewness of log returns.
struct Skew {
    returns: ReturnMoments,
}

state!(Skew { returns });

impl BarOperator for Skew {
    fn push(&mut self, bar: &Bar) {
        self.returns.push(bar);
    }
    fn value(&self, now: Ts) -> Option<f64> {
        Some(self.returns.at(now)?.skew())
    }
}

pub(crate) fn skew(args: &Args<'_>) -> Result<Built, FeatureError> {
    let returns = ReturnMoments::new(args.whole("window", 3)?);
    args.on_bars(Skew { returns })
}

/// Range volatility of Parkinson (1980): `sqrt(mean(ln(high/low)²) / (4 ln 2))`, per year.
struct Parkinson {
    squares: Window<Moments>,
    factor: f64,
}

state!(Parkinson { squares });

impl BarOperator for Parkinson {
    fn push(&mut self, bar: &Bar) {
        let range = (bar.high / bar.low).ln();
        self.squares.push(bar.end, Moments::of(range * range));
    }
    fn value(&self, now: Ts) -> Option<f64> {
        let mean = self.squares.at(now)?.mean;
        Some((mean / (4.0 * std::f64::consts::LN_2)).sqrt() * self.factor)
    }
}

pub(crate) fn parkinson(args: &Args<'_>) -> Result<Built, FeatureError> {
    let squares = Window::count(args.whole("window", 1)?);
    let factor = annual_factor(args.interval()?);
    args.on_bars(Parkinson { squares, factor })
}

/// Largest of high − low, |high − previous close|, |low − previous close| (Wilder 1978).
pub(crate) fn true_range(bar: &Bar, previous_close: f64) -> f64 {
    let up = (bar.high - previous_close).abs();
    let down = (bar.low - previous_close).abs();
    (bar.high - bar.low).max(up).max(down)
}

/// Wilder's mean of the true range, as a fraction of the close.
struct Atr {
    close: Option<f64>,
    range: Wilder,
}

state!(Atr { close, range });

impl BarOperator for Atr {
    fn push(&mut self, bar: &Bar) {
        if let Some(previous) = self.close.replace(bar.close) {
            self.range.push(true_range(bar, previous));
        }
    }
    fn value(&self, _now: Ts) -> Option<f64> {
        Some(ratio(self.range.get()?, self.close?))
    }
}

pub(crate) fn atr(args: &Args<'_>) -> Result<Built, FeatureError> {
    args.on_bars(Atr {
        close: None,
        range: Wilder::new(args.whole("window", 1)?),
    })
}
