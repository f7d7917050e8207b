//! Decisions at any time round the bounds of bars: a position is closed by its stop or by the
//! close that is sent in its stead, never by both.

use std::collections::BTreeMap;

use proptest::prelude::*;

use super::*;

const MS: Ts = 1_000_000;
const BAR: Ts = 100 * MS;
const BARS: usize = 12;
/// Timers of the decision grid in a bar.
const TIMERS: usize = 10;
const LOT: i64 = 1_000;

/// What the trader does at a wake-up, where it fits what it knows.
#[derive(Debug, Clone, Copy)]
enum Act {
    Wait,
    Enter {
        is_buy: bool,
    },
    /// Rests a stop this far from the last price, in the stead of a stop or a close.
    Protect {
        distance: i64,
    },
    /// Closes, in the stead of a stop or a close; beside the last price, if by a limit.
    Close {
        reduce_only: bool,
        limit: Option<i64>,
    },
}

/// How the trader keeps from closing what is no longer there. Without either, a plain close
/// and a stop can both trade on any venue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Manner {
    /// It hears at once, and acts only when nothing of its own is on the way.
    Waits,
    /// It acts at any time, hears late, and withdraws a close once it hears of another.
    Reacts,
}

#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    Entry,
    Stop,
    Close,
}

#[derive(Debug, Clone, Copy)]
struct Live {
    role: Role,
    left: i64,
    is_there: bool,
    is_withdrawn: bool,
}

/// A trader that knows only the answers that have reached it.
#[derive(Debug)]
struct Trader {
    manner: Manner,
    live: BTreeMap<u64, Live>,
    roles: BTreeMap<u64, Role>,
}

impl Trader {
    fn new(manner: Manner) -> Self {
        Self {
            manner,
            live: BTreeMap::new(),
            roles: BTreeMap::new(),
        }
    }

    fn send(&mut self, line: &mut Line, role: Role, make: impl FnOnce(u64) -> Request) {
        let id = 1 + u64::try_from(self.roles.len()).unwrap();
        let request = make(id);
        let sent = Live {
            role,
            left: request.qty.0,
            is_there: false,
            is_withdrawn: false,
        };
        self.roles.insert(id, role);
        self.live.insert(id, sent);
        place(line, request);
    }

    fn withdraw(&mut self, line: &mut Line, is_it: impl Fn(Role) -> bool) {
        for (id, order) in &mut self.live {
            if is_it(order.role) && !order.is_withdrawn {
                order.is_withdrawn = true;
                line.cancel(*id).unwrap();
            }
        }
    }

    fn hear(&mut self, line: &mut Line) {
        for answer in line.take_answers() {
            match answer.body {
                Account::Ack { order } => self.told(order, 0),
                Account::Fill { order, qty, .. } => self.told(order, qty.0),
                Account::Cancelled { order, .. } | Account::Reject { order, .. } => {
                    self.live.remove(&order);
                }
                _ => {}
            }
        }
        self.live.retain(|_, order| order.left > 0);
        let going = |order: &&Live| order.role == Role::Close && !order.is_withdrawn;
        let closing: i64 = self.live.values().filter(going).map(|o| o.left).sum();
        if self.manner == Manner::Reacts && closing > held(line).abs() {
            self.withdraw(line, |role| role == Role::Close);
        }
    }

    fn told(&mut self, order: u64, filled: i64) {
        if let Some(live) = self.live.get_mut(&order) {
            live.is_there = true;
            live.left -= filled;
        }
    }

    fn act(&mut self, line: &mut Line, act: Act) {
        let is_quiet = self.live.values().all(|o| o.is_there && !o.is_withdrawn);
        if self.manner == Manner::Waits && !is_quiet {
            return;
        }
        let held = held(line);
        let Some(last) = line.last_price(0).map(|px| px.0) else {
            return;
        };
        match act {
            Act::Enter { is_buy } if held == 0 && self.live.is_empty() => {
                let signed = if is_buy { LOT } else { -LOT };
                self.send(line, Role::Entry, |id| market(id, signed));
            }
            Act::Protect { distance } if held != 0 => {
                self.withdraw(line, |role| role != Role::Entry);
                let px = last - held.signum() * distance;
                self.send(line, Role::Stop, |id| stop(id, -held, px));
            }
            Act::Close { reduce_only, limit } if held != 0 => {
                self.withdraw(line, |_| true);
                self.send(line, Role::Close, |id| Request {
                    kind: limit.map_or(OrderType::Market, |_| OrderType::Limit),
                    price: limit.map(|beside| Px(last + beside)),
                    reduce_only,
                    ..market(id, -held)
                });
            }
            _ => {}
        }
    }
}

fn held(line: &Line) -> i64 {
    line.ledger().position(0).qty.0
}

fn act() -> impl Strategy<Value = Act> {
    let limit = prop::option::of((-3_i64..=3).prop_map(|ticks| ticks * 10));
    prop_oneof![
        4 => Just(Act::Wait),
        1 => any::<bool>().prop_map(|is_buy| Act::Enter { is_buy }),
        2 => (0_i64..=4).prop_map(|ticks| Act::Protect { distance: ticks * 10 }),
        2 => (any::<bool>(), limit)
            .prop_map(|(reduce_only, limit)| Act::Close { reduce_only, limit }),
    ]
}

/// Open, high, low, close and volume: less than a close needs, nothing, or plenty. One bar in
/// eight is missing.
fn row() -> impl Strategy<Value = Option<[i64; 5]>> {
    let ticks = || 997_i64..=1_003;
    let volume = prop_oneof![Just(0), 1..LOT, Just(1_000_000)];
    let bar = (ticks(), ticks(), 0_i64..=3, 0_i64..=3, volume);
    prop::option::weighted(0.875, bar).prop_map(|bar| {
        let (open, close, up, down, volume) = bar?;
        let (high, low) = (open.max(close) + up, open.min(close) - down);
        Some([open * 10, high * 10, low * 10, close * 10, volume])
    })
}

/// `entry` and `response` in twentieths of a bar.
fn line(rows: Vec<Option<[i64; 5]>>, first: Ts, entry: i64, response: i64) -> Line {
    let mut setup = setup(first + BAR * Ts::try_from(BARS).unwrap());
    setup.grid = BAR / Ts::try_from(TIMERS).unwrap();
    if let Some(sim) = &mut setup.sim {
        sim.latency = latency(entry * BAR / 20, response * BAR / 20);
    }
    let mut line = Line::new(setup).unwrap();
    let bars = (0..).zip(rows);
    let bars = bars.filter_map(|(n, row)| Some((first + n * BAR, row?)));
    add_bars(&mut line, BAR, &bars.collect::<Vec<_>>());
    line
}

proptest! {
    #![proptest_config(ProptestConfig {
        cases: 400,
        failure_persistence: None,
        ..ProptestConfig::default()
    })]

    #[test]
    fn neither_a_stop_nor_the_close_in_its_stead_turns_a_position(
        rows in prop::collection::vec(row(), BARS),
        acts in prop::collection::vec(act(), 2 * BARS * TIMERS),
        // Timers fall on the open, on the last nanosecond of a bar, or between.
        first in prop::sample::select(vec![0, 1, 3 * MS]),
        manner in prop::sample::select(vec![Manner::Waits, Manner::Reacts]),
        entry in 0_i64..=10,
        response in 0_i64..=10,
    ) {
        let response = if manner == Manner::Waits { 0 } else { response };
        let mut line = line(rows, first, entry, response);
        let mut trader = Trader::new(manner);
        let mut acts = acts.into_iter();
        while let Some((woke, _)) = wake(&mut line) {
            if woke == Wake::DataEnd {
                break;
            }
            trader.hear(&mut line);
            trader.act(&mut line, acts.next().unwrap_or(Act::Wait));
        }
        let mut position = 0;
        for fill in line.fills().iter().filter(|fill| fill.tag.is_empty()) {
            let after = position + fill.side.sign() * fill.qty.0;
            if trader.roles[&fill.order] != Role::Entry {
                prop_assert!(
                    after * position >= 0 && after.abs() < position.abs(),
                    "order {} took {} to {} at {}", fill.order, position, after, fill.ts_event
                );
            }
            position = after;
        }
    }
}
