//! What a decision may know, and when money moves.

use super::*;

/// Hourly bars that open and close at these prices, funding at these hours, no costs.
fn line(prices: &[(i64, i64)], funding: &[Ts], change: impl FnOnce(&mut Setup)) -> Line {
    let mut setup = setup(HOUR * Ts::try_from(prices.len()).unwrap());
    change(&mut setup);
    let mut line = Line::new(setup).unwrap();
    let bar = |p: &(i64, i64)| [p.0, p.0.max(p.1), p.0.min(p.1), p.1, 1_000_000];
    let rows = (0..).zip(prices).map(|(hour, p)| (hour * HOUR, bar(p)));
    add_bars(&mut line, HOUR, &rows.collect::<Vec<_>>());
    let rates = Columns::Funding {
        rate: vec![1; funding.len()],
        exp: 3,
    };
    line.add(Stream::new(0, stamps(funding, 0), rates).unwrap())
        .unwrap();
    line
}

fn buy(line: &mut Line, id: u64, qty: i64) {
    place(line, market(id, qty));
}

/// Runs to the end; a decision at the first timer buys one.
fn run(line: &mut Line) -> Vec<(Wake, Ts)> {
    let mut woken = Vec::new();
    while let Some(reason) = wake(line) {
        if woken.is_empty() {
            buy(line, 1, 1_000);
        }
        woken.push(reason);
    }
    woken
}

fn equity(line: &Line) -> Vec<Decimal> {
    let (name, column) = &line.rows().money[0];
    assert_eq!(name, "equity");
    let exact = |v: &i128| Decimal::from_i128_with_scale(*v, 18).normalize();
    column.iter().map(exact).collect()
}

fn money(text: &str) -> Decimal {
    text.parse::<Decimal>().unwrap().normalize()
}

const PRICES: [(i64, i64); 3] = [(10_000, 10_100), (11_000, 11_100), (12_000, 12_100)];

#[test]
fn wake_ups_come_in_order_and_none_at_the_end_but_the_last() {
    let woken = run(&mut line(&PRICES, &[], |_| ()));
    let answered = 2 * LATENCY;
    assert_eq!(
        woken,
        [
            (Wake::Timer, 0),
            (Wake::Account, answered),
            (Wake::Timer, HOUR),
            (Wake::Timer, 2 * HOUR),
            (Wake::DataEnd, 3 * HOUR),
        ]
    );
}

#[test]
fn a_timer_knows_the_close_before_it_and_the_row_after_it_the_next_open() {
    let mut line = line(&PRICES, &[], |_| ());
    wake(&mut line);
    buy(&mut line, 1, 1_000);
    wake(&mut line);
    assert_eq!(wake(&mut line), Some((Wake::Timer, HOUR)));
    assert_eq!(line.ledger().equity().unwrap(), Decimal::from(1001));
    while wake(&mut line).is_some() {}
    // Bought at 100; rows at the opens 110 and 120; closed at the last close of 121.
    assert_eq!(
        equity(&line),
        [money("1000"), money("1010"), money("1020"), money("1021")]
    );
}

#[test]
fn funding_is_paid_on_what_was_held_just_before_it() {
    let mut held = line(&PRICES, &[HOUR], |_| ());
    run(&mut held);
    // 1 x 110 x 0.001, in the row of its own hour.
    assert_eq!(equity(&held)[1], money("1009.89"));
    let mut late = line(&PRICES, &[0], |s| {
        if let Some(sim) = &mut s.sim {
            sim.latency = latency(0, RESPONSE);
        }
    });
    run(&mut late);
    assert_eq!(equity(&late)[1], money("1010"));
}

#[test]
fn funding_at_the_very_end_is_paid_at_the_last_close() {
    let mut line = line(&PRICES, &[3 * HOUR], |_| ());
    run(&mut line);
    assert_eq!(equity(&line)[3], money("1020.879"));
}

#[test]
fn a_settled_funding_reaches_the_step_with_the_next_answers() {
    let mut line = line(&PRICES, &[HOUR], |_| ());
    run(&mut line);
    let paid: Vec<_> = line
        .take_answers()
        .into_iter()
        .filter_map(|e| match e.body {
            Account::FundingPaid { amount, rate } => Some((e.ts_event, amount, rate)),
            _ => None,
        })
        .collect();
    assert_eq!(paid, [(HOUR, money("-0.11"), money("0.001"))]);
}

#[test]
fn a_step_never_learns_of_an_event_before_it_could_be_known() {
    let mut line = line(&PRICES, &[], |_| ());
    let mut known = Vec::new();
    while let Some((_, now)) = wake(&mut line) {
        known.push((now / HOUR, line.seq(), line.last_price(0).map(|px| px.0)));
    }
    assert_eq!(
        known,
        [
            (0, 0, None),
            (1, 1, Some(10_100)),
            (2, 2, Some(11_100)),
            (3, 3, Some(12_100))
        ]
    );
}

#[test]
fn an_end_closes_what_is_open_and_says_so() {
    let mut line = line(&PRICES, &[], |_| ());
    run(&mut line);
    let tags: Vec<_> = line.fills().iter().map(|f| (f.tag, f.ts_recv)).collect();
    assert_eq!(tags, [("", 2 * LATENCY), ("data_end", 3 * HOUR)]);
    assert_eq!(line.ledger().position(0).qty, Qty(0));
    assert_eq!(wake(&mut line), None);
}

#[test]
fn a_stop_inside_a_bar_is_known_to_the_timer_at_its_end_with_all_before_it() {
    let slow = |s: &mut Setup| {
        if let Some(sim) = &mut s.sim {
            sim.latency = latency(LATENCY, HOUR);
        }
    };
    let mut line = line(&[(10_000, 9_000), (9_000, 9_000)], &[], slow);
    wake(&mut line);
    buy(&mut line, 1, 1_000);
    place(&mut line, stop(2, -1_000, 9_500));
    assert_eq!(wake(&mut line), Some((Wake::Account, HOUR)));
    let fills: Vec<_> = line.fills().iter().map(|f| (f.order, f.ts_event)).collect();
    assert_eq!(fills, [(1, LATENCY), (2, HOUR - 1)]);
    assert_eq!(wake(&mut line), Some((Wake::Timer, HOUR)));
    assert_eq!(line.ledger().position(0).qty, Qty(0));
}

#[test]
fn what_is_decided_inside_a_bar_is_at_the_venue_by_its_end_and_asked_for_margin() {
    let mut line = line(&[(10_000, 9_000), (9_000, 9_000)], &[], |_| ());
    wake(&mut line);
    buy(&mut line, 1, 1_000);
    place(&mut line, stop(2, -1_000, 9_500));
    assert_eq!(wake(&mut line), Some((Wake::Account, 2 * LATENCY)));
    line.wake_at(HOUR - LATENCY / 2).unwrap();
    assert_eq!(wake(&mut line).unwrap().0, Wake::Alarm);
    line.cancel(2).unwrap();
    buy(&mut line, 3, 1_000_000);
    while wake(&mut line).is_some() {}
    let mut fills = line.fills().iter();
    assert!(fills.all(|f| f.order == 1 || f.tag == "data_end"));
    let answers = line.take_answers();
    let order = 3;
    let reason = "insufficient_margin";
    let refused = Account::Reject { order, reason };
    let at = answers.iter().find(|answer| answer.body == refused);
    assert_eq!(at.unwrap().ts_event, HOUR - 1);
}

#[test]
fn answers_of_one_time_keep_the_order_in_which_they_happened() {
    let mut line = line(&PRICES, &[], |_| ());
    wake(&mut line);
    for id in [3, 1, 2] {
        buy(&mut line, id, 1_000);
    }
    assert_eq!(wake(&mut line), Some((Wake::Account, 2 * LATENCY)));
    let orders: Vec<_> = line.fills().iter().map(|f| f.order).collect();
    assert_eq!(orders, [3, 1, 2]);
}

#[test]
fn a_budget_stops_the_run_without_losing_anything() {
    let mut whole = line(&PRICES, &[HOUR], |_| ());
    run(&mut whole);
    let mut parts = line(&PRICES, &[HOUR], |_| ());
    let mut first = true;
    loop {
        match parts.advance(1).unwrap() {
            Some(Some(_)) if std::mem::take(&mut first) => buy(&mut parts, 1, 1_000),
            Some(None) => break,
            _ => {}
        }
    }
    assert_eq!(equity(&parts), equity(&whole));
    assert_eq!(parts.fills(), whole.fills());
}

#[test]
fn closing_orders_of_segments_never_share_an_id() {
    let line_of = |hour: Ts, before: Option<&mut Line>| {
        let rows = vec![(10_000, 10_000); usize::try_from(hour + 2).unwrap()];
        let mut made = line(&rows, &[], |s| s.start = hour * HOUR);
        if let Some(before) = before {
            made.adopt(before).unwrap();
        }
        while let Some((woke, now)) = wake(&mut made) {
            if woke == Wake::Timer && now == hour * HOUR {
                buy(&mut made, u64::try_from(hour).unwrap(), 1_000);
            }
        }
        made
    };
    let mut first = line_of(1, None);
    let mut second = line_of(10, Some(&mut first));
    let third = line_of(20, Some(&mut second));
    let orders: Vec<_> = third.orders().iter().map(|o| o.request.id).collect();
    let forced = |n| cq_sim::FORCED_ID + n;
    assert_eq!(orders, [1, forced(0), 10, forced(1), 20, forced(2)]);
    let fills: Vec<_> = third.fills().iter().map(|f| f.order).collect();
    assert_eq!(fills, orders);
}

#[test]
fn a_segment_goes_on_only_from_one_that_has_ended_and_lies_before() {
    let mut first = line(&PRICES, &[], |_| ());
    run(&mut first);
    let mut early = line(&PRICES, &[], |s| s.start = HOUR);
    assert!(matches!(
        early.adopt(&mut first),
        Err(LineError::BadArgument { .. })
    ));
    let mut second = line(&[(1, 1); 6], &[], |s| s.start = 4 * HOUR);
    second.adopt(&mut first).unwrap();
    assert_eq!(second.ledger().equity().unwrap(), Decimal::from(1021));
    assert_eq!(second.fills().len(), 2);
    assert!(first.fills().is_empty());
}

#[test]
fn an_alarm_wakes_once_and_only_later_than_now() {
    let mut line = Line::new(setup(3 * HOUR)).unwrap();
    assert_eq!(wake(&mut line), Some((Wake::Timer, 0)));
    assert!(line
        .wake_at(0)
        .unwrap_err()
        .to_string()
        .starts_with("alarm: expected a time after"));
    for ts in [HOUR + 7, 5, HOUR, 5] {
        line.wake_at(ts).unwrap();
    }
    let seen: Vec<_> = std::iter::from_fn(|| wake(&mut line)).collect();
    let expected = [
        (Wake::Alarm, 5),
        (Wake::Timer, HOUR),
        (Wake::Alarm, HOUR),
        (Wake::Alarm, HOUR + 7),
        (Wake::Timer, 2 * HOUR),
        (Wake::DataEnd, 3 * HOUR),
    ];
    assert_eq!(seen, expected);
    assert!(line.wake_at(9 * HOUR).is_err());
}

#[test]
fn what_is_turned_away_is_heard_when_its_answer_is_due_on_a_quiet_tape() {
    let trip = |sent, venue| cq_sim::RoundTrip {
        sent,
        venue,
        answered: sent + LATENCY,
    };
    let trips = [trip(0, None), trip(2 * HOUR, Some(2 * HOUR))];
    let mut line = line(&PRICES, &[], |setup| {
        if let Some(sim) = &mut setup.sim {
            sim.latency = cq_sim::Latencies::Recorded(trips.into());
        }
    });
    wake(&mut line);
    buy(&mut line, 1, 1_000);
    // The next bar is an hour away.
    assert_eq!(wake(&mut line), Some((Wake::Account, LATENCY)));
    assert_eq!(line.order(1).unwrap().reason, "overloaded");
    // Nor do an amendment and a cancellation of what is done wait for it.
    line.amend(1, (None, Qty(500))).unwrap();
    line.cancel(1).unwrap();
    line.wake_at(2 * LATENCY).unwrap();
    assert_eq!(wake(&mut line), Some((Wake::Alarm, 2 * LATENCY)));
    let answered = line.take_answers();
    let kept = |e: &cq_types::Event<Account>| matches!(e.body, Account::Kept { order: 1, .. });
    let times: Vec<_> = answered
        .iter()
        .filter(|e| kept(e))
        .map(|e| e.ts_recv)
        .collect();
    assert_eq!(times, [2 * LATENCY; 2]);
}
