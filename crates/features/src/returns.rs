//! Returns and momentum.

use cq_types::Ts;

use crate::args::{Args, Built};
use crate::operator::{Bar, BarOperator};
use crate::smooth::{Lag, LogReturn};
use crate::state::state;
use crate::window::{ratio, Moments, Sums, Window};
use crate::FeatureError;

/// `ln(close_t / close_{t−n})`.
struct Return {
    closes: Lag,
    value: Option<f64>,
}

state!(Return { closes, value });

impl BarOperator for Return {
    fn push(&mut self, bar: &Bar) {
        self.value = self
            .closes
            .push(bar.close)
            .map(|then| (bar.close / then).ln());
    }
    fn value(&self, _now: Ts) -> Option<f64> {
        self.value
    }
}

pub(crate) fn log_return(args: &Args<'_>) -> Result<Built, FeatureError> {
    let closes = Lag::new(args.whole("window", 1)?);
    args.on_bars(Return {
        closes,
        value: None,
    })
}

/// Sum of the last `fast` log returns over `sd_slow * sqrt(fast)`: the trailing move in units of
/// what a random walk of that volatility would make.
struct MomentumZ {
    returns: LogReturn,
    fast: Window<Sums<1>>,
    slow: Window<Moments>,
    length: f64,
}

state!(MomentumZ {
    returns,
    fast,
    slow
});

impl BarOperator for MomentumZ {
    fn push(&mut self, bar: &Bar) {
        if let Some(r) = self.returns.push(bar.close) {
            self.fast.push(bar.end, Sums([r]));
            self.slow.push(bar.end, Moments::of(r));
        }
    }
    fn value(&self, now: Ts) -> Option<f64> {
        let Sums([moved]) = self.fast.at(now)?;
        let sd = self.slow.at(now)?.sd();
        Some(ratio(moved, sd * self.length.sqrt()))
    }
}

pub(crate) fn momentum_z(args: &Args<'_>) -> Result<Built, FeatureError> {
    let (fast, slow) = (args.whole("fast", 1)?, args.whole("slow", 2)?);
    args.on_bars(MomentumZ {
        returns: LogReturn::default(),
        fast: Window::count(fast),
        slow: Window::count(slow),
        length: fast as f64,
    })
}
