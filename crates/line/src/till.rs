//! What orders are paid from: in spot the sleeves' money, else the margin that the venue keeps.

use cq_sim::{reason, Asked, OpenOrder, Purse, Venue};
use cq_types::{Account, Event, InstrumentIdx, Qty, Ts};
use rust_decimal::Decimal;

use crate::custody::Custody;

/// A purse with the account that a venue keeps.
pub(crate) struct Till<'a> {
    purse: &'a dyn Purse,
    custody: &'a Custody,
}

impl Custody {
    pub(crate) fn till<'a>(&'a self, purse: &'a dyn Purse) -> Till<'a> {
        Till {
            purse,
            custody: self,
        }
    }
}

impl Purse for Till<'_> {
    fn can_pay(
        &self,
        order: u64,
        instrument: InstrumentIdx,
        qty: Qty,
        cost: Decimal,
        unseen: &[Event<Account>],
    ) -> bool {
        self.purse.can_pay(order, instrument, qty, cost, unseen)
    }

    fn can_deliver(
        &self,
        order: u64,
        instrument: InstrumentIdx,
        qty: Qty,
        cost: Decimal,
        unseen: &[Event<Account>],
    ) -> bool {
        self.purse.can_deliver(order, instrument, qty, cost, unseen)
    }

    fn can_lock(
        &self,
        asked: &OpenOrder,
        work: &mut dyn Iterator<Item = OpenOrder>,
        unseen: &[Event<Account>],
    ) -> bool {
        self.purse.can_lock(asked, work, unseen)
    }

    /// An account that cannot be counted margins nothing: what made it so is told when it is
    /// booked.
    fn bars(&self, asked: &Asked, venue: &Venue, ts: Ts) -> Option<&'static str> {
        let bars = self.custody.bars_set_off(venue, asked, ts);
        bars.unwrap_or(Some(reason::INSUFFICIENT_MARGIN))
    }
}
