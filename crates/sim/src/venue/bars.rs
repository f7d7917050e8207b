//! What a bar brings: its open, then its range.

use cq_types::{InstrumentIdx, Px, Side, Ts};

use super::Venue;
use crate::bars::Bar;
use crate::execution::{Fate, Purse};
use crate::order::{Request, Working};

impl Venue {
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
    pub(super) fn meet(&mut self, order: &mut Working, ts: Ts, purse: &dyn Purse) -> Fate {
        let Request { id, instrument, .. } = order.request;
        let at = usize::from(self.legs.market(instrument));
        let market = &self.bars[at];
        match market.opened() {
            Some(open) if order.decided <= open && !self.transit.withdraws(id, open) => {
                if market.opens_at_trigger(order)
                    && self.set_off_on_bars(order, None, ts, purse) == Fate::Done
                {
                    return Fate::Done;
                }
                let market = &mut self.bars[at];
                market.meet_open(&mut self.desk, order, ts, purse)
            }
            _ => Fate::Alive,
        }
    }

    /// A bar ends, `ts` is its last nanosecond: stops, then limits, meet its range; then it is
    /// past.
    ///
    /// Where in the bar a fill happened is not known. So the answer to one is with us by the
    /// bar's end, however long a response takes: a decision at that time knows of it. What was
    /// decided inside the bar is to be at the venue by then, too: see [`Self::hurry`].
    pub fn end_bar(&mut self, instrument: InstrumentIdx, ts: Ts, purse: &dyn Purse) {
        let before = self.desk.answers.len();
        if !self.working.is_empty() {
            let at = usize::from(instrument);
            self.each(instrument, |venue, order| {
                let Some(px) = venue.bars[at].stopped_at(order) else {
                    return Fate::Alive;
                };
                if venue.set_off_on_bars(order, Some(px), ts, purse) == Fate::Done {
                    return Fate::Done;
                }
                venue.bars[at].stop(&mut venue.desk, order, px, ts, purse)
            });
            self.each_from_best(instrument, |venue, order| {
                let Some(px) = venue.bars[at].traded_through(&venue.desk, order, ts) else {
                    return Fate::Alive;
                };
                if order.is_waiting()
                    && venue.set_off_on_bars(order, Some(px), ts, purse) == Fate::Done
                {
                    return Fate::Done;
                }
                venue.bars[at].reach(&mut venue.desk, order, px, ts, purse)
            });
        }
        for answer in &mut self.desk.answers[before..] {
            answer.ts_recv = answer.ts_recv.min(ts.saturating_add(1));
        }
        self.bars[usize::from(instrument)].end();
    }

    /// Sets off an order at a price of the bar in progress, its open where none is given.
    fn set_off_on_bars(
        &mut self,
        order: &mut Working,
        px: Option<Px>,
        ts: Ts,
        purse: &dyn Purse,
    ) -> Fate {
        let open = self.touch(order.request.instrument)[0];
        match px.or(open) {
            Some(px) => self.set_off(order, (px, [Some(px); 2]), ts, purse),
            None => Fate::Alive,
        }
    }

    /// Lets each working order in a market on bars act, oldest first. The others are in place
    /// meanwhile: what works counts for the margin of what is set off.
    pub(super) fn each(
        &mut self,
        instrument: InstrumentIdx,
        mut act: impl FnMut(&mut Self, &mut Working) -> Fate,
    ) {
        let mut at = 0;
        while at < self.working.len() {
            let own = self.working[at].request.instrument;
            if self.legs.market(own) == instrument && self.act(at, &mut act) == Fate::Done {
                self.working.remove(at);
            } else {
                at += 1;
            }
        }
    }

    /// One working order acts.
    fn act(&mut self, at: usize, act: &mut impl FnMut(&mut Self, &mut Working) -> Fate) -> Fate {
        let mut order = self.working[at].clone();
        let fate = act(self, &mut order);
        self.working[at] = order;
        fate
    }

    /// As [`Self::each`], but of the orders of a side the best price acts first: no price is
    /// reached before the better ones, which have then taken the volume and the position.
    fn each_from_best(
        &mut self,
        instrument: InstrumentIdx,
        mut act: impl FnMut(&mut Self, &mut Working) -> Fate,
    ) {
        let orders = &self.working;
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
            let next = match self.working[at].request.side {
                Side::Buy => bids.next(),
                Side::Sell => asks.next(),
            };
            if let Some(at) = next {
                done[at] = self.act(at, &mut act) == Fate::Done;
                if done[at] {
                    // Until it is taken out nothing of it works.
                    self.working[at].left = 0;
                }
            }
        }
        let mut done = done.into_iter();
        self.working.retain(|_| done.next() != Some(true));
    }
}
