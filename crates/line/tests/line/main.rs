//! The line from outside, in Rust.

#![allow(clippy::unwrap_used)] // what the tests build is known to be there

mod capital;
mod collateral;
mod conserved;
mod deleverage;
mod hedge;
mod liquidation;
mod max_position;
mod moment;
mod order;
mod parts;
mod race;
mod seen;
mod spot;
mod triggers;
mod venues;

use std::collections::BTreeMap;

use cq_ledger::{Valuation, Wallet};
use cq_line::{Columns, Deposit, Line, LineError, Setup, Stamps, Stream, Wake};
use cq_sim::{Latencies, OrderType, Request, SimConfig, TimeInForce};
use cq_types::{Account, BracketUnit, Contract, Dated, Fees, Grid, Instrument, Px, Qty, Side, Ts};
use rust_decimal::Decimal;

const HOUR: Ts = 3_600_000_000_000;
const LATENCY: Ts = 50_000_000;
const RESPONSE: Ts = 50_000_000;

fn always<T>(value: T) -> Dated<T> {
    Dated::new(vec![(0, value)]).unwrap()
}

fn contract() -> Instrument {
    Instrument {
        id: "BTCUSDT-PERP.TEST".to_owned(),
        contract: Contract::Linear,
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
        min_notional: always(Decimal::ZERO),
        fees: always(Fees {
            maker: Decimal::ZERO,
            taker: Decimal::ZERO,
        }),
        brackets: None,
        price_bands: None,
        bracket_unit: BracketUnit::Quote,
        liquidation_fee: None,
        valid_from: None,
        valid_to: None,
    }
}

/// One contract, one sleeve with 1000 USDT, an hourly grid, no costs.
fn setup(end: Ts) -> Setup {
    Setup {
        instruments: vec![contract()],
        sleeves: vec!["one".to_owned()],
        wallets: vec![Wallet {
            name: "usdm".to_owned(),
            assets: vec!["USDT".to_owned()],
            instruments: vec![0],
        }],
        valuation: Valuation {
            asset: "USDT".to_owned(),
            at_par: vec![],
        },
        features: vec![],
        series: vec![],
        grid: HOUR,
        sample: HOUR,
        start: 0,
        end,
        venues: BTreeMap::new(),
        hedged: vec![],
        sim: Some(SimConfig {
            impact: 0.0,
            slippage_floor: Decimal::ZERO,
            participation: Decimal::ONE,
            latency: latency(LATENCY, RESPONSE),
            ..SimConfig::default()
        }),
        prices: BTreeMap::new(),
        capital: vec![Deposit {
            sleeve: 0,
            wallet: "usdm".to_owned(),
            asset: "USDT".to_owned(),
            amount: Decimal::from(1000),
        }],
    }
}

/// Bars by their first moment: open, high, low, close and volume.
fn add_bars(line: &mut Line, interval: Ts, rows: &[(Ts, [i64; 5])]) {
    let opens: Vec<Ts> = rows.iter().map(|row| row.0).collect();
    let column = |n: usize| rows.iter().map(|row| row.1[n]).collect::<Vec<_>>();
    let bars = Columns::Bars {
        interval,
        prices: [column(0), column(1), column(2), column(3)],
        volume: column(4),
        count: None,
        taker_buy: None,
    };
    line.add(Stream::new(0, stamps(&opens, interval), bars).unwrap())
        .unwrap();
}

fn stamps(ts_event: &[Ts], delay: Ts) -> Stamps {
    Stamps {
        ts_event: ts_event.to_vec(),
        ts_recv: ts_event.iter().map(|ts| ts + delay).collect(),
        flags: None,
    }
}

fn latency(entry: Ts, response: Ts) -> Latencies {
    Latencies::Constant { entry, response }
}

fn wake(line: &mut Line) -> Option<(Wake, Ts)> {
    let wake = line.advance(usize::MAX).unwrap().unwrap()?;
    Some((wake, line.now()))
}

fn market(id: u64, signed: i64) -> Request {
    let side = Side::of(signed).unwrap();
    Request::market(id, 0, side, Qty(signed.abs()))
}

/// Protects a position of `-signed`.
fn stop(id: u64, signed: i64, px: i64) -> Request {
    Request {
        kind: OrderType::Stop,
        stop: Some(Px(px)),
        reduce_only: true,
        ..market(id, signed)
    }
}

fn place(line: &mut Line, request: Request) {
    let signed = request.side.sign() * request.qty.0;
    line.place(request, vec![(0, Qty(signed))]).unwrap();
}
