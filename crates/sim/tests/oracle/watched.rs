//! A venue under the eyes of someone who knows the tape and what was sent, and nothing of how
//! orders are matched: what may never happen, whatever the rules.

use std::collections::{HashMap, HashSet, VecDeque};

use cq_sim::{reason, Amendment, Purse, Request, Trade, Venue};
use cq_types::{Account, Change, Event, Px, Qty, Side, Ts};

use super::flow::Flow;
use super::market::Market;
use super::play::{venue, Told};

/// An order from its first answer to its last.
#[derive(Debug, Clone, Copy)]
struct Life {
    request: Request,
    filled: i64,
}

/// What made the venue answer.
#[derive(Debug, Clone, Copy)]
enum Cause {
    Message,
    Trade(Trade),
    Book,
    Mark,
}

pub(crate) struct Watched {
    venue: Venue,
    markets: Vec<Market>,
    walks: bool,
    partial: bool,
    sent: HashMap<(u16, u64), VecDeque<Request>>,
    lives: HashMap<(u16, u64), Life>,
    positions: Vec<i64>,
    heard: Ts,
    answers: Vec<Event<Account>>,
    /// Kinds of answers and reasons that were seen.
    pub(crate) seen: HashSet<&'static str>,
}

impl Watched {
    pub(crate) fn new(flow: &Flow) -> Self {
        Self {
            venue: venue(flow),
            markets: flow.instruments.iter().map(|_| Market::new()).collect(),
            walks: flow.config.matching.walks_book,
            partial: flow.config.matching.partial_fills,
            sent: HashMap::new(),
            lives: HashMap::new(),
            positions: vec![0; flow.instruments.len()],
            heard: Ts::MIN,
            answers: Vec::new(),
            seen: HashSet::new(),
        }
    }

    fn check(&mut self, cause: Cause) {
        let answers = self.venue.take_answers();
        let mut made = 0;
        for answer in &answers {
            assert!(
                answer.ts_recv >= answer.ts_event.max(self.heard),
                "{answer:?} overtakes"
            );
            self.heard = answer.ts_recv;
            let request = self.follow(answer);
            if let Account::Fill {
                px,
                qty,
                side,
                is_taker,
                reference,
                ..
            } = answer.body
            {
                let theirs = side.opposite();
                let index = usize::from(answer.instrument);
                self.positions[index] += side.sign() * qty.0;
                let market = &mut self.markets[index];
                if is_taker && market.best(theirs).is_none() {
                    // A stop is set off by a price, which may be there when its trigger comes.
                    let is_set_off = request.is_some_and(|request| request.is_conditional());
                    let is_message = matches!(cause, Cause::Message);
                    assert!(!matches!(cause, Cause::Book), "{answer:?}");
                    assert!(is_set_off || !is_message, "{answer:?}");
                    let is_worse = px.0 * side.sign() >= reference.0 * side.sign();
                    assert!(is_worse, "{answer:?} is better than what set it off");
                } else if is_taker {
                    take(market, self.walks, theirs, (px.0, qty.0));
                } else {
                    made += qty.0;
                    let is_whole = !self.partial;
                    let offered = is_whole || made_from(market, cause, (px.0, qty.0), made, side);
                    assert!(offered, "{cause:?} had nothing for {answer:?}");
                }
            }
        }
        for (at, position) in (0..).zip(&self.positions) {
            assert_eq!(self.venue.position(at), Qty(*position));
        }
        self.answers.extend(answers);
    }

    /// One life after another: accepted, traded, ended; nothing after the end. Returns the order
    /// that has traded or goes on.
    fn follow(&mut self, answer: &Event<Account>) -> Option<Request> {
        let id = answer.body.order().unwrap();
        let key = (answer.instrument, id);
        self.seen.insert(kind(&answer.body));
        if let Account::Cancelled { reason, .. } = answer.body {
            let is_known = reason.is_empty() || cq_sim::reject_code(reason).is_some();
            assert!(is_known, "{answer:?} has no reason of the venue's");
        }
        if let Account::Reject { reason, .. } = answer.body {
            let is_second = self.lives.contains_key(&key);
            let is_told = reason == reason::DUPLICATE_ID;
            let is_unread = reason == reason::TOO_MANY_ORDERS;
            assert!(is_unread || is_second == is_told, "{answer:?}");
            self.next_sent(key);
            return None;
        }
        let is_absent = [reason::UNKNOWN_ORDER, reason::NO_SUCH_ORDER];
        if matches!(answer.body, Account::Kept { reason, .. } if is_absent.contains(&reason)) {
            assert!(!self.lives.contains_key(&key), "{answer:?} works");
            return None;
        }
        let mut life = match self.lives.get(&key) {
            Some(life) => *life,
            None => Life {
                request: self.next_sent(key),
                filled: 0,
            },
        };
        let is_new = !self.lives.contains_key(&key);
        let is_end = matches!(answer.body, Account::Cancelled { .. });
        match answer.body {
            Account::Ack { .. } => assert!(is_new, "{answer:?} comes again"),
            Account::Fill { qty, side, px, .. } => {
                life.filled += qty.0;
                assert!(
                    qty.0 > 0 && life.filled <= life.request.qty.0,
                    "{answer:?} overfills"
                );
                assert_eq!(side, life.request.side);
                if let Some(limit) = life.request.price {
                    assert!(
                        px.0 * side.sign() <= limit.0 * side.sign(),
                        "{answer:?} is worse"
                    );
                }
            }
            Account::Amended { px, qty, stop, .. } => {
                assert!(!is_new && qty.0 > life.filled);
                (life.request.price, life.request.qty) = (px, qty);
                assert!(stop.is_some() == life.request.stop.is_some(), "{answer:?}");
                life.request.stop = stop;
            }
            Account::Triggered { .. } => {
                let waits = life.request.is_conditional() && life.request.price.is_some();
                assert!(!is_new && waits && life.filled == 0, "{answer:?}");
            }
            Account::Kept { .. } => assert!(!is_new),
            Account::Cancelled { .. } => {}
            ref other => panic!("{other:?}"),
        }
        if is_end || (life.filled == life.request.qty.0) {
            self.lives.remove(&key);
        } else {
            self.lives.insert(key, life);
        }
        Some(life.request)
    }

    fn next_sent(&mut self, key: (u16, u64)) -> Request {
        let waiting = self.sent.get_mut(&key).and_then(VecDeque::pop_front);
        waiting.unwrap_or_else(|| panic!("an answer to {key:?}, which is not on its way"))
    }
}

fn kind(body: &Account) -> &'static str {
    match body {
        Account::Ack { .. } => "ack",
        Account::Fill { is_taker: true, .. } => "taker fill",
        Account::Fill { .. } => "maker fill",
        Account::Amended { .. } => "amended",
        Account::Triggered { .. } => "triggered",
        Account::Cancelled { .. } => "cancelled",
        Account::Reject { reason, .. } | Account::Kept { reason, .. } => reason,
        _ => "other",
    }
}

/// A taker trades at a level that is there, no more than it has left.
fn take(market: &mut Market, walks: bool, theirs: Side, (px, qty): (i64, i64)) {
    if !walks {
        assert_eq!(market.best(theirs).map(|best| best.0), Some(px));
        return;
    }
    let level = market
        .offered(theirs, None)
        .into_iter()
        .find(|level| level.0 == px);
    let there = level.map_or(0, |level| level.1);
    assert!(there >= qty, "{qty} taken at {px}, where {there} were left");
    market.consume(theirs, px, qty);
}

/// A maker trades with a trade at its price or through it, or with what has come to its price.
fn made_from(
    market: &mut Market,
    cause: Cause,
    (px, qty): (i64, i64),
    made: i64,
    side: Side,
) -> bool {
    match cause {
        Cause::Trade(trade) => {
            let is_met = px * side.sign() >= trade.px.0 * side.sign();
            is_met && trade.side != side && made <= trade.qty.0
        }
        Cause::Book => {
            let theirs = side.opposite();
            let mut left = qty;
            for (level, there) in market.offered(theirs, Some(px)) {
                let part = there.min(left);
                market.consume(theirs, level, part);
                left -= part;
            }
            left == 0
        }
        Cause::Message | Cause::Mark => false,
    }
}

impl Told for Watched {
    fn next_arrival(&self) -> Option<Ts> {
        self.venue.next_arrival()
    }

    fn arrive(&mut self, purse: &dyn Purse) {
        self.venue.arrive(purse);
        self.check(Cause::Message);
    }

    fn send(&mut self, now: Ts, request: Request) {
        let key = (request.instrument, request.id);
        self.sent.entry(key).or_default().push_back(request);
        self.venue.send(now, request);
    }

    fn cancel(&mut self, now: Ts, at: u16, id: u64) {
        self.venue.cancel(now, at, id);
    }

    fn amend(&mut self, now: Ts, at: u16, id: u64, to: Amendment) {
        self.venue.amend(now, at, id, to);
    }

    fn changes(&mut self, at: u16, rows: &[(Ts, Change)], purse: &dyn Purse) -> usize {
        let taken = self.venue.on_changes(at, rows.iter().copied(), purse);
        for (_, change) in &rows[..taken] {
            self.markets[usize::from(at)].change(*change);
        }
        self.check(Cause::Book);
        taken
    }

    fn trade(&mut self, at: u16, trade: Trade, ts: Ts, purse: &dyn Purse) {
        self.venue.on_trade(at, trade, ts, purse);
        self.check(Cause::Trade(trade));
    }

    fn quote(&mut self, at: u16, touch: ((Px, Qty), (Px, Qty)), ts: Ts, purse: &dyn Purse) {
        self.venue.on_quote(at, touch, ts, purse);
        self.markets[usize::from(at)].quote(touch);
        self.check(Cause::Book);
    }

    fn mark(&mut self, at: u16, px: Px, ts: Ts, purse: &dyn Purse) {
        self.venue.on_mark(at, px, ts, purse);
        self.check(Cause::Mark);
    }

    fn gap(&mut self, at: u16) {
        self.venue.on_gap(at);
        self.markets[usize::from(at)].gap();
        self.check(Cause::Mark);
    }

    fn answers(&mut self) -> Vec<Event<Account>> {
        std::mem::take(&mut self.answers)
    }
}
