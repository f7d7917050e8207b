use cq_types::{flags, Grid, Px, Qty, Side, NS_PER_S};

use super::*;

const PERP: &str = "BTCUSDT-PERP.BINANCE";
const HOUR: Ts = 3600 * NS_PER_S;

fn source() -> Source {
    Source {
        id: PERP.to_owned(),
        grid: Grid {
            price_exp: 1,
            qty_exp: 3,
        },
    }
}

fn set(specs: Vec<FeatureSpec>) -> Result<FeatureSet, FeatureError> {
    FeatureSet::with_sources(specs, vec![source()], vec!["fng".to_owned()])
}

fn one_hour_return() -> FeatureSpec {
    FeatureSpec::new(
        "ret_perp_1h",
        "log_return",
        [
            ("bars", PERP.into()),
            ("interval_s", 3600.0.into()),
            ("window", 1.0.into()),
        ],
    )
}

fn spread() -> FeatureSpec {
    FeatureSpec::new(
        "spread_l1",
        "spread",
        [("instrument", PERP.into()), ("top", "book".into())],
    )
}

fn fear() -> FeatureSpec {
    FeatureSpec::new("fear", "external_level", [("series", "fng".into())])
}

fn event(ts_event: Ts, ts_recv: Ts, flags: u32, body: Market) -> Event<Market> {
    Event {
        ts_event,
        ts_recv,
        seq: 0,
        flags,
        instrument: 0,
        body,
    }
}

fn bar(open: Ts, known: Ts, close: i64) -> Event<Market> {
    let body = Market::Bar {
        interval: HOUR,
        open: Px(close),
        high: Px(close),
        low: Px(close),
        close: Px(close),
        volume: Qty(1),
        count: None,
        taker_buy: None,
    };
    event(open, known, 0, body)
}

fn value(set: &FeatureSet, now: Ts) -> f64 {
    let mut out = [0.0];
    set.write(now, &mut out);
    out[0]
}

#[test]
fn a_wrong_spec_is_refused_with_what_was_expected() {
    let text = |spec: FeatureSpec| set(vec![spec]).err().unwrap().to_string();
    let mut unknown = one_hour_return();
    unknown.operator = "magic".to_owned();
    assert!(text(unknown).contains("unknown operator \"magic\""));
    let mut extra = one_hour_return();
    extra.params.insert("windw".to_owned(), 3.0.into());
    assert!(text(extra).contains("\"windw\" expected no such parameter"));
    let mut zero = one_hour_return();
    zero.params.insert("window".to_owned(), 0.5.into());
    assert!(text(zero).contains("\"window\" expected a whole number from 1, was 0.5"));
    let mut nowhere = one_hour_return();
    nowhere.params.insert("bars".to_owned(), "X".into());
    assert!(text(nowhere).contains("an instrument of this run (BTCUSDT-PERP.BINANCE), was \"X\""));
    let twice = set(vec![one_hour_return(), one_hour_return()]);
    assert_eq!(
        twice.err(),
        Some(FeatureError::Duplicate("ret_perp_1h".to_owned()))
    );
}

#[test]
fn a_bar_too_early_out_of_order_or_without_a_price_is_refused_and_counted() {
    let mut set = set(vec![one_hour_return()]).unwrap();
    set.on_market(&bar(0, HOUR, 100), None);
    set.on_market(&bar(HOUR, 2 * HOUR - 1, 999), None);
    set.on_market(&bar(0, 2 * HOUR, 999), None);
    set.on_market(&bar(HOUR, 2 * HOUR, 0), None);
    assert_eq!((set.refused(), set.bridged()), (3, 0));
    set.on_market(&bar(2 * HOUR, 3 * HOUR, 110), None);
    assert_eq!((set.refused(), set.bridged()), (3, 1));
    assert!((value(&set, 3 * HOUR) - 1.1_f64.ln()).abs() < 1e-15);
}

#[test]
fn what_is_known_cannot_be_unknown_again() {
    let mut set = set(vec![one_hour_return()]).unwrap();
    set.on_market(&bar(0, HOUR, 100), None);
    set.on_market(&bar(HOUR, 2 * HOUR, 200), None);
    assert!(value(&set, 2 * HOUR - 1).is_nan());
    assert!(value(&set, 2 * HOUR).is_finite());
}

#[test]
fn stale_inputs_are_missing() {
    let mut bars = set(vec![one_hour_return()]).unwrap();
    bars.on_market(&bar(0, HOUR, 100), None);
    bars.on_market(&bar(HOUR, 2 * HOUR, 200), None);
    assert!(value(&bars, 8 * HOUR).is_finite());
    assert!(value(&bars, 8 * HOUR + 1).is_nan());
    let mut outside = set(vec![fear()]).unwrap();
    let point = Market::External {
        series: 0,
        value: 40.0,
    };
    outside.on_market(&event(0, HOUR, 0, point), None);
    assert_eq!(value(&outside, 97 * HOUR).to_bits(), 40.0_f64.to_bits());
    assert!(value(&outside, 97 * HOUR + 1).is_nan());
    let nothing = Market::External {
        series: 0,
        value: f64::NAN,
    };
    outside.on_market(&event(0, 97 * HOUR, 0, nothing), None);
    assert!(value(&outside, 97 * HOUR + 1).is_nan());
    assert_eq!(value(&outside, 97 * HOUR).to_bits(), 40.0_f64.to_bits());
}

#[test]
fn a_book_counts_from_a_whole_frame_to_the_loss_of_the_book() {
    let mut set = set(vec![spread()]).unwrap();
    let mut book = Book::new();
    let mut feed = |set: &mut FeatureSet, side, px, marks| {
        let delta = Market::Delta {
            side,
            px: Px(px),
            qty: Qty(1),
        };
        book.on_delta(side, Px(px), Qty(1), marks);
        set.on_market(&event(1, 1, marks, delta), Some(&book));
    };
    feed(&mut set, Side::Buy, 9_995, flags::SNAPSHOT);
    assert!(value(&set, 1).is_nan(), "half a frame");
    feed(&mut set, Side::Sell, 10_005, flags::SNAPSHOT | flags::LAST);
    assert!((value(&set, 1) - 10.0).abs() < 1e-12);
    feed(&mut set, Side::Buy, 10_006, flags::LAST);
    assert!(value(&set, 1).is_nan(), "a crossed book is no book");
}

#[test]
fn saved_state_goes_on_as_if_nothing_had_happened() {
    let mut first = set(vec![one_hour_return()]).unwrap();
    first.on_market(&bar(0, HOUR, 100), None);
    let mut second = set(vec![one_hour_return()]).unwrap();
    second.load(&first.save()).unwrap();
    second.on_market(&bar(HOUR, 2 * HOUR, 200), None);
    assert!((value(&second, 2 * HOUR) - 2.0_f64.ln()).abs() < 1e-15);
    let mut words = first.save();
    words.push(0);
    assert_eq!(second.load(&words), Err(FeatureError::BadState));
    assert!(value(&second, 2 * HOUR).is_nan(), "a bad load starts anew");
    assert_eq!(second.load(&words[..3]), Err(FeatureError::BadState));
}
