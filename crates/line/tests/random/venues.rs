//! Two venues on one tape are two tapes: what trades at one changes nothing at the other.

use cq_ledger::Wallet;
use cq_line::{Deposit, FillRow, Line, LiquidationRow, OrderRow, Setup, Wake};
use cq_sim::{Latencies, SimConfig, FORCED_ID};
use cq_types::{Account, Contract, Event, InstrumentIdx};
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::cases;
use super::world::{instrument, send, setup, world, Command, World};

/// Ids of the second venue's orders begin here.
const SECOND: u64 = 1_000;
/// The ids of the second venue's own orders begin so far above the first one's.
const FORCED_IDS: u64 = 1 << 32;
const NAMES: [&str; 2] = ["ONE", "TWO"];

/// Settings that tell the venues apart.
fn config(n: usize, latency: Latencies) -> SimConfig {
    SimConfig {
        latency,
        max_orders: [[200, 200], [3, 1]][n],
        ..SimConfig::default()
    }
}

/// The parts of a world's line that are of one venue.
fn parts(n: usize, contract: Contract, latency: Latencies, at: InstrumentIdx) -> Setup {
    let mut setup = setup(contract, latency.clone());
    let mut traded = instrument(contract);
    traded.id = format!("BTCUSDT.{}", NAMES[n]);
    let name = format!("main.{}", NAMES[n]);
    let wallet = Wallet {
        name: name.clone(),
        instruments: vec![at],
        ..setup.wallets.remove(0)
    };
    let of = |deposit: Deposit| Deposit {
        wallet: name.clone(),
        amount: deposit.amount + Decimal::from(n),
        ..deposit
    };
    setup.capital = setup.capital.into_iter().map(of).collect();
    setup.instruments = vec![traded];
    setup.wallets = vec![wallet];
    setup.sim = None;
    setup.venues = [(NAMES[n].to_owned(), config(n, latency))].into();
    setup
}

/// The command as that of another instrument, its ids `by` more.
fn moved(command: &Command, by: u64, at: InstrumentIdx) -> Command {
    match command.clone() {
        Command::Place(mut request) => {
            (request.id, request.instrument) = (request.id + by, at);
            Command::Place(request)
        }
        Command::Cancel(id) => Command::Cancel(id + by),
        Command::Amend(id, px, qty) => Command::Amend(id + by, px, qty),
    }
}

/// What a run said of an instrument.
#[derive(Debug, Default, PartialEq)]
struct Said {
    answers: Vec<Event<Account>>,
    orders: Vec<OrderRow>,
    fills: Vec<FillRow>,
    liquidations: Vec<LiquidationRow>,
    /// Of each sleeve, and of the account.
    money: Vec<Decimal>,
    held: i64,
}

/// Runs a line to its end with each world's commands for its instrument.
fn run(mut line: Line, worlds: &[(&World, u64)]) -> (Line, Vec<Event<Account>>) {
    let (mut answers, mut timers) = (Vec::new(), 0);
    while let Some(wake) = line.advance(usize::MAX).unwrap().unwrap() {
        answers.extend(line.take_answers());
        if wake != Wake::Timer {
            continue;
        }
        for ((world, by), at) in worlds.iter().zip(0..) {
            for command in world.commands.get(timers).into_iter().flatten() {
                send(&mut line, &moved(command, *by, at));
            }
        }
        timers += 1;
    }
    answers.extend(line.take_answers());
    (line, answers)
}

/// An id as if its venue were the only one.
fn alone(id: &mut u64, n: u64) {
    let by = if *id >= FORCED_ID { FORCED_IDS } else { SECOND };
    *id -= n * by;
}

/// What was said of the instrument `at` of the `n`-th venue, as if it were the only one.
fn said((line, answers): &(Line, Vec<Event<Account>>), at: InstrumentIdx, n: u64) -> Said {
    let mut out = Said {
        answers: answers.clone(),
        orders: line.orders().to_vec(),
        fills: line.fills().to_vec(),
        liquidations: line.liquidations().to_vec(),
        ..Said::default()
    };
    out.answers.retain(|x| x.instrument == at);
    out.orders.retain(|x| x.request.instrument == at);
    out.fills.retain(|x| x.instrument == at);
    out.liquidations.retain(|x| x.instrument == at);
    for answer in &mut out.answers {
        (answer.instrument, answer.seq) = (0, 0);
        if let Account::Ack { order }
        | Account::Fill { order, .. }
        | Account::Cancelled { order, .. }
        | Account::Reject { order, .. }
        | Account::Amended { order, .. }
        | Account::Kept { order, .. }
        | Account::Triggered { order }
        | Account::Liquidation { order, .. }
        | Account::Insurance { order, .. } = &mut answer.body
        {
            alone(order, n);
        }
    }
    for row in &mut out.orders {
        row.request.instrument = 0;
        alone(&mut row.request.id, n);
    }
    for row in &mut out.fills {
        row.instrument = 0;
        alone(&mut row.order, n);
    }
    for row in &mut out.liquidations {
        row.instrument = 0;
        alone(&mut row.order, n);
    }
    let ledger = line.ledger();
    let asset = &ledger.instruments()[usize::from(at)].settle;
    let wallet = ledger.wallet_of(at).unwrap();
    out.money = (0..2)
        .map(|sleeve| ledger.sleeve_balance(sleeve, wallet, asset).unwrap())
        .collect();
    out.money.push(ledger.balance(wallet, asset).unwrap());
    out.held = ledger.position(at).qty.0;
    out
}

proptest! {
    #![proptest_config(cases(3_000))]

    /// Orders, answers, fills and money of two venues on one tape are those of each alone, and
    /// what the account is worth is one sum.
    #[test]
    fn two_venues_are_two_lines((first, second) in (world(), world())) {
        let second = World { contract: first.contract, ..second };
        let contract = first.contract;
        let mut both = parts(0, contract, first.latencies.clone(), 0);
        let other = parts(1, contract, second.latencies.clone(), 1);
        both.instruments.extend(other.instruments);
        both.wallets.extend(other.wallets);
        both.capital.extend(other.capital);
        both.venues.extend(other.venues);
        let mut line = Line::new(both).unwrap();
        first.put(&mut line, 0);
        second.put(&mut line, 1);
        let merged = run(line, &[(&first, 0), (&second, SECOND)]);

        let mut worth = Decimal::ZERO;
        for (n, world) in [&first, &second].into_iter().enumerate() {
            // The draws of a second venue are its own.
            let latency = world.latencies.clone().of_venue(n as u64);
            let mut line = Line::new(parts(n, contract, latency, 0)).unwrap();
            world.put(&mut line, 0);
            let single = run(line, &[(world, 0)]);
            worth += single.0.ledger().equity().unwrap();
            let at = u16::try_from(n).unwrap();
            prop_assert_eq!(said(&merged, at, n as u64), said(&single, 0, 0));
        }
        prop_assert_eq!(merged.0.ledger().equity().unwrap(), worth);
    }
}
