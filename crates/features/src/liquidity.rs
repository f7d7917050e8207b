//! What trading costs, estimated from bars.

use cq_types::Ts;

use crate::args::{Args, Built};
use crate::flow::signed_volume;
use crate::operator::{Bar, BarOperator};
use crate::smooth::LogReturn;
use crate::state::state;
use crate::window::{Comoments, Moments, Window};
use crate::FeatureError;

const BPS: f64 = 1e4;

/// Amihud (2002): mean of |log return| in bps per million of quote volume (close times
/// volume), over the bars that traded.
struct Amihud {
    returns: LogReturn,
    impact: Window<Moments>,
}

state!(Amihud { returns, impact });

impl BarOperator for Amihud {
    fn push(&mut self, bar: &Bar) {
        self.impact.open(bar.end);
        let quote_volume = bar.close * bar.volume;
        if let Some(r) = self.returns.push(bar.close).filter(|_| quote_volume > 0.0) {
            let impact = r.abs() * BPS / (quote_volume / 1e6);
            self.impact.push(bar.end, Moments::of(impact));
        }
    }
    fn value(&self, now: Ts) -> Option<f64> {
        Some(self.impact.at(now)?.mean)
    }
}

pub(crate) fn amihud(args: &Args<'_>) -> Result<Built, FeatureError> {
    let impact = Window::bars(args.seconds("window_s")?, args.interval()?);
    args.on_bars(Amihud {
        returns: LogReturn::default(),
        impact,
    })
}

/// Roll (1984): effective spread `2 sqrt(−cov(r_t, r_{t−1}))` in bps, 0 where the covariance
/// is positive (the estimator's usual truncation).
struct Roll {
    pairs: ReturnPairs,
}

state!(Roll { pairs });

impl BarOperator for Roll {
    fn push(&mut self, bar: &Bar) {
        self.pairs.push(bar);
    }
    fn value(&self, now: Ts) -> Option<f64> {
        let covariance = self.pairs.window.at(now)?.covariance();
        Some(2.0 * BPS * (-covariance.min(0.0)).sqrt())
    }
}

pub(crate) fn roll(args: &Args<'_>) -> Result<Built, FeatureError> {
    let pairs = ReturnPairs::new(args)?;
    args.on_bars(Roll { pairs })
}

/// Log returns beside the ones before them.
pub(crate) struct ReturnPairs {
    returns: LogReturn,
    previous: Option<f64>,
    pub(crate) window: Window<Comoments>,
}

state!(ReturnPairs {
    returns,
    previous,
    window
});

impl ReturnPairs {
    pub(crate) fn new(args: &Args<'_>) -> Result<Self, FeatureError> {
        Ok(Self {
            returns: LogReturn::default(),
            previous: None,
            window: Window::bars(args.seconds("window_s")?, args.interval()?),
        })
    }
    pub(crate) fn push(&mut self, bar: &Bar) {
        self.window.open(bar.end);
        let Some(r) = self.returns.push(bar.close) else {
            return;
        };
        if let Some(previous) = self.previous.replace(r) {
            self.window.push(bar.end, Comoments::of(previous, r));
        }
    }
}

/// Kyle's (1985) lambda as the least-squares slope of the bar's log return (bps) on its
/// signed quote volume (close times volume, in millions).
struct Kyle {
    returns: LogReturn,
    pairs: Window<Comoments>,
}

state!(Kyle { returns, pairs });

impl BarOperator for Kyle {
    fn push(&mut self, bar: &Bar) {
        self.pairs.open(bar.end);
        let moved = self.returns.push(bar.close);
        if let Some((r, signed)) = moved.zip(signed_volume(bar)) {
            let signed_quote = signed * bar.close / 1e6;
            self.pairs
                .push(bar.end, Comoments::of(signed_quote, r * BPS));
        }
    }
    fn value(&self, now: Ts) -> Option<f64> {
        Some(self.pairs.at(now)?.slope())
    }
}

pub(crate) fn kyle(args: &Args<'_>) -> Result<Built, FeatureError> {
    let pairs = Window::bars(args.seconds("window_s")?, args.interval()?);
    args.on_bars(Kyle {
        returns: LogReturn::default(),
        pairs,
    })
}
