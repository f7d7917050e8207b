//! The simulated venue from outside: worked numbers for each rule.

#![allow(clippy::unwrap_used)] // what the tests build is known to be there

mod amending;
mod bars;
mod orders;
mod rules;
mod ticks;

use std::sync::Arc;

use cq_sim::{Bar, Bottomless, Latencies, OrderType, Request, SimConfig, TimeInForce, Venue};
use cq_types::{Account, BracketUnit, Contract, Dated, Fees, Grid, Instrument, Px, Qty, Side, Ts};
use rust_decimal::Decimal;

const HOUR: Ts = 3_600_000_000_000;
const MS: Ts = 1_000_000;
/// Entry and response latency of the tests, different so that neither can stand for the other.
const ENTRY: Ts = 50 * MS;
const RESPONSE: Ts = 20 * MS;

/// Tick 10 and lot 1 in grid units of 0.01 and 0.001; fees 2 and 5 bp.
fn contract(kind: Contract) -> Instrument {
    Instrument {
        id: "BTCUSDT-PERP.TEST".to_owned(),
        contract: kind,
        base: "BTC".to_owned(),
        quote: "USDT".to_owned(),
        settle: "USDT".to_owned(),
        multiplier: Decimal::ONE,
        grid: Grid {
            price_exp: 2,
            qty_exp: 3,
        },
        tick: always(Px(10)),
        lot: always(Qty(1)),
        min_notional: always(Decimal::from(5)),
        fees: always(Fees {
            maker: Decimal::new(2, 4),
            taker: Decimal::new(5, 4),
        }),
        brackets: None,
        price_bands: None,
        bracket_unit: BracketUnit::Quote,
        liquidation_fee: None,
        valid_from: None,
        valid_to: None,
    }
}

fn always<T>(value: T) -> Dated<T> {
    Dated::new(vec![(0, value)]).unwrap()
}

/// No spread, no impact, all of a bar's volume.
fn free() -> SimConfig {
    SimConfig {
        latency: Latencies::Constant {
            entry: ENTRY,
            response: RESPONSE,
        },
        half_spread: Decimal::ZERO,
        slippage_floor: Decimal::ZERO,
        impact: 0.0,
        participation: Decimal::ONE,
        cost_multiplier: Decimal::ONE,
        ..SimConfig::default()
    }
}

fn venue(config: &SimConfig) -> Venue {
    venue_of(contract(Contract::Linear), false, config)
}

fn venue_of(instrument: Instrument, has_ticks: bool, config: &SimConfig) -> Venue {
    Venue::new(
        Arc::from([instrument]),
        &[has_ticks.then_some(Px(1))],
        config,
    )
    .unwrap()
}

fn order(id: u64, signed: i64, kind: OrderType) -> Request {
    let side = Side::of(signed).unwrap();
    Request {
        kind,
        ..Request::market(id, 0, side, Qty(signed.abs()))
    }
}

fn market(id: u64, signed: i64) -> Request {
    order(id, signed, OrderType::Market)
}

fn limit(id: u64, signed: i64, px: i64) -> Request {
    Request {
        price: Some(Px(px)),
        ..order(id, signed, OrderType::Limit)
    }
}

fn stop(id: u64, signed: i64, px: i64) -> Request {
    Request {
        stop: Some(Px(px)),
        reduce_only: true,
        ..order(id, signed, OrderType::Stop)
    }
}

fn bar(hour: Ts, open: i64, high: i64, low: i64, close: i64, volume: i64) -> Bar {
    Bar {
        ts_open: hour * HOUR,
        interval: HOUR,
        open: Px(open),
        high: Px(high),
        low: Px(low),
        close: Px(close),
        volume: Qty(volume),
    }
}

/// The venue lives through a bar: its open, the orders sent before it, its range.
fn live(venue: &mut Venue, bar: Bar) {
    venue.begin_bar(0, bar);
    venue.meet_open(0, bar.ts_open, &Bottomless);
    while venue
        .next_arrival()
        .is_some_and(|ts| ts < bar.ts_open + bar.interval)
    {
        venue.arrive(&Bottomless);
    }
    let last = bar.ts_open + bar.interval - 1;
    for _ in 0..venue.hurry(0, last) {
        venue.arrive(&Bottomless);
    }
    venue.end_bar(0, last, &Bottomless);
}

/// All messages arrive.
fn deliver(venue: &mut Venue) {
    while venue.next_arrival().is_some() {
        venue.arrive(&Bottomless);
    }
}

/// `(order, venue time, signed quantity, price)` of each fill so far.
fn fills(venue: &mut Venue) -> Vec<(u64, Ts, i64, i64)> {
    let answers = venue.take_answers();
    answers
        .iter()
        .filter_map(|e| match e.body {
            Account::Fill {
                order,
                px,
                qty,
                side,
                ..
            } => Some((order, e.ts_event, side.sign() * qty.0, px.0)),
            _ => None,
        })
        .collect()
}

/// Names of the answers so far, with the reason of a rejection.
fn said(venue: &mut Venue) -> Vec<&'static str> {
    let answers = venue.take_answers();
    answers
        .iter()
        .map(|e| match e.body {
            Account::Ack { .. } => "ack",
            Account::Fill { .. } => "fill",
            Account::Cancelled { .. } => "cancelled",
            Account::Amended { .. } => "amended",
            Account::Triggered { .. } => "triggered",
            Account::Reject { reason, .. } | Account::Kept { reason, .. } => reason,
            _ => "other",
        })
        .collect()
}
