//! Random tapes, and what is sent while they pass.

use std::collections::BTreeMap;

use cq_ledger::{Valuation, Wallet};
use cq_line::{Columns, Deposit, Line, Setup, Stamps, Stream, Wake};
use cq_sim::{Latencies, OrderType, Request, SimConfig, TimeInForce};
use cq_types::{
    flags, Account, BracketUnit, Contract, Dated, Event, Fees, Grid, Instrument, Px, Qty, Side, Ts,
};
use proptest::prelude::*;
use rust_decimal::Decimal;

pub(crate) const END: Ts = 120;
pub(crate) const GRID: Ts = 10;
pub(crate) const DEPOSIT: i64 = 100_000;

/// A row of the tape: when it happened, how long it took to us, and what it was.
#[derive(Debug, Clone)]
pub(crate) struct Row {
    pub(crate) after: Ts,
    pub(crate) late: Ts,
    pub(crate) side: i8,
    pub(crate) px: i64,
    pub(crate) qty: i64,
    pub(crate) ends: bool,
}

#[derive(Debug, Clone)]
pub(crate) enum Command {
    Place(Request),
    Cancel(u64),
    Amend(u64, Option<Px>, Qty),
}

#[derive(Debug, Clone)]
pub(crate) struct World {
    pub(crate) contract: Contract,
    pub(crate) latencies: Latencies,
    pub(crate) levels: Vec<Row>,
    pub(crate) trades: Vec<Row>,
    /// Of each wake-up of the decision grid.
    pub(crate) commands: Vec<Vec<Command>>,
}

fn row() -> impl Strategy<Value = Row> {
    let book = prop_oneof![
        10 => (Just(1_i8), 94..=99_i64),
        10 => (Just(-1_i8), 101..=106_i64),
        1 => (prop_oneof![Just(1_i8), Just(-1_i8)], 98..=102_i64),
    ];
    let qty = prop_oneof![1 => Just(0_i64), 4 => 1..9_i64];
    (0..4_i64, 0..6_i64, book, qty, prop::bool::weighted(0.6)).prop_map(
        |(after, late, (side, ticks), qty, ends)| Row {
            after,
            late,
            side,
            px: ticks * 10,
            qty,
            ends,
        },
    )
}

fn command() -> impl Strategy<Value = Command> {
    let kind = prop_oneof![
        2 => Just(OrderType::Market),
        6 => Just(OrderType::Limit),
        1 => Just(OrderType::Stop),
        1 => Just(OrderType::TakeProfit),
    ];
    let side = prop_oneof![Just(Side::Buy), Just(Side::Sell)];
    let tif = prop_oneof![4 => Just(TimeInForce::Gtc), 1 => Just(TimeInForce::PostOnly)];
    let place = (
        kind,
        side,
        tif,
        1..9_i64,
        95..=105_i64,
        prop::bool::weighted(0.2),
    );
    let place = place.prop_map(|(kind, side, tif, qty, ticks, reduces)| {
        let px = Some(Px(ticks * 10));
        Command::Place(Request {
            kind,
            tif,
            price: px.filter(|_| kind == OrderType::Limit),
            stop: px.filter(|_| kind != OrderType::Limit),
            reduce_only: reduces,
            ..Request::market(0, 0, side, Qty(qty))
        })
    });
    let to = (
        1..30_u64,
        prop::option::of((95..=105_i64).prop_map(|t| Px(t * 10))),
        0..9_i64,
    );
    prop_oneof![
        6 => place,
        1 => (1..30_u64).prop_map(Command::Cancel),
        1 => to.prop_map(|(id, px, qty)| Command::Amend(id, px, Qty(qty))),
    ]
}

pub(crate) fn rows() -> impl Strategy<Value = Vec<Row>> {
    prop::collection::vec(row(), 1..40)
}

pub(crate) fn world() -> impl Strategy<Value = World> {
    let contract = prop_oneof![
        3 => Just(Contract::Linear),
        1 => Just(Contract::Spot),
        1 => Just(Contract::Inverse),
    ];
    let latencies = prop_oneof![
        2 => (0..8_i64, 0..8_i64)
            .prop_map(|(entry, response)| Latencies::Constant { entry, response }),
        1 => (prop::collection::vec(0..8_i64, 1..4), any::<u64>()).prop_map(|(samples, seed)| {
            Latencies::Sampled {
                entry: samples.clone().into(),
                response: samples.into(),
                seed,
            }
        }),
    ];
    let wakes = prop::collection::vec(prop::collection::vec(command(), 0..4), 12);
    (contract, latencies, rows(), rows(), wakes).prop_map(
        |(contract, latencies, levels, trades, mut commands)| {
            let mut next = 0;
            for command in commands.iter_mut().flatten() {
                if let Command::Place(request) = command {
                    next += 1;
                    request.id = next;
                }
            }
            World {
                contract,
                latencies,
                levels,
                trades,
                commands,
            }
        },
    )
}

fn always<T>(value: T) -> Dated<T> {
    Dated::new(vec![(0, value)]).unwrap()
}

pub(crate) fn instrument(contract: Contract) -> Instrument {
    let settle = if contract == Contract::Inverse {
        "BTC"
    } else {
        "USDT"
    };
    Instrument {
        id: "BTCUSDT.TEST".to_owned(),
        contract,
        base: "BTC".to_owned(),
        quote: "USDT".to_owned(),
        settle: settle.to_owned(),
        multiplier: Decimal::ONE,
        grid: Grid {
            price_exp: 2,
            qty_exp: 1,
        },
        tick: always(Px(10)),
        lot: always(Qty(1)),
        min_notional: always(Decimal::ZERO),
        fees: always(Fees {
            maker: Decimal::new(-123_457, 9),
            taker: Decimal::new(456_789, 9),
        }),
        brackets: None,
        bracket_unit: BracketUnit::Quote,
        liquidation_fee: None,
        price_bands: None,
        valid_from: None,
        valid_to: None,
    }
}

pub(crate) fn setup(contract: Contract, latency: Latencies) -> Setup {
    let instrument = instrument(contract);
    let settle = instrument.settle.clone();
    Setup {
        instruments: vec![instrument],
        sleeves: vec!["one".to_owned(), "two".to_owned()],
        wallets: vec![Wallet {
            name: "main".to_owned(),
            assets: match contract {
                Contract::Spot => vec!["USDT".to_owned(), "BTC".to_owned()],
                _ => vec![settle.clone()],
            },
            instruments: vec![0],
        }],
        valuation: Valuation {
            asset: settle.clone(),
            at_par: vec![],
        },
        features: vec![],
        series: vec![],
        grid: GRID,
        sample: END,
        start: 0,
        end: END,
        venues: BTreeMap::new(),
        hedged: vec![],
        sim: Some(SimConfig {
            latency,
            ..SimConfig::default()
        }),
        prices: BTreeMap::new(),
        capital: (0..2)
            .map(|sleeve| Deposit {
                sleeve,
                wallet: "main".to_owned(),
                asset: settle.clone(),
                amount: Decimal::from(DEPOSIT),
            })
            .collect(),
    }
}

/// Times of rows: by the venue, and known to us, which never goes back.
fn stamps(rows: &[Row], from: Ts, marks: Option<Vec<u32>>) -> Stamps {
    let (mut now, mut known) = (from, from);
    let mut out = Stamps {
        flags: marks,
        ..Stamps::default()
    };
    for row in rows {
        now += row.after;
        known = known.max(now + row.late);
        out.ts_event.push(now);
        out.ts_recv.push(known);
    }
    out
}

impl World {
    /// Rows up to the first that happens after `t`, and others from there on.
    pub(crate) fn with_other_future(&self, t: Ts, levels: &[Row], trades: &[Row]) -> Self {
        let change = |own: &[Row], other: &[Row], from: Ts| {
            let mut now = from;
            let mut out = own.to_vec();
            let keep = out.iter().take_while(|row| {
                now += row.after;
                now <= t
            });
            let keep = keep.count();
            let last: Ts = from + out[..keep].iter().map(|row| row.after).sum::<Ts>();
            out.truncate(keep);
            out.extend(other.iter().cloned());
            if let Some(first) = out.get_mut(keep) {
                first.after += t + 1 - last;
            }
            out
        };
        Self {
            levels: change(&self.levels, levels, 1),
            trades: change(&self.trades, trades, 2),
            ..self.clone()
        }
    }

    pub(crate) fn line(&self) -> Line {
        let mut line = Line::new(setup(self.contract, self.latencies.clone())).unwrap();
        self.put(&mut line, 0);
        line
    }

    /// Puts its streams on a line, as those of an instrument.
    pub(crate) fn put(&self, line: &mut Line, instrument: u16) {
        // A snapshot of three levels a side, then the changes.
        let snapshot = [-1_i64, 1]
            .iter()
            .flat_map(|side| (1..4).map(move |away| (*side, away)));
        let snapshot: Vec<Row> = snapshot
            .map(|(side, away)| Row {
                after: 0,
                late: 0,
                side: if side < 0 { 1 } else { -1 },
                px: (100 + side * away) * 10,
                qty: 5,
                ends: away == 3 && side == 1,
            })
            .collect();
        let begun = snapshot.len();
        let rows: Vec<Row> = snapshot
            .into_iter()
            .chain(self.levels.iter().cloned())
            .collect();
        let marks = rows.iter().enumerate().map(|(at, row)| {
            let first = if at < begun { flags::SNAPSHOT } else { 0 };
            first | if row.ends { flags::LAST } else { 0 }
        });
        let stamps_of_levels = stamps(&rows, 1, Some(marks.collect()));
        let levels = Columns::Deltas {
            side: rows.iter().map(|row| row.side).collect(),
            px: rows.iter().map(|row| row.px).collect(),
            qty: rows.iter().map(|row| row.qty).collect(),
        };
        let trades = Columns::Trades {
            id: (0..).take(self.trades.len()).collect(),
            px: self.trades.iter().map(|row| row.px).collect(),
            qty: self.trades.iter().map(|row| row.qty.max(1)).collect(),
            side: self.trades.iter().map(|row| -row.side).collect(),
        };
        let streams = [
            Stream::new(instrument, stamps_of_levels, levels),
            Stream::new(instrument, stamps(&self.trades, 2, None), trades),
        ];
        for stream in streams {
            line.add(stream.unwrap()).unwrap();
        }
    }

    /// Runs to the end; the commands of the n-th timer are sent at it.
    pub(crate) fn run(&self, is_cut: bool, mut look: impl FnMut(&Line, Wake)) -> Played {
        let mut line = self.line();
        let mut out = Played::default();
        let mut timers = 0;
        while let Some(wake) = line.advance(usize::MAX).unwrap().unwrap() {
            let now = line.now();
            out.answers.extend(line.take_answers());
            if wake != Wake::Alarm {
                out.wakes.push((wake, now));
                look(&line, wake);
            }
            if wake == Wake::Timer {
                for command in self.commands.get(timers).into_iter().flatten() {
                    send(&mut line, command);
                }
                timers += 1;
            }
            if is_cut && now + 1 < END && wake != Wake::DataEnd {
                line.wake_at(now + 1).unwrap();
            }
        }
        out.answers.extend(line.take_answers());
        out.equity = line.ledger().equity().unwrap();
        out
    }
}

/// What a run said.
#[derive(Debug, Default, PartialEq)]
pub(crate) struct Played {
    pub(crate) wakes: Vec<(Wake, Ts)>,
    pub(crate) answers: Vec<Event<Account>>,
    pub(crate) equity: Decimal,
}

/// Orders are of one sleeve, of the other, shared, or of one that buys from the other: in spot, too,
/// where one cannot sell what the other has.
pub(crate) fn send(line: &mut Line, command: &Command) {
    match command {
        Command::Place(request) => {
            let signed = request.side.sign() * request.qty.0;
            let part = signed / 3;
            let parts = match request.id % 4 {
                _ if part == 0 => vec![(0, Qty(signed))],
                0 => vec![(0, Qty(signed))],
                1 => vec![(0, Qty(signed - part)), (1, Qty(part))],
                2 => vec![(1, Qty(signed))],
                _ => vec![(0, Qty(signed + part)), (1, Qty(-part))],
            };
            line.place(*request, parts).unwrap();
        }
        Command::Cancel(id) => {
            if line.order(*id).is_some() {
                line.cancel(*id).unwrap();
            }
        }
        Command::Amend(id, px, qty) => {
            let row = line.order(*id);
            if row.is_some_and(|row| row.allocations.len() == 1) {
                line.amend(*id, (*px, *qty)).unwrap();
            }
        }
    }
}
