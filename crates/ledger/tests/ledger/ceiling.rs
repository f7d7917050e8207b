//! The largest position at a leverage, by hand at its bound; and what is clear is so exactly.

use cq_ledger::{Fill, Ledger, MarginAccount, MarginMode, OpenOrders, Opening, RoughOrders};
use cq_types::{Bracket, BracketUnit, Dated, InstrumentIdx, Px, Qty, Side, Ts};
use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::venue::*;

fn tiers(rows: &[(&str, u16)]) -> Vec<Bracket> {
    let tier = |(cap, max_leverage): &(&str, u16)| Bracket {
        cap: Some(d(cap)),
        mmr: d("0.004"),
        max_leverage: *max_leverage,
        cum: Decimal::ZERO,
    };
    rows.iter().map(tier).collect()
}

/// BTC is bounded in USDT: at 10x by 100 000, then by 200 000; at 6x by 300 000. ETH is bounded in
/// coins, 4 at 10x; the coin-margined contract in BTC, 2 at 10x.
fn account(leverage: u16, held: [i64; 3]) -> MarginAccount {
    let mut all = instruments();
    let old = tiers(&[("100000", 10), ("300000", 6), ("9000000", 5)]);
    let new = tiers(&[("50000", 20), ("200000", 10), ("300000", 6), ("9000000", 5)]);
    all[usize::from(PERP)].brackets = Dated::new(vec![(0, old), (NEW_RULES, new)]);
    all[usize::from(ETH)].brackets = Dated::new(vec![(0, tiers(&[("4", 10), ("90", 5)]))]);
    all[usize::from(ETH)].bracket_unit = BracketUnit::Base;
    all[usize::from(COIN)].brackets = Dated::new(vec![(0, tiers(&[("2", 10), ("90", 5)]))]);
    all[usize::from(COIN)].bracket_unit = BracketUnit::Base;
    let sleeves = vec!["only".to_owned()];
    let mut ledger = Ledger::new(all.into(), sleeves, wallets(), &usdt()).unwrap();
    mark_all(&mut ledger, "50000");
    ledger.deposit(0, 0, USDM, "USDT", d("9000000")).unwrap();
    ledger.deposit(0, 0, COINM, "BTC", d("1000")).unwrap();
    let mut account = MarginAccount::of(&ledger, MarginMode::Cross);
    for (index, qty) in [PERP, ETH, COIN].into_iter().zip(held) {
        account.set_leverage(index, leverage);
        if qty != 0 {
            let at = px(index, "50000");
            let fill = Fill {
                px: at,
                reference: at,
                qty: Qty(qty),
                ..plain(1, index, "1", "50000")
            };
            account.fill(&fill).unwrap();
        }
    }
    account
}

fn marks() -> [Option<Px>; 4] {
    [PERP, PERP, COIN, ETH].map(|index| Some(px(index, "50000")))
}

fn order(instrument: InstrumentIdx, signed: i64) -> Opening {
    Opening {
        instrument,
        side: Side::of(signed).unwrap(),
        qty: Qty(signed.abs()),
        px: px(instrument, "50000"),
    }
}

/// Whether an order is allowed beside what works on its side.
fn allows(account: &MarginAccount, asked: Opening, works: &str, ts: Ts) -> bool {
    account
        .allows(asked, || Ok(d(works)), &marks(), ts)
        .unwrap()
}

#[test]
fn the_highest_tier_that_allows_the_leverage_bounds_a_position_in_usdt() {
    // 2 BTC at 50 000, and one lot of 0.001 more.
    let flat = account(10, [0; 3]);
    assert!(allows(&flat, order(PERP, 2_000), "0", 1));
    assert!(!allows(&flat, order(PERP, 2_001), "0", 1));
    assert!(allows(&flat, order(PERP, -2_000), "0", 1));
    assert!(!allows(&flat, order(PERP, -2_001), "0", 1));
    // Of 100 000 a bid of 30 000 and a position of 0.4 leave 50 000.
    let long = account(10, [400, 0, 0]);
    assert!(allows(&long, order(PERP, 1_000), "30000", 1));
    assert!(!allows(&long, order(PERP, 1_000), "30000.01", 1));
    // A sale first closes what is held: 0.4 and 2 more.
    assert!(allows(&long, order(PERP, -2_400), "0", 1));
    assert!(!allows(&long, order(PERP, -2_401), "0", 1));
    // The tiers of later allow 4 BTC, to the nanosecond.
    assert!(!allows(&flat, order(PERP, 4_000), "0", NEW_RULES - 1));
    assert!(allows(&flat, order(PERP, 4_000), "0", NEW_RULES));
    assert!(!allows(&flat, order(PERP, 4_001), "0", NEW_RULES));
}

#[test]
fn a_lower_leverage_allows_more_and_the_last_tier_sets_no_bound() {
    // 9x, 8x and 7x lie between two tiers: the higher one is too high for 10x only.
    for (leverage, lots) in [(9, 2_000), (7, 2_000), (6, 6_000)] {
        let flat = account(leverage, [0; 3]);
        assert!(allows(&flat, order(PERP, lots), "0", 1));
        assert!(!allows(&flat, order(PERP, lots + 1), "0", 1));
    }
    assert!(allows(&account(5, [0; 3]), order(PERP, 900_000), "0", 1));
    // No tier at all allows 11x, so nothing is allowed.
    assert!(!allows(&account(11, [0; 3]), order(PERP, 1), "0", 1));
}

#[test]
fn what_shrinks_a_position_is_allowed_however_large_that_is() {
    let long = account(10, [9_000, 0, 0]);
    assert!(allows(&long, order(PERP, -1), "0", 1));
    assert!(allows(&long, order(PERP, -11_000), "0", 1));
    assert!(!allows(&long, order(PERP, -11_001), "0", 1));
    assert!(!allows(&long, order(PERP, 1), "0", 1));
}

#[test]
fn tiers_in_coin_count_coins() {
    // ETH by size, whatever its price; of the coin-margined contract 1000 of 100 USD are 2 BTC.
    let flat = account(10, [0; 3]);
    let cheap = Opening {
        px: px(ETH, "0.01"),
        ..order(ETH, 4_000)
    };
    assert!(allows(&flat, cheap, "0", 1));
    let more = Opening {
        qty: Qty(4_001),
        ..cheap
    };
    assert!(!allows(&flat, more, "0", 1));
    assert!(allows(&flat, order(COIN, 1_000), "0", 1));
    assert!(!allows(&flat, order(COIN, 1_001), "0", 1));
    let short = account(10, [0, 0, -600]);
    assert!(allows(&short, order(COIN, -300), "0.2", 1));
    assert!(!allows(&short, order(COIN, -301), "0.2", 1));
}

#[test]
fn far_from_the_bound_it_is_clear() {
    let none = |_| RoughOrders::default();
    let flat = account(10, [0; 3]);
    let is_clear = |asked| flat.clearly_opens(asked, none, &marks(), 1);
    assert!(is_clear(order(PERP, 1_999)) && !is_clear(order(PERP, 2_001)));
    assert!(is_clear(order(ETH, 3_999)) && !is_clear(order(ETH, 4_001)));
    let works = |index| RoughOrders {
        worth: if index == PERP { 60_000.0 } else { 0.0 },
        size: if index == ETH { 3.0 } else { 0.0 },
    };
    let is_clear = |asked| flat.clearly_opens(asked, works, &marks(), 1);
    assert!(is_clear(order(PERP, 799)) && !is_clear(order(PERP, 801)));
    assert!(is_clear(order(ETH, 999)) && !is_clear(order(ETH, 1_001)));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn what_is_clearly_allowed_is_allowed(
        leverage in 5_u16..11,
        held in (-3_000_i64..3_000, -3_000_i64..3_000),
        at in 2_000_000_i64..8_000_000,
        (is_eth, is_buy, lots, limit) in (any::<bool>(), any::<bool>(), 1_i64..3_000, 2_000_000_i64..8_000_000),
        (left, resting) in (0_i64..1_000, 2_000_000_i64..8_000_000),
        is_late in any::<bool>(),
    ) {
        let account = account(leverage, [held.0, held.1, 0]);
        let instrument = if is_eth { ETH } else { PERP };
        let side = if is_buy { Side::Buy } else { Side::Sell };
        let asked = Opening { instrument, side, qty: Qty(lots), px: Px(limit) };
        let marks = [Some(Px(at)); 4];
        let size = left as f64 / 1_000.0;
        let rough = |index| if index == instrument {
            RoughOrders { worth: size * resting as f64 / 100.0, size }
        } else {
            RoughOrders::default()
        };
        let counted = || account.counted(instrument, Px(resting), Qty(left));
        let worth = Decimal::new(left * resting, 5);
        let orders = |index| match (index == instrument, side) {
            (true, Side::Buy) => Ok(OpenOrders { bids: worth, asks: Decimal::ZERO }),
            (true, Side::Sell) => Ok(OpenOrders { bids: Decimal::ZERO, asks: worth }),
            (false, _) => Ok(OpenOrders::default()),
        };
        let ts = if is_late { NEW_RULES } else { NEW_RULES - 1 };
        if account.clearly_opens(asked, rough, &marks, ts) {
            prop_assert_eq!(account.allows(asked, counted, &marks, ts), Ok(true));
            prop_assert_eq!(account.can_open(asked, orders, &marks, ts), Ok(true));
        }
    }
}
