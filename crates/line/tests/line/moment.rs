//! Trades around the very moment of a settlement.

use super::*;

/// When funding of 0.1 % is settled.
const SETTLED: Ts = 2 * HOUR;

/// A resting buy that a recorded trade fills at `traded`, answered after `response`; returns
/// what was paid of funding at 10.00 for each unit.
fn paid(traded: Ts, response: Ts) -> Vec<Decimal> {
    let mut setup = setup(4 * HOUR);
    if let Some(sim) = &mut setup.sim {
        sim.latency = latency(LATENCY, response);
    }
    let mut line = Line::new(setup).unwrap();
    let quotes = Columns::Quotes([vec![1_000], vec![5], vec![1_010], vec![5]]);
    line.add(Stream::new(0, stamps(&[0], 0), quotes).unwrap())
        .unwrap();
    let trades = Columns::Trades {
        id: vec![1],
        px: vec![990],
        qty: vec![50],
        side: vec![-1],
    };
    line.add(Stream::new(0, stamps(&[traded], 0), trades).unwrap())
        .unwrap();
    line.add(Stream::new(0, stamps(&[0], 0), Columns::Marks(vec![1_000])).unwrap())
        .unwrap();
    let rates = Columns::Funding {
        rate: vec![1],
        exp: 3,
    };
    line.add(Stream::new(0, stamps(&[SETTLED], 0), rates).unwrap())
        .unwrap();
    assert_eq!(wake(&mut line), Some((Wake::Timer, 0)));
    let rests = Request {
        kind: OrderType::Limit,
        price: Some(Px(1_000)),
        ..market(1, 5)
    };
    place(&mut line, rests);
    while wake(&mut line).is_some() {}
    let answers = line.take_answers();
    assert_eq!(
        line.ledger().equity(),
        Ok(line.ledger().sleeve_equity(0).unwrap())
    );
    let paid = answers.iter().filter_map(|answer| match answer.body {
        Account::FundingPaid { amount, .. } => Some(amount),
        _ => None,
    });
    paid.collect()
}

#[test]
fn funding_is_paid_on_the_position_held_just_before() {
    let charge = vec!["-0.00005000".parse().unwrap()];
    for response in [0, 1, LATENCY] {
        assert_eq!(paid(SETTLED - 1, response), charge, "{response}");
        assert_eq!(paid(SETTLED, response), [], "{response}");
        assert_eq!(paid(SETTLED + 1, response), [], "{response}");
    }
}

const S: Ts = 1_000_000_000;

/// Trades of ours by market orders around a settlement of `rate` per mille at 10.00: when, what.
/// Returns what was paid for what was held at it, and what for the fills near it.
fn around(trades: &[(Ts, i64)], rate: i64, jitter: Ts) -> (Decimal, Decimal) {
    let mut setup = setup(4 * HOUR);
    setup.grid = S;
    setup.sleeves.push("two".to_owned());
    let first = trades[0].0 - 2 * S;
    setup.start = first.div_euclid(S) * S;
    setup.end = SETTLED + 200 * S;
    let sim = setup.sim.as_mut().unwrap();
    sim.funding_jitter = jitter;
    sim.latency = latency(0, LATENCY);
    let mut line = Line::new(setup).unwrap();
    let quotes = Columns::Quotes([vec![1_000], vec![50_000], vec![1_000], vec![50_000]]);
    line.add(Stream::new(0, stamps(&[0], 0), quotes).unwrap())
        .unwrap();
    line.add(Stream::new(0, stamps(&[0], 0), Columns::Marks(vec![1_000])).unwrap())
        .unwrap();
    let rates = Columns::Funding {
        rate: vec![rate],
        exp: 3,
    };
    line.add(Stream::new(0, stamps(&[SETTLED], 0), rates).unwrap())
        .unwrap();
    let mut left = trades.iter().enumerate().peekable();
    while let Some((_, now)) = wake(&mut line) {
        while let Some((n, (_, signed))) = left.next_if(|(_, (at, _))| *at <= now) {
            // The second sleeve takes a third.
            let id = 1 + u64::try_from(n).unwrap();
            let parts = vec![(0, Qty(signed - signed / 3)), (1, Qty(signed / 3))];
            line.place(market(id, *signed), parts).unwrap();
        }
    }
    let (mut held, mut near) = (Decimal::ZERO, Decimal::ZERO);
    for answer in line.take_answers() {
        match answer.body {
            Account::FundingPaid { amount, .. } => held += amount,
            Account::FundingOfFills { amount, .. } => near += amount,
            _ => {}
        }
    }
    let ledger = line.ledger();
    let parts = (0..2).map(|s| ledger.attribution(s).unwrap().funding);
    assert_eq!(parts.sum::<Decimal>(), held + near);
    let trips = ledger.round_trips().iter().map(|trip| trip.outcome.funding);
    assert_eq!(trips.sum::<Decimal>(), held + near);
    (held, near)
}

#[test]
fn a_fill_within_the_jitter_pays_adverse_funding_and_receives_none() {
    let minute = 60 * S;
    let d = |text: &str| text.parse::<Decimal>().unwrap();
    // 3 units at 10.00 are 0.03, of which a per mille is 0.00003.
    let one = d("0.00003");
    let none = Decimal::ZERO;
    let before = SETTLED - minute;
    for (trades, rate, expected) in [
        // Opened a minute before: as a long it pays, as a short it gets nothing.
        (vec![(before, 3)], 1, (-one, none)),
        (vec![(before, -3)], 1, (one, -one)),
        (vec![(before, 3)], -1, (one, -one)),
        // A second earlier it is out of the window.
        (vec![(before - S, -3)], 1, (one, none)),
        // Closed just before: what would pay still does, what would receive does not.
        (vec![(before - S, 3), (SETTLED - S, -3)], 1, (none, -one)),
        (vec![(before - S, -3), (SETTLED - S, 3)], 1, (none, none)),
        // Opened, or closed, up to a minute after.
        (vec![(SETTLED + minute, 3)], 1, (none, -one)),
        (vec![(SETTLED + minute + S, 3)], 1, (none, none)),
        (vec![(SETTLED + S, -3)], 1, (none, none)),
        (vec![(before - S, -3), (SETTLED + S, 3)], 1, (one, -one)),
        (vec![(before - S, 3), (SETTLED + S, -3)], 1, (-one, none)),
        // Turned round: the worst of all positions, once.
        (vec![(before, -3), (SETTLED + S, 6)], 1, (one, -one - one)),
        (
            vec![(before, 3), (SETTLED - S, -6), (SETTLED + S, 6)],
            1,
            (one, -one - one),
        ),
    ] {
        assert_eq!(
            around(&trades, rate, minute),
            expected,
            "{trades:?} at {rate}"
        );
    }
    assert_eq!(
        around(&[(before, -3)], 1, 0),
        (one, none),
        "the rule is off"
    );
}

#[test]
fn a_position_held_where_a_row_is_missing_is_an_error_and_none_held_is_not() {
    let run = |units: i64| {
        let mut line = Line::new(setup(4 * HOUR)).unwrap();
        let quotes = Columns::Quotes([vec![1_000], vec![5], vec![1_000], vec![5]]);
        line.add(Stream::new(0, stamps(&[0], 0), quotes).unwrap())
            .unwrap();
        line.expect_funding(0, &[SETTLED]).unwrap();
        wake(&mut line).unwrap();
        if units > 0 {
            place(&mut line, market(1, units));
        }
        loop {
            match line.advance(usize::MAX) {
                Err(error) => return Some(error.to_string()),
                Ok(Some(None)) => return None,
                _ => {}
            }
        }
    };
    assert_eq!(run(0), None);
    let said = run(3).unwrap();
    assert!(said.starts_with(&format!(
        "at {SETTLED}: funding of BTCUSDT-PERP.TEST is due"
    )));
    assert!(said.contains("the tape has no settled rate"));
}
