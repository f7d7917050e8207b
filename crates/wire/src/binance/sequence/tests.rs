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
