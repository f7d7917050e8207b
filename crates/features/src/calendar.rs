//! The time of day and of the week, on a circle.

use cq_types::{Ts, NS_PER_S};

use crate::args::{Args, Built};
use crate::operator::{Input, OnGap, Operator};
use crate::state::{State, Words};
use crate::FeatureError;

const DAY: Ts = 86_400 * NS_PER_S;
const WEEK: Ts = 7 * DAY;
/// 1970-01-01 was a Thursday: the first Monday began four days later.
const FIRST_MONDAY: Ts = 4 * DAY;

/// Sine or cosine of the elapsed share of the UTC day or of the week from Monday.
struct Calendar {
    period: Ts,
    is_cosine: bool,
}

impl State for Calendar {
    fn save(&self, _out: &mut Vec<u64>) {}
    fn load(&mut self, _words: &mut Words<'_>) -> Option<()> {
        Some(())
    }
}

impl Operator for Calendar {
    fn update(&mut self, _slot: usize, _input: &Input<'_>) {}
    fn value(&self, now: Ts) -> f64 {
        let elapsed = (now - FIRST_MONDAY).rem_euclid(self.period);
        let angle = std::f64::consts::TAU * (elapsed as f64 / self.period as f64);
        if self.is_cosine {
            angle.cos()
        } else {
            angle.sin()
        }
    }
}

pub(crate) fn calendar(args: &Args<'_>) -> Result<Built, FeatureError> {
    let is_week = args.choice("period", &["day", "week"])? == 1;
    Ok(Built {
        operator: Box::new(Calendar {
            period: if is_week { WEEK } else { DAY },
            is_cosine: args.choice("output", &["sin", "cos"])? == 1,
        }),
        topics: Vec::new(),
        on_gap: OnGap::Bridge,
    })
}
