//! Best bid and ask.

use std::collections::VecDeque;

use cq_types::Ts;

use crate::args::{Args, Built};
use crate::operator::{Freshness, Input, OnGap, Operator, Top};
use crate::state::state;
use crate::window::ratio;
use crate::FeatureError;

/// A top of book a minute old no longer speaks for now.
pub(crate) const TOP_MAX_AGE_S: Ts = 60;

/// A number read off the current top of book.
struct OfTop {
    value: f64,
    freshness: Freshness,
    read: fn(&Top) -> f64,
}

state!(OfTop { value, freshness });

impl Operator for OfTop {
    fn update(&mut self, _slot: usize, input: &Input<'_>) {
        if let Some((ts, top)) = input.top() {
            self.freshness.touch(ts);
            self.value = (self.read)(&top);
        }
    }
    fn value(&self, now: Ts) -> f64 {
        if self.freshness.holds(now) {
            return self.value;
        }
        f64::NAN
    }
}

fn of_top(args: &Args<'_>, read: fn(&Top) -> f64) -> Result<Built, FeatureError> {
    Ok(Built {
        operator: Box::new(OfTop {
            value: f64::NAN,
            freshness: Freshness::new(args.seconds_or("max_age_s", TOP_MAX_AGE_S)?),
            read,
        }),
        topics: vec![args.top()?],
        on_gap: OnGap::Reset,
    })
}

/// Ask minus bid in bps of the mid.
pub(crate) fn spread(args: &Args<'_>) -> Result<Built, FeatureError> {
    of_top(args, |top| (top.ask - top.bid) / top.mid() * 1e4)
}

/// Bid minus ask quantity over their sum, −1 to 1.
pub(crate) fn imbalance(args: &Args<'_>) -> Result<Built, FeatureError> {
    of_top(args, |top| {
        ratio(top.bid_qty - top.ask_qty, top.bid_qty + top.ask_qty)
    })
}

/// Mid weighted by the opposite quantities, in bps from the mid.
pub(crate) fn weighted_mid(args: &Args<'_>) -> Result<Built, FeatureError> {
    of_top(args, |top| {
        let quantity = top.bid_qty + top.ask_qty;
        let weighted = ratio(top.bid * top.ask_qty + top.ask * top.bid_qty, quantity);
        top.bps_from_mid(weighted)
    })
}

/// Log return of the mid over a span, in bps.
struct MidReturn {
    span: Ts,
    freshness: Freshness,
    /// Changes of the mid; the first one was in force `span` before the last update.
    mids: VecDeque<(Ts, f64)>,
}

state!(MidReturn { freshness, mids });

impl Operator for MidReturn {
    fn update(&mut self, _slot: usize, input: &Input<'_>) {
        let Some((ts, top)) = input.top() else {
            return;
        };
        self.freshness.touch(ts);
        let mid = top.mid();
        let is_change = self
            .mids
            .back()
            .is_none_or(|&(_, last)| mid.to_bits() != last.to_bits());
        if is_change {
            self.mids.push_back((ts, mid));
        }
        while self.mids.len() > 1 && self.mids[1].0 <= ts - self.span {
            self.mids.pop_front();
        }
    }
    fn value(&self, now: Ts) -> f64 {
        let past = self.mids.partition_point(|(ts, _)| *ts <= now - self.span);
        let then = past.checked_sub(1).and_then(|index| self.mids.get(index));
        match then.zip(self.mids.back()) {
            Some((&(_, then), &(_, last))) if self.freshness.holds(now) => (last / then).ln() * 1e4,
            _ => f64::NAN,
        }
    }
}

pub(crate) fn mid_return(args: &Args<'_>) -> Result<Built, FeatureError> {
    Ok(Built {
        operator: Box::new(MidReturn {
            span: args.seconds("window_s")?,
            freshness: Freshness::new(args.seconds_or("max_age_s", TOP_MAX_AGE_S)?),
            mids: VecDeque::new(),
        }),
        topics: vec![args.top()?],
        on_gap: OnGap::Reset,
    })
}
