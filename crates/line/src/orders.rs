use cq_book::Book;
use cq_ledger::{Allocation, Ledger, Parts};
use cq_sim::{Amendment, Request, FORCED_ID};
use cq_types::{Account, Event, InstrumentIdx, Px, Qty, Ts};

use crate::conversion::ConversionRow;
use crate::line::{bad, Line, Phase};
use crate::record::{FillRow, LiquidationRow, OrderRow, OrderStatus, Rows};
use crate::LineError;

impl Line {
    /// Sends an order at the line's time. Without a venue it is only written down.
    ///
    /// What the venue must refuse (unknown instrument, off tick …) it refuses itself; an
    /// error is a call that cannot be an order at all.
    ///
    /// # Errors
    /// When the line has ended, the id was used, or the parts do not sum to the quantity.
    pub fn place(
        &mut self,
        request: Request,
        allocations: impl Into<Parts>,
    ) -> Result<(), LineError> {
        self.in_turn()?;
        let allocations = allocations.into();
        let request = self.legs.routed(request);
        if request.id >= FORCED_ID || self.books.knows(request.id) {
            return Err(bad("order_id", "an unused id below 2^62", &request.id));
        }
        let sleeves = self.books.ledger.sleeves().len();
        if let Some((sleeve, _)) = allocations.iter().find(|(s, _)| *s >= sleeves) {
            return Err(bad(
                "allocations",
                &format!("sleeves below {sleeves}"),
                sleeve,
            ));
        }
        let sum: i128 = allocations.iter().map(|(_, q)| i128::from(q.0)).sum();
        let signed = i128::from(request.side.sign()) * i128::from(request.qty.0);
        if sum != signed {
            return Err(bad("allocations", &format!("a sum of {signed}"), &sum));
        }
        self.books.enter(OrderRow {
            ts: self.now,
            asked: self.now,
            request,
            allocations,
            filled: Qty(0),
            status: OrderStatus::Sent,
            reason: "",
            is_cancelling: false,
            answers: 0,
            tag: "",
        })?;
        if let Some(lived) = &mut self.lived {
            let exchange = lived.exchanges.of_mut(request.instrument);
            exchange.venue.send(self.now, request);
        }
        self.hear_refusal(request.instrument)
    }

    /// Asks for the cancellation of an order; of one that is done the venue says that it has none.
    ///
    /// # Errors
    /// When the line has ended or no order has this id.
    pub fn cancel(&mut self, order: u64) -> Result<(), LineError> {
        self.in_turn()?;
        let now = self.now;
        let row = self.books.placed(order)?;
        row.is_cancelling = true;
        row.asked = now;
        let instrument = row.request.instrument;
        if let Some(lived) = &mut self.lived {
            let exchange = lived.exchanges.of_mut(instrument);
            exchange.venue.cancel(now, instrument, order);
        }
        self.hear_refusal(instrument)
    }

    /// Asks for another limit price, trigger or quantity of an order; of one that is done the venue
    /// says that it has none. Whether it keeps its place in the queue, and what of one that waits
    /// for a trigger can be amended, is the venue's rule.
    ///
    /// # Errors
    /// When the line has ended, no order has this id, or the quantity would change of one that
    /// several sleeves share.
    pub fn amend(&mut self, order: u64, to: impl Into<Amendment>) -> Result<(), LineError> {
        self.in_turn()?;
        let to = to.into();
        let qty = to.qty;
        let now = self.now;
        let row = self.books.placed(order)?;
        if qty != row.request.qty && row.allocations.len() > 1 {
            let expected = format!(
                "{}, as it is the order of several sleeves",
                row.request.qty.0
            );
            return Err(bad("quantity", &expected, &qty.0));
        }
        row.asked = now;
        let instrument = row.request.instrument;
        if let Some(lived) = &mut self.lived {
            let exchange = lived.exchanges.of_mut(instrument);
            exchange.venue.amend(now, instrument, order, to);
        }
        self.hear_refusal(instrument)
    }

    /// A message that was turned away never arrives: its answer is on its way at once, where those
    /// of others wait for what happens at the venue.
    fn hear_refusal(&mut self, instrument: InstrumentIdx) -> Result<(), LineError> {
        let Some(lived) = &mut self.lived else {
            return Ok(());
        };
        let exchange = lived.exchanges.of_mut(instrument);
        if exchange.venue.has_answers() {
            let ts = self.now;
            let heard = exchange.hear(ts);
            heard.map_err(|source| LineError::Ledger { ts, source })?;
            self.books.queue(exchange.custody.take_answers());
        }
        Ok(())
    }

    /// Wakes the step at `ts`, once.
    ///
    /// # Errors
    /// When the line has ended or the time has passed.
    pub fn wake_at(&mut self, ts: Ts) -> Result<(), LineError> {
        self.in_turn()?;
        if ts <= self.now {
            return Err(bad("alarm", "a time after now", &ts));
        }
        self.alarms.insert(ts);
        Ok(())
    }

    pub(crate) fn forget_alarm(&mut self, ts: Ts) {
        self.alarms.remove(&ts);
    }

    /// Lets sleeves trade with each other at `px`, without cost; the parts sum to zero.
    ///
    /// # Errors
    /// When the line has ended or the ledger refuses.
    pub fn internal_cross(
        &mut self,
        instrument: InstrumentIdx,
        px: Px,
        allocations: &[Allocation],
    ) -> Result<(), LineError> {
        self.in_turn()?;
        let ts = self.now;
        let crossed = self
            .books
            .ledger
            .internal_cross(ts, instrument, px, allocations);
        crossed.map_err(|source| LineError::Ledger { ts, source })
    }

    pub(crate) fn in_turn(&self) -> Result<(), LineError> {
        if self.phase == Phase::Running {
            return Ok(());
        }
        Err(LineError::OutOfTurn(
            "commands are taken between the first wake-up and the end",
        ))
    }

    /// Chooses the leverage of an instrument.
    ///
    /// # Errors
    /// When the ledger refuses.
    pub fn set_leverage(
        &mut self,
        instrument: InstrumentIdx,
        leverage: u16,
    ) -> Result<(), LineError> {
        let (ts, is_loading) = (self.now, self.phase == Phase::Loading);
        let set = self.books.ledger.set_leverage(instrument, leverage);
        set.map_err(|source| {
            if is_loading {
                LineError::Start(source)
            } else {
                LineError::Ledger { ts, source }
            }
        })?;
        if let Some(lived) = &mut self.lived {
            let custody = &mut lived.exchanges.of_mut(instrument).custody;
            custody.account.set_leverage(instrument, leverage);
        }
        Ok(())
    }

    /// Time of the line, ns: nothing later is known.
    #[must_use]
    pub fn now(&self) -> Ts {
        self.now
    }

    /// Instrument of the gap that woke the step.
    #[must_use]
    pub fn gap(&self) -> Option<InstrumentIdx> {
        self.gap
    }

    /// Events that became known so far, and answers that arrived.
    #[must_use]
    pub fn seq(&self) -> u64 {
        self.seq
    }

    /// Money and positions as we know them.
    #[must_use]
    pub fn ledger(&self) -> &Ledger {
        &self.books.ledger
    }

    /// Orders so far, in the order in which they were placed.
    #[must_use]
    pub fn orders(&self) -> &[OrderRow] {
        &self.books.orders
    }

    /// Orders that may still trade as far as we know, in the order in which they were placed.
    pub fn open_orders(&self) -> impl Iterator<Item = &OrderRow> {
        self.books.open.iter().map(|at| &self.books.orders[*at])
    }

    /// An order by its id.
    #[must_use]
    pub fn order(&self, id: u64) -> Option<&OrderRow> {
        self.books.order(id)
    }

    /// How many answers to an order have arrived.
    ///
    /// # Errors
    /// When no order has this id.
    pub fn answered(&self, id: u64) -> Result<u32, LineError> {
        Ok(self.placed(id)?.answers)
    }

    /// The order of this id.
    ///
    /// # Errors
    /// When no order has it.
    pub fn placed(&self, id: u64) -> Result<&OrderRow, LineError> {
        let row = self.books.order(id);
        row.ok_or_else(|| bad("order_id", "the id of a placed order", &id))
    }

    /// Fills so far, in the order in which we learned of them.
    #[must_use]
    pub fn fills(&self) -> &[FillRow] {
        &self.books.fills
    }

    /// Orders of liquidations so far, in the order in which we learned of them.
    #[must_use]
    pub fn liquidations(&self) -> &[LiquidationRow] {
        &self.books.liquidations
    }

    /// Conversions of collateral so far, in the order in which we learned of them.
    #[must_use]
    pub fn conversions(&self) -> &[ConversionRow] {
        &self.books.conversions
    }

    /// Equity rows so far.
    #[must_use]
    pub fn rows(&self) -> &Rows {
        &self.books.rows
    }

    /// Answers that arrived since the last call.
    pub fn take_answers(&mut self) -> Vec<Event<Account>> {
        std::mem::take(&mut self.books.unread)
    }

    /// Last known price of an instrument.
    #[must_use]
    pub fn last_price(&self, instrument: InstrumentIdx) -> Option<Px> {
        self.known.last(self.legs.contract(instrument))
    }

    /// Volume of an instrument in the last 24 hours as far as it is known, grid units: of its
    /// shortest bars.
    #[must_use]
    pub fn day_volume(&self, instrument: InstrumentIdx) -> i64 {
        self.known
            .day_volume(self.legs.contract(instrument), self.now)
    }

    /// Time since an instrument was last traded as far as is known: since a trade, or the end
    /// of a bar with volume.
    #[must_use]
    pub fn price_age(&self, instrument: InstrumentIdx) -> Option<Ts> {
        self.known.age(self.legs.contract(instrument), self.now)
    }

    /// Known best bid and ask of an instrument.
    #[must_use]
    pub fn top(&self, instrument: InstrumentIdx) -> Option<[(Px, Qty); 2]> {
        self.known.top(self.legs.contract(instrument))
    }

    /// Known book of an instrument; `None` while there is none that is valid.
    #[must_use]
    pub fn book(&self, instrument: InstrumentIdx) -> Option<&Book> {
        self.known.book(self.legs.contract(instrument))
    }

    /// Names of the features, in the order of their columns.
    #[must_use]
    pub fn feature_names(&self) -> Vec<String> {
        self.known.features().names().map(str::to_owned).collect()
    }

    /// Writes the features knowable now.
    pub fn write_features(&self, out: &mut [f64]) {
        self.known.write(self.now, out);
    }
}
