//! How the oracle lets an order take.

use cq_sim::{reason, Purse, Request, SelfTrade, TimeInForce};
use cq_types::{Account, Contract, Px, Qty, Side, Ts};
use rust_decimal::{Decimal, RoundingStrategy};

use super::engine::{barred, Fate, Oracle};
use super::order::{sort, Own};
use super::queue::History;

impl Oracle {
    pub(super) fn meet(&mut self, order: &mut Own, ts: Ts, purse: &dyn Purse) -> Fate {
        let at = usize::from(order.request.instrument);
        let (side, theirs) = (order.request.side, order.request.side.opposite());
        let market = &self.markets[at];
        if !market.is_known() && market.quote.is_none() {
            return self.refuse(order, reason::NO_BOOK, ts);
        }
        let best = market.best(theirs);
        let worst = order.limit().or_else(|| self.bound(at, side, ts));
        let is_in = |px: i64| match (side, worst) {
            (Side::Buy, Some(worst)) => px <= worst,
            (Side::Sell, Some(worst)) => px >= worst,
            (_, None) => true,
        };
        let crosses = best.is_some_and(|(px, _)| is_in(px));
        if order.limit().is_none() && best.is_some() && !crosses {
            return self.refuse(order, reason::BEYOND_BOUND, ts);
        }
        if crosses && order.request.tif == TimeInForce::PostOnly && order.limit().is_some() {
            return self.refuse(order, reason::WOULD_CROSS, ts);
        }
        let wanted = self.may_trade(order);
        if wanted == 0 {
            return self.refuse(order, barred(order), ts);
        }
        let offered = self.markets[at].offered(theirs, worst);
        let walks = self.config.matching.walks_book;
        if order.request.tif == TimeInForce::Fok {
            let there: i64 = offered.iter().map(|(_, qty)| qty).sum();
            let is_there = if walks { there >= wanted } else { crosses };
            if !is_there || wanted < order.left() {
                return self.refuse(order, reason::FOK_NOT_FILLED, ts);
            }
        }
        if self.meets_itself(order, (wanted, worst), &offered, ts) {
            return self.refuse(order, reason::SELF_TRADE, ts);
        }
        if crosses {
            let best = best.unwrap().0;
            let reference = self.markets[at].mid(side == Side::Buy).unwrap_or(best);
            let steps = if walks { offered } else { vec![(best, wanted)] };
            let mut want = wanted;
            for (px, there) in steps {
                let qty = there.min(want);
                if qty == 0 {
                    break;
                }
                let impact = (px - best).abs();
                if !self.fill(order, (px, qty), (reference, impact), true, ts, purse) {
                    return self.refuse(order, reason::INSUFFICIENT_BALANCE, ts);
                }
                if walks {
                    self.markets[at].consume(theirs, px, qty);
                }
                want -= qty;
            }
            if order.left() == 0 {
                return Fate::Ends;
            }
        }
        if order.takes_at_once_only() {
            return self.end(order, ts);
        }
        order.history = History::new(self.place(at, side, order.limit().unwrap()));
        self.goes_on(order, ts)
    }

    /// How far from the mark a market order may trade.
    fn bound(&self, at: usize, side: Side, ts: Ts) -> Option<i64> {
        let rules = &self.instruments[at];
        let (bands, is_sourced) = rules.price_bands.as_ref()?.at(ts);
        let mark = self.mark(at).filter(|_| is_sourced)?;
        let part = mark.0 as f64 * f64::try_from(bands.take).unwrap();
        #[allow(clippy::cast_possible_truncation)] // whole grid units: small prices
        let part = (part + 1e-9).floor() as i64;
        Some(mark.0 + side.sign() * part)
    }

    /// What rests before an order that comes to a price, where that is known.
    pub(super) fn place(&self, at: usize, side: Side, px: i64) -> Option<i64> {
        let market = &self.markets[at];
        if market.is_known() {
            let is_blind = self.config.matching.snapshot_edge && !market.tells(side, px);
            return (!is_blind).then(|| market.at(side, px));
        }
        let (best, qty) = market.best(side)?;
        let is_better = if side == Side::Buy {
            px > best
        } else {
            px < best
        };
        if px == best {
            Some(qty)
        } else {
            is_better.then_some(0)
        }
    }

    /// A reducing order ends where nothing can be reduced any more.
    pub(super) fn goes_on(&mut self, order: &Own, ts: Ts) -> Fate {
        if self.may_trade(order) > 0 {
            return Fate::Works;
        }
        self.refuse(order, barred(order), ts)
    }

    /// Our own orders stand behind all others at their price: an order meets those that lie
    /// before the price at which it is filled. Returns whether it may not go on.
    pub(super) fn meets_itself(
        &mut self,
        order: &Own,
        (wanted, worst): (i64, Option<i64>),
        offered: &[(i64, i64)],
        ts: Ts,
    ) -> bool {
        let rule = self.config.matching.self_trade;
        if rule == SelfTrade::Ignore {
            return false;
        }
        let mut needed = wanted;
        let filled_at = offered.iter().find(|(_, qty)| {
            needed -= qty;
            needed <= 0
        });
        let buys = order.request.side == Side::Buy;
        let is_met = |own: &Own| {
            let Some(px) = own.limit() else { return false };
            let is_before = |at: i64| if buys { px < at } else { px > at };
            own.request.instrument == order.request.instrument
                && own.request.side != order.request.side
                && match (filled_at, worst) {
                    (Some((at, _)), _) => is_before(*at),
                    (None, Some(limit)) => is_before(limit) || px == limit,
                    (None, None) => true,
                }
        };
        let mut met: Vec<_> = self.orders.iter().filter(|o| is_met(o)).cloned().collect();
        sort(&mut met);
        if met.is_empty() {
            return false;
        }
        if rule != SelfTrade::ExpireTaker {
            for own in &met {
                self.leave(own.request.instrument, own.request.id);
                self.expire(own, reason::SELF_TRADE, ts);
            }
        }
        rule != SelfTrade::ExpireMaker
    }

    /// Returns whether it could be paid.
    pub(super) fn fill(
        &mut self,
        order: &mut Own,
        (px, qty): (i64, i64),
        (reference, impact): (i64, i64),
        is_taker: bool,
        ts: Ts,
        purse: &dyn Purse,
    ) -> bool {
        let at = usize::from(order.request.instrument);
        let rules = &self.instruments[at];
        let Request { id, side, .. } = order.request;
        let (price, size) = (rules.grid.price(Px(px)), rules.grid.quantity(Qty(qty)));
        let size = size * rules.multiplier;
        let notional = match rules.contract {
            Contract::Inverse => size / price,
            _ => size * price,
        };
        let rates = rules.fees.at(ts).0;
        let rate = if is_taker { rates.taker } else { rates.maker };
        let half_even = RoundingStrategy::MidpointNearestEven;
        let fee = (notional * rate).round_dp_with_strategy(8, half_even);
        let buys_asset = rules.contract == Contract::Spot && side == Side::Buy;
        let instrument = order.request.instrument;
        if buys_asset && !purse.can_pay(id, instrument, Qty(qty), notional + fee, &self.answers) {
            return false;
        }
        let impact = Decimal::new(impact, u32::from(rules.grid.price_exp));
        order.filled += qty;
        self.positions[at] += if side == Side::Buy { qty } else { -qty };
        let (px, reference) = (Px(px), Px(reference));
        let qty = Qty(qty);
        let body = Account::Fill {
            order: id,
            px,
            qty,
            side,
            is_taker,
            fee,
            reference,
            impact,
        };
        self.say(instrument, ts, body);
        true
    }
}
