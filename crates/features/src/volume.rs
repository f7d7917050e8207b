//! How much is traded, by how many, in what size.

use cq_types::Ts;

use crate::args::{Args, Built};
use crate::operator::{Bar, BarOperator};
use crate::state::state;
use crate::volatility::log_ratio;
use crate::window::{ratio, Moments, Sums, Window};
use crate::FeatureError;

/// The last bar's volume in standard deviations from the mean of the window it ends.
struct VolumeZ {
    volumes: Window<Moments>,
    volume: f64,
}

state!(VolumeZ { volumes, volume });

impl BarOperator for VolumeZ {
    fn push(&mut self, bar: &Bar) {
        self.volume = bar.volume;
        self.volumes.push(bar.end, Moments::of(bar.volume));
    }
    fn value(&self, now: Ts) -> Option<f64> {
        Some(self.volumes.at(now)?.z(self.volume))
    }
}

pub(crate) fn volume_z(args: &Args<'_>) -> Result<Built, FeatureError> {
    args.on_bars(VolumeZ {
        volumes: Window::count(args.whole("window", 2)?),
        volume: 0.0,
    })
}

/// Trades, volume and bars of a short and a long window.
struct Activity {
    fast: Window<Sums<3>>,
    slow: Window<Sums<3>>,
    output: fn([f64; 3]) -> f64,
}

state!(Activity { fast, slow });

impl BarOperator for Activity {
    fn push(&mut self, bar: &Bar) {
        if let Some(count) = bar.count {
            let sums = Sums([count, bar.volume, 1.0]);
            self.fast.push(bar.end, sums);
            self.slow.push(bar.end, sums);
        }
    }
    fn value(&self, now: Ts) -> Option<f64> {
        let (fast, slow) = (self.fast.at(now)?.0, self.slow.at(now)?.0);
        Some(log_ratio((self.output)(fast), (self.output)(slow)))
    }
}

fn activity(args: &Args<'_>, output: fn([f64; 3]) -> f64) -> Result<Built, FeatureError> {
    let interval = args.interval()?;
    args.on_bars(Activity {
        fast: Window::bars(args.seconds("fast_s")?, interval),
        slow: Window::bars(args.seconds("slow_s")?, interval),
        output,
    })
}

/// Log of trades per bar, short window over long.
pub(crate) fn trades_ratio(args: &Args<'_>) -> Result<Built, FeatureError> {
    activity(args, |[count, _, bars]| ratio(count, bars))
}

/// Log of average trade size, short window over long.
pub(crate) fn trade_size(args: &Args<'_>) -> Result<Built, FeatureError> {
    activity(args, |[count, volume, _]| ratio(volume, count))
}
