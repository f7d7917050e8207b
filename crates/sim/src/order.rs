use cq_types::{InstrumentIdx, Px, Qty, Side, Ts};

/// How an order meets the market.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OrderType {
    /// Takes what is there; in bars mode the rest waits for the next bar.
    Market,
    /// Trades at its price or better, and rests.
    Limit,
    /// Rests, or is refused if it would trade at once.
    PostOnly,
    /// Becomes a market order when the last price reaches its trigger.
    StopMarket,
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
    /// How much, positive.
    pub qty: Qty,
    /// How.
    pub kind: OrderType,
    /// Limit price of a limit or post-only order.
    pub price: Option<Px>,
    /// Trigger of a stop.
    pub stop: Option<Px>,
    /// May only shrink the position.
    pub reduce_only: bool,
    /// What cannot trade at once is cancelled.
    pub ioc: bool,
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
    /// Whether it has met its first market: from then on a limit order rests.
    pub(crate) rests: bool,
    /// Whether a stop has been triggered: from then on it is a market order.
    pub(crate) triggered: bool,
    /// Quantity that rested at its price before it (tick mode).
    pub(crate) ahead: i64,
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
            rests: false,
            triggered: false,
            ahead: 0,
            acked: false,
            forced: false,
        }
    }

    /// Whether it takes whatever price there is.
    pub(crate) fn is_market(&self) -> bool {
        match self.request.kind {
            OrderType::Market => true,
            OrderType::StopMarket => self.triggered,
            OrderType::Limit | OrderType::PostOnly => false,
        }
    }

    /// The limit price, where it has one.
    pub(crate) fn limit(&self) -> Option<Px> {
        match self.request.kind {
            OrderType::Limit | OrderType::PostOnly => self.request.price,
            OrderType::Market | OrderType::StopMarket => None,
        }
    }

    /// Whether its limit, if it has one, lets it trade at `px`.
    pub(crate) fn takes(&self, px: Px) -> bool {
        let side = self.request.side;
        self.limit()
            .is_none_or(|limit| is_worse_or_equal(side, limit, px))
    }

    /// The trigger, while it waits for it.
    pub(crate) fn trigger(&self) -> Option<Px> {
        match self.request.kind {
            OrderType::StopMarket if !self.triggered => self.request.stop,
            _ => None,
        }
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
