use cq_line::{Line, LineError};
use cq_sim::{Request, TimeInForce};
use cq_types::{InstrumentIdx, Px, Qty, Side};

/// What a strategy trades and how its orders are numbered.
#[derive(Debug, Clone)]
pub struct Desk {
    instrument: InstrumentIdx,
    sleeve: usize,
    next_id: u64,
}

/// The id of an order, or why it cannot be one.
pub type Placed = Result<u64, LineError>;

/// Best prices in ticks.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Touch {
    /// Best bid.
    pub bid: i64,
    /// Best ask.
    pub ask: i64,
}

impl Touch {
    /// The best price of a side.
    #[must_use]
    pub const fn of(self, side: Side, tick: i64) -> Px {
        match side {
            Side::Buy => Px(self.bid * tick),
            Side::Sell => Px(self.ask * tick),
        }
    }
}

impl Desk {
    /// Trades an instrument for a sleeve; ids count from `first_id`.
    #[must_use]
    pub const fn new(instrument: InstrumentIdx, sleeve: usize, first_id: u64) -> Self {
        Self {
            instrument,
            sleeve,
            next_id: first_id,
        }
    }

    /// Price increment, grid units.
    #[must_use]
    pub fn tick(&self, line: &Line) -> i64 {
        let instrument = &line.ledger().instruments()[usize::from(self.instrument)];
        instrument.tick.at(line.now()).0 .0
    }

    /// Quantity increment, grid units.
    #[must_use]
    pub fn lot(&self, line: &Line) -> i64 {
        let instrument = &line.ledger().instruments()[usize::from(self.instrument)];
        instrument.lot.at(line.now()).0 .0
    }

    /// What is traded.
    #[must_use]
    pub const fn instrument(&self) -> InstrumentIdx {
        self.instrument
    }

    /// Best prices, in ticks; `None` while they are not known.
    #[must_use]
    pub fn touch(&self, line: &Line, tick: i64) -> Option<Touch> {
        let [bid, ask] = line.top(self.instrument)?;
        Some(Touch {
            bid: bid.0 .0 / tick,
            ask: ask.0 .0 / tick,
        })
    }

    /// Signed position as far as it is known, grid units.
    #[must_use]
    pub fn position(&self, line: &Line) -> i64 {
        line.ledger().position(self.instrument).qty.0
    }

    /// Whether an order may still trade.
    #[must_use]
    pub fn is_busy(&self, line: &Line) -> bool {
        let mut open = line.open_orders();
        open.any(|row| row.request.instrument == self.instrument)
    }

    /// Open orders: id, side, price and whether a cancellation may be asked for.
    pub fn working<'a>(
        &self,
        line: &'a Line,
    ) -> impl Iterator<Item = (u64, Side, Px, bool)> + use<'a> {
        let instrument = self.instrument;
        let own = line
            .open_orders()
            .filter(move |row| row.request.instrument == instrument);
        own.filter_map(|row| {
            let Request {
                id, side, price, ..
            } = row.request;
            Some((id, side, price?, row.can_cancel()))
        })
    }

    /// Posts a maker's order; returns its id.
    ///
    /// # Errors
    /// As [`Line::place`].
    pub fn post(&mut self, line: &mut Line, side: Side, qty: i64, px: Px) -> Placed {
        self.limit(line, side, qty, (px, TimeInForce::PostOnly))
    }

    /// Rests an order that may trade at once; returns its id.
    ///
    /// # Errors
    /// As [`Line::place`].
    pub fn rest(&mut self, line: &mut Line, side: Side, qty: i64, px: Px) -> Placed {
        self.limit(line, side, qty, (px, TimeInForce::Gtc))
    }

    /// Takes up to `qty` at `px` or better at once; returns the order's id.
    ///
    /// # Errors
    /// As [`Line::place`].
    pub fn take(&mut self, line: &mut Line, side: Side, qty: i64, px: Px) -> Placed {
        self.limit(line, side, qty, (px, TimeInForce::Ioc))
    }

    /// Takes `qty` at whatever price; returns the order's id.
    ///
    /// # Errors
    /// As [`Line::place`].
    pub fn cross(&mut self, line: &mut Line, side: Side, qty: i64) -> Placed {
        let request = Request::market(self.next_id, self.instrument, side, Qty(qty));
        self.send(line, request)
    }

    fn limit(
        &mut self,
        line: &mut Line,
        side: Side,
        qty: i64,
        (px, tif): (Px, TimeInForce),
    ) -> Placed {
        let (id, instrument) = (self.next_id, self.instrument);
        let request = Request::limit(id, instrument, side, Qty(qty), px, tif);
        self.send(line, request)
    }

    fn send(&mut self, line: &mut Line, request: Request) -> Placed {
        self.next_id += 1;
        let part = Qty(request.side.sign() * request.qty.0);
        line.place(request, [(self.sleeve, part)])?;
        Ok(request.id)
    }
}
