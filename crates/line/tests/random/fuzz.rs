//! Whatever columns, times and commands: an error or an answer, never a panic.

use cq_line::{Columns, Line, LineError, Stamps, Stream, Wake};
use cq_sim::{Latencies, OrderRate, OrderType, Request, SimConfig, TimeInForce};
use cq_types::{flags, Account, Contract, Grid, Px, Qty, Side, Ts};
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::cases;
use super::world::setup;

/// Any number, most often a small one or one at an edge.
fn number() -> impl Strategy<Value = i64> {
    prop_oneof![
        2 => any::<i64>(),
        8 => 1..200_i64,
        1 => Just(i64::MAX),
        1 => Just(i64::MIN),
        1 => -2..1_i64,
        1 => (0..63_u32).prop_map(|bit| 1_i64 << bit),
        1 => (0..19_u32).prop_map(|n| 10_i64.pow(n)),
    ]
}

fn column() -> impl Strategy<Value = Vec<i64>> {
    let small = prop::collection::vec(1..200_i64, 0..12);
    prop_oneof![3 => small, 1 => prop::collection::vec(number(), 0..12)]
}

fn times() -> impl Strategy<Value = Vec<Ts>> {
    let growing = (number(), prop::collection::vec(0..20_i64, 0..12)).prop_map(|(from, steps)| {
        let mut now = from;
        let step = |step: i64| {
            now = now.saturating_add(step);
            now
        };
        steps.into_iter().map(step).collect()
    });
    prop_oneof![4 => growing, 1 => column()]
}

/// Columns of about one length, so that a good part of them makes a stream.
fn stream() -> impl Strategy<Value = Result<Stream, LineError>> {
    let shape = (0..7_u8, number(), any::<bool>());
    (times(), prop::array::uniform5(column()), 0..2_u16, shape).prop_map(
        |(event, mut columns, at, (kind, interval, is_even))| {
            if is_even {
                for column in &mut columns {
                    column.resize(event.len(), 1);
                }
            }
            let late = if kind == 3 { interval.max(0) } else { 3 };
            let recv = event.iter().map(|ts| ts.saturating_add(late));
            let marks = columns[4].iter().map(|n| n % 4);
            let stamps = Stamps {
                ts_recv: recv.collect(),
                flags: Some(
                    marks
                        .map(|n| u32::try_from(n).unwrap_or(SNAPSHOT))
                        .collect(),
                ),
                ts_event: event,
            };
            Stream::new(at, stamps, typed(kind, interval, columns))
        },
    )
}

const SNAPSHOT: u32 = flags::SNAPSHOT | flags::LAST;

fn typed(kind: u8, interval: Ts, columns: [Vec<i64>; 5]) -> Columns {
    let [first, px, qty, fourth, volume] = columns;
    let side: Vec<i8> = (first.iter())
        .map(|n| if n % 2 == 0 { 1 } else { -1 })
        .collect();
    let id = first.clone();
    match kind {
        0 => Columns::Trades { id, px, qty, side },
        1 => Columns::Deltas { side, px, qty },
        2 => Columns::Quotes([first, px, qty, fourth]),
        3 => Columns::Bars {
            interval,
            prices: [first, px, qty, fourth],
            volume,
            count: None,
            taker_buy: None,
        },
        4 => Columns::Marks(first),
        5 => Columns::Funding {
            rate: first,
            exp: 8,
        },
        _ => Columns::Gaps,
    }
}

fn request() -> impl Strategy<Value = Request> {
    let kind = prop_oneof![
        2 => Just(OrderType::Market),
        4 => Just(OrderType::Limit),
        1 => Just(OrderType::Stop),
        1 => Just(OrderType::TrailingStop),
    ];
    let tif = prop_oneof![Just(TimeInForce::Gtc), Just(TimeInForce::Fok)];
    let px = || prop::option::weighted(0.8, number().prop_map(Px));
    (
        0..9_u64,
        any::<bool>(),
        number(),
        kind,
        tif,
        px(),
        px(),
        any::<u32>(),
    )
        .prop_map(
            |(id, buys, qty, kind, tif, price, stop, callback_ppm)| Request {
                kind,
                tif,
                price,
                stop,
                callback_ppm,
                ..Request::market(id, 0, if buys { Side::Buy } else { Side::Sell }, Qty(qty))
            },
        )
}

proptest! {
    #![proptest_config(cases(10_000))]

    #[test]
    fn no_tape_and_no_command_makes_the_line_panic(
        streams in prop::collection::vec(stream(), 0..4),
        (start, length, grid) in (number(), number(), number()),
        contract in prop_oneof![Just(Contract::Linear), Just(Contract::Inverse), Just(Contract::Spot)],
        commands in prop::collection::vec((request(), number(), 0..4_u8), 0..20),
    ) {
        let latency = Latencies::Constant { entry: 3, response: 2 };
        let mut parts = setup(contract, latency);
        (parts.start, parts.grid) = (start, grid);
        parts.end = start.saturating_add(length);
        let Ok(mut line) = Line::new(parts) else { return Ok(()) };
        for stream in streams.into_iter().flatten() {
            let _ = line.add(stream);
        }
        let mut commands = commands.into_iter();
        for _ in 0..60 {
            match line.advance(20) {
                Ok(Some(None)) | Err(_) => break,
                Ok(_) => {}
            }
            let Some((request, number, what)) = commands.next() else { continue };
            let (id, qty) = (request.id, Qty(number));
            // Each is refused as a call, by the venue, or works: nothing else.
            let _ = match what {
                0 => line.cancel(id),
                1 => line.amend(id, (request.price, qty)),
                2 => line.wake_at(number),
                _ => {
                    let signed = request.side.sign().saturating_mul(request.qty.0);
                    line.place(request, vec![(0, Qty(signed))])
                }
            };
        }
    }
}

/// A purchase of more units than money has digits is one that cannot be paid, not a panic.
#[test]
fn a_purchase_beyond_all_digits_cannot_be_paid() {
    let huge = 1_i64 << 60;
    let latency = Latencies::Constant {
        entry: 0,
        response: 0,
    };
    let mut parts = setup(Contract::Spot, latency);
    parts.instruments[0].grid = Grid {
        price_exp: 2,
        qty_exp: 8,
    };
    let mut line = Line::new(parts).unwrap();
    let levels = Columns::Deltas {
        side: vec![1, -1],
        px: vec![90, 100],
        qty: vec![huge, huge],
    };
    let stamps = Stamps {
        ts_event: vec![1, 1],
        ts_recv: vec![1, 1],
        flags: Some(vec![flags::SNAPSHOT, SNAPSHOT]),
    };
    line.add(Stream::new(0, stamps, levels).unwrap()).unwrap();
    let mut reasons = Vec::new();
    while let Some(wake) = line.advance(usize::MAX).unwrap().unwrap() {
        if wake == Wake::Timer && line.now() == super::world::GRID {
            let order = Request::market(1, 0, Side::Buy, Qty(huge));
            line.place(order, vec![(0, Qty(huge))]).unwrap();
        }
        reasons.extend(line.take_answers().into_iter().map(|answer| answer.body));
    }
    let reason = "insufficient_balance";
    assert_eq!(reasons, [Account::Reject { order: 1, reason }]);
}

/// Times in another unit are said to be so, with the row.
#[test]
fn a_time_that_cannot_be_one_is_named_with_its_row() {
    let stamps = Stamps {
        ts_event: vec![1, i64::MAX],
        ts_recv: vec![2, i64::MAX],
        flags: None,
    };
    let refused = Stream::new(3, stamps, Columns::Marks(vec![1, 1])).unwrap_err();
    let expected = "mark of instrument 3, row 1: a time must be ns within 146 years of 1970: \
                    was it in another unit?";
    assert_eq!(refused.to_string(), expected);
}

/// A million orders at one wake-up: all are answered, in time that grows with their number.
#[test]
fn a_million_orders_in_one_wake_up_are_refused_one_by_one() {
    let latency = Latencies::Constant {
        entry: 3,
        response: 2,
    };
    let mut parts = setup(Contract::Linear, latency);
    parts.sim.as_mut().unwrap().max_order_rate = vec![];
    let (said, worked) = flood(parts.sim.clone().unwrap(), 1_000_000);
    assert_eq!(said.get("max_open_orders"), Some(&999_800));
    assert_eq!(worked, 200);
    let rates = vec![
        OrderRate {
            orders: 300,
            window: 10_000_000_000,
        },
        OrderRate {
            orders: 1_200,
            window: 60_000_000_000,
        },
    ];
    let config = SimConfig {
        max_order_rate: rates,
        ..parts.sim.unwrap()
    };
    let (said, worked) = flood(config, 1_000);
    assert_eq!(said.get("max_open_orders"), Some(&100));
    assert_eq!(said.get("too_many_orders"), Some(&700));
    assert_eq!(worked, 200);
}

fn flood(config: SimConfig, count: u64) -> (std::collections::HashMap<&'static str, usize>, usize) {
    let mut parts = setup(Contract::Linear, config.latency.clone());
    parts.sim = Some(config);
    let mut line = Line::new(parts).unwrap();
    let levels = Columns::Deltas {
        side: vec![1, -1],
        px: vec![990, 1_010],
        qty: vec![5, 5],
    };
    let stamps = Stamps {
        ts_event: vec![1, 1],
        ts_recv: vec![1, 1],
        flags: Some(vec![flags::SNAPSHOT, flags::SNAPSHOT | flags::LAST]),
    };
    line.add(Stream::new(0, stamps, levels).unwrap()).unwrap();
    let mut said = std::collections::HashMap::new();
    let mut worked = 0;
    let mut is_sent = false;
    while line.advance(usize::MAX).unwrap() != Some(None) {
        for answer in line.take_answers() {
            match answer.body {
                Account::Reject { reason, .. } => *said.entry(reason).or_insert(0) += 1,
                Account::Ack { .. } => worked += 1,
                _ => {}
            }
        }
        if !is_sent && line.now() > 1 {
            is_sent = true;
            for id in 1..=count {
                let order = Request {
                    kind: OrderType::Limit,
                    price: Some(Px(980)),
                    ..Request::market(id, 0, Side::Buy, Qty(1))
                };
                line.place(order, vec![(0, Qty(1))]).unwrap();
            }
        }
    }
    assert_eq!(
        line.ledger().equity().unwrap(),
        Decimal::from(2 * super::DEPOSIT)
    );
    (said, worked)
}
