//! What the ledger refuses, and that it is then as it was.

use std::sync::Arc;

use cq_ledger::{fee, prorate, Fill, Ledger, LedgerError, Transfer, Valuation};
use cq_types::{Contract, Instrument, Px, Qty};
use rust_decimal::Decimal;

use crate::venue::*;

/// Runs a booking that must fail, and checks that nothing was booked.
fn refused<T: std::fmt::Debug>(
    ledger: &mut Ledger,
    book: impl FnOnce(&mut Ledger) -> Result<T, LedgerError>,
) -> LedgerError {
    let before = ledger.snapshot();
    let error = book(ledger).unwrap_err();
    assert_eq!(ledger.snapshot(), before, "{error}");
    error
}

fn move_usdt(from: usize, to: usize, amount: &str, fee: &str) -> Transfer<'static> {
    Transfer {
        ts: 0,
        from,
        to,
        asset: "USDT",
        amount: d(amount),
        fee: d(fee),
        sleeve: 0,
    }
}

#[test]
fn spot_is_never_bought_on_credit_nor_sold_short() {
    let mut ledger = funded();
    let fill = Fill {
        fee: d("0.00000001"),
        ..plain(1, SPOT, "0.20000", "50000")
    };
    let error = refused(&mut ledger, |l| l.apply_fill(&fill, &[(0, fill.qty)]));
    assert_eq!(
        error.to_string(),
        "sleeve only has 10000.00000000 USDT to spend in spot, needs 10000.00000001"
    );
    buy(&mut ledger, 1, SPOT, "0.20000", "50000").unwrap();
    assert_eq!(ledger.balance(SPOT_WALLET, "USDT"), Ok(Decimal::ZERO));
    let error = refused(&mut ledger, |l| buy(l, 2, SPOT, "-0.20001", "50000"));
    assert_eq!(
        error.to_string(),
        "sleeve only has 0.20000 BTC to spend in spot, needs 0.20001"
    );
    buy(&mut ledger, 2, SPOT, "-0.20000", "50000").unwrap();
}

#[test]
fn a_sleeve_does_not_sell_what_another_one_holds() {
    let mut ledger = ledger_of(&["a", "b"]);
    mark_all(&mut ledger, "50000");
    ledger.deposit(0, 0, SPOT_WALLET, "BTC", d("1")).unwrap();
    ledger.deposit(0, 1, SPOT_WALLET, "USDT", d("1")).unwrap();
    let fill = plain(1, SPOT, "-0.50000", "50000");
    let error = refused(&mut ledger, |l| l.apply_fill(&fill, &[(1, fill.qty)]));
    assert!(matches!(error, LedgerError::NotEnough { .. }));
    ledger.apply_fill(&fill, &[(0, fill.qty)]).unwrap();
    assert_eq!(ledger.sleeve_balance(0, SPOT_WALLET, "BTC"), Ok(d("0.5")));
    assert_eq!(
        ledger.sleeve_balance(1, SPOT_WALLET, "BTC"),
        Ok(Decimal::ZERO)
    );
}

#[test]
fn a_transfer_takes_the_fee_on_top_and_only_what_is_free() {
    let mut ledger = funded();
    ledger
        .transfer(move_usdt(SPOT_WALLET, USDM, "100", "0.5"))
        .unwrap();
    assert_eq!(ledger.balance(SPOT_WALLET, "USDT"), Ok(d("9899.5")));
    assert_eq!(ledger.balance(USDM, "USDT"), Ok(d("10100")));
    assert_eq!(ledger.sleeve_balance(0, USDM, "USDT"), Ok(d("10100")));
    assert_eq!(ledger.attribution(0).unwrap().transfer_fees, d("-0.5"));
    assert_eq!(ledger.equity(), Ok(d("19999.5")));
    assert_eq!(ledger.deposits(0), Ok(d("20000")));

    let error = refused(&mut ledger, |l| {
        l.transfer(move_usdt(SPOT_WALLET, USDM, "9899.5", "0.00000001"))
    });
    assert!(matches!(error, LedgerError::NotEnough { .. }));
    // At 1x the whole notional is margin; 0.1 of 50 000 leaves 5 100, a loss of 40 leaves 5 060.
    buy(&mut ledger, 1, PERP, "0.100", "50000").unwrap();
    let error = refused(&mut ledger, |l| {
        l.transfer(move_usdt(USDM, SPOT_WALLET, "5100.00000001", "0"))
    });
    assert!(matches!(error, LedgerError::NotEnough { available, .. } if available == d("5100")));
    mark(&mut ledger, PERP, "49600");
    ledger.set_leverage(PERP, 8).unwrap();
    let error = refused(&mut ledger, |l| {
        l.withdraw(2, 0, USDM, "USDT", d("9440.00000001"))
    });
    // 10100 - 40 - 4960 / 8
    assert!(matches!(error, LedgerError::NotEnough { available, .. } if available == d("9440")));
    ledger.withdraw(2, 0, USDM, "USDT", d("9440")).unwrap();
    assert_eq!(ledger.balance(USDM, "USDT"), Ok(d("660")));
    assert_eq!(ledger.deposits(0), Ok(d("10560")));
    assert_eq!(ledger.flows().last().unwrap().amount, d("-9440"));
}

#[test]
fn a_sleeve_moves_only_its_own_money() {
    let mut ledger = ledger_of(&["a", "b"]);
    mark_all(&mut ledger, "50000");
    ledger.deposit(0, 0, USDM, "USDT", d("100")).unwrap();
    ledger.deposit(0, 1, USDM, "USDT", d("900")).unwrap();
    let error = refused(&mut ledger, |l| {
        l.transfer(move_usdt(USDM, SPOT_WALLET, "101", "0"))
    });
    assert!(matches!(error, LedgerError::NotEnough { available, .. } if available == d("100")));
    // What a sleeve has lost is not there to be moved, though the account has it.
    ledger.set_leverage(PERP, 10).unwrap();
    let fill = plain(1, PERP, "0.001", "50000");
    ledger.apply_fill(&fill, &[(0, fill.qty)]).unwrap();
    mark(&mut ledger, PERP, "20000");
    let error = refused(&mut ledger, |l| {
        l.transfer(move_usdt(USDM, SPOT_WALLET, "71", "0"))
    });
    assert!(matches!(error, LedgerError::NotEnough { available, .. } if available == d("70")));
}

#[test]
fn coin_is_valued_at_the_wallet_it_is_in() {
    let mut ledger = ledger_of(&["only"]);
    let error = refused(&mut ledger, |l| l.deposit(0, 0, SPOT_WALLET, "BTC", d("1")));
    assert_eq!(error, LedgerError::NoMark("BTCUSDT".to_owned()));
    mark(&mut ledger, SPOT, "50000");
    mark(&mut ledger, COIN, "50100");
    ledger.deposit(7, 0, SPOT_WALLET, "BTC", d("1")).unwrap();
    assert_eq!(ledger.deposits(0), Ok(d("50000")));
    let flow = &ledger.flows()[0];
    assert_eq!(
        (flow.ts, flow.wallet, flow.value),
        (7, SPOT_WALLET, d("50000"))
    );
    ledger
        .transfer(Transfer {
            asset: "BTC",
            ..move_usdt(SPOT_WALLET, COINM, "0.5", "0.001")
        })
        .unwrap();
    let seen = ledger.attribution(0).unwrap();
    assert_eq!(seen.price, d("50")); // 0.5 * (50100 - 50000)
    assert_eq!(seen.transfer_fees, d("-50"));
    assert_eq!(ledger.equity(), Ok(d("50000")));
    assert_eq!(ledger.balance(SPOT_WALLET, "BTC"), Ok(d("0.499")));
}

#[test]
fn allocations_must_be_the_fill() {
    let mut ledger = ledger_of(&["a", "b"]);
    mark_all(&mut ledger, "50000");
    let fill = plain(1, PERP, "0.003", "50000");
    for parts in [
        vec![],
        vec![(0, Qty(2))],
        vec![(0, Qty(-3))],
        vec![(0, Qty(4)), (1, Qty(1))],
        vec![(0, Qty(1)), (0, Qty(2))],
        vec![(0, Qty(0)), (1, Qty(0))],
    ] {
        let error = refused(&mut ledger, |l| l.apply_fill(&fill, &parts));
        assert!(matches!(error, LedgerError::BadAllocation(_)), "{parts:?}");
    }
    let error = refused(&mut ledger, |l| l.apply_fill(&fill, &[(2, Qty(3))]));
    assert_eq!(error, LedgerError::UnknownSleeve(2));
    let error = refused(&mut ledger, |l| {
        l.internal_cross(1, PERP, px(PERP, "1"), &[(0, Qty(1))])
    });
    assert!(matches!(error, LedgerError::BadAllocation(_)));
    let nothing = Fill {
        qty: Qty(0),
        ..fill
    };
    let error = refused(&mut ledger, |l| {
        l.apply_fill(&nothing, &[(0, Qty(1)), (1, Qty(-1))])
    });
    assert!(matches!(error, LedgerError::BadAllocation(_)));
    // An empty part is no part: it takes no remainder either.
    let fill = Fill {
        fee: d("0.00000001"),
        ..fill
    };
    ledger
        .apply_fill(&fill, &[(0, Qty(3)), (1, Qty(0))])
        .unwrap();
    assert_eq!(ledger.attribution(1).unwrap().fees, Decimal::ZERO);
}

#[test]
fn unknown_parts_and_impossible_numbers_are_named() {
    let mut ledger = funded();
    let l = &mut ledger;
    assert_eq!(l.mark(9, Px(1)), Err(LedgerError::UnknownInstrument(9)));
    assert_eq!(l.mark(PERP, Px(0)), Err(LedgerError::BadPrice(Px(0))));
    assert_eq!(l.mark_of(PERP), Some(px(PERP, "50000")));
    assert_eq!(l.mark_of(9), None);
    let error = refused(l, |l| l.deposit(0, 0, 3, "USDT", d("1")));
    assert_eq!(error, LedgerError::UnknownWallet(3));
    let error = refused(l, |l| l.deposit(0, 1, 0, "USDT", d("1")));
    assert_eq!(error, LedgerError::UnknownSleeve(1));
    let error = refused(l, |l| l.deposit(0, 0, USDM, "BTC", d("1")));
    assert_eq!(error.to_string(), "wallet usdm does not hold BTC");
    for amount in ["0", "-1", "0.000000001", "1000000000000"] {
        refused(l, |l| l.deposit(0, 0, USDM, "USDT", d(amount)));
    }
    refused(l, |l| l.transfer(move_usdt(SPOT_WALLET, USDM, "1", "-0.1")));
    refused(l, |l| l.transfer(move_usdt(SPOT_WALLET, USDM, "-1", "0")));
    for leverage in [0, 11] {
        let error = refused(l, |l| l.set_leverage(PERP, leverage));
        let expected = format!("leverage: expected a whole number from 1 to 10, was {leverage}");
        assert_eq!(error.to_string(), expected);
    }
    let bad = Fill {
        reference: Px(0),
        ..plain(1, PERP, "0.001", "1")
    };
    let error = refused(l, |l| l.apply_fill(&bad, &[(0, bad.qty)]));
    assert_eq!(error, LedgerError::BadPrice(Px(0)));
    let bad = Fill {
        impact: d("1"),
        ..plain(1, PERP, "0.001", "1")
    };
    let error = refused(l, |l| l.apply_fill(&bad, &[(0, bad.qty)]));
    assert!(matches!(
        error,
        LedgerError::BadAmount { what: "impact", .. }
    ));
    let error = refused(l, |l| l.book_funding(5, PERP, d("1"), d("0.1")));
    assert_eq!(
        error.to_string(),
        "funding of BTCUSDT-PERP at 5, but no sleeve held it"
    );
    assert_eq!(l.book_funding(5, PERP, Decimal::ZERO, d("0.1")), Ok(()));
}

#[test]
fn numbers_that_would_not_stay_exact_are_refused_not_wrapped() {
    let mut ledger = funded();
    let huge = Fill {
        px: Px(i64::MAX),
        reference: Px(i64::MAX),
        ..plain(1, PERP, "1.000", "1")
    };
    let error = refused(&mut ledger, |l| l.apply_fill(&huge, &[(0, huge.qty)]));
    assert!(matches!(error, LedgerError::Overflow(_)));
    let huge = Fill {
        qty: Qty(i64::MIN),
        ..plain(1, PERP, "1.000", "1")
    };
    let error = refused(&mut ledger, |l| l.apply_fill(&huge, &[(0, huge.qty)]));
    assert!(matches!(error, LedgerError::Overflow(_)));
    buy(&mut ledger, 1, PERP, "1.000", "1").unwrap();
    ledger.mark(PERP, Px(i64::MAX)).unwrap();
    assert!(matches!(ledger.equity(), Err(LedgerError::Overflow(_))));
    let error = refused(&mut ledger, |l| buy(l, 2, PERP, "1.000", "1"));
    assert!(matches!(error, LedgerError::Overflow(_)));
}

#[test]
fn late_funding_beyond_memory_is_refused() {
    let mut ledger = funded();
    buy(&mut ledger, HOUR, PERP, "0.001", "50000").unwrap();
    buy(&mut ledger, 25 * HOUR, PERP, "0.001", "50000").unwrap();
    let paid = ledger
        .apply_funding(&funding(HOUR, PERP, "0.1", "1"))
        .unwrap();
    assert_eq!(paid, Decimal::ZERO); // a day is still remembered
    buy(&mut ledger, 25 * HOUR + 1, PERP, "0.001", "50000").unwrap();
    let late = funding(HOUR, PERP, "0.1", "1");
    let error = refused(&mut ledger, |l| l.apply_funding(&late).map(|_| ()));
    assert_eq!(error, LedgerError::TooLate { ts: HOUR });
    let paid = ledger
        .apply_funding(&funding(HOUR + 1, PERP, "0.1", "1"))
        .unwrap();
    assert_eq!(paid, d("-0.0001"));
}

#[test]
fn fees_are_the_makers_or_the_takers_of_the_day() {
    let instruments = instruments();
    let perp = &instruments[usize::from(PERP)];
    let at = |text: &str| px(PERP, text);
    let paid = |quantity, taker, ts| fee(perp, at("50000"), Qty(quantity), taker, ts);
    assert_eq!(paid(200, true, NEW_RULES - 1), Ok(d("5")));
    assert_eq!(paid(-200, true, NEW_RULES), Ok(d("4")));
    assert_eq!(paid(200, false, 0), Ok(d("-1"))); // a rebate
    assert_eq!(paid(-200, false, NEW_RULES), Ok(d("2")));
    // 0.001 * 0.01 * 0.0005 = 5e-9: a tie
    assert_eq!(fee(perp, at("0.01"), Qty(1), true, 0), Ok(Decimal::ZERO));
    assert_eq!(fee(perp, at("0.03"), Qty(1), true, 0), Ok(d("0.00000002")));
    let coin = &instruments[usize::from(COIN)];
    assert_eq!(
        fee(coin, px(COIN, "30000"), Qty(-7), true, 0),
        Ok(d("0.00001167"))
    );
    assert_eq!(
        fee(perp, Px(0), Qty(1), true, 0),
        Err(LedgerError::BadPrice(Px(0)))
    );
    assert!(fee(perp, Px(i64::MAX), Qty(i64::MAX), true, 0).is_err());
}

#[test]
fn partial_fills_are_shared_fairly_and_add_up_to_the_order() {
    let order = [(0, Qty(3)), (1, Qty(-1)), (2, Qty(5))];
    let mut sums = [0, 0, 0];
    for filled in 0..7 {
        let parts = prorate(&order, Qty(filled), Qty(1)).unwrap();
        assert_eq!(parts.iter().map(|(_, q)| q.0).sum::<i64>(), 1);
        for (sum, (_, q)) in sums.iter_mut().zip(&parts) {
            *sum += q.0;
        }
        let fair = 3.0 * f64::from(i32::try_from(filled).unwrap() + 1) / 7.0;
        assert!((sums[0] as f64 - fair).abs() <= 0.5, "{filled}: {sums:?}");
    }
    assert_eq!(sums, [3, -1, 5]);
    let sold = prorate(&[(0, Qty(-2)), (1, Qty(-1))], Qty(0), Qty(2)).unwrap();
    assert_eq!(sold[..], [(0, Qty(-1)), (1, Qty(-1))]);
    let whole = prorate(&[(0, Qty(-2)), (1, Qty(-1))], Qty(0), Qty(3)).unwrap();
    assert_eq!(whole[..], [(0, Qty(-2)), (1, Qty(-1))]);
    assert!(prorate(&order, Qty(0), Qty(8)).is_err());
    assert!(prorate(&order, Qty(3), Qty(5)).is_err());
    assert!(prorate(&order, Qty(-1), Qty(1)).is_err());
    assert!(prorate(&order, Qty(1), Qty(-1)).is_err());
    assert!(prorate(&[(0, Qty(1)), (1, Qty(-1))], Qty(0), Qty(0)).is_err());
    assert!(prorate(&[], Qty(0), Qty(0)).is_err());
}

fn set_up(
    change: impl FnOnce(&mut Vec<Instrument>, &mut Vec<cq_ledger::Wallet>, &mut Valuation),
) -> String {
    let (mut instruments, mut wallets, mut valuation) = (instruments(), wallets(), usdt());
    change(&mut instruments, &mut wallets, &mut valuation);
    let instruments: Arc<[Instrument]> = instruments.into();
    let made = Ledger::new(instruments, vec!["only".to_owned()], wallets, &valuation);
    made.unwrap_err().to_string()
}

#[test]
fn parts_that_do_not_fit_are_refused_at_set_up() {
    let text = set_up(|_, _, v| "EUR".clone_into(&mut v.asset));
    assert!(
        text.contains("no instrument prices USDT of wallet spot in EUR"),
        "{text}"
    );
    let text = set_up(|i, w, v| {
        i.retain(|x| x.contract == Contract::Inverse);
        w.retain(|w| w.name == "coinm");
        w[0].instruments.clear();
        v.at_par.clear(); // its quote is USD
    });
    assert!(
        text.contains("no instrument prices BTC of wallet coinm in USDT"),
        "{text}"
    );
    let text = set_up(|i, _, _| i.retain(|x| x.contract == Contract::Inverse));
    assert!(text.contains("unknown instrument"), "{text}");
    let text = set_up(|_, w, _| w[1].instruments.push(SPOT));
    assert!(text.contains("settles in two wallets"), "{text}");
    let text = set_up(|_, w, _| w[0].assets.truncate(1));
    assert_eq!(text, "wallet spot does not hold BTC");
    let text = set_up(|_, w, _| "spot".clone_into(&mut w[1].name));
    assert!(text.contains("wallet \"spot\" is named twice"), "{text}");
    let text = set_up(|_, w, _| w.clear());
    assert!(text.contains("at least one wallet"), "{text}");
    let text = set_up(|i, _, _| i[1].grid.qty_exp = 9);
    assert!(text.contains("8 decimals each, were 2 and 9"), "{text}");
    let text = set_up(|i, _, _| i[1].grid.price_exp = 9);
    assert!(text.contains("8 decimals each, were 9 and 3"), "{text}");
    let text = set_up(|i, _, _| i[1].multiplier = Decimal::ZERO);
    assert!(text.contains("multiplier must be positive"), "{text}");
    let text = set_up(|_, w, _| w[2].assets.push("SOL".to_owned()));
    assert!(text.contains("no instrument prices SOL"), "{text}");
}

#[test]
fn coin_of_a_wallet_with_spot_and_contracts_is_priced_by_spot() {
    let mut wallets = wallets();
    wallets[0].instruments = vec![PERP, SPOT];
    wallets[1].instruments.clear();
    let instruments: Arc<[Instrument]> = instruments().into();
    let mut ledger = Ledger::new(instruments, vec!["only".to_owned()], wallets, &usdt()).unwrap();
    mark(&mut ledger, SPOT, "50000");
    mark(&mut ledger, PERP, "60000");
    // Zeros at the end are not digits that would be lost.
    let one = d("1.0000000000");
    ledger.deposit(0, 0, SPOT_WALLET, "BTC", one).unwrap();
    assert_eq!(ledger.equity(), Ok(d("50000")));
}

#[test]
fn an_instrument_without_a_wallet_is_marked_but_not_traded() {
    let mut wallets = wallets();
    wallets[1].instruments.clear();
    let instruments: Arc<[Instrument]> = instruments().into();
    let mut ledger = Ledger::new(instruments, vec!["only".to_owned()], wallets, &usdt()).unwrap();
    mark(&mut ledger, PERP, "50000");
    let error = refused(&mut ledger, |l| buy(l, 1, PERP, "0.001", "50000"));
    assert_eq!(error, LedgerError::NoWallet("BTCUSDT-PERP".to_owned()));
    assert_eq!(ledger.wallet_of(PERP), None);
    assert_eq!(ledger.wallet_of(SPOT), Some(SPOT_WALLET));
}
