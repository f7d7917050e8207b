//! Random tapes and orders through the whole line: money, time and numbers.

#![allow(clippy::unwrap_used)] // what the tests build is known to be there

mod fuzz;
mod hedge;
mod venues;
mod world;

use cq_line::FillRow;
use cq_types::{Contract, Px, Qty};
use proptest::prelude::*;
use proptest::test_runner::Config;
use rust_decimal::Decimal;
use world::{instrument, rows, world, DEPOSIT, END};

/// Runs of one test, unless the environment says otherwise.
pub(crate) fn cases(count: u32) -> Config {
    let config = Config::default();
    let is_set = std::env::var_os("PROPTEST_CASES").is_some();
    Config {
        cases: if is_set { config.cases } else { count },
        failure_persistence: None,
        ..config
    }
}

/// Money that fills moved, without their fees, and the position that they left.
fn moved(fills: &[FillRow]) -> (Decimal, i64) {
    let mut cash = Decimal::ZERO;
    let mut held = 0;
    for fill in fills {
        let signed = fill.side.sign() * fill.qty.0;
        cash -= Decimal::new(signed, 1) * Decimal::new(fill.px.0, 2);
        held += signed;
    }
    (cash, held)
}

proptest! {
    #![proptest_config(cases(6_000))]

    /// Deposits and what fills moved are the equity, to the last digit, at each wake-up.
    #[test]
    fn money_is_conserved(world in world()) {
        let mut wrong = Vec::new();
        world.run(false, |line, _| {
            let ledger = line.ledger();
            let fees: Decimal = line.fills().iter().map(|fill| fill.fee).sum();
            let parts: Decimal = (0..2).map(|s| ledger.sleeve_equity(s).unwrap()).sum();
            let equity = ledger.equity().unwrap();
            let (cash, held) = moved(line.fills());
            let mark = ledger.mark_of(0).unwrap_or(Px(0));
            let worth = Decimal::new(held, 1) * Decimal::new(mark.0, 2);
            let expected = Decimal::from(2 * DEPOSIT) + cash + worth - fees;
            let is_inverse = world.contract == Contract::Inverse;
            if parts != equity || ledger.position(0).qty != Qty(held) {
                wrong.push(format!("sleeves {parts}, account {equity}, {held} held"));
            }
            if !is_inverse && expected != equity {
                wrong.push(format!("expected {expected}, was {equity}"));
            }
            if is_inverse {
                // Each value is rounded when it is booked: a unit a part, two sleeves.
                let paid = line.fills().iter().map(|fill| {
                    let size = Decimal::new(fill.side.sign() * fill.qty.0, 1);
                    size / Decimal::new(fill.px.0, 2)
                });
                let mut expected = Decimal::from(2 * DEPOSIT) + paid.sum::<Decimal>() - fees;
                if held != 0 {
                    expected -= Decimal::new(held, 1) / Decimal::new(mark.0, 2);
                }
                let bound = Decimal::new(2, 8) * Decimal::from(line.fills().len() + 1);
                if (expected - equity).abs() > bound {
                    wrong.push(format!("expected {expected}, was {equity}"));
                }
            }
        });
        prop_assert_eq!(wrong, Vec::<String>::new());
    }

    /// What an order is known to be follows from its answers, and at the end nothing is open.
    #[test]
    fn each_order_ends_once(world in world()) {
        let mut open = Vec::new();
        let mut filled_over = false;
        world.run(false, |line, _| {
            filled_over |= line.orders().iter().any(|row| row.filled > row.request.qty);
            open = line.open_orders().map(|row| row.request.id).collect();
        });
        prop_assert!(!filled_over);
        prop_assert_eq!(open, Vec::<u64>::new());
    }

    /// Whatever is on the tape after `t` changes no wake-up and no answer up to `t`.
    #[test]
    fn the_future_changes_nothing((world, t) in (world(), 0..END), (levels, trades) in (rows(), rows())) {
        let other = world.with_other_future(t, &levels, &trades);
        let (mut before, mut after) = (Vec::new(), Vec::new());
        let first = world.run(false, |line, _| before.push((line.now(), line.seq(), line.ledger().equity())));
        let second = other.run(false, |line, _| after.push((line.now(), line.seq(), line.ledger().equity())));
        before.retain(|row| row.0 <= t);
        after.retain(|row| row.0 <= t);
        prop_assert_eq!(before, after);
        let upto = |mut all: Vec<_>| {
            all.retain(|(_, now): &(_, i64)| *now <= t);
            all
        };
        prop_assert_eq!(upto(first.wakes), upto(second.wakes));
        let known = |mut all: Vec<cq_types::Event<cq_types::Account>>| {
            all.retain(|answer| answer.ts_recv <= t);
            all
        };
        prop_assert_eq!(known(first.answers), known(second.answers));
    }

    /// A run of rows that somebody interrupts at every moment gives the same as one that passes
    /// at once; and so does the same run again.
    #[test]
    fn interruptions_change_nothing(world in world()) {
        let whole = world.run(false, |_, _| ());
        prop_assert_eq!(&whole, &world.run(true, |_, _| ()));
        prop_assert_eq!(&whole, &world.run(false, |_, _| ()));
    }
}

/// The grid of the world's contract is what the sums above take for granted.
#[test]
fn the_sums_use_the_grid_of_the_contract() {
    let traded = instrument(Contract::Linear);
    assert_eq!((traded.grid.price_exp, traded.grid.qty_exp), (2, 1));
    assert_eq!(traded.multiplier, Decimal::ONE);
}
