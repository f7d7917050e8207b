//! Liquidation on the venue's timeline, by what the venue knows of the account.
//!
//! A mark, a fill, funding or a transfer that leaves a pool's margin balance at or below its
//! maintenance margin liquidates it at that moment: its orders are cancelled; an order to the
//! market reduces a position to a lower tier, as its venue does; what is still short is taken
//! over by the insurance fund at the bankruptcy price, and the wallet ends at zero.

use cq_ledger::{LedgerError, Margin, Pool, Reducing};
use cq_sim::{reason, ForcedOrder, Venue};
use cq_types::{Account, InstrumentIdx, Qty, Ts};
use rust_decimal::Decimal;

use crate::custody::Custody;

impl Custody {
    /// A wallet that was closed at worse than its bankruptcy price is balanced back to zero.
    pub(crate) fn cover(
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
        venue.bar(instrument, Some(reason::INSUFFICIENT_MARGIN));
        Ok(())
    }

    pub(crate) fn liquidate(
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
        let how = (pool, self.reducing);
        while let Some(part) = self.account.reduction(how, &margin, &self.marks, ts)? {
            let before = self.account.position(part.instrument).qty;
            let order = self.order(part.instrument, part.qty.0, &margin)?;
            if let Some(order) = order {
                venue.liquidate(order, self.reducing == Reducing::FillOrKill, ts);
                self.book(venue)?;
                self.convert(venue, pool, true, ts)?;
            }
            match self.account.margin(pool, &self.marks, ts)? {
                Some(left) if left.is_liquidated() => margin = left,
                _ => return Ok(()),
            }
            let is_done = before == self.account.position(part.instrument).qty;
            if is_done || self.reducing != Reducing::TwoTiers {
                break;
            }
        }
        self.take_over(venue, pool, &margin, ts)?;
        self.convert(venue, pool, true, ts)?;
        for index in contracts {
            let lacks = !self.has_margin(index, ts)?;
            venue.bar(index, lacks.then_some(reason::INSUFFICIENT_MARGIN));
        }
        Ok(())
    }

    /// Whether anything is there to open a position of a contract with.
    pub(crate) fn has_margin(
        &self,
        instrument: InstrumentIdx,
        ts: Ts,
    ) -> Result<bool, LedgerError> {
        let spare = match self.account.pool(instrument) {
            Some(pool @ Pool::Shared(_)) => {
                let counts = self.account.collateral(pool, &self.marks, ts)?;
                counts.unwrap_or(Decimal::ONE)
            }
            _ => self.account.spare(instrument)?,
        };
        Ok(spare > Decimal::ZERO)
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
        if let Pool::Shared(_) = pool {
            // What the assets count changes with the sign of each balance.
            rest = self
                .account
                .collateral(pool, &self.marks, ts)?
                .unwrap_or(rest);
        }
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
}
