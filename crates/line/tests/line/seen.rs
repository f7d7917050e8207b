//! What a loop of calls reads: trades, latencies, orders that are done, sums over fills.

use super::*;

const MS: Ts = 1_000_000;

/// A book of one level a side for 10 s, 100.00 to 100.10, and trades that are known 3 ms later.
fn line(trades: &[(Ts, i64, i64, i8, u32)]) -> Line {
    let mut setup = setup(10_000 * MS);
    setup.sim = Some(SimConfig {
        latency: latency(4 * MS, 6 * MS),
        ..SimConfig::default()
    });
    setup.instruments[0].fees = always(Fees {
        maker: "0.0002".parse().unwrap(),
        taker: "0.0005".parse().unwrap(),
    });
    let mut line = Line::new(setup).unwrap();
    let deltas = Columns::Deltas {
        side: vec![1, -1],
        px: vec![10_000, 10_010],
        qty: vec![5_000, 5_000],
    };
    let book = Stamps {
        flags: Some(vec![1, 3]),
        ..stamps(&[0, 0], 2 * MS)
    };
    line.add(Stream::new(0, book, deltas).unwrap()).unwrap();
    let marks = trades.iter().map(|row| row.4).collect();
    let times: Vec<Ts> = trades.iter().map(|row| row.0).collect();
    let columns = Columns::Trades {
        id: (0..).take(trades.len()).collect(),
        px: trades.iter().map(|row| row.1).collect(),
        qty: trades.iter().map(|row| row.2).collect(),
        side: trades.iter().map(|row| row.3).collect(),
    };
    let stamps = Stamps {
        flags: Some(marks),
        ..stamps(&times, 3 * MS)
    };
    line.add(Stream::new(0, stamps, columns).unwrap()).unwrap();
    line
}

/// Lets time pass; whether the tape goes on.
fn pass(line: &mut Line, duration: Ts) -> bool {
    line.pass_to(line.now() + duration).unwrap().unwrap()
}

#[test]
fn trades_are_kept_from_the_first_call_on_and_taken_once() {
    let not_market = cq_types::flags::NOT_MARKET;
    let mut line = line(&[
        (10 * MS, 10_010, 1, 1, 0),
        (20 * MS, 10_000, 2, -1, 0),
        (21 * MS, 9_000, 7, -1, not_market),
        (50 * MS, 10_010, 3, 1, 0),
    ]);
    assert!(pass(&mut line, 15 * MS));
    assert!(line.trades(0).is_empty(), "nobody had asked for them");
    assert!(pass(&mut line, 15 * MS));
    assert_eq!(line.trades(0).len(), 1);
    let taken = line.take_trades(0);
    let found = taken
        .iter()
        .map(|t| (t.ts_event, t.ts_recv, t.px, t.qty, t.side));
    let expected = (20 * MS, 23 * MS, Px(10_000), Qty(2), Side::Sell);
    assert_eq!(found.collect::<Vec<_>>(), [expected]);
    assert!(line.take_trades(0).is_empty());
    assert!(pass(&mut line, 100 * MS));
    assert_eq!(line.take_trades(0).len(), 1);
    assert!(!pass(&mut line, 10_000 * MS));
    assert!(!pass(&mut line, MS), "it has ended");
    assert!(line.take_trades(7).is_empty(), "no such instrument");
}

#[test]
fn latencies_are_those_of_the_last_event_and_the_last_answer() {
    let mut line = line(&[(10 * MS, 10_010, 1, 1, 0)]);
    assert_eq!(line.feed_latency(0), None);
    pass(&mut line, 5 * MS);
    let feed = line.feed_latency(0).unwrap();
    assert_eq!((feed.at_venue, feed.known), (0, 2 * MS));
    pass(&mut line, 10 * MS);
    let feed = line.feed_latency(0).unwrap();
    assert_eq!((feed.at_venue, feed.known), (10 * MS, 13 * MS));
    place(&mut line, market(1, 2_000));
    assert_eq!(line.order_latency(0), None);
    let until = line.now() + 100 * MS;
    assert_eq!(line.wait_for(1, 0, until), Ok(Some(true)));
    let order = line.order_latency(0).unwrap();
    let times = (order.asked, order.at_venue, order.known);
    assert_eq!(times, (15 * MS, 19 * MS, 25 * MS));
}

#[test]
fn a_cancellation_has_a_latency_of_its_own_and_what_is_done_stays_until_it_is_forgotten() {
    let mut line = line(&[]);
    pass(&mut line, 5 * MS);
    let resting = Request::limit(1, 0, Side::Buy, Qty(1_000), Px(9_990), TimeInForce::Gtc);
    place(&mut line, resting);
    place(&mut line, Request::market(9, 7, Side::Buy, Qty(1)));
    pass(&mut line, 20 * MS);
    assert_eq!(line.open_orders().count(), 1);
    line.cancel(1).unwrap();
    pass(&mut line, 20 * MS);
    let order = line.order_latency(0).unwrap();
    let times = (order.asked, order.at_venue, order.known);
    assert_eq!(times, (25 * MS, 29 * MS, 35 * MS));
    let ended = |line: &Line, at| {
        line.ended_orders(at)
            .map(|r| r.request.id)
            .collect::<Vec<_>>()
    };
    assert_eq!((ended(&line, 0), ended(&line, 7)), (vec![1], vec![9]));
    line.forget_ended(0);
    assert_eq!((ended(&line, 0), ended(&line, 7)), (vec![], vec![9]));
    assert!(line.take_answers().is_empty(), "they were folded");
}

#[test]
fn a_tally_sums_what_was_traded() {
    let mut line = line(&[]);
    pass(&mut line, 5 * MS);
    assert_eq!(line.tally(0).unwrap(), cq_line::Tally::default());
    place(&mut line, market(1, 2_000));
    pass(&mut line, 20 * MS);
    place(&mut line, market(2, -500));
    pass(&mut line, 20 * MS);
    let tally = line.tally(0).unwrap();
    // 2 at 100.10 bought, 0.5 at 100.00 sold, taker's fee of 5 bps of 200.20 + 50.00.
    assert_eq!((tally.fills, tally.qty), (2, 2_500));
    let money = |text: &str| text.parse::<Decimal>().unwrap();
    assert_eq!(tally.value, money("250.20"));
    assert_eq!(tally.cash, money("-150.20"));
    assert_eq!(tally.fee, money("0.1251"));
    assert_eq!(line.tally(7).unwrap(), cq_line::Tally::default());
}

#[test]
fn a_hundred_thousand_orders_at_once_are_refused_one_by_one() {
    let mut line = line(&[]);
    pass(&mut line, 5 * MS);
    for id in 1..=100_000 {
        let order = Request::limit(id, 0, Side::Buy, Qty(10), Px(9_990), TimeInForce::Gtc);
        place(&mut line, order);
    }
    pass(&mut line, 20 * MS);
    assert_eq!(line.open_orders().count(), 200);
    let refused = line
        .ended_orders(0)
        .filter(|r| r.reason == "max_open_orders");
    assert_eq!(refused.count(), 99_800);
}
