//! Orders whose trigger is reached: they are asked for margin as new ones are, then they act.

use cq_types::{InstrumentIdx, Px, Qty, Ts};

use super::{Asked, Venue};
use crate::execution::{Fate, Purse};
use crate::order::{TriggerBy, Working};
use crate::rules::reason;

impl Venue {
    /// A price reaches triggers on a recorded book: those orders act, oldest first.
    pub(super) fn trigger(
        &mut self,
        instrument: InstrumentIdx,
        (by, px): (TriggerBy, Px),
        ts: Ts,
        purse: &dyn Purse,
    ) {
        let at = usize::from(instrument);
        let hit = self.ticks[at]
            .as_mut()
            .map(|market| market.take_hit(by, px));
        for mut order in hit.into_iter().flatten() {
            let touch = self.touch(instrument);
            if self.set_off(&mut order, (px, touch), ts, purse) == Fate::Done {
                continue;
            }
            if let Some(market) = &mut self.ticks[at] {
                market.act(&mut self.desk, order, px, ts, purse);
            }
        }
    }

    /// Sets off an order at a price; ends one that may not open.
    pub(super) fn set_off(
        &mut self,
        order: &mut Working,
        (px, touch): (Px, [Option<Px>; 2]),
        ts: Ts,
        purse: &dyn Purse,
    ) -> Fate {
        order.set_off();
        let asked = Asked {
            request: order.request,
            left: Qty(order.left),
            is_amended: false,
            is_waiting: false,
            set_off_at: Some(px),
            touch,
        };
        let opens = !order.request.only_reduces();
        if let Some(barred) = opens.then(|| purse.bars(&asked, self, ts)).flatten() {
            return self.desk.refuse(order, barred, ts);
        }
        if self.is_short(order, purse) {
            return self.desk.refuse(order, reason::INSUFFICIENT_BALANCE, ts);
        }
        self.desk.triggered(order, ts);
        Fate::Alive
    }
}
