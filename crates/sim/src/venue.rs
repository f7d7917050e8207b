mod acceptance;
mod forced;
mod hedge;
mod opening;

use std::sync::Arc;

use cq_types::{flags, Account, Change, Event, Instrument, InstrumentIdx, Px, Qty, Side, Ts};

use crate::bars::{Bar, BarMarket};
use crate::execution::{Deal, Desk, Fate, Purse};
use crate::latency::Passage;
use crate::models::{Costs, SimConfig, SimError, SquareRoot, TriggeredStops};
use crate::order::{Request, Working};
use crate::positions::Positions;
use crate::rate::RateLimit;
use crate::rules::reason;
use crate::ticks::{Print, TickMarket};
use crate::transit::{Message, Sent, Transit};
use hedge::Legs;

pub use forced::ForcedOrder;
pub use opening::{Asked, OpenOrder};

/// First id of the orders that the venue makes itself (a forced close, a liquidation).
pub const FORCED_ID: u64 = 1 << 62;

/// A recorded trade.
#[derive(Debug, Clone, Copy)]
pub struct Trade {
    /// Price.
    pub px: Px,
    /// Quantity.
    pub qty: Qty,
    /// Aggressor.
    pub side: Side,
    /// See [`flags`].
    pub marks: u32,
    /// When the venue matched it; reports of it may come later.
    pub matched: Ts,
}

/// One simulated account on one venue timeline.
///
/// The caller feeds market events in venue time, and calls [`Self::arrive`] whenever
/// [`Self::next_arrival`] is due; [`Self::take_answers`] yields what the venue said.
pub struct Venue {
    desk: Desk,
    bars: Vec<BarMarket>,
    ticks: Vec<Option<TickMarket>>,
    /// Orders of the instruments that trade on bars.
    working: Vec<Working>,
    transit: Transit,
    forced: u64,
    /// Instruments whose wallet has nothing left: only what reduces is accepted.
    barred: Vec<bool>,
    max_orders: [usize; 2],
    rates: Vec<RateLimit>,
    takes_triggered: bool,
    legs: Legs,
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
        Self::listing(instruments, steps, |_| true, config)
    }

    /// One of several venues: it lists those instruments of all that `is_listed` says.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn listing(
        instruments: Arc<[Instrument]>,
        steps: &[Option<Px>],
        is_listed: impl Fn(InstrumentIdx) -> bool,
        config: &SimConfig,
    ) -> Result<Self, SimError> {
        let listed = (0..).zip(steps).filter(|(index, _)| is_listed(*index));
        let has_bars = listed.into_iter().any(|(_, step)| step.is_none());
        let costs = Costs::new(config, has_bars)?;
        let count = instruments.len();
        let styles = (config.queue, config.matching, config.tick_impact);
        let ticks = (0..).zip(instruments.iter()).map(|(index, instrument)| {
            let step = steps.get(usize::from(index)).copied().flatten()?;
            if !is_listed(index) {
                return None;
            }
            Some(TickMarket::new(index, step, instrument.grid, styles))
        });
        Ok(Self {
            bars: vec![BarMarket::default(); count],
            ticks: ticks.collect(),
            working: Vec::new(),
            transit: Transit::default(),
            forced: FORCED_ID,
            barred: vec![false; count],
            max_orders: config.max_orders,
            legs: Legs::one_way(count),
            takes_triggered: config.triggered_stops == TriggeredStops::Trade,
            rates: config
                .max_order_rate
                .iter()
                .copied()
                .map(RateLimit::new)
                .collect(),
            desk: Desk {
                needs_history: config.impact * costs.multiplier_f64 > 0.0,
                instruments,
                costs,
                latency: config.latency.model(),
                impact: Box::new(SquareRoot { y: config.impact }),
                positions: Positions::flat(count),
                answers: Vec::new(),
                heard: Ts::MIN,
            },
        })
    }

    /// Sends an order at `now`; it arrives after the entry latency.
    pub fn send(&mut self, now: Ts, request: Request) {
        self.post(now, request.instrument, Message::New(request));
    }

    /// Asks for a cancellation at `now`; of an order that is done the venue says that it has none.
    pub fn cancel(&mut self, now: Ts, instrument: InstrumentIdx, order: u64) {
        self.post(now, instrument, Message::Cancel(order));
    }

    /// Asks at `now` for another price or quantity; of an order that is done the venue says that it
    /// has none.
    pub fn amend(
        &mut self,
        now: Ts,
        instrument: InstrumentIdx,
        order: u64,
        (px, qty): (Option<Px>, Qty),
    ) {
        self.post(now, instrument, Message::Amend { order, px, qty });
    }

    fn post(&mut self, now: Ts, instrument: InstrumentIdx, message: Message) {
        match self.desk.latency.entry(now) {
            Passage::Arrives(arrives) => self.transit.push(Sent {
                decided: now,
                arrives,
                instrument,
                message,
            }),
            Passage::Lost(known) => {
                if let Message::New(request) = message {
                    let order = Working::new(request, now);
                    self.desk.turn_away(&order, now, known);
                }
            }
        }
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
            Message::Cancel(id) => match self.remove(sent.instrument, id) {
                Some(order) => {
                    self.desk.cancelled(&order, ts);
                }
                None => self
                    .desk
                    .keep(sent.instrument, id, reason::UNKNOWN_ORDER, ts),
            },
            Message::Amend { order, px, qty } => {
                self.change((sent.instrument, order), (px, qty), ts, purse);
            }
        }
    }

    fn accept(&mut self, request: Request, decided: Ts, ts: Ts, purse: &dyn Purse) {
        let mut order = Working::new(request, decided);
        let too_many = (!self.is_in_rate(ts)).then_some(reason::TOO_MANY_ORDERS);
        let refusal = too_many.or_else(|| self.takes_side(&mut order).err());
        if let Some(reason) = refusal.or_else(|| self.refuses(&order, ts, purse)) {
            self.desk.refuse(&order, reason, ts);
            return;
        }
        let index = usize::from(self.legs.market(request.instrument));
        if let Some(market) = &mut self.ticks[index] {
            market.accept(&mut self.desk, order, ts, purse);
        } else if self.meet(&mut order, ts, purse) == Fate::Alive {
            self.desk.ack(&mut order, ts);
            self.working.push(order);
        }
    }

    /// An order gets another price or quantity, if the venue's rules let it.
    fn change(
        &mut self,
        (index, id): (InstrumentIdx, u64),
        to: (Option<Px>, Qty),
        ts: Ts,
        purse: &dyn Purse,
    ) {
        let is_in_rate = self.is_in_rate(ts);
        let Some(own) = self.of(index).find(|own| own.request.id == id) else {
            self.desk.keep(index, id, reason::NO_SUCH_ORDER, ts);
            return;
        };
        let wanted = own.amended(to);
        let more = i128::from(wanted.request.qty.0) - i128::from(own.request.qty.0);
        let too_many = (!is_in_rate).then_some(reason::TOO_MANY_ORDERS);
        if let Some(reason) = too_many.or_else(|| self.refuses_change(&wanted, more, ts, purse)) {
            self.desk.keep(index, id, reason, ts);
            return;
        }
        let Some(order) = self.remove(index, id) else {
            return;
        };
        let market = usize::from(self.legs.market(index));
        if let Some(market) = &mut self.ticks[market] {
            market.amend(&mut self.desk, (order, to), ts, purse);
        } else if let Some(order) = self.desk.amend(&order, to, ts) {
            self.working.push(order);
        }
    }

    /// Our orders in the market of an instrument at the venue.
    fn of(&self, instrument: InstrumentIdx) -> impl Iterator<Item = &Working> {
        let at = self.legs.market(instrument);
        let market = self.ticks.get(usize::from(at)).and_then(Option::as_ref);
        let own = market.into_iter().flat_map(TickMarket::orders);
        let on_bars = self.working.iter();
        own.chain(on_bars.filter(move |w| self.legs.market(w.request.instrument) == at))
    }

    /// Takes an order away by its id.
    fn remove(&mut self, instrument: InstrumentIdx, id: u64) -> Option<Working> {
        let at = usize::from(self.legs.market(instrument));
        if let Some(market) = self.ticks.get_mut(at)?.as_mut() {
            return market.remove(id);
        }
        let at = self.working.iter().position(|w| w.request.id == id)?;
        Some(self.working.remove(at))
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
        let market = &mut self.bars[usize::from(self.legs.market(instrument))];
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
        let legs = &self.legs;
        let sent = self.transit.take(|at| legs.market(at) == instrument);
        for sent in sent {
            self.receive(sent, ts, purse);
        }
        let before = self.desk.answers.len();
        if !self.working.is_empty() {
            self.each(instrument, |venue, order| {
                let market = &mut venue.bars[usize::from(instrument)];
                market.meet_range_stop(&mut venue.desk, order, ts, purse)
            });
            self.each_from_best(instrument, |venue, order| {
                let market = &mut venue.bars[usize::from(instrument)];
                market.meet_range_limit(&mut venue.desk, order, ts, purse)
            });
        }
        for answer in &mut self.desk.answers[before..] {
            answer.ts_recv = answer.ts_recv.min(ts.saturating_add(1));
        }
        self.bars[usize::from(instrument)].end();
    }

    /// Lets each working order in a market on bars act, oldest first.
    fn each(
        &mut self,
        instrument: InstrumentIdx,
        mut act: impl FnMut(&mut Self, &mut Working) -> Fate,
    ) {
        let mut orders = std::mem::take(&mut self.working);
        orders.retain_mut(|order| {
            let at = self.legs.market(order.request.instrument);
            at != instrument || act(self, order) == Fate::Alive
        });
        self.working = orders;
    }

    /// As [`Self::each`], but of the orders of a side the best price acts first: no price is
    /// reached before the better ones, which have then taken the volume and the position.
    fn each_from_best(
        &mut self,
        instrument: InstrumentIdx,
        mut act: impl FnMut(&mut Self, &mut Working) -> Fate,
    ) {
        let mut orders = std::mem::take(&mut self.working);
        let is_own = |order: &Working| self.legs.market(order.request.instrument) == instrument;
        let own: Vec<usize> = (0..orders.len())
            .filter(|at| is_own(&orders[*at]))
            .collect();
        let [mut bids, mut asks] = [Side::Buy, Side::Sell].map(|side| {
            let mut turn: Vec<_> = own.clone();
            turn.retain(|at| orders[*at].request.side == side);
            turn.sort_by_key(|at| orders[*at].level().map(|px| -side.sign() * px.0));
            turn.into_iter()
        });
        let mut done = vec![false; orders.len()];
        for at in own {
            let next = match orders[at].request.side {
                Side::Buy => bids.next(),
                Side::Sell => asks.next(),
            };
            if let Some(at) = next {
                done[at] = act(self, &mut orders[at]) == Fate::Done;
            }
        }
        let mut done = done.into_iter();
        orders.retain(|_| done.next() != Some(true));
        self.working = orders;
    }

    /// Levels of the recorded book changed, each at its time. Takes them up to the first that
    /// makes the venue answer, and returns how many.
    pub fn on_changes(
        &mut self,
        instrument: InstrumentIdx,
        changes: impl IntoIterator<Item = (Ts, Change)>,
        purse: &dyn Purse,
    ) -> usize {
        match &mut self.ticks[usize::from(instrument)] {
            Some(market) => market.on_changes(&mut self.desk, changes, purse),
            None => changes.into_iter().count(),
        }
    }

    /// The recorded best bid and ask changed.
    pub fn on_quote(
        &mut self,
        instrument: InstrumentIdx,
        (bid, ask): ((Px, Qty), (Px, Qty)),
        ts: Ts,
        purse: &dyn Purse,
    ) {
        if let Some(market) = &mut self.ticks[usize::from(instrument)] {
            market.on_quote(&mut self.desk, (bid, ask), ts, purse);
        }
    }

    /// The mark price changed.
    pub fn on_mark(&mut self, instrument: InstrumentIdx, px: Px, ts: Ts, purse: &dyn Purse) {
        if let Some(market) = &mut self.ticks[usize::from(instrument)] {
            market.on_mark(&mut self.desk, px, ts, purse);
        }
    }

    /// Events are missing: the book and each order's place in its queue are unknown.
    pub fn on_gap(&mut self, instrument: InstrumentIdx) {
        if let Some(market) = &mut self.ticks[usize::from(instrument)] {
            market.on_gap();
        }
    }

    /// A recorded trade meets our resting orders. Trades that are not the market's
    /// ([`flags::NOT_MARKET`]) meet nothing.
    pub fn on_trade(&mut self, instrument: InstrumentIdx, trade: Trade, ts: Ts, purse: &dyn Purse) {
        if trade.marks & flags::NOT_MARKET != 0 {
            return;
        }
        if let Some(market) = &mut self.ticks[usize::from(instrument)] {
            let print = Print {
                px: trade.px,
                qty: trade.qty,
                side: trade.side,
                matched: trade.matched,
            };
            market.on_trade(&mut self.desk, print, ts, purse);
        }
    }

    /// Cancels all orders of an instrument, working or on their way.
    pub fn cancel_all(&mut self, instrument: InstrumentIdx, ts: Ts) {
        self.cancel_each(instrument, ts, true);
        for sent in self.transit.take(|at| at == instrument) {
            if let Message::New(request) = sent.message {
                let mut order = Working::new(request, sent.decided);
                order.forced = true;
                self.desk.cancelled(&order, ts);
            }
        }
    }

    /// Cancels the orders of an instrument that work; where that is `forced`, the answers have no
    /// latency.
    fn cancel_each(&mut self, instrument: InstrumentIdx, ts: Ts, forced: bool) {
        let at = self.legs.market(instrument);
        self.each(at, |venue, order| {
            if order.request.instrument != instrument {
                return Fate::Alive;
            }
            order.forced = forced;
            venue.desk.cancelled(order, ts)
        });
        let market = self.ticks.get_mut(usize::from(at)).and_then(Option::as_mut);
        let own = market.map(|market| market.take_of(instrument));
        for mut order in own.into_iter().flatten() {
            order.forced = forced;
            self.desk.cancelled(&order, ts);
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
        let request = Request {
            reduce_only: true,
            ..Request::market(self.forced, instrument, side, Qty(position.abs()))
        };
        let mut order = Working::new(request, ts);
        order.forced = true;
        let deal = self.closing_deal(&order, ts)?;
        self.forced += 1;
        self.desk.fill(&mut order, position.abs(), &deal, ts, purse);
        Some(order.request.id)
    }

    fn closing_deal(&self, order: &Working, ts: Ts) -> Option<Deal> {
        let index = usize::from(self.legs.market(order.request.instrument));
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
        self.of(instrument).next().is_some()
    }

    /// Whether there are answers to take.
    #[must_use]
    pub fn has_answers(&self) -> bool {
        !self.desk.answers.is_empty()
    }

    /// As [`Self::take_answers`], into a list that is empty; its memory is used for what comes.
    pub fn swap_answers(&mut self, empty: &mut Vec<Event<Account>>) {
        std::mem::swap(&mut self.desk.answers, empty);
    }

    /// What the venue said since the last call, in the order in which it happened;
    /// `ts_recv` includes the response latency (see [`Self::end_bar`] for its bound).
    pub fn take_answers(&mut self) -> Vec<Event<Account>> {
        std::mem::take(&mut self.desk.answers)
    }
}
