//! Hedge mode: a contract has a long and a short position. Each is an instrument of its own, with
//! its own fills, and both trade in one market: that of the long one.

use cq_types::InstrumentIdx;

use super::Venue;
use crate::order::{PositionSide, Request, Working};
use crate::rules::reason;

/// In which market each instrument trades, and which position of it it is.
pub(super) struct Legs {
    market: Vec<InstrumentIdx>,
    side: Vec<Option<PositionSide>>,
}

impl Legs {
    /// Each instrument in its own market, with one position.
    pub(super) fn one_way(count: usize) -> Self {
        Self {
            market: (0..).take(count).collect(),
            side: vec![None; count],
        }
    }

    /// The market in which an instrument trades.
    pub(super) fn market(&self, instrument: InstrumentIdx) -> InstrumentIdx {
        let at = self.market.get(usize::from(instrument));
        at.copied().unwrap_or(instrument)
    }

    pub(super) fn side(&self, instrument: InstrumentIdx) -> Option<PositionSide> {
        self.side.get(usize::from(instrument)).copied().flatten()
    }
}

impl Venue {
    /// Puts a contract into hedge mode: `long` and `short` are its positions, and the market is
    /// that of `long`.
    pub fn hedge(&mut self, long: InstrumentIdx, short: InstrumentIdx) {
        self.legs.market[usize::from(short)] = long;
        self.legs.side[usize::from(long)] = Some(PositionSide::Long);
        self.legs.side[usize::from(short)] = Some(PositionSide::Short);
    }

    /// Whether two instruments are positions in one contract.
    #[must_use]
    pub fn is_one_market(&self, a: InstrumentIdx, b: InstrumentIdx) -> bool {
        self.legs.market(a) == self.legs.market(b)
    }

    /// An order as the venue will take it: of a leg, what trades against it only reduces.
    pub(super) fn on_leg(&self, request: Request) -> Request {
        let own = self.legs.side(request.instrument);
        let closes = own.is_some_and(|own| request.side == own.closing());
        Request {
            reduce_only: request.reduce_only || closes,
            ..request
        }
    }

    /// Checks the position side of an order, which in hedge mode says whether it only reduces.
    pub(super) fn takes_side(&self, order: &mut Working) -> Result<(), &'static str> {
        let request = &mut order.request;
        let own = self.legs.side(request.instrument);
        if request.position_side != own {
            return Err(reason::POSITION_SIDE);
        }
        if own.is_none() {
            return Ok(());
        }
        if request.reduce_only {
            return Err(reason::REDUCE_ONLY_SAID);
        }
        order.request = self.on_leg(order.request);
        Ok(())
    }
}
