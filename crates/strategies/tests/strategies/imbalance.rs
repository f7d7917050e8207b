use super::*;

#[test]
fn it_takes_what_there_is_and_turns_with_the_book() {
    let levels = [
        (0, 1, 10_000, 9_000),
        (0, -1, 10_010, 1_000),
        (350, -1, 10_010, 30_000),
    ];
    let mut line = line(&levels, &[]);
    let given = [
        ("levels", 1.0),
        ("enter", 0.5),
        ("leave", 0.0),
        ("quantity", 2_000.0),
        ("slip", 0.0),
    ];
    run(&mut line, "imbalance", &given).unwrap();
    // (9 - 1) / 10 = 0.8: long, of 2.000 only 1.000 are there. (9 - 30) / 39 = -0.54: short 2.000.
    let expected = [(104, 1, 10_010, 1_000), (404, -1, 10_000, 3_000)];
    assert_eq!(fills(&line), expected);
}

#[test]
fn it_pays_no_more_than_its_slip() {
    let levels = [
        (0, 1, 10_000, 9_000),
        (0, -1, 10_010, 1_000),
        (1, -1, 10_020, 1_000),
        (1, -1, 10_030, 1_000),
    ];
    let mut line = line(&levels, &[]);
    let given = [
        ("levels", 1.0),
        ("enter", 0.5),
        ("leave", 0.0),
        ("quantity", 9_000.0),
        ("slip", 1.0),
    ];
    run(&mut line, "imbalance", &given).unwrap();
    let expected = [(104, 1, 10_010, 1_000), (104, 1, 10_020, 1_000)];
    assert_eq!(fills(&line), expected);
}
