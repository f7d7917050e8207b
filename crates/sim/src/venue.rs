mod forced;

use std::sync::Arc;

use cq_types::{flags, Account, Change, Event, Instrument, InstrumentIdx, Px, Qty, Side, Ts};

use crate::bars::{Bar, BarMarket};
use crate::execution::{Deal, Desk, Fate, Purse};
use crate::models::{ConstantLatency, Costs, SimConfig, SimError, SquareRoot};
use crate::order::{OrderType, Request, Working};
use crate::positions::Positions;
use crate::rules::{self, reason};
use crate::ticks::TickMarket;
use crate::transit::{Message, Sent, Transit};

pub use forced::ForcedOrder;

/// First id of the orders that the venue makes itself (a forced close, a liquidation).
pub const FORCED_ID: u64 = 1 << 62;

/// One simulated account on one venue timeline.
///
/// The caller feeds market events in venue time, and calls [`Self::arrive`] whenever
/// [`Self::next_arrival`] is due; [`Self::take_answers`] yields what the venue said.
pub struct Venue {
    desk: Desk,
    bars: Vec<BarMarket>,
    ticks: Vec<Option<TickMarket>>,
    working: Vec<Working>,
    transit: Transit,
    forced: u64,
    /// Instruments whose wallet has nothing left: only what reduces is accepted.
    barred: Vec<bool>,
}

impl Venue {
    /// A venue without orders or positions. `steps` has the price step of each instrument that
    /// trades on its recorded book; the others trade on bars.
    ///
    /// # Errors
    /// When a setting is out of range, or the entry latency longer than bars can show.
    pub fn new(
        instruments: Arc<[Instrument]>,
        steps: &[Option<Px>],
        config: &SimConfig,
    ) -> Result<Self, SimError> {
        let costs = Costs::new(config, steps.contains(&None))?;
        let count = instruments.len();
        let ticks = |i: usize| steps.get(i).copied().flatten().map(TickMarket::new);
        Ok(Self {
            bars: vec![BarMarket::default(); count],
            ticks: (0..count).map(ticks).collect(),
            working: Vec::new(),
            transit: Transit::default(),
            forced: FORCED_ID,
            barred: vec![false; count],
            desk: Desk {
                needs_history: config.impact * costs.multiplier_f64 > 0.0,
                instruments,
                costs,
                latency: Box::new(ConstantLatency {
                    entry: config.entry_latency,
                    response: config.response_latency,
                }),
                impact: Box::new(SquareRoot { y: config.impact }),
                positions: Positions::flat(count),
                answers: Vec::new(),
            },
        })
    }

    /// Sends an order at `now`; it arrives after the entry latency.
    pub fn send(&mut self, now: Ts, request: Request) {
        self.post(now, request.instrument, Message::New(request));
    }

    /// Asks for a cancellation at `now`; an order that is already done is left alone.
    pub fn cancel(&mut self, now: Ts, order: u64) {
        let working = self.working.iter().map(|w| &w.request);
        let its = working.chain(self.transit.orders()).find(|r| r.id == order);
        if let Some(instrument) = its.map(|r| r.instrument) {
            self.post(now, instrument, Message::Cancel(order));
        }
    }

    fn post(&mut self, now: Ts, instrument: InstrumentIdx, message: Message) {
        self.transit.push(Sent {
            decided: now,
            arrives: now + self.desk.latency.entry(now),
            instrument,
            message,
        });
    }

    /// When the next message reaches the venue.
    #[must_use]
    pub fn next_arrival(&self) -> Option<Ts> {
        self.transit.next_arrival()
    }

    /// Lets the next message arrive.
    pub fn arrive(&mut self, purse: &dyn Purse) {
        if let Some(next) = self.transit.pop() {
            self.receive(next, next.arrives, purse);
        }
    }

    fn receive(&mut self, sent: Sent, ts: Ts, purse: &dyn Purse) {
        match sent.message {
            Message::New(request) => self.accept(request, sent.decided, ts, purse),
            Message::Cancel(id) => self.withdraw(id, ts),
        }
    }

    fn accept(&mut self, request: Request, decided: Ts, ts: Ts, purse: &dyn Purse) {
        let mut order = Working::new(request, decided);
        if let Some(reason) = self.refuses(&order, ts) {
            self.desk.refuse(&order, reason, ts);
            return;
        }
        let index = usize::from(request.instrument);
        let fate = match &mut self.ticks[index] {
            Some(market) => market.arrive(&mut self.desk, &mut order, ts, purse),
            None => self.meet(&mut order, ts, purse),
        };
        if fate == Fate::Alive {
            self.desk.ack(&mut order, ts);
            self.working.push(order);
        }
    }

    fn refuses(&self, order: &Working, ts: Ts) -> Option<&'static str> {
        let request = &order.request;
        let index = usize::from(request.instrument);
        if index >= self.desk.instruments.len() {
            return Some(reason::UNKNOWN_INSTRUMENT);
        }
        if self.working.iter().any(|w| w.request.id == request.id) {
            return Some(reason::DUPLICATE_ID);
        }
        let instrument = self.desk.instrument(request.instrument);
        if let Some(refusal) = rules::refuses(instrument, request, ts, self.last_price(index)) {
            return Some(refusal);
        }
        if self.barred[index] && !request.reduce_only {
            return Some(reason::INSUFFICIENT_MARGIN);
        }
        // A stop protects a position that an order beside it may only now be opening.
        let is_stop = request.kind == OrderType::StopMarket;
        let is_short_sale = !request.reduce_only && self.desk.allowed(order) < order.left;
        if !is_stop && (self.desk.allowed(order) == 0 || is_short_sale) {
            return Some(Desk::barred_by(order));
        }
        None
    }

    fn last_price(&self, index: usize) -> Option<Px> {
        match &self.ticks[index] {
            Some(market) => market.last(),
            None => self.bars[index].last(),
        }
    }

    fn withdraw(&mut self, id: u64, ts: Ts) {
        if let Some(at) = self.working.iter().position(|w| w.request.id == id) {
            let order = self.working.remove(at);
            self.desk.cancelled(&order, ts);
        }
    }

    /// A bar begins: its open is the market until its end. No order acts yet.
    pub fn begin_bar(&mut self, instrument: InstrumentIdx, bar: Bar) {
        let participation = self.desk.costs.participation_ppb;
        self.bars[usize::from(instrument)].begin(bar, participation);
    }

    /// Waiting orders meet the open of the bar that has just begun.
    pub fn meet_open(&mut self, instrument: InstrumentIdx, ts: Ts, purse: &dyn Purse) {
        self.each(instrument, |venue, order| venue.meet(order, ts, purse));
    }

    /// An order meets the open of the bar in progress, if it is in place at it: decided by then,
    /// and not withdrawn by then, however long either message takes. Otherwise a stop and the
    /// close that is sent in its stead would both trade there.
    fn meet(&mut self, order: &mut Working, ts: Ts, purse: &dyn Purse) -> Fate {
        let Request { id, instrument, .. } = order.request;
        let market = &mut self.bars[usize::from(instrument)];
        match market.opened() {
            Some(open) if order.decided <= open && !self.transit.withdraws(id, open) => {
                market.meet_open(&mut self.desk, order, ts, purse)
            }
            _ => Fate::Alive,
        }
    }

    /// A bar ends, `ts` is its last nanosecond: stops, then limits, meet its range; then it is
    /// past.
    ///
    /// Where in the bar a fill happened is not known. So what was decided inside the bar is at
    /// the venue by its end, however long the way takes: a stop cannot trade there whose
    /// replacement trades at the next open. And the answer to a fill is with us by then, however
    /// long a response takes: a decision at that time knows of it.
    pub fn end_bar(&mut self, instrument: InstrumentIdx, ts: Ts, purse: &dyn Purse) {
        for sent in self.transit.take(instrument) {
            self.receive(sent, ts, purse);
        }
        let before = self.desk.answers.len();
        if !self.working.is_empty() {
            for meet in [BarMarket::meet_range_stop, BarMarket::meet_range_limit] {
                self.each(instrument, |venue, order| {
                    let market = &mut venue.bars[usize::from(instrument)];
                    meet(market, &mut venue.desk, order, ts, purse)
                });
            }
        }
        for answer in &mut self.desk.answers[before..] {
            answer.ts_recv = answer.ts_recv.min(ts + 1);
        }
        self.bars[usize::from(instrument)].end();
    }

    /// Lets each working order of an instrument act, oldest first.
    fn each(
        &mut self,
        instrument: InstrumentIdx,
        mut act: impl FnMut(&mut Self, &mut Working) -> Fate,
    ) {
        let mut orders = std::mem::take(&mut self.working);
        orders.retain_mut(|order| {
            order.request.instrument != instrument || act(self, order) == Fate::Alive
        });
        self.working = orders;
    }

    /// Levels of the recorded book changed.
    pub fn on_changes(
        &mut self,
        instrument: InstrumentIdx,
        changes: impl IntoIterator<Item = Change>,
    ) {
        if let Some(market) = &mut self.ticks[usize::from(instrument)] {
            for change in changes {
                market.on_change(change);
            }
        }
    }

    /// The recorded best bid and ask changed.
    pub fn on_quote(&mut self, instrument: InstrumentIdx, bid: (Px, Qty), ask: (Px, Qty)) {
        if let Some(market) = &mut self.ticks[usize::from(instrument)] {
            market.on_quote(bid, ask);
        }
    }

    /// Events are missing: the book and each order's place in its queue are unknown.
    pub fn on_gap(&mut self, instrument: InstrumentIdx) {
        if let Some(market) = &mut self.ticks[usize::from(instrument)] {
            market.on_gap();
            let ours = |w: &&mut Working| w.request.instrument == instrument;
            self.working
                .iter_mut()
                .filter(ours)
                .for_each(TickMarket::forget_queue);
        }
    }

    /// A recorded trade meets our resting orders. Trades that are not the market's
    /// ([`flags::NOT_MARKET`]) meet nothing.
    pub fn on_trade(
        &mut self,
        instrument: InstrumentIdx,
        trade: (Px, Qty),
        marks: u32,
        ts: Ts,
        purse: &dyn Purse,
    ) {
        let index = usize::from(instrument);
        if marks & flags::NOT_MARKET != 0 || self.ticks[index].is_none() {
            return;
        }
        if !self.working.is_empty() {
            let mut shared = trade.1 .0;
            self.each(instrument, |venue, order| match &mut venue.ticks[index] {
                Some(market) => {
                    market.meet_trade(&mut venue.desk, order, trade, &mut shared, ts, purse)
                }
                None => Fate::Alive,
            });
        }
        if let Some(market) = &mut self.ticks[index] {
            market.on_trade(trade.0);
        }
    }

    /// Cancels all orders of an instrument, working or on their way.
    pub fn cancel_all(&mut self, instrument: InstrumentIdx, ts: Ts) {
        self.each(instrument, |venue, order| {
            order.forced = true;
            venue.desk.cancelled(order, ts)
        });
        for sent in self.transit.take(instrument) {
            if let Message::New(request) = sent.message {
                let mut order = Working::new(request, sent.decided);
                order.forced = true;
                self.desk.cancelled(&order, ts);
            }
        }
    }

    /// Closes a position at once, at the last price with all costs, beyond any volume limit.
    ///
    /// Returns the id of the order it made, `None` where there was no position. Answers come
    /// without latency: there is no later time to receive them at.
    pub fn force_close(
        &mut self,
        instrument: InstrumentIdx,
        ts: Ts,
        purse: &dyn Purse,
    ) -> Option<u64> {
        let position = self.desk.positions.of(instrument);
        let side = Side::of(-position)?;
        let mut order = Working::new(
            Request {
                id: self.forced,
                instrument,
                side,
                qty: Qty(position.abs()),
                kind: OrderType::Market,
                price: None,
                stop: None,
                reduce_only: true,
                ioc: false,
            },
            ts,
        );
        order.forced = true;
        let deal = self.closing_deal(&order, ts)?;
        self.forced += 1;
        self.desk.fill(&mut order, position.abs(), &deal, ts, purse);
        Some(order.request.id)
    }

    fn closing_deal(&self, order: &Working, ts: Ts) -> Option<Deal> {
        let index = usize::from(order.request.instrument);
        let spread = self.desk.costs.spread_ppb;
        let plain = |px, reference| Deal {
            px,
            reference,
            impact: 0,
            is_taker: true,
        };
        if let Some(market) = &self.ticks[index] {
            let (level, middle) = market.closing_level(order);
            let reference = middle?;
            let blind = self.desk.against(order, reference, spread, 0, ts);
            return Some(plain(level.unwrap_or(blind), reference));
        }
        let market = &self.bars[index];
        let last = market.last()?;
        let deal = self
            .desk
            .worsen(order, last, order.left, &market.trailing, ts);
        Some(deal.unwrap_or_else(|| plain(self.desk.against(order, last, spread, 0, ts), last)))
    }

    /// The venue's own signed position.
    #[must_use]
    pub fn position(&self, instrument: InstrumentIdx) -> Qty {
        Qty(self.desk.positions.of(instrument))
    }

    /// The venue's position just before `ts`, no earlier than the last trade.
    #[must_use]
    pub fn position_before(&self, instrument: InstrumentIdx, ts: Ts) -> Qty {
        self.desk.positions.before(instrument, ts)
    }

    /// Sets a position that was taken before this tape began.
    pub fn set_position(&mut self, instrument: InstrumentIdx, qty: Qty) {
        self.desk.positions.set(instrument, qty);
    }

    /// Numbers the venue's own orders from `id` on, above those of an earlier tape.
    pub fn number_forced_from(&mut self, id: u64) {
        self.forced = self.forced.max(id);
    }

    /// Whether an order of this instrument works at the venue.
    #[must_use]
    pub fn is_working(&self, instrument: InstrumentIdx) -> bool {
        self.working
            .iter()
            .any(|order| order.request.instrument == instrument)
    }

    /// Whether there are answers to take.
    #[must_use]
    pub fn has_answers(&self) -> bool {
        !self.desk.answers.is_empty()
    }

    /// What the venue said since the last call, in the order in which it happened;
    /// `ts_recv` includes the response latency (see [`Self::end_bar`] for its bound).
    pub fn take_answers(&mut self) -> Vec<Event<Account>> {
        std::mem::take(&mut self.desk.answers)
    }
}
