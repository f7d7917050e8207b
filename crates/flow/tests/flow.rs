//! The made-up market as its reader sees it: decoded frames against a book of their own.

#![allow(clippy::unwrap_used)] // what fails here fails the test

use cq_book::Book;
use cq_flow::{
    Band, Bars, Closing, Coarse, FlowError, Parameters, Quantiles, Recorder, SlowParameters,
    Streams, Taking, TouchQueue,
};
use cq_types::{flags, Grid, Px, Qty, Side, Ts, NS_PER_S};
use cq_wire::binance::{Chain, Decoder, Planner};
use cq_wire::{Batch, Lines, Stats};
use proptest::prelude::*;

const START: Ts = 1_672_531_200 * NS_PER_S;
const DAY: Ts = 86_400 * NS_PER_S;
const TICK: i64 = 10;

fn table(values: &[f64]) -> Quantiles {
    Quantiles::new("made", values.to_vec()).unwrap()
}

fn band(from: i64, to: i64, arrival: f64) -> Band {
    Band {
        from,
        to,
        arrival,
        cancel: 0.5,
        change: 0.7,
        renew: 0.3,
        step: 0.1,
        queue: table(&[1.0, 2.0, 40.0, 300.0, 9_000.0]),
    }
}

/// A market in which the touch often goes and orders often walk the book.
fn parameters() -> Parameters {
    Parameters {
        price: 600_000,
        touch: TouchQueue {
            change: 40.0,
            cancel: 1.0,
            renew: 0.02,
            step: 0.05,
            queue: table(&[1.0, 300.0, 2_000.0, 9_000.0]),
            fresh: table(&[1.0, 100.0, 900.0]),
        },
        bands: vec![band(1, 5, 0.2), band(5, 100, 0.3), band(100, 1500, 0.4)],
        closing: Closing {
            delay: 0.01,
            follow: 0.8,
            whole: 0.5,
            trail: 0.2,
        },
        taking: Taking {
            gaps: vec![table(&[0.0, 1.0, 20.0, 200.0]), table(&[1.0, 60.0, 500.0])],
            bounds: vec![10.0],
            memory: vec![0.3, 0.2, 0.1],
            pressure: 0.2,
            size: table(&[1.0, 50.0, 900.0, 40_000.0]),
            shares: vec![table(&[0.5, 1.0]), table(&[0.01, 0.2, 1.0])],
            steps: vec![10.0],
        },
    }
}

fn slow() -> SlowParameters {
    SlowParameters {
        activity: (60.0, 0.5),
        lean: (60.0, 0.01),
        basis: (60.0, 3e-4),
        rate: (60.0, 1e-4),
        mean_rate: 1e-4,
    }
}

fn streams() -> Streams {
    Streams {
        symbol: "BTCUSDT".to_owned(),
        grid: Grid {
            price_exp: 2,
            qty_exp: 3,
        },
        tick: TICK,
        speed_ms: 100,
        with_quotes: true,
    }
}

fn recorded(parameters: Parameters, seed: u64, start: Ts, seconds: i64) -> Vec<u8> {
    let mut recorder = Recorder::new(parameters, slow(), streams(), seed, start).unwrap();
    let (mut text, until) = (Vec::new(), start + seconds * NS_PER_S);
    while recorder.now() < until {
        recorder.record(until, &mut text);
    }
    text
}

fn decoded(text: &[u8]) -> (Batch, Stats) {
    let mut lines = Lines::new(Decoder::new("BTCUSDT".to_owned(), streams().grid));
    lines.feed(text).unwrap();
    lines.finish().unwrap();
    let decoder = lines.decoder();
    (decoder.take(), decoder.stats().clone())
}

/// Checks what holds of every recording.
fn check(text: &[u8]) -> Result<(), TestCaseError> {
    let (batch, stats) = decoded(text);
    prop_assert_eq!(
        stats.depth_breaks + stats.trade_breaks + stats.clock_back,
        0
    );
    prop_assert!(stats.snapshot >= 1 && stats.depth > 10 && stats.trade > 10 && stats.mark > 0);
    let (d, t) = (&batch.deltas, &batch.trades);
    let chain = Chain::new(&d.first_id, &d.last_id, &d.prev_id, &d.side, &d.flags).unwrap();
    let mut planner = Planner::default();
    let (first, last) = (planner.feed(chain), planner.finish());
    prop_assert!(first.gaps.is_empty() && last.gaps.is_empty());
    let mut book = Book::with_step(Px(TICK));
    let is_trade = |i: usize| t.qty[i] > 0 && t.px[i] % TICK == 0;
    prop_assert!((0..t.px.len()).all(is_trade));
    for row in first.rows.into_iter().chain(last.rows) {
        let row = usize::try_from(row).unwrap();
        prop_assert!(d.qty[row] >= 0 && d.px[row] % TICK == 0 && d.px[row] > 0);
        let side = Side::of(i64::from(d.side[row])).unwrap();
        book.on_delta(side, Px(d.px[row]), Qty(d.qty[row]), d.flags[row]);
        if d.flags[row] & flags::LAST != 0 {
            prop_assert!(book.is_valid() && book.crossings() == 0);
        }
    }
    Ok(())
}

/// Every trade happens at a touch that `bookTicker` had shown, or deeper in the same order.
fn check_trades(batch: &Batch) -> Result<(), TestCaseError> {
    let (q, t) = (&batch.quotes, &batch.trades);
    let mut at = 0;
    let mut order = None;
    for i in 0..t.px.len() {
        while at + 1 < q.bid.len() && q.ts_recv[at + 1] < t.ts_recv[i] {
            at += 1;
        }
        if q.ts_recv[at] >= t.ts_recv[i] {
            continue; // nothing is known of the touch yet
        }
        let (touch, side) = if t.side[i] > 0 {
            (q.ask[at], 1)
        } else {
            (q.bid[at], -1)
        };
        let is_next = order == Some((at, side));
        prop_assert!((t.px[i] - touch) * side >= 0, "better than the touch");
        prop_assert!(is_next || t.px[i] == touch, "an order begins at the touch");
        order = Some((at, side));
    }
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(24))]

    #[test]
    fn every_recording_is_a_book_with_trades(
        seed: u64,
        follow in 0.0..1.0_f64,
        whole in 0.05..1.0_f64,
        cancel in 0.1..20.0_f64,
        big in 10.0..1e7_f64,
    ) {
        let mut made = parameters();
        made.closing.follow = follow;
        made.closing.whole = whole;
        made.touch.cancel = cancel;
        made.taking.size = table(&[1.0, 10.0, big]);
        let text = recorded(made, seed, START, 20);
        check(&text)?;
        check_trades(&decoded(&text).0)?;
    }
}

#[test]
fn the_same_seed_gives_the_same_bytes_however_they_are_asked_for() {
    let whole = recorded(parameters(), 7, START, 5);
    assert_eq!(whole, recorded(parameters(), 7, START, 5));
    assert_ne!(whole, recorded(parameters(), 8, START, 5));
    let mut recorder = Recorder::new(parameters(), slow(), streams(), 7, START).unwrap();
    let mut text = Vec::new();
    for second in 1..=5 {
        recorder.record(START + second * NS_PER_S, &mut text);
    }
    assert_eq!(text, whole);
    let (batch, _) = decoded(&whole);
    let rows = batch.deltas.len() + batch.trades.len() + batch.quotes.len();
    assert_eq!(recorder.events(), rows as u64);
}

#[test]
fn a_day_begins_with_the_label_and_a_snapshot_that_the_chain_goes_on_from() {
    let mut recorder = Recorder::new(
        parameters(),
        slow(),
        streams(),
        3,
        START + DAY - 2 * NS_PER_S,
    )
    .unwrap();
    let (mut before, mut after) = (Vec::new(), Vec::new());
    recorder.record(START + 2 * DAY, &mut before);
    assert_eq!(recorder.now(), START + DAY);
    recorder.record(START + DAY + 2 * NS_PER_S, &mut after);
    for text in [&before, &after] {
        let first = text.split(|b| *b == b'\n').next().unwrap();
        assert!(String::from_utf8_lossy(first).contains(r#""e":"cq_generated""#));
        check(text).unwrap();
    }
    check(&[before, after].concat()).unwrap();
}

#[test]
fn what_makes_no_market_is_refused_by_name() {
    let refused = |change: fn(&mut Parameters)| {
        let mut made = parameters();
        change(&mut made);
        Recorder::new(made, slow(), streams(), 1, START)
            .err()
            .unwrap()
            .to_string()
    };
    assert!(refused(|p| p.bands.clear()).contains("bands"));
    assert!(refused(|p| p.bands[1].from = 6).contains("bands"));
    assert!(refused(|p| p.bands[2].to = 9_999).contains("4096"));
    assert!(refused(|p| p.price = 100).contains("price"));
    assert!(refused(|p| p.touch.change = f64::NAN).contains("rates"));
    assert!(refused(|p| p.bands[0].step = 0.0).contains("steps"));
    assert!(refused(|p| p.closing.whole = 0.0).contains("closing"));
    assert!(refused(|p| p.taking.memory[0] = 0.9).contains("memory"));
    assert!(refused(|p| p.taking.bounds.clear()).contains("gaps"));
    assert!(refused(|p| p.taking.steps.clear()).contains("shares"));
    let start = Recorder::new(parameters(), slow(), streams(), 1, START + 1).err();
    assert!(matches!(
        start,
        Some(FlowError::Number { name: "start", .. })
    ));
}

#[test]
fn minutes_have_the_moments_of_the_flow_that_they_sum() {
    let coarse = Coarse {
        trades: 1_000.0,
        trades_sd: 0.3,
        volume: 50.0,
        volume_sd: 0.2,
        share_sd: 0.15,
        return_sd: 4e-4,
        return_tail: 6.0,
        impact: 0.7,
        lean_return: 1e-4,
    };
    let still = SlowParameters {
        activity: (1.0, 0.0),
        lean: (1.0, 0.0),
        basis: (1.0, 0.0),
        rate: (1.0, 0.0),
        mean_rate: 1e-4,
    };
    let count = 40_000;
    let minutes = Bars::new(coarse, still, 9).unwrap().take(count);
    let n = count as f64;
    let mean = |values: &[f64]| values.iter().sum::<f64>() / values.len() as f64;
    assert!((mean(&minutes.volume) / 200.0 - 1.0).abs() < 0.01);
    let trades: Vec<f64> = minutes.trades.iter().map(|v| *v as f64).collect();
    assert!((mean(&trades) / 4_000.0 - 1.0).abs() < 0.01);
    let steps: Vec<f64> = minutes
        .path
        .chunks(5)
        .flat_map(|p| p.windows(2).map(|w| w[1] - w[0]).collect::<Vec<_>>())
        .collect();
    assert_eq!(steps.len(), 4 * count);
    let variance = steps.iter().map(|v| v * v).sum::<f64>() / (4.0 * n);
    assert!((variance.sqrt() / 4e-4 - 1.0).abs() < 0.02);
    assert!((mean(&minutes.bought) - 0.5).abs() < 0.005);
    let returns = minutes.path.chunks(5).map(|p| p[4] - p[0]);
    let with: f64 = returns
        .zip(&minutes.bought)
        .map(|(r, b)| r * (b - 0.5))
        .sum();
    assert!(with > 0.0, "who buys more moves the price up");
    assert!(minutes
        .path
        .chunks(5)
        .zip(minutes.path.chunks(5).skip(1))
        .all(|(a, b)| a[4].to_bits() == b[0].to_bits()));
}
