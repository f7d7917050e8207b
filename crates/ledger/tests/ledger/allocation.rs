//! Parts of partial fills.

use cq_ledger::{prorate, LedgerError};
use cq_types::Qty;
use proptest::prelude::*;

/// Fills an order in steps; returns each step's parts.
fn filled(order: &[i64], steps: &[i64]) -> Vec<Vec<i64>> {
    let order: Vec<_> = order.iter().map(|part| Qty(*part)).enumerate().collect();
    let mut before = 0;
    let each = steps.iter().map(|step| {
        let parts = prorate(&order, Qty(before), Qty(*step)).unwrap();
        before += step;
        parts.into_iter().map(|(_, part)| part.0).collect()
    });
    each.collect()
}

#[test]
fn equal_parts_take_turns_and_none_gives_back() {
    let third = [vec![-1, 0, 0], vec![0, -1, 0], vec![0, 0, -1]];
    assert_eq!(filled(&[-1, -1, -1], &[1, 1, 1]), third);
    assert_eq!(
        filled(&[2, 1, 1], &[1, 1, 1, 1]).concat(),
        [1, 0, 0, 0, 1, 0, 0, 0, 1, 1, 0, 0]
    );
}

/// Webster's method by its definition: each unit to the part with the largest claim.
fn one_by_one(parts: &[i64], house: i64) -> Vec<i64> {
    let mut seats = vec![0; parts.len()];
    for _ in 0..house {
        let mut best = 0;
        for i in 1..parts.len() {
            if parts[i] * (2 * seats[best] + 1) > parts[best] * (2 * seats[i] + 1) {
                best = i;
            }
        }
        seats[best] += 1;
    }
    seats
}

#[test]
fn a_unit_that_rounding_leaves_goes_to_the_largest_claim_not_the_largest_part() {
    // After 0, 0, 1 by rounding, claims to the second unit are 1/1, 1/1 and 3/3.
    assert_eq!(filled(&[1, 1, 3], &[2]), [[1, 0, 1]]);
}

#[test]
fn what_one_sells_to_another_grows_with_the_fill() {
    // 10 bought against 3 sold: 7 are traded outside.
    assert_eq!(filled(&[10, -3], &[1, 3, 3]), [[1, 0], [5, -2], [4, -1]]);
    assert_eq!(filled(&[-3, 10], &[7]), [[-3, 10]]);
}

#[test]
fn a_part_beyond_what_is_kept_exactly_is_refused() {
    let huge = [(0, Qty(1 << 60))];
    let refused = prorate(&huge, Qty(0), Qty(1));
    assert_eq!(refused, Err(LedgerError::Overflow("quantity")));
}

proptest! {
    #[test]
    fn parts_of_one_side_are_websters(
        order in prop::collection::vec(1_i64..12, 1..6), cut in 0.0_f64..1.0,
    ) {
        #[allow(clippy::cast_possible_truncation)] // a test's cut
        let house = (order.iter().sum::<i64>() as f64 * cut) as i64;
        prop_assert_eq!(&filled(&order, &[house])[0], &one_by_one(&order, house));
    }

    #[test]
    fn no_fill_takes_back_what_an_earlier_one_gave(
        order in prop::collection::vec(-200_i64..200, 1..6),
        scale in prop_oneof![Just(1_i64), Just(1_000_003)],
        cuts in prop::collection::vec(0.0_f64..1.0, 0..12),
    ) {
        let order: Vec<i64> = order.iter().map(|part| part * scale).collect();
        let net: i64 = order.iter().sum();
        prop_assume!(net != 0);
        #[allow(clippy::cast_possible_truncation)] // a test's cut
        let mut ends: Vec<i64> = cuts.iter().map(|cut| (net.abs() as f64 * cut) as i64).collect();
        ends.push(net.abs());
        ends.sort_unstable();
        let starts = std::iter::once(&0).chain(&ends);
        let steps: Vec<i64> = ends.iter().zip(starts).map(|(end, start)| end - start).collect();
        let mut total = vec![0; order.len()];
        for (parts, step) in filled(&order, &steps).iter().zip(&steps) {
            prop_assert_eq!(parts.iter().sum::<i64>(), net.signum() * step);
            for ((sum, part), asked) in total.iter_mut().zip(parts).zip(&order) {
                prop_assert!(part * asked.signum() >= 0, "{parts:?} of {order:?}");
                *sum += part;
            }
        }
        prop_assert_eq!(total, order);
    }
}
