//! Perpetual against spot.

use cq_types::Ts;

use crate::args::{Args, Built};
use crate::operator::{Bar, Freshness, Input, OnGap, Operator, Topic};
use crate::registry::BAR_MAX_AGE_S;
use crate::state::state;
use crate::window::{Moments, Window};
use crate::FeatureError;

/// `perp / spot − 1` in bps of the closes of bars that end together; the order in which the
/// two arrive does not matter.
struct Pair {
    closes: [(Ts, f64); 2],
    basis: Option<f64>,
    freshness: Freshness,
}

state!(Pair {
    closes,
    basis,
    freshness
});

impl Pair {
    fn new(args: &Args<'_>) -> Result<Self, FeatureError> {
        Ok(Self {
            closes: [(Ts::MIN, f64::NAN); 2],
            basis: None,
            freshness: Freshness::new(args.seconds_or("max_age_s", BAR_MAX_AGE_S)?),
        })
    }

    /// Takes a bar of the perpetual (slot 0) or of spot (slot 1); the basis where both ends meet.
    fn push(&mut self, slot: usize, bar: &Bar) -> Option<f64> {
        self.closes[slot] = (bar.end, bar.close);
        let [(perp_end, perp), (spot_end, spot)] = self.closes;
        if perp_end != spot_end {
            return None;
        }
        self.freshness.touch(bar.end);
        self.basis = Some((perp / spot - 1.0) * 1e4);
        self.basis
    }

    fn at(&self, now: Ts) -> Option<f64> {
        self.basis.filter(|_| self.freshness.holds(now))
    }
}

fn topics(args: &Args<'_>) -> Result<Vec<Topic>, FeatureError> {
    let spot = args.instrument("spot_bars")?;
    let interval = args.seconds("spot_interval_s")?;
    Ok(vec![args.bars()?, Topic::Bars(spot, interval)])
}

/// The last basis.
struct Basis {
    pair: Pair,
}

state!(Basis { pair });

impl Operator for Basis {
    fn update(&mut self, slot: usize, input: &Input<'_>) {
        if let Input::Bar(bar) = input {
            self.pair.push(slot, bar);
        }
    }
    fn value(&self, now: Ts) -> f64 {
        self.pair.at(now).unwrap_or(f64::NAN)
    }
}

pub(crate) fn basis(args: &Args<'_>) -> Result<Built, FeatureError> {
    Ok(Built {
        operator: Box::new(Basis {
            pair: Pair::new(args)?,
        }),
        topics: topics(args)?,
        on_gap: OnGap::Bridge,
    })
}

/// The last basis in standard deviations from the mean of the last `n`.
struct BasisZ {
    pair: Pair,
    window: Window<Moments>,
}

state!(BasisZ { pair, window });

impl Operator for BasisZ {
    fn update(&mut self, slot: usize, input: &Input<'_>) {
        if let Input::Bar(bar) = input {
            if let Some(basis) = self.pair.push(slot, bar) {
                self.window.push(bar.end, Moments::of(basis));
            }
        }
    }
    fn value(&self, now: Ts) -> f64 {
        let both = self.pair.at(now).zip(self.window.at(now));
        both.map_or(f64::NAN, |(basis, window)| window.z(basis))
    }
}

pub(crate) fn basis_z(args: &Args<'_>) -> Result<Built, FeatureError> {
    Ok(Built {
        operator: Box::new(BasisZ {
            pair: Pair::new(args)?,
            window: Window::count(args.whole("window", 2)?),
        }),
        topics: topics(args)?,
        on_gap: OnGap::Bridge,
    })
}
