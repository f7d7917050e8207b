use cq_types::Qty;
use smallvec::{smallvec, SmallVec};

use crate::{LedgerError, SleeveIdx};

/// Signed part of a traded quantity that belongs to a sleeve.
pub type Allocation = (SleeveIdx, Qty);
/// All of an order's or a fill's; nearly every one is of one sleeve.
pub type Parts = SmallVec<[Allocation; 1]>;

/// Parts are smaller than this, so that products of two fit.
const LARGEST: u64 = 1 << 60;

/// Parts of one partial fill, from the parts of its order.
///
/// `filled` of the order's `|Σ parts|` was traded before and `qty` (unsigned) is traded now.
/// Each sleeve has its fair share of what is filled in total, and never less of it than before:
/// no fill takes back what an earlier one gave. The parts add up to each fill and, at the end,
/// to the order.
///
/// Buyers and sellers of an order that nets grow together; within each, units go by Webster's
/// method (M. Balinski, H. P. Young, "Fair Representation", 1982: divisor methods are the ones
/// of which a larger house never takes a seat from anybody).
///
/// # Errors
/// When the order nets to nothing, more would be filled than it asked for, or a part is 2^60 or
/// larger.
pub fn prorate(order: &[Allocation], filled: Qty, qty: Qty) -> Result<Parts, LedgerError> {
    let bad = |text: &str| LedgerError::BadAllocation(text.to_owned());
    let net: i128 = order.iter().map(|(_, q)| i128::from(q.0)).sum();
    let (total, before) = (net.abs(), i128::from(filled.0));
    let after = before + i128::from(qty.0);
    if net == 0 {
        return Err(bad("the order nets to nothing"));
    }
    if order
        .iter()
        .any(|(_, part)| part.0.unsigned_abs() >= LARGEST)
        || total >= LARGEST.into()
    {
        return Err(LedgerError::Overflow("quantity"));
    }
    if before < 0 || qty.0 < 0 || after > total {
        return Err(bad("more was filled than ordered"));
    }
    if let [(sleeve, part)] = order {
        // Nobody shares it: nearly every order is such.
        return Ok(smallvec![(*sleeve, Qty(part.0.signum() * qty.0))]);
    }
    let earlier = shares(order, net, before);
    let shares = shares(order, net, after);
    let parts = order.iter().zip(shares.into_iter().zip(earlier));
    parts
        .map(|(&(sleeve, _), (share, earlier))| {
            let part = i64::try_from(share - earlier);
            Ok((
                sleeve,
                Qty(part.map_err(|_| LedgerError::Overflow("quantity"))?),
            ))
        })
        .collect()
}

/// What each sleeve has once `done` of an order's `|net|` is filled.
fn shares(order: &[Allocation], net: i128, done: i128) -> Vec<i128> {
    let side = net.signum();
    let sized = |along: bool| -> Vec<i128> {
        let part = |q: Qty| i128::from(q.0) * side;
        let own = order.iter().map(|(_, q)| part(*q));
        own.map(|part| if along { part.max(0) } else { (-part).max(0) })
            .collect()
    };
    let (with, against) = (sized(true), sized(false));
    let opposed = rounded(against.iter().sum::<i128>() * done, net.abs());
    let with = apportion(&with, done + opposed);
    let against = apportion(&against, opposed);
    let both = with.into_iter().zip(against);
    both.map(|(with, against)| side * (with - against))
        .collect()
}

/// Webster's apportionment of `house` units to `parts`, ties to the earlier one.
fn apportion(parts: &[i128], house: i128) -> Vec<i128> {
    let whole: i128 = parts.iter().sum();
    if whole == 0 {
        return vec![0; parts.len()];
    }
    let mut seats: Vec<_> = parts
        .iter()
        .map(|part| rounded(part * house, whole))
        .collect();
    let mut missing = house - seats.iter().sum::<i128>();
    // A part's claim to its n-th unit is part / (2n - 1); compared across, without division.
    while missing > 0 {
        let claims =
            |a: usize, b: usize| parts[a] * (2 * seats[b] + 1) > parts[b] * (2 * seats[a] + 1);
        let next = (1..parts.len()).fold(0, |best, i| if claims(i, best) { i } else { best });
        seats[next] += 1;
        missing -= 1;
    }
    while missing < 0 {
        let held = (0..parts.len()).filter(|i| seats[*i] > 0);
        let claims =
            |a: usize, b: usize| parts[a] * (2 * seats[b] - 1) <= parts[b] * (2 * seats[a] - 1);
        let Some(last) = held.reduce(|worst, i| if claims(i, worst) { i } else { worst }) else {
            break;
        };
        seats[last] -= 1;
        missing += 1;
    }
    seats
}

/// A quotient of numbers that are not negative, halves up.
fn rounded(numerator: i128, denominator: i128) -> i128 {
    (2 * numerator + denominator) / (2 * denominator)
}
