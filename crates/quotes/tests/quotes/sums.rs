//! `ladder_sums` and `Sums` against naive code in 128 bits.

use cq_quotes::{ladder_sums, Grid, Sums, Unsound};
use proptest::prelude::*;

use super::key;

/// Whether quotes may stand, and what they come to: each rule by a look at every quote or pair.
fn naive(quotes: &[(i64, i64)], tick: i64, lot: i64) -> Result<[i64; 2], &'static str> {
    let is_on = |n: i64, step: i64| n > 0 && n.checked_rem(step) == Some(0);
    for (at, quantity) in quotes {
        if !is_on(at.abs(), tick) || !is_on(*quantity, lot) {
            return Err("grid");
        }
    }
    let side = |is_buy: bool| quotes.iter().filter(move |(at, _)| (*at > 0) == is_buy);
    let sum = |is_buy: bool| side(is_buy).map(|(_, q)| i128::from(*q)).sum::<i128>();
    let (Ok(bought), Ok(sold)) = (i64::try_from(sum(true)), i64::try_from(sum(false))) else {
        return Err("large");
    };
    if side(true).any(|(bid, _)| side(false).any(|(ask, _)| bid + ask >= 0)) {
        return Err("meets");
    }
    let same = |n: usize| quotes[..n].iter().any(|(at, _)| *at == quotes[n].0);
    if (0..quotes.len()).any(same) {
        return Err("two");
    }
    Ok([bought, sold])
}

fn name(error: &Unsound) -> &'static str {
    match error {
        Unsound::OffGrid { .. } => "grid",
        Unsound::TooLarge => "large",
        Unsound::Meets { .. } => "meets",
        Unsound::TwoAtOne => "two",
    }
}

fn quantity(lot: i64) -> impl Strategy<Value = i64> {
    prop_oneof![
        30 => (1..20_i64).prop_map(move |n| n * lot),
        1 => -2..20_i64,
        1 => Just(i64::MAX / lot * lot),
    ]
}

/// Grid and quotes; most are sound: bids below and asks above a price.
fn quotes() -> impl Strategy<Value = (i64, i64, Vec<(i64, i64)>)> {
    (1..6_i64, 1..6_i64).prop_flat_map(|(tick, lot)| {
        let px = prop_oneof![
            40 => (1..60_i64).prop_map(move |n| if n < 30 { n * tick } else { -n * tick }),
            1 => -60..60_i64,
        ];
        let quotes = prop::collection::vec((px, quantity(lot)), 0..8);
        (Just(tick), Just(lot), quotes)
    })
}

proptest! {
    #[test]
    fn a_ladder_comes_to_what_a_naive_count_says((tick, lot, quotes) in quotes()) {
        let said = ladder_sums(&quotes, tick, lot);
        match (&said, naive(&quotes, tick, lot)) {
            // a ladder that is unsound in two ways is refused for either
            (Err(_), Err(_)) => {}
            (said, expected) => prop_assert_eq!(said.as_ref().map_err(name), expected.as_ref().map_err(|e| *e)),
        }
    }

    #[test]
    fn a_ladder_of_one_flaw_is_refused_for_it(
        mut prices in prop::collection::btree_set(1..40_i64, 2..9),
        flaw in 0..4_usize,
        place in any::<prop::sample::Index>(),
    ) {
        let last = prices.pop_last().unwrap() * 10;
        let mut quotes: Vec<(i64, i64)> = prices.iter().map(|px| (px * 10, 6)).collect();
        quotes.push((-last, 6));
        let at = place.index(quotes.len() - 1);
        match flaw {
            0 => quotes[at].1 = 7,
            1 => quotes.push((-quotes[at].0, 6)),
            2 => quotes.push(quotes[at]),
            _ => {
                quotes[at].1 = i64::MAX / 6 * 6;
                quotes.push((5 * 10_i64.pow(3), 12));
                quotes.remove(prices.len());
            }
        }
        let expected = ["grid", "meets", "two", "large"][flaw];
        let said = ladder_sums(&quotes, 10, 6);
        prop_assert_eq!(said.as_ref().map_err(name), Err(expected));
    }

    /// A grid's price and quantity divide all there are, and nothing larger does.
    #[test]
    fn all_orders_lie_on_a_step_exactly_where_the_grid_does(
        step in 1..50_i64,
        orders in prop::collection::vec((0..3_u16, 1..40_i64, 1..40_i64), 1..8),
        by in 1..200_i64,
    ) {
        let mut sums = Sums::default();
        for (instrument, px, quantity) in &orders {
            prop_assert_eq!(sums.add(*instrument, px * step, quantity * 3), Some(()));
        }
        for instrument in 0..3 {
            let mine = || orders.iter().filter(move |order| order.0 == instrument);
            let Some(grid) = sums.grids.get(&instrument) else {
                prop_assert_eq!(mine().count(), 0);
                continue;
            };
            prop_assert_eq!(mine().all(|o| o.1 * step % by == 0), grid.px % by == 0);
            prop_assert_eq!(mine().all(|o| o.2 * 3 % by == 0), grid.quantity % by == 0);
            let least = mine().map(|o| o.1 * step * o.2 * 3).min();
            prop_assert_eq!(Some(grid.least), least);
            prop_assert!(grid.px > 0 && grid.quantity > 0);
        }
    }

    #[test]
    fn parts_add_up_by_sleeve_and_side(
        parts in prop::collection::vec((0..2_usize, 0..2_u16, -9..10_i64), 0..20),
    ) {
        let mut sums = Sums::default();
        for (sleeve, instrument, quantity) in &parts {
            prop_assert_eq!(sums.add_part(key(*sleeve, *instrument), *quantity), Some(()));
        }
        for (sleeve, instrument) in [(0, 0), (0, 1), (1, 0), (1, 1)] {
            let mine = parts.iter().filter(|part| (part.0, part.1) == (sleeve, instrument));
            let side = |sign: i64| mine.clone().map(|part| (sign * part.2).max(0)).sum::<i64>();
            let said = sums.sides.get(&key(sleeve, instrument)).copied();
            prop_assert_eq!(said.unwrap_or_default(), [side(1), side(-1)]);
        }
    }
}

#[test]
fn errors_say_what_and_where() {
    let said = |quotes: &[(i64, i64)]| ladder_sums(quotes, 10, 2).unwrap_err().to_string();
    assert_eq!(
        said(&[(-95, 4)]),
        "sell 4 at 95: expected positive multiples of the lot 2 and the tick 10"
    );
    assert_eq!(
        said(&[(90, 4), (100, 2), (-100, 2), (-120, 2)]),
        "a bid at 100 meets an ask at 100"
    );
    assert_eq!(said(&[(90, 4), (90, 2)]), "two quotes have one price");
    assert_eq!(
        ladder_sums(&[(90, 4), (-100, 2), (80, 2)], 10, 2),
        Ok([6, 2])
    );
    assert_eq!(ladder_sums(&[], 10, 2), Ok([0, 0]));
}

#[test]
fn what_cannot_be_counted_is_told() {
    let mut sums = Sums::default();
    assert_eq!(sums.add(0, 0, 1), None);
    assert_eq!(sums.add(0, 1, 0), None);
    assert_eq!(sums.add(0, -5, 1), None);
    assert_eq!(sums.add(0, 1 << 32, 1 << 31), None);
    assert!(sums.grids.is_empty());
    assert_eq!(sums.add_part(key(0, 0), i64::MIN), None);
    assert_eq!(sums.add_part(key(0, 0), i64::MAX), Some(()));
    assert_eq!(sums.add_part(key(0, 0), 1), None);
    assert_eq!(sums.add_part(key(0, 0), -1), Some(()));
}

#[test]
fn the_grid_of_some_orders_by_hand() {
    let mut sums = Sums::default();
    for (px, quantity) in [(120, 8), (90, 12), (150, 20)] {
        sums.add(1, px, quantity).unwrap();
    }
    let (px, quantity, least) = (30, 4, 960);
    assert_eq!(
        sums.grids[&1],
        Grid {
            px,
            quantity,
            least
        }
    );
}
