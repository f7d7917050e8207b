//! What spot orders lock: coins of those who sell, money of those who buy, each its own.

use cq_ledger::Transfer;

use super::*;

const SECOND: Ts = 1_000_000_000;

/// Two sleeves with 1000 USDT each, quotes at 100.00 for as long as it lasts.
fn line() -> Line {
    let mut spot = contract();
    "BTCUSDT.TEST".clone_into(&mut spot.id);
    spot.contract = Contract::Spot;
    let mut setup = setup(9 * SECOND);
    setup.instruments = vec![spot];
    setup.sleeves = vec!["one".to_owned(), "two".to_owned()];
    setup.wallets[0].assets.push("BTC".to_owned());
    setup.wallets.push(Wallet {
        name: "apart".to_owned(),
        assets: setup.wallets[0].assets.clone(),
        instruments: vec![],
    });
    setup.grid = SECOND;
    let mut other = setup.capital[0].clone();
    other.sleeve = 1;
    setup.capital.push(other);
    let mut line = Line::new(setup).unwrap();
    let depth = vec![1_000_000; 9];
    let prices = vec![10_000; 9];
    let times: Vec<Ts> = (0..9).map(|n| n * SECOND).collect();
    let rows = Columns::Quotes([prices.clone(), depth.clone(), prices, depth]);
    line.add(Stream::new(0, stamps(&times, 0), rows).unwrap())
        .unwrap();
    wake(&mut line).unwrap();
    line
}

fn send(line: &mut Line, request: Request, sleeve: usize) {
    let signed = request.side.sign() * request.qty.0;
    line.place(request, vec![(sleeve, Qty(signed))]).unwrap();
}

fn limit(id: u64, side: Side, units: i64, px: i64) -> Request {
    Request::limit(id, 0, side, Qty(units), Px(px), TimeInForce::Gtc)
}

fn until(line: &mut Line, ts: Ts) {
    while line.now() < ts {
        wake(line).unwrap();
    }
}

fn refused(line: &Line) -> Vec<u64> {
    let rows = line.orders().iter();
    let refused = rows.filter(|row| row.reason == "insufficient_balance");
    refused.map(|row| row.request.id).collect()
}

#[test]
fn nobody_sells_what_another_sleeve_holds_nor_the_same_coins_twice() {
    let mut line = line();
    send(&mut line, market(1, 10_000), 0);
    until(&mut line, SECOND);
    send(&mut line, market(2, -1), 1);
    send(&mut line, limit(3, Side::Sell, 6_000, 11_000), 0);
    send(&mut line, limit(4, Side::Sell, 4_001, 11_000), 0);
    send(&mut line, limit(5, Side::Sell, 4_000, 11_000), 0);
    send(&mut line, market(6, -1), 0);
    // Both together sell no more than there is, but not in these parts.
    let shared = market(7, -2);
    line.place(shared, vec![(0, Qty(-1)), (1, Qty(-1))])
        .unwrap();
    until(&mut line, 2 * SECOND);
    assert_eq!(refused(&line), [2, 4, 6, 7]);
    line.amend(5, (Some(Px(11_000)), Qty(4_001))).unwrap();
    line.cancel(3).unwrap();
    until(&mut line, 3 * SECOND);
    assert_eq!(line.order(5).unwrap().request.qty, Qty(4_000), "it is kept");
    send(&mut line, market(8, -6_000), 0);
    until(&mut line, 4 * SECOND);
    assert_eq!(line.ledger().sleeve_position(0, 0).qty, Qty(4_000));
    while wake(&mut line).is_some() {}
    assert_eq!(line.ledger().equity(), Ok(Decimal::from(2_000)));
}

#[test]
fn bids_lock_their_price_and_a_stop_locks_nothing_until_it_is_due() {
    let mut line = line();
    send(&mut line, limit(1, Side::Buy, 6_000, 9_000), 0); // 540
    send(&mut line, limit(2, Side::Buy, 5_112, 9_000), 0); // 460.08
    send(&mut line, limit(3, Side::Buy, 5_111, 9_000), 0); // 459.99
    send(&mut line, limit(4, Side::Buy, 11_111, 9_000), 1); // 999.99 of the other's
    send(&mut line, stop(5, -3, 9_000), 0);
    until(&mut line, SECOND);
    assert_eq!(refused(&line), [2]);
    assert_eq!(line.order(5).unwrap().reason, "");
    line.cancel(1).unwrap();
    until(&mut line, 2 * SECOND);
    send(&mut line, limit(6, Side::Buy, 5_400, 10_000), 0);
    until(&mut line, 3 * SECOND);
    assert_eq!(line.ledger().sleeve_position(0, 0).qty, Qty(5_400));
    while wake(&mut line).is_some() {}
    assert_eq!(refused(&line), [2]);
}

#[test]
fn a_purchase_at_the_market_asks_for_what_bids_leave() {
    let mut line = line();
    send(&mut line, limit(1, Side::Buy, 6_000, 9_000), 0); // 540 of 1000
    until(&mut line, SECOND);
    send(&mut line, market(2, 4_601), 0);
    send(&mut line, market(3, 4_600), 0);
    until(&mut line, 2 * SECOND);
    assert_eq!(refused(&line), [2]);
    assert_eq!(line.ledger().sleeve_position(0, 0).qty, Qty(4_600));
}

#[test]
fn what_orders_lock_cannot_be_sent_away() {
    let mut line = line();
    send(&mut line, market(1, 4_000), 0);
    until(&mut line, SECOND);
    send(&mut line, limit(2, Side::Buy, 1_000, 9_000), 0); // 90 of 600
    send(&mut line, limit(3, Side::Sell, 3_000, 11_000), 0); // 3 of 4
    until(&mut line, 2 * SECOND);
    for (asset, amount) in [
        ("USDT", "510.01"),
        ("USDT", "510"),
        ("BTC", "1.001"),
        ("BTC", "1"),
    ] {
        let sent = Transfer {
            ts: line.now(),
            from: 0,
            to: 1,
            asset,
            amount: amount.parse().unwrap(),
            fee: Decimal::ZERO,
            sleeve: 0,
        };
        line.transfer(sent).unwrap();
    }
    let reasons: Vec<_> = line.transfers().iter().map(|row| row.reason).collect();
    let refused = "insufficient_balance";
    assert_eq!(reasons, [refused, "", refused, ""]);
}
