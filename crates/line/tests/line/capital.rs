//! Money to begin with that is in coins, counted at one stated price.

use super::*;

fn d(text: &str) -> Decimal {
    text.parse().unwrap()
}

/// A coin-margined contract of 100 USD with 0.5 BTC at a stated price, and its marks at 0 s, 1 s …
fn line(price: &str, marks: &[i64]) -> Result<Line, LineError> {
    let mut coin = contract();
    "BTCUSD-PERP.TEST".clone_into(&mut coin.id);
    coin.contract = Contract::Inverse;
    coin.multiplier = d("100");
    "USD".clone_into(&mut coin.quote);
    "BTC".clone_into(&mut coin.settle);
    coin.grid.qty_exp = 0;
    let mut setup = setup(3 * HOUR);
    setup.instruments = vec![coin];
    setup.valuation = Valuation {
        asset: "USDT".to_owned(),
        at_par: vec!["USD".to_owned()],
    };
    setup.wallets = vec![Wallet {
        name: "coinm".to_owned(),
        assets: vec!["BTC".to_owned()],
        instruments: vec![0],
    }];
    let deposit = &mut setup.capital[0];
    "coinm".clone_into(&mut deposit.wallet);
    "BTC".clone_into(&mut deposit.asset);
    deposit.amount = d("0.5");
    if !price.is_empty() {
        setup.prices = BTreeMap::from([("BTC".to_owned(), d(price))]);
    }
    let mut line = Line::new(setup)?;
    let times: Vec<Ts> = (0..).map(|n| n * HOUR).take(marks.len()).collect();
    let quotes = Columns::Quotes([
        marks.to_vec(),
        vec![1_000; marks.len()],
        marks.iter().map(|px| px + 10).collect(),
        vec![1_000; marks.len()],
    ]);
    line.add(Stream::new(0, stamps(&times, 0), quotes).unwrap())
        .unwrap();
    line.add(Stream::new(0, stamps(&times, 0), Columns::Marks(marks.to_vec())).unwrap())
        .unwrap();
    Ok(line)
}

#[test]
fn coins_begin_at_the_stated_price_and_the_first_mark_goes_on_from_it() {
    let mut line = line("50000.00", &[5_100_000, 6_000_000]).unwrap();
    let ledger = line.ledger();
    assert_eq!(ledger.equity(), Ok(d("25000.00")));
    assert_eq!(ledger.deposits(0), Ok(d("25000.00")));
    while wake(&mut line).is_some() {}
    // 0.5 BTC at 60 000: 10 000 more, all of it by the price.
    let ledger = line.ledger();
    assert_eq!(ledger.equity(), Ok(d("30000.00")));
    assert_eq!(ledger.deposits(0), Ok(d("25000.00")));
    assert_eq!(ledger.attribution(0).unwrap().price, d("5000.00"));
}

#[test]
fn a_coin_margined_contract_is_traded_from_the_coins_it_began_with() {
    // Short 250 contracts of 100 USD at 50 000 with 0.5 BTC is cash: 25 000 USD at any price.
    let mut line = line("50000.00", &[5_000_000, 6_000_000, 6_000_000]).unwrap();
    line.set_leverage(0, 1).unwrap();
    assert_eq!(wake(&mut line), Some((Wake::Timer, 0)));
    place(&mut line, market(1, -250));
    while wake(&mut line).is_some() {}
    let answers = line.take_answers();
    assert!(answers.iter().any(|a| matches!(
        a.body,
        Account::Fill {
            qty: Qty(250),
            px: Px(5_000_000),
            ..
        }
    )));
    let equity = line.ledger().equity().unwrap();
    // The close at the end buys 0.10 above the bid of 60 000: 25 000 / 60 000.10 of a coin.
    let coins = d("0.5") + d("25000") / d("60000.10") - d("0.5");
    assert!((equity - coins * d("60000")).abs() < d("0.01"), "{equity}");
}

#[test]
fn a_price_that_is_missing_or_cannot_be_one_is_named() {
    let said = |price: &str| line(price, &[5_000_000]).err().unwrap().to_string();
    assert_eq!(
        said(""),
        "capital: expected a price of BTC at the start, was none"
    );
    for bad in ["50000.001", "0", "-1"] {
        let expected = format!(
            "ledger set-up: price of BTC: expected one above 0 with 2 decimals, as \
             BTCUSD-PERP.TEST has, was {bad}"
        );
        assert_eq!(said(bad), expected);
    }
}

#[test]
fn what_is_counted_one_for_one_has_no_price() {
    let mut setup = setup(HOUR);
    setup.prices = BTreeMap::from([("USDT".to_owned(), Decimal::ONE)]);
    let error = Line::new(setup).err().unwrap().to_string();
    assert!(
        error.contains("price of USDT: it is counted one for one"),
        "{error}"
    );
}
