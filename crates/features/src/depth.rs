//! Beyond the best bid and ask.

use cq_book::Book;
use cq_types::{Grid, Px, Qty, Side, Ts};

use crate::args::{Args, Built};
use crate::operator::{Freshness, Input, OnGap, Operator, Top, Topic};
use crate::state::state;
use crate::top::TOP_MAX_AGE_S;
use crate::window::ratio;
use crate::FeatureError;

/// A number read off the best `levels` of both sides after each frame.
struct OfDepth {
    levels: usize,
    value: f64,
    freshness: Freshness,
    read: fn(&Book, Grid, &Top, usize) -> f64,
}

state!(OfDepth { value, freshness });

impl Operator for OfDepth {
    fn update(&mut self, _slot: usize, input: &Input<'_>) {
        if let Input::Book {
            ts,
            grid,
            top,
            book,
        } = input
        {
            self.freshness.touch(*ts);
            self.value = (self.read)(book, *grid, top, self.levels);
        }
    }
    fn value(&self, now: Ts) -> f64 {
        if self.freshness.holds(now) {
            return self.value;
        }
        f64::NAN
    }
}

fn of_depth(
    args: &Args<'_>,
    read: fn(&Book, Grid, &Top, usize) -> f64,
) -> Result<Built, FeatureError> {
    Ok(Built {
        operator: Box::new(OfDepth {
            levels: args.whole("levels", 1)?,
            value: f64::NAN,
            freshness: Freshness::new(args.seconds_or("max_age_s", TOP_MAX_AGE_S)?),
            read,
        }),
        topics: vec![Topic::Book(args.instrument("instrument")?)],
        on_gap: OnGap::Reset,
    })
}

/// Quantity of the best `n` levels and the price of the `n`-th; NaN where there are fewer.
fn cumulative(book: &Book, grid: Grid, side: Side, n: usize) -> (f64, f64) {
    let mut count = 0;
    let sum = |(total, _): (i64, Px), (px, qty): (Px, Qty)| {
        count += 1;
        (total + qty.0, px)
    };
    let (total, px) = book.levels(side, n).fold((0, Px(0)), sum);
    if count < n {
        return (f64::NAN, f64::NAN);
    }
    (grid.quantity_f64(Qty(total)), grid.price_f64(px))
}

/// Bid minus ask quantity of the best levels over their sum, −1 to 1.
pub(crate) fn imbalance(args: &Args<'_>) -> Result<Built, FeatureError> {
    of_depth(args, |book, grid, _, n| {
        let (bid, _) = cumulative(book, grid, Side::Buy, n);
        let (ask, _) = cumulative(book, grid, Side::Sell, n);
        ratio(bid - ask, bid + ask)
    })
}

/// Quantity per bps of distance from the mid down to the `n`-th level, mean of both sides.
pub(crate) fn slope(args: &Args<'_>) -> Result<Built, FeatureError> {
    of_depth(args, |book, grid, top, n| {
        let (bid, lowest) = cumulative(book, grid, Side::Buy, n);
        let (ask, highest) = cumulative(book, grid, Side::Sell, n);
        let below = ratio(bid, -top.bps_from_mid(lowest));
        let above = ratio(ask, top.bps_from_mid(highest));
        f64::midpoint(below, above)
    })
}
