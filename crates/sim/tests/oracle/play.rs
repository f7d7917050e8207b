//! Plays a flow on a venue: messages arrive after the market data of their moment.

use cq_sim::{Amendment, Asked, Purse, Request, Trade, Venue};
use cq_types::{Account, Change, Event, InstrumentIdx, Px, Qty, Ts};
use std::sync::Arc;

use rust_decimal::Decimal;

use super::engine::Oracle;
use super::flow::{Flow, What, TICK};

/// A purse that pays each purchase up to a sum, and margins so many units of a contract.
pub(crate) struct Upto(pub(crate) Decimal, pub(crate) i64);

impl Purse for Upto {
    fn can_pay(
        &self,
        _: u64,
        _: InstrumentIdx,
        _: Qty,
        cost: Decimal,
        _: &[Event<Account>],
    ) -> bool {
        cost <= self.0
    }

    fn bars(&self, asked: &Asked, venue: &Venue, _: Ts) -> Option<&'static str> {
        let Request {
            instrument, side, ..
        } = asked.request;
        let works = venue.open_orders(instrument);
        let alike = works.filter(|own| own.side == side && !own.only_reduces);
        let all = alike.map(|own| own.left.0).sum::<i64>() + asked.left.0;
        let is_within = venue.position(instrument).0 * side.sign() + all <= self.1;
        (!is_within).then_some(cq_sim::reason::INSUFFICIENT_MARGIN)
    }
}

/// What both venues can be told.
pub(crate) trait Told {
    fn next_arrival(&self) -> Option<Ts>;
    fn arrive(&mut self, purse: &dyn Purse);
    fn send(&mut self, now: Ts, request: Request);
    fn cancel(&mut self, now: Ts, at: u16, id: u64);
    fn amend(&mut self, now: Ts, at: u16, id: u64, to: Amendment);
    /// Takes all of some rows, or the first few.
    fn changes(&mut self, at: u16, rows: &[(Ts, Change)], purse: &dyn Purse) -> usize;
    fn trade(&mut self, at: u16, trade: Trade, ts: Ts, purse: &dyn Purse);
    fn quote(&mut self, at: u16, touch: ((Px, Qty), (Px, Qty)), ts: Ts, purse: &dyn Purse);
    fn mark(&mut self, at: u16, px: Px, ts: Ts, purse: &dyn Purse);
    fn gap(&mut self, at: u16);
    fn answers(&mut self) -> Vec<Event<Account>>;
}

macro_rules! told {
    ($venue:ty, |$own:ident, $at:ident, $rows:ident, $purse:ident| $changes:expr) => {
        impl Told for $venue {
            fn next_arrival(&self) -> Option<Ts> {
                self.next_arrival()
            }
            fn arrive(&mut self, purse: &dyn Purse) {
                self.arrive(purse);
            }
            fn send(&mut self, now: Ts, request: Request) {
                self.send(now, request);
            }
            fn cancel(&mut self, now: Ts, at: u16, id: u64) {
                self.cancel(now, at, id);
            }
            fn amend(&mut self, now: Ts, at: u16, id: u64, to: Amendment) {
                self.amend(now, at, id, to);
            }
            fn changes(&mut self, $at: u16, $rows: &[(Ts, Change)], $purse: &dyn Purse) -> usize {
                let $own = self;
                $changes
            }
            fn trade(&mut self, at: u16, trade: Trade, ts: Ts, purse: &dyn Purse) {
                self.on_trade(at, trade, ts, purse);
            }
            fn quote(&mut self, at: u16, touch: ((Px, Qty), (Px, Qty)), ts: Ts, purse: &dyn Purse) {
                self.on_quote(at, touch, ts, purse);
            }
            fn mark(&mut self, at: u16, px: Px, ts: Ts, purse: &dyn Purse) {
                self.on_mark(at, px, ts, purse);
            }
            fn gap(&mut self, at: u16) {
                self.on_gap(at);
            }
            fn answers(&mut self) -> Vec<Event<Account>> {
                self.take_answers()
            }
        }
    };
}

told!(Venue, |own, at, rows, purse| own.on_changes(
    at,
    rows.iter().copied(),
    purse
));
told!(Oracle, |own, at, rows, purse| {
    for (ts, change) in rows {
        own.on_change(at, *change, *ts, purse);
    }
    rows.len()
});

pub(crate) fn venue(flow: &Flow) -> Venue {
    let steps = vec![Some(Px(TICK)); flow.instruments.len()];
    Venue::new(Arc::from(flow.instruments.clone()), &steps, &flow.config).unwrap()
}

/// Answers to each step of a flow, and after it.
pub(crate) fn play(flow: &Flow, venue: &mut dyn Told, longest: usize) -> Vec<Vec<Event<Account>>> {
    let purse = &Upto(flow.purse, flow.most);
    let mut sent = vec![0];
    let mut now = 1_000;
    let mut out = Vec::new();
    for step in &flow.steps {
        now += step.after;
        let at = step.at;
        deliver(venue, now, purse);
        match &step.what {
            What::Frame { .. } => {
                let rows = Flow::rows(now, &step.what);
                let mut done = 0;
                while done < rows.len() {
                    deliver(venue, rows[done].0, purse);
                    let until = venue.next_arrival().unwrap_or(Ts::MAX);
                    let run = rows[done..].iter().take(longest);
                    let run = run.take_while(|(ts, _)| *ts <= until).count();
                    let taken = venue.changes(at, &rows[done..done + run], purse);
                    assert!((1..=run).contains(&taken), "{taken} of {run} rows");
                    done += taken;
                }
                now = rows.last().map_or(now, |(ts, _)| *ts);
            }
            What::Trade {
                px,
                qty,
                side,
                late,
                marks,
            } => {
                let (px, qty, side) = (*px, *qty, *side);
                let trade = Trade {
                    px,
                    qty,
                    side,
                    marks: *marks,
                    matched: now - late,
                };
                venue.trade(at, trade, now, purse);
            }
            What::Quote { bid, ask } => venue.quote(at, (*bid, *ask), now, purse),
            What::Mark(px) => venue.mark(at, *px, now, purse),
            What::Gap => venue.gap(at),
            What::Send(request) => {
                sent.push(request.id);
                venue.send(now, *request);
            }
            What::Cancel(order) => venue.cancel(now, at, sent[order % sent.len()]),
            What::Amend(order, to) => venue.amend(now, at, sent[order % sent.len()], *to),
        }
        out.push(venue.answers());
    }
    deliver(venue, Ts::MAX, purse);
    out.push(venue.answers());
    out
}

fn deliver(venue: &mut dyn Told, before: Ts, purse: &dyn Purse) {
    while venue.next_arrival().is_some_and(|ts| ts < before) {
        venue.arrive(purse);
    }
}
