//! Oscillators.

use cq_types::Ts;

use crate::args::{Args, Built};
use crate::operator::{Bar, BarOperator};
use crate::smooth::Wilder;
use crate::state::state;
use crate::window::ratio;
use crate::FeatureError;

/// Wilder's relative strength index, 0 to 100; NaN when no price has moved.
struct Rsi {
    close: Option<f64>,
    gains: Wilder,
    losses: Wilder,
}

state!(Rsi {
    close,
    gains,
    losses
});

impl BarOperator for Rsi {
    fn push(&mut self, bar: &Bar) {
        if let Some(previous) = self.close.replace(bar.close) {
            let change = bar.close - previous;
            self.gains.push(change.max(0.0));
            self.losses.push((-change).max(0.0));
        }
    }
    fn value(&self, _now: Ts) -> Option<f64> {
        let (gain, loss) = (self.gains.get()?, self.losses.get()?);
        Some(100.0 * ratio(gain, gain + loss))
    }
}

pub(crate) fn rsi(args: &Args<'_>) -> Result<Built, FeatureError> {
    let window = args.whole("window", 1)?;
    args.on_bars(Rsi {
        close: None,
        gains: Wilder::new(window),
        losses: Wilder::new(window),
    })
}
