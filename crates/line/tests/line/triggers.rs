//! Orders that wait for a trigger are asked for margin when it is reached: what needs more than is
//! free then expires, and no sequence of them opens more than the account can pay for.

use cq_sim::{StopMargin, TriggerBy};
use cq_types::Event;
use proptest::prelude::*;
use proptest::strategy::ValueTree;
use proptest::test_runner::{Config, TestRunner};

use super::*;

const SECOND: Ts = 1_000_000_000;

/// Marks, one a second from 0 s on, each with bids at it and offers 0.10 above, deep enough for
/// all; ten times leverage on 1000 USDT.
fn line(marks: &[i64], stop_margin: StopMargin) -> Line {
    line_with(marks, |sim| sim.stop_margin = stop_margin, None)
}

/// As [`line`], with other settings and one more stream.
fn line_with(marks: &[i64], set: impl Fn(&mut SimConfig), more: Option<Stream>) -> Line {
    let times: Vec<Ts> = (0..).map(|n| n * SECOND).take(marks.len()).collect();
    let mut setup = setup(times.last().unwrap() + 2 * SECOND);
    (setup.grid, setup.sample) = (SECOND, SECOND);
    if let Some(sim) = &mut setup.sim {
        set(sim);
    }
    let mut line = Line::new(setup).unwrap();
    line.set_leverage(0, 10).unwrap();
    let deep = vec![1_000_000_000; marks.len()];
    let asks = marks.iter().map(|px| px + 10).collect();
    let quotes = Columns::Quotes([marks.to_vec(), deep.clone(), asks, deep]);
    line.add(Stream::new(0, stamps(&times, 0), quotes).unwrap())
        .unwrap();
    let rows = Columns::Marks(marks.to_vec());
    line.add(Stream::new(0, stamps(&times, 0), rows).unwrap())
        .unwrap();
    if let Some(stream) = more {
        line.add(stream).unwrap();
    }
    assert_eq!(wake(&mut line), Some((Wake::Timer, 0)));
    line
}

/// A stop by the mark that may open.
fn opening(id: u64, signed: i64, px: i64) -> Request {
    Request {
        trigger_by: TriggerBy::Mark,
        reduce_only: false,
        ..stop(id, signed, px)
    }
}

fn to_the_end(line: &mut Line) -> Vec<Event<Account>> {
    while wake(line).is_some() {}
    line.take_answers()
}

/// Orders that filled, and how those ended that did not.
fn ends(answers: &[Event<Account>]) -> (Vec<u64>, Vec<(u64, &'static str)>) {
    let (mut filled, mut ended) = (Vec::new(), Vec::new());
    for answer in answers {
        match answer.body {
            Account::Fill { order, .. } if order < 1 << 62 => filled.push(order),
            Account::Cancelled { order, reason } | Account::Reject { order, reason } => {
                ended.push((order, reason));
            }
            _ => {}
        }
    }
    (filled, ended)
}

#[test]
fn what_is_set_off_together_opens_no_more_than_there_is_margin_for() {
    // On arrival each needs 40 x 110 / 10 and 40 x 10 of open loss: 840 of 1000. At the mark of
    // 110.00 each needs 40 x 110.16 / 10 and 40 x 0.16: 447.04. After two of them, bought at
    // 110.10, free is 1000 - 80 x 0.10 - 880.
    let mut line = line(&[10_000, 11_000], StopMargin::ArrivalAndTrigger);
    for id in 1..=3 {
        place(&mut line, opening(id, 40_000, 11_000));
    }
    let answers = to_the_end(&mut line);
    assert_eq!(
        ends(&answers),
        (vec![1, 2], vec![(3, "insufficient_margin")])
    );
    let row = line.orders().iter().find(|row| row.request.id == 3);
    assert_eq!(row.unwrap().reason, "insufficient_margin");
    assert_eq!(cq_sim::reject_code(row.unwrap().reason), Some(Some(-2019)));
}

#[test]
fn a_trade_that_sets_orders_off_is_the_mark_where_none_is_recorded() {
    // As above: the trade at 110.00 comes after the quote of 110.00 on 110.10.
    let mut setup = setup(4 * SECOND);
    (setup.grid, setup.sample) = (SECOND, SECOND);
    let mut line = Line::new(setup).unwrap();
    line.set_leverage(0, 10).unwrap();
    let deep = vec![1_000_000_000; 2];
    let quotes = Columns::Quotes([
        vec![10_000, 11_000],
        deep.clone(),
        vec![10_010, 11_010],
        deep,
    ]);
    let quoted = stamps(&[0, SECOND], 0);
    line.add(Stream::new(0, quoted, quotes).unwrap()).unwrap();
    let trades = Columns::Trades {
        id: vec![1],
        px: vec![11_000],
        qty: vec![1],
        side: vec![1],
    };
    let traded = stamps(&[3 * SECOND / 2], 0);
    line.add(Stream::new(0, traded, trades).unwrap()).unwrap();
    assert_eq!(wake(&mut line), Some((Wake::Timer, 0)));
    for id in 1..=3 {
        let by_trades = Request {
            trigger_by: TriggerBy::Last,
            ..opening(id, 40_000, 11_000)
        };
        place(&mut line, by_trades);
    }
    let expected = (vec![1, 2], vec![(3, "insufficient_margin")]);
    assert_eq!(ends(&to_the_end(&mut line)), expected);
}

#[test]
fn the_last_cent_decides() {
    // 1000 free and 0.005 of slippage assumed: q x 110.16 / 10 + q x 0.16 = 11.176 q.
    for (units, opens) in [(89_477, true), (89_478, false)] {
        let mut line = line(&[10_000, 11_000], StopMargin::Trigger);
        place(&mut line, opening(1, units, 11_000));
        let (filled, _) = ends(&to_the_end(&mut line));
        assert_eq!(filled.len(), usize::from(opens), "{units}");
    }
}

#[test]
fn what_fills_near_a_settlement_pay_of_it_is_no_margin_of_what_they_set_off() {
    // Funding of 0.1 % is settled at 60 s and 100.00, flat. A second later both stops are set off:
    // the first one's 40 are bought at 110.10, are margined by 440 and pay 40 x 100 x 0.001 = 4.
    // Of 1000 that leaves 552, without the payment 556; the second needs 11.176 a unit.
    let minute = 60 * SECOND;
    let mut marks = vec![10_000; 61];
    marks.push(11_000);
    for (jitter, units, opens) in [
        (minute, 49_391, true),
        (minute, 49_392, false),
        (0, 49_749, true),
        (0, 49_750, false),
    ] {
        let rates = Columns::Funding {
            rate: vec![1],
            exp: 3,
        };
        let settled = Stream::new(0, stamps(&[minute], 0), rates).unwrap();
        let set = |sim: &mut SimConfig| {
            (sim.stop_margin, sim.funding_jitter) = (StopMargin::Trigger, jitter);
        };
        let mut line = line_with(&marks, set, Some(settled));
        place(&mut line, opening(1, 40_000, 11_000));
        place(&mut line, opening(2, units, 11_000));
        let answers = to_the_end(&mut line);
        let paid = answers.iter().filter_map(|answer| match answer.body {
            Account::FundingOfFills { amount, .. } => Some(amount),
            _ => None,
        });
        let first = paid.collect::<Vec<_>>().first().copied();
        assert_eq!(first, (jitter > 0).then_some(Decimal::from(-4)));
        let expected = if opens { vec![1, 2] } else { vec![1] };
        assert_eq!(ends(&answers).0, expected, "{units} with {jitter}");
    }
}

#[test]
fn a_venue_that_asks_at_the_trigger_alone_takes_any_and_ends_it_there() {
    for (stop_margin, acked) in [(StopMargin::Trigger, 1), (StopMargin::ArrivalAndTrigger, 0)] {
        let mut line = line(&[10_000, 11_000], stop_margin);
        // What the one before it lacked is not held against it.
        place(&mut line, market(1, 1_000_000));
        place(&mut line, opening(2, 1_000_000, 11_000));
        let answers = to_the_end(&mut line);
        let is_ack = |a: &&Event<Account>| matches!(a.body, Account::Ack { .. });
        assert_eq!(answers.iter().filter(is_ack).count(), acked);
        let ended = [1, 2].map(|order| (order, "insufficient_margin"));
        assert_eq!(ends(&answers), (vec![], ended.to_vec()));
    }
}

#[test]
fn one_that_is_set_off_as_it_arrives_is_asked_then() {
    let mut line = line(&[10_000, 10_000], StopMargin::Trigger);
    place(&mut line, opening(1, 1_000_000, 9_000));
    place(&mut line, opening(2, 1_000, 9_000));
    let answers = to_the_end(&mut line);
    assert_eq!(ends(&answers), (vec![2], vec![(1, "insufficient_margin")]));
    assert!(matches!(answers[0].body, Account::Reject { order: 1, .. }));
}

#[test]
fn a_limit_that_rests_after_its_trigger_ties_up_what_the_next_one_lacks() {
    // 60 x 105 / 10 = 630 each.
    let mut line = line(&[10_000, 11_000], StopMargin::Trigger);
    for id in 1..=2 {
        let limit = Request {
            price: Some(Px(10_500)),
            ..opening(id, 60_000, 11_000)
        };
        place(&mut line, limit);
    }
    let answers = to_the_end(&mut line);
    // The first one ends with the tape.
    let ended = vec![(2, "insufficient_margin"), (1, "")];
    assert_eq!(ends(&answers), (vec![], ended));
}

#[test]
fn what_only_reduces_is_not_asked_but_ends_where_nothing_is_to_be_reduced() {
    let mut line = line(&[10_000, 9_100, 9_000], StopMargin::Trigger);
    // 99 x 100.16 / 10 and 99 x 0.16: nearly all there is; at 91.00 hardly more than 100 is left.
    place(&mut line, market(1, 98_000));
    for id in 2..=3 {
        let sale = Request {
            reduce_only: true,
            ..opening(id, -98_000, 9_100)
        };
        place(&mut line, sale);
    }
    let answers = to_the_end(&mut line);
    assert_eq!(ends(&answers), (vec![1, 2], vec![(3, "reduce_only")]));
}

#[test]
fn a_bar_asks_at_the_price_that_it_came_to() {
    // Long 50 from 100, and sales of 110 at 90: there 500 is lost, 450 is the margin of what is
    // held and 540 of what is to be, so 90 is needed of 50. At the open none would be: |50 x 100 -
    // 110 x 90| is less than what is held.
    for (units, opens) in [(105_000, true), (106_000, false)] {
        let mut line = Line::new(setup(3 * HOUR)).unwrap();
        let bars = [
            [10_000, 10_000, 10_000, 10_000, 10_000_000],
            [10_000, 10_000, 8_500, 8_900, 10_000_000],
            [8_900, 8_900, 8_900, 8_900, 10_000_000],
        ];
        let rows: Vec<_> = (0..).map(|hour| hour * HOUR).zip(bars).collect();
        add_bars(&mut line, HOUR, &rows);
        line.set_leverage(0, 10).unwrap();
        assert_eq!(wake(&mut line), Some((Wake::Timer, 0)));
        place(&mut line, market(1, 50_000));
        let sale = Request {
            kind: OrderType::Stop,
            stop: Some(Px(9_000)),
            ..market(2, -units)
        };
        place(&mut line, sale);
        let (filled, ended) = ends(&to_the_end(&mut line));
        let expected = if opens {
            (vec![1, 2], vec![])
        } else {
            (vec![1], vec![(2, "insufficient_margin")])
        };
        assert_eq!((filled, ended), expected, "{units}");
    }
}

#[derive(Debug, Clone)]
struct Plan {
    marks: Vec<i64>,
    orders: Vec<Request>,
    stop_margin: StopMargin,
}

fn request() -> impl proptest::strategy::Strategy<Value = Request> {
    let kind = prop_oneof![
        Just(OrderType::Stop),
        Just(OrderType::TakeProfit),
        Just(OrderType::TrailingStop),
    ];
    let signed = prop_oneof![1..120_000_i64, -120_000..0_i64];
    let limit = prop_oneof![2 => Just(None), 1 => (900..1_100_i64).prop_map(Some)];
    (kind, signed, 900..1_100_i64, limit, 1..80_000_u32).prop_map(
        |(kind, signed, ticks, limit, callback_ppm)| Request {
            kind,
            stop: (kind != OrderType::TrailingStop).then_some(Px(ticks * 10)),
            price: limit.map(|ticks| Px(ticks * 10)),
            // What rests keeps the margin that it was once asked for, whatever is lost since.
            tif: TimeInForce::Ioc,
            callback_ppm,
            trigger_by: TriggerBy::Mark,
            ..market(1, signed)
        },
    )
}

fn plan() -> impl proptest::strategy::Strategy<Value = Plan> {
    let marks = prop::collection::vec((900..1_100_i64).prop_map(|ticks| ticks * 10), 2..12);
    let mode = prop_oneof![
        Just(StopMargin::ArrivalAndTrigger),
        Just(StopMargin::Trigger)
    ];
    (marks, prop::collection::vec(request(), 1..12), mode).prop_map(
        |(marks, mut orders, stop_margin)| {
            for (id, order) in (1..).zip(&mut orders) {
                order.id = id;
            }
            Plan {
                marks,
                orders,
                stop_margin,
            }
        },
    )
}

/// In whole numbers of 10^-5 USDT: after each fill that makes the position larger, what the account
/// is worth at the mark covers the initial margin of the position at the mark. Returns how many
/// fills opened and how many orders expired.
fn check(plan: &Plan) -> Result<(usize, usize), TestCaseError> {
    let mut line = line(&plan.marks, plan.stop_margin);
    for order in &plan.orders {
        place(&mut line, *order);
    }
    let answers = to_the_end(&mut line);
    let (mut cash, mut held, mut opened) = (1_000 * 100_000_i64, 0_i64, 0);
    for answer in &answers {
        if let Account::Insurance { .. } = answer.body {
            break;
        }
        let Account::Fill {
            order,
            px,
            qty,
            side,
            ..
        } = answer.body
        else {
            continue;
        };
        let before = held;
        held += side.sign() * qty.0;
        cash -= side.sign() * qty.0 * px.0;
        if held.abs() > before.abs() && order < 1 << 62 {
            opened += 1;
            let row = usize::try_from(answer.ts_event / SECOND).unwrap();
            let mark = plan.marks[row.min(plan.marks.len() - 1)];
            let worth = cash + held * mark;
            prop_assert!(worth * 10 >= held.abs() * mark, "{answer:?} of {worth}");
        }
    }
    let (_, ended) = ends(&answers);
    let expired = ended.iter().filter(|end| end.1 == "insufficient_margin");
    Ok((opened, expired.count()))
}

proptest! {
    #![proptest_config(Config { failure_persistence: None, ..Config::with_cases(2_000) })]

    #[test]
    fn no_sequence_of_triggers_opens_more_than_the_margin_permits(plan in plan()) {
        check(&plan)?;
    }
}

/// The property would hold of plans in which nothing opens as well.
#[test]
fn the_plans_do_open_and_expire() {
    let mut runner = TestRunner::deterministic();
    let mut seen = (0, 0);
    for _ in 0..200 {
        let plan = plan().new_tree(&mut runner).unwrap().current();
        let (opened, expired) = check(&plan).unwrap();
        seen = (seen.0 + opened, seen.1 + expired);
    }
    assert!(seen.0 > 100 && seen.1 > 100, "{seen:?}");
}
