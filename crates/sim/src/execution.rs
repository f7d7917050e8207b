use std::sync::Arc;

use cq_ledger::fee;
use cq_types::{
    round_money, Account, Contract, Event, Instrument, InstrumentIdx, Px, Qty, Side, Ts,
};
use rust_decimal::Decimal;

use crate::latency::Latency;
use crate::models::{Costs, Impact, PPB};
use crate::order::{Amendment, Request, Working};
use crate::positions::Positions;
use crate::rules::reason;
use crate::trailing::Trailing;
use crate::venue::{Asked, OpenOrder, Venue};

/// What the account can still pay with; asked before a spot order works or is filled.
pub trait Purse {
    /// Whether the owners of `order` can pay `cost` for `qty` in the settle asset, after
    /// what the `unseen` answers have already spent.
    fn can_pay(
        &self,
        order: u64,
        instrument: InstrumentIdx,
        qty: Qty,
        cost: Decimal,
        unseen: &[Event<Account>],
    ) -> bool;

    /// Whether the owners of a spot order have what `qty` of it takes from them beside money of a
    /// purchase: the coins of those that sell, and `cost` of those that buy from them.
    fn can_deliver(
        &self,
        _order: u64,
        _instrument: InstrumentIdx,
        _qty: Qty,
        _cost: Decimal,
        _unseen: &[Event<Account>],
    ) -> bool {
        true
    }

    /// Whether the owners of a spot order that arrives have free what all of it takes, beside what
    /// the spot orders that `work` have locked.
    fn can_lock(
        &self,
        _asked: &OpenOrder,
        _work: &mut dyn Iterator<Item = OpenOrder>,
        _unseen: &[Event<Account>],
    ) -> bool {
        true
    }

    /// Why an order of a contract that its trigger has just set off may not open: what is free does
    /// not margin it, or its position would be too large. `venue` tells what works beside it, and of
    /// what nobody has been told yet.
    fn bars(&self, _asked: &Asked, _venue: &Venue, _ts: Ts) -> Option<&'static str> {
        None
    }
}

/// A purse without a bottom, for a venue that nobody keeps money for.
#[derive(Debug, Clone, Copy)]
pub struct Bottomless;

impl Purse for Bottomless {
    fn can_pay(&self, _: u64, _: InstrumentIdx, _: Qty, _: Decimal, _: &[Event<Account>]) -> bool {
        true
    }
}

/// A price for a quantity, and what it is made of.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) struct Deal {
    pub(crate) px: Px,
    pub(crate) reference: Px,
    /// Own impact in grid units, positive if it cost.
    pub(crate) impact: i64,
    pub(crate) is_taker: bool,
}

/// Whether an order goes on after an event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fate {
    Alive,
    Done,
}

/// What both ways of matching share: positions, costs, and the answers on their way.
pub(crate) struct Desk {
    pub(crate) instruments: Arc<[Instrument]>,
    pub(crate) costs: Costs,
    pub(crate) latency: Box<dyn Latency>,
    pub(crate) impact: Box<dyn Impact>,
    pub(crate) needs_history: bool,
    pub(crate) positions: Positions,
    pub(crate) answers: Vec<Event<Account>>,
    /// When the last answer that travelled reaches us: one connection, nothing overtakes.
    pub(crate) heard: Ts,
}

impl Desk {
    pub(crate) fn instrument(&self, index: InstrumentIdx) -> &Instrument {
        &self.instruments[usize::from(index)]
    }

    /// How much of an order may trade now: reduce-only and spot sales stop at the position.
    pub(crate) fn allowed(&self, order: &Working) -> i64 {
        let request = &order.request;
        let position = self.positions.of(request.instrument);
        let against = (-position * request.side.sign()).max(0);
        let is_spot = self.instrument(request.instrument).contract == Contract::Spot;
        if request.only_reduces() || (is_spot && request.side == Side::Sell) {
            order.left.min(against)
        } else {
            order.left
        }
    }

    /// Why [`Self::allowed`] is zero.
    pub(crate) fn barred_by(order: &Working) -> &'static str {
        if order.request.only_reduces() {
            reason::REDUCE_ONLY
        } else {
            reason::INSUFFICIENT_BALANCE
        }
    }

    /// A taker's deal in bars mode: `reference` worsened by spread and impact, rounded to the
    /// tick against us. Impact is that of the order as a whole: a slice pays what it adds to
    /// the slices before it. `None` where no past bar tells what the impact would be.
    pub(crate) fn worsen(
        &self,
        order: &Working,
        reference: Px,
        qty: i64,
        trailing: &Trailing,
        ts: Ts,
    ) -> Option<Deal> {
        let impact = if self.needs_history {
            let (sigma, volume) = trailing.day()?;
            let (before, now) = ((order.request.qty.0 - order.left) as f64, qty as f64);
            // After a day without a trade we would be all of the volume.
            let volume = volume.max(before + now);
            let fraction = self.impact.fraction(before, now, volume, sigma);
            #[allow(clippy::cast_possible_truncation)] // a few grid units of a price
            let units = (reference.0 as f64 * fraction * self.costs.multiplier_f64).ceil() as i64;
            units
        } else {
            0
        };
        let px = self.against(order, reference, self.costs.spread_ppb, impact, ts);
        Some(Deal {
            px,
            reference,
            impact,
            is_taker: true,
        })
    }

    /// `reference` moved against us by a fraction and by grid units, then to the next tick.
    pub(crate) fn against(
        &self,
        order: &Working,
        reference: Px,
        fraction_ppb: i64,
        units: i64,
        ts: Ts,
    ) -> Px {
        let request = &order.request;
        let tick = i128::from(self.instrument(request.instrument).tick.at(ts).0 .0);
        let base = i128::from(reference.0);
        let move_ppb = base * i128::from(fraction_ppb) + i128::from(units) * PPB;
        let worse = base * PPB + i128::from(request.side.sign()) * move_ppb;
        let step = tick * PPB;
        let ticks = match request.side {
            Side::Buy => -(-worse).div_euclid(step),
            Side::Sell => worse.div_euclid(step),
        };
        let px = (ticks.max(1) * tick).min(i128::from(i64::MAX));
        #[allow(clippy::cast_possible_truncation)] // bounded on the line above
        Px(px as i64)
    }

    /// Books a fill on the venue's position and answers; an unpaid purchase is refused.
    pub(crate) fn fill(
        &mut self,
        order: &mut Working,
        qty: i64,
        deal: &Deal,
        ts: Ts,
        purse: &dyn Purse,
    ) -> Fate {
        let request = order.request;
        let instrument = self.instrument(request.instrument);
        let paid = fee(instrument, deal.px, Qty(qty), deal.is_taker, ts);
        let Ok(paid) = paid.map(|f| self.stressed(f)) else {
            return self.refuse(order, reason::TOO_LARGE, ts);
        };
        if instrument.contract == Contract::Spot {
            let cost = instrument.notional(deal.px, Qty(qty)) + paid;
            let Request { id, instrument, .. } = request;
            let (unseen, qty) = (&self.answers, Qty(qty));
            let is_paid =
                request.side == Side::Sell || purse.can_pay(id, instrument, qty, cost, unseen);
            if !(is_paid && purse.can_deliver(id, instrument, qty, cost, unseen)) {
                return self.refuse(order, reason::INSUFFICIENT_BALANCE, ts);
            }
        }
        let impact = Decimal::new(deal.impact, u32::from(instrument.grid.price_exp));
        let signed = request.side.sign() * qty;
        self.positions.trade(request.instrument, signed, ts);
        order.left -= qty;
        self.answer(
            order,
            ts,
            Account::Fill {
                order: request.id,
                px: deal.px,
                qty: Qty(qty),
                side: request.side,
                is_taker: deal.is_taker,
                fee: paid,
                reference: deal.reference,
                impact,
            },
        );
        if order.left == 0 {
            Fate::Done
        } else {
            Fate::Alive
        }
    }

    /// Ends an order that cannot go on: a rejection, or a cancellation once it was accepted.
    pub(crate) fn refuse(&mut self, order: &Working, reason: &'static str, ts: Ts) -> Fate {
        if order.acked || order.left < order.request.qty.0 {
            return self.expire(order, reason, ts);
        }
        let id = order.request.id;
        self.answer(order, ts, Account::Reject { order: id, reason });
        Fate::Done
    }

    /// Ends an order as was asked for, or as one that is not to wait.
    pub(crate) fn cancelled(&mut self, order: &Working, ts: Ts) -> Fate {
        self.expire(order, "", ts)
    }

    /// Ends an order that the venue has accepted, for a reason of the venue.
    pub(crate) fn expire(&mut self, order: &Working, reason: &'static str, ts: Ts) -> Fate {
        let order_id = order.request.id;
        let said = Account::Cancelled {
            order: order_id,
            reason,
        };
        self.answer(order, ts, said);
        Fate::Done
    }

    /// Gives an order another price, trigger or quantity; `None` where that ends it, as no more
    /// than has traded is wanted.
    pub(crate) fn amend(&mut self, order: &Working, to: Amendment, ts: Ts) -> Option<Working> {
        if to.qty.0 <= order.request.qty.0 - order.left {
            self.cancelled(order, ts);
            return None;
        }
        let order = order.amended(to);
        let said = Account::Amended {
            order: order.request.id,
            px: order.request.price,
            qty: order.request.qty,
            stop: order.request.stop,
        };
        self.answer(&order, ts, said);
        Some(order)
    }

    /// Says that a cancellation or an amendment does nothing: an order works on as it was, or
    /// there is none.
    pub(crate) fn keep(
        &mut self,
        instrument: InstrumentIdx,
        order: u64,
        reason: &'static str,
        ts: Ts,
    ) {
        self.tell(instrument, Account::Kept { order, reason }, ts);
    }

    /// Says, by `known`, that the venue turned a message away before its engine saw it.
    pub(crate) fn turn_away(
        &mut self,
        instrument: InstrumentIdx,
        body: Account,
        (ts, known): (Ts, Ts),
    ) {
        self.heard = self.heard.max(known);
        self.push(instrument, (ts, self.heard), body);
    }

    pub(crate) fn ack(&mut self, order: &mut Working, ts: Ts) {
        if !order.acked && order.left == order.request.qty.0 {
            order.acked = true;
            let id = order.request.id;
            self.answer(order, ts, Account::Ack { order: id });
        }
    }

    /// An order that waited acts from now on. It is said of one with a limit price: of another
    /// one its fills say it.
    pub(crate) fn triggered(&mut self, order: &Working, ts: Ts) {
        if order.acked && order.request.price.is_some() {
            let id = order.request.id;
            self.answer(order, ts, Account::Triggered { order: id });
        }
    }

    fn answer(&mut self, order: &Working, ts: Ts, body: Account) {
        let instrument = order.request.instrument;
        if order.forced {
            self.push(instrument, (ts, ts), body);
        } else {
            self.tell(instrument, body, ts);
        }
    }

    /// Says something that takes the way back to us.
    pub(crate) fn tell(&mut self, instrument: InstrumentIdx, body: Account, ts: Ts) {
        self.heard = self.heard.max(self.latency.response(ts));
        self.push(instrument, (ts, self.heard), body);
    }

    fn push(&mut self, instrument: InstrumentIdx, (ts_event, ts_recv): (Ts, Ts), body: Account) {
        self.answers.push(Event {
            ts_event,
            ts_recv,
            seq: 0,
            flags: 0,
            instrument,
            body,
        });
    }

    fn stressed(&self, fee: Decimal) -> Decimal {
        if fee > Decimal::ZERO {
            round_money(fee * self.costs.multiplier)
        } else {
            fee
        }
    }

    /// Whether anything of a reducing order can still trade; ends it where not.
    pub(crate) fn go_on(&mut self, order: &Working, ts: Ts) -> Fate {
        if order.is_waiting() || self.allowed(order) > 0 {
            Fate::Alive
        } else {
            self.refuse(order, Self::barred_by(order), ts)
        }
    }
}
