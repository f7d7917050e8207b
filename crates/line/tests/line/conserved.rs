//! Whatever is traded, marked, settled and liquidated: every wallet holds what came in, what
//! the fills say by the contracts' definitions, and what was paid, to the last digit. And the
//! venue liquidates at the very events after which a second, plain reckoning says so.

use std::collections::BTreeMap;

use cq_ledger::MarginMode;
use cq_types::{Bracket, Event};
use proptest::prelude::*;
use proptest::strategy::ValueTree;

use super::*;

const SECOND: Ts = 1_000_000_000;
const STEPS: usize = 125;
const END: Ts = 126 * SECOND;
/// Units of 10^-8.
const UNIT: i128 = 100_000_000;

/// Cap, rate in ppm: amounts follow by the venues' recursion.
const LINEAR: [(i128, i128); 3] = [(20_000, 4_000), (200_000, 20_000), (9_000_000, 50_000)];
const COIN: [(i128, i128); 3] = [(1, 4_000), (4, 25_000), (400, 100_000)];
/// Taker fee and liquidation fee, ppm.
const TAKER: i128 = 500;
const LIQUIDATION: i128 = 12_500;

fn half_even(above: i128, below: i128) -> i128 {
    let (whole, rest) = (above.div_euclid(below), above.rem_euclid(below));
    match (2 * rest).cmp(&below) {
        std::cmp::Ordering::Less => whole,
        std::cmp::Ordering::Greater => whole + 1,
        std::cmp::Ordering::Equal => whole + whole.rem_euclid(2),
    }
}

fn units(amount: Decimal) -> i128 {
    let scaled = amount * Decimal::from(100_000_000);
    assert!(scaled.is_integer(), "{amount} has more than 8 decimals");
    scaled.normalize().mantissa()
}

fn traded(is_coin: bool) -> Instrument {
    let ppm = |rate: i128| Decimal::from_i128_with_scale(rate, 6);
    let (mut floor, mut rate, mut cum) = (Decimal::ZERO, Decimal::ZERO, Decimal::ZERO);
    let rows = if is_coin { COIN } else { LINEAR };
    let tiers = rows.iter().map(|(cap, mmr)| {
        cum += floor * (ppm(*mmr) - rate);
        (floor, rate) = (Decimal::from(*cap), ppm(*mmr));
        Bracket {
            cap: Some(floor),
            mmr: rate,
            max_leverage: 100,
            cum,
        }
    });
    let mut made = contract();
    made.brackets = Dated::new(vec![(0, tiers.collect())]);
    made.liquidation_fee = Some(always(ppm(LIQUIDATION)));
    made.fees = always(Fees {
        maker: Decimal::ZERO,
        taker: ppm(TAKER),
    });
    if is_coin {
        "BTCUSD-PERP.TEST".clone_into(&mut made.id);
        made.contract = Contract::Inverse;
        "BTC".clone_into(&mut made.settle);
        made.bracket_unit = BracketUnit::Base;
        made.multiplier = Decimal::ONE_HUNDRED;
        made.grid = Grid {
            price_exp: 1,
            qty_exp: 0,
        };
    }
    made
}

/// The second reckoning: one contract in its own wallet, in whole 10^-8 and fractions.
#[derive(Debug)]
struct Oracle {
    is_coin: bool,
    isolated: Option<i128>,
    balance: i128,
    position: i128,
    /// Sum of what was paid for what is held, positive for a long; only its sum with the value
    /// at a mark is ever used.
    cost: i128,
    mark: Option<i128>,
}

impl Oracle {
    /// Signed value of a signed quantity, 10^-8, so that P&L is value now minus value then.
    fn value(&self, qty: i128, px: i128) -> i128 {
        if self.is_coin {
            -half_even(qty * 100 * 10 * UNIT, px)
        } else {
            qty * px * (UNIT / 100_000)
        }
    }

    /// Unsigned notional as a fraction, in 10^-8.
    fn notional(&self, qty: i128, px: i128) -> (i128, i128) {
        if self.is_coin {
            (qty.abs() * 1_000 * UNIT, px)
        } else {
            (qty.abs() * px * (UNIT / 100_000), 1)
        }
    }

    fn rate(&self, qty: i128, px: i128, ppm: i128) -> i128 {
        let (above, below) = self.notional(qty, px);
        half_even(above * ppm, below * 1_000_000)
    }

    fn trade(&mut self, qty: i128, px: i128, fee: i128) {
        self.mark.get_or_insert(px);
        let value = self.value(qty, px);
        let closes = self.position * qty < 0;
        let closed = if closes {
            qty.abs().min(self.position.abs())
        } else {
            0
        };
        let part = half_even(value * closed, qty.abs());
        let part = if closed == qty.abs() { value } else { part };
        let mut released = 0;
        if closed > 0 {
            let whole = self.position.abs();
            released = if closed == whole {
                self.cost
            } else {
                half_even(self.cost * closed, whole)
            };
            if let Some(own) = &mut self.isolated {
                *own -= if closed == whole {
                    *own
                } else {
                    half_even(*own * closed, whole)
                };
            }
        }
        self.cost += value - part - released;
        self.balance += -part - released - fee;
        self.position += qty;
        let opened = qty.abs() - closed;
        let (above, below) = self.notional(opened, px);
        let free = self.balance - self.isolated.unwrap_or(0);
        if let Some(own) = &mut self.isolated {
            *own += half_even(above, below * 10).min(free.max(0)) + free.min(0);
            *own = (*own).max(0);
        }
    }

    /// Margin balance and maintenance margin, 10^-8; `None` while flat or without a mark.
    fn margin(&self) -> Option<(i128, i128)> {
        let px = self.mark.filter(|_| self.position != 0)?;
        let balance = self.isolated.unwrap_or(self.balance);
        let margin = balance + self.value(self.position, px) - self.cost;
        let (above, below) = self.notional(self.position, px);
        let rows = if self.is_coin { COIN } else { LINEAR };
        let (mut floor, mut rate, mut cum) = (0, 0, 0);
        for (cap, mmr) in rows {
            cum += floor * (mmr - rate);
            (floor, rate) = (cap, mmr);
            if above <= cap * UNIT * below {
                break;
            }
        }
        let needed = above * rate - cum * UNIT * below;
        Some((margin, half_even(needed, below * 1_000_000)))
    }

    fn is_liquidated(&self) -> bool {
        self.margin()
            .is_some_and(|(margin, needed)| margin <= needed)
    }
}

#[derive(Debug, Clone)]
struct Plan {
    is_coin: bool,
    is_isolated: bool,
    cash: i64,
    moves: Vec<i64>,
    /// Which step, which sleeve's part, which other sleeve's part.
    orders: Vec<(usize, i64, i64)>,
    rates: [i64; 2],
    depth: i64,
}

fn plan() -> impl Strategy<Value = Plan> {
    let small = -60_i64..=60;
    let large = -900_i64..=900;
    let moves = prop::collection::vec(prop_oneof![6 => small, 1 => large], STEPS);
    let part = || -40_i64..=40;
    let orders = prop::collection::vec((0..STEPS - 2, part(), part()), 1..25);
    let rates = prop::array::uniform2(-300_i64..=300);
    (
        any::<bool>(),
        any::<bool>(),
        1_i64..4_000,
        moves,
        orders,
        rates,
        1_i64..60,
    )
        .prop_map(
            |(is_coin, is_isolated, cash, moves, orders, rates, depth)| Plan {
                is_coin,
                is_isolated,
                cash,
                moves,
                orders,
                rates,
                depth,
            },
        )
}

/// Marks in grid units, one a step: moves in parts of 10^4 from 10 000.
fn path(plan: &Plan) -> Vec<i64> {
    let grid = if plan.is_coin { 10 } else { 100 };
    let steps = plan.moves.iter().scan(10_000 * grid, |px, step| {
        *px = (*px + *px * step / 10_000).clamp(100 * grid, 1_000_000 * grid);
        Some(*px / grid * grid)
    });
    steps.collect()
}

/// Runs a plan; returns the line and everything the venue said.
fn live(plan: &Plan, marks: &[i64]) -> (Line, Vec<Event<Account>>) {
    let mut setup = setup(END);
    let made = traded(plan.is_coin);
    let cash = cash(plan);
    setup.wallets[0].assets = vec![made.settle.clone()];
    setup.instruments = vec![made];
    setup.sleeves = vec!["a".to_owned(), "b".to_owned()];
    setup.grid = SECOND;
    setup.sample = SECOND;
    setup.valuation.at_par = vec!["BTC".to_owned()];
    setup.capital = (0..2)
        .map(|sleeve| Deposit {
            sleeve,
            wallet: "usdm".to_owned(),
            asset: setup.wallets[0].assets[0].clone(),
            amount: cash,
        })
        .collect();
    setup.sim = Some(SimConfig {
        margin: if plan.is_isolated {
            MarginMode::Isolated
        } else {
            MarginMode::Cross
        },
        latency: latency(LATENCY, 7 * LATENCY),
        ..SimConfig::default()
    });
    let mut line = Line::new(setup).unwrap();
    line.set_leverage(0, 10).unwrap();
    let size = if plan.is_coin { 100 } else { 1_000 };
    // Quotes come just before the marks, ten ticks apart.
    let quoted: Vec<Ts> = (0..).map(|n| n * SECOND).take(STEPS).collect();
    let moved: Vec<Ts> = quoted.iter().map(|ts| ts + SECOND / 2).collect();
    let at = |side: i64| marks.iter().map(|px| px + side * 50).collect::<Vec<_>>();
    let depth = vec![plan.depth * size; STEPS];
    let quotes = Columns::Quotes([at(-1), depth.clone(), at(1), depth]);
    line.add(Stream::new(0, stamps(&quoted, 0), quotes).unwrap())
        .unwrap();
    let rows = Columns::Marks(marks.to_vec());
    line.add(Stream::new(0, stamps(&moved, 0), rows).unwrap())
        .unwrap();
    let funded = [60 * SECOND, 120 * SECOND];
    let rate = Columns::Funding {
        rate: plan.rates.to_vec(),
        exp: 5,
    };
    line.add(Stream::new(0, stamps(&funded, 0), rate).unwrap())
        .unwrap();
    let (mut answers, mut id, mut step) = (Vec::new(), 0, 0);
    while let Some((why, _)) = wake(&mut line) {
        answers.append(&mut line.take_answers());
        if why != Wake::Timer {
            continue;
        }
        for (_, a, b) in plan.orders.iter().filter(|(at, ..)| *at == step) {
            if a + b != 0 {
                id += 1;
                let lot = size / 10;
                let request = market(id, (a + b) * lot);
                line.place(request, vec![(0, Qty(a * lot)), (1, Qty(b * lot))])
                    .unwrap();
            }
        }
        step += 1;
    }
    answers.append(&mut line.take_answers());
    (line, answers)
}

fn cash(plan: &Plan) -> Decimal {
    Decimal::new(
        plan.cash * 10_000_000_019,
        if plan.is_coin { 11 } else { 8 },
    )
    .round_dp(8)
}

/// The oracle and what it has been told.
struct Reckoning<'a> {
    plan: &'a Plan,
    oracle: Oracle,
    /// What the wallet must hold: deposits, fills by the contract's definition, and payments.
    paid: i128,
    /// Orders of the liquidation of this moment, and whether each is a takeover.
    forced: BTreeMap<u64, bool>,
    count: usize,
}

impl Reckoning<'_> {
    /// One moment at the venue: a mark, then what was said of it.
    fn live(&mut self, ts: Ts, mark: Option<i64>, said: Vec<Account>) -> Result<(), TestCaseError> {
        if let Some(px) = mark {
            self.oracle.mark = Some(px.into());
        }
        self.forced.clear();
        // What is no liquidation comes first.
        let mut is_due = self.oracle.is_liquidated();
        for answer in said {
            if matches!(answer, Account::Liquidation { .. }) && self.forced.is_empty() {
                prop_assert!(is_due, "at {ts} with {:?}", self.oracle.margin());
                self.count += 1;
            }
            self.hear(ts, &answer)?;
            if self.forced.is_empty() {
                is_due = self.oracle.is_liquidated();
            }
        }
        if self.forced.is_empty() {
            prop_assert!(
                !is_due,
                "not liquidated at {ts} with {:?}",
                self.oracle.margin()
            );
        } else {
            prop_assert!(!self.oracle.is_liquidated(), "still short at {ts}");
        }
        Ok(())
    }

    fn hear(&mut self, ts: Ts, answer: &Account) -> Result<(), TestCaseError> {
        let oracle = &mut self.oracle;
        match *answer {
            Account::Liquidation {
                order, is_takeover, ..
            } => {
                self.forced.insert(order, is_takeover);
            }
            Account::Fill {
                order,
                px,
                qty,
                side,
                fee,
                ..
            } => {
                let qty = i128::from(qty.0) * i128::from(side.sign());
                let px = i128::from(px.0);
                let rate = match self.forced.get(&order) {
                    Some(true) => 0,
                    Some(false) => LIQUIDATION,
                    None => TAKER,
                };
                prop_assert_eq!(units(fee), oracle.rate(qty, px, rate));
                self.paid += -oracle.value(qty, px) - units(fee);
                oracle.trade(qty, px, units(fee));
            }
            Account::FundingPaid { amount, .. } => {
                let rate = self.plan.rates[usize::from(ts > 90 * SECOND)];
                let (above, below) = oracle.notional(oracle.position, oracle.mark.unwrap());
                let owed = above * i128::from(rate) * oracle.position.signum();
                // The sleeves' parts are rounded one by one.
                let due = half_even(-owed, below * 100_000);
                prop_assert!((units(amount) - due).abs() <= 1);
                oracle.balance += units(amount);
                if let Some(own) = &mut oracle.isolated {
                    *own += units(amount);
                }
                self.paid += units(amount);
            }
            Account::Insurance { amount, .. } => {
                self.paid += units(amount);
                oracle.balance += units(amount);
                prop_assert_eq!(oracle.position, 0, "nothing is left to settle");
                if oracle.isolated.is_none() {
                    prop_assert_eq!(oracle.balance, 0, "the wallet ends at zero");
                }
            }
            _ => {}
        }
        Ok(())
    }
}

/// Lives a plan and reckons it again; returns how many liquidations there were.
fn check(plan: &Plan) -> Result<usize, TestCaseError> {
    let marks = path(plan);
    let (line, mut answers) = live(plan, &marks);
    let deposited = 2 * units(cash(plan));
    let mut reckoning = Reckoning {
        plan,
        oracle: Oracle {
            is_coin: plan.is_coin,
            isolated: plan.is_isolated.then_some(0),
            balance: deposited,
            position: 0,
            cost: 0,
            mark: None,
        },
        paid: deposited,
        forced: BTreeMap::new(),
        count: 0,
    };
    // By venue time; the sort is stable, and what is said of one moment is said in its order.
    answers.sort_by_key(|answer| answer.ts_event);
    let mut moments: BTreeMap<Ts, (Option<i64>, Vec<Account>)> = BTreeMap::new();
    for (n, px) in (0_i64..).zip(&marks) {
        moments.entry(n * SECOND + SECOND / 2).or_default().0 = Some(*px);
    }
    for answer in answers {
        let at = moments.entry(answer.ts_event).or_default();
        at.1.push(answer.body);
    }
    for (ts, (mark, said)) in moments {
        reckoning.live(ts, mark, said)?;
    }
    let Reckoning {
        oracle,
        paid,
        count,
        ..
    } = reckoning;
    prop_assert_eq!(oracle.position, 0, "the data ends flat");
    let ledger = line.ledger();
    let asset = &ledger.instruments()[0].settle;
    prop_assert_eq!(units(ledger.balance(0, asset).unwrap()), paid);
    prop_assert_eq!(oracle.balance, paid);
    prop_assert!(paid >= 0, "the fund pays what is lacking, was {paid}");
    let sleeves = (0..2).map(|s| {
        let equity = ledger.sleeve_equity(s).unwrap();
        let parts = ledger.attribution(s).unwrap().total().unwrap();
        assert_eq!(equity, ledger.deposits(s).unwrap() + parts);
        equity
    });
    prop_assert_eq!(sleeves.sum::<Decimal>(), ledger.equity().unwrap());
    Ok(count)
}

#[test]
fn the_plans_do_liquidate() {
    let mut runner = proptest::test_runner::TestRunner::deterministic();
    let counts = (0..100).map(|_| {
        let tree = plan().new_tree(&mut runner).unwrap();
        check(&tree.current()).unwrap()
    });
    let counts: Vec<usize> = counts.collect();
    let with_some = counts.iter().filter(|count| **count > 0).count();
    assert!((10..95).contains(&with_some), "{with_some} of 100");
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(250))]

    #[test]
    fn money_is_conserved_and_liquidations_are_due(plan in plan()) {
        check(&plan)?;
    }
}
