mod acceptance;
mod amending;
mod bars;
mod closing;
mod forced;
mod hedge;
mod opening;
mod ticks;
mod triggers;

use std::sync::Arc;

use cq_types::{Account, Event, Instrument, InstrumentIdx, Px, Qty, Ts};

use crate::bars::BarMarket;
use crate::execution::{Desk, Fate, Purse};
use crate::latency::Passage;
use crate::models::{
    Costs, SimConfig, SimError, SquareRoot, StopMargin, TriggeredStops, WaitingAmends,
};
use crate::order::{Request, Working};
use crate::positions::Positions;
use crate::rate::RateLimit;
use crate::rules::reason;
use crate::ticks::TickMarket;
use crate::transit::{Message, Sent, Transit};
use hedge::Legs;

pub use forced::ForcedOrder;
pub use opening::{Asked, OpenOrder};
pub use ticks::Trade;

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
    /// Orders of the instruments that trade on bars.
    working: Vec<Working>,
    transit: Transit,
    forced: u64,
    /// Why only what reduces is accepted in an instrument: its wallet has nothing left, or the
    /// next order is not to be.
    barred: Vec<Option<&'static str>>,
    max_orders: [usize; 2],
    rates: Vec<RateLimit>,
    takes_triggered: bool,
    stop_margin: StopMargin,
    waiting_amends: WaitingAmends,
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
            barred: vec![None; count],
            max_orders: config.max_orders,
            legs: Legs::one_way(count),
            stop_margin: config.stop_margin,
            waiting_amends: config.waiting_amends,
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

    fn post(&mut self, now: Ts, instrument: InstrumentIdx, message: Message) {
        match self.desk.latency.entry(now) {
            Passage::Arrives(arrives) => self.transit.push(Sent {
                decided: now,
                arrives,
                instrument,
                message,
            }),
            Passage::Lost(known) => {
                let reason = reason::OVERLOADED;
                let body = match message {
                    Message::New(Request { id: order, .. }) => Account::Reject { order, reason },
                    Message::Cancel(order) | Message::Amend { order, .. } => {
                        Account::Kept { order, reason }
                    }
                };
                self.desk.turn_away(instrument, body, (now, known));
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
            self.receive(next, purse);
        }
    }

    fn receive(&mut self, sent: Sent, purse: &dyn Purse) {
        let ts = sent.arrives;
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
            Message::Amend { order, to } => {
                self.change((sent.instrument, order), to, ts, purse);
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
            let seen = (order.is_waiting()).then(|| market.reached(&mut order));
            if let Some(px) = seen.flatten() {
                let touch = self.touch(request.instrument);
                if self.set_off(&mut order, (px, touch), ts, purse) == Fate::Done {
                    return;
                }
            }
            if let Some(market) = &mut self.ticks[index] {
                market.accept(&mut self.desk, order, ts, purse);
            }
        } else if self.meet(&mut order, ts, purse) == Fate::Alive {
            self.desk.ack(&mut order, ts);
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
