//! Trades one by one.

use cq_types::{Ts, NS_PER_S};

use crate::args::{Args, Built};
use crate::operator::{Input, OnGap, Operator, Topic};
use crate::state::state;
use crate::window::{ratio, Sums, Window};
use crate::FeatureError;

/// Signed quantity, quantity and number of the trades of a window.
struct Trades {
    sums: Window<Sums<3>>,
    span: Ts,
    output: fn([f64; 3], f64) -> f64,
}

state!(Trades { sums });

impl Operator for Trades {
    fn update(&mut self, _slot: usize, input: &Input<'_>) {
        if let Input::Trade { ts, signed } = *input {
            self.sums.push(ts, Sums([signed, signed.abs(), 1.0]));
        }
    }
    fn value(&self, now: Ts) -> f64 {
        let seconds = self.span as f64 / NS_PER_S as f64;
        let sums = self.sums.at(now);
        sums.map_or(f64::NAN, |Sums(sums)| (self.output)(sums, seconds))
    }
}

fn trades(args: &Args<'_>, output: fn([f64; 3], f64) -> f64) -> Result<Built, FeatureError> {
    let span = args.seconds("window_s")?;
    Ok(Built {
        operator: Box::new(Trades {
            sums: Window::ticks(span),
            span,
            output,
        }),
        topics: vec![Topic::Trades(args.instrument("instrument")?)],
        on_gap: OnGap::Reset,
    })
}

/// Signed over total quantity, −1 (all sold) to 1; NaN where nothing traded.
pub(crate) fn flow(args: &Args<'_>) -> Result<Built, FeatureError> {
    trades(args, |[signed, total, _], _| ratio(signed, total))
}

/// Trades per second.
pub(crate) fn intensity(args: &Args<'_>) -> Result<Built, FeatureError> {
    trades(args, |[_, _, count], seconds| count / seconds)
}
