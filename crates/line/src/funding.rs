//! Funding at the venue, with what fills near a settlement cost.

use cq_ledger::LedgerError;
use cq_sim::Venue;
use cq_types::{Account, InstrumentIdx, Ts};
use rust_decimal::Decimal;

use crate::custody::Custody;
use crate::jitter::Settlement;

impl Custody {
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

    pub(crate) fn pay(
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
}
