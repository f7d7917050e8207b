//! Hedge mode by hand: two positions of one contract at once.

use cq_sim::PositionSide::{self, Long, Short};
use cq_types::Bracket;

use super::*;

const SECOND: Ts = 1_000_000_000;
const USDT: &str = "USDT";

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// One contract in hedge mode, 1000 USDT; a tier of 0.4 %.
fn hedged() -> Setup {
    let mut setup = setup(10 * SECOND);
    setup.grid = SECOND;
    setup.sample = SECOND;
    let mut long = contract();
    long.brackets = Dated::new(vec![(
        0,
        vec![Bracket {
            cap: None,
            mmr: d("0.004"),
            max_leverage: 100,
            cum: Decimal::ZERO,
        }],
    )]);
    let mut short = long.clone();
    "BTCUSDT-PERP-SHORT.TEST".clone_into(&mut short.id);
    setup.instruments = vec![long, short];
    setup.wallets[0].instruments = vec![0, 1];
    setup.hedged = vec![[0, 1]];
    setup
}

/// Quotes of 100.00 on 100.10, and marks, one a second from 1 s on; funding of 1 % at a minute.
fn line(setup: Setup, marks: &[i64]) -> Line {
    let mut line = Line::new(setup).unwrap();
    let times: Vec<Ts> = (1..).map(|n| n * SECOND).take(marks.len()).collect();
    let quote = Columns::Quotes([vec![10_000], vec![5_000], vec![10_010], vec![5_000]]);
    line.add(Stream::new(0, stamps(&[0], 0), quote).unwrap())
        .unwrap();
    line.add(Stream::new(0, stamps(&times, 0), Columns::Marks(marks.to_vec())).unwrap())
        .unwrap();
    for leg in 0..2 {
        line.set_leverage(leg, 10).unwrap();
    }
    line
}

/// A market order at a leg of the contract, as a venue is asked: by its symbol.
fn at(id: u64, leg: PositionSide, signed: i64) -> Request {
    Request {
        position_side: Some(leg),
        ..market(id, signed)
    }
}

fn until(line: &mut Line, ts: Ts) {
    while line.now() < ts {
        wake(line).unwrap();
    }
}

fn reasons(line: &Line) -> Vec<&'static str> {
    line.orders().iter().map(|row| row.reason).collect()
}

#[test]
fn both_positions_have_their_own_entry_price_and_pay_for_themselves() {
    let mut line = line(hedged(), &[10_000; 8]);
    wake(&mut line);
    place(&mut line, at(1, Long, 1_000));
    place(&mut line, at(2, Short, -400));
    until(&mut line, 2 * SECOND);
    let ledger = line.ledger();
    assert_eq!(ledger.position(0).qty, Qty(1_000));
    assert_eq!(ledger.position(1).qty, Qty(-400));
    // Bought at 100.10, sold at 100.00; the mark is 100.00.
    assert_eq!(ledger.position(0).cost, d("100.1"));
    assert_eq!(ledger.position(1).cost, d("-40"));
    assert_eq!(ledger.equity(), Ok(d("999.9")));
    // Maintenance of each: 0.4 % of 100 and of 40; initial at 10x: 10 and 4.
    let margin = ledger.margin(0, USDT, line.now()).unwrap();
    assert_eq!((margin.maintenance, margin.initial), (d("0.56"), d("14")));
    // The long one is closed in part: the short one stays.
    place(&mut line, at(3, Long, -300));
    until(&mut line, 4 * SECOND);
    let ledger = line.ledger();
    assert_eq!(ledger.position(0).qty, Qty(700));
    assert_eq!(ledger.position(1).qty, Qty(-400));
    while wake(&mut line).is_some() {}
    assert!(line.orders().iter().all(|row| row.reason.is_empty()));
}

#[test]
fn what_does_not_fit_the_position_mode_is_refused_as_the_venue_does() {
    let mut line = line(hedged(), &[10_000; 8]);
    wake(&mut line);
    place(&mut line, at(1, Long, 1_000));
    place(&mut line, market(2, 100));
    let wrong_leg = Request {
        instrument: 1,
        ..at(3, Long, 100)
    };
    place(&mut line, wrong_leg);
    let said = Request {
        reduce_only: true,
        ..at(4, Long, -100)
    };
    place(&mut line, said);
    place(&mut line, at(5, Long, -1_001));
    place(&mut line, at(6, Short, 100));
    place(&mut line, at(7, Long, -1_000));
    until(&mut line, 2 * SECOND);
    let expected = [
        "",
        "position_side",
        "position_side",
        "reduce_only_in_hedge_mode",
        "reduce_only",
        "reduce_only",
        "",
    ];
    assert_eq!(reasons(&line), expected);
    assert_eq!(line.ledger().position(0).qty, Qty(0));
    let codes = ["position_side", "reduce_only_in_hedge_mode", "reduce_only"];
    let codes = codes.map(|reason| cq_sim::reject_code(reason).unwrap());
    assert_eq!(codes, [Some(-4061), Some(-1106), Some(-2022)]);
    // One-way mode knows no position side.
    let mut line = self::line(
        Setup {
            hedged: vec![],
            ..hedged()
        },
        &[10_000; 8],
    );
    wake(&mut line);
    place(&mut line, at(1, Long, 1_000));
    until(&mut line, 2 * SECOND);
    assert_eq!(reasons(&line), ["position_side"]);
}

/// A bid for a position that rests at 99.00.
fn bid(id: u64, qty: i64) -> Request {
    Request {
        position_side: Some(Long),
        ..Request::limit(id, 0, Side::Buy, Qty(qty), Px(9_900), TimeInForce::Gtc)
    }
}

#[test]
fn what_rests_of_one_position_ties_up_its_margin_once() {
    let mut line = line(hedged(), &[10_000; 8]);
    wake(&mut line);
    // 594 and 297 of 1000 at 10x; 198 more are not there.
    place(&mut line, bid(1, 60_000));
    place(&mut line, bid(2, 30_000));
    place(&mut line, bid(3, 20_000));
    until(&mut line, 2 * SECOND);
    assert_eq!(reasons(&line), ["", "", "insufficient_margin"]);
    // What would close more than is held is refused for that, not for its margin.
    place(&mut line, at(4, Long, -30_000));
    until(&mut line, 4 * SECOND);
    assert_eq!(reasons(&line)[3], "reduce_only");
}

#[test]
fn what_rests_of_both_positions_adds_up_and_closes_tie_up_nothing() {
    let mut line = line(hedged(), &[10_000; 10]);
    wake(&mut line);
    line.set_leverage(0, 1).unwrap();
    line.set_leverage(1, 1).unwrap();
    // Long 3 from 100.10 and short 2: 300 and 200 of 999.7, nothing is offset.
    place(&mut line, at(1, Long, 3_000));
    place(&mut line, at(2, Short, -2_000));
    until(&mut line, 2 * SECOND);
    let rests = |id, leg: PositionSide, signed: i64, px| Request {
        kind: OrderType::Limit,
        price: Some(Px(px)),
        ..at(id, leg, signed)
    };
    // Their closes are free; 2.5 x 99 and 2.29 x 110 are not, which leaves 0.3 of 499.7.
    place(&mut line, rests(3, Long, -3_000, 11_000));
    place(&mut line, rests(4, Short, 2_000, 9_900));
    place(&mut line, rests(5, Long, 2_500, 9_900));
    place(&mut line, rests(6, Short, -2_290, 11_000));
    place(&mut line, rests(7, Short, -3, 11_000));
    place(&mut line, rests(8, Short, -2, 11_000));
    until(&mut line, 4 * SECOND);
    let refused = "insufficient_margin";
    assert_eq!(reasons(&line), ["", "", "", "", "", "", refused, ""]);
}

#[test]
fn a_close_is_not_made_larger_than_its_position() {
    let mut line = line(hedged(), &[10_000; 8]);
    wake(&mut line);
    place(&mut line, at(1, Long, 1_000));
    until(&mut line, 2 * SECOND);
    let close = Request {
        side: Side::Sell,
        price: Some(Px(11_000)),
        ..bid(2, 500)
    };
    place(&mut line, close);
    until(&mut line, 3 * SECOND);
    line.amend(2, (None, Qty(1_001))).unwrap();
    until(&mut line, 4 * SECOND);
    assert_eq!(line.order(2).unwrap().request.qty, Qty(500), "it is kept");
    line.amend(2, (None, Qty(1_000))).unwrap();
    until(&mut line, 5 * SECOND);
    assert_eq!(line.order(2).unwrap().request.qty, Qty(1_000));
}

#[test]
fn the_legs_share_one_book() {
    // 5 are offered at 100.10: what the long leg takes is gone for the short leg's close.
    let mut line = line(hedged(), &[10_000; 8]);
    wake(&mut line);
    place(&mut line, at(1, Short, -2_000));
    place(&mut line, at(2, Long, 4_000));
    place(&mut line, at(3, Short, 2_000));
    until(&mut line, 2 * SECOND);
    let filled: Vec<_> = line.orders().iter().map(|row| row.filled.0).collect();
    assert_eq!(filled, [2_000, 4_000, 1_000]);
    assert_eq!(line.ledger().position(1).qty, Qty(-1_000));
}

#[test]
fn a_liquidation_closes_both_legs_and_their_orders() {
    // 4 long from 100.10 and 1 short from 100.00 with 150: at 50 the long one has lost 200.40,
    // the short one gained 50.
    let mut setup = hedged();
    setup.capital[0].amount = d("150");
    let mut line = line(setup, &[10_000, 5_000, 5_000, 5_000]);
    wake(&mut line);
    place(&mut line, at(1, Long, 4_000));
    place(&mut line, at(2, Short, -1_000));
    let rests = Request {
        kind: OrderType::Limit,
        price: Some(Px(11_000)),
        ..at(3, Short, -10)
    };
    place(&mut line, rests);
    while wake(&mut line).is_some() {}
    let rows = line.liquidations();
    let legs: Vec<_> = rows.iter().map(|row| (row.instrument, row.qty)).collect();
    assert_eq!(legs, [(0, Qty(4_000)), (1, Qty(1_000))], "by maintenance");
    assert_eq!(line.ledger().balance(0, USDT), Ok(Decimal::ZERO));
    assert!(!line.order(3).unwrap().is_open());
}

#[test]
fn funding_is_charged_for_each_position() {
    let minute = 60 * SECOND;
    let mut setup = hedged();
    setup.end = 2 * minute;
    let mut line = line(setup, &[10_000; 8]);
    let rate = Columns::Funding {
        rate: vec![1],
        exp: 2,
    };
    line.add(Stream::new(0, stamps(&[minute], 0), rate).unwrap())
        .unwrap();
    wake(&mut line);
    place(&mut line, at(1, Long, 1_000));
    place(&mut line, at(2, Short, -400));
    until(&mut line, minute - SECOND);
    line.take_answers();
    until(&mut line, minute + SECOND);
    let paid: Vec<_> = (line.take_answers().into_iter())
        .filter_map(|answer| match answer.body {
            Account::FundingPaid { amount, .. } => Some((answer.instrument, amount)),
            _ => None,
        })
        .collect();
    assert_eq!(paid, [(0, d("-1")), (1, d("0.4"))]);
}

#[test]
fn legs_that_are_none_are_named() {
    let error = |change: &dyn Fn(&mut Setup)| {
        let mut setup = hedged();
        change(&mut setup);
        Line::new(setup).err().map(|error| error.to_string())
    };
    let other_tick = error(&|setup| setup.instruments[1].tick = always(Px(20)));
    assert_eq!(
        other_tick.unwrap(),
        "hedged: expected the two legs of one contract, each once, was BTCUSDT-PERP.TEST and \
         BTCUSDT-PERP-SHORT.TEST"
    );
    assert!(error(&|setup| setup.hedged.push([0, 1])).is_some());
    assert!(error(&|setup| setup.hedged = vec![[0, 7]]).is_some());
    let mut line = line(hedged(), &[10_000]);
    let stream = Stream::new(1, stamps(&[0], 0), Columns::Marks(vec![1])).unwrap();
    let refused = line.add(stream).unwrap_err().to_string();
    assert_eq!(
        refused,
        "instrument: expected the long leg of a contract in hedge mode, BTCUSDT-PERP.TEST, was 1"
    );
}
