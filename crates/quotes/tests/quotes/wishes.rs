//! What is wanted, given up, pulled and forgotten.

use std::sync::Arc;

use cq_quotes::Made;

use super::bench::{placed, Bench, FREE};
use super::key;

#[test]
fn what_is_wanted_is_sent_in_the_order_asked_and_numbered() {
    let mut bench = Bench::new(FREE);
    bench.want(1, &[(-97, 3), (90, 5)]);
    let plan = bench.clock().unwrap();
    let made = |id, at, quantity| Made {
        id,
        key: key(1, 0),
        at,
        quantity,
        reason: Arc::from("sleeve 1"),
    };
    assert_eq!(plan.made, [made(1, -97, 3), made(2, 90, 5)]);
    assert!(plan.cancels.is_empty() && plan.smaller.is_empty() && plan.withheld.is_empty());
    assert_eq!(bench.live.working(key(1, 0)), [5, 3]);
}

#[test]
fn sleeves_and_instruments_go_in_their_order() {
    let mut bench = Bench::new(FREE);
    bench.want_in(1, 0, &[(80, 1)]);
    bench.want_in(0, 1, &[(81, 1)]);
    bench.want_in(0, 0, &[(82, 1)]);
    assert_eq!(bench.sends(), [(82, 1), (81, 1), (80, 1)]);
}

#[test]
fn nothing_is_done_where_what_lives_is_what_is_wanted() {
    let mut bench = Bench::new(FREE);
    assert!(bench.desk.is_idle(&bench.live));
    bench.want(0, &[(90, 5), (-97, 5)]);
    assert!(!bench.desk.is_idle(&bench.live));
    bench.clock().unwrap();
    assert!(bench.desk.is_idle(&bench.live));
    assert_eq!(bench.clock(), None);
    bench.want(0, &[(-97, 5), (90, 5)]);
    assert_eq!(bench.clock(), None);
    assert!(bench.desk.is_idle(&bench.live));
}

#[test]
fn answers_wait_for_the_clock_and_news_do_not() {
    let mut bench = Bench::new(FREE);
    bench.want(0, &[(90, 5)]);
    assert_eq!(bench.wake(false, false), None);
    assert_eq!(placed(&bench.wake(false, true).unwrap().made), [(90, 5)]);
    bench.live.on_fill(1, 5).unwrap();
    assert!(!bench.desk.is_idle(&bench.live));
    assert_eq!(bench.wake(false, true), None);
    assert_eq!(bench.sends(), [(90, 5)]);
}

#[test]
fn what_is_wanted_no_longer_is_taken_back() {
    let mut bench = Bench::new(FREE);
    bench.want(0, &[(90, 5), (-97, 5)]);
    bench.want(1, &[(89, 5)]);
    bench.clock();
    bench.desk.unwant(key(0, 0));
    assert_eq!(bench.cancels(), [1, 2]);
    bench.end(&[1, 2]);
    assert_eq!(bench.clock(), None);
    bench.want(1, &[]);
    assert_eq!(bench.cancels(), [3]);
}

#[test]
fn what_is_given_up_is_not_sent_until_it_is_wanted_anew() {
    let mut bench = Bench::new(FREE);
    bench.want(0, &[(90, 5), (89, 5), (88, 5)]);
    bench.desk.give_up(key(0, 0), 90, None);
    bench.desk.give_up(key(0, 0), 88, Some(2));
    bench.desk.give_up(key(0, 0), 70, Some(2)); // is not wanted
    bench.desk.give_up(key(1, 0), 89, None); // wants nothing
    assert_eq!(bench.sends(), [(89, 5), (88, 2)]);
    bench.want(0, &[(90, 5), (89, 5), (88, 2)]);
    assert_eq!(bench.sends(), [(90, 5)]);
}

#[test]
fn given_up_once_it_lives_it_is_taken_back_at_the_next_answer() {
    let mut bench = Bench::new(FREE);
    bench.want(0, &[(90, 5), (89, 5)]);
    bench.clock();
    bench.desk.give_up(key(0, 0), 90, None);
    assert_eq!(bench.clock(), None);
    bench.live.on_fill(2, 5).unwrap();
    let plan = bench.clock().unwrap();
    assert_eq!((plan.cancels, placed(&plan.made)), (vec![1], vec![(89, 5)]));
}

#[test]
fn a_pull_takes_back_what_lives_and_forgets_what_is_wanted() {
    let mut bench = Bench::new(FREE);
    bench.want_in(0, 0, &[(90, 5), (89, 5)]);
    bench.want_in(0, 1, &[(90, 5)]);
    bench.want_in(1, 0, &[(88, 5)]);
    bench.clock();
    bench.live.cancel(2);
    bench.want_in(0, 0, &[(80, 1)]);
    assert_eq!(bench.desk.pull(&bench.live, Some(0)), [1, 4]);
    for id in [1, 4] {
        bench.live.cancel(id);
    }
    assert!(bench.desk.is_idle(&bench.live));
    bench.end(&[1, 2, 4]);
    assert_eq!(bench.clock(), None);
    bench.live.on_fill(3, 5).unwrap();
    assert_eq!(bench.sends(), [(90, 5)]); // the other instrument goes on
    assert_eq!(bench.desk.pull(&bench.live, None), [5]);
    bench.live.on_fill(5, 5).unwrap();
    assert_eq!(bench.clock(), None);
}

#[test]
fn what_is_to_be_taken_back_already_is_so_after_a_pull() {
    let mut bench = Bench::new(FREE);
    bench.want(0, &[(90, 5)]);
    bench.clock();
    bench.desk.unwant(key(0, 0));
    bench.desk.pull(&bench.live, Some(0));
    assert_eq!(bench.cancels(), [1]);
}

#[test]
fn a_reset_forgets_what_is_wanted() {
    let mut bench = Bench::new(FREE);
    bench.want(0, &[(90, 5)]);
    bench.clock();
    bench.want(1, &[(80, 5)]);
    bench.desk.reset();
    bench.live.reset();
    assert!(bench.desk.is_idle(&bench.live));
    assert_eq!(bench.clock(), None);
    bench.want(0, &[(90, 5)]);
    assert_eq!(bench.sends(), [(90, 5)]);
}
