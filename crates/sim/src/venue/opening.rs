//! What the keeper of the money asks of the orders: what works, and what is about to arrive.

use cq_types::{Account, Contract, Event, InstrumentIdx, Px, Qty, Side, Ts};

use super::Venue;
use crate::bars::BarMarket;
use crate::execution::Purse;
use crate::order::{Request, Working};
use crate::transit::Message;

/// An order that works and has a price, or takes the market's.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct OpenOrder {
    /// Its id.
    pub id: u64,
    /// Of what.
    pub instrument: InstrumentIdx,
    /// Bought or sold.
    pub side: Side,
    /// What of it is yet to trade, positive.
    pub left: Qty,
    /// Its limit; none where it takes the market's price.
    pub limit: Option<Px>,
    /// Whether it can only shrink the position.
    pub only_reduces: bool,
}

impl OpenOrder {
    fn of(own: &Working) -> Self {
        Self {
            id: own.request.id,
            instrument: own.request.instrument,
            side: own.request.side,
            left: Qty(own.left),
            limit: own.limit(),
            only_reduces: own.request.only_reduces(),
        }
    }
}

/// What the next message, or its trigger, makes of an order.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asked {
    /// The order as it would be.
    pub request: Request,
    /// What of it would be yet to trade, positive.
    pub left: Qty,
    /// Whether it works already, and would change.
    pub is_amended: bool,
    /// Whether it waits for a trigger.
    pub is_waiting: bool,
    /// The price that has just set it off.
    pub set_off_at: Option<Px>,
    /// Best bid and ask that it meets.
    pub touch: [Option<Px>; 2],
}

impl Venue {
    /// The order that the next message places or amends; `None` where it is another message, or
    /// amends one that does not work.
    #[must_use]
    pub fn next_asked(&self) -> Option<Asked> {
        let sent = self.transit.front()?;
        match sent.message {
            Message::New(request) => Some(Asked {
                request: self.on_leg(request),
                left: request.qty,
                is_amended: false,
                is_waiting: request.is_conditional(),
                set_off_at: None,
                touch: self.touch(request.instrument),
            }),
            Message::Amend { order, to } => {
                let mut own = self.of(sent.instrument);
                let own = own.find(|own| own.request.id == order)?;
                let wanted = own.amended(to);
                (wanted.left > 0).then_some(Asked {
                    request: wanted.request,
                    left: Qty(wanted.left),
                    is_amended: true,
                    is_waiting: wanted.is_waiting(),
                    set_off_at: None,
                    touch: self.touch(sent.instrument),
                })
            }
            Message::Cancel(_) => None,
        }
    }

    /// Lets what is on its way about an instrument arrive at `ts`, before all else; how much that
    /// is. At a bar's end, that a stop cannot trade in it whose replacement trades at the next
    /// open.
    pub fn hurry(&mut self, instrument: InstrumentIdx, ts: Ts) -> usize {
        let legs = &self.legs;
        self.transit.hurry(|own| legs.market(own) == instrument, ts)
    }

    /// What has been answered and not yet been taken.
    #[must_use]
    pub fn unheard(&self) -> &[Event<Account>] {
        &self.desk.answers
    }

    /// Orders of an instrument that work; those that wait for a trigger are not among them, nor
    /// those of the other position of a hedged contract.
    pub fn open_orders(&self, instrument: InstrumentIdx) -> impl Iterator<Item = OpenOrder> + '_ {
        let is_own = move |own: &&Working| own.request.instrument == instrument;
        let active = self.of(instrument).filter(is_own);
        let active = active.filter(|own| !own.is_waiting());
        active.map(OpenOrder::of)
    }

    /// Whether the owners of a spot order cannot lock what it would take; one that waits for its
    /// trigger locks nothing.
    pub(super) fn is_short(&self, order: &Working, purse: &dyn Purse) -> bool {
        let is_spot = |index| self.desk.instrument(index).contract == Contract::Spot;
        if order.is_waiting() || !is_spot(order.request.instrument) {
            return false;
        }
        let all = (0..)
            .zip(self.desk.instruments.iter())
            .map(|(index, _)| index);
        let spot = all.filter(|index| is_spot(*index));
        let mut work = spot
            .flat_map(|index| self.open_orders(index))
            .filter(|own| own.id != order.request.id);
        let mut asked = OpenOrder::of(order);
        if asked.side == Side::Buy {
            let ask = || self.touch(asked.instrument)[1];
            asked.limit = asked.limit.or_else(ask);
        }
        !purse.can_lock(&asked, &mut work, &self.desk.answers)
    }

    /// Best bid and ask of an instrument; on bars the last price is both.
    #[must_use]
    pub fn touch(&self, instrument: InstrumentIdx) -> [Option<Px>; 2] {
        let index = usize::from(self.legs.market(instrument));
        match self.ticks.get(index).and_then(Option::as_ref) {
            Some(market) => market.touch(),
            None => [self.bars.get(index).and_then(BarMarket::last); 2],
        }
    }
}
