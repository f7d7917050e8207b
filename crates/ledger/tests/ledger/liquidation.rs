//! Liquidation prices that venues publish, and what must hold of them on any tiers.

use cq_ledger::{Ledger, Margin, MarginAccount, MarginMode, Pool, Position, Wallet};
use cq_types::{Bracket, BracketUnit, Contract, Dated, Instrument, InstrumentIdx, Px, Qty, Ts};
use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::venue::*;

/// Tiers of rising rates, each amount by the recursion that the venues state.
fn tiers(rows: &[(&str, &str)]) -> Option<Dated<Vec<Bracket>>> {
    let (mut floor, mut rate, mut cum) = (Decimal::ZERO, Decimal::ZERO, Decimal::ZERO);
    let tiers = rows.iter().map(|(cap, mmr)| {
        cum += floor * (d(mmr) - rate);
        (floor, rate) = (d(cap), d(mmr));
        Bracket {
            cap: Some(floor),
            mmr: rate,
            max_leverage: 10,
            cum,
        }
    });
    Dated::new(vec![(0, tiers.collect())])
}

/// Binance BTCUSDT from 2021-03-18.
const BTC: [(&str, &str); 5] = [
    ("50000", "0.004"),
    ("250000", "0.005"),
    ("1000000", "0.01"),
    ("10000000", "0.025"),
    ("20000000", "0.05"),
];
/// Binance ETHUSDT of the same days.
const ETHER: [(&str, &str); 6] = [
    ("10000", "0.005"),
    ("100000", "0.0065"),
    ("500000", "0.01"),
    ("1000000", "0.02"),
    ("2000000", "0.05"),
    ("5000000", "0.1"),
];
/// Binance BTCUSD of COIN-M from 2020-06, and from 2021-07: caps in BTC.
const COIN_2020: [(&str, &str); 7] = [
    ("10", "0.004"),
    ("20", "0.005"),
    ("30", "0.01"),
    ("50", "0.025"),
    ("100", "0.05"),
    ("200", "0.1"),
    ("400", "0.125"),
];
const COIN_2021: [(&str, &str); 7] = [
    ("5", "0.004"),
    ("10", "0.005"),
    ("20", "0.01"),
    ("50", "0.025"),
    ("100", "0.05"),
    ("200", "0.1"),
    ("400", "0.125"),
];

fn linear(rows: &[(&str, &str)]) -> Instrument {
    Instrument {
        brackets: tiers(rows),
        ..instrument("BTCUSDT-PERP", Contract::Linear, 2, 3)
    }
}

fn inverse(rows: &[(&str, &str)]) -> Instrument {
    Instrument {
        brackets: tiers(rows),
        bracket_unit: BracketUnit::Base,
        multiplier: d("100"),
        settle: "BTC".to_owned(),
        ..instrument("BTCUSD-PERP", Contract::Inverse, 1, 0)
    }
}

/// A position taken at one price.
fn taken(traded: &Instrument, units: i64, price: &str) -> Position {
    let held = traded.grid.quantity(Qty(units)) * traded.multiplier;
    let cost = match traded.contract {
        Contract::Inverse => -held / d(price),
        _ => held * d(price),
    };
    Position {
        qty: Qty(units),
        cost,
    }
}

fn published(traded: &Instrument, position: Position, collateral: &str) -> Decimal {
    let price = position.liquidation_price(traded, d(collateral), 0);
    price.unwrap().unwrap().round_dp(2)
}

#[test]
fn binance_linear_alone() {
    // "How to avoid liquidation", binance.com/en/support/faq/25edcd7fe0e544839d0847b8cbb2e400:
    // a wallet of 500 USDT, long 1000 USDT of BTCUSDT at 50 000.
    let traded = linear(&BTC);
    let held = taken(&traded, 20, "50000");
    assert_eq!(published(&traded, held, "500"), d("25100.40"));
}

#[test]
fn binance_linear_beside_another_position() {
    // "How to calculate liquidation price of USD-M futures contracts", binance.com/en/support/
    // faq/b3c689c1f50a44cabb3a84e663b81d93 (the numbers of its picture are those of freqtrade's
    // tests): wallet 1 535 443.01; BTC 109.488 at 32 481.98, mark 31 967.27; ETH 3 683.979 at
    // 1 456.84, mark 1 335.18.
    let (btc, eth) = (linear(&BTC), linear(&ETHER));
    let on_btc = taken(&btc, 109_488, "32481.98");
    let on_eth = taken(&eth, 3_683_979, "1456.84");
    let margin = |traded: &Instrument, held: Position, mark: i64| {
        let worth = traded.notional(Px(mark), held.qty);
        let needed = traded.maintenance_margin(worth, 0);
        held.unrealised(traded, Px(mark)).unwrap() - needed
    };
    assert_eq!(eth.tiers(0)[5].cum, d("135365.00"));
    assert_eq!(btc.tiers(0)[3].cum, d("16300"));
    let wallet = d("1535443.01");
    let beside = (wallet + margin(&btc, on_btc, 3_196_727)).to_string();
    assert_eq!(published(&eth, on_eth, &beside), d("1153.26"));
    let beside = (wallet + margin(&eth, on_eth, 133_518)).to_string();
    assert_eq!(published(&btc, on_btc, &beside), d("26316.89"));
}

#[test]
fn binance_coin_margined() {
    // binance.com/en/support/faq/ceccfcfb4e3a45e3b48b0b1bb1a8ae46: the amount of the level of
    // 300 BTC is 11.81 BTC in the text of 2021-02, 11.605 BTC later; that of level 5 was
    // 50 * (5 % - 2.5 %) + 0.56 = 1.81 BTC; both at 12.5 % for 300 BTC.
    let old = inverse(&COIN_2020);
    let traded = inverse(&COIN_2021);
    assert_eq!(old.tiers(0)[4].cum, d("1.81"));
    assert_eq!(old.tiers(0)[6].cum, d("11.81"));
    assert_eq!(traded.tiers(0)[6].cum, d("11.605"));
    for rules in [&old, &traded] {
        let tier = rules.tier_of(d("300"), 0).unwrap();
        assert_eq!(rules.tiers(0)[tier].mmr, d("0.125"));
    }
    // The same text: 100 contracts at a mark of 25 000 are 0.4 BTC and need 0.0016 BTC.
    let worth = traded.notional(Px(250_000), Qty(100));
    assert_eq!(worth, d("0.4"));
    assert_eq!(traded.maintenance_margin(worth, 0), d("0.0016"));
    // The venue's calculator, dev.binance.vision/t/6292: a wallet of 101 BTC, long 100 000
    // contracts at 45 000.
    let held = taken(&traded, 100_000, "45000");
    assert_eq!(published(&traded, held, "101").round_dp(1), d("33599.4"));
}

#[test]
fn bybit_inverse_isolated() {
    // bybit.com/en/help-center/article/Liquidation-Price-Calculation-under-Isolated-Mode-Unified-
    // Trading-Account (2026-05-27), without added margin: size * (1 - MMR) / (size / entry -
    // size / entry / leverage) for a short, size * (1 + MMR) / (size / entry + size / entry /
    // leverage) for a long; on the page's trader with 60 000 USD at 50 000 and 10x, MMR 0.5 %.
    let traded = inverse(&[("150", "0.005")]);
    let short = taken(&traded, -600, "50000");
    assert_eq!(published(&traded, short, "0.12"), d("55277.78")); // 59 700 / 1.08
    let long = taken(&traded, 600, "50000");
    assert_eq!(published(&traded, long, "0.12"), d("45681.82")); // 60 300 / 1.32
}

#[test]
fn bybit_margins_at_entry_differ_by_the_rate_times_the_move() {
    // testnet.bybit.com/en-US/help-center/s/article/Liquidation-Price-USDT-Contract: 1 BTC at
    // 20 000 with 50x is liquidated at 19 700 where maintenance is that of the entry. Ours is that
    // of the mark, as at Binance: (20 000 - 400) / 0.995.
    let traded = linear(&[("2000000", "0.005")]);
    let held = taken(&traded, 1_000, "20000");
    assert_eq!(published(&traded, held, "400"), d("19698.49"));
}

#[test]
fn okx_rates_are_those_of_the_whole_position() {
    // Margin ratio of an isolated position, OKX's help centre: (margin + P&L) / (size * mark *
    // (the tier's rate + fee rate)), of tiers by size: at one, a long of n at `entry` is closed at
    // (n entry - margin) / (n (1 - rate)).
    let whole = |cap: &str, mmr: &str| Bracket {
        cap: Some(d(cap)),
        mmr: d(mmr),
        max_leverage: 100,
        cum: Decimal::ZERO,
    };
    let rows = vec![whole("5", "0.0045"), whole("120", "0.0105")];
    let traded = Instrument {
        brackets: Dated::new(vec![(0, rows)]),
        bracket_unit: BracketUnit::Base,
        ..instrument("BTC-USDT-SWAP", Contract::Linear, 1, 3)
    };
    // 275 000 / (5 * 0.9955) and 550 000 / (10 * 0.9895).
    let low = taken(&traded, 5_000, "60000");
    assert_eq!(published(&traded, low, "25000"), d("55248.62"));
    let high = taken(&traded, 10_000, "60000");
    assert_eq!(published(&traded, high, "50000"), d("55583.63"));
    // A short of 10: (600 000 + 50 000) / (10 * 1.0105).
    let short = taken(&traded, -10_000, "60000");
    assert_eq!(published(&traded, short, "50000"), d("64324.59"));
    // By contracts of 100 USD a coin-margined long of 2 BTC: its size over (size / entry + margin)
    // for 1 + rate.
    let coin = Instrument {
        brackets: Dated::new(vec![(
            0,
            vec![whole("60000", "0.01"), whole("150000", "0.02")],
        )]),
        bracket_unit: BracketUnit::Quote,
        ..inverse(&COIN_2021)
    };
    let held = taken(&coin, 1_000, "50000");
    // 100 000 * 1.02 / (2 + 0.2)
    assert_eq!(published(&coin, held, "0.2"), d("46363.64"));
}

#[test]
fn beyond_the_last_tier_that_is_known_no_margin_is_made_up() {
    // 2 BTC: at 50 000 just within the tier, a cent higher beyond it.
    let own: std::sync::Arc<[Instrument]> = vec![linear(&[("100000", "0.01")])].into();
    let wallet = Wallet {
        name: "usdm".to_owned(),
        assets: vec!["USDT".to_owned()],
        instruments: vec![0],
    };
    let mut ledger = Ledger::new(own, vec!["only".to_owned()], vec![wallet], &usdt()).unwrap();
    ledger.deposit(0, 0, 0, "USDT", d("50000")).unwrap();
    let mut account = MarginAccount::of(&ledger, MarginMode::Cross);
    let fill = cq_ledger::Fill {
        qty: Qty(2_000),
        ..plain(1, 0, "1", "50000")
    };
    account.fill(&fill).unwrap();
    let pool = account.pool(0).unwrap();
    let margin = |mark| account.margin(pool, &[Some(Px(mark))], 0);
    assert_eq!(margin(5_000_000).unwrap().unwrap().maintenance, d("1000"));
    assert_eq!(
        margin(5_000_001).unwrap_err().to_string(),
        "BTCUSDT-PERP: a position of 100000.02 is beyond the last margin tier that is sourced, \
         100000: trade less, or add the tiers to the venue's rules"
    );
}

#[test]
fn without_a_liquidation_fee_the_takers_is_paid() {
    // 0.5 at 50 000, of which 0.05 % and from the new rules on 0.04 %; 1.25 % where a source says so.
    let traded = linear(&BTC);
    let fee = |traded: &Instrument, ts| {
        cq_ledger::liquidation_fee(traded, d("50000"), Qty(500), ts).unwrap()
    };
    assert_eq!(fee(&traded, NEW_RULES - 1), d("12.5"));
    assert_eq!(fee(&traded, NEW_RULES), d("10"));
    let sourced = Instrument {
        liquidation_fee: Dated::new(vec![(0, d("0.0125"))]),
        ..traded
    };
    assert_eq!(fee(&sourced, NEW_RULES), d("312.5"));
}

#[test]
fn what_is_paid_in_full_is_never_liquidated() {
    let traded = linear(&BTC);
    let long = taken(&traded, 20, "50000");
    assert_eq!(long.liquidation_price(&traded, d("1000"), 0), Ok(None));
    // A short of one times the coin is cash: no price liquidates it.
    let coin = inverse(&COIN_2021);
    let short = taken(&coin, -500, "50000");
    assert_eq!(short.liquidation_price(&coin, d("1"), 0), Ok(None));
    assert_eq!(
        Position::default().liquidation_price(&coin, d("1"), 0),
        Ok(None)
    );
}

/// An account with one position, opened at `price`, and its pool.
fn account(
    index: InstrumentIdx,
    qty: i64,
    price: &str,
    cash: &str,
    mode: MarginMode,
) -> (MarginAccount, Pool) {
    let mut ledger = ledger_of(&["only"]);
    mark_all(&mut ledger, "50000");
    let (wallet, asset) = if index == COIN {
        (COINM, "BTC")
    } else {
        (USDM, "USDT")
    };
    ledger.deposit(0, 0, wallet, asset, d(cash)).unwrap();
    let mut account = MarginAccount::of(&ledger, mode);
    let fill = cq_ledger::Fill {
        qty: Qty(qty),
        ..plain(1, index, "1", price)
    };
    account.set_leverage(index, 10);
    account.fill(&fill).unwrap();
    let pool = account.pool(index).unwrap();
    (account, pool)
}

fn margin_at(
    account: &MarginAccount,
    pool: Pool,
    index: InstrumentIdx,
    mark: Px,
    ts: Ts,
) -> Margin {
    let mut marks = [None; 4];
    marks[usize::from(index)] = Some(mark);
    account.margin(pool, &marks, ts).unwrap().unwrap()
}

#[test]
fn a_pool_is_all_of_the_wallet_or_the_position_alone() {
    let (cross, pool) = account(PERP, 200, "50000", "5000", MarginMode::Cross);
    assert_eq!(cross.collateral(pool, &[], 0), Ok(Some(d("5000"))));
    let (isolated, pool) = account(PERP, 200, "50000", "5000", MarginMode::Isolated);
    assert_eq!(pool, Pool::Isolated(PERP));
    assert_eq!(isolated.collateral(pool, &[], 0), Ok(Some(d("1000")))); // 0.2 * 50000 / 10
    assert_eq!(isolated.spare(PERP), Ok(d("4000")));
    assert_eq!(isolated.settled(PERP), Ok(d("5000")));
    assert_eq!(isolated.contracts(pool).collect::<Vec<_>>(), [PERP]);
    assert_eq!(cross.contracts(cross.pool(PERP).unwrap()).count(), 2);
    assert_eq!(cross.pool(SPOT), None);
}

#[test]
fn an_isolated_position_gives_back_what_it_no_longer_needs() {
    let (mut account, pool) = account(PERP, 200, "50000", "5000", MarginMode::Isolated);
    let sold = |qty: i64, price: &str| cq_ledger::Fill {
        qty: Qty(qty),
        fee: d("2"),
        ..plain(2, PERP, "1", price)
    };
    account.credit(PERP, d("-10")).unwrap(); // funding is paid from the position's margin
    assert_eq!(account.collateral(pool, &[], 0), Ok(Some(d("990"))));
    account.fill(&sold(-50, "48000")).unwrap();
    assert_eq!(account.collateral(pool, &[], 0), Ok(Some(d("742.5"))));
    // 5000 - 10 - 0.05 * 2000 - 2, of which 742.5 is set aside
    assert_eq!(account.spare(PERP), Ok(d("4145.5")));
    account.fill(&sold(-350, "48000")).unwrap(); // flat, and short 0.2
    assert_eq!(account.collateral(pool, &[], 0), Ok(Some(d("960"))));
    account.fill(&sold(200, "48000")).unwrap();
    assert_eq!(account.collateral(pool, &[], 0), Ok(Some(Decimal::ZERO)));
    assert_eq!(account.spare(PERP), account.settled(PERP));
    // No more is set aside than there is.
    account.fill(&sold(20_000, "48000")).unwrap();
    assert_eq!(account.spare(PERP), Ok(Decimal::ZERO));
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn no_mark_that_is_called_safe_liquidates_and_the_next_ones_do(
        index in prop_oneof![Just(PERP), Just(COIN)],
        size in 1_i64..2_000,
        is_long in any::<bool>(),
        cash in 1_i64..3_000_000,
        at in 0_i64..10_000,
        is_late in any::<bool>(),
        isolated in any::<bool>(),
    ) {
        let qty = if is_long { size } else { -size };
        let cash = Decimal::new(cash, if index == COIN { 6 } else { 2 }).to_string();
        let mode = if isolated { MarginMode::Isolated } else { MarginMode::Cross };
        let (account, pool) = account(index, qty, "50000", &cash, mode);
        let ts = if is_late { NEW_RULES } else { NEW_RULES - 1 };
        let safe = account.safe(index, pool, ts).unwrap();
        prop_assert_eq!(safe.until, if is_late { Ts::MAX } else { NEW_RULES });
        let top = if index == COIN { 2_000_000 } else { 20_000_000 };
        let is_liquidated = |mark| margin_at(&account, pool, index, mark, ts).is_liquidated();
        let low = safe.low.0.max(0);
        let high = safe.high.0.min(top);
        if high - low > 1 {
            let mark = Px(low + 1 + (high - low - 2) * at / 10_000);
            prop_assert!(safe.holds(mark, ts));
            prop_assert!(!is_liquidated(mark), "{mark:?} within {safe:?}");
        }
        // What lies two units beyond is not safe: the bounds are as wide as they can be.
        if low > 2 && low < top {
            prop_assert!(is_liquidated(Px(low - 3).max(Px(1))));
        }
        if high < top {
            prop_assert!(is_liquidated(Px(high + 3)));
        }
    }

    #[test]
    fn closing_at_the_bankruptcy_price_leaves_nothing(
        index in prop_oneof![Just(PERP), Just(COIN)],
        size in 1_i64..2_000,
        is_long in any::<bool>(),
        cash in 1_i64..3_000_000,
        mark in 1_000_i64..1_500_000,
    ) {
        let qty = if is_long { size } else { -size };
        let cash = Decimal::new(cash, if index == COIN { 6 } else { 2 }).to_string();
        let (mut account, pool) = account(index, qty, "50000", &cash, MarginMode::Cross);
        let mark = Px(if index == COIN { mark } else { mark * 10 });
        let margin = margin_at(&account, pool, index, mark, 0);
        let at = account.bankruptcy_price(index, &margin, mark).unwrap();
        prop_assume!(at.0 > 1 && at.0 < mark.0 * 1_000);
        let fill = cq_ledger::Fill { qty: Qty(-qty), px: at, ..plain(2, index, "1", "1") };
        account.fill(&fill).unwrap();
        let left = account.settled(index).unwrap();
        // One grid unit of price on the whole position, and the rounding of a booking.
        let instruments = instruments();
        let traded = &instruments[usize::from(index)];
        let worth = |px: i64| traded.notional(Px(px), Qty(size));
        let unit = (worth(at.0) - worth(at.0 + 1)).abs().max((worth(at.0) - worth(at.0 - 1)).abs());
        let dust = Decimal::new(2, 8);
        prop_assert!(left >= -dust && left <= unit + dust, "{left} of {unit}");
    }

    #[test]
    fn a_short_of_one_times_the_coin_is_cash_on_any_path(
        contracts in 1_i64..5_000,
        opened in 10_000_i64..2_000_000,
        marks in prop::collection::vec(10_000_i64..2_000_000, 1..40),
    ) {
        // As many coins as the contracts are worth when they are sold.
        let worth = Decimal::from(contracts * 100);
        let coins = (worth / Decimal::new(opened, 1)).round_dp(8);
        let mut ledger = ledger_of(&["only"]);
        let at = Decimal::new(opened, 1).to_string();
        mark(&mut ledger, COIN, &at);
        ledger.deposit(0, 0, COINM, "BTC", coins).unwrap();
        buy(&mut ledger, 1, COIN, &format!("-{contracts}"), &at).unwrap();
        for px in marks {
            let price = Decimal::new(px, 1);
            mark(&mut ledger, COIN, &price.to_string());
            // Coins and values are rounded to 8 decimals: half a unit each, at this price.
            let room = price * Decimal::new(15, 9);
            let equity = ledger.equity().unwrap();
            prop_assert!((equity - worth).abs() <= room, "{equity} at {price}, was {worth}");
            let margin = ledger.margin(COINM, "BTC", 0).unwrap();
            prop_assert!(!margin.is_liquidated());
        }
    }
}
