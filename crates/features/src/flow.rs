//! Who was in a hurry: signed volume of bars.

use cq_types::Ts;

use crate::args::{Args, Built};
use crate::operator::{Bar, BarOperator};
use crate::state::state;
use crate::window::{ratio, Sums, Window};
use crate::FeatureError;

/// Volume bought minus volume sold by aggressors, if the bar says.
pub(crate) fn signed_volume(bar: &Bar) -> Option<f64> {
    bar.taker_buy.map(|bought| 2.0 * bought - bar.volume)
}

/// Signed over total volume, −1 (all sold) to 1; NaN where nothing traded.
struct FlowImbalance {
    volumes: Window<Sums<2>>,
}

state!(FlowImbalance { volumes });

impl BarOperator for FlowImbalance {
    fn push(&mut self, bar: &Bar) {
        if let Some(signed) = signed_volume(bar) {
            self.volumes.push(bar.end, Sums([signed, bar.volume]));
        }
    }
    fn value(&self, now: Ts) -> Option<f64> {
        let Sums([signed, volume]) = self.volumes.at(now)?;
        Some(ratio(signed, volume))
    }
}

pub(crate) fn flow_imbalance(args: &Args<'_>) -> Result<Built, FeatureError> {
    let volumes = Window::bars(args.seconds("window_s")?, args.interval()?);
    args.on_bars(FlowImbalance { volumes })
}
