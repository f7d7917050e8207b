//! No quote meets one of our own: of its sleeve it waits, of another it is withheld, said once.

use cq_quotes::Plan;

use super::bench::{placed, Bench, FREE};

/// Price, sleeve and the sleeve in its way, of all withheld.
fn withheld(plan: &Plan) -> Vec<(i64, usize, usize)> {
    let all = plan.withheld.iter();
    all.map(|(made, owner)| (made.at, made.key.sleeve, *owner))
        .collect()
}

#[test]
fn a_bid_that_reaches_its_own_sleeves_ask_waits_and_is_not_said() {
    let mut bench = Bench::new(FREE);
    bench.want(0, &[(-97, 5)]);
    bench.clock();
    bench.want(0, &[(97, 5), (96, 5)]);
    let plan = bench.clock().unwrap();
    assert_eq!(plan.cancels, [1]);
    assert_eq!(placed(&plan.made), [(96, 5)]);
    assert!(plan.withheld.is_empty());
    let plan = bench.clock().unwrap_or_default();
    assert!(plan.made.is_empty() && plan.withheld.is_empty());
    bench.end(&[1]);
    assert_eq!(bench.sends(), [(97, 5)]);
}

#[test]
fn an_ask_that_reaches_its_own_sleeves_bid_waits() {
    let mut bench = Bench::new(FREE);
    bench.want(0, &[(97, 5)]);
    bench.clock();
    bench.want(0, &[(-97, 5), (-98, 5)]);
    let plan = bench.clock().unwrap();
    assert_eq!(plan.cancels, [1]);
    assert_eq!(placed(&plan.made), [(-98, 5)]);
    bench.end(&[1]);
    assert_eq!(bench.sends(), [(-97, 5)]);
}

#[test]
fn one_that_meets_another_sleeves_is_withheld_and_said_once() {
    let mut bench = Bench::new(FREE);
    bench.want(0, &[(-97, 5), (90, 5)]);
    bench.clock();
    bench.want(1, &[(98, 4), (97, 4), (96, 4)]);
    let plan = bench.clock().unwrap();
    assert_eq!(placed(&plan.made), [(96, 4)]);
    assert_eq!(withheld(&plan), [(98, 1, 0), (97, 1, 0)]);
    assert_eq!(plan.withheld[0].0.quantity, 4);
    assert_eq!(&*plan.withheld[0].0.reason, "sleeve 1");
    assert_eq!(bench.clock(), Some(Plan::default()));
    bench.want(1, &[(98, 3), (97, 4), (96, 4)]); // asked anew, nothing new is said
    assert_eq!(bench.clock(), Some(Plan::default()));
    assert_eq!(bench.desk.pull(&bench.live, None), [1, 2, 5]);
}

#[test]
fn it_goes_once_the_way_is_free_and_is_said_anew_when_it_is_not_again() {
    let mut bench = Bench::new(FREE);
    bench.want(0, &[(-97, 5)]);
    bench.clock();
    bench.want(1, &[(97, 4)]);
    assert_eq!(withheld(&bench.clock().unwrap()), [(97, 1, 0)]);
    bench.want(0, &[]);
    assert_eq!(bench.clock().unwrap().cancels, [1]);
    bench.end(&[1]);
    assert_eq!(bench.sends(), [(97, 4)]);
    bench.want(0, &[(-97, 5)]);
    assert_eq!(withheld(&bench.clock().unwrap()), [(-97, 0, 1)]);
    let bought = bench.live.ladders().find(|(of, _)| of.sleeve == 1).unwrap();
    let id = bought.1.quotes()[0].id;
    bench.live.on_fill(id, 4).unwrap();
    // sleeve 0 is first in line now, so that sleeve 1's bid meets it once more
    let plan = bench.clock().unwrap();
    assert_eq!(placed(&plan.made), [(-97, 5)]);
    assert_eq!(withheld(&plan), [(97, 1, 0)]);
}

#[test]
fn new_quotes_of_one_wake_up_do_not_meet_either() {
    let mut bench = Bench::new(FREE);
    bench.want(0, &[(-97, 5), (-99, 5), (90, 5)]);
    bench.want(1, &[(97, 4), (-91, 4), (-90, 4)]);
    let plan = bench.clock().unwrap();
    assert_eq!(placed(&plan.made), [(-97, 5), (-99, 5), (90, 5), (-91, 4)]);
    assert_eq!(withheld(&plan), [(97, 1, 0), (-90, 1, 0)]);
}

#[test]
fn the_sleeve_in_the_way_is_the_one_with_the_best_price() {
    let mut bench = Bench::new(FREE);
    bench.want(0, &[(-99, 5), (80, 5)]);
    bench.want(1, &[(-97, 5), (85, 5)]);
    bench.want(2, &[(-98, 5), (82, 5)]);
    bench.clock();
    bench.want(3, &[(99, 1), (-80, 1)]);
    assert_eq!(withheld(&bench.clock().unwrap()), [(99, 3, 1), (-80, 3, 1)]);
}

#[test]
fn instruments_do_not_meet() {
    let mut bench = Bench::new(FREE);
    bench.want_in(0, 0, &[(-97, 5)]);
    bench.want_in(1, 1, &[(99, 5)]);
    bench.want_in(0, 2, &[(98, 5)]);
    assert_eq!(bench.sends(), [(-97, 5), (98, 5), (99, 5)]);
}
