use super::*;
use cq_types::Side;

/// A still book of 100.00 to 100.10, and a buyer in each of five steps of 100 ms who reaches so
/// many ticks from its middle: 1.5, 1.5, 2.5, 3.5 and 0.5.
fn tape() -> Line {
    let levels = [(0, 1, 10_000, 9_000), (0, -1, 10_010, 9_000)];
    let trades = [
        (150, 1, 10_020, 1),
        (250, 1, 10_020, 1),
        (350, 1, 10_030, 1),
        (450, 1, 10_040, 1),
        (550, 1, 10_010, 1),
    ];
    line(&levels, &trades)
}

const GIVEN: [(&str, f64); 6] = [
    ("gamma", 0.1),
    ("window", 8.0),
    ("refit", 1.0),
    ("reach", 5.0),
    ("quantity", 10.0),
    ("most", 100.0),
];

#[test]
fn it_quotes_where_the_fit_says_once_its_window_is_full() {
    let mut line = tape();
    run(&mut line, "glft", &GIVEN).unwrap();
    // 4, 2 and 1 of 8 steps reach 1, 2 and 3 ticks: k = ln 2. The middle never moves, so the
    // quotes are ln(1 + 0.1 / 0.6931) / 0.1 = 1.348 ticks from 1000.5.
    let sent = line.orders().iter().take(2);
    let sent = sent.map(|row| {
        (
            row.ts / MS,
            row.request.side,
            row.request.price,
            row.request.qty,
        )
    });
    let expected = [
        (900, Side::Buy, Some(Px(9_990)), Qty(10)),
        (900, Side::Sell, Some(Px(10_020)), Qty(10)),
    ];
    assert_eq!(sent.collect::<Vec<_>>(), expected);
}

#[test]
fn it_withdraws_where_nothing_can_be_fitted_any_more() {
    let mut line = tape();
    run(&mut line, "glft", &GIVEN).unwrap();
    // At 1200 ms the window begins at 400 ms: 0.5 and 3.5 ticks were reached in it, which tells
    // of no decay: 1, 2 and 3 ticks were reached once.
    let work: Vec<_> = line.orders().iter().map(|row| row.ts / MS).collect();
    assert!(work.iter().all(|ts| *ts <= 1_100), "{work:?}");
    assert!(line.open_orders().next().is_none());
    assert_eq!(fills(&line), []);
}
