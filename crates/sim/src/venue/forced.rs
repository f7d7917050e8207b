//! What the venue does to an account by itself: a liquidation's cancellations and orders.

use cq_ledger::liquidation_fee;
use cq_types::{Account, Instrument, InstrumentIdx, Px, Qty, Side, Ts};
use rust_decimal::Decimal;

use super::Venue;
use crate::execution::{Bottomless, Deal};
use crate::order::{is_worse_or_equal, Request, TimeInForce, Working};
use crate::rules::reason;

/// An order that the venue makes to close a position.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct ForcedOrder {
    /// What is closed.
    pub instrument: InstrumentIdx,
    /// How much, positive.
    pub qty: Qty,
    /// Worst price.
    pub bankruptcy: Px,
    /// Mark at which the venue decided.
    pub mark: Px,
}

impl Venue {
    /// Ends all orders of an instrument that work, as a liquidation does; what is on its way
    /// arrives later.
    pub fn cancel_working(&mut self, instrument: InstrumentIdx, ts: Ts) {
        self.cancel_each(instrument, ts, (false, reason::LIQUIDATION));
    }

    /// Bars the account from opening positions in an instrument, for a reason, or allows it again.
    pub fn bar(&mut self, instrument: InstrumentIdx, barred: Option<&'static str>) {
        self.barred[usize::from(instrument)] = barred;
    }

    /// Sends a part of a position to the market, immediate or cancelled, `is_whole` says whether
    /// as a whole, no worse than its bankruptcy price; what trades pays the venue's liquidation
    /// fee in place of the taker's.
    ///
    /// On bars it trades at the mark with spread and impact, whole or not at all.
    pub fn liquidate(&mut self, order: ForcedOrder, is_whole: bool, ts: Ts) -> Option<u64> {
        let (id, mut working) = self.announce(order, ts, false)?;
        if is_whole {
            working.request.tif = TimeInForce::Fok;
        }
        let before = self.desk.answers.len();
        let index = usize::from(self.legs.market(order.instrument));
        if let Some(market) = &mut self.ticks[index] {
            market.accept(&mut self.desk, working, ts, &Bottomless);
        } else {
            let trailing = &self.bars[index].trailing;
            let deal = self
                .desk
                .worsen(&working, order.mark, order.qty.0, trailing, ts);
            let side = working.request.side;
            let is_within = |deal: &Deal| is_worse_or_equal(side, order.bankruptcy, deal.px);
            match deal.filter(is_within) {
                Some(deal) => {
                    let qty = working.left;
                    self.desk.fill(&mut working, qty, &deal, ts, &Bottomless);
                }
                None => {
                    self.desk.cancelled(&working, ts);
                }
            }
        }
        self.charge(before, |instrument, px, qty| {
            liquidation_fee(instrument, instrument.grid.price(px), qty, ts).unwrap_or_default()
        });
        Some(id)
    }

    /// Hands all of a position over to the insurance fund at its bankruptcy price. There is
    /// nothing left that could pay a fee.
    pub fn take_over(&mut self, order: ForcedOrder, ts: Ts) -> Option<u64> {
        let (id, working) = self.announce(order, ts, true)?;
        self.give_up(working, order, ts);
        Some(id)
    }

    /// Takes a part of a position at the bankruptcy price of the order, free of charge, to close
    /// another account's; orders of the contract that work are ended first.
    pub fn deleverage(&mut self, order: ForcedOrder, ts: Ts) -> Option<u64> {
        let side = Side::of(-self.position(order.instrument).0)?;
        for leg in (0..).take(self.desk.instruments.len()) {
            if self.is_one_market(leg, order.instrument) {
                self.cancel_each(leg, ts, (false, reason::DELEVERAGING));
            }
        }
        let id = self.forced;
        self.forced += 1;
        let request = Request::market(id, order.instrument, side, order.qty);
        self.give_up(Working::new(request, ts), order, ts);
        Some(id)
    }

    /// Trades all of an order at its bankruptcy price, free of charge.
    fn give_up(&mut self, mut working: Working, order: ForcedOrder, ts: Ts) {
        let deal = Deal {
            px: order.bankruptcy,
            reference: order.mark,
            impact: 0,
            is_taker: true,
        };
        let before = self.desk.answers.len();
        let qty = working.left;
        self.desk.fill(&mut working, qty, &deal, ts, &Bottomless);
        self.charge(before, |_, _, _| Decimal::ZERO);
    }

    /// Says something of the account that is the answer to no message of ours.
    pub fn tell(&mut self, instrument: InstrumentIdx, body: Account, ts: Ts) {
        self.desk.tell(instrument, body, ts);
    }

    /// Makes an order against the position and tells of it; `None` where there is none.
    fn announce(
        &mut self,
        order: ForcedOrder,
        ts: Ts,
        is_takeover: bool,
    ) -> Option<(u64, Working)> {
        let side = Side::of(-self.position(order.instrument).0)?;
        let id = self.forced;
        self.forced += 1;
        let said = Account::Liquidation {
            order: id,
            side,
            qty: order.qty,
            bankruptcy: order.bankruptcy,
            is_takeover,
        };
        self.tell(order.instrument, said, ts);
        let (instrument, ioc) = (order.instrument, TimeInForce::Ioc);
        let request = Request {
            reduce_only: true,
            ..Request::limit(id, instrument, side, order.qty, order.bankruptcy, ioc)
        };
        let mut working = Working::new(request, ts);
        // The venue has its own order: what is left of it is cancelled, never rejected.
        working.acked = true;
        Some((id, working))
    }

    /// Sets the fee of the fills since an answer.
    fn charge(&mut self, from: usize, fee_of: impl Fn(&Instrument, Px, Qty) -> Decimal) {
        let instruments = &self.desk.instruments;
        for answer in &mut self.desk.answers[from..] {
            let instrument = &instruments[usize::from(answer.instrument)];
            if let Account::Fill { px, qty, fee, .. } = &mut answer.body {
                *fee = fee_of(instrument, *px, *qty);
            }
        }
    }
}
