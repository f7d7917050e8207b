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
