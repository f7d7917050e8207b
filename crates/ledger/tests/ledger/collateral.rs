//! Multi-assets mode by hand: what the venue's texts say of haircuts, debts and conversions.

use cq_ledger::{
    cause, Collateral, Conversion, Ledger, LedgerError, MarginAccount, MarginMode, MultiAssets,
    OpenOrders, Opening, Pool, Transfer, Valuation, VenueMarks, Wallet,
};
use cq_types::{Dated, Px, Qty, Side, Ts};
use proptest::prelude::*;
use rust_decimal::Decimal;

use crate::venue::*;

fn since<T>(ts: Ts, value: T) -> Dated<T> {
    Dated::new(vec![(ts, value)]).unwrap()
}

fn rule(asset: &str, ratio: &str, pays: &str) -> Collateral {
    Collateral {
        asset: asset.to_owned(),
        ratio: since(100, d(ratio)),
        conversion: Some(since(100, d(pays))),
        debt_limit: None,
        largest: None,
    }
}

/// Binance: BTC counts 95 % and pays 97.5 %, USDT 99.99 %; a debt of 10 000 USDT is the limit,
/// later of 5 000; the loan-to-value limit is 1, later 0.995.
fn mode() -> MultiAssets {
    let mut usdt = rule("USDT", "0.9999", "1");
    usdt.debt_limit = Dated::new(vec![(100, d("10000")), (NEW_RULES, d("5000"))]);
    let mut btc = rule("BTC", "0.95", "0.975");
    btc.largest = Some(since(100, d("5")));
    MultiAssets {
        wallet: "usdm".to_owned(),
        assets: vec![usdt, btc, rule("ETH", "0.95", "0.95")],
        loan_to_value: Dated::new(vec![(100, d("1")), (NEW_RULES, d("0.995"))]).unwrap(),
    }
}

fn plain_ledger() -> Ledger {
    let wallet = |name: &str, assets: &[&str], instruments: &[u16]| Wallet {
        name: name.to_owned(),
        assets: assets.iter().map(|a| (*a).to_owned()).collect(),
        instruments: instruments.to_vec(),
    };
    Ledger::new(
        instruments().into(),
        vec!["a".to_owned(), "b".to_owned()],
        vec![
            wallet("spot", &["USDT", "BTC"], &[SPOT]),
            wallet("usdm", &["USDT", "BTC", "ETH"], &[PERP, ETH]),
            wallet("coinm", &["BTC"], &[COIN]),
        ],
        &Valuation {
            asset: "USDT".to_owned(),
            at_par: vec!["USD".to_owned()],
        },
    )
    .unwrap()
}

/// Everything is marked: BTC at 50 000, ETH at 2 500.
fn ledger() -> Ledger {
    let mut ledger = plain_ledger().with_multi_assets(&mode(), 100).unwrap();
    for (index, px) in [
        (SPOT, 5_000_000),
        (PERP, 5_000_000),
        (COIN, 500_000),
        (ETH, 250_000),
    ] {
        ledger.mark(index, Px(px)).unwrap();
    }
    for index in [PERP, ETH] {
        ledger.set_leverage(index, 10).unwrap();
    }
    ledger
}

const MARKS: [Option<Px>; 4] = [
    Some(Px(5_000_000)),
    Some(Px(5_000_000)),
    Some(Px(500_000)),
    Some(Px(250_000)),
];

fn marks(btc: &str) -> [Option<Px>; 4] {
    let mut marks = MARKS;
    let cents = (d(btc) * Decimal::ONE_HUNDRED).normalize();
    marks[usize::from(PERP)] = Some(Px(i64::try_from(cents).unwrap()));
    marks
}

/// The account of a ledger with these balances of the USD-M wallet; a debt is a loss.
fn account(usdt: &str, btc: &str, eth: &str) -> MarginAccount {
    let mut ledger = ledger();
    for (asset, amount) in [("USDT", usdt), ("BTC", btc), ("ETH", eth)] {
        if d(amount) > Decimal::ZERO {
            ledger.deposit(100, 0, USDM, asset, d(amount)).unwrap();
        }
    }
    let mut account = MarginAccount::of(&ledger, MarginMode::Cross);
    if d(usdt) < Decimal::ZERO {
        account.credit(PERP, d(usdt)).unwrap();
    }
    account
}

const POOL: Pool = Pool::Shared(USDM);

fn counts(account: &MarginAccount, marks: VenueMarks<'_>) -> Decimal {
    account.collateral(POOL, marks, 100).unwrap().unwrap()
}

#[test]
fn each_asset_counts_at_its_ratio_and_a_debt_in_full() {
    let rich = account("2000", "1", "0");
    // 2000 * 0.9999 + 1 * 50 000 * 0.95
    assert_eq!(counts(&rich, &MARKS), d("49499.8"));
    let owing = account("-3000", "1", "0");
    assert_eq!(counts(&owing, &MARKS), d("44500"));
    // The same balances, at another mark of the contract that prices the coin.
    assert_eq!(counts(&owing, &marks("40000")), d("35000"));
    let unknown = [None; 4];
    assert_eq!(rich.collateral(POOL, &unknown, 100), Ok(None));
}

#[test]
fn the_ledger_has_the_same_margin_for_every_asset_of_the_wallet() {
    let mut ledger = ledger();
    ledger.deposit(100, 0, USDM, "BTC", d("1")).unwrap();
    let mut bought = plain(101, PERP, "2", "50000");
    bought.fee = d("50");
    ledger.apply_fill(&bought, &[(0, bought.qty)]).unwrap();
    ledger.mark(PERP, Px(4_900_000)).unwrap();
    for asset in ["USDT", "BTC", "ETH"] {
        let margin = ledger.margin(USDM, asset, 101).unwrap();
        // 49 000 * 0.95 - 50; 2 * 1000 lost; 98 000 / 10; 98 000 * 1 % - 60.
        assert_eq!(margin.balance, d("46500"));
        assert_eq!(margin.unrealised, d("-2000"));
        assert_eq!(margin.initial, d("9800"));
        assert_eq!(margin.maintenance, d("920"));
        assert_eq!(margin.available, d("34700"));
    }
    assert_eq!(ledger.margin(COINM, "BTC", 101).unwrap().balance, d("0"));
    // The equity is not cut: 49 000 - 50 - 2000.
    assert_eq!(ledger.equity(), Ok(d("46950")));
}

#[test]
fn liquidation_is_at_the_mark_that_moves_collateral_and_position_alike() {
    // 0.95 P + 2 (P - 50 000) = 2 P 1 % - 60: P = 99 940 / 2.93 = 34 109.2150.
    let mut account = account("0", "1", "0");
    account.fill(&plain(101, PERP, "2", "50000")).unwrap();
    let is_liquidated = |px: &str| {
        let margin = account.margin(POOL, &marks(px), 101).unwrap().unwrap();
        margin.is_liquidated()
    };
    assert!(is_liquidated("34109.21"));
    assert!(!is_liquidated("34109.22"));
    // At 34 000 are left 0.95 * 34 000 - 2 * 16 000 = 300: 150 a coin below the mark.
    let margin = account.margin(POOL, &marks("34000"), 101).unwrap().unwrap();
    assert_eq!(margin.margin_balance, d("300"));
    let bankrupt = account.bankruptcy_price(PERP, &margin, Px(3_400_000));
    assert_eq!(bankrupt, Ok(Px(3_385_000)));
    assert_eq!(
        account.safe(PERP, POOL, 101),
        Ok(cq_ledger::Safe::NEVER),
        "every mark moves the collateral"
    );
    assert_eq!(account.moved_by(PERP), Some(POOL));
    assert_eq!(account.moved_by(COIN), Some(Pool::Cross(5)));
}

fn converted(account: &MarginAccount, is_idle: bool, ts: Ts) -> Vec<Conversion> {
    account.conversions(&MARKS, (is_idle, false), ts).unwrap()
}

fn given(asset: &str, given: &str, received: &str, price: &str) -> Conversion {
    Conversion {
        instrument: PERP,
        asset: asset.to_owned(),
        given: d(given),
        received: d(received),
        price: d(price),
        cause: cause::DEBT,
    }
}

#[test]
fn a_debt_beyond_the_limit_is_balanced_by_what_it_costs() {
    // The venue's example: a debt of 20 000 takes 20 000 / 97.5 % = 20 513 of the coin, which is
    // 0.41025642 at 50 000.
    let deep = account("-20000", "1", "0");
    let [made] = &converted(&deep, false, 100)[..] else {
        panic!("one conversion");
    };
    assert_eq!(*made, given("BTC", "0.41025642", "20000", "50000"));
    let mut balanced = deep.clone();
    balanced.convert(made).unwrap();
    assert_eq!(counts(&balanced, &MARKS), d("28012.82005")); // 0.58974358 * 47 500
    assert_eq!(converted(&balanced, true, 100), []);
    // A later text: 5 000 / 97.5 % = 5 128.20.
    let less = account("-5000.01", "1", "0");
    assert_eq!(converted(&less, false, NEW_RULES - 1), []);
    let [made] = &converted(&less, false, NEW_RULES)[..] else {
        panic!("one conversion");
    };
    assert_eq!(made.given, d("0.10256431")); // 5000.01 / 0.975 / 50 000, up
    for at_the_limit in [("-10000", 100), ("-5000", NEW_RULES)] {
        let account = account(at_the_limit.0, "1", "0");
        assert_eq!(converted(&account, false, at_the_limit.1), []);
    }
}

#[test]
fn several_assets_give_in_proportion_to_their_worth() {
    // 1 BTC pays 48 750, 10 ETH pay 23 750: of 14 500 they pay 9 750 and 4 750.
    let account = account("-14500", "1", "10");
    let made = converted(&account, false, 100);
    assert_eq!(
        made,
        [
            given("BTC", "0.2", "9750", "50000"),
            given("ETH", "2", "4750", "2500"),
        ]
    );
}

#[test]
fn what_does_not_suffice_is_given_whole() {
    let account = account("-14500", "0.1", "0.4");
    let made = converted(&account, false, 100);
    assert_eq!(
        made,
        [
            given("BTC", "0.1", "4875", "50000"),
            given("ETH", "0.4", "950", "2500"),
        ]
    );
}

#[test]
fn who_neither_holds_nor_orders_is_balanced_at_the_loan_to_value_limit() {
    // A debt of 9 500 against 0.2 BTC that count 9 500: all but one unit of debt is less than 1.
    let at = account("-9500", "0.2", "0");
    let below = account("-9499.99999999", "0.2", "0");
    assert_eq!(converted(&at, true, 100)[0].cause, cause::LOAN_TO_VALUE);
    assert_eq!(converted(&at, false, 100), []);
    assert_eq!(converted(&below, true, 100), []);
    // Later from 0.995 on: 0.105 BTC count 4 987.5, of which 0.995 are 4 962.5625.
    let at = account("-4962.5625", "0.105", "0");
    let below = account("-4962.56249999", "0.105", "0");
    assert_eq!(converted(&at, true, NEW_RULES).len(), 1);
    assert_eq!(converted(&below, true, NEW_RULES), []);
    assert_eq!(converted(&at, true, NEW_RULES - 1), []);
}

#[test]
fn a_liquidation_balances_any_debt() {
    let account = account("-1", "1", "0");
    assert_eq!(converted(&account, false, 100), []);
    let made = account.conversions(&MARKS, (false, true), 100).unwrap();
    assert_eq!(
        (made[0].cause, made[0].received),
        (cause::LIQUIDATION, d("1"))
    );
}

#[test]
fn givers_are_paid_the_worth_and_who_owed_pays_the_cut() {
    let mut ledger = ledger();
    ledger.deposit(100, 0, USDM, "BTC", d("0.3")).unwrap();
    ledger.deposit(100, 1, USDM, "BTC", d("0.1")).unwrap();
    let mut bought = plain(101, PERP, "0", "50000");
    (bought.qty, bought.fee) = (Qty(1_000), d("12000"));
    ledger.apply_fill(&bought, &[(1, Qty(1_000))]).unwrap();
    let made = given("BTC", "0.24615385", "12000", "50000"); // 12 000 / 0.975 / 50 000
    ledger.book_conversion(&made).unwrap();
    let held = |sleeve, asset| ledger.sleeve_balance(sleeve, USDM, asset).unwrap();
    // Three quarters of it are the first sleeve's: 0.18461539 coins, worth 9 230.7695; the
    // second gives 0.06153846 for 3 076.9230 (of 12 307.6925 together).
    assert_eq!(held(0, "BTC"), d("0.11538461"));
    assert_eq!(held(1, "BTC"), d("0.03846154"));
    assert_eq!(held(0, "USDT"), d("9230.769375"));
    // It owed 12 000, is paid 3 076.923125, and pays the cut of 307.6925.
    assert_eq!(held(1, "USDT"), d("-9230.769375"));
    assert_eq!(ledger.balance(USDM, "USDT"), Ok(d("0")));
    assert_eq!(ledger.balance(USDM, "BTC"), Ok(d("0.15384615")));
    let parts = [0, 1].map(|sleeve| ledger.attribution(sleeve).unwrap());
    assert_eq!((parts[0].fees, parts[1].fees), (d("0"), d("-12307.6925")));
    assert_eq!(
        parts[0].price,
        d("9230.769375") - d("0.18461539") * d("50000")
    );
}

#[test]
fn the_mode_is_refused_where_it_does_not_fit_or_did_not_exist() {
    let refusal = |mode: MultiAssets, ts| match plain_ledger().with_multi_assets(&mode, ts) {
        Err(LedgerError::Setup(text)) => text,
        other => panic!("not refused: {other:?}"),
    };
    let early = refusal(mode(), 99);
    assert!(
        early.contains("ratio of USDT is known from 100 ns on"),
        "{early}"
    );
    let mut elsewhere = mode();
    "coinm".clone_into(&mut elsewhere.wallet);
    assert!(refusal(elsewhere, 100).contains("BTCUSD-PERP of wallet coinm must be linear"));
    let mut unruled = mode();
    unruled.assets.truncate(2);
    assert!(refusal(unruled, 100).contains("ETH of wallet usdm has no rule"));
    let mut unknown = mode();
    "margin".clone_into(&mut unknown.wallet);
    assert!(refusal(unknown, 100).contains("no wallet \"margin\""));
    let mut unpriced = mode();
    unpriced.assets[1].conversion = None;
    assert!(refusal(unpriced, 100).contains("for how much BTC is converted"));
    let mut free = mode();
    free.assets[1].ratio = since(100, d("1.01"));
    assert!(refusal(free, 100).contains("ratios of BTC must lie above 0"));
}

fn send(from: usize, to: usize, asset: &'static str, amount: &str) -> Transfer<'static> {
    Transfer {
        ts: 101,
        from,
        to,
        asset,
        amount: d(amount),
        fee: d("0"),
        sleeve: 0,
    }
}

#[test]
fn no_more_than_the_largest_amount_is_taken_in() {
    let mut ledger = ledger();
    ledger.deposit(100, 0, SPOT_WALLET, "BTC", d("9")).unwrap();
    ledger
        .transfer(send(SPOT_WALLET, USDM, "BTC", "3"))
        .unwrap();
    ledger
        .depart(send(SPOT_WALLET, USDM, "BTC", "1.5"))
        .unwrap();
    let refused = ledger.transfer(send(SPOT_WALLET, USDM, "BTC", "0.50000001"));
    assert!(matches!(
        refused,
        Err(LedgerError::NoRoom { largest, would_be, .. })
            if (largest, would_be) == (d("5"), d("5.00000001"))
    ));
    ledger
        .transfer(send(SPOT_WALLET, USDM, "BTC", "0.5"))
        .unwrap();
    ledger
        .transfer(send(SPOT_WALLET, COINM, "BTC", "4"))
        .unwrap();
}

#[test]
fn collateral_that_a_position_needs_cannot_leave() {
    let mut ledger = ledger();
    ledger.deposit(100, 0, USDM, "BTC", d("1")).unwrap();
    let bought = plain(101, PERP, "2", "50000");
    ledger.apply_fill(&bought, &[(0, bought.qty)]).unwrap();
    // 47 500 count, 10 000 are initial margin: 37 500 / 47 500 of the coin are free.
    let refused = ledger
        .clone()
        .transfer(send(USDM, SPOT_WALLET, "BTC", "0.78947369"));
    assert!(
        matches!(refused, Err(LedgerError::NotEnough { available, .. })
        if available == d("0.78947368"))
    );
    let account = MarginAccount::of(&ledger, MarginMode::Cross);
    let orders = |index| {
        let bids = if index == ETH { d("50000") } else { d("0") };
        Ok(OpenOrders { bids, asks: d("0") })
    };
    // Orders for 50 000 more take 5 000 of it.
    let free = account.free_to_send((USDM, "BTC"), orders, &MARKS, 101);
    assert_eq!(free, Ok(d("0.68421052")));
    ledger
        .transfer(send(USDM, SPOT_WALLET, "BTC", "0.78947368"))
        .unwrap();
}

proptest! {
    #[test]
    fn all_of_what_nothing_needs_can_leave(cents in 1_i64..20_000_000, units in 1_i64..400_000_000) {
        let mut ledger = ledger();
        for index in [SPOT, PERP] {
            ledger.mark(index, Px(cents)).unwrap();
        }
        let all = Decimal::new(units, 8);
        ledger.deposit(100, 0, USDM, "BTC", all).unwrap();
        let account = MarginAccount::of(&ledger, MarginMode::Cross);
        let mut marks = MARKS;
        marks[usize::from(PERP)] = Some(Px(cents));
        let nothing = |_| Ok(OpenOrders { bids: d("0"), asks: d("0") });
        prop_assert_eq!(account.free_to_send((USDM, "BTC"), nothing, &marks, 101), Ok(all));
        ledger.transfer(send(USDM, SPOT_WALLET, "BTC", &all.to_string())).unwrap();
        prop_assert_eq!(ledger.balance(USDM, "BTC"), Ok(d("0")));
    }
}

#[test]
fn orders_tie_up_the_larger_side_with_the_position() {
    // dev.binance.vision/t/margin-requirements/17078: short 10 000, bids of 15 000: the larger
    // of |-10 000 + 15 000| and |-10 000 - 0| is what is tied up already.
    let mut account = account("1000", "0", "0");
    account.set_leverage(PERP, 1);
    account.fill(&plain(101, PERP, "-0.2", "50000")).unwrap();
    let bid = |qty: i64, px: i64| Opening {
        instrument: PERP,
        side: Side::Buy,
        qty: Qty(qty),
        px: Px(px),
    };
    let can = |asked: Opening, bids: &str, asks: &str| {
        let orders = |index| {
            Ok(if index == PERP {
                let (bids, asks) = (d(bids), d(asks));
                OpenOrders { bids, asks }
            } else {
                OpenOrders::default()
            })
        };
        account.can_open(asked, orders, &MARKS, 101).unwrap()
    };
    assert!(
        can(bid(300, 5_000_000), "0", "0"),
        "no more than the position"
    );
    assert!(can(bid(100, 5_000_000), "15000", "0"));
    assert!(
        !can(bid(101, 5_000_000), "15000", "0"),
        "50 more, and the fee"
    );
}

#[test]
fn an_order_costs_its_margin_its_open_loss_and_its_fee() {
    // binance.com/en/support/faq/87fa7ee33b574f7084d42bd2ce2e463b: 1 BTC at 20x, order at
    // 9 253.30, mark 9 259.84: a long costs 462.665 (shown as 462.66), a short 6.54 more.
    for (side, cost) in [(Side::Buy, "462.665"), (Side::Sell, "469.205")] {
        for (short_of, is_paid) in [("0", true), ("0.00000001", false)] {
            let fee = d("9253.30") * d("0.0005");
            let money = d(cost) + fee - d(short_of);
            let mut ledger = plain_ledger();
            for (index, px) in [(PERP, 925_984), (ETH, 250_000)] {
                ledger.mark(index, Px(px)).unwrap();
            }
            let text = money.to_string();
            ledger.deposit(100, 0, USDM, "USDT", d(&text)).unwrap();
            let mut account = MarginAccount::of(&ledger, MarginMode::Cross);
            account.set_leverage(PERP, 20);
            let asked = Opening {
                instrument: PERP,
                side,
                qty: Qty(1_000),
                px: Px(925_330),
            };
            let none = |_| Ok(OpenOrders::default());
            let can = account.can_open(asked, none, &marks("9259.84"), 100);
            assert_eq!(can, Ok(is_paid), "{side:?}");
        }
    }
}

#[derive(Debug, Clone)]
enum Step {
    Mark(i64),
    Fill(usize, i64, i64),
    Depart(usize, bool, i64, i64),
    Arrive,
    Convert(i64),
}

fn step() -> impl Strategy<Value = Step> {
    prop_oneof![
        3 => (2_000_000_i64..8_000_000).prop_map(Step::Mark),
        3 => (0..2_usize, -3_000_i64..3_000, 0_i64..900_000_000_000).prop_map(|(s, q, f)| Step::Fill(s, q, f)),
        3 => (0..2_usize, any::<bool>(), 1_i64..200_000_000, 0_i64..100_000).prop_map(|(s, b, a, f)| Step::Depart(s, b, a, f)),
        2 => Just(Step::Arrive),
        2 => (0_i64..3).prop_map(Step::Convert),
    ]
}

/// What a plain reckoning in units of 10^-8 says that the account holds of coins and money.
#[derive(Debug, Default)]
struct Sums {
    coins: i128,
    money: i128,
}

fn units(amount: Decimal) -> i128 {
    let scaled = (amount * d("100000000")).normalize();
    assert_eq!(scaled.scale(), 0, "{amount} has more than 8 decimals");
    scaled.mantissa()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    /// Whatever is traded, sent and converted: what sleeves and account hold adds up, at the venue
    /// as in the ledger, and every change of equity is explained, to the last digit.
    #[test]
    fn coins_and_money_are_conserved(steps in prop::collection::vec(step(), 1..60)) {
        let mut ledger = ledger();
        for sleeve in 0..2 {
            ledger.deposit(100, sleeve, SPOT_WALLET, "BTC", d("3")).unwrap();
            ledger.deposit(100, sleeve, USDM, "BTC", d("0.7")).unwrap();
            ledger.deposit(100, sleeve, USDM, "USDT", d("1000")).unwrap();
        }
        let mut account = MarginAccount::of(&ledger, MarginMode::Cross);
        let mut sums = Sums { coins: units(d("7.4")), money: units(d("2000")) };
        let (mut mark, mut cost, mut held) = (5_000_000_i64, 0_i128, 0_i64);
        let mut coming: Vec<Transfer<'_>> = Vec::new();
        for (ts, step) in (101..).zip(steps) {
            match step {
                Step::Mark(px) => {
                    mark = px;
                    ledger.mark(PERP, Px(px)).unwrap();
                }
                Step::Fill(sleeve, qty, fee) if qty != 0 => {
                    let px = Decimal::new(mark, 2).to_string();
                    let mut fill = plain(ts, PERP, "1", &px);
                    (fill.qty, fill.fee) = (Qty(qty), Decimal::new(fee, 8));
                    ledger.apply_fill(&fill, &[(sleeve, Qty(qty))]).unwrap();
                    account.fill(&fill).unwrap();
                    cost += i128::from(qty) * i128::from(mark) * 1_000;
                    held += qty;
                    sums.money -= i128::from(fee);
                }
                Step::Depart(sleeve, back, amount, fee) => {
                    let (from, to) = if back { (USDM, SPOT_WALLET) } else { (SPOT_WALLET, USDM) };
                    let sent = Transfer {
                        ts,
                        from,
                        to,
                        asset: "BTC",
                        amount: Decimal::new(amount, 8),
                        fee: Decimal::new(fee, 8),
                        sleeve,
                    };
                    if ledger.depart(sent).is_ok() {
                        account.depart(&sent).unwrap();
                        coming.push(sent);
                        sums.coins -= i128::from(fee);
                    }
                }
                Step::Arrive if !coming.is_empty() => {
                    let sent = coming.remove(0);
                    ledger.arrive(&sent).unwrap();
                    account.arrive(&sent).unwrap();
                }
                Step::Convert(how) => {
                    let mut marks = MARKS;
                    marks[usize::from(PERP)] = Some(Px(mark));
                    for made in account.conversions(&marks, (how == 1, how == 2), ts).unwrap() {
                        account.convert(&made).unwrap();
                        ledger.book_conversion(&made).unwrap();
                        sums.coins -= units(made.given);
                        sums.money += units(made.received);
                        let at_most = made.given * made.price * d("0.975");
                        prop_assert!(made.received <= at_most);
                        // Rounded up by less than a unit of the coin.
                        prop_assert!(at_most - made.received < made.price * d("0.00000001") + d("0.00000001"));
                    }
                }
                _ => {}
            }
            prop_assert!(account.agrees_with(&ledger));
            let coins = ledger.balance(USDM, "BTC").unwrap()
                + ledger.balance(SPOT_WALLET, "BTC").unwrap()
                + ledger.in_flight(USDM, "BTC").unwrap()
                + ledger.in_flight(SPOT_WALLET, "BTC").unwrap();
            prop_assert_eq!(units(coins), sums.coins);
            // Money with what the position was taken at: cash so far.
            let cash = units(ledger.balance(USDM, "USDT").unwrap()) - units(ledger.position(PERP).cost);
            prop_assert_eq!(cash, sums.money - cost);
            prop_assert_eq!(ledger.position(PERP).qty, Qty(held));
            let sleeves = (0..2).map(|sleeve| {
                let equity = ledger.sleeve_equity(sleeve).unwrap();
                let parts = ledger.attribution(sleeve).unwrap().total().unwrap();
                assert_eq!(equity, ledger.deposits(sleeve).unwrap() + parts);
                equity
            });
            prop_assert_eq!(sleeves.sum::<Decimal>(), ledger.equity().unwrap());
        }
    }
}

/// A ledger in use is not put into the mode behind its accounts' backs.
#[test]
fn a_ledger_in_use_stays_as_it_is() {
    let ledger = plain_ledger();
    let _account = MarginAccount::of(&ledger, MarginMode::Cross);
    let refused = ledger.with_multi_assets(&mode(), 100);
    assert!(matches!(refused, Err(LedgerError::Setup(text)) if text.contains("in use")));
}
