//! Cases small enough to be reckoned by hand; the numbers below were.

use cq_ledger::{Attribution, Fill, Ledger, Margin};
use cq_types::Qty;
use rust_decimal::Decimal;

use crate::venue::*;

fn slipped(ts: i64, quantity: &str, price: &str, reference: &str, impact: &str, fee: &str) -> Fill {
    Fill {
        reference: px(PERP, reference),
        impact: d(impact),
        fee: d(fee),
        ..plain(ts, PERP, quantity, price)
    }
}

#[test]
fn a_long_is_bought_marked_and_partly_sold() {
    let mut ledger = funded();
    let fill = slipped(1, "0.200", "50010", "50000", "4", "5.001");
    ledger.apply_fill(&fill, &[(0, fill.qty)]).unwrap();
    assert_eq!(ledger.equity(), Ok(d("19992.999"))); // 20000 - 0.2 * 10 - 5.001
    let bought = Attribution {
        spread: d("-1.2"), // 0.2 * (10 - 4)
        impact: d("-0.8"), // 0.2 * 4
        fees: d("-5.001"),
        ..Attribution::default()
    };
    assert_eq!(ledger.attribution(0), Ok(bought));
    assert_eq!(ledger.balance(USDM, "USDT"), Ok(d("9994.999")));
    assert_eq!(ledger.balance(SPOT_WALLET, "USDT"), Ok(d("10000")));
    assert_eq!(ledger.position(PERP).cost, d("10002"));
    let btc = &ledger.instruments()[usize::from(PERP)].clone();
    assert_eq!(ledger.position(PERP).entry_price(btc), Some(d("50010")));

    mark(&mut ledger, PERP, "51000");
    assert_eq!(ledger.attribution(0).unwrap().price, d("200")); // 0.2 * 1000
    assert_eq!(ledger.equity(), Ok(d("20192.999")));

    let fill = slipped(2, "-0.050", "50900", "50950", "-10", "-0.5");
    ledger.apply_fill(&fill, &[(0, fill.qty)]).unwrap();
    // A quarter of the cost (2500.5) is released; the rest stays.
    assert_eq!(ledger.position(PERP).cost, d("7501.5"));
    assert_eq!(ledger.position(PERP).qty, qty(PERP, "0.150"));
    // 9994.999 + (2545 - 2500.5) + 0.5 rebate
    assert_eq!(ledger.balance(USDM, "USDT"), Ok(d("10039.999")));
    let sold = Attribution {
        price: d("197.5"), // 200 - 0.05 * (51000 - 50950)
        spread: d("-4.2"), // -1.2 - (0.05 * 50 + 0.05 * 10)
        impact: d("-0.3"), // -0.8 + 0.05 * 10: a negative impact helped
        fees: d("-4.501"),
        ..Attribution::default()
    };
    assert_eq!(ledger.attribution(0), Ok(sold));
    assert_eq!(ledger.equity(), Ok(d("20188.499")));
}

#[test]
fn a_short_earns_what_the_price_loses() {
    let mut ledger = funded();
    let fill = slipped(1, "-0.200", "49990", "50000", "0", "0");
    ledger.apply_fill(&fill, &[(0, fill.qty)]).unwrap();
    assert_eq!(ledger.position(PERP).cost, d("-9998"));
    assert_eq!(ledger.attribution(0).unwrap().spread, d("-2"));
    mark(&mut ledger, PERP, "49000");
    assert_eq!(ledger.equity(), Ok(d("20198")));
    buy(&mut ledger, 2, PERP, "0.200", "49000").unwrap();
    assert_eq!(ledger.position(PERP), cq_ledger::Position::default());
    assert_eq!(ledger.balance(USDM, "USDT"), Ok(d("10198")));
}

#[test]
fn a_flip_closes_the_old_position_and_opens_the_new_one() {
    let mut ledger = funded();
    buy(&mut ledger, 1, PERP, "0.200", "50000").unwrap();
    let fill = slipped(2, "-0.500", "51000", "51000", "0", "1");
    ledger.apply_fill(&fill, &[(0, fill.qty)]).unwrap();
    let position = ledger.position(PERP);
    assert_eq!(position.qty, qty(PERP, "-0.300"));
    assert_eq!(position.cost, d("-15300"));
    assert_eq!(ledger.balance(USDM, "USDT"), Ok(d("10199"))); // + 0.2 * 1000 - 1
    mark(&mut ledger, PERP, "51000");
    assert_eq!(ledger.equity(), Ok(d("20199")));
    let trip = &ledger.round_trips()[0];
    assert_eq!((trip.entry_ts, trip.exit_ts), (1, 2));
    assert_eq!(trip.outcome.pnl, d("199.6")); // 0.2 of the 0.5 pay 0.4 of the fee
    assert_eq!(trip.outcome.fees, d("-0.4"));
    assert_eq!(trip.legs[0].qty, qty(PERP, "0.200"));
    assert_eq!(trip.legs[0].entry_price, d("50000"));
    assert_eq!(trip.legs[0].exit_price, d("51000"));

    buy(&mut ledger, 3, PERP, "0.300", "50000").unwrap();
    let trip = &ledger.round_trips()[1];
    assert_eq!((trip.entry_ts, trip.exit_ts), (2, 3));
    assert_eq!(trip.outcome.pnl, d("299.4"));
    assert_eq!(trip.legs[0].qty, qty(PERP, "-0.300"));
}

#[test]
fn a_partial_close_loses_no_part_of_the_cost() {
    let mut ledger = funded();
    buy(&mut ledger, 1, PERP, "0.001", "0.01").unwrap(); // cost 0.00001
    buy(&mut ledger, 1, PERP, "0.002", "0.02").unwrap(); // cost 0.00005
    buy(&mut ledger, 1, PERP, "0.004", "0.04").unwrap(); // cost 0.00021, of 0.007
    buy(&mut ledger, 2, PERP, "-0.002", "0.01").unwrap();
    assert_eq!(ledger.position(PERP).cost, d("0.00015")); // 0.00021 * 2/7 = 0.00006
    buy(&mut ledger, 2, PERP, "-0.003", "0.01").unwrap();
    assert_eq!(ledger.position(PERP).cost, d("0.00006")); // 0.00015 * 3/5
    buy(&mut ledger, 2, PERP, "0.001", "0.01").unwrap();
    buy(&mut ledger, 3, PERP, "-0.001", "0.01").unwrap();
    assert_eq!(ledger.position(PERP).cost, d("0.00004667")); // 0.00007 / 3 = 0.0000233333
    buy(&mut ledger, 3, PERP, "-0.002", "0.01").unwrap();
    assert_eq!(ledger.position(PERP).cost, Decimal::ZERO);
    // Paid 0.00022, got 0.00008.
    assert_eq!(ledger.balance(USDM, "USDT"), Ok(d("9999.99986")));
}

#[test]
fn an_inverse_short_of_one_times_the_coin_is_cash() {
    let mut ledger = ledger_of(&["only"]);
    mark(&mut ledger, COIN, "50000");
    ledger.deposit(0, 0, COINM, "BTC", d("1")).unwrap();
    buy(&mut ledger, 1, COIN, "-500", "50000").unwrap();
    for (price, coins) in [("50000", "0"), ("25000", "1"), ("100000", "-0.5")] {
        mark(&mut ledger, COIN, price);
        assert_eq!(ledger.equity(), Ok(d("50000")), "{price}");
        let margin = ledger.margin(COINM, "BTC", 0).unwrap();
        assert_eq!(margin.unrealised, d(coins));
    }
    // 500 * 100 / 100000 = 0.5 coin notional; funding in coin.
    let booked = ledger.apply_funding(&funding(HOUR, COIN, "0.0001", "100000"));
    assert_eq!(booked, Ok(d("0.00005")));
    assert_eq!(ledger.attribution(0).unwrap().funding, d("5"));
    assert_eq!(ledger.balance(COINM, "BTC"), Ok(d("1.00005")));
}

#[test]
fn inverse_profit_is_the_difference_of_reciprocals() {
    let mut ledger = ledger_of(&["only"]);
    mark(&mut ledger, COIN, "30000");
    ledger.deposit(0, 0, COINM, "BTC", d("1")).unwrap();
    let fill = Fill {
        reference: px(COIN, "29900"),
        impact: d("50"),
        ..plain(1, COIN, "7", "30000")
    };
    ledger.apply_fill(&fill, &[(0, fill.qty)]).unwrap();
    assert_eq!(ledger.position(COIN).cost, d("-0.02333333"));
    let btc = &ledger.instruments()[usize::from(COIN)].clone();
    let entry = ledger.position(COIN).entry_price(btc).unwrap();
    assert_eq!(entry.round_dp(2), d("30000.00"));
    // 700/29900 = 0.02341137, 700/29950 = 0.02337229, 700/30000 = 0.02333333
    let costs = ledger.attribution(0).unwrap();
    assert_eq!(costs.impact, d("-1.1688")); // 0.00003896 * 30000
    assert_eq!(costs.spread, d("-1.1724")); // 0.00003908 * 30000
    mark(&mut ledger, COIN, "40000");
    buy(&mut ledger, 2, COIN, "-7", "40000").unwrap();
    // 700/30000 - 700/40000
    assert_eq!(ledger.balance(COINM, "BTC"), Ok(d("1.00583333")));
    let trip = &ledger.round_trips()[0];
    assert_eq!(trip.outcome.pnl, d("233.3332")); // 0.00583333 * 40000
    assert_eq!(trip.legs[0].exit_price, d("40000"));
}

#[test]
fn spot_moves_both_assets_and_pays_its_fee_in_quote() {
    let mut ledger = funded();
    let fill = Fill {
        fee: d("7.5"),
        ..plain(1, SPOT, "0.15000", "50000")
    };
    ledger.apply_fill(&fill, &[(0, fill.qty)]).unwrap();
    assert_eq!(ledger.balance(SPOT_WALLET, "BTC"), Ok(d("0.15")));
    assert_eq!(ledger.balance(SPOT_WALLET, "USDT"), Ok(d("2492.5")));
    assert_eq!(ledger.balance(USDM, "USDT"), Ok(d("10000")));
    mark(&mut ledger, PERP, "1"); // what prices the coin is the spot market
    mark(&mut ledger, COIN, "1");
    mark(&mut ledger, SPOT, "51000");
    assert_eq!(ledger.equity(), Ok(d("20142.5")));
    assert_eq!(ledger.attribution(0).unwrap().price, d("150"));
    buy(&mut ledger, 2, SPOT, "-0.15000", "52000").unwrap();
    assert_eq!(ledger.balance(SPOT_WALLET, "BTC"), Ok(Decimal::ZERO));
    assert_eq!(ledger.balance(SPOT_WALLET, "USDT"), Ok(d("10292.5")));
    assert_eq!(ledger.round_trips()[0].outcome.pnl, d("292.5"));
}

#[test]
fn the_hedged_part_of_a_pair_is_basis() {
    let mut ledger = funded();
    // Collateral of another contract is no spot position: it hedges nothing.
    ledger.deposit(0, 0, COINM, "BTC", d("1")).unwrap();
    mark(&mut ledger, PERP, "50100");
    buy(&mut ledger, 1, SPOT, "0.15000", "50000").unwrap();
    buy(&mut ledger, 1, PERP, "-0.100", "50100").unwrap();
    mark(&mut ledger, SPOT, "50300");
    mark(&mut ledger, PERP, "50380");
    let seen = ledger.attribution(0).unwrap();
    assert_eq!(seen.basis, d("2")); // 0.1 * (300 - 280)
    assert_eq!(seen.price, d("15")); // 0.05 * 300
                                     // The rest of the short is opened: all the spot is hedged from here, 0.25 is over.
    buy(&mut ledger, 2, PERP, "-0.300", "50380").unwrap();
    mark(&mut ledger, SPOT, "50200");
    mark(&mut ledger, PERP, "50280");
    let seen = ledger.attribution(0).unwrap();
    assert_eq!(seen.basis, d("2")); // 0.15 * (-100 + 100)
    assert_eq!(seen.price, d("40")); // 15 + 0.25 * 100
                                     // A long perpetual hedges nothing.
    buy(&mut ledger, 3, PERP, "0.500", "50280").unwrap();
    mark(&mut ledger, SPOT, "50300");
    mark(&mut ledger, PERP, "50380");
    let seen = ledger.attribution(0).unwrap();
    assert_eq!(seen.basis, d("2"));
    assert_eq!(seen.price, d("65")); // + 0.15 * 100 + 0.1 * 100
                                     // Nor does a short of another base.
    buy(&mut ledger, 4, PERP, "-0.100", "50380").unwrap();
    buy(&mut ledger, 4, ETH, "-1.000", "50000").unwrap();
    mark(&mut ledger, SPOT, "50400");
    mark(&mut ledger, ETH, "49990");
    let seen = ledger.attribution(0).unwrap();
    assert_eq!(seen.basis, d("2"));
    assert_eq!(seen.price, d("90")); // + 0.15 * 100 + 1 * 10
}

#[test]
fn a_pair_is_one_round_trip_from_flat_to_flat() {
    let mut ledger = funded();
    buy(&mut ledger, 1, SPOT, "0.10000", "50000").unwrap();
    buy(&mut ledger, 2, PERP, "-0.100", "50100").unwrap();
    ledger
        .apply_funding(&funding(8 * HOUR, PERP, "0.0001", "50000"))
        .unwrap();
    buy(&mut ledger, 9 * HOUR, SPOT, "-0.04000", "51000").unwrap();
    buy(&mut ledger, 10 * HOUR, SPOT, "-0.06000", "52000").unwrap();
    assert!(ledger.round_trips().is_empty());
    buy(&mut ledger, 11 * HOUR, PERP, "0.100", "52000").unwrap();
    let trips = ledger.round_trips();
    assert_eq!(trips.len(), 1);
    assert_eq!((trips[0].entry_ts, trips[0].exit_ts), (1, 11 * HOUR));
    assert_eq!((trips[0].sleeve, trips[0].base.as_str()), (0, "BTC"));
    assert_eq!(trips[0].outcome.pnl, d("-29.5")); // 40 + 120 - 190 + 0.5
    assert_eq!(trips[0].outcome.funding, d("0.5"));
    assert_eq!(trips[0].legs.len(), 2);
    assert_eq!(trips[0].legs[0].exit_price, d("51600"));
    assert_eq!(trips[0].legs[1].qty, qty(PERP, "-0.100"));
    assert_eq!(trips[0].legs[1].entry_price, d("50100"));
}

#[test]
fn sleeves_that_pull_apart_trade_at_the_reference_and_share_the_cost_by_size() {
    let mut ledger = ledger_of(&["a", "b"]);
    mark(&mut ledger, PERP, "50000");
    for sleeve in [0, 1] {
        ledger.deposit(0, sleeve, USDM, "USDT", d("10000")).unwrap();
    }
    let fill = slipped(1, "0.200", "50010", "50000", "5", "4");
    let parts = [(0, qty(PERP, "0.300")), (1, qty(PERP, "-0.100"))];
    ledger.apply_fill(&fill, &parts).unwrap();
    let (a, b) = (
        ledger.attribution(0).unwrap(),
        ledger.attribution(1).unwrap(),
    );
    // 0.2 * 10 = 2 of slippage, half of it impact; 3 : 1.
    assert_eq!((a.spread, b.spread), (d("-0.75"), d("-0.25")));
    assert_eq!((a.impact, b.impact), (d("-0.75"), d("-0.25")));
    assert_eq!((a.fees, b.fees), (d("-3"), d("-1")));
    assert_eq!(ledger.sleeve_position(0, PERP).cost, d("15001.5"));
    assert_eq!(ledger.sleeve_position(1, PERP).cost, d("-4999.5"));
    assert_eq!(ledger.position(PERP).cost, d("10002"));
    assert_eq!(ledger.sleeve_equity(0), Ok(d("9995.5")));
    assert_eq!(ledger.sleeve_equity(1), Ok(d("9998.5")));
    assert_eq!(ledger.equity(), Ok(d("19994")));
    // Funding is each sleeve's own; the account is their sum.
    let booked = ledger.apply_funding(&funding(HOUR, PERP, "0.0001", "50000"));
    assert_eq!(booked, Ok(d("-1")));
    assert_eq!(ledger.attribution(0).unwrap().funding, d("-1.5"));
    assert_eq!(ledger.attribution(1).unwrap().funding, d("0.5"));
}

#[test]
fn the_last_sleeve_takes_the_remainder_of_a_split() {
    let mut ledger = ledger_of(&["a", "b", "c"]);
    mark(&mut ledger, PERP, "50000");
    let fill = slipped(1, "0.003", "50000", "50000", "0", "0.00000005");
    let parts = [(2, Qty(1)), (0, Qty(1)), (1, Qty(1))];
    ledger.apply_fill(&fill, &parts).unwrap();
    let fee = |sleeve| ledger.attribution(sleeve).unwrap().fees;
    assert_eq!(fee(2), d("-0.00000002")); // 1.67e-8
    assert_eq!(fee(0), d("-0.00000002"));
    assert_eq!(fee(1), d("-0.00000001"));
}

#[test]
fn sleeves_trade_with_each_other_at_the_stated_price() {
    let mut ledger = ledger_of(&["a", "b"]);
    mark(&mut ledger, PERP, "50000");
    ledger.deposit(0, 0, USDM, "USDT", d("10000")).unwrap();
    let parts = [(0, Qty(100)), (1, Qty(-100))];
    ledger
        .internal_cross(1, PERP, px(PERP, "49900"), &parts)
        .unwrap();
    assert_eq!(ledger.position(PERP), cq_ledger::Position::default());
    assert_eq!(ledger.sleeve_position(0, PERP).cost, d("4990"));
    assert_eq!(ledger.sleeve_equity(0), Ok(d("10010")));
    assert_eq!(ledger.sleeve_equity(1), Ok(d("-10")));
    assert_eq!(ledger.equity(), Ok(d("10000")));
    assert_eq!(ledger.attribution(0).unwrap().price, d("10"));
    // The account neither pays nor receives, its sleeves do.
    let booked = ledger.apply_funding(&funding(HOUR, PERP, "0.0001", "50000"));
    assert_eq!(booked, Ok(Decimal::ZERO));
    assert_eq!(ledger.attribution(1).unwrap().funding, d("0.5"));
}

/// The figures of dev.binance.vision/t/how-to-caculating-leverage-pnl-quantile/17801: a profit of
/// 40.2 on 4.27, a margin ratio of 13.42 %.
#[test]
fn the_rank_for_deleveraging_is_profit_on_the_balance_by_the_margin_ratio() {
    let margin = |balance: &str, unrealised: &str, maintenance: &str| Margin {
        balance: d(balance),
        unrealised: d(unrealised),
        margin_balance: d(balance) + d(unrealised),
        initial: Decimal::ONE,
        maintenance: d(maintenance),
        available: Decimal::ZERO,
    };
    let rank = |margin: Margin| margin.leverage_pnl().unwrap().round_dp(2);
    assert_eq!(rank(margin("4.27", "40.2", "5.967874")), d("1.26"));
    // A balance of less than one counts as one; 4 x 2 / 4.5.
    assert_eq!(rank(margin("0.5", "4", "2")), d("1.78"));
    assert_eq!(rank(margin("100", "-40", "2")), Decimal::ZERO);
    assert_eq!(rank(margin("-50", "40", "2")), Decimal::ZERO);
}

#[test]
fn margin_follows_leverage_and_the_brackets_of_the_day() {
    let mut ledger = funded();
    buy(&mut ledger, 1, PERP, "-0.500", "50000").unwrap();
    mark(&mut ledger, PERP, "50400");
    ledger.set_leverage(PERP, 4).unwrap();
    let margin = ledger.margin(USDM, "USDT", NEW_RULES - 1).unwrap();
    assert_eq!(margin.balance, d("10000"));
    assert_eq!(margin.unrealised, d("-200"));
    assert_eq!(margin.margin_balance, d("9800"));
    assert_eq!(margin.initial, d("6300")); // 25200 / 4
    assert_eq!(margin.available, d("3500"));
    assert_eq!(margin.maintenance, d("192")); // 25200 * 0.01 - 60
    assert_eq!(margin.ratio().unwrap().round_dp(6), d("0.019592"));
    assert!(!margin.is_liquidated());
    let later = ledger.margin(USDM, "USDT", NEW_RULES).unwrap();
    assert_eq!(later.maintenance, d("504"));
    // Unrealised profit is margin, but it cannot be moved away.
    mark(&mut ledger, PERP, "40000");
    ledger.set_leverage(PERP, 10).unwrap();
    let margin = ledger.margin(USDM, "USDT", 0).unwrap();
    assert_eq!(margin.margin_balance, d("15000"));
    assert_eq!(margin.available, d("10000"));
    // Liquidation is reached when the margin balance equals maintenance.
    ledger.deposit(2, 0, USDM, "USDT", d("290")).unwrap();
    mark(&mut ledger, PERP, "69999.99");
    assert!(!ledger.margin(USDM, "USDT", 0).unwrap().is_liquidated());
    mark(&mut ledger, PERP, "70000"); // 10290 - 10000 = 35000 * 0.01 - 60
    let margin = ledger.margin(USDM, "USDT", 0).unwrap();
    assert_eq!(margin.ratio(), Some(Decimal::ONE));
    assert!(margin.is_liquidated());
    assert_eq!(margin.available, Decimal::ZERO);
    assert_eq!(
        ledger.margin(SPOT_WALLET, "BTC", 0).unwrap().maintenance,
        Decimal::ZERO
    );
}

#[test]
fn inverse_margin_is_in_coin() {
    let mut ledger = ledger_of(&["only"]);
    mark(&mut ledger, COIN, "30000");
    ledger.deposit(0, 0, COINM, "BTC", d("1")).unwrap();
    buy(&mut ledger, 1, COIN, "200", "30000").unwrap();
    ledger.set_leverage(COIN, 2).unwrap();
    let margin = ledger.margin(COINM, "BTC", 0).unwrap();
    assert_eq!(margin.initial, d("0.33333333"));
    // Tiers are in quote: 20000 * 0.01 - 60 = 140 USD.
    assert_eq!(margin.maintenance, d("0.00466667"));
    assert_eq!(margin.available, d("0.66666667"));
}

#[test]
fn an_instrument_that_was_never_marked_is_marked_at_the_reference_price() {
    let mut ledger = ledger_of(&["only"]);
    let fill = slipped(1, "0.100", "50010", "50000", "0", "0");
    ledger.apply_fill(&fill, &[(0, fill.qty)]).unwrap();
    assert_eq!(ledger.mark_of(PERP), Some(px(PERP, "50000")));
    let seen = ledger.attribution(0).unwrap();
    assert_eq!((seen.price, seen.spread), (Decimal::ZERO, d("-1")));
}

#[test]
fn a_leg_that_turns_round_inside_a_trip_keeps_the_sign_of_its_opening() {
    let mut ledger = funded();
    buy(&mut ledger, 1, SPOT, "0.10000", "50000").unwrap();
    buy(&mut ledger, 2, PERP, "-0.100", "50000").unwrap();
    buy(&mut ledger, 3, PERP, "0.200", "50100").unwrap();
    buy(&mut ledger, 4, PERP, "-0.100", "50300").unwrap();
    buy(&mut ledger, 5, SPOT, "-0.10000", "50000").unwrap();
    let trips = ledger.round_trips();
    assert_eq!(trips.len(), 1);
    assert_eq!(trips[0].outcome.pnl, d("10")); // -10 + 20
    let leg = trips[0].legs[1];
    assert_eq!((leg.instrument, leg.qty), (PERP, qty(PERP, "-0.200")));
    assert_eq!((leg.entry_price, leg.exit_price), (d("50050"), d("50200")));
}

#[test]
fn what_is_finer_than_eight_decimals_is_rounded_when_it_is_booked() {
    let mut instruments = instruments();
    instruments[usize::from(PERP)].grid.qty_exp = 8;
    let sleeves = vec!["only".to_owned()];
    let mut ledger = Ledger::new(instruments.into(), sleeves, wallets(), &usdt()).unwrap();
    mark(&mut ledger, PERP, "0.50");
    for (grid_qty, cost) in [(1, "0"), (2, "0.00000001"), (3, "0.00000003")] {
        let fill = Fill {
            qty: Qty(grid_qty),
            ..plain(1, PERP, "0.001", "0.50")
        };
        ledger.apply_fill(&fill, &[(0, fill.qty)]).unwrap();
        assert_eq!(ledger.position(PERP).cost, d(cost)); // + 0.5, 1 and 1.5 units
    }
    // The mark is no booking: six units of 0.5 are worth exactly 3.
    assert_eq!(ledger.equity(), Ok(Decimal::ZERO));
    mark(&mut ledger, PERP, "0.51");
    assert_eq!(ledger.equity(), Ok(d("0.0000000006")));
}
