//! A venue that looks at everything again at each event, written from the page on matching.

use cq_sim::{reason, Amendment, Latencies, Purse, Request, SimConfig};
use cq_types::{Account, Event, Instrument, Ts};

use super::market::Market;
use super::order::Own;

#[derive(Debug, Clone, Copy)]
enum Message {
    New(Request),
    Cancel(u64),
    Amend(u64, Amendment),
}

pub(crate) struct Oracle {
    pub(super) instruments: Vec<Instrument>,
    pub(super) config: SimConfig,
    /// Most units of a contract that there is margin for.
    pub(super) most: i64,
    latency: (Ts, Ts),
    pub(crate) markets: Vec<Market>,
    /// Our orders at the venue, in the order in which they came.
    pub(super) orders: Vec<Own>,
    pub(super) ages: u64,
    pub(super) positions: Vec<i64>,
    wire: Vec<(Ts, u16, Message)>,
    /// When orders and amendments came that counted against the rate.
    pub(super) counted: Vec<Ts>,
    pub(super) answers: Vec<Event<Account>>,
    heard: Ts,
}

/// What becomes of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Works,
    Ends,
}

impl Oracle {
    pub(crate) fn new(instruments: &[Instrument], config: &SimConfig, most: i64) -> Self {
        let Latencies::Constant { entry, response } = config.latency else {
            panic!("the oracle knows constant latencies only");
        };
        Self {
            instruments: instruments.to_vec(),
            config: config.clone(),
            most,
            latency: (entry, response),
            markets: instruments.iter().map(|_| Market::new()).collect(),
            orders: Vec::new(),
            ages: 0,
            positions: vec![0; instruments.len()],
            wire: Vec::new(),
            counted: Vec::new(),
            answers: Vec::new(),
            heard: Ts::MIN,
        }
    }

    pub(crate) fn take_answers(&mut self) -> Vec<Event<Account>> {
        std::mem::take(&mut self.answers)
    }

    pub(crate) fn send(&mut self, now: Ts, request: Request) {
        self.post(now, request.instrument, Message::New(request));
    }

    pub(crate) fn cancel(&mut self, now: Ts, instrument: u16, id: u64) {
        self.post(now, instrument, Message::Cancel(id));
    }

    pub(crate) fn amend(&mut self, now: Ts, instrument: u16, id: u64, to: Amendment) {
        self.post(now, instrument, Message::Amend(id, to));
    }

    fn post(&mut self, now: Ts, instrument: u16, message: Message) {
        let before = self.wire.last().map_or(Ts::MIN, |sent| sent.0);
        let arrives = before.max(now + self.latency.0);
        self.wire.push((arrives, instrument, message));
    }

    pub(crate) fn next_arrival(&self) -> Option<Ts> {
        self.wire.first().map(|sent| sent.0)
    }

    pub(crate) fn arrive(&mut self, purse: &dyn Purse) {
        let (ts, instrument, message) = self.wire.remove(0);
        match message {
            Message::New(request) => self.accept(request, ts, purse),
            Message::Cancel(id) => {
                if let Some(order) = self.leave(instrument, id) {
                    self.end(&order, ts);
                } else {
                    let reason = reason::UNKNOWN_ORDER;
                    self.say(instrument, ts, Account::Kept { order: id, reason });
                }
            }
            Message::Amend(id, to) => self.change(instrument, id, to, ts, purse),
        }
    }

    pub(super) fn leave(&mut self, instrument: u16, id: u64) -> Option<Own> {
        let is_it = |o: &Own| o.request.instrument == instrument && o.request.id == id;
        let at = self.orders.iter().position(is_it)?;
        Some(self.orders.remove(at))
    }

    /// Of its price, or of those that wait, it is the youngest now.
    pub(super) fn stay(&mut self, mut order: Own) {
        self.ages += 1;
        order.age = self.ages;
        self.orders.push(order);
    }

    pub(super) fn say(&mut self, instrument: u16, ts: Ts, body: Account) {
        self.heard = self.heard.max(ts + self.latency.1);
        let (ts_event, ts_recv) = (ts, self.heard);
        self.answers.push(Event {
            ts_event,
            ts_recv,
            seq: 0,
            flags: 0,
            instrument,
            body,
        });
    }

    pub(super) fn end(&mut self, order: &Own, ts: Ts) -> Fate {
        self.expire(order, "", ts)
    }

    pub(super) fn expire(&mut self, order: &Own, reason: &'static str, ts: Ts) -> Fate {
        let body = Account::Cancelled {
            order: order.request.id,
            reason,
        };
        self.say(order.request.instrument, ts, body);
        Fate::Ends
    }

    /// A new order is rejected, one that works or has traded is cancelled, with the reason.
    pub(super) fn refuse(&mut self, order: &Own, reason: &'static str, ts: Ts) -> Fate {
        if order.is_acked || order.filled > 0 {
            return self.expire(order, reason, ts);
        }
        let body = Account::Reject {
            order: order.request.id,
            reason,
        };
        self.say(order.request.instrument, ts, body);
        Fate::Ends
    }
}

/// Why nothing of an order may trade.
pub(crate) fn barred(order: &Own) -> &'static str {
    if order.only_reduces() {
        reason::REDUCE_ONLY
    } else {
        reason::INSUFFICIENT_BALANCE
    }
}
