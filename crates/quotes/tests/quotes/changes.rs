//! What is wrong: replaced one after the other, refilled, lessened.

use cq_quotes::{Settings, Smaller};

use super::bench::{Bench, FREE};
use super::key;

#[test]
fn a_cancel_goes_before_its_replacement() {
    let mut bench = Bench::new(FREE);
    bench.want(0, &[(90, 5)]);
    bench.clock();
    bench.want(0, &[(90, 9)]);
    assert_eq!(bench.cancels(), [1]);
    assert_eq!(bench.clock(), None); // nothing is heard of it: the place is not free
    bench.end(&[1]);
    assert_eq!(bench.sends(), [(90, 9)]);
}

#[test]
fn a_new_price_is_taken_while_the_old_one_is_taken_back() {
    let mut bench = Bench::new(FREE);
    bench.want(0, &[(90, 5)]);
    bench.clock();
    bench.want(0, &[(91, 5)]);
    let plan = bench.clock().unwrap();
    assert_eq!((plan.cancels.len(), plan.made.len()), (1, 1));
    bench.want(0, &[(90, 5)]); // back again, while order 1 is on its way out
    assert_eq!(bench.cancels(), [2]);
    bench.end(&[2]);
    assert_eq!(bench.clock(), None);
    bench.end(&[1]);
    assert_eq!(bench.sends(), [(90, 5)]);
}

#[test]
fn a_cancel_that_is_refused_is_asked_for_again() {
    let mut bench = Bench::new(FREE);
    bench.want(0, &[(90, 5)]);
    bench.clock();
    bench.want(0, &[]);
    assert_eq!(bench.cancels(), [1]);
    bench.live.on_kept(1);
    assert_eq!(bench.cancels(), [1]);
}

#[test]
fn one_filled_in_part_keeps_its_place_down_to_the_part_of_refill() {
    let refill = 0.5;
    let mut bench = Bench::new(Settings { refill, ..FREE });
    bench.want(0, &[(90, 10)]);
    bench.clock();
    bench.live.on_fill(1, 5).unwrap();
    assert_eq!(bench.clock(), None); // 5 of 10 are left
    bench.live.on_fill(1, 1).unwrap();
    assert_eq!(bench.cancels(), [1]);
    bench.end(&[1]);
    assert_eq!(bench.sends(), [(90, 10)]);
}

#[test]
fn one_that_was_ordered_for_less_than_is_wanted_is_replaced() {
    let refill = 0.5;
    let mut bench = Bench::new(Settings { refill, ..FREE });
    bench.want(0, &[(90, 9)]);
    bench.clock();
    bench.want(0, &[(90, 10)]);
    assert_eq!(bench.cancels(), [1]);
}

#[test]
fn one_that_has_just_what_is_wanted_left_stays() {
    let mut bench = Bench::new(FREE);
    bench.want(0, &[(90, 9)]);
    bench.clock();
    bench.live.on_fill(1, 4).unwrap();
    bench.want(0, &[(90, 5)]);
    assert_eq!(bench.clock(), None);
}

#[test]
fn one_that_is_too_large_is_taken_back_where_nothing_amends() {
    let mut bench = Bench::new(FREE);
    bench.want(0, &[(90, 9), (89, 9)]);
    bench.clock();
    bench.want(0, &[(90, 5), (89, 9)]);
    assert_eq!(bench.cancels(), [1]);
}

#[test]
fn one_that_is_too_large_is_lessened_where_the_venue_amends() {
    let amends = true;
    let mut bench = Bench::new(Settings { amends, ..FREE });
    bench.want(0, &[(90, 9)]);
    bench.clock();
    bench.live.on_fill(1, 2).unwrap();
    bench.want(0, &[(90, 5)]);
    let before = bench.live.get(1).unwrap().1.clone();
    let (key, left) = (key(0, 0), 5);
    let plan = bench.clock().unwrap();
    assert_eq!(plan.smaller, [Smaller { key, before, left }]);
    assert!(plan.cancels.is_empty() && plan.made.is_empty());
    bench.want(0, &[(90, 4)]);
    assert_eq!(bench.clock(), None); // its answer will tell
    bench.live.on_amended(1, 7);
    let plan = bench.clock().unwrap();
    assert_eq!((plan.smaller.len(), plan.smaller[0].left), (1, 4));
    bench.live.on_kept(1);
    assert_eq!(bench.clock().unwrap().smaller, plan.smaller.as_slice());
    bench.live.on_amended(1, 6);
    assert_eq!(bench.clock(), None);
}

#[test]
fn one_that_is_being_lessened_is_taken_back_once_it_is_not_wanted() {
    let amends = true;
    let mut bench = Bench::new(Settings { amends, ..FREE });
    bench.want(0, &[(90, 9)]);
    bench.clock();
    bench.want(0, &[(90, 5)]);
    assert_eq!(bench.clock().unwrap().smaller.len(), 1);
    bench.want(0, &[]);
    assert_eq!(bench.cancels(), [1]);
}
