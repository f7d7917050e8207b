//! Strategies on tiny tapes, with numbers worked by hand.

#![allow(clippy::unwrap_used)] // what the tests build is known to be there

mod glft;
mod imbalance;
mod twap;

use std::collections::BTreeMap;

use cq_ledger::{Valuation, Wallet};
use cq_line::{Columns, Deposit, Line, LineError, Setup, Stamps, Stream};
use cq_sim::{Latencies, SimConfig};
use cq_strategies::{build, Value};
use cq_types::{BracketUnit, Contract, Dated, Fees, Grid, Instrument, Px, Qty, Ts};
use rust_decimal::Decimal;

const MS: Ts = 1_000_000;

/// Time in ms, side, price and quantity: a level of the book, or a trade of this aggressor.
type Row = (Ts, i8, i64, i64);

fn always<T>(value: T) -> Dated<T> {
    Dated::new(vec![(0, value)]).unwrap()
}

/// A contract on a tick of 0.10 and a lot of 0.001, asked every 100 ms for 5 s; 4 ms to the venue
/// and 6 ms back.
fn setup() -> Setup {
    let contract = Instrument {
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
        bracket_unit: BracketUnit::Quote,
        liquidation_fee: None,
        price_bands: None,
        valid_from: None,
        valid_to: None,
    };
    Setup {
        instruments: vec![contract],
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
        grid: 100 * MS,
        sample: 1_000 * MS,
        start: 0,
        end: 5_000 * MS,
        venues: BTreeMap::new(),
        hedged: vec![],
        sim: Some(SimConfig {
            latency: Latencies::Constant {
                entry: 4 * MS,
                response: 6 * MS,
            },
            ..SimConfig::default()
        }),
        prices: BTreeMap::new(),
        capital: vec![Deposit {
            sleeve: 0,
            wallet: "usdm".to_owned(),
            asset: "USDT".to_owned(),
            amount: Decimal::from(1_000_000),
        }],
    }
}

fn stamps(rows: &[Row], delay: Ts, flags: Vec<u32>) -> Stamps {
    Stamps {
        ts_event: rows.iter().map(|row| row.0 * MS).collect(),
        ts_recv: rows.iter().map(|row| (row.0 + delay) * MS).collect(),
        flags: Some(flags),
    }
}

/// Levels are known 2 ms later, trades 3 ms; the first two levels are the snapshot.
fn line(levels: &[Row], trades: &[Row]) -> Line {
    let mut line = Line::new(setup()).unwrap();
    let side = |rows: &[Row]| rows.iter().map(|row| row.1).collect::<Vec<_>>();
    let px = |rows: &[Row]| rows.iter().map(|row| row.2).collect::<Vec<_>>();
    let qty = |rows: &[Row]| rows.iter().map(|row| row.3).collect::<Vec<_>>();
    let mut marks = vec![2; levels.len()];
    (marks[0], marks[1]) = (1, 3);
    let book = Columns::Deltas {
        side: side(levels),
        px: px(levels),
        qty: qty(levels),
    };
    let prints = Columns::Trades {
        id: (0..).take(trades.len()).collect(),
        px: px(trades),
        qty: qty(trades),
        side: side(trades),
    };
    line.add(Stream::new(0, stamps(levels, 2, marks), book).unwrap())
        .unwrap();
    let times = stamps(trades, 3, vec![0; trades.len()]);
    line.add(Stream::new(0, times, prints).unwrap()).unwrap();
    line
}

fn run(line: &mut Line, name: &str, given: &[(&str, f64)]) -> Result<u64, LineError> {
    #[allow(clippy::cast_possible_truncation)] // whole numbers of the tests
    let value = |number: f64| match number.fract() {
        0.0 => Value::Whole(number as i64),
        _ => Value::Real(number),
    };
    let given: BTreeMap<_, _> = given
        .iter()
        .map(|(name, number)| ((*name).to_owned(), value(*number)))
        .collect();
    let asked = line.run(&mut *build(name, &given, 1).unwrap())?;
    Ok(asked.unwrap())
}

/// Fills but those of the end: ms at the venue, side, price, quantity.
fn fills(line: &Line) -> Vec<Row> {
    let own = line.fills().iter().filter(|fill| fill.tag.is_empty());
    own.map(|fill| {
        let side = if fill.side.sign() > 0 { 1 } else { -1 };
        (fill.ts_event / MS, side, fill.px.0, fill.qty.0)
    })
    .collect()
}
