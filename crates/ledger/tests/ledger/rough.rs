//! What bounds in floats call clear is so when it is computed exactly.

use cq_ledger::{Fill, MarginAccount, MarginMode, OpenOrders, Opening, RoughOrders, Safe};
use cq_types::{InstrumentIdx, Px, Qty, Side, Ts};
use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::venue::*;

/// An account with `cents` of USDT at leverage 1 to 10, that has traded both linear contracts.
fn account(cents: i64, leverage: u16, held: [(i64, i64); 2]) -> MarginAccount {
    let mut ledger = ledger_of(&["only"]);
    mark_all(&mut ledger, "50000");
    let cash = Decimal::new(cents, 2);
    ledger.deposit(0, 0, USDM, "USDT", cash).unwrap();
    let mut account = MarginAccount::of(&ledger, MarginMode::Cross);
    for (index, (qty, px)) in [PERP, ETH].into_iter().zip(held) {
        account.set_leverage(index, leverage);
        if qty != 0 {
            let (px, qty) = (Px(px), Qty(qty));
            let fill = Fill {
                px,
                reference: px,
                qty,
                ..plain(1, index, "1", "50000")
            };
            account.fill(&fill).unwrap();
        }
    }
    account
}

fn price() -> impl Strategy<Value = i64> {
    2_000_000_i64..8_000_000
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(4_000))]

    #[test]
    fn an_order_that_is_clearly_paid_is_paid(
        cents in 0_i64..40_000_000,
        leverage in 1_u16..11,
        held in prop::array::uniform2((-3_000_i64..3_000, price())),
        marks in prop::array::uniform2(price()),
        asked in (any::<bool>(), 1_i64..3_000, price()),
        works in prop::array::uniform2(prop::array::uniform2(0_i64..20_000_000)),
        is_late in any::<bool>(),
    ) {
        let account = account(cents, leverage, held);
        let (is_buy, qty, px) = asked;
        let side = if is_buy { Side::Buy } else { Side::Sell };
        let asked = Opening { instrument: PERP, side, qty: Qty(qty), px: Px(px) };
        let marks = [None, Some(Px(marks[0])), None, Some(Px(marks[1]))];
        let of = |index: InstrumentIdx| works[usize::from(index == ETH)];
        let rough = |index| RoughOrders {
            worth: of(index).map(|cents| cents as f64 / 100.0).iter().sum(),
            size: 0.0,
        };
        let exact = |index| {
            let [bids, asks] = of(index).map(|cents| Decimal::new(cents, 2));
            Ok(OpenOrders { bids, asks })
        };
        let ts: Ts = if is_late { NEW_RULES } else { NEW_RULES - 1 };
        if account.clearly_opens(asked, rough, &marks, ts) {
            prop_assert_eq!(account.can_open(asked, exact, &marks, ts), Ok(true));
        }
    }

    #[test]
    fn a_mark_at_which_a_position_is_covered_leaves_it_alone(
        cents in 0_i64..40_000_000,
        qty in prop_oneof![-3_000_i64..0, 1_i64..3_000],
        entry in price(),
        at in 1_i64..30_000_000,
        is_late in any::<bool>(),
    ) {
        let account = account(cents, 10, [(qty, entry), (0, 1)]);
        let pool = account.pool(PERP).unwrap();
        let ts = if is_late { NEW_RULES } else { NEW_RULES - 1 };
        let Some(safe) = account.covered(PERP, pool) else {
            // Nothing is clear: what is there does not cover the position at its entry.
            return Ok(());
        };
        let marks = [None, Some(Px(at)), None, None];
        if safe.holds(Px(at), ts) {
            let margin = account.margin(pool, &marks, ts).unwrap().unwrap();
            prop_assert!(!margin.is_liquidated(), "{margin:?} at {at}");
        }
    }
}

#[test]
fn clear_cases_are_found() {
    let order = |qty: i64| Opening {
        instrument: PERP,
        side: Side::Buy,
        qty: Qty(qty),
        px: Px(5_000_000),
    };
    let marks = [None, Some(Px(5_000_000)), None, None];
    let rich = account(10_000_000, 10, [(200, 5_000_000), (0, 1)]);
    let none = |_| RoughOrders::default();
    // 100 000 pays for 0.2 held (1 000) and for 19 more (95 000, and 475 of fees), not for 20.
    assert!(rich.clearly_opens(order(19_000), none, &marks, 1));
    assert!(!rich.clearly_opens(order(20_000), none, &marks, 1));
    let orders = |_| RoughOrders {
        worth: 100_000.0,
        size: 2.0,
    };
    assert!(!rich.clearly_opens(order(19_000), orders, &marks, 1));
    // Without a mark nothing is clear, nor of a coin-margined contract.
    assert!(!rich.clearly_opens(order(1), none, &[None; 4], 1));
    let coin = Opening {
        instrument: COIN,
        ..order(1)
    };
    assert!(!rich.clearly_opens(coin, none, &marks, 1));

    let pool = rich.pool(PERP).unwrap();
    assert_eq!(rich.covered(PERP, pool), Some(Safe::ALWAYS));
    // A short of 0.2 with 100 000 + 10 000: below 275 000 it is covered twice over.
    let short = account(10_000_000, 10, [(-200, 5_000_000), (0, 1)]);
    let safe = short.covered(PERP, pool).unwrap();
    assert!(safe.holds(Px(27_499_990), 1) && !safe.holds(Px(27_500_000), 1));
    // Two positions in one pool, or none, are for the exact way.
    let both = account(10_000_000, 10, [(200, 5_000_000), (1, 250_000)]);
    assert_eq!(both.covered(PERP, pool), None);
    assert_eq!(rich.covered(ETH, pool), None);
    // Ten times what is there is not covered.
    let thin = account(100_000, 10, [(200, 5_000_000), (0, 1)]);
    assert_eq!(thin.covered(PERP, pool), None);
}
