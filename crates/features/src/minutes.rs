//! Realised measures from short bars.

use cq_types::Ts;

use crate::args::{Args, Built};
use crate::liquidity::ReturnPairs;
use crate::operator::{Bar, BarOperator};
use crate::smooth::LogReturn;
use crate::state::state;
use crate::volatility::annual_factor;
use crate::window::{ratio, Sums, Window};
use crate::FeatureError;

/// Sums of squared returns, of products of neighbours' sizes, and of their counts.
struct Variations {
    returns: LogReturn,
    previous: Option<f64>,
    sums: Window<Sums<4>>,
}

state!(Variations {
    returns,
    previous,
    sums
});

impl Variations {
    fn new(args: &Args<'_>) -> Result<Self, FeatureError> {
        Ok(Self {
            returns: LogReturn::default(),
            previous: None,
            sums: Window::bars(args.seconds("window_s")?, args.interval()?),
        })
    }
    fn push(&mut self, bar: &Bar) {
        self.sums.open(bar.end);
        let Some(r) = self.returns.push(bar.close) else {
            return;
        };
        let (product, has_product) = match self.previous.replace(r) {
            Some(previous) => ((previous * r).abs(), 1.0),
            None => (0.0, 0.0),
        };
        self.sums
            .push(bar.end, Sums([r * r, 1.0, product, has_product]));
    }
}

/// Square root of the mean squared return, per year (Andersen et al. 2003).
struct RealisedVariance {
    variations: Variations,
    factor: f64,
}

state!(RealisedVariance { variations });

impl BarOperator for RealisedVariance {
    fn push(&mut self, bar: &Bar) {
        self.variations.push(bar);
    }
    fn value(&self, now: Ts) -> Option<f64> {
        let Sums([squares, count, ..]) = self.variations.sums.at(now)?;
        Some(ratio(squares, count).sqrt() * self.factor)
    }
}

pub(crate) fn realised_variance(args: &Args<'_>) -> Result<Built, FeatureError> {
    let variations = Variations::new(args)?;
    let factor = annual_factor(args.interval()?);
    args.on_bars(RealisedVariance { variations, factor })
}

/// Share of variance that came in jumps, `max(0, 1 − BV/RV)` per term, with bipower variation
/// of Barndorff-Nielsen & Shephard (2004); NaN where nothing moved.
struct JumpRatio {
    variations: Variations,
}

state!(JumpRatio { variations });

impl BarOperator for JumpRatio {
    fn push(&mut self, bar: &Bar) {
        self.variations.push(bar);
    }
    fn value(&self, now: Ts) -> Option<f64> {
        let Sums([squares, count, products, pairs]) = self.variations.sums.at(now)?;
        let bipower = std::f64::consts::FRAC_PI_2 * ratio(products, pairs);
        let share = 1.0 - ratio(bipower, ratio(squares, count));
        Some(if share < 0.0 { 0.0 } else { share })
    }
}

pub(crate) fn jump_ratio(args: &Args<'_>) -> Result<Built, FeatureError> {
    let variations = Variations::new(args)?;
    args.on_bars(JumpRatio { variations })
}

/// Correlation of a return with the one before it.
struct Autocorrelation {
    pairs: ReturnPairs,
}

state!(Autocorrelation { pairs });

impl BarOperator for Autocorrelation {
    fn push(&mut self, bar: &Bar) {
        self.pairs.push(bar);
    }
    fn value(&self, now: Ts) -> Option<f64> {
        Some(self.pairs.window.at(now)?.correlation())
    }
}

pub(crate) fn autocorrelation(args: &Args<'_>) -> Result<Built, FeatureError> {
    let pairs = ReturnPairs::new(args)?;
    args.on_bars(Autocorrelation { pairs })
}
