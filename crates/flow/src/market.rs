use cq_types::{Side, Ts, NS_PER_S};

use crate::alias::Alias;
use crate::half::Half;
use crate::parameters::Parameters;
use crate::quantiles::lots;
use crate::rng::Rng;
use crate::takers::Takers;
use crate::FlowError;

/// Ticks that a taker's order may reach behind the touch; the rest of it is cancelled.
const TAKER_LIMIT: i64 = 1000;

/// Best bid and ask, prices in ticks, quantities in lots.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touch {
    /// Highest bid and its quantity.
    pub bid: (i64, i64),
    /// Lowest ask and its quantity.
    pub ask: (i64, i64),
}

/// Hears what happens in a [`Market`] as it happens.
pub trait Listener {
    /// A taker's fill at a price in ticks, lots, by its side.
    fn trade(&mut self, ts: Ts, px: i64, qty: i64, side: Side);
    /// The touch changed; `update` counts the level changes so far.
    fn touch(&mut self, ts: Ts, touch: Touch, update: i64);
}

/// The book and everybody who acts on it.
#[derive(Debug, Clone)]
pub struct Market {
    parameters: Parameters,
    rng: Rng,
    bids: Half,
    asks: Half,
    takers: Takers,
    bands: Alias,
    /// Mean ns between two tries of limit orders at activity 1.
    order_gap: f64,
    activity: f64,
    lean: f64,
    now: Ts,
    next_order: Ts,
    next_taker: Ts,
    next_close: Option<Ts>,
    /// Whose touch went last.
    vacated: Side,
}

impl Market {
    /// A market at its first price with a full book, at time `start`.
    ///
    /// # Errors
    /// [`FlowError`] when the parameters make no market.
    pub fn new(parameters: Parameters, seed: u64, start: Ts) -> Result<Self, FlowError> {
        parameters.check()?;
        Ok(Self::with(parameters, Rng::new(seed), start))
    }

    pub(crate) fn with(parameters: Parameters, mut rng: Rng, start: Ts) -> Self {
        let mut half = |side: Side| {
            let best = parameters.price + i64::from(side == Side::Sell);
            full_half(&parameters, side, best, &mut rng)
        };
        let (bids, asks) = (half(Side::Buy), half(Side::Sell));
        let tries = tries(&parameters);
        let order_gap = NS_PER_S as f64 / (2.0 * tries.iter().sum::<f64>());
        Self {
            bands: Alias::new(&tries),
            takers: Takers::new(parameters.taking.clone(), &mut rng),
            bids,
            asks,
            rng,
            order_gap,
            activity: 1.0,
            lean: 0.0,
            now: start,
            next_order: start,
            next_taker: start,
            next_close: None,
            vacated: Side::Buy,
            parameters,
        }
    }

    /// Sets how busy the market is, and how the takers lean, from now on.
    pub fn drive(&mut self, activity: f64, lean: f64) {
        self.activity = activity;
        self.lean = lean;
    }

    /// Lets everything happen that happens before `until`.
    pub fn advance<L: Listener>(&mut self, until: Ts, to: &mut L) {
        loop {
            let due = self.next_order.min(self.next_taker);
            let due = self.next_close.map_or(due, |close| due.min(close));
            if due >= until {
                self.now = until;
                return;
            }
            self.now = due;
            let before = self.touch();
            if self.next_close == Some(due) {
                self.next_close = None;
                self.close();
            } else if self.next_taker == due {
                self.take(to);
                let gap = self.takers.gap(&mut self.rng) * 1e6 / self.activity;
                self.next_taker = due.saturating_add(ns(gap));
            } else {
                self.order();
                let gap = self.order_gap * self.rng.exponential() / self.activity;
                self.next_order = due.saturating_add(ns(gap).max(1));
            }
            let touch = self.touch();
            if touch != before {
                to.touch(due, touch, self.updates());
                if touch.ask.0 - touch.bid.0 > 1 && self.next_close.is_none() {
                    self.schedule_close();
                }
            }
        }
    }

    /// Best bid and ask.
    #[must_use]
    pub fn touch(&self) -> Touch {
        Touch {
            bid: (self.bids.best(), self.bids.best_qty()),
            ask: (self.asks.best(), self.asks.best_qty()),
        }
    }

    /// Level changes so far.
    #[must_use]
    pub fn updates(&self) -> i64 {
        i64::try_from(self.bids.changes() + self.asks.changes()).unwrap_or(i64::MAX)
    }

    /// Levels of a side from the touch outwards.
    pub fn levels(&self, side: Side) -> impl Iterator<Item = (i64, i64)> + '_ {
        self.half(side).levels()
    }

    /// Hands over a side's levels that changed since the last call, ascending by price.
    pub fn take_changed(&mut self, side: Side, out: &mut Vec<(i64, i64)>) {
        self.half_mut(side).take_changed(out);
    }

    fn half(&self, side: Side) -> &Half {
        match side {
            Side::Buy => &self.bids,
            Side::Sell => &self.asks,
        }
    }

    fn half_mut(&mut self, side: Side) -> &mut Half {
        match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        }
    }

    /// A limit order arrives, is changed or is cancelled; or nothing happens, where the try
    /// fell on a price at which things happen less often.
    fn order(&mut self) {
        let side = if self.rng.bit() {
            Side::Buy
        } else {
            Side::Sell
        };
        match self.bands.draw(&mut self.rng) {
            0 => self.touch_order(side),
            band => self.band_order(side, band - 1),
        }
    }

    fn touch_order(&mut self, side: Side) {
        let (px, qty) = (self.half(side).best(), self.half(side).best_qty());
        let touch = &self.parameters.touch;
        let rank = touch.queue.rank(qty as f64, &mut self.rng);
        let cancel = touch.cancel / (touch.cancel + touch.change);
        if self.rng.is_hit(cancel * 2.0 * (1.0 - rank)) {
            self.vacated = side;
            self.half_mut(side).set(px, 0);
            return;
        }
        let rank = walk(rank, touch.renew, touch.step, &mut self.rng);
        let qty = lots(touch.queue.at(rank));
        self.half_mut(side).set(px, qty);
    }

    fn band_order(&mut self, side: Side, band: usize) {
        let band = &self.parameters.bands[band];
        let width = (band.to - band.from).unsigned_abs();
        let distance = band.from + self.rng.below(width).cast_signed();
        let half = match side {
            Side::Buy => &mut self.bids,
            Side::Sell => &mut self.asks,
        };
        let px = half.price(distance);
        if px < 1 {
            return;
        }
        let qty = half.at(px);
        let (stay, chance) = (band.cancel + band.change, self.rng.unit());
        let busiest = band.arrival.max(stay);
        if qty == 0 {
            if chance * busiest < band.arrival {
                half.set(px, arriving(&band.queue, &mut self.rng));
            }
        } else if chance * busiest < stay {
            let rank = band.queue.rank(qty as f64, &mut self.rng);
            if self.rng.is_hit(band.cancel / stay * 2.0 * (1.0 - rank)) {
                half.set(px, 0);
            } else {
                let rank = walk(rank, band.renew, band.step, &mut self.rng);
                let new = lots(band.queue.at(rank));
                if new != qty {
                    half.set(px, new);
                }
            }
        }
    }

    /// Somebody quotes inside a spread of more than a tick.
    fn close(&mut self) {
        let (bid, ask) = (self.bids.best(), self.asks.best());
        let gap = ask - bid - 1;
        if gap < 1 {
            return;
        }
        let closing = self.parameters.closing;
        let side = if self.rng.is_hit(closing.follow) {
            self.vacated.opposite()
        } else {
            self.vacated
        };
        let by = if self.rng.is_hit(closing.whole) {
            gap
        } else {
            1 + self.rng.below(gap.unsigned_abs()).cast_signed()
        };
        let fresh = self.parameters.touch.fresh.draw_lots(&mut self.rng);
        let best = self.half(side).price(-by);
        self.half_mut(side).improve(best, fresh);
        for distance in 1..by {
            if self.rng.is_hit(closing.trail) {
                let qty = arriving(band_at(&self.parameters, distance), &mut self.rng);
                let px = self.half(side).price(distance);
                self.half_mut(side).set(px, qty);
            }
        }
        if by < gap {
            self.schedule_close();
        }
    }

    fn schedule_close(&mut self) {
        let delay = self.parameters.closing.delay * NS_PER_S as f64 / self.activity;
        let delay = ns(delay * self.rng.exponential()).max(1);
        self.next_close = Some(self.now.saturating_add(delay));
    }

    /// A taker's order walks the other side.
    fn take<L: Listener>(&mut self, to: &mut L) {
        let touch = self.touch();
        let bids = touch.bid.1 as f64 / (touch.bid.1 + touch.ask.1) as f64;
        let is_buy = self.takers.is_buy(self.lean, bids, &mut self.rng);
        let side = if is_buy { Side::Buy } else { Side::Sell };
        let hit = side.opposite();
        let mut left = self.takers.size(&mut self.rng);
        let start = self.half(hit).best();
        while left > 0 && (self.half(hit).best() - start).abs() <= TAKER_LIMIT {
            let (px, mut resting) = (self.half(hit).best(), self.half(hit).best_qty());
            while left > 0 && resting > 0 {
                let fill = self.takers.fill(left, &mut self.rng).min(resting);
                to.trade(self.now, px, fill, side);
                left -= fill;
                resting -= fill;
            }
            if resting == 0 {
                self.vacated = hit;
            }
            self.half_mut(hit).set(px, resting);
        }
    }
}

/// Tries per second of one side by band, the touch first: often enough for the busier of
/// prices with a level and prices without.
fn tries(parameters: &Parameters) -> Vec<f64> {
    let touch = parameters.touch.change + parameters.touch.cancel;
    let bands = parameters
        .bands
        .iter()
        .map(|band| band.arrival.max(band.cancel + band.change) * (band.to - band.from) as f64);
    std::iter::once(touch).chain(bands).collect()
}

/// A side as it is on average: a level is there as often as arrivals and cancels make it.
fn full_half(parameters: &Parameters, side: Side, best: i64, rng: &mut Rng) -> Half {
    let qty = parameters.touch.queue.draw_lots(rng);
    let mut half = Half::new(side.sign(), parameters.reach(), best, qty);
    for band in &parameters.bands {
        let occupied = band.arrival / (band.arrival + band.cancel);
        for distance in band.from..band.to {
            if rng.is_hit(occupied) {
                half.set(half.price(distance), band.queue.draw_lots(rng));
            }
        }
    }
    half
}

fn band_at(parameters: &Parameters, distance: i64) -> &crate::Quantiles {
    let at = parameters.bands.partition_point(|band| band.to <= distance);
    &parameters.bands[at.min(parameters.bands.len() - 1)].queue
}

/// Quantity of a level that arrives: small as often as small ones are cancelled, so that
/// those that are there keep their distribution.
fn arriving(queue: &crate::Quantiles, rng: &mut Rng) -> i64 {
    lots(queue.at(1.0 - rng.unit().sqrt()))
}

/// A step of a walk on [0, 1] that reflects at both ends or jumps anywhere: ranks stay uniform.
fn walk(rank: f64, renew: f64, step: f64, rng: &mut Rng) -> f64 {
    if rng.is_hit(renew) {
        return rng.unit();
    }
    let moved = (rank + step * (2.0 * rng.unit() - 1.0)).abs();
    if moved > 1.0 {
        2.0 - moved
    } else {
        moved
    }
}

#[allow(clippy::cast_possible_truncation)] // a delay far below 2^53 ns, or saturated
fn ns(value: f64) -> Ts {
    value as Ts
}
