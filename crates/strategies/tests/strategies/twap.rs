use super::*;

const LEVELS: [Row; 2] = [(0, 1, 10_000, 5_000), (0, -1, 10_010, 5_000)];

fn given(side: f64, quantity: f64) -> [(&'static str, f64); 5] {
    [
        ("side", side),
        ("quantity", quantity),
        ("slices", 3.0),
        ("slice_ns", 1e9),
        ("rest_ns", 4e8),
    ]
}

#[test]
fn a_slice_rests_and_what_is_left_of_it_crosses() {
    // A seller goes through the bid in the second slice.
    let mut line = line(&LEVELS, &[(1_300, -1, 9_990, 10_000)]);
    run(&mut line, "twap", &given(1.0, 3_000.0)).unwrap();
    // The book is known from 2 ms on, so slices begin at 100, 1100 and 2100 ms. Withdrawn after
    // 400 ms; 10 ms later that is known, and 4 ms later the rest is taken.
    let expected = [
        (514, 1, 10_010, 1_000),
        (1_300, 1, 10_000, 1_000),
        (2_514, 1, 10_010, 1_000),
    ];
    assert_eq!(fills(&line), expected);
    let prices: Vec<_> = line.orders().iter().map(|row| row.request.price).collect();
    let own = Some(Px(10_000));
    assert_eq!(prices[..5], [own, None, own, own, None]);
}

#[test]
fn a_slice_that_trades_in_part_crosses_the_rest() {
    // 5.000 stand before the order: of 5.400 it gets 0.400.
    let mut line = line(&LEVELS, &[(300, 1, 10_010, 5_400)]);
    run(&mut line, "twap", &given(-1.0, 3_000.0)).unwrap();
    let expected = [
        (300, -1, 10_010, 400),
        (514, -1, 10_000, 600),
        (1_514, -1, 10_000, 1_000),
        (2_514, -1, 10_000, 1_000),
    ];
    assert_eq!(fills(&line), expected);
}

#[test]
fn what_the_venue_refuses_ends_the_run() {
    let mut setup = setup();
    setup.instruments[0].lot = always(Qty(2));
    let mut odd = Line::new(setup).unwrap();
    let error = run(&mut odd, "twap", &given(1.0, 3_001.0)).unwrap_err();
    let said = "quantity: expected a multiple of the lot, 2, was 3001";
    assert_eq!(error.to_string(), said);
}
