//! The largest position at the leverage, by hand: what works counts, what reduces does not.

use cq_sim::PositionSide::{self, Long, Short};
use cq_sim::{reject_code, Latencies};
use cq_types::Bracket;

use super::*;

const SECOND: Ts = 1_000_000_000;
const TOO_LARGE: &str = "max_position";

/// At 10x 1000 USDT, and from `CHANGE` on 2000; at 5x there is no bound.
const CHANGE: Ts = 5 * SECOND;

fn tiers(cap: i64) -> Vec<Bracket> {
    let tier = |cap: i64, max_leverage| Bracket {
        cap: Some(cap.into()),
        mmr: Decimal::new(4, 3),
        max_leverage,
        cum: Decimal::ZERO,
    };
    vec![tier(100, 20), tier(cap, 10), tier(1_000_000, 5)]
}

/// 100 000 USDT, quotes of 99.90 on 100.00 and marks of 100.00, one a second; a trade at 100.00 at
/// 3 s.
fn line(set: impl FnOnce(&mut Setup)) -> Line {
    let mut setup = setup(20 * SECOND);
    (setup.grid, setup.sample) = (SECOND, SECOND);
    setup.capital[0].amount = 100_000.into();
    let rows = vec![(0, tiers(1_000)), (CHANGE, tiers(2_000))];
    setup.instruments[0].brackets = Dated::new(rows);
    if let Some(sim) = &mut setup.sim {
        sim.latency = Latencies::Constant {
            entry: 0,
            response: 0,
        };
    }
    set(&mut setup);
    let legs = u16::try_from(setup.instruments.len()).unwrap();
    let mut line = Line::new(setup).unwrap();
    let times: Vec<Ts> = (0..20).map(|n| n * SECOND).collect();
    let quotes = [9_990, 1_000_000, 10_000, 1_000_000].map(|value| vec![value; 20]);
    line.add(Stream::new(0, stamps(&times, 0), Columns::Quotes(quotes)).unwrap())
        .unwrap();
    let marks = Columns::Marks(vec![10_000; 20]);
    line.add(Stream::new(0, stamps(&times, 0), marks).unwrap())
        .unwrap();
    let trade = Columns::Trades {
        id: vec![1],
        px: vec![10_000],
        qty: vec![1],
        side: vec![1],
    };
    line.add(Stream::new(0, stamps(&[3 * SECOND], 0), trade).unwrap())
        .unwrap();
    for leg in 0..legs {
        line.set_leverage(leg, 10).unwrap();
    }
    until(&mut line, SECOND);
    line
}

fn until(line: &mut Line, ts: Ts) {
    while line.now() < ts {
        wake(line).unwrap();
    }
}

/// A limit order at a price, of signed lots.
fn rests(id: u64, signed: i64, px: i64) -> Request {
    let tif = TimeInForce::Gtc;
    let side = Side::of(signed).unwrap();
    Request::limit(id, 0, side, Qty(signed.abs()), Px(px), tif)
}

/// Places orders and says why each was refused, or nothing.
fn reasons(line: &mut Line, orders: &[Request]) -> Vec<&'static str> {
    for order in orders {
        place(line, *order);
    }
    let next = line.now() + SECOND;
    until(line, next);
    let of = |order: &Request| {
        let row = line.orders().iter().find(|row| row.request.id == order.id);
        row.unwrap().reason
    };
    orders.iter().map(of).collect()
}

#[test]
fn the_last_lot_within_the_bound_is_taken_and_one_more_is_refused() {
    // A bid at 80.00: 12.5 are 1000 USDT.
    assert_eq!(reasons(&mut line(|_| ()), &[rests(1, 12_500, 8_000)]), [""]);
    let refused = reasons(&mut line(|_| ()), &[rests(1, 12_501, 8_000)]);
    assert_eq!(refused, [TOO_LARGE]);
    assert_eq!(reject_code(refused[0]), Some(Some(-2027)));
    // Bids add up, 400 and 600; those of the other side count for themselves.
    let orders = [
        rests(1, 5_000, 8_000),
        rests(2, 7_500, 8_000),
        rests(3, -10_000, 10_000),
        rests(4, 1, 8_000),
        rests(5, -1, 10_000),
    ];
    let said = reasons(&mut line(|_| ()), &orders);
    assert_eq!(said, ["", "", "", TOO_LARGE, TOO_LARGE]);
}

#[test]
fn a_market_order_counts_the_position_at_the_mark_and_what_reduces_is_free() {
    // Bought at 100.00 and taken to trade at 100.05, up to a grid unit: 9.995 x 100.05 = 999.99975.
    let mut line = line(|_| ());
    let reduces = Request {
        reduce_only: true,
        ..rests(4, -9_995, 10_000)
    };
    let orders = [
        market(1, 9_996),
        market(2, 9_995),
        market(3, 5),
        reduces,
        // 9.995 closes and 10 opens.
        rests(5, -19_996, 10_000),
        rests(6, -19_995, 10_000),
    ];
    let expected = [TOO_LARGE, "", TOO_LARGE, "", TOO_LARGE, ""];
    assert_eq!(reasons(&mut line, &orders), expected);
    assert_eq!(line.ledger().position(0).qty, Qty(9_995));
}

#[test]
fn from_a_change_of_the_tiers_on_their_bound_is_another_one() {
    let mut line = line(|_| ());
    let mut early = self::line(|_| ());
    assert_eq!(reasons(&mut early, &[rests(1, 12_501, 8_000)]), [TOO_LARGE]);
    until(&mut line, CHANGE);
    let orders = [rests(1, 25_000, 8_000), rests(2, 1, 8_000)];
    assert_eq!(reasons(&mut line, &orders), ["", TOO_LARGE]);
}

#[test]
fn a_lower_leverage_allows_more() {
    let mut line = line(|_| ());
    line.set_leverage(0, 6).unwrap();
    assert_eq!(reasons(&mut line, &[rests(1, 12_501, 8_000)]), [TOO_LARGE]);
    line.set_leverage(0, 5).unwrap();
    assert_eq!(reasons(&mut line, &[rests(2, 100_000, 8_000)]), [""]);
}

#[test]
fn an_amendment_is_refused_as_well_and_leaves_the_order_as_it_was() {
    let mut line = line(|_| ());
    assert_eq!(reasons(&mut line, &[rests(1, 5_000, 8_000)]), [""]);
    line.amend(1, (None, Qty(12_501))).unwrap();
    until(&mut line, 3 * SECOND);
    let row = |line: &Line| (line.orders()[0].request.qty, line.orders()[0].reason);
    assert_eq!(row(&line), (Qty(5_000), TOO_LARGE));
    line.amend(1, (None, Qty(12_500))).unwrap();
    until(&mut line, 4 * SECOND);
    assert_eq!(row(&line), (Qty(12_500), ""));
}

#[test]
fn an_order_that_waits_is_asked_when_it_is_set_off() {
    // A stop to buy at 100.00, a limit at 80.00 once the trade sets it off, beside a bid of 600: 400 are left.
    let opens = |id, signed| Request {
        reduce_only: false,
        price: Some(Px(8_000)),
        ..stop(id, signed, 10_000)
    };
    let set = |setup: &mut Setup| {
        if let Some(sim) = &mut setup.sim {
            sim.stop_margin = cq_sim::StopMargin::Trigger;
        }
    };
    for (lots, said) in [(5_000, ""), (5_001, TOO_LARGE)] {
        let mut line = line(set);
        assert_eq!(
            reasons(&mut line, &[rests(1, 7_500, 8_000), opens(2, lots)]),
            ["", ""]
        );
        until(&mut line, 4 * SECOND);
        assert_eq!(line.orders()[1].reason, said);
    }
}

#[test]
fn each_leg_of_a_hedged_contract_has_the_bound_for_itself() {
    let mut line = line(|setup| {
        let mut short = setup.instruments[0].clone();
        "BTCUSDT-PERP-SHORT.TEST".clone_into(&mut short.id);
        setup.instruments.push(short);
        setup.wallets[0].instruments = vec![0, 1];
        setup.hedged = vec![[0, 1]];
    });
    let at = |leg: PositionSide, request: Request| Request {
        position_side: Some(leg),
        ..request
    };
    let orders = [
        at(Long, rests(1, 12_500, 8_000)),
        at(Short, rests(2, -10_000, 10_000)),
        at(Long, rests(3, 1, 8_000)),
        at(Short, rests(4, -1, 10_000)),
    ];
    assert_eq!(reasons(&mut line, &orders), ["", "", TOO_LARGE, TOO_LARGE]);
}

#[test]
fn coin_margined_tiers_count_the_coin() {
    // At 80.00 one contract of 1 USD is 0.0125 BTC; at 10x the tiers end at 5 BTC: 400 contracts.
    let mut line = line(|setup| {
        let own = &mut setup.instruments[0];
        own.contract = Contract::Inverse;
        "BTC".clone_into(&mut own.settle);
        own.grid.qty_exp = 0;
        own.bracket_unit = BracketUnit::Base;
        own.brackets = Dated::new(vec![(0, tiers(5)[1..].to_vec())]);
        setup.wallets[0].assets = vec!["BTC".to_owned()];
        "BTC".clone_into(&mut setup.capital[0].asset);
        setup.valuation.asset = "BTC".to_owned();
    });
    let orders = [
        rests(1, 401, 8_000),
        rests(2, 300, 8_000),
        rests(3, 101, 8_000),
        rests(4, 100, 8_000),
    ];
    assert_eq!(reasons(&mut line, &orders), [TOO_LARGE, "", TOO_LARGE, ""]);
}
