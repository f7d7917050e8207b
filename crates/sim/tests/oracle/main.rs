//! Random flows through the venue and through a second one, written without looking at it.
//!
//! The oracle follows `docs/reference/matching.md` and the venues' rules. It keeps plain lists,
//! looks at all of them at each event, and works an order's place out anew from all that has
//! happened at its price. Both must give the same answers: order, price, quantity, times, kind
//! and reason, in the same order. A watcher that knows nothing of matching says of each answer
//! whether it may be. `PROPTEST_CASES` sets how many flows a test tries.

#![allow(clippy::unwrap_used)] // what the tests build is known to be there

mod arrival;
mod engine;
mod flow;
mod making;
mod market;
mod order;
mod play;
mod queue;
mod taking;
mod watched;

use std::collections::HashSet;
use std::sync::Arc;

use cq_sim::{reason, Latencies, Queue};
use engine::Oracle;
use flow::{flow, Flow};
use play::{play, venue};
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestCaseResult, TestRunner};
use watched::Watched;

/// Flows of one test, unless the environment says otherwise.
fn cases(count: u32) -> Config {
    let config = Config::default();
    let is_set = std::env::var_os("PROPTEST_CASES").is_some();
    Config {
        cases: if is_set { config.cases } else { count },
        failure_persistence: None,
        max_shrink_iters: 20_000,
        ..config
    }
}

fn agree(flow: &Flow) -> TestCaseResult {
    let theirs = play(
        flow,
        &mut Oracle::new(&flow.instruments, &flow.config, flow.most),
        usize::MAX,
    );
    let ours = play(flow, &mut Watched::new(flow), usize::MAX);
    for (step, (ours, theirs)) in ours.iter().zip(&theirs).enumerate() {
        prop_assert_eq!(
            ours,
            theirs,
            "at step {} of {:?}",
            step,
            flow.steps.get(step)
        );
    }
    Ok(())
}

proptest! {
    #![proptest_config(cases(64_000))]

    #[test]
    fn the_venue_answers_as_the_oracle_does(flow in flow(20, None)) {
        agree(&flow)?;
    }

    #[test]
    fn the_most_careful_queue_is_the_oracles_in_whole_numbers(
        flow in flow(20, Some(Queue::RiskAverse)),
    ) {
        agree(&flow)?;
    }
}

proptest! {
    #![proptest_config(cases(2_000))]

    #[test]
    fn long_flows_agree_too(flow in flow(150, None)) {
        agree(&flow)?;
    }

    #[test]
    fn rows_one_at_a_time_and_in_runs_give_the_same(flow in flow(40, None)) {
        let in_runs = play(&flow, &mut venue(&flow), usize::MAX);
        prop_assert_eq!(in_runs, play(&flow, &mut venue(&flow), 1));
    }

    #[test]
    fn the_same_seed_gives_the_same_bytes(
        flow in flow(40, None),
        samples in prop::collection::vec(0..9_i64, 1..6),
        seed in any::<u64>(),
    ) {
        let mut flow = flow;
        flow.config.latency = Latencies::Sampled {
            entry: Arc::from(samples.clone()),
            response: Arc::from(samples),
            seed,
        };
        let once = format!("{:?}", play(&flow, &mut Watched::new(&flow), usize::MAX));
        let again = format!("{:?}", play(&flow, &mut Watched::new(&flow), usize::MAX));
        prop_assert_eq!(once, again);
    }

    #[test]
    fn what_is_still_to_come_changes_no_answer(
        (flow, other, at) in (flow(40, None), flow(40, None), any::<prop::sample::Index>()),
    ) {
        let at = at.index(flow.steps.len());
        let count = u16::try_from(flow.instruments.len()).unwrap();
        let mut changed = flow.clone();
        changed.steps.truncate(at);
        changed.steps.extend(other.steps.into_iter().map(|mut step| {
            step.at %= count;
            step
        }));
        let (before, after) = (&mut venue(&flow), &mut venue(&flow));
        let (before, after) = (play(&flow, before, 9), play(&changed, after, 9));
        prop_assert_eq!(&before[..at], &after[..at]);
    }
}

/// A property of flows in which nothing happens would hold as well.
#[test]
fn the_flows_have_every_kind_of_answer() {
    let mut runner = TestRunner::deterministic();
    let mut seen = HashSet::new();
    for _ in 0..4_000 {
        let flow = flow(30, None).new_tree(&mut runner).unwrap().current();
        let mut watched = Watched::new(&flow);
        play(&flow, &mut watched, usize::MAX);
        seen.extend(watched.seen);
    }
    let expected = [
        "ack",
        "taker fill",
        "maker fill",
        "amended",
        "triggered",
        "cancelled",
        reason::UNKNOWN_INSTRUMENT,
        reason::UNKNOWN_ORDER,
        reason::NO_SUCH_ORDER,
        reason::NOT_AMENDABLE,
        reason::WOULD_TRIGGER,
        reason::DUPLICATE_ID,
        reason::BAD_QUANTITY,
        reason::DELISTED,
        reason::OFF_LOT,
        reason::OFF_TICK,
        reason::MIN_NOTIONAL,
        reason::REDUCE_ONLY,
        reason::INSUFFICIENT_BALANCE,
        reason::INSUFFICIENT_MARGIN,
        reason::WOULD_CROSS,
        reason::FOK_NOT_FILLED,
        reason::MAX_ORDERS,
        reason::MAX_TRIGGERS,
        reason::TOO_MANY_ORDERS,
        reason::ABOVE_BAND,
        reason::BELOW_BAND,
        reason::BEYOND_BOUND,
        reason::SELF_TRADE,
        reason::NO_CALLBACK,
        reason::NO_BOOK,
    ];
    let missing: Vec<_> = expected
        .iter()
        .filter(|kind| !seen.contains(*kind))
        .collect();
    assert!(missing.is_empty(), "{missing:?} of {seen:?}");
}
