use std::collections::BTreeMap;

use super::*;
use proptest::prelude::*;

const SNAP: u32 = flags::SNAPSHOT;
const LAST: u32 = flags::LAST;

fn loaded() -> Book {
    let mut book = Book::new();
    for (px, qty) in [(98, 5), (99, 3), (97, 9)] {
        book.on_delta(Side::Buy, Px(px), Qty(qty), SNAP);
    }
    book.on_delta(Side::Sell, Px(102), Qty(4), SNAP);
    book.on_delta(Side::Sell, Px(101), Qty(2), SNAP | LAST);
    book
}

fn all(book: &Book, side: Side) -> Vec<(i64, i64)> {
    book.levels(side, usize::MAX)
        .map(|(p, q)| (p.0, q.0))
        .collect()
}

#[test]
fn a_snapshot_makes_the_book_valid_at_its_last_row_only() {
    let mut book = Book::new();
    book.on_delta(Side::Buy, Px(98), Qty(5), SNAP);
    assert!(!book.is_valid());
    book.on_delta(Side::Sell, Px(101), Qty(2), SNAP | LAST);
    assert!(book.is_valid());
    assert_eq!(book.best_bid(), Some((Px(98), Qty(5))));
    assert_eq!(book.best_ask(), Some((Px(101), Qty(2))));
}

#[test]
fn levels_run_from_the_touch_outwards() {
    let book = loaded();
    assert_eq!(all(&book, Side::Buy), [(99, 3), (98, 5), (97, 9)]);
    assert_eq!(all(&book, Side::Sell), [(101, 2), (102, 4)]);
    assert_eq!(book.levels(Side::Buy, 2).count(), 2);
    assert_eq!(book.qty_at(Side::Buy, Px(97)), Qty(9));
    assert_eq!(book.qty_at(Side::Buy, Px(96)), Qty(0));
    assert_eq!((book.depth(Side::Buy), book.depth(Side::Sell)), (3, 2));
}

#[test]
fn a_zero_quantity_deletes_and_any_other_replaces() {
    let mut book = loaded();
    book.on_delta(Side::Buy, Px(99), Qty(0), LAST);
    book.on_delta(Side::Buy, Px(98), Qty(7), LAST);
    book.on_delta(Side::Buy, Px(50), Qty(0), LAST);
    assert_eq!(all(&book, Side::Buy), [(98, 7), (97, 9)]);
    assert_eq!(book.best(Side::Buy), Some((Px(98), Qty(7))));
}

#[test]
fn a_gap_empties_the_book_until_the_next_snapshot() {
    let mut book = loaded();
    book.invalidate();
    assert!(!book.is_valid());
    assert_eq!(book.best_bid(), None);
    book.on_delta(Side::Buy, Px(99), Qty(3), LAST);
    assert!(!book.is_valid());
    assert_eq!(
        book.best_bid(),
        None,
        "a change between gap and snapshot is ignored"
    );
    book.on_delta(Side::Buy, Px(90), Qty(1), SNAP | LAST);
    assert!(book.is_valid());
    assert_eq!(all(&book, Side::Buy), [(90, 1)]);
}

#[test]
fn a_second_snapshot_replaces_the_first() {
    let mut book = loaded();
    book.on_delta(Side::Buy, Px(90), Qty(1), SNAP);
    assert!(!book.is_valid(), "half a snapshot is no book");
    book.on_delta(Side::Sell, Px(91), Qty(1), SNAP | LAST);
    assert_eq!(all(&book, Side::Buy), [(90, 1)]);
    assert_eq!(all(&book, Side::Sell), [(91, 1)]);
}

#[test]
fn a_frame_may_cross_inside_but_not_at_its_end() {
    let mut book = loaded();
    book.on_delta(Side::Buy, Px(101), Qty(1), 0);
    book.on_delta(Side::Sell, Px(101), Qty(0), LAST);
    assert!(book.is_valid());
    assert_eq!(book.crossings(), 0);
    book.on_delta(Side::Buy, Px(102), Qty(1), LAST);
    assert!(!book.is_valid(), "bid equal to ask is crossed");
    assert_eq!(book.crossings(), 1);
}

/// Prices near a touch that wanders, far from it, and between the steps of ten.
fn price() -> impl Strategy<Value = i64> {
    prop_oneof![
        6 => 600_000_i64..600_300,
        3 => (60_000_i64..60_030).prop_map(|tick| tick * 10),
        2 => 0_i64..2_000_000,
        1 => (0_i64..40).prop_map(|far| far * 1_000_000),
        1 => Just(i64::from(u32::MAX) + 600_000),
    ]
}

/// Changes, in bursts around touches that lie up to several windows apart.
fn bursts() -> impl Strategy<Value = Vec<(bool, i64, i64)>> {
    let change = (
        any::<bool>(),
        price(),
        prop_oneof![
            4 => 1_i64..5,
            2 => Just(0),
            1 => i64::from(u32::MAX) - 1..i64::from(u32::MAX) + 3
        ],
    );
    let burst = (0_i64..6, proptest::collection::vec(change, 1..80));
    proptest::collection::vec(burst, 1..8).prop_map(|bursts| {
        let moved = |(at, rows): (i64, Vec<(bool, i64, i64)>)| {
            rows.into_iter()
                .map(move |(side, px, qty)| (side, px + at * 400_000, qty))
        };
        bursts.into_iter().flat_map(moved).collect()
    })
}

proptest! {
    #[test]
    fn a_ladder_whose_window_moves_equals_a_map(
        rows in bursts(), step in prop_oneof![Just(1_i64), Just(7), Just(10), Just(1000)],
        fine in prop_oneof![Just(1_i64), Just(1_000_000), Just(1_000_000_000_000)],
    ) {
        let mut book = Book::with_step(Px(step * fine));
        let mut oracle: [BTreeMap<i64, i64>; 2] = Default::default();
        for (is_bid, px, qty) in rows {
            let px = px.saturating_mul(fine);
            let side = if is_bid { Side::Buy } else { Side::Sell };
            let map = &mut oracle[usize::from(is_bid)];
            let was = if qty == 0 { map.remove(&px) } else { map.insert(px, qty) };
            prop_assert_eq!(book.apply(side, Px(px), Qty(qty)), Qty(was.unwrap_or(0)));
            prop_assert_eq!(book.depth(side), map.len());
            let best = if is_bid { map.last_key_value() } else { map.first_key_value() };
            prop_assert_eq!(book.best(side), best.map(|(p, q)| (Px(*p), Qty(*q))));
        }
        for (side, map) in [(Side::Sell, &oracle[0]), (Side::Buy, &oracle[1])] {
            let mut levels: Vec<_> = map.iter().map(|(p, q)| (*p, *q)).collect();
            if side == Side::Buy { levels.reverse(); }
            prop_assert_eq!(all(&book, side), levels);
            for (px, qty) in map {
                prop_assert_eq!(book.qty_at(side, Px(*px)), Qty(*qty));
            }
        }
        book.clear();
        prop_assert_eq!((book.depth(Side::Buy), book.best(Side::Buy)), (0, None));
        prop_assert_eq!(all(&book, Side::Sell), []);
    }

    #[test]
    fn a_deep_ladder_equals_a_map(
        rows in proptest::collection::vec((any::<bool>(), 0_i64..300, 0_i64..5), 1..600)
    ) {
        let mut book = Book::new();
        let mut oracle: [BTreeMap<i64, i64>; 2] = Default::default();
        for (is_bid, px, qty) in rows {
            let side = if is_bid { Side::Buy } else { Side::Sell };
            book.apply(side, Px(px), Qty(qty));
            let map = &mut oracle[usize::from(is_bid)];
            if qty == 0 { map.remove(&px); } else { map.insert(px, qty); }
            prop_assert_eq!(book.qty_at(side, Px(px)), Qty(qty));
        }
        let bids: Vec<_> = oracle[1].iter().rev().map(|(p, q)| (*p, *q)).collect();
        let asks: Vec<_> = oracle[0].iter().map(|(p, q)| (*p, *q)).collect();
        prop_assert_eq!(all(&book, Side::Buy), bids);
        prop_assert_eq!(all(&book, Side::Sell), asks);
    }

    #[test]
    fn book_never_crossed_after_a_full_frame_and_equals_a_map(
        rows in proptest::collection::vec((any::<bool>(), 90_i64..110, 0_i64..4, 0_u32..4), 1..400)
    ) {
        let mut book = Book::new();
        let mut oracle: [BTreeMap<i64, i64>; 2] = Default::default();
        let (mut loading, mut known) = (false, false);
        for (is_bid, px, qty, marks) in rows {
            let side = if is_bid { Side::Buy } else { Side::Sell };
            book.on_delta(side, Px(px), Qty(qty), marks);

            if marks & SNAP != 0 && !loading {
                oracle = Default::default();
                (loading, known) = (true, true);
            }
            if known {
                let map = &mut oracle[usize::from(is_bid)];
                if qty == 0 { map.remove(&px); } else { map.insert(px, qty); }
            }
            if marks & LAST != 0 && known {
                let bid = oracle[1].last_key_value().map(|(p, _)| *p);
                let ask = oracle[0].first_key_value().map(|(p, _)| *p);
                if bid.is_some() && ask.is_some() && bid >= ask {
                    oracle = Default::default();
                    known = false;
                }
                loading = false;
            }
            prop_assert_eq!(book.is_valid(), known && !loading);
            if book.is_valid() && marks & LAST != 0 {
                if let (Some((bid, _)), Some((ask, _))) = (book.best_bid(), book.best_ask()) {
                    prop_assert!(bid < ask);
                }
            }
            let bids: Vec<_> = oracle[1].iter().rev().map(|(p, q)| (*p, *q)).collect();
            let asks: Vec<_> = oracle[0].iter().map(|(p, q)| (*p, *q)).collect();
            prop_assert_eq!(all(&book, Side::Buy), bids);
            prop_assert_eq!(all(&book, Side::Sell), asks);
        }
    }
}
