//! An order at the oracle's venue.

use cq_sim::{OrderType, Request, TimeInForce};
use cq_types::{Px, Side};

use super::queue::History;

#[derive(Debug, Clone)]
pub(crate) struct Own {
    pub(crate) request: Request,
    pub(crate) filled: i64,
    /// Order of coming to its place: of orders at one price the lowest is the first.
    pub(crate) age: u64,
    pub(crate) has_fired: bool,
    pub(crate) is_acked: bool,
    /// Best price since a trailing stop was activated.
    pub(crate) best_seen: Option<i64>,
    pub(crate) history: History,
}

impl Own {
    pub(crate) fn new(request: Request) -> Self {
        Self {
            request,
            filled: 0,
            age: 0,
            has_fired: false,
            is_acked: false,
            best_seen: None,
            history: History::new(None),
        }
    }

    pub(crate) fn left(&self) -> i64 {
        self.request.qty.0 - self.filled
    }

    pub(crate) fn waits(&self) -> bool {
        let kinds = [
            OrderType::Stop,
            OrderType::TakeProfit,
            OrderType::TrailingStop,
        ];
        kinds.contains(&self.request.kind) && !self.has_fired
    }

    /// Its limit, once it is a limit order.
    pub(crate) fn limit(&self) -> Option<i64> {
        if self.waits() || self.request.kind == OrderType::Market {
            return None;
        }
        self.request.price.map(|px| px.0)
    }

    pub(crate) fn takes_at_once_only(&self) -> bool {
        let tifs = [TimeInForce::Ioc, TimeInForce::Fok];
        self.limit().is_none() || tifs.contains(&self.request.tif)
    }

    pub(crate) fn only_reduces(&self) -> bool {
        self.request.reduce_only || self.request.close_position
    }

    /// Whether it rests at a price that a trade or a best price at `px` reaches.
    pub(crate) fn is_reached(&self, px: i64) -> bool {
        match (self.limit(), self.request.side) {
            (Some(limit), Side::Buy) => limit >= px,
            (Some(limit), Side::Sell) => limit <= px,
            (None, _) => false,
        }
    }

    /// Whether `px` sets it off; a trailing stop follows the price first.
    pub(crate) fn sees(&mut self, px: Px) -> bool {
        let (px, buys) = (px.0, self.request.side == Side::Buy);
        let Request {
            kind,
            stop,
            callback_ppm,
            ..
        } = self.request;
        match kind {
            OrderType::Stop if buys => px >= stop.unwrap().0,
            OrderType::Stop => px <= stop.unwrap().0,
            OrderType::TakeProfit if buys => px <= stop.unwrap().0,
            OrderType::TakeProfit => px >= stop.unwrap().0,
            OrderType::TrailingStop => {
                let is_active = self.best_seen.is_some()
                    || stop.is_none_or(|from| if buys { px <= from.0 } else { px >= from.0 });
                if !is_active {
                    return false;
                }
                let best = self.best_seen.unwrap_or(px);
                let best = if buys { best.min(px) } else { best.max(px) };
                self.best_seen = Some(best);
                // A millionth part at a time, in whole numbers: no rounding in the comparison
                // but that of the trigger, which goes towards the best price.
                let (best, part) = (i128::from(best), i128::from(callback_ppm));
                if buys {
                    i128::from(px) >= best * (1_000_000 + part) / 1_000_000
                } else {
                    let up = (best * (1_000_000 - part) + 999_999) / 1_000_000;
                    i128::from(px) <= up
                }
            }
            OrderType::Market | OrderType::Limit => false,
        }
    }
}

/// Best price first, then oldest.
pub(crate) fn sort(own: &mut [Own]) {
    own.sort_by_key(|o| {
        let px = o.limit().unwrap_or(0);
        (if o.request.side == Side::Buy { -px } else { px }, o.age)
    });
}
