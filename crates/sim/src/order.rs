use cq_types::{InstrumentIdx, Px, Qty, Side, Ts};

use crate::queue::Place;

/// How an order meets the market.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderType {
    /// Takes what is there; in bars mode the rest waits for the next bar.
    Market,
    /// Trades at its price or better, and rests.
    Limit,
    /// Once the price has moved against the position as far as its trigger, becomes a market
    /// order, or a limit order where it has a price.
    Stop,
    /// As [`Self::Stop`], once the price has moved in favour of the position.
    TakeProfit,
    /// A stop whose trigger follows the best price since it was activated, at a distance.
    TrailingStop,
}

/// How long an order works.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TimeInForce {
    /// Until it is filled or cancelled.
    #[default]
    Gtc,
    /// What cannot trade at once is cancelled.
    Ioc,
    /// Trades at once as a whole, or not at all.
    Fok,
    /// Rests, or is refused if it would trade at once (GTX).
    PostOnly,
}

/// Which price a trigger looks at.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TriggerBy {
    /// The last trade.
    #[default]
    Last,
    /// The mark price.
    Mark,
}

/// Which of the two positions in a contract an order is for, in hedge mode.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum PositionSide {
    /// The long one: purchases open it, sales close it.
    Long,
    /// The short one.
    Short,
}

impl PositionSide {
    /// The side of orders that close it.
    #[must_use]
    pub const fn closing(self) -> Side {
        match self {
            Self::Long => Side::Sell,
            Self::Short => Side::Buy,
        }
    }
}

/// An order as it is sent to the venue.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Request {
    /// Our id, unique in a run.
    pub id: u64,
    /// What to trade.
    pub instrument: InstrumentIdx,
    /// Buy or sell.
    pub side: Side,
    /// How much, positive; at most as much where it only reduces or closes the position.
    pub qty: Qty,
    /// How.
    pub kind: OrderType,
    /// For how long.
    pub tif: TimeInForce,
    /// Limit price.
    pub price: Option<Px>,
    /// Trigger; of a trailing stop the price that activates it, at once if there is none.
    pub stop: Option<Px>,
    /// What the trigger looks at.
    pub trigger_by: TriggerBy,
    /// Distance of a trailing stop, millionths of the best price.
    pub callback_ppm: u32,
    /// May only shrink the position.
    pub reduce_only: bool,
    /// Trades all of the position that there is once it is triggered.
    pub close_position: bool,
    /// Which position it is for, in hedge mode; none in one-way mode.
    pub position_side: Option<PositionSide>,
}

impl Request {
    /// A market order.
    #[must_use]
    pub const fn market(id: u64, instrument: InstrumentIdx, side: Side, qty: Qty) -> Self {
        Self {
            id,
            instrument,
            side,
            qty,
            kind: OrderType::Market,
            tif: TimeInForce::Gtc,
            price: None,
            stop: None,
            trigger_by: TriggerBy::Last,
            callback_ppm: 0,
            reduce_only: false,
            close_position: false,
            position_side: None,
        }
    }

    /// A limit order.
    #[must_use]
    pub const fn limit(
        id: u64,
        instrument: InstrumentIdx,
        side: Side,
        qty: Qty,
        price: Px,
        tif: TimeInForce,
    ) -> Self {
        Self {
            kind: OrderType::Limit,
            price: Some(price),
            tif,
            ..Self::market(id, instrument, side, qty)
        }
    }

    /// Whether it waits for a trigger.
    #[must_use]
    pub const fn is_conditional(&self) -> bool {
        matches!(
            self.kind,
            OrderType::Stop | OrderType::TakeProfit | OrderType::TrailingStop
        )
    }

    /// Whether it can only shrink a position.
    #[must_use]
    pub const fn only_reduces(&self) -> bool {
        self.reduce_only || self.close_position
    }
}

/// What an order is to be.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Amendment {
    /// Another limit; none leaves what there is.
    pub price: Option<Px>,
    /// The whole quantity, filled or not.
    pub qty: Qty,
    /// Another trigger of a stop or a take-profit that waits; none leaves what there is.
    pub stop: Option<Px>,
}

impl From<(Option<Px>, Qty)> for Amendment {
    fn from((price, qty): (Option<Px>, Qty)) -> Self {
        Self {
            price,
            qty,
            stop: None,
        }
    }
}

impl Amendment {
    /// The same without a trigger that the order has already.
    pub(crate) fn of(mut self, order: &Working) -> Self {
        self.stop = self.stop.filter(|px| Some(*px) != order.request.stop);
        self
    }
}

/// An order the venue has accepted and not finished.
#[derive(Debug, Clone)]
#[allow(clippy::struct_excessive_bools)] // four independent facts, each named
pub(crate) struct Working {
    pub(crate) request: Request,
    /// When it was decided: bars that opened earlier are not its market.
    pub(crate) decided: Ts,
    /// Quantity still to trade.
    pub(crate) left: i64,
    /// When it came to its place, in a count of its market: of two orders at one price the
    /// older one trades first.
    pub(crate) age: u64,
    /// Whether it has met its first market: from then on a limit order rests.
    pub(crate) rests: bool,
    /// Whether it has been triggered: from then on it is a market or a limit order.
    pub(crate) triggered: bool,
    /// The worst price that the venue lets a market order have.
    pub(crate) bound: Option<Px>,
    /// Best price for a trailing stop since it was activated.
    pub(crate) extreme: Option<Px>,
    /// Its place in the queue at its price (tick mode).
    pub(crate) place: Place,
    /// Whether the venue has said that it accepted the order.
    pub(crate) acked: bool,
    /// Whether the venue made the order itself: its answers have no latency.
    pub(crate) forced: bool,
}

impl Working {
    pub(crate) fn new(request: Request, decided: Ts) -> Self {
        Self {
            request,
            decided,
            left: request.qty.0,
            age: 0,
            rests: false,
            triggered: false,
            bound: None,
            extreme: None,
            place: Place::default(),
            acked: false,
            forced: false,
        }
    }

    /// The same at another price, trigger or quantity; one that is not to trade any more has
    /// nothing left.
    pub(crate) fn amended(&self, to: Amendment) -> Self {
        let filled = self.request.qty.0 - self.left;
        let mut order = self.clone();
        order.request.price = to.price.or(order.request.price);
        order.request.stop = to.stop.or(order.request.stop);
        order.request.qty = to.qty;
        order.left = to.qty.0.saturating_sub(filled).max(0);
        order
    }

    /// Whether it waits for its trigger.
    pub(crate) fn is_waiting(&self) -> bool {
        self.request.is_conditional() && !self.triggered
    }

    /// Its trigger is reached: from now on it is a new market or limit order.
    pub(crate) fn set_off(&mut self) {
        self.triggered = true;
        self.rests = false;
    }

    /// Whether it takes whatever price there is.
    pub(crate) fn is_market(&self) -> bool {
        match self.request.kind {
            OrderType::Market => true,
            OrderType::Limit => false,
            _ => self.triggered && self.request.price.is_none(),
        }
    }

    /// The limit price, where it has one.
    pub(crate) fn limit(&self) -> Option<Px> {
        let is_limit = self.request.kind == OrderType::Limit || self.triggered;
        self.request.price.filter(|_| is_limit)
    }

    /// The worst price at which it may trade, where there is one.
    pub(crate) fn worst(&self) -> Option<Px> {
        self.limit().or(self.bound)
    }

    /// Whether its limit, if it has one, lets it trade at `px`.
    pub(crate) fn takes(&self, px: Px) -> bool {
        let side = self.request.side;
        self.limit()
            .is_none_or(|limit| is_worse_or_equal(side, limit, px))
    }

    /// The price that would trigger it now, and whether a worse one triggers it as well.
    fn trigger(&self) -> Option<(Px, bool)> {
        if self.triggered {
            return None;
        }
        match self.request.kind {
            OrderType::Stop => self.request.stop.map(|px| (px, true)),
            OrderType::TakeProfit => self.request.stop.map(|px| (px, false)),
            OrderType::TrailingStop => self.extreme.map(|best| (self.trail(best), true)),
            OrderType::Market | OrderType::Limit => None,
        }
    }

    /// The trigger of an order that protects: a stop's, or where a trailing stop has got to.
    pub(crate) fn stop_level(&self) -> Option<Px> {
        self.trigger().filter(|(_, is_stop)| *is_stop).map(|t| t.0)
    }

    /// The trigger of a take-profit that waits.
    pub(crate) fn profit_level(&self) -> Option<Px> {
        self.trigger().filter(|(_, is_stop)| !*is_stop).map(|t| t.0)
    }

    /// The price at which it trades once the market comes there: its limit, or a take-profit's
    /// trigger.
    pub(crate) fn level(&self) -> Option<Px> {
        self.limit().or(self.profit_level())
    }

    /// Whether a price triggers it; a trailing stop first follows the price.
    pub(crate) fn is_triggered_by(&mut self, px: Px) -> bool {
        self.follow(px);
        let side = self.request.side;
        self.trigger().is_some_and(|(level, is_stop)| {
            let reaches = if is_stop { side } else { side.opposite() };
            is_worse_or_equal(reaches, px, level)
        })
    }

    /// A trailing stop that is activated keeps the best price for its position.
    fn follow(&mut self, px: Px) {
        if self.request.kind != OrderType::TrailingStop || self.triggered {
            return;
        }
        let side = self.request.side.opposite();
        self.extreme = match (self.extreme, self.request.stop) {
            (Some(best), _) => Some(worse(side, best, px)),
            (None, Some(from)) if !is_worse_or_equal(side, px, from) => None,
            (None, _) => Some(px),
        };
    }

    /// `best` less the callback for a seller, more for a buyer; a fraction of a grid unit goes
    /// towards `best`, where the order triggers earlier.
    fn trail(&self, best: Px) -> Px {
        const WHOLE: i128 = 1_000_000;
        let away = i128::from(self.request.side.sign()) * i128::from(self.request.callback_ppm);
        let level = i128::from(best.0) * (WHOLE + away);
        let rounded = match self.request.side {
            Side::Buy => level.div_euclid(WHOLE),
            Side::Sell => -(-level).div_euclid(WHOLE),
        };
        Px(i64::try_from(rounded).unwrap_or(i64::MAX))
    }
}

/// Whether `px` is as bad as `other` or worse for someone who trades on `side`.
pub(crate) fn is_worse_or_equal(side: Side, px: Px, other: Px) -> bool {
    px.0 * side.sign() >= other.0 * side.sign()
}

/// The worse of two prices for someone who trades on `side`.
pub(crate) fn worse(side: Side, a: Px, b: Px) -> Px {
    if is_worse_or_equal(side, a, b) {
        a
    } else {
        b
    }
}
