//! A tape in parts is the tape: however it is cut, and in whatever order the parts come, every
//! wake-up, answer, book, feature and row is the same.

use std::collections::VecDeque;

use cq_features::FeatureSpec;
use proptest::prelude::*;

use super::*;

const MS: Ts = 1_000_000;
const END: Ts = 2_000 * MS;
const GRID: Ts = 100 * MS;
const LAST: u32 = cq_types::flags::LAST;
const SNAPSHOT: u32 = cq_types::flags::SNAPSHOT;
const KINDS: u8 = 8;
/// Orders of a run: each answer wakes the one who orders, and without a bound they may never end.
const ORDERS: u64 = 300;

/// A row before it has a kind: when it happened, how long it took, and what makes its values.
type Raw = (Ts, Ts, i64);

/// The rows of a stream and its first time.
#[derive(Debug, Clone)]
struct Given {
    kind: u8,
    instrument: u16,
    rows: Vec<Raw>,
}

fn given() -> impl Strategy<Value = Given> {
    // Steps and delays are whole milliseconds and often zero: times tie within and between streams.
    let row = (
        prop_oneof![Just(0), 0..80_i64],
        prop_oneof![Just(0), Just(5), 0..40_i64],
        0..1000_i64,
    );
    let rows = proptest::collection::vec(row, 0..40);
    (0..KINDS, 0..2_u16, rows).prop_map(|(kind, instrument, steps)| {
        let (mut event, mut recv, mut rows) = (0, 0, Vec::new());
        for (step, delay, value) in steps {
            event += step * MS;
            recv = recv.max(event + delay * MS);
            // What a venue says may seem to go back in time a little.
            rows.push((event - value % 3 * MS, recv, value));
        }
        Given {
            kind,
            instrument,
            rows,
        }
    })
}

/// Columns of rows that follow one another, from the stream's row `first` on.
fn columns(given: &Given, first: usize, rows: &[Raw]) -> (Stamps, Columns) {
    let pick = |of: &dyn Fn(i64) -> i64| rows.iter().map(|row| of(row.2)).collect::<Vec<_>>();
    let sides = || rows.iter().map(|row| if row.2 % 2 == 0 { 1 } else { -1 });
    let mut stamps = Stamps {
        ts_event: rows.iter().map(|row| row.0).collect(),
        ts_recv: rows.iter().map(|row| row.1).collect(),
        flags: None,
    };
    let mut nth = Vec::new();
    for at in first..first + rows.len() {
        nth.push(i64::try_from(at).unwrap());
    }
    let columns = match given.kind {
        0 => Columns::Gaps,
        1 => Columns::Trades {
            id: nth,
            px: pick(&|v| 10_000 + v % 7 * 10),
            qty: pick(&|v| 1 + v % 90),
            side: sides().collect(),
        },
        2 | 3 => {
            // Each eighth frame of two rows is a snapshot; bids lie below asks, most of the time.
            let is_snapshot = |at: &i64| at / 2 % 8 == 0;
            let marks = nth.iter().map(|at| {
                let snapshot = if is_snapshot(at) { SNAPSHOT } else { 0 };
                snapshot | if at % 2 == 1 { LAST } else { 0 }
            });
            stamps.flags = Some(marks.collect());
            let mut side = Vec::new();
            for (row, at) in rows.iter().zip(&nth) {
                let is_bid = if is_snapshot(at) {
                    at % 2 == 0
                } else {
                    row.2 % 2 == 0
                };
                side.push(if is_bid { 1 } else { -1 });
            }
            let px = rows.iter().zip(&side).map(|(row, side)| {
                10_030 - i64::from(*side) * (row.2 % 6 * 10 - i64::from(row.2 % 97 == 0) * 40)
            });
            Columns::Deltas {
                px: px.collect(),
                qty: pick(&|v| v % 4 * 30),
                side,
            }
        }
        4 => Columns::Quotes([
            pick(&|v| 10_000 - v % 5 * 10),
            pick(&|v| v % 50),
            pick(&|v| 10_010 + v % 5 * 10),
            pick(&|v| v % 50),
        ]),
        5 => {
            let interval = 60 * MS;
            for (at, ts) in nth.iter().zip(&mut stamps.ts_event) {
                *ts = at * interval;
            }
            let ends = stamps.ts_event.iter().zip(rows);
            let delays = ends.map(|(open, row)| open + interval + row.2 % 20 * MS);
            stamps.ts_recv = delays.collect();
            Columns::Bars {
                interval,
                prices: [
                    pick(&|v| 10_000 + v % 5),
                    pick(&|v| 10_010 + v % 5),
                    pick(&|v| 9_990 + v % 5),
                    pick(&|v| 10_001 + v % 5),
                ],
                volume: pick(&|v| v * 1000),
                count: Some(pick(&|v| v - 10)),
                taker_buy: None,
            }
        }
        6 => Columns::Marks(pick(&|v| 10_000 + v % 9)),
        _ => Columns::External {
            series: 0,
            values: rows
                .iter()
                .map(|row| {
                    if row.2 % 5 == 0 {
                        f64::NAN
                    } else {
                        row.2 as f64
                    }
                })
                .collect(),
        },
    };
    (stamps, columns)
}

fn line() -> Line {
    let mut setup = setup(END);
    let mut other = contract();
    "ETHUSDT-PERP.TEST".clone_into(&mut other.id);
    setup.wallets[0].instruments.push(1);
    setup.instruments.push(other);
    setup.grid = GRID;
    setup.sample = 250 * MS;
    setup.series = vec!["flows".to_owned()];
    let id = setup.instruments[0].id.clone();
    let of = |top: &str| [("instrument", id.as_str().into()), ("top", top.into())];
    setup.features = vec![
        FeatureSpec::new("book", "top_imbalance", of("book")),
        FeatureSpec::new("quote", "spread", of("quote")),
    ];
    if let Some(sim) = &mut setup.sim {
        sim.latency = latency(5 * MS, 0);
    }
    Line::new(setup).unwrap()
}

/// A settlement in the middle, of the first instrument: rounding to the minute, it is at zero.
fn funding(rows: &[Ts]) -> (Stamps, Columns) {
    let funding = Columns::Funding {
        rate: vec![7; rows.len()],
        exp: 4,
    };
    (stamps(rows, 0), funding)
}

/// Everything that can be seen of a run, in order.
fn seen(line: &mut Line, mut feed: impl FnMut(&mut Line)) -> Vec<String> {
    let mut out = Vec::new();
    let mut id = 0;
    loop {
        let wake = match line.advance(usize::MAX) {
            Ok(Some(Some(wake))) => wake,
            Ok(Some(None)) => break,
            Ok(None) => {
                feed(line);
                continue;
            }
            // A position that no price is known to close.
            Err(error) => {
                out.push(error.to_string());
                break;
            }
        };
        let mut features = [f64::NAN; 2];
        line.write_features(&mut features);
        let books: Vec<String> = (0..2)
            .map(|index| {
                let book = line.book(index);
                let side = |side| book.map(|b| b.levels(side, 99).collect::<Vec<_>>());
                format!("{:?} {:?}", side(Side::Buy), side(Side::Sell))
            })
            .collect();
        out.push(format!(
            "{wake:?} {} {} {:?} {:?} {books:?} {:?} {:?} {:?}",
            line.now(),
            line.seq(),
            line.gap(),
            features.map(f64::to_bits),
            [line.last_price(0), line.last_price(1)],
            [line.top(0), line.top(1)],
            line.take_answers(),
        ));
        if wake == Wake::DataEnd {
            continue;
        }
        if id == ORDERS {
            continue;
        }
        id += 1;
        let sign = if id % 4 < 2 { 1 } else { -1 };
        let request = match id % 3 {
            0 => market(id, sign * 20),
            1 => Request {
                kind: OrderType::Limit,
                price: Some(Px(10_000 + sign * 10)),
                ..market(id, sign * 30)
            },
            _ => stop(id, -sign * 10, 10_000),
        };
        place(line, request);
        if id % 5 == 0 && line.now() < END - GRID {
            line.wake_at(line.now() + 7 * MS).unwrap();
        }
    }
    out.push(format!(
        "{:?} {:?} {:?} {:?}",
        line.fills(),
        line.orders(),
        line.rows(),
        line.ledger().equity(),
    ));
    out
}

/// Cuts that put the streams on the line in parts, by shares of a thousand.
fn cut(given: &Given, at: &[usize]) -> VecDeque<(Stamps, Columns)> {
    let count = given.rows.len();
    let mut bounds: Vec<usize> = at.iter().map(|share| share * count / 1000).collect();
    bounds.extend([0, count]);
    bounds.sort_unstable();
    let part = |pair: &[usize]| columns(given, pair[0], &given.rows[pair[0]..pair[1]]);
    bounds.windows(2).map(part).collect()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(128))]

    #[test]
    fn a_tape_in_parts_is_the_tape(
        streams in proptest::collection::vec(given(), 1..7),
        cuts in proptest::collection::vec(proptest::collection::vec(0..1000_usize, 0..8), 8),
        ahead in proptest::collection::vec(0..8_usize, 0..200),
        settled in prop_oneof![Just(vec![]), Just(vec![0]), Just(vec![0, 60_000 * MS])],
    ) {
        let mut whole = line();
        for given in &streams {
            let (stamps, columns) = columns(given, 0, &given.rows);
            whole.add(Stream::new(given.instrument, stamps, columns).unwrap()).unwrap();
        }
        let (times, rates) = funding(&settled);
        whole.add(Stream::new(0, times, rates).unwrap()).unwrap();
        let expected = seen(&mut whole, |_| unreachable!("a whole tape runs dry"));

        let mut parts = line();
        let mut waiting: Vec<(u16, VecDeque<_>)> = streams
            .iter()
            .zip(&cuts)
            .map(|(given, at)| (given.instrument, cut(given, at)))
            .collect();
        waiting.push((0, settled.iter().map(|ts| funding(&[*ts])).collect()));
        for (instrument, queue) in &mut waiting {
            let (stamps, columns) = queue.pop_front().unwrap_or_else(|| funding(&[]));
            let first = Stream::new(*instrument, stamps, columns).unwrap().unfinished();
            parts.add(first).unwrap();
        }
        let mut ahead = ahead.into_iter();
        let got = seen(&mut parts, |line| {
            let wanted = line.wants().unwrap();
            // Now and then another stream's part comes before the one that is asked for.
            let early = ahead.next().filter(|n| *n < waiting.len() && *n != wanted);
            if let Some(number) = early {
                if let Some((stamps, columns)) = waiting[number].1.pop_front() {
                    line.extend(number, waiting[number].0, stamps, columns).unwrap();
                }
            }
            match waiting[wanted].1.pop_front() {
                Some((stamps, columns)) => {
                    line.extend(wanted, waiting[wanted].0, stamps, columns).unwrap();
                }
                None => line.complete(wanted).unwrap(),
            }
        });
        prop_assert_eq!(got, expected);
    }
}

fn unfinished(kind: u8, rows: Vec<Raw>) -> (Line, usize) {
    let given = Given {
        kind,
        instrument: 0,
        rows,
    };
    let (stamps, columns) = columns(&given, 0, &given.rows);
    let mut line = line();
    let stream = Stream::new(0, stamps, columns).unwrap().unfinished();
    let number = line.add(stream).unwrap();
    (line, number)
}

fn refused(line: &mut Line, number: usize, (stamps, columns): (Stamps, Columns)) -> String {
    let refused = line.extend(number, 0, stamps, columns);
    refused.unwrap_err().to_string()
}

#[test]
fn what_holds_within_a_part_holds_where_two_meet_and_rows_count_from_the_start() {
    let (mut line, marks) = unfinished(6, vec![(0, 5, 1), (1, 9, 2)]);
    let late = (stamps(&[8], 0), Columns::Marks(vec![1]));
    assert_eq!(
        refused(&mut line, marks, late),
        "mark of instrument 0, row 2: ts_recv decreases: sort the rows by ts_recv"
    );
    let bad = (stamps(&[9, 10, 11], 0), Columns::Marks(vec![1, 0, 1]));
    let wrong = "mark of instrument 0, row 3: a price must be positive, was 0";
    assert_eq!(refused(&mut line, marks, bad), wrong);

    let mut line = self::line();
    let (times, rates) = funding(&[0]);
    let paid = Stream::new(0, times, rates).unwrap().unfinished();
    let paid = line.add(paid).unwrap();
    assert_eq!(
        refused(&mut line, paid, funding(&[20_000 * MS])),
        "funding of instrument 0, row 1: funding is settled at this time already"
    );

    let (mut line, bars) = unfinished(5, vec![(0, 0, 7)]);
    let bar = |open: Ts| {
        let prices = [vec![9], vec![9], vec![9], vec![9]];
        let columns = Columns::Bars {
            interval: 60 * MS,
            prices,
            volume: vec![0],
            count: None,
            taker_buy: None,
        };
        (stamps(&[open], 100 * MS), columns)
    };
    assert_eq!(
        refused(&mut line, bars, bar(59 * MS)),
        "bar of instrument 0, row 1: bars overlap: ts_event must grow by the interval"
    );
    line.extend(bars, 0, bar(60 * MS).0, bar(60 * MS).1)
        .unwrap();
}

#[test]
fn a_part_goes_to_a_stream_that_waits_for_it() {
    let (mut line, marks) = unfinished(6, vec![(0, 5, 1)]);
    let wrong = "mark of instrument 0, row 1: the part holds something else than those before it";
    assert_eq!(refused(&mut line, marks, funding(&[9])), wrong);
    let (times, rates) = funding(&[9]);
    let other = line.extend(marks, 1, times, rates).unwrap_err();
    let wrong = "instrument: expected 0, the stream's own, was 1";
    assert_eq!(other.to_string(), wrong);
    line.complete(marks).unwrap();
    let wrong = "stream: expected the number of an unfinished stream, was 0";
    assert_eq!(line.complete(marks).unwrap_err().to_string(), wrong);
    assert_eq!(
        refused(&mut line, 7, funding(&[9])),
        wrong.replace('0', "7")
    );
}
