//! Coins as collateral through the whole line: bought, sent, lost, converted.

use cq_ledger::{cause, Collateral, MultiAssets, Transfer};
use cq_line::{OrderStatus, TransferStatus};

use super::*;

const SECOND: Ts = 1_000_000_000;
const PERP: u16 = 0;
const SPOT: u16 = 1;
const USDM: usize = 0;
const CASH: usize = 1;

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

fn rule(asset: &str, ratio: &str, pays: &str) -> Collateral {
    Collateral {
        asset: asset.to_owned(),
        ratio: always(d(ratio)),
        conversion: Some(always(d(pays))),
        debt_limit: Some(always(d("100"))),
        largest: None,
    }
}

fn mode() -> MultiAssets {
    MultiAssets {
        wallet: "usdm".to_owned(),
        assets: vec![rule("USDT", "1", "1"), rule("BTC", "0.95", "0.975")],
        loan_to_value: always(d("1")),
    }
}

/// A contract of 0.4 % maintenance and a spot instrument, both at 100.00, the contract later at
/// these marks; 2000 USDT in the spot wallet, at two times leverage.
fn line(marks: &[i64], sim: SimConfig) -> Line {
    let mut perp = contract();
    perp.brackets = Dated::new(vec![(
        0,
        vec![cq_types::Bracket {
            cap: None,
            mmr: d("0.004"),
            max_leverage: 100,
            cum: Decimal::ZERO,
        }],
    )]);
    let mut spot = contract();
    "BTCUSDT.TEST".clone_into(&mut spot.id);
    spot.contract = Contract::Spot;
    let times: Vec<Ts> = (1..).map(|n| n * SECOND).take(marks.len()).collect();
    let mut setup = setup(times.last().unwrap() + 2 * SECOND);
    setup.instruments = vec![perp, spot];
    setup.grid = SECOND / 2;
    setup.sample = SECOND;
    let wallet = |name: &str, index| Wallet {
        name: name.to_owned(),
        assets: vec!["USDT".to_owned(), "BTC".to_owned()],
        instruments: vec![index],
    };
    setup.wallets = vec![wallet("usdm", PERP), wallet("spot", SPOT)];
    "spot".clone_into(&mut setup.capital[0].wallet);
    setup.capital[0].amount = d("2000");
    setup.sim = Some(SimConfig {
        latency: latency(LATENCY, RESPONSE),
        ..sim
    });
    let mut line = Line::new(setup).unwrap();
    line.set_leverage(PERP, 2).unwrap();
    let moved: Vec<i64> = std::iter::once(10_000)
        .chain(marks.iter().copied())
        .collect();
    let quoted: Vec<Ts> = (0..).map(|n| n * SECOND).take(moved.len()).collect();
    for index in [PERP, SPOT] {
        let prices = if index == PERP {
            moved.clone()
        } else {
            vec![10_000; moved.len()]
        };
        let depth = vec![1_000_000; moved.len()];
        let rows = Columns::Quotes([prices.clone(), depth.clone(), prices, depth]);
        line.add(Stream::new(index, stamps(&quoted, 0), rows).unwrap())
            .unwrap();
    }
    let rows = Columns::Marks(moved);
    line.add(Stream::new(PERP, stamps(&quoted, 0), rows).unwrap())
        .unwrap();
    line
}

fn sim() -> SimConfig {
    SimConfig {
        multi_assets: Some(mode()),
        ..SimConfig::default()
    }
}

fn send(line: &mut Line, from: usize, to: usize, asset: &str, amount: &str) -> u64 {
    let sent = Transfer {
        ts: 0,
        from,
        to,
        asset,
        amount: d(amount),
        fee: line.transfer_fee(from, asset),
        sleeve: 0,
    };
    line.transfer(sent).unwrap()
}

fn until(line: &mut Line, ts: Ts) {
    while line.now() < ts {
        wake(line).unwrap();
    }
}

/// Buys 10 coins at 100, sends them, and goes long `units` of the contract at 100.
fn backed(marks: &[i64], units: i64) -> Line {
    let mut line = line(marks, sim());
    line.set_leverage(PERP, 10).unwrap();
    wake(&mut line).unwrap();
    let coins = Request::market(1, SPOT, Side::Buy, Qty(10_000));
    place(&mut line, coins);
    until(&mut line, SECOND / 2);
    send(&mut line, CASH, USDM, "BTC", "10");
    place(&mut line, market(2, units));
    until(&mut line, SECOND);
    line
}

fn to_the_end(line: &mut Line) {
    while wake(line).is_some() {}
}

fn held(line: &Line) -> (i64, Decimal, Decimal) {
    let ledger = line.ledger();
    let balance = |asset| ledger.balance(USDM, asset).unwrap();
    (ledger.position(PERP).qty.0, balance("USDT"), balance("BTC"))
}

#[test]
fn coins_alone_carry_a_position_whose_loss_is_a_debt_until_the_limit() {
    let mut line = backed(&[10_000, 9_000, 8_500, 8_500, 8_500], 5_000);
    assert_eq!(held(&line), (5_000, d("0"), d("10")));
    until(&mut line, 2 * SECOND);
    place(&mut line, market(3, -5_000)); // at 90.00: 50 are lost
    until(&mut line, 3 * SECOND);
    assert_eq!(
        held(&line),
        (0, d("-50"), d("10")),
        "a debt within the limit"
    );
    assert!(line.conversions().is_empty());
    place(&mut line, market(4, 10_000));
    until(&mut line, 7 * SECOND / 2);
    to_the_end(&mut line);
    assert!(line.liquidations().is_empty());
}

#[test]
fn a_debt_beyond_the_limit_is_converted_and_we_hear_of_it() {
    let mut line = backed(&[10_000, 9_000, 9_000, 9_000], 15_000);
    until(&mut line, 2 * SECOND);
    place(&mut line, market(3, -15_000)); // at 90.00: 150 are lost
    let mut heard = Vec::new();
    while wake(&mut line).is_some() {
        heard.extend(line.take_answers());
    }
    let [row] = line.conversions() else {
        panic!("one, was {:?}", line.conversions());
    };
    // 150 / 0.975 / 90
    assert_eq!(
        (row.made.given, row.made.received),
        (d("1.70940171"), d("150"))
    );
    assert_eq!((row.made.price, row.made.cause), (d("90"), cause::DEBT));
    assert_eq!(row.ts_recv, row.ts_event + RESPONSE);
    assert_eq!(held(&line), (0, d("0"), d("8.29059829")));
    let said = heard
        .iter()
        .filter(|a| matches!(a.body, Account::Converted { .. }));
    assert_eq!(said.count(), 1);
    let parts = line.ledger().attribution(0).unwrap();
    // What the venue kept: 1.70940171 * 90 - 150.
    assert_eq!(parts.fees, d("-3.8461539"));
    let equity = line.ledger().equity().unwrap();
    assert_eq!(equity, d("2000") + parts.total().unwrap());
    assert_eq!(equity, d("1000") + d("8.29059829") * d("90"));
}

#[test]
fn a_liquidation_takes_the_coins_that_the_debt_costs() {
    // 10 coins count 9.5 P, long 19 from 100: 9.5 P + 19 (P - 100) = 0.076 P at 66.845.
    let mut line = backed(&[10_000, 6_685, 6_684, 6_684], 19_000);
    to_the_end(&mut line);
    let [row] = line.liquidations() else {
        panic!("one, was {:?}", line.liquidations());
    };
    assert_eq!((row.ts_event, row.is_takeover), (3 * SECOND, true));
    // 66.84 less (9.5 * 66.84 - 19 * 33.16) / 19.
    assert_eq!(row.bankruptcy, Px(6_658));
    // 634.98 count against 19 * 33.42: nothing is left.
    assert_eq!(row.insurance, d("0"));
    let [made] = line.conversions() else {
        panic!("one, was {:?}", line.conversions());
    };
    assert_eq!(
        (made.made.cause, made.made.received),
        (cause::LIQUIDATION, d("634.98"))
    );
    assert_eq!(made.made.given, d("9.74358975")); // 634.98 / 0.975 / 66.84
    assert_eq!(held(&line), (0, d("0"), d("0.25641025")));
    let parts = line.ledger().attribution(0).unwrap();
    let equity = line.ledger().equity().unwrap();
    assert_eq!(equity, d("2000") + parts.total().unwrap());
}

#[test]
fn money_on_its_way_is_worth_what_it_is_and_nobodys_margin() {
    let mut config = SimConfig {
        transfer_delay: 3 * SECOND / 4,
        transfer_fees: vec![("USDT".to_owned(), d("1.5"))],
        ..SimConfig::default()
    };
    config.insurance_fund = None;
    let mut line = line(&[10_000, 10_000, 10_000], config);
    wake(&mut line).unwrap();
    assert_eq!(send(&mut line, CASH, USDM, "USDT", "500"), 1);
    assert_eq!(send(&mut line, CASH, USDM, "USDT", "1497.00000001"), 2);
    let ledger = line.ledger();
    assert_eq!(ledger.in_flight(USDM, "USDT"), Ok(d("500")));
    assert_eq!(ledger.balance(USDM, "USDT"), Ok(d("0")));
    assert_eq!(ledger.balance(CASH, "USDT"), Ok(d("1498.5")));
    assert_eq!(ledger.equity(), Ok(d("1998.5")));
    assert_eq!(ledger.attribution(0).unwrap().transfer_fees, d("-1.5"));
    let said = line.take_answers();
    assert_eq!(
        said.last().unwrap().body,
        Account::TransferRefused {
            transfer: 2,
            reason: "insufficient_balance"
        }
    );
    place(&mut line, market(1, 1_000)); // arrives before the money
    assert_eq!(wake(&mut line), Some((Wake::Account, 2 * LATENCY)));
    assert_eq!(line.order(1).unwrap().reason, "insufficient_margin");
    until(&mut line, 3 * SECOND / 4);
    assert_eq!(line.now(), 3 * SECOND / 4, "it wakes us");
    let arrived = line.take_answers().pop().unwrap();
    assert_eq!(
        arrived.body,
        Account::Transferred {
            transfer: 1,
            amount: d("500")
        }
    );
    assert_eq!(line.ledger().balance(USDM, "USDT"), Ok(d("500")));
    place(&mut line, market(2, 1_000));
    to_the_end(&mut line);
    assert_eq!(line.order(2).unwrap().reason, "");
    let status: Vec<_> = line.transfers().iter().map(|row| row.status).collect();
    assert_eq!(status, [TransferStatus::Arrived, TransferStatus::Refused]);
}

#[test]
fn the_venue_refuses_to_send_what_it_knows_to_be_lost() {
    // Long 15 of 1000, at 100: the mark of 1 s takes 600, which we hear of only at the next wake.
    let mut line = line(&[6_000, 6_000, 6_000], SimConfig::default());
    wake(&mut line).unwrap();
    send(&mut line, CASH, USDM, "USDT", "1000");
    place(&mut line, market(1, 15_000));
    until(&mut line, SECOND / 2);
    send(&mut line, USDM, CASH, "USDT", "250.00000001");
    send(&mut line, USDM, CASH, "USDT", "100");
    place(
        &mut line,
        Request::limit(2, PERP, Side::Buy, Qty(2_000), Px(9_000), TimeInForce::Gtc),
    );
    until(&mut line, SECOND - 1);
    send(&mut line, USDM, CASH, "USDT", "60.00000001");
    let reasons: Vec<_> = line.transfers().iter().map(|row| row.reason).collect();
    assert_eq!(
        reasons,
        ["", "insufficient_balance", "", "insufficient_balance"],
        "750 of 1000 are margin; 90 more are tied up by the order"
    );
}

#[test]
fn orders_that_rest_tie_up_margin_and_amendments_are_paid_too() {
    let mut line = line(&[10_000, 10_000, 10_000, 10_000], SimConfig::default());
    wake(&mut line).unwrap();
    send(&mut line, CASH, USDM, "USDT", "1000");
    let limit =
        |id, side, units, px| Request::limit(id, PERP, side, Qty(units), Px(px), TimeInForce::Gtc);
    // 11.111 at 90 tie up 499.995, and again; the larger side counts, so that asks are free.
    place(&mut line, limit(1, Side::Buy, 11_111, 9_000));
    place(&mut line, limit(2, Side::Buy, 11_111, 9_000));
    place(&mut line, limit(3, Side::Buy, 1, 9_000));
    place(&mut line, limit(4, Side::Sell, 9_000, 11_000));
    until(&mut line, SECOND / 2);
    let reason = |line: &Line, id| line.order(id).unwrap().reason;
    let reasons: Vec<_> = (1..=4).map(|id| reason(&line, id)).collect();
    assert_eq!(reasons, ["", "", "insufficient_margin", ""]);
    line.amend(2, (Some(Px(9_010)), Qty(11_111))).unwrap();
    until(&mut line, SECOND);
    assert_eq!(
        line.order(2).unwrap().request.price,
        Some(Px(9_000)),
        "it is kept"
    );
    let kept = line
        .take_answers()
        .into_iter()
        .rfind(|a| matches!(a.body, Account::Kept { .. }));
    let reason = "insufficient_margin";
    assert_eq!(kept.unwrap().body, Account::Kept { order: 2, reason });
    let told = |line: &Line| {
        let row = line.order(2).unwrap();
        (row.status, row.reason)
    };
    assert_eq!(told(&line), (OrderStatus::Working, reason));
    line.amend(2, (Some(Px(9_000)), Qty(11_000))).unwrap();
    until(&mut line, 3 * SECOND / 2);
    assert_eq!(line.order(2).unwrap().request.qty, Qty(11_000));
    assert_eq!(told(&line), (OrderStatus::Working, ""));
    line.cancel(1).unwrap();
    until(&mut line, 2 * SECOND);
    line.amend(2, (Some(Px(9_010)), Qty(11_111))).unwrap();
    to_the_end(&mut line);
    assert_eq!(line.order(2).unwrap().request.price, Some(Px(9_010)));
}

#[test]
fn the_mode_wants_cross_margin_and_rules_of_its_time() {
    let mut config = sim();
    config.margin = cq_ledger::MarginMode::Isolated;
    let mut parts = setup(HOUR);
    parts.sim = Some(config);
    let refused = Line::new(parts.clone()).err().unwrap().to_string();
    assert_eq!(
        refused,
        "sim.multi_assets: expected margin = \"cross\", was isolated"
    );
    let mut late = mode();
    late.assets[0].ratio = Dated::new(vec![(1, Decimal::ONE)]).unwrap();
    parts.sim = Some(SimConfig {
        multi_assets: Some(late),
        ..SimConfig::default()
    });
    let refused = Line::new(parts).err().unwrap().to_string();
    assert!(
        refused.contains("the collateral ratio of USDT is known from 1 ns on"),
        "{refused}"
    );
}
