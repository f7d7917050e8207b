//! Who pays funding, on what, and when.

use rust_decimal::Decimal;

use crate::venue::*;

#[test]
fn longs_pay_positive_funding_and_shorts_receive_it() {
    for (held, rate, received) in [
        ("0.200", "0.0001", "-1"),
        ("-0.200", "0.0001", "1"),
        ("0.200", "-0.0003", "3"),
        ("-0.200", "-0.0003", "-3"),
    ] {
        let mut ledger = funded();
        buy(&mut ledger, 1, PERP, held, "50000").unwrap();
        mark(&mut ledger, PERP, "60000"); // funding uses the mark it is told
        let before = ledger.equity().unwrap();
        let booked = ledger.apply_funding(&funding(8 * HOUR, PERP, rate, "50000"));
        assert_eq!(booked, Ok(d(received)));
        assert_eq!(ledger.equity(), Ok(before + d(received)));
        assert_eq!(ledger.attribution(0).unwrap().funding, d(received));
        assert_eq!(ledger.balance(USDM, "USDT"), Ok(d("10000") + d(received)));
    }
}

#[test]
fn funding_is_booked_half_to_even_at_eight_decimals() {
    // 0.001 * 100 * 0.00000005 = 5e-9 and so on: ties.
    for (held, received) in [
        ("0.001", "0"),
        ("0.003", "-0.00000002"),
        ("0.005", "-0.00000002"),
        ("-0.003", "0.00000002"),
        ("0.004", "-0.00000002"),
    ] {
        let mut ledger = funded();
        buy(&mut ledger, 1, PERP, held, "100").unwrap();
        let booked = ledger.apply_funding(&funding(HOUR, PERP, "0.00000005", "100"));
        assert_eq!(booked, Ok(d(received)), "{held}");
    }
}

#[test]
fn a_fill_at_the_funding_time_pays_nothing_and_one_just_before_pays() {
    let at = 8 * HOUR;
    for (ts, received) in [(at - 1, "-1"), (at, "0"), (at + 1, "0")] {
        let mut ledger = funded();
        buy(&mut ledger, ts, PERP, "0.200", "50000").unwrap();
        let booked = ledger.apply_funding(&funding(at, PERP, "0.0001", "50000"));
        assert_eq!(booked, Ok(d(received)), "{ts}");
    }
    // Closed at the funding time: the long held just before still pays.
    let mut ledger = funded();
    buy(&mut ledger, 1, PERP, "0.200", "50000").unwrap();
    buy(&mut ledger, at, PERP, "-0.200", "50000").unwrap();
    assert_eq!(ledger.round_trips()[0].outcome.pnl, Decimal::ZERO);
    let booked = ledger.apply_funding(&funding(at, PERP, "0.0001", "50000"));
    assert_eq!(booked, Ok(d("-1")));
    assert_eq!(ledger.round_trips()[0].outcome.pnl, d("-1"));
    assert_eq!(ledger.round_trips()[0].outcome.funding, d("-1"));
    // Turned round at the funding time: the old long pays, the new short has no part in it.
    let mut ledger = funded();
    buy(&mut ledger, 1, PERP, "0.200", "50000").unwrap();
    buy(&mut ledger, at, PERP, "-0.300", "50000").unwrap();
    let booked = ledger.apply_funding(&funding(at, PERP, "0.0001", "50000"));
    assert_eq!(booked, Ok(d("-1")));
    assert_eq!(ledger.round_trips()[0].outcome.pnl, d("-1"));
    buy(&mut ledger, at + 1, PERP, "0.100", "50000").unwrap();
    assert_eq!(ledger.round_trips()[1].outcome.pnl, Decimal::ZERO);
}

#[test]
fn funding_told_late_finds_each_sleeve_and_instrument_as_it_was() {
    let mut ledger = ledger_of(&["a", "b"]);
    mark_all(&mut ledger, "50000");
    for (ts, instrument, sleeve, quantity) in [
        (1, PERP, 0, "0.200"),
        (1, PERP, 1, "0.100"),
        (1, ETH, 0, "1.000"),
        (HOUR, ETH, 0, "1.000"),
        (HOUR + 1, PERP, 1, "-0.100"),
    ] {
        let fill = plain(ts, instrument, quantity, "50000");
        ledger.apply_fill(&fill, &[(sleeve, fill.qty)]).unwrap();
    }
    let booked = ledger.apply_funding(&funding(HOUR, PERP, "0.0001", "50000"));
    assert_eq!(booked, Ok(d("-1.5")));
    assert_eq!(ledger.attribution(0).unwrap().funding, d("-1"));
    assert_eq!(ledger.attribution(1).unwrap().funding, d("-0.5"));
}

#[test]
fn what_the_venue_paid_is_split_after_what_each_sleeve_should_get() {
    let mut ledger = ledger_of(&["a", "b"]);
    mark(&mut ledger, PERP, "50000");
    let fill = plain(1, PERP, "-0.200", "50000");
    let parts = [(0, qty(PERP, "-0.300")), (1, qty(PERP, "0.100"))];
    ledger.apply_fill(&fill, &parts).unwrap();
    // Expected 1.5 and -0.5; the venue paid 0.04 more, which is split 3 : 1.
    ledger
        .book_funding(HOUR, PERP, d("1.040000005"), d("0.0001"))
        .unwrap();
    assert_eq!(ledger.attribution(0).unwrap().funding, d("1.53"));
    assert_eq!(ledger.attribution(1).unwrap().funding, d("-0.49"));
    assert_eq!(ledger.balance(USDM, "USDT"), Ok(d("1.04")));
}
