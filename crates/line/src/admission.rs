//! What an order that arrives, or that its trigger sets off, is asked for: its margin, and that its
//! position is no larger than the leverage allows.

use std::borrow::Cow;

use cq_ledger::{approx, Fill, LedgerError, MarginAccount, OpenOrders, Opening, RoughOrders};
use cq_sim::{reason, Asked, OpenOrder, Purse, Venue};
use cq_types::{Contract, InstrumentIdx, Px, Qty, Side, Ts};
use rust_decimal::Decimal;

use crate::custody::{take, Custody};

/// What becomes of an order that may open.
enum Verdict {
    /// There is no margin to be had, or no price: nobody asks.
    Unasked,
    Taken,
    Refused(&'static str),
}

impl Custody {
    /// Lets the next message arrive; an order, or what an amendment makes of one, is refused
    /// where its margin is not there or its position too large.
    pub(crate) fn admit(
        &mut self,
        venue: &mut Venue,
        purse: &dyn Purse,
        ts: Ts,
    ) -> Result<(), LedgerError> {
        if let Some(asked) = venue.next_asked() {
            self.examine(venue, &asked, ts)?;
        }
        venue.arrive(&self.till(purse));
        Ok(())
    }

    fn examine(&self, venue: &mut Venue, asked: &Asked, ts: Ts) -> Result<(), LedgerError> {
        if asked.request.only_reduces() {
            return Ok(());
        }
        let instrument = asked.request.instrument;
        match self.judge((&self.account, &self.marks), venue, asked, ts)? {
            Verdict::Unasked => {}
            Verdict::Taken => venue.bar(instrument, None),
            Verdict::Refused(reason) => venue.bar(instrument, Some(reason)),
        }
        Ok(())
    }

    /// Why an order that its trigger has just set off may not open: judged with what was traded in
    /// the same moment and what that pays of funding near it, and at the price that set it off where
    /// that is the mark.
    pub(crate) fn bars_set_off(
        &self,
        venue: &Venue,
        asked: &Asked,
        ts: Ts,
    ) -> Result<Option<&'static str>, LedgerError> {
        let mut account = Cow::Borrowed(&self.account);
        let mut jitter = Cow::Borrowed(&self.jitter);
        for fill in venue.unheard().iter().filter_map(Fill::of) {
            let own = account.to_mut();
            for (at, cost) in take(own, jitter.to_mut(), &fill)? {
                own.credit(at.instrument, cost)?;
            }
        }
        let mut marks = self.marks.clone();
        for (index, mark) in (0..).zip(&mut marks) {
            let is_there = venue.is_one_market(index, asked.request.instrument);
            if is_there && self.unmarked[usize::from(index)] {
                *mark = asked.set_off_at.or(*mark);
            }
        }
        match self.judge((&account, &marks), venue, asked, ts)? {
            Verdict::Unasked | Verdict::Taken => Ok(None),
            Verdict::Refused(reason) => Ok(Some(reason)),
        }
    }

    fn judge(
        &self,
        (account, marks): (&MarginAccount, &[Option<Px>]),
        venue: &Venue,
        asked: &Asked,
        ts: Ts,
    ) -> Result<Verdict, LedgerError> {
        let request = &asked.request;
        let instrument = request.instrument;
        let mark = marks.get(usize::from(instrument)).copied().flatten();
        let Some(px) = assumed(asked, mark).filter(|_| account.pool(instrument).is_some()) else {
            return Ok(Verdict::Unasked);
        };
        let opening = Opening {
            instrument,
            side: request.side,
            qty: asked.left,
            px,
        };
        let but = asked.is_amended.then_some(request.id);
        let rough = |index| self.open_orders_approx(venue, index, but);
        if account.clearly_opens(opening, rough, marks, ts) {
            return Ok(Verdict::Taken);
        }
        let orders = |index| self.open_orders(venue, index, but);
        // More than can be counted is more than anybody has.
        let known = |asked| match asked {
            Err(LedgerError::Overflow(_)) => Ok(false),
            known => known,
        };
        if !known(account.can_open(opening, orders, marks, ts))? {
            return Ok(Verdict::Refused(reason::INSUFFICIENT_MARGIN));
        }
        let works = || {
            let beside = openings(venue, instrument, but);
            let mut beside = beside.filter(|(own, _)| own.side == request.side);
            beside.try_fold(Decimal::ZERO, |sum, (own, px)| {
                let counted = account.counted(instrument, px, own.left)?;
                sum.checked_add(counted)
                    .ok_or(LedgerError::Overflow("orders"))
            })
        };
        if !known(account.allows(opening, works, marks, ts))? {
            return Ok(Verdict::Refused(reason::MAX_POSITION));
        }
        Ok(Verdict::Taken)
    }

    /// As [`Self::open_orders`] of a linear contract, in floats: of bids and asks together.
    fn open_orders_approx(
        &self,
        venue: &Venue,
        instrument: InstrumentIdx,
        but: Option<u64>,
    ) -> RoughOrders {
        let traded = &self.account.instruments()[usize::from(instrument)];
        let (mut worth, mut size) = (0.0, 0.0);
        openings(venue, instrument, but).for_each(|(own, px)| {
            let left = own.left.0 as f64;
            worth += px.0 as f64 * left;
            size += left;
        });
        let unit = traded.grid.quantity_f64(Qty(1)) * approx(traded.multiplier);
        RoughOrders {
            worth: worth * traded.grid.price_f64(Px(1)) * unit,
            size: size * unit,
        }
    }

    /// What works of a contract and may open a position, without one order.
    pub(crate) fn open_orders(
        &self,
        venue: &Venue,
        instrument: InstrumentIdx,
        but: Option<u64>,
    ) -> Result<OpenOrders, LedgerError> {
        let traded = &self.account.instruments()[usize::from(instrument)];
        let is_linear = traded.contract == Contract::Linear;
        // Products of prices and quantities, exact, by side.
        let mut sums = [0_i128; 2];
        let mut orders = OpenOrders::default();
        for (own, px) in openings(venue, instrument, but) {
            if is_linear {
                let at = usize::from(own.side == Side::Sell);
                sums[at] += i128::from(px.0) * i128::from(own.left.0);
            } else {
                orders = orders.with(own.side, traded.notional(px, own.left))?;
            }
        }
        let scale = u32::from(traded.grid.price_exp) + u32::from(traded.grid.qty_exp);
        for (side, sum) in [Side::Buy, Side::Sell].into_iter().zip(sums) {
            if sum != 0 {
                let sum = Decimal::try_from_i128_with_scale(sum, scale);
                let sum = sum.map_err(|_| LedgerError::Overflow("orders"))?;
                let worth = sum.checked_mul(traded.multiplier);
                orders = orders.with(side, worth.ok_or(LedgerError::Overflow("orders"))?)?;
            }
        }
        Ok(orders)
    }
}

/// What works of a contract and may open a position, without one order, each at its price.
fn openings(
    venue: &Venue,
    instrument: InstrumentIdx,
    but: Option<u64>,
) -> impl Iterator<Item = (OpenOrder, Px)> + '_ {
    let all = venue.open_orders(instrument);
    let own = all.filter(move |own| !own.only_reduces && Some(own.id) != but);
    own.filter_map(|own| Some((own, worst(venue, &own)?)))
}

/// The price at which an order that works is taken to trade.
fn worst(venue: &Venue, own: &OpenOrder) -> Option<Px> {
    let market = || match (venue.touch(own.instrument), own.side) {
        ([_, ask], Side::Buy) => ask.map(above),
        ([bid, _], Side::Sell) => bid,
    };
    own.limit.or_else(market).filter(|px| px.0 > 0)
}

/// The price at which an order is taken to trade: its own, a sale's no lower than the best bid;
/// at the market the best ask and 0.05 %, or the higher of best bid and mark.
///
/// binance.com/en/support/faq/87fa7ee33b574f7084d42bd2ce2e463b
fn assumed(asked: &Asked, mark: Option<Px>) -> Option<Px> {
    let Asked { request, .. } = asked;
    let [bid, ask] = asked.touch;
    let own = request.price.or(request.stop.filter(|_| asked.is_waiting));
    let px = match (own, request.side) {
        (Some(own), Side::Buy) => Some(own),
        (Some(own), Side::Sell) => bid.max(Some(own)),
        (None, Side::Buy) => ask.map(above).or(mark),
        (None, Side::Sell) => bid.max(mark),
    };
    px.filter(|px| px.0 > 0)
}

/// A price and 0.05 % more, up to a whole grid unit.
fn above(px: Px) -> Px {
    Px(px.0.saturating_add(px.0.saturating_add(1_999) / 2_000))
}
