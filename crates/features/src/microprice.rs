//! Where the mid is likely to go next.

use cq_types::Ts;

use crate::args::{Args, Built};
use crate::operator::{Freshness, Input, OnGap, Operator, Top};
use crate::state::state;
use crate::top::TOP_MAX_AGE_S;
use crate::window::ratio;
use crate::FeatureError;

const BUCKETS: usize = 10;
/// Weight of the prior that a bucket says nothing, in visits.
const PRIOR_VISITS: f64 = 100.0;

/// First-order microprice adjustment of Stoikov (2018) in bps from the mid: the expected next
/// move of the mid given the bucket of the top imbalance, learned from the past of this
/// stream alone, mirrored (a move seen at imbalance I counts as the opposite one at −I) and
/// shrunk to zero. NaN before `warm_moves` moves of the mid.
struct Microprice {
    warm_moves: f64,
    moves: f64,
    mid: Option<f64>,
    bucket: Option<usize>,
    /// Visits of each bucket since the mid last moved.
    pending: [f64; BUCKETS],
    visits: [f64; BUCKETS],
    moved: [f64; BUCKETS],
    freshness: Freshness,
}

state!(Microprice {
    moves,
    mid,
    bucket,
    pending,
    visits,
    moved,
    freshness
});

/// Bucket of the top imbalance, from 0 (all on the ask) up; `None` for an empty top.
fn bucket_of(top: &Top) -> Option<usize> {
    let share = ratio(top.bid_qty, top.bid_qty + top.ask_qty);
    if share.is_nan() {
        return None;
    }
    let above = (1..BUCKETS).filter(|edge| share >= *edge as f64 / BUCKETS as f64);
    Some(above.count())
}

impl Microprice {
    fn learn(&mut self, bps: f64) {
        self.moves += 1.0;
        for at in 0..BUCKETS {
            let seen = std::mem::take(&mut self.pending[at]);
            let mirror = BUCKETS - 1 - at;
            self.visits[at] += seen;
            self.moved[at] += seen * bps;
            self.visits[mirror] += seen;
            self.moved[mirror] -= seen * bps;
        }
    }
}

impl Operator for Microprice {
    fn update(&mut self, _slot: usize, input: &Input<'_>) {
        let Some((ts, top)) = input.top() else {
            return;
        };
        self.freshness.touch(ts);
        let mid = top.mid();
        if let Some(before) = self.mid.replace(mid) {
            let bps = (mid / before - 1.0) * 1e4;
            if bps != 0.0 {
                self.learn(bps);
            }
        }
        self.bucket = bucket_of(&top);
        if let Some(bucket) = self.bucket {
            self.pending[bucket] += 1.0;
        }
    }
    fn value(&self, now: Ts) -> f64 {
        match self.bucket {
            Some(at) if self.freshness.holds(now) && self.moves >= self.warm_moves => {
                self.moved[at] / (self.visits[at] + PRIOR_VISITS)
            }
            _ => f64::NAN,
        }
    }
}

pub(crate) fn microprice(args: &Args<'_>) -> Result<Built, FeatureError> {
    Ok(Built {
        operator: Box::new(Microprice {
            warm_moves: args.whole("warm_moves", 1)? as f64,
            moves: 0.0,
            mid: None,
            bucket: None,
            pending: [0.0; BUCKETS],
            visits: [0.0; BUCKETS],
            moved: [0.0; BUCKETS],
            freshness: Freshness::new(args.seconds_or("max_age_s", TOP_MAX_AGE_S)?),
        }),
        topics: vec![args.top()?],
        on_gap: OnGap::Reset,
    })
}
