//! Whatever is sent, the venue answers: no number, time or id makes it panic or overflow.
//!
//! Commands may hold anything. Market data is what a stream lets through: prices and quantities
//! above zero (levels may be empty), at any time. `PROPTEST_CASES` sets how many are tried.

#![allow(clippy::unwrap_used)] // what the tests build is known to be there

use std::sync::Arc;

use cq_sim::{
    Amendment, Bar, Bottomless, Latencies, Matching, Queue, SelfTrade, SimConfig, Trade, Venue,
};
use cq_sim::{OrderType, Request, TimeInForce, TriggerBy, WaitingAmends};
use cq_types::{
    flags, BracketUnit, Change, Contract, Dated, Fees, Grid, Instrument, PriceBands, Px, Qty, Side,
    Ts,
};
use proptest::prelude::*;
use proptest::test_runner::Config;
use rust_decimal::Decimal;

#[derive(Debug, Clone)]
enum Act {
    Send(Request),
    Cancel(u16, u64),
    Amend(u16, u64, Amendment),
    Arrive,
    Level(Side, Px, Qty, u32),
    Trade(Px, Qty, Side, Ts),
    Quote((Px, Qty), (Px, Qty)),
    Mark(Px),
    Gap,
    Bar([i64; 4], i64),
    Close,
    CancelAll,
}

/// Any number, most often one at an edge.
fn number() -> impl Strategy<Value = i64> {
    prop_oneof![
        4 => any::<i64>(),
        4 => -3..200_i64,
        2 => Just(i64::MAX),
        1 => Just(i64::MIN),
        1 => Just(0_i64),
        3 => (0..63_u32, -2..3_i64).prop_map(|(bit, off)| (1_i64 << bit).saturating_add(off)),
        2 => (0..19_u32).prop_map(|n| 10_i64.pow(n)),
    ]
}

fn positive() -> impl Strategy<Value = i64> {
    number().prop_map(|n| n.checked_abs().unwrap_or(i64::MAX).max(1))
}

fn id() -> impl Strategy<Value = u64> {
    prop_oneof![6 => 0..6_u64, 1 => any::<u64>()]
}

fn at() -> impl Strategy<Value = u16> {
    prop_oneof![20 => 0..3_u16, 1 => any::<u16>()]
}

fn side() -> impl Strategy<Value = Side> {
    prop_oneof![Just(Side::Buy), Just(Side::Sell)]
}

fn request() -> impl Strategy<Value = Request> {
    let kind = prop_oneof![
        2 => Just(OrderType::Market),
        6 => Just(OrderType::Limit),
        1 => Just(OrderType::Stop),
        1 => Just(OrderType::TakeProfit),
        1 => Just(OrderType::TrailingStop),
    ];
    let tif = prop_oneof![
        6 => Just(TimeInForce::Gtc),
        1 => Just(TimeInForce::Ioc),
        1 => Just(TimeInForce::Fok),
        1 => Just(TimeInForce::PostOnly),
    ];
    let px = || prop::option::weighted(0.8, number().prop_map(Px));
    let callback = prop_oneof![3 => 0..200_000_u32, 1 => any::<u32>(), 1 => Just(u32::MAX)];
    let flags = (
        any::<bool>(),
        prop::bool::weighted(0.2),
        prop::bool::weighted(0.1),
    );
    (
        id(),
        at(),
        side(),
        number(),
        kind,
        tif,
        px(),
        px(),
        callback,
        flags,
    )
        .prop_map(
            |(id, at, side, qty, kind, tif, price, stop, callback_ppm, flags)| Request {
                kind,
                tif,
                price,
                stop,
                trigger_by: if flags.0 {
                    TriggerBy::Mark
                } else {
                    TriggerBy::Last
                },
                callback_ppm,
                reduce_only: flags.1,
                close_position: flags.2,
                ..Request::market(id, at, side, Qty(qty))
            },
        )
}

fn amendment() -> impl Strategy<Value = Amendment> {
    let px = || prop::option::of(number().prop_map(Px));
    (px(), number(), px()).prop_map(|(price, qty, stop)| Amendment {
        price,
        qty: Qty(qty),
        stop,
    })
}

fn act() -> impl Strategy<Value = Act> {
    let px = || positive().prop_map(Px);
    let qty = || positive().prop_map(Qty);
    let level = prop_oneof![3 => qty(), 1 => Just(Qty(0))];
    let marks = prop_oneof![
        2 => Just(flags::LAST),
        2 => Just(flags::SNAPSHOT | flags::LAST),
        1 => Just(flags::SNAPSHOT),
        1 => any::<u32>(),
    ];
    let prices = [positive(), positive(), positive(), positive()];
    prop_oneof![
        8 => request().prop_map(Act::Send),
        1 => (at(), id()).prop_map(|(at, id)| Act::Cancel(at, id)),
        2 => (at(), id(), amendment()).prop_map(|(at, id, to)| Act::Amend(at, id, to)),
        6 => Just(Act::Arrive),
        8 => (side(), px(), level, marks).prop_map(|(s, p, q, m)| Act::Level(s, p, q, m)),
        4 => (px(), qty(), side(), number()).prop_map(|(p, q, s, t)| Act::Trade(p, q, s, t)),
        2 => ((px(), qty()), (px(), qty())).prop_map(|(b, a)| Act::Quote(b, a)),
        1 => px().prop_map(Act::Mark),
        1 => Just(Act::Gap),
        2 => (prices, number()).prop_map(|(p, v)| Act::Bar(p, v.checked_abs().unwrap_or(0))),
        1 => Just(Act::Close),
        1 => Just(Act::CancelAll),
    ]
}

fn instrument(contract: Contract, exps: (u8, u8), multiplier: Decimal) -> Instrument {
    fn always<T>(value: T) -> Dated<T> {
        Dated::new(vec![(0, value)]).unwrap()
    }
    Instrument {
        id: "BTCUSDT.TEST".to_owned(),
        contract,
        base: "BTC".to_owned(),
        quote: "USDT".to_owned(),
        settle: "USDT".to_owned(),
        multiplier,
        grid: Grid {
            price_exp: exps.0,
            qty_exp: exps.1,
        },
        tick: always(Px(1)),
        lot: always(Qty(1)),
        min_notional: always(Decimal::from(5)),
        fees: always(Fees {
            maker: Decimal::new(-1, 4),
            taker: Decimal::new(5, 4),
        }),
        brackets: None,
        bracket_unit: BracketUnit::Quote,
        liquidation_fee: None,
        price_bands: Some(always(PriceBands {
            up: Decimal::new(105, 2),
            down: Decimal::new(95, 2),
            take: Decimal::new(5, 2),
        })),
        valid_from: None,
        valid_to: None,
    }
}

fn config() -> impl Strategy<Value = SimConfig> {
    let queue = prop_oneof![
        Just(Queue::RiskAverse),
        Just(Queue::Optimistic),
        Just(Queue::Power(100.0)),
        Just(Queue::Power2(0.001)),
        Just(Queue::Power3(2.5)),
        Just(Queue::Log),
        Just(Queue::Log2),
    ];
    let stp = prop_oneof![
        Just(SelfTrade::Ignore),
        Just(SelfTrade::ExpireTaker),
        Just(SelfTrade::ExpireMaker),
        Just(SelfTrade::ExpireBoth),
    ];
    let rules = (
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        any::<bool>(),
        stp,
    );
    let latency = prop_oneof![Just(0), Just(1_000_000_000_i64)];
    (queue, rules, latency, any::<bool>()).prop_map(|(queue, rules, entry, has_impact)| SimConfig {
        queue,
        matching: Matching {
            partial_fills: rules.0,
            walks_book: rules.1,
            snapshot_edge: rules.2,
            late_trades: rules.3,
            self_trade: rules.4,
            ..Matching::VENUE
        },
        latency: Latencies::Constant {
            entry,
            response: entry,
        },
        impact: if has_impact { 1.0 } else { 0.0 },
        waiting_amends: if has_impact {
            WaitingAmends::Take
        } else {
            WaitingAmends::Refuse
        },
        cost_multiplier: Decimal::ONE_HUNDRED,
        participation: Decimal::ONE,
        ..SimConfig::default()
    })
}

/// Two instruments on their books, the third on bars.
fn venue(config: &SimConfig, contract: Contract, exps: (u8, u8), multiplier: Decimal) -> Venue {
    let all = vec![instrument(contract, exps, multiplier); 3];
    Venue::new(
        Arc::from(all),
        &[Some(Px(1)), Some(Px(1 << 40)), None],
        config,
    )
    .unwrap()
}

fn perform(venue: &mut Venue, act: &Act, at: u16, now: Ts) {
    let purse = &Bottomless;
    match *act {
        Act::Send(request) => venue.send(now, request),
        Act::Cancel(at, id) => venue.cancel(now, at, id),
        Act::Amend(at, id, to) => venue.amend(now, at, id, to),
        Act::Arrive => venue.arrive(purse),
        Act::Level(side, px, qty, marks) => {
            let change = Change {
                side,
                px,
                qty,
                marks,
            };
            venue.on_changes(at % 2, [(now, change)], purse);
        }
        Act::Trade(px, qty, side, matched) => {
            let trade = Trade {
                px,
                qty,
                side,
                marks: 0,
                matched,
            };
            venue.on_trade(at % 2, trade, now, purse);
        }
        Act::Quote(bid, ask) => venue.on_quote(at % 2, (bid, ask), now, purse),
        Act::Mark(px) => venue.on_mark(at, px, now, purse),
        Act::Gap => venue.on_gap(at),
        Act::Bar([open, high, low, close], volume) => {
            let high = high.max(low).max(open).max(close);
            let low = low.min(open).min(close);
            let bar = Bar {
                ts_open: now,
                interval: 1_000,
                open: Px(open),
                high: Px(high),
                low: Px(low),
                close: Px(close),
                volume: Qty(volume),
            };
            venue.begin_bar(2, bar);
            venue.meet_open(2, now, purse);
            for _ in 0..venue.hurry(2, now) {
                venue.arrive(purse);
            }
            venue.end_bar(2, now, purse);
        }
        Act::Close => {
            venue.force_close(at, now, purse);
        }
        Act::CancelAll => venue.cancel_all(at, now),
    }
}

fn cases() -> Config {
    let config = Config::default();
    let is_set = std::env::var_os("PROPTEST_CASES").is_some();
    Config {
        cases: if is_set { config.cases } else { 20_000 },
        failure_persistence: None,
        ..config
    }
}

proptest! {
    #![proptest_config(cases())]

    #[test]
    fn no_command_and_no_market_makes_the_venue_panic(
        config in config(),
        contract in prop_oneof![
            Just(Contract::Linear), Just(Contract::Inverse), Just(Contract::Spot)
        ],
        exps in (0..9_u8, 0..9_u8),
        multiplier in prop_oneof![Just(Decimal::ONE), Just(Decimal::new(1, 8)), Just(Decimal::from(100))],
        start in number(),
        acts in prop::collection::vec((act(), 0..3_u16, prop_oneof![Just(0), 0..1_000_i64]), 1..40),
    ) {
        let mut venue = venue(&config, contract, exps, multiplier);
        let mut now: Ts = start;
        for (act, at, after) in &acts {
            now = now.saturating_add(*after);
            perform(&mut venue, act, *at, now);
        }
        for _ in &acts {
            venue.arrive(&Bottomless);
        }
        venue.take_answers();
    }
}
