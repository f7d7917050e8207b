//! Liquidation on the venue's timeline, by what the venue knows of the account.
//!
//! A mark, a fill, funding or a transfer that leaves a pool's margin balance at or below its
//! maintenance margin liquidates it at that moment: its orders are cancelled; one order to the
//! market reduces a position to a lower tier, where that helps; what is still short is taken
//! over by the insurance fund at the bankruptcy price, and the wallet ends at zero.

use cq_ledger::{Fill, LedgerError, Margin, MarginAccount, Pool, Safe, Transfer};
use cq_sim::{ForcedOrder, Purse, Request, SimConfig, Venue};
use cq_types::{Account, Event, InstrumentIdx, Px, Qty, Ts};
use rust_decimal::Decimal;

use crate::jitter::{Jitter, Settlement};

/// What a venue keeps of the account beside its orders.
pub(crate) struct Custody {
    pub(crate) account: MarginAccount,
    /// The mark that margin, funding and equity rows use, per instrument.
    pub(crate) marks: Vec<Option<Px>>,
    /// Marks of each instrument that need no look.
    safe: Vec<Safe>,
    /// Answers that are booked here and not yet on their way to us.
    answers: Vec<Event<Account>>,
    /// What the insurance fund holds, in each instrument's settle asset, if it can be empty.
    fund: Option<Vec<Decimal>>,
    jitter: Jitter,
}

impl Custody {
    pub(crate) fn new(account: MarginAccount, count: usize, config: &SimConfig) -> Self {
        Self {
            account,
            marks: vec![None; count],
            safe: vec![Safe::NEVER; count],
            answers: Vec::new(),
            fund: config.insurance_fund.map(|fund| vec![fund; count]),
            jitter: Jitter::new(config.funding_jitter),
        }
    }

    pub(crate) fn take_answers(&mut self) -> Vec<Event<Account>> {
        std::mem::take(&mut self.answers)
    }

    pub(crate) fn has_answers(&self) -> bool {
        !self.answers.is_empty()
    }

    /// A new mark; nearly always a few integer comparisons.
    pub(crate) fn on_mark(
        &mut self,
        venue: &mut Venue,
        instrument: InstrumentIdx,
        px: Px,
        ts: Ts,
    ) -> Result<(), LedgerError> {
        let i = usize::from(instrument);
        self.marks[i] = Some(px);
        if self.safe[i].holds(px, ts) {
            return Ok(());
        }
        self.look(venue, instrument, ts)
    }

    /// Books what the venue has just done, and looks at the margin of what it touched.
    pub(crate) fn hear(&mut self, venue: &mut Venue, ts: Ts) -> Result<(), LedgerError> {
        if !venue.has_answers() {
            return Ok(());
        }
        for (instrument, order) in self.book(venue)? {
            self.look(venue, instrument, ts)?;
            self.cover(venue, instrument, order, ts)?;
        }
        Ok(())
    }

    /// A wallet that was closed at worse than its bankruptcy price is balanced back to zero.
    fn cover(
        &mut self,
        venue: &mut Venue,
        instrument: InstrumentIdx,
        order: u64,
        ts: Ts,
    ) -> Result<(), LedgerError> {
        let owed = self.account.owed(instrument)?;
        if owed.is_zero() {
            return Ok(());
        }
        let said = Account::Insurance {
            order,
            amount: owed,
            deficit: owed,
            is_adl: self.draw(instrument, -owed),
        };
        venue.tell(instrument, said, ts);
        self.account.credit(instrument, owed)?;
        self.book(venue)?;
        venue.bar(instrument, true);
        Ok(())
    }

    /// Lets the next message arrive; an order whose margin is not there is refused.
    pub(crate) fn admit(
        &mut self,
        venue: &mut Venue,
        purse: &dyn Purse,
        ts: Ts,
    ) -> Result<(), LedgerError> {
        let Some(request) = venue.next_order().copied() else {
            venue.arrive(purse);
            return Ok(());
        };
        let Request {
            instrument,
            side,
            qty,
            ..
        } = request;
        let mark = self.marks.get(usize::from(instrument)).copied().flatten();
        let px = request.price.or(mark).filter(|px| px.0 > 0);
        let is_contract = self.account.pool(instrument).is_some();
        let (Some(px), true) = (px, is_contract && !request.only_reduces()) else {
            venue.arrive(purse);
            return Ok(());
        };
        let signed = Qty(side.sign() * qty.0);
        let asked = (instrument, signed);
        let is_paid = match self.account.can_open(asked, px, &self.marks, ts) {
            // More than can be counted is more than anybody has.
            Err(LedgerError::Overflow(_)) => false,
            is_paid => is_paid?,
        };
        venue.bar(instrument, !is_paid);
        venue.arrive(purse);
        Ok(())
    }

    /// Funding, booked as it is stated.
    pub(crate) fn on_funding(
        &mut self,
        venue: &mut Venue,
        instrument: InstrumentIdx,
        amount: Decimal,
        ts: Ts,
    ) -> Result<(), LedgerError> {
        self.account.credit(instrument, amount)?;
        self.look(venue, instrument, ts)
    }

    /// Fills near a settlement that was just booked, or was of nothing, cost this beside it.
    pub(crate) fn on_settlement(
        &mut self,
        venue: &mut Venue,
        at: Settlement,
        held: i64,
    ) -> Result<(), LedgerError> {
        let traded = &self.account.instruments()[usize::from(at.instrument)];
        let cost = self.jitter.settle(traded, at, held);
        self.pay(venue, &at, cost, at.ts)?;
        self.book(venue)?;
        self.look(venue, at.instrument, at.ts)
    }

    fn pay(
        &mut self,
        venue: &mut Venue,
        at: &Settlement,
        amount: Decimal,
        ts: Ts,
    ) -> Result<(), LedgerError> {
        if amount.is_zero() {
            return Ok(());
        }
        let said = Account::FundingOfFills {
            amount,
            rate: at.rate,
            since: at.ts - self.jitter.width(),
        };
        venue.tell(at.instrument, said, ts);
        self.account.credit(at.instrument, amount)
    }

    /// A transfer that the ledger let through; what had nothing left may open positions again.
    pub(crate) fn on_transfer(
        &mut self,
        venue: &mut Venue,
        transfer: Transfer<'_>,
        ts: Ts,
    ) -> Result<(), LedgerError> {
        self.account.transfer(transfer)?;
        for index in (0..).take(self.marks.len()) {
            if self.account.pool(index).is_none() {
                continue;
            }
            if self.account.spare(index)? > Decimal::ZERO {
                venue.bar(index, false);
            }
            self.look(venue, index, ts)?;
        }
        Ok(())
    }

    /// Looks at the pool of an instrument, and liquidates it where it must be.
    fn look(
        &mut self,
        venue: &mut Venue,
        instrument: InstrumentIdx,
        ts: Ts,
    ) -> Result<(), LedgerError> {
        let Some(pool) = self.account.pool(instrument) else {
            self.safe[usize::from(instrument)] = Safe::ALWAYS;
            return Ok(());
        };
        if let Some(margin) = self.account.margin(pool, &self.marks, ts)? {
            if margin.is_liquidated() {
                self.liquidate(venue, pool, &margin, ts)?;
            }
        }
        let contracts: Vec<_> = self.account.contracts(pool).collect();
        for index in contracts {
            self.safe[usize::from(index)] = self.account.safe(index, pool, ts)?;
        }
        Ok(())
    }

    fn liquidate(
        &mut self,
        venue: &mut Venue,
        pool: Pool,
        margin: &Margin,
        ts: Ts,
    ) -> Result<(), LedgerError> {
        let contracts: Vec<_> = self.account.contracts(pool).collect();
        for index in &contracts {
            venue.cancel_working(*index, ts);
        }
        self.book(venue)?;
        let mut margin = *margin;
        if let Some(part) = self.account.reduction(pool, &margin, &self.marks, ts)? {
            let order = self.order(part.instrument, part.qty.0, &margin)?;
            if let Some(order) = order {
                venue.liquidate(order, ts);
                self.book(venue)?;
            }
            match self.account.margin(pool, &self.marks, ts)? {
                Some(left) if left.is_liquidated() => margin = left,
                _ => return Ok(()),
            }
        }
        self.take_over(venue, pool, &margin, ts)?;
        for index in contracts {
            venue.bar(index, self.account.spare(index)? <= Decimal::ZERO);
        }
        Ok(())
    }

    /// Hands every position of a pool over; what the last bit of margin misses or leaves is
    /// the fund's.
    fn take_over(
        &mut self,
        venue: &mut Venue,
        pool: Pool,
        margin: &Margin,
        ts: Ts,
    ) -> Result<(), LedgerError> {
        let mut left = *margin;
        let mut last = None;
        let mut rest = margin.balance;
        for index in self.account.by_maintenance(pool, &self.marks, ts)? {
            let held = self.account.position(index).qty.0.abs();
            let Some(order) = self.order(index, held, &left)? else {
                continue;
            };
            let before = self.account.settled(index)?;
            last = venue.take_over(order, ts).map(|id| (id, index)).or(last);
            self.book(venue)?;
            rest += self.account.settled(index)? - before;
            // The first takes all that is left; the others change hands at their marks.
            left.margin_balance = Decimal::ZERO;
        }
        let Some((order, instrument)) = last else {
            return Ok(());
        };
        let deficit = (-margin.margin_balance).max(Decimal::ZERO);
        let is_adl = self.draw(instrument, margin.margin_balance);
        let said = Account::Insurance {
            order,
            amount: -rest,
            deficit,
            is_adl,
        };
        venue.tell(instrument, said, ts);
        self.account.credit(instrument, -rest)?;
        self.book(venue)?;
        Ok(())
    }

    /// The fund gains or loses what the wallet was worth at the mark; whether it lacks that.
    fn draw(&mut self, instrument: InstrumentIdx, worth: Decimal) -> bool {
        let Some(fund) = &mut self.fund else {
            return false;
        };
        let held = &mut fund[usize::from(instrument)];
        let is_short = *held + worth < Decimal::ZERO;
        if !is_short {
            *held += worth;
        }
        is_short
    }

    fn order(
        &self,
        instrument: InstrumentIdx,
        qty: i64,
        margin: &Margin,
    ) -> Result<Option<ForcedOrder>, LedgerError> {
        let Some(mark) = self.marks[usize::from(instrument)] else {
            return Ok(None);
        };
        let bankruptcy = self.account.bankruptcy_price(instrument, margin, mark)?;
        Ok(Some(ForcedOrder {
            instrument,
            qty: Qty(qty),
            bankruptcy,
            mark,
        }))
    }

    /// Books the venue's answers; returns what was traded, each with its last order.
    fn book(&mut self, venue: &mut Venue) -> Result<Vec<(InstrumentIdx, u64)>, LedgerError> {
        let mut traded: Vec<(InstrumentIdx, u64)> = Vec::new();
        for answer in venue.take_answers() {
            let mut costs = Vec::new();
            if let Some(fill) = Fill::of(&answer) {
                let before = self.account.position(fill.instrument).qty.0;
                self.account.fill(&fill)?;
                let turned = (before, before + fill.qty.0);
                let own = &self.account.instruments()[usize::from(fill.instrument)];
                costs = self.jitter.on_fill(own, fill.instrument, turned, fill.ts);
                let mark = &mut self.marks[usize::from(fill.instrument)];
                mark.get_or_insert(fill.reference);
                if let Account::Fill { order, .. } = answer.body {
                    traded.retain(|(instrument, _)| *instrument != fill.instrument);
                    traded.push((fill.instrument, order));
                }
            }
            let ts = answer.ts_event;
            self.answers.push(answer);
            for (at, cost) in costs {
                self.pay(venue, &at, cost, ts)?;
            }
        }
        // What such fills cost was told above.
        self.answers.append(&mut venue.take_answers());
        Ok(traded)
    }

    /// Lets the answers since `from` arrive by `ts` at the latest.
    pub(crate) fn hasten(&mut self, from: usize, ts: Ts) {
        for answer in &mut self.answers[from..] {
            answer.ts_recv = answer.ts_recv.min(ts);
        }
    }

    /// How many answers wait.
    pub(crate) fn waiting(&self) -> usize {
        self.answers.len()
    }
}
