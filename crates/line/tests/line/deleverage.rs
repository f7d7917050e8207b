//! A deleveraging takes of what the venue's account holds, and we hear of it like of any fill:
//! whatever is on its way, positions and money are conserved to the last digit.

use cq_line::Deleverage;
use cq_sim::FORCED_ID;
use proptest::prelude::*;

use super::*;

const SECOND: Ts = 1_000_000_000;
const STEPS: i64 = 30;
const END: Ts = (STEPS + 1) * SECOND;

#[derive(Debug, Clone)]
struct Plan {
    /// How long an answer is on its way.
    response: Ts,
    /// Which second, which sleeve's part, which other sleeve's part.
    orders: Vec<(i64, i64, i64)>,
    /// Which second, and how many percent are taken.
    takes: BTreeMap<i64, i64>,
}

fn plan() -> impl Strategy<Value = Plan> {
    let part = || -20_i64..=20;
    let orders = prop::collection::vec((1..STEPS, part(), part()), 1..20);
    let takes = prop::collection::btree_map(1..STEPS, 1_i64..=100, 1..6);
    (0..4 * SECOND, orders, takes).prop_map(|(response, orders, takes)| Plan {
        response,
        orders,
        takes,
    })
}

fn price(second: i64) -> i64 {
    1_000_000 + 70 * (second * 37 % 11)
}

/// Between two seconds, after the orders of the first have arrived.
fn at(second: i64) -> Ts {
    second * SECOND + SECOND / 4
}

fn line(plan: &Plan) -> Line {
    let mut setup = setup(END);
    setup.sleeves = vec!["a".to_owned(), "b".to_owned()];
    setup.instruments[0].fees = always(Fees {
        maker: Decimal::ZERO,
        taker: Decimal::new(5, 4),
    });
    setup.grid = SECOND;
    setup.sample = SECOND;
    setup.capital.push(Deposit {
        sleeve: 1,
        ..setup.capital[0].clone()
    });
    setup.sim = Some(SimConfig {
        latency: latency(LATENCY, plan.response),
        ..SimConfig::default()
    });
    let mut line = Line::new(setup).unwrap();
    let seconds: Vec<Ts> = (0..=STEPS).map(|n| n * SECOND).collect();
    let column = |off: i64| (0..=STEPS).map(|n| price(n) + off).collect::<Vec<_>>();
    let depth = vec![1_000; seconds.len()];
    let quotes = Columns::Quotes([column(-10), depth.clone(), column(10), depth]);
    for rows in [quotes, Columns::Marks(column(0))] {
        line.add(Stream::new(0, stamps(&seconds, 0), rows).unwrap())
            .unwrap();
    }
    for (second, percent) in &plan.takes {
        line.add_deleverage(Deleverage {
            ts: at(*second),
            instrument: 0,
            fraction: Decimal::new(*percent, 2),
        })
        .unwrap();
    }
    line
}

/// Lives a plan; the ledger's sleeves make up its account at every wake-up.
fn live(plan: &Plan) -> Result<Line, TestCaseError> {
    let (mut line, mut id) = (line(plan), 0);
    while let Some((why, now)) = wake(&mut line) {
        let ledger = line.ledger();
        let held: i64 = (0..2).map(|s| ledger.sleeve_position(s, 0).qty.0).sum();
        prop_assert_eq!(held, ledger.position(0).qty.0);
        let equity = (0..2).map(|s| ledger.sleeve_equity(s).unwrap());
        prop_assert_eq!(equity.sum::<Decimal>(), ledger.equity().unwrap());
        let due = plan.orders.iter().filter(|(s, ..)| s * SECOND == now);
        for (_, a, b) in due.filter(|(_, a, b)| why == Wake::Timer && a + b != 0) {
            id += 1;
            line.place(market(id, a + b), vec![(0, Qty(*a)), (1, Qty(*b))])
                .unwrap();
        }
    }
    Ok(line)
}

/// Reckons a plan once more, at the venue's time: what is taken is a share of what was traded.
fn check(plan: &Plan) -> Result<usize, TestCaseError> {
    let line = live(plan)?;
    let mut fills = line.fills().to_vec();
    fills.sort_by_key(|fill| fill.ts_event);
    let (mut held, mut sleeves, mut cash) = (0, [0; 2], Decimal::from(2_000));
    let mut early = 0;
    for fill in &fills {
        let is_taken = fill.tag == "adl";
        prop_assert_eq!(is_taken, fill.order >= FORCED_ID && fill.ts_event < END);
        if is_taken {
            prop_assert_eq!(fill.ts_recv, fill.ts_event + plan.response);
            prop_assert_eq!(fill.px, Px(price(fill.ts_event / SECOND)));
            prop_assert_eq!(fill.fee, Decimal::ZERO);
            prop_assert!(held * fill.side.sign() < 0 && fill.qty.0 <= held.abs());
            early += usize::from(
                fills
                    .iter()
                    .any(|own| own.ts_event < fill.ts_event && own.ts_recv > fill.ts_event),
            );
        }
        for share in &fill.shares {
            let own = &mut sleeves[share.sleeve];
            if is_taken {
                prop_assert!(*own * share.qty.0 <= 0 && share.qty.0.abs() <= own.abs());
            }
            *own += share.qty.0;
        }
        held += fill.side.sign() * fill.qty.0;
        prop_assert_eq!(held, sleeves.iter().sum::<i64>());
        cash -= Decimal::new(fill.side.sign() * fill.qty.0 * fill.px.0, 5) + fill.fee;
    }
    prop_assert_eq!(held, 0);
    prop_assert_eq!(line.ledger().equity().unwrap(), cash);
    // How much: every share of what was held then, down to whole lots, by a plain walk.
    let mut expected = Vec::new();
    let mut walked = 0;
    let traded = |from: Ts, to: Ts| -> i64 {
        let own = fills.iter().filter(|fill| fill.order < FORCED_ID);
        own.filter(|fill| (from..to).contains(&fill.ts_event))
            .map(|fill| fill.side.sign() * fill.qty.0)
            .sum()
    };
    let mut since = 0;
    for (second, percent) in &plan.takes {
        walked += traded(since, at(*second));
        since = at(*second);
        let share = walked.abs() * percent / 100;
        if share > 0 {
            expected.push((at(*second), share));
            walked -= walked.signum() * share;
        }
    }
    let taken = fills.iter().filter(|fill| fill.tag == "adl");
    let taken: Vec<_> = taken.map(|fill| (fill.ts_event, fill.qty.0)).collect();
    prop_assert_eq!(taken, expected);
    Ok(early)
}

/// Bought at one second and taken a quarter later, which is heard of two seconds after.
#[test]
fn a_position_that_we_do_not_know_of_yet_is_taken() {
    let plan = Plan {
        response: 2 * SECOND,
        orders: vec![(3, 5, -2), (4, 1, 1)],
        takes: BTreeMap::from([(3, 100)]),
    };
    assert_eq!(check(&plan).unwrap(), 1);
    let line = live(&plan).unwrap();
    let row = &line.fills()[1];
    assert_eq!((row.tag, row.qty, row.side), ("adl", Qty(3), Side::Sell));
    assert_eq!((row.ts_event, row.ts_recv), (at(3), at(3) + 2 * SECOND));
    let shares: Vec<_> = row.shares.iter().map(|own| (own.sleeve, own.qty)).collect();
    assert_eq!(shares, [(0, Qty(-5)), (1, Qty(2))]);
    let order = line.orders().iter().find(|own| own.tag == "adl").unwrap();
    assert_eq!((order.ts, order.filled), (at(3), Qty(3)));
}

#[test]
fn the_plans_do_take_what_is_not_known_yet() {
    use proptest::strategy::ValueTree;
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let early = (0..100).map(|_| {
        let tree = plan().new_tree(&mut runner).unwrap();
        check(&tree.current()).unwrap()
    });
    assert!(early.filter(|count| *count > 0).count() > 30);
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(1_000))]

    #[test]
    fn what_is_taken_conserves_positions_and_money(plan in plan()) {
        check(&plan)?;
    }
}
