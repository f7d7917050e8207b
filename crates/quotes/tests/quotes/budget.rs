//! The limit on messages: cancels first, the nearest next, the rest once the window has passed.

use cq_quotes::{Desk, Live, Plan, Settings, Wake};

use super::bench::{placed, Bench, FREE};
use super::key;

fn bench(messages: usize, amends: bool) -> Bench {
    Bench::new(Settings {
        messages,
        amends,
        ..FREE
    })
}

#[test]
fn the_nearest_to_the_other_sides_best_price_goes_first() {
    // bids look at 100, asks at 95: they are 20, 3, 15, 4 and 4 away
    let mut bench = bench(2, false);
    bench.want(0, &[(80, 1), (97, 2), (-110, 3), (96, 4), (-99, 5)]);
    assert_eq!(bench.sends(), [(97, 2), (96, 4)]);
    bench.now += 9;
    assert_eq!(bench.sends(), [(-99, 5), (-110, 3)]);
    bench.now += 9;
    assert_eq!(bench.sends(), [(80, 1)]);
    assert_eq!(bench.clock(), None);
}

#[test]
fn all_that_the_budget_pays_for_goes_in_the_order_asked() {
    let mut bench = bench(3, false);
    bench.want(0, &[(80, 1), (97, 2), (-110, 3)]);
    assert_eq!(bench.sends(), [(80, 1), (97, 2), (-110, 3)]);
}

#[test]
fn a_message_counts_until_the_window_has_passed() {
    let mut bench = bench(1, false);
    bench.want(0, &[(90, 1), (89, 1)]);
    assert_eq!(bench.sends(), [(90, 1)]); // at 1, with a window of 10
    bench.now = 9;
    assert_eq!(bench.sends(), []); // at 10
    assert_eq!(bench.sends(), [(89, 1)]); // at 11
}

#[test]
fn messages_of_several_moments_count_together() {
    let mut bench = bench(3, false);
    bench.want(0, &[(90, 1), (89, 1)]);
    assert_eq!(bench.sends().len(), 2); // at 1
    bench.want(1, &[(88, 1), (87, 1), (86, 1), (85, 1)]);
    assert_eq!(bench.sends(), [(88, 1)]); // at 2
    bench.now = 10;
    assert_eq!(bench.sends(), [(87, 1), (86, 1)]); // at 11: two are free
    assert_eq!(bench.sends(), [(85, 1)]); // at 12: that of 2 is free
}

#[test]
fn cancels_go_before_lessened_ones_and_these_before_new_ones() {
    let mut bench = bench(4, true);
    bench.want(0, &[(90, 5), (89, 5), (88, 5), (87, 5)]);
    bench.clock();
    bench.now += 10;
    bench.want(0, &[(96, 1), (90, 2), (89, 2)]);
    let plan = bench.clock().unwrap();
    assert_eq!(plan.cancels, [3, 4]);
    let lessened: Vec<u64> = plan.smaller.iter().map(|s| s.before.id).collect();
    assert_eq!(lessened, [1, 2]);
    assert_eq!(placed(&plan.made), []);
    bench.now += 10;
    assert_eq!(bench.sends(), [(96, 1)]);
}

#[test]
fn cancels_and_lessened_ones_beyond_the_budget_stay_due() {
    let mut bench = bench(4, true);
    bench.want_in(0, 0, &[(90, 5), (89, 5)]);
    bench.want_in(0, 1, &[(88, 5), (87, 5)]);
    bench.clock();
    bench.now += 10;
    bench.desk = Desk::new(Settings {
        messages: 1,
        amends: true,
        ..FREE
    });
    bench.want_in(0, 0, &[(90, 2)]);
    bench.want_in(0, 1, &[(88, 2)]);
    let mut done = Vec::new();
    for _ in 0..4 {
        let plan = bench.clock().unwrap();
        assert_eq!(plan.cancels.len() + plan.smaller.len(), 1);
        done.extend(plan.cancels);
        done.extend(plan.smaller.iter().map(|change| change.before.id));
        assert_eq!(bench.clock().unwrap_or_default(), Plan::default());
        bench.now += 10;
    }
    assert_eq!(done, [2, 4, 1, 3]);
    assert_eq!(bench.clock(), None);
}

#[test]
fn a_reset_does_not_refill_the_budget() {
    let mut bench = bench(1, false);
    bench.want(0, &[(90, 1)]);
    bench.clock();
    bench.desk.reset();
    bench.live.reset();
    bench.want(0, &[(90, 1)]);
    assert_eq!(bench.sends(), []);
    bench.now += 10;
    assert_eq!(bench.sends(), [(90, 1)]);
}

#[test]
fn the_best_price_is_asked_for_only_beyond_the_budget_and_its_error_is_passed_on() {
    let settings = Settings {
        messages: 1,
        ..FREE
    };
    let (mut desk, mut live) = (Desk::new(settings), Live::default());
    let wake = Wake {
        now: 1,
        is_timer: true,
        has_news: true,
    };
    desk.want(key(0, 0), vec![(90, 1)], "r".into());
    let plan = desk.plan(&mut live, wake, || 1, |_, _| Err("no price"));
    assert_eq!(placed(&plan.unwrap().unwrap().made), [(90, 1)]);
    desk.want(key(0, 0), vec![(90, 1), (89, 1)], "r".into());
    let plan = desk.plan(&mut live, wake, || 2, |_, _| Err("no price"));
    assert_eq!(plan, Err("no price"));
}
