//! Random flows: what the market does, and what we send, in the order of time.

use cq_sim::{Amend, Amendment, Latencies, Matching, Queue, SelfTrade, SimConfig};
use cq_sim::{
    OrderRate, OrderType, Request, TimeInForce, TriggerBy, TriggeredStops, WaitingAmends,
};
use cq_types::{
    flags, BracketUnit, Change, Contract, Dated, Fees, Grid, Instrument, PriceBands, Px, Qty, Side,
    Ts,
};
use proptest::prelude::*;
use rust_decimal::Decimal;

/// Price increment of orders, grid units.
pub(crate) const TICK: i64 = 10;

/// One thing that happens, `after` ns after the one before.
#[derive(Debug, Clone)]
pub(crate) struct Step {
    pub(crate) after: Ts,
    pub(crate) at: u16,
    pub(crate) what: What,
}

#[derive(Debug, Clone)]
pub(crate) enum What {
    Frame {
        is_snapshot: bool,
        is_complete: bool,
        rows: Vec<(Ts, Side, Px, Qty)>,
    },
    Trade {
        px: Px,
        qty: Qty,
        side: Side,
        late: Ts,
        marks: u32,
    },
    Quote {
        bid: (Px, Qty),
        ask: (Px, Qty),
    },
    Mark(Px),
    Gap,
    Send(Request),
    Cancel(usize),
    Amend(usize, Amendment),
}

#[derive(Debug, Clone)]
pub(crate) struct Flow {
    pub(crate) instruments: Vec<Instrument>,
    pub(crate) config: SimConfig,
    /// Most that a purchase may cost.
    pub(crate) purse: Decimal,
    /// Most units of a contract that there is margin for.
    pub(crate) most: i64,
    pub(crate) steps: Vec<Step>,
}

impl Flow {
    /// Level changes of a frame, each with its time.
    pub(crate) fn rows(now: Ts, what: &What) -> Vec<(Ts, Change)> {
        let What::Frame {
            is_snapshot,
            is_complete,
            rows,
        } = what
        else {
            return Vec::new();
        };
        let count = rows.len();
        let mut ts = now;
        let row = |(at, (after, side, px, qty)): (usize, &(Ts, Side, Px, Qty))| {
            ts += after;
            let last = *is_complete && at + 1 == count;
            let marks = if *is_snapshot { flags::SNAPSHOT } else { 0 };
            let marks = marks | if last { flags::LAST } else { 0 };
            (
                ts,
                Change {
                    side: *side,
                    px: *px,
                    qty: *qty,
                    marks,
                },
            )
        };
        rows.iter().enumerate().map(row).collect()
    }
}

fn instrument(contract: Contract, lot: i64, least: i64) -> Instrument {
    Instrument {
        id: "BTCUSDT.TEST".to_owned(),
        contract,
        base: "BTC".to_owned(),
        quote: "USDT".to_owned(),
        settle: "USDT".to_owned(),
        multiplier: Decimal::ONE,
        grid: Grid {
            price_exp: 2,
            qty_exp: 1,
        },
        tick: always(Px(TICK)),
        lot: always(Qty(lot)),
        min_notional: always(Decimal::from(least)),
        fees: always(Fees {
            maker: Decimal::new(-1, 4),
            taker: Decimal::new(5, 4),
        }),
        brackets: None,
        bracket_unit: BracketUnit::Quote,
        liquidation_fee: None,
        price_bands: None,
        valid_from: None,
        valid_to: Some(1_012),
    }
}

pub(crate) fn always<T>(value: T) -> Dated<T> {
    Dated::new(vec![(0, value)]).unwrap()
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Buy), Just(Side::Sell)]
}

/// Ticks round the middle; now and then between them.
fn price(ticks: std::ops::RangeInclusive<i64>) -> impl Strategy<Value = Px> {
    (ticks, prop_oneof![30 => Just(0), 1 => Just(5_i64)]).prop_map(|(n, odd)| Px(n * TICK + odd))
}

fn level() -> impl Strategy<Value = (Ts, Side, Px, Qty)> {
    let late = prop_oneof![12 => Just(0), 1 => 1..3_i64];
    let place = prop_oneof![
        10 => (Just(Side::Buy), price(94..=99)),
        10 => (Just(Side::Sell), price(101..=106)),
        1 => (side(), price(98..=102)),
    ];
    let qty = prop_oneof![1 => Just(0_i64), 3 => 1..9_i64];
    (late, place, qty).prop_map(|(after, (side, px), qty)| (after, side, px, Qty(qty)))
}

fn frame() -> impl Strategy<Value = What> {
    let kind = (prop::bool::weighted(0.15), prop::bool::weighted(0.97));
    (kind, prop::collection::vec(level(), 1..6)).prop_map(|((is_snapshot, is_complete), rows)| {
        What::Frame {
            is_snapshot,
            is_complete,
            rows,
        }
    })
}

/// A snapshot of both sides, each with its levels next to the middle.
fn snapshot() -> impl Strategy<Value = What> {
    let sizes = prop::collection::vec(1..9_i64, 4..9);
    sizes.prop_map(|sizes| {
        let level = |(at, qty): (usize, &i64)| {
            let away = i64::try_from(at / 2).unwrap() + 1;
            let (side, ticks) = if at % 2 == 0 {
                (Side::Buy, 100 - away)
            } else {
                (Side::Sell, 100 + away)
            };
            (0, side, Px(ticks * TICK), Qty(*qty))
        };
        let rows = sizes.iter().enumerate().map(level).collect();
        What::Frame {
            is_snapshot: true,
            is_complete: true,
            rows,
        }
    })
}

fn trade() -> impl Strategy<Value = What> {
    let marks = prop_oneof![20 => Just(0), 1 => Just(flags::NOT_MARKET)];
    (
        price(96..=104),
        1..9_i64,
        side(),
        prop_oneof![2 => Just(0), 1 => 1..6_i64],
        marks,
    )
        .prop_map(|(px, qty, side, late, marks)| What::Trade {
            px,
            qty: Qty(qty),
            side,
            late,
            marks,
        })
}

fn quote() -> impl Strategy<Value = What> {
    (price(96..=100), 0..3_i64, 1..9_i64, 1..9_i64).prop_map(|(bid, wide, b, a)| What::Quote {
        bid: (bid, Qty(b)),
        ask: (Px(bid.0 + (wide + 1) * TICK), Qty(a)),
    })
}

fn request() -> impl Strategy<Value = Request> {
    let kind = prop_oneof![
        3 => Just(OrderType::Market),
        16 => Just(OrderType::Limit),
        2 => Just(OrderType::Stop),
        2 => Just(OrderType::TakeProfit),
        2 => Just(OrderType::TrailingStop),
    ];
    let tif = prop_oneof![
        8 => Just(TimeInForce::Gtc),
        1 => Just(TimeInForce::Ioc),
        1 => Just(TimeInForce::Fok),
        2 => Just(TimeInForce::PostOnly),
    ];
    let qty = prop_oneof![20 => 1..9_i64, 1 => -1..1_i64];
    let has = prop_oneof![3 => Just(true), 1 => Just(false)];
    let looks = prop_oneof![Just(TriggerBy::Last), Just(TriggerBy::Mark)];
    let callback = prop_oneof![8 => 1_000..40_000_u32, 1 => Just(0)];
    let flags = (prop::bool::weighted(0.15), prop::bool::weighted(0.08));
    let shape = (kind, tif, side(), qty);
    let triggers = (price(96..=104), has.clone(), looks, callback);
    (shape, price(95..=105), has, triggers, flags).prop_map(
        |((kind, tif, side, qty), px, has_price, (stop, has_stop, looks, callback), flags)| {
            let is_plain = matches!(kind, OrderType::Market | OrderType::Limit);
            let needs = kind == OrderType::Limit;
            let price = (needs || (!is_plain && has_price)).then_some(px);
            Request {
                kind,
                tif,
                price,
                stop: (!is_plain && (has_stop || kind != OrderType::TrailingStop)).then_some(stop),
                trigger_by: looks,
                callback_ppm: callback,
                reduce_only: flags.0,
                close_position: flags.1 && !is_plain,
                ..Request::market(0, 0, side, Qty(qty))
            }
        },
    )
}

fn what() -> impl Strategy<Value = What> {
    let stop = prop_oneof![2 => Just(None), 1 => price(95..=105).prop_map(Some)];
    let to = (prop::option::of(price(95..=105)), -1..9_i64, stop);
    let to = to.prop_map(|(price, qty, stop)| Amendment {
        price,
        qty: Qty(qty),
        stop,
    });
    prop_oneof![
        14 => frame(),
        14 => trade(),
        1 => snapshot(),
        2 => quote(),
        2 => price(96..=104).prop_map(What::Mark),
        1 => Just(What::Gap),
        16 => request().prop_map(What::Send),
        2 => any::<usize>().prop_map(What::Cancel),
        4 => (any::<usize>(), to).prop_map(|(order, to)| What::Amend(order, to)),
    ]
}

fn config() -> impl Strategy<Value = SimConfig> {
    let queue = prop_oneof![
        3 => Just(Queue::RiskAverse),
        1 => Just(Queue::Optimistic),
        1 => prop_oneof![Just(1.0), Just(1.5), Just(2.0), Just(3.0)].prop_map(Queue::Power),
        1 => prop_oneof![Just(1.5), Just(2.0)].prop_map(Queue::Power2),
        1 => prop_oneof![Just(1.5), Just(3.0)].prop_map(Queue::Power3),
        1 => Just(Queue::Log),
        1 => Just(Queue::Log2),
    ];
    let stp = prop_oneof![
        Just(SelfTrade::Ignore),
        Just(SelfTrade::ExpireTaker),
        Just(SelfTrade::ExpireMaker),
        Just(SelfTrade::ExpireBoth),
    ];
    let amend = prop_oneof![Just(Amend::LosesPlace), Just(Amend::KeepsOnDecrease)];
    let most = prop_oneof![3 => Just([200, 200]), 1 => Just([2, 1])];
    let rate = (1..5_usize, 1..9_i64).prop_map(|(orders, window)| OrderRate { orders, window });
    let rates = prop_oneof![
        3 => Just(Vec::new()),
        1 => prop::collection::vec(rate, 1..3),
    ];
    let on = || prop::bool::weighted(0.75);
    let stops = prop_oneof![
        3 => Just(TriggeredStops::Trade),
        1 => Just(TriggeredStops::Refuse),
    ];
    let waiting = prop_oneof![Just(WaitingAmends::Refuse), Just(WaitingAmends::Take)];
    let rules = (on(), on(), on(), on(), stp, amend, (stops, waiting));
    (queue, rules, (most, rates), 0..4_i64, 0..4_i64).prop_map(
        |(queue, rules, (max_orders, max_order_rate), entry, response)| SimConfig {
            queue,
            matching: Matching {
                partial_fills: rules.0,
                walks_book: rules.1,
                snapshot_edge: rules.2,
                late_trades: rules.3,
                exact_queues: true,
                self_trade: rules.4,
                amend: rules.5,
            },
            max_orders,
            max_order_rate,
            triggered_stops: rules.6 .0,
            waiting_amends: rules.6 .1,
            latency: Latencies::Constant { entry, response },
            impact: 0.0,
            ..SimConfig::default()
        },
    )
}

/// In hundredths, so that they lie on the grid and between its ticks.
fn bands() -> impl Strategy<Value = Option<Dated<PriceBands>>> {
    let part = |n: i64| Decimal::new(n, 2);
    let bands = (0..5_i64, 0..5_i64, 0..5_i64).prop_map(move |(up, down, take)| PriceBands {
        up: part(100 + up),
        down: part(100 - down),
        take: part(take),
    });
    let from = prop_oneof![3 => Just(0), 1 => Just(1_010)];
    let dated = (from, bands).prop_map(|row| Dated::new(vec![row]).unwrap());
    prop::option::weighted(0.3, dated)
}

fn contract() -> impl Strategy<Value = Instrument> {
    let kind = prop_oneof![
        4 => Just(Contract::Linear),
        1 => Just(Contract::Inverse),
        1 => Just(Contract::Spot),
    ];
    (
        kind,
        prop_oneof![3 => Just(1), 1 => Just(2)],
        prop_oneof![3 => Just(0), 1 => Just(2)],
    )
        .prop_map(|(kind, lot, least)| instrument(kind, lot, least))
        .prop_flat_map(|instrument| (Just(instrument), bands()))
        .prop_map(|(instrument, price_bands)| Instrument {
            price_bands,
            ..instrument
        })
}

/// Flows of fewer than `most` steps, all with one queue model or each with any.
pub(crate) fn flow(most: usize, queue: Option<Queue>) -> impl Strategy<Value = Flow> {
    let step = (prop_oneof![3 => Just(0), 2 => 1..4_i64], 0..6_u16, what());
    let steps = prop::collection::vec(step, 4..most);
    let purse = prop_oneof![3 => Just(1_000_000), 1 => Just(5)];
    let margined = prop_oneof![2 => Just(i64::MAX), 1 => 0..30_i64];
    (
        prop::collection::vec(contract(), 1..3),
        config(),
        (purse, margined),
        snapshot(),
        steps,
    )
        .prop_map(
            move |(instruments, mut config, (purse, most), begin, steps)| {
                config.queue = queue.unwrap_or(config.queue);
                let count = u16::try_from(instruments.len()).unwrap();
                let mut next = 0;
                let begin = (0..count).map(|at| Step {
                    after: 0,
                    at,
                    what: begin.clone(),
                });
                let then = steps.into_iter().map(|(after, at, mut what)| {
                    // A sixth of the orders goes to an instrument that nobody has.
                    let at = if at == 5 && matches!(what, What::Send(_)) {
                        5
                    } else {
                        at % count
                    };
                    if let What::Send(request) = &mut what {
                        next += 1;
                        // Every fifth order has the number of one before it.
                        let id = if next % 5 == 0 { next - 2 } else { next };
                        (request.id, request.instrument) = (id, at);
                    }
                    Step { after, at, what }
                });
                let steps = begin.chain(then).collect();
                Flow {
                    instruments,
                    config,
                    purse: Decimal::from(purse),
                    most,
                    steps,
                }
            },
        )
}
