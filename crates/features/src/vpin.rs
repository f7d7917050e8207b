//! Volume-synchronised probability of informed trading.

use cq_types::Ts;

use crate::args::{Args, Built};
use crate::flow::signed_volume;
use crate::operator::{Bar, BarOperator};
use crate::state::state;
use crate::window::{ratio, Sums, Window};
use crate::FeatureError;

/// VPIN (Easley, López de Prado & O'Hara 2012) with the true taker sides instead of their
/// bulk classification: `Σ|buy − sell| / Σ volume` over the last `buckets` volume buckets.
///
/// A bucket holds `1/per_span` of the volume of the `span` before it opened, so that it
/// means the same in a market ten times as large.
struct Vpin {
    trailing: Window<Sums<1>>,
    per_span: f64,
    /// Size of the open bucket; 0 while none is.
    size: f64,
    filled: f64,
    signed: f64,
    buckets: Window<Sums<2>>,
}

state!(Vpin {
    trailing,
    size,
    filled,
    signed,
    buckets
});

impl BarOperator for Vpin {
    fn push(&mut self, bar: &Bar) {
        self.trailing.push(bar.end, Sums([bar.volume]));
        let Some(signed) = signed_volume(bar).filter(|_| bar.volume > 0.0) else {
            return;
        };
        let Some(Sums([trailing])) = self.trailing.at(bar.end) else {
            return;
        };
        let mut left = bar.volume;
        while left > 0.0 {
            if self.size == 0.0 {
                self.size = trailing / self.per_span;
            }
            let part = left.min(self.size - self.filled);
            left -= part;
            self.filled += part;
            self.signed += signed * (part / bar.volume);
            if self.filled >= self.size {
                let bucket = Sums([self.signed.abs(), self.filled]);
                self.buckets.push(bar.end, bucket);
                (self.size, self.filled, self.signed) = (0.0, 0.0, 0.0);
            }
        }
    }

    fn value(&self, now: Ts) -> Option<f64> {
        let Sums([imbalance, volume]) = self.buckets.at(now)?;
        Some(ratio(imbalance, volume))
    }
}

pub(crate) fn vpin(args: &Args<'_>) -> Result<Built, FeatureError> {
    let buckets = args.whole("buckets", 1)?;
    args.on_bars(Vpin {
        trailing: Window::bars(args.seconds("window_s")?, args.interval()?),
        per_span: buckets as f64,
        size: 0.0,
        filled: 0.0,
        signed: 0.0,
        buckets: Window::count(buckets),
    })
}
