use std::collections::VecDeque;

use cq_ledger::{prorate, Fill, Ledger, Parts};
use cq_sim::{Request, TimeInForce, FORCED_ID};
use cq_types::{Account, Contract, Event, InstrumentIdx, Px, Qty, Ts};
use rust_decimal::Decimal;
use rustc_hash::FxHashMap;

use crate::conversion::ConversionRow;
use crate::line::bad;
use crate::purse::Purses;
use crate::record::{FillRow, LiquidationRow, OrderRow, OrderStatus, Rows};
use crate::seen::OrderLatency;
use crate::transfers::Transfers;
use crate::LineError;

/// Ids that each venue has for its own orders: no two venues number theirs alike.
const FORCED_IDS: u64 = 1 << 32;

/// Our side of the account: ledger and orders, folded from the venue's answers.
pub(crate) struct Books {
    pub(crate) ledger: Ledger,
    pub(crate) orders: Vec<OrderRow>,
    /// Rows of orders that may still trade, in the order in which they were placed.
    pub(crate) open: VecDeque<usize>,
    /// Rows of orders that are done, until they are forgotten.
    pub(crate) ended: Vec<usize>,
    /// How long the last answer about an order took, per instrument.
    pub(crate) latency: Vec<Option<OrderLatency>>,
    index: FxHashMap<u64, usize>,
    pub(crate) fills: Vec<FillRow>,
    pub(crate) liquidations: Vec<LiquidationRow>,
    pub(crate) conversions: Vec<ConversionRow>,
    pub(crate) transfers: Transfers,
    pub(crate) rows: Rows,
    /// Answers on their way to us, by the time they arrive.
    pub(crate) on_the_way: VecDeque<Event<Account>>,
    /// Answers that arrived and that the step has not read.
    pub(crate) unread: Vec<Event<Account>>,
}

impl Books {
    pub(crate) fn new(ledger: Ledger) -> Self {
        Self {
            latency: vec![None; ledger.instruments().len()],
            ledger,
            orders: Vec::new(),
            open: VecDeque::new(),
            ended: Vec::new(),
            index: FxHashMap::default(),
            fills: Vec::new(),
            liquidations: Vec::new(),
            conversions: Vec::new(),
            transfers: Transfers::default(),
            rows: Rows::default(),
            on_the_way: VecDeque::new(),
            unread: Vec::new(),
        }
    }

    pub(crate) fn purse(&self) -> Purses<'_> {
        Purses {
            ledger: &self.ledger,
            orders: &self.orders,
            index: &self.index,
            on_the_way: &self.on_the_way,
        }
    }

    pub(crate) fn knows(&self, order: u64) -> bool {
        self.index.contains_key(&order)
    }

    /// Writes a new order down; the id of another one is refused, whoever made it.
    pub(crate) fn enter(&mut self, row: OrderRow) -> Result<(), LineError> {
        let (ts, id) = (row.ts, row.request.id);
        if self.knows(id) {
            let what = format!("order {id} is entered a second time");
            return Err(LineError::Broken { ts, what });
        }
        self.index.insert(id, self.orders.len());
        self.open.push_back(self.orders.len());
        self.orders.push(row);
        Ok(())
    }

    /// The first id above those of the `n`-th venue's own orders so far.
    pub(crate) fn next_forced(&self, n: usize) -> u64 {
        let first = FORCED_ID + n as u64 * FORCED_IDS;
        let own = first..first + FORCED_IDS;
        let last = self.index.keys().copied().filter(|id| own.contains(id));
        last.max().map_or(first, |id| id + 1)
    }

    /// Queues answers by the time they arrive; equal times keep the order they were given in.
    ///
    /// The venue's answers on an instrument never overtake each other: what happened inside a
    /// bar is known at its end, and with it all that happened before.
    pub(crate) fn queue(&mut self, answers: impl IntoIterator<Item = Event<Account>>) {
        for answer in answers {
            if !matches!(answer.body, Account::FundingPaid { .. }) {
                self.hasten(answer.instrument, answer.ts_recv);
            }
            let at = self
                .on_the_way
                .partition_point(|e| e.ts_recv <= answer.ts_recv);
            self.on_the_way.insert(at, answer);
        }
    }

    /// Lets what is on its way about an instrument arrive by `ts` at the latest.
    fn hasten(&mut self, instrument: InstrumentIdx, ts: Ts) {
        let mut is_late = false;
        let later = self.on_the_way.partition_point(|e| e.ts_recv <= ts);
        for event in self.on_the_way.range_mut(later..) {
            if event.instrument == instrument {
                event.ts_recv = ts;
                is_late = true;
            }
        }
        if is_late {
            let all = self.on_the_way.make_contiguous();
            all.sort_by_key(|event| event.ts_recv);
        }
    }

    /// When the last fill of this instrument from before `ts` reaches us, if one has not.
    pub(crate) fn awaits(&self, instrument: InstrumentIdx, ts: Ts) -> Option<Ts> {
        let is_fill = |e: &&Event<Account>| matches!(e.body, Account::Fill { .. });
        let waiting = self.on_the_way.iter().filter(is_fill);
        waiting
            .filter(|e| e.instrument == instrument && e.ts_event < ts)
            .map(|e| e.ts_recv)
            .max()
    }

    /// What the sleeves hold of an instrument, negated: the parts of a closing order. Coins that
    /// were bought and sent elsewhere cannot be sold here.
    pub(crate) fn closing(&self, instrument: InstrumentIdx) -> Parts {
        let ledger = &self.ledger;
        let traded = ledger.instruments().get(usize::from(instrument));
        let is_spot = traded.is_some_and(|traded| traded.contract == Contract::Spot);
        let held = |s| match ledger.sleeve_position(s, instrument).qty {
            held if is_spot => held.min(ledger.coins(s, instrument)),
            held => held,
        };
        let sleeves = 0..ledger.sleeves().len();
        sleeves
            .map(|s| (s, Qty(-held(s).0)))
            .filter(|(_, part)| part.0 != 0)
            .collect()
    }

    /// Folds an answer that has arrived; returns whether the step must be woken.
    pub(crate) fn fold(&mut self, answer: Event<Account>) -> Result<bool, LineError> {
        let wakes = self.take_note(&answer)?;
        if let Some(order) = answer.body.order() {
            self.count(order, &answer);
        }
        self.unread.push(answer);
        Ok(wakes)
    }

    /// An order has been answered; one that is done is no longer open.
    fn count(&mut self, order: u64, answer: &Event<Account>) {
        let Some(at) = self.index.get(&order).copied() else {
            return;
        };
        let row = &mut self.orders[at];
        row.answers += 1;
        if let Some(latency) = self.latency.get_mut(usize::from(answer.instrument)) {
            *latency = Some(OrderLatency {
                asked: row.asked,
                at_venue: answer.ts_event,
                known: answer.ts_recv,
            });
        }
        if !row.is_open() {
            if let Ok(place) = self.open.binary_search(&at) {
                self.open.remove(place);
                self.ended.push(at);
            }
        }
    }

    fn take_note(&mut self, answer: &Event<Account>) -> Result<bool, LineError> {
        Ok(match answer.body {
            Account::Ack { order } => {
                if let Some(row) = self.row(order) {
                    row.status = OrderStatus::Working;
                }
                false
            }
            Account::Triggered { order } => {
                if let Some(row) = self.row(order) {
                    row.status = OrderStatus::Triggered;
                }
                true
            }
            Account::Cancelled { order, reason } => {
                if let Some(row) = self.row(order) {
                    row.status = OrderStatus::Cancelled;
                    row.reason = reason;
                }
                true
            }
            Account::Reject { order, reason } => {
                if let Some(row) = self.row(order) {
                    row.status = OrderStatus::Rejected;
                    row.reason = reason;
                }
                true
            }
            Account::Amended {
                order,
                px,
                qty,
                stop,
            } => {
                self.fold_amendment(order, (px, stop), qty);
                true
            }
            Account::Kept { order, reason } => {
                let row = self.row(order);
                row.is_some_and(|row| {
                    row.is_cancelling = false;
                    if row.is_open() {
                        row.reason = reason;
                    }
                    // That a done order cannot be cancelled is no news.
                    row.is_open()
                })
            }
            Account::Fill { .. } => {
                self.fold_fill(answer)?;
                true
            }
            Account::FundingPaid { amount, rate } => {
                let ts = answer.ts_recv;
                let booked =
                    self.ledger
                        .book_funding(answer.ts_event, answer.instrument, amount, rate);
                booked.map_err(|source| LineError::Ledger { ts, source })?;
                false
            }
            Account::FundingOfFills { amount, since, .. } => {
                let (ts, at) = (answer.ts_recv, answer.ts_event);
                let ledger = &mut self.ledger;
                let booked = ledger.book_funding_of_fills(answer.instrument, amount, since, at);
                booked.map_err(|source| LineError::Ledger { ts, source })?;
                false
            }
            Account::Liquidation { .. } => {
                self.enter_liquidation(answer)?;
                true
            }
            Account::Insurance { .. } => {
                self.fold_insurance(answer)?;
                true
            }
            Account::Converted { .. } => {
                self.fold_conversion(answer)?;
                true
            }
            _ => false,
        })
    }

    /// An order by its id.
    pub(crate) fn order(&self, id: u64) -> Option<&OrderRow> {
        self.index.get(&id).map(|at| &self.orders[*at])
    }

    /// The row of an order that was placed.
    pub(crate) fn placed(&mut self, order: u64) -> Result<&mut OrderRow, LineError> {
        let unknown = || bad("order_id", "the id of a placed order", &order);
        self.row(order).ok_or_else(unknown)
    }

    /// Writes down an order that the venue made to close a position of ours: each sleeve's part
    /// is its part of the position.
    fn enter_liquidation(&mut self, answer: &Event<Account>) -> Result<(), LineError> {
        let ts = answer.ts_event;
        let Account::Liquidation {
            order,
            side,
            qty,
            bankruptcy,
            is_takeover,
        } = answer.body
        else {
            return Ok(());
        };
        let whole = self.closing(answer.instrument);
        let parts = prorate(&whole, Qty(0), qty);
        let allocations = parts.map_err(|source| LineError::Ledger { ts, source })?;
        self.liquidations.push(LiquidationRow {
            order,
            ts_event: ts,
            ts_recv: answer.ts_recv,
            instrument: answer.instrument,
            side,
            qty,
            bankruptcy,
            is_takeover,
            insurance: Decimal::ZERO,
            deficit: Decimal::ZERO,
            is_adl: false,
        });
        let ioc = TimeInForce::Ioc;
        let request = Request {
            reduce_only: true,
            ..Request::limit(order, answer.instrument, side, qty, bankruptcy, ioc)
        };
        self.enter(OrderRow {
            ts,
            asked: ts,
            request,
            allocations,
            filled: Qty(0),
            status: OrderStatus::Working,
            reason: "",
            is_cancelling: false,
            answers: 0,
            tag: "liquidation",
        })
    }

    /// Books the fund's settlement for the sleeves whose positions it took over.
    fn fold_insurance(&mut self, answer: &Event<Account>) -> Result<(), LineError> {
        let ts = answer.ts_recv;
        let Account::Insurance {
            order,
            amount,
            deficit,
            is_adl,
        } = answer.body
        else {
            return Ok(());
        };
        let Some(asked) = self.row(order).cloned() else {
            let what = format!("insurance for the unknown order {order}");
            return Err(LineError::Broken { ts, what });
        };
        let said = self.liquidations.iter().rposition(|row| row.order == order);
        let at = said.unwrap_or_else(|| {
            // An order of ours closed the position at worse than its bankruptcy price.
            self.liquidations.push(LiquidationRow {
                order,
                ts_event: answer.ts_event,
                ts_recv: ts,
                instrument: answer.instrument,
                side: asked.request.side,
                qty: Qty(0),
                bankruptcy: Px(0),
                is_takeover: false,
                insurance: Decimal::ZERO,
                deficit: Decimal::ZERO,
                is_adl: false,
            });
            self.liquidations.len() - 1
        });
        let row = &mut self.liquidations[at];
        (row.insurance, row.deficit, row.is_adl) = (amount, deficit, is_adl);
        let parts = asked.allocations;
        let booked = self
            .ledger
            .book_insurance(answer.instrument, amount, &parts);
        booked.map_err(|source| LineError::Ledger { ts, source })
    }

    /// Books what the venue converted.
    fn fold_conversion(&mut self, answer: &Event<Account>) -> Result<(), LineError> {
        let ts = answer.ts_recv;
        let Some(row) = ConversionRow::of(answer) else {
            return Ok(());
        };
        let booked = self.ledger.book_conversion(&row.made);
        booked.map_err(|source| LineError::Ledger { ts, source })?;
        self.conversions.push(row);
        Ok(())
    }

    fn row(&mut self, order: u64) -> Option<&mut OrderRow> {
        let at = *self.index.get(&order)?;
        self.orders.get_mut(at)
    }

    /// An order has another quantity, price or trigger from now on.
    fn fold_amendment(&mut self, order: u64, (px, stop): (Option<Px>, Option<Px>), qty: Qty) {
        let Some(row) = self.row(order) else {
            return;
        };
        if let [(_, part)] = row.allocations.as_mut_slice() {
            *part = Qty(row.request.side.sign() * qty.0);
        }
        row.request.qty = qty;
        row.request.price = px;
        row.request.stop = stop;
        row.reason = "";
    }

    fn fold_fill(&mut self, answer: &Event<Account>) -> Result<(), LineError> {
        let ts = answer.ts_recv;
        let broken = |what: String| LineError::Broken { ts, what };
        let Account::Fill {
            order,
            px,
            qty,
            side,
            is_taker,
            fee,
            reference,
            impact,
        } = answer.body
        else {
            return Err(broken("only a fill is folded here".to_owned()));
        };
        let fill = Fill::of(answer).ok_or_else(|| broken("not a fill".to_owned()))?;
        if order >= FORCED_ID && !self.knows(order) {
            self.enter_deleveraging(answer)?;
        }
        let row = self
            .row(order)
            .ok_or_else(|| broken(format!("a fill of the unknown order {order}")))?;
        let ledger_error = |source| LineError::Ledger { ts, source };
        let parts = prorate(&row.allocations, row.filled, qty).map_err(ledger_error)?;
        row.filled.0 += qty.0;
        row.status = if row.filled == row.request.qty {
            // What was refused of it before ended nothing.
            row.reason = "";
            OrderStatus::Filled
        } else {
            OrderStatus::Working
        };
        let tag = row.tag;
        let booked = self.ledger.apply_fill(&fill, &parts);
        let shares = booked.map_err(ledger_error)?;
        self.fills.push(FillRow {
            order,
            ts_event: answer.ts_event,
            ts_recv: answer.ts_recv,
            instrument: answer.instrument,
            side,
            px,
            qty,
            fee,
            reference,
            impact,
            is_taker,
            shares,
            tag,
        });
        Ok(())
    }
}

#[cfg(test)]
mod tests {
    use std::sync::Arc;

    use cq_ledger::{Valuation, Wallet};
    use cq_types::Side;

    use super::*;

    fn row(id: u64) -> OrderRow {
        OrderRow {
            ts: 7,
            asked: 7,
            request: Request::market(id, 0, Side::Buy, Qty(1)),
            allocations: [(0, Qty(1))].into(),
            filled: Qty(0),
            status: OrderStatus::Sent,
            reason: "",
            is_cancelling: false,
            answers: 0,
            tag: "",
        }
    }

    #[test]
    fn an_id_is_entered_once() {
        let valuation = Valuation {
            asset: "USDT".to_owned(),
            at_par: vec![],
        };
        let wallet = Wallet {
            name: "usdm".to_owned(),
            assets: vec!["USDT".to_owned()],
            instruments: vec![],
        };
        let sleeves = vec!["one".to_owned()];
        let ledger = Ledger::new(Arc::from([]), sleeves, vec![wallet], &valuation);
        let mut books = Books::new(ledger.unwrap());
        assert_eq!(books.next_forced(0), FORCED_ID);
        books.enter(row(3)).unwrap();
        books.enter(row(FORCED_ID + 4)).unwrap();
        let again = books.enter(row(FORCED_ID + 4)).unwrap_err().to_string();
        assert_eq!(
            again,
            "at 7: order 4611686018427387908 is entered a second time"
        );
        assert_eq!(books.orders.len(), 2);
        assert_eq!(books.next_forced(0), FORCED_ID + 5);
        assert_eq!(books.next_forced(1), FORCED_ID + FORCED_IDS);
    }
}
