use cq_types::{Px, Qty, Side, Ts};

use crate::execution::{Deal, Desk, Fate, Purse};
use crate::models::PPB;
use crate::order::{is_worse_or_equal, worse, OrderType, TimeInForce, Working};
use crate::trailing::Trailing;

/// One bar as the venue lives through it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Bar {
    /// Venue time of the first moment.
    pub ts_open: Ts,
    /// Length, ns.
    pub interval: Ts,
    /// First price.
    pub open: Px,
    /// Highest price.
    pub high: Px,
    /// Lowest price.
    pub low: Px,
    /// Last price.
    pub close: Px,
    /// Volume.
    pub volume: Qty,
}

impl Bar {
    /// Whether it traded at `px` or worse for someone who trades on `side`.
    fn reaches(&self, side: Side, px: Px) -> bool {
        is_worse_or_equal(side, self.extreme(side), px)
    }

    /// Its worst price for someone who trades on `side`.
    fn extreme(&self, side: Side) -> Px {
        match side {
            Side::Buy => self.high,
            Side::Sell => self.low,
        }
    }
}

/// What a bar offers an order.
#[derive(Debug, Clone, Copy)]
enum Offer {
    /// This price, worsened by spread and impact.
    Take(Px),
    /// This price, for a limit order that rests at it.
    Make(Px),
}

/// An instrument that trades on bars.
#[derive(Debug, Clone, Default)]
pub(crate) struct BarMarket {
    /// The bar in progress.
    bar: Option<Bar>,
    /// What our orders may still take of its volume.
    budget: i64,
    pub(crate) trailing: Trailing,
    /// Sides on which a stop was hit in this bar: their limits wait.
    stopped: [bool; 2],
}

impl BarMarket {
    pub(crate) fn begin(&mut self, bar: Bar, participation_ppb: i64) {
        let budget = i128::from(bar.volume.0) * i128::from(participation_ppb) / PPB;
        self.budget = i64::try_from(budget).unwrap_or(i64::MAX);
        self.bar = Some(bar);
        self.stopped = [false; 2];
    }

    pub(crate) fn end(&mut self) {
        if let Some(bar) = self.bar.take() {
            self.trailing
                .push(bar.interval, bar.open, bar.close, bar.volume);
        }
    }

    /// When the bar in progress opened.
    pub(crate) fn opened(&self) -> Option<Ts> {
        self.bar.map(|bar| bar.ts_open)
    }

    /// A recent price: the open of the bar in progress, else the last close.
    pub(crate) fn last(&self) -> Option<Px> {
        self.bar.map(|bar| bar.open).or(self.trailing.last())
    }

    /// Whether the open of the bar in progress sets off an order that waits.
    pub(crate) fn opens_at_trigger(&self, order: &mut Working) -> bool {
        let open = self.bar.map(|bar| bar.open);
        order.is_waiting() && open.is_some_and(|open| order.is_triggered_by(open))
    }

    /// An order meets the open of the bar in progress.
    pub(crate) fn meet_open(
        &mut self,
        desk: &mut Desk,
        order: &mut Working,
        ts: Ts,
        purse: &dyn Purse,
    ) -> Fate {
        let Some(bar) = self.bar else {
            return Fate::Alive;
        };
        let is_first = !std::mem::replace(&mut order.rests, true);
        if order.is_waiting() || !(is_first || order.is_market()) {
            return Fate::Alive;
        }
        self.take(desk, order, bar.open, ts, purse)
    }

    /// Refuses a post-only order that the touch at a price would fill.
    fn post(desk: &mut Desk, order: &mut Working, px: Px, ts: Ts) -> Fate {
        let touch = desk.against(order, px, desk.costs.touch_ppb, 0, ts);
        if order.takes(touch) {
            return desk.refuse(order, crate::reason::WOULD_CROSS, ts);
        }
        desk.go_on(order, ts)
    }

    /// At the end of a bar: the price at which its range sets off a stop, the worse of trigger
    /// and open. An order that arrived during the bar is taken to have been reached after it.
    pub(crate) fn stopped_at(&self, order: &mut Working) -> Option<Px> {
        let bar = self.bar?;
        let side = order.request.side;
        match order.stop_level().filter(|level| bar.reaches(side, *level)) {
            Some(level) => Some(worse(side, level, bar.open)),
            None if order.request.kind == OrderType::TrailingStop => {
                // Where its level was at the bar's begin was not reached, so the best price
                // may have come first: then it is hit where the bar ends beyond its new level.
                order.is_triggered_by(bar.extreme(side.opposite()));
                order.is_triggered_by(bar.close).then_some(bar.close)
            }
            None => None,
        }
    }

    /// A stop that the range has set off takes its price. What its limit leaves of it rests from
    /// the next bar on: what the range holds may have come before it was set off.
    pub(crate) fn stop(
        &mut self,
        desk: &mut Desk,
        order: &mut Working,
        px: Px,
        ts: Ts,
        purse: &dyn Purse,
    ) -> Fate {
        order.rests = true;
        self.stopped[side_slot(order.request.side)] |= desk.allowed(order) > 0;
        self.take(desk, order, px, ts, purse)
    }

    /// At the end of a bar: the price of a resting limit order that its range traded through by a
    /// tick, unless a stop on the same side was hit: of two exits the worse one happened. So it
    /// does with a take-profit, at its trigger. An order that has not met an open does not rest
    /// yet.
    pub(crate) fn traded_through(&self, desk: &Desk, order: &Working, ts: Ts) -> Option<Px> {
        let (bar, level) = (self.bar?, order.level()?);
        let side = order.request.side;
        if !order.rests || self.stopped[side_slot(side)] {
            return None;
        }
        let tick = desk.instrument(order.request.instrument).tick.at(ts).0 .0;
        let beyond = Px(level.0.saturating_sub(side.sign() * tick));
        bar.reaches(side.opposite(), beyond).then_some(level)
    }

    /// A limit order trades at the price that the range traded through; a take-profit that it has
    /// set off takes it.
    pub(crate) fn reach(
        &mut self,
        desk: &mut Desk,
        order: &mut Working,
        level: Px,
        ts: Ts,
        purse: &dyn Purse,
    ) -> Fate {
        let is_set_off = !std::mem::replace(&mut order.rests, true);
        if is_set_off {
            return self.take(desk, order, level, ts, purse);
        }
        self.trade(desk, order, Offer::Make(level), ts, purse)
    }

    /// An order meets the market at a price; one that may only rest is refused where it would trade.
    fn take(
        &mut self,
        desk: &mut Desk,
        order: &mut Working,
        px: Px,
        ts: Ts,
        purse: &dyn Purse,
    ) -> Fate {
        if order.request.tif == TimeInForce::PostOnly && !order.is_market() {
            return Self::post(desk, order, px, ts);
        }
        self.trade(desk, order, Offer::Take(px), ts, purse)
    }

    /// Trades what the position, the bar's volume and the order's limit allow; what is left
    /// goes on, or ends where nothing of it can trade any more.
    fn trade(
        &mut self,
        desk: &mut Desk,
        order: &mut Working,
        offer: Offer,
        ts: Ts,
        purse: &dyn Purse,
    ) -> Fate {
        let allowed = desk.allowed(order);
        if allowed == 0 {
            return desk.refuse(order, Desk::barred_by(order), ts);
        }
        let qty = self.within_budget(desk, order, allowed, ts);
        let tif = order.request.tif;
        if tif == TimeInForce::Fok && qty < order.left {
            return desk.refuse(order, crate::reason::FOK_NOT_FILLED, ts);
        }
        if qty > 0 {
            let deal = self.deal(desk, order, offer, qty, ts);
            if deal.is_none() && order.is_market() {
                return desk.refuse(order, crate::reason::NO_HISTORY, ts);
            }
            if let Some(deal) = deal.filter(|deal| order.takes(deal.px)) {
                let before = order.left;
                let fate = desk.fill(order, qty, &deal, ts, purse);
                self.budget -= before - order.left;
                if fate == Fate::Done {
                    return Fate::Done;
                }
            }
        }
        if matches!(tif, TimeInForce::Ioc | TimeInForce::Fok) {
            return desk.cancelled(order, ts);
        }
        desk.go_on(order, ts)
    }

    fn deal(&self, desk: &Desk, order: &Working, offer: Offer, qty: i64, ts: Ts) -> Option<Deal> {
        match offer {
            Offer::Take(px) => desk.worsen(order, px, qty, &self.trailing, ts),
            Offer::Make(px) => Some(Deal {
                px,
                reference: px,
                impact: 0,
                is_taker: false,
            }),
        }
    }

    /// The part of `allowed` that the bar's volume covers, in whole lots.
    fn within_budget(&self, desk: &Desk, order: &Working, allowed: i64, ts: Ts) -> i64 {
        if self.budget >= allowed {
            return allowed;
        }
        let lot = desk.instrument(order.request.instrument).lot.at(ts).0 .0;
        self.budget - self.budget % lot
    }
}

fn side_slot(side: Side) -> usize {
    match side {
        Side::Buy => 0,
        Side::Sell => 1,
    }
}
