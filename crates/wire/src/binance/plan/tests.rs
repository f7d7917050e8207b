use proptest::prelude::*;

use super::*;

/// Frames of one row: `prev_id`, `first_id`, `last_id`, marks.
type Row = (i64, i64, i64, u32);

fn plan_in(parts: &[&[Row]]) -> Plan {
    let (mut planner, mut whole) = (Planner::default(), Plan::default());
    let mut take = |plan: Plan| {
        whole.rows.extend(plan.rows);
        whole.gaps.extend(plan.gaps);
    };
    for rows in parts {
        let ids = |which: fn(&Row) -> i64| rows.iter().map(which).collect::<Vec<_>>();
        let (prev, first, last) = (ids(|f| f.0), ids(|f| f.1), ids(|f| f.2));
        let marks: Vec<_> = rows.iter().map(|f| f.3).collect();
        let side = vec![1; rows.len()];
        let chain = Chain::new(&first, &last, &prev, &side, &marks);
        let kept = planner.keeps();
        let plan = planner.feed(chain.unwrap());
        assert!(plan.rows.iter().chain(&plan.gaps).all(|row| *row >= kept));
        take(plan);
    }
    take(planner.finish());
    whole
}

fn plan(frames: &[Row]) -> Plan {
    let rows: Vec<_> = frames
        .iter()
        .map(|f| (f.0, f.1, f.2, f.3 | flags::LAST))
        .collect();
    plan_in(&[&rows])
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

#[test]
fn of_too_many_that_wait_the_oldest_give_way() {
    let many = i64::try_from(WAITING).unwrap() + 2;
    let mut frames: Vec<Row> = (0..many).map(|id| (id, id + 1, id + 1, 0)).collect();
    frames.push((MISSING, 1, 1, flags::SNAPSHOT));
    let late = plan(&frames);
    let snapshot = u64::try_from(many).unwrap();
    assert_eq!((late.rows, late.gaps), (vec![snapshot], vec![2]));
    *frames.last_mut().unwrap() = (MISSING, 2, 2, flags::SNAPSHOT);
    let held = plan(&frames);
    assert_eq!((held.rows.len(), held.gaps), (1 + WAITING, vec![]));
}

/// Frames of up to three rows over a chain with lost updates, repeats and snapshots.
fn recording() -> impl Strategy<Value = Vec<Row>> {
    let frame = (1..4_i64, 0..12_u8, 1..4_usize);
    proptest::collection::vec(frame, 0..60).prop_map(|frames| {
        let (mut last, mut rows) = (100, Vec::new());
        for (step, what, length) in frames {
            let (row, own) = match what {
                0 => ((MISSING, last - step, last - step, flags::SNAPSHOT), last),
                1 => ((MISSING, last, last, flags::SNAPSHOT), last),
                2 => ((last + 1, last + 2, last + 1 + step, 0), last + 1 + step),
                3 => ((last - step, last - step + 1, last, 0), last),
                _ => ((last, last + 1, last + step, 0), last + step),
            };
            last = own;
            rows.extend(std::iter::repeat_n(row, length));
            rows.last_mut().unwrap().3 |= flags::LAST;
        }
        rows
    })
}

proptest! {
    #[test]
    fn a_plan_does_not_depend_on_where_the_rows_are_cut(
        rows in recording(), cuts in proptest::collection::vec(0..180_usize, 0..12),
    ) {
        let mut bounds: Vec<_> = cuts.into_iter().map(|cut| cut.min(rows.len())).collect();
        bounds.extend([0, rows.len()]);
        bounds.sort_unstable();
        let parts: Vec<_> = bounds.windows(2).map(|pair| &rows[pair[0]..pair[1]]).collect();
        prop_assert_eq!(plan_in(&parts), plan_in(&[&rows]));
    }
}
