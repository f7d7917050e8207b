//! The difference between the quotes that a sleeve wants and those that it has.

use crate::standing::Standing;
use crate::{At, Ladder};

/// What a sleeve's quotes need, each in the order of what it comes from.
#[derive(Default)]
pub(crate) struct Difference {
    /// Live orders that no longer fit.
    pub(crate) wrong: Vec<u64>,
    /// Orders that are too large, with what may be left of each.
    pub(crate) larger: Vec<(u64, i64)>,
    /// Prices at which nothing lives.
    pub(crate) missing: Vec<At>,
}

/// Compares.
///
/// A live order fits where a quote is wanted at its price, it was ordered with at least that
/// quantity, no more than that is left of it, and not less than the part `refill`. So one that was
/// filled in part keeps its place in the queue. What is being cancelled or changed is left alone:
/// its answer will tell.
#[allow(clippy::cast_precision_loss)] // a part of a quantity, not money
pub(crate) fn difference(
    wanted: Option<&Standing>,
    live: Option<&Ladder>,
    refill: f64,
) -> Difference {
    let mut found = Difference::default();
    for quote in live.map_or(&[][..], Ladder::quotes) {
        if quote.is_cancelling {
            continue;
        }
        let Some(most) = wanted.and_then(|wanted| wanted.at(quote.at)) else {
            found.wrong.push(quote.id);
            continue;
        };
        if quote.amended.is_some() {
            continue;
        }
        let left = quote.remaining();
        if left > most {
            found.larger.push((quote.id, most));
        } else if quote.quantity < most || (left as f64) < refill * most as f64 {
            found.wrong.push(quote.id);
        }
    }
    let wanted = wanted.map_or(&[][..], Standing::quotes);
    let is_free = |at: &At| live.is_none_or(|live| !live.has(*at));
    found
        .missing
        .extend(wanted.iter().map(|(at, _)| *at).filter(is_free));
    found
}
