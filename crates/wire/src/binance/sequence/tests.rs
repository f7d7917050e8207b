use super::*;

fn futures(previous: i64, first: i64, last: i64) -> Update {
    Update {
        first,
        last,
        previous: Some(previous),
    }
}

#[test]
fn a_snapshot_is_bridged_then_the_chain_must_hold() {
    let mut s = Sequencer::default();
    assert_eq!(s.update(futures(0, 1, 5)), Ok(Step::Buffer));
    s.snapshot(20);
    assert_eq!(s.update(futures(5, 8, 19)), Ok(Step::Drop));
    assert_eq!(s.update(futures(19, 20, 24)), Ok(Step::Apply));
    assert_eq!(s.update(futures(24, 30, 31)), Ok(Step::Apply));
    let gap = s.update(futures(33, 34, 35)).unwrap_err();
    assert!(gap.needs_resync(), "{gap}");
    assert_eq!(s.update(futures(35, 36, 37)), Ok(Step::Buffer));
    assert_eq!(s.last(), None);
}

#[test]
fn spot_updates_follow_one_another_without_a_hole() {
    let spot = |first, last| Update {
        first,
        last,
        previous: None,
    };
    let mut s = Sequencer::default();
    s.snapshot(10);
    assert_eq!(s.update(spot(5, 10)), Ok(Step::Apply));
    assert_eq!(s.update(spot(11, 12)), Ok(Step::Apply));
    assert_eq!(s.update(spot(11, 12)), Ok(Step::Drop));
    assert!(s.update(spot(14, 15)).is_err());
}

#[test]
fn a_snapshot_that_no_update_bridges_is_a_gap() {
    let mut s = Sequencer::default();
    s.snapshot(10);
    let gap = WireError::Gap {
        expected: 10,
        found: 12,
    };
    assert_eq!(s.update(futures(12, 13, 14)), Err(gap));
}

fn plan(frames: &[(i64, i64, i64, u32)]) -> Plan {
    let ids = |which: fn(&(i64, i64, i64, u32)) -> i64| frames.iter().map(which).collect();
    let (prev, first, last): (Vec<_>, Vec<_>, Vec<_>) = (ids(|f| f.0), ids(|f| f.1), ids(|f| f.2));
    let marks: Vec<_> = frames.iter().map(|f| f.3 | flags::LAST).collect();
    let side = vec![1; frames.len()];
    plan_book(Chain::new(&first, &last, &prev, &side, &marks).unwrap())
}

#[test]
fn updates_recorded_before_their_snapshot_are_applied_after_it() {
    let plan = plan(&[
        (0, 1, 4, 0),
        (4, 5, 8, 0),
        (8, 9, 12, 0),
        (MISSING, 6, 6, flags::SNAPSHOT),
        (12, 13, 13, 0),
        (99, 100, 101, 0),
        (MISSING, 101, 101, flags::SNAPSHOT),
        (101, 102, 103, 0),
        (MISSING, 102, 102, flags::SNAPSHOT),
    ]);
    assert_eq!(plan.rows, [3, 1, 2, 4, 6, 5, 7]);
    assert_eq!(plan.gaps, [5]);
}

#[test]
fn without_a_snapshot_there_is_no_book() {
    let plan = plan(&[(0, 1, 4, 0), (4, 5, 8, 0)]);
    assert_eq!(plan, Plan::default());
}
