//! Hedge mode in which one side is used is one-way mode.

use cq_line::{Line, Wake};
use cq_sim::PositionSide;
use cq_types::{Account, Contract, Event, Qty};
use proptest::prelude::*;
use rust_decimal::Decimal;

use super::cases;
use super::world::{send, setup, world, Command, World};

/// The line of a world's contract; in hedge mode its short leg is instrument 1.
fn line(world: &World, is_hedged: bool) -> Line {
    let mut setup = setup(world.contract, world.latencies.clone());
    if is_hedged {
        let mut short = setup.instruments[0].clone();
        "BTCUSDT-SHORT.TEST".clone_into(&mut short.id);
        setup.instruments.push(short);
        setup.wallets[0].instruments.push(1);
        setup.hedged = vec![[0, 1]];
    }
    let mut line = Line::new(setup).unwrap();
    world.put(&mut line, 0);
    line
}

/// A command that opens or closes on one side only. A close is of one lot, and stays so when it
/// is amended: one-way mode cuts a larger one to the position, hedge mode refuses it.
fn one_sided(world: &World, command: &Command, leg: PositionSide, is_hedged: bool) -> Command {
    let mut request = match command.clone() {
        Command::Place(request) => request,
        Command::Amend(id, px, _) if is_close(world, id, leg) => {
            return Command::Amend(id, px, Qty(1));
        }
        other => return other,
    };
    let closes = request.side == leg.closing();
    if closes {
        request.qty = Qty(1);
    }
    request.reduce_only = closes && !is_hedged;
    request.position_side = is_hedged.then_some(leg);
    Command::Place(request)
}

fn is_close(world: &World, order: u64, leg: PositionSide) -> bool {
    let mut all = world.commands.iter().flatten();
    all.any(|command| {
        matches!(command, Command::Place(own) if own.id == order && own.side == leg.closing())
    })
}

#[derive(Debug, PartialEq)]
struct Said {
    answers: Vec<Event<Account>>,
    filled: Vec<(u64, Qty, &'static str)>,
    sleeves: Vec<Decimal>,
    equity: Vec<Decimal>,
    wakes: Vec<(Wake, i64)>,
}

fn run(world: &World, leg: PositionSide, is_hedged: bool) -> Said {
    let mut line = line(world, is_hedged);
    let (mut answers, mut equity, mut wakes) = (Vec::new(), Vec::new(), Vec::new());
    let mut timers = 0;
    while let Some(wake) = line.advance(usize::MAX).unwrap().unwrap() {
        answers.extend(line.take_answers());
        equity.push(line.ledger().equity().unwrap());
        wakes.push((wake, line.now()));
        if wake == Wake::Timer {
            for command in world.commands.get(timers).into_iter().flatten() {
                send(&mut line, &one_sided(world, command, leg, is_hedged));
            }
            timers += 1;
        }
    }
    answers.extend(line.take_answers());
    for answer in &mut answers {
        answer.instrument = 0;
    }
    let orders = line.orders().iter();
    Said {
        answers,
        filled: orders
            .map(|row| (row.request.id, row.filled, row.reason))
            .collect(),
        sleeves: (0..2)
            .map(|sleeve| line.ledger().sleeve_equity(sleeve).unwrap())
            .collect(),
        equity,
        wakes,
    }
}

proptest! {
    #![proptest_config(cases(3_000))]

    /// Answers, fills, money and wake-ups are the same, on either side.
    #[test]
    fn one_side_in_hedge_mode_is_one_way_mode(world in world(), is_long in any::<bool>()) {
        prop_assume!(world.contract != Contract::Spot);
        let leg = if is_long { PositionSide::Long } else { PositionSide::Short };
        prop_assert_eq!(run(&world, leg, true), run(&world, leg, false));
    }
}
