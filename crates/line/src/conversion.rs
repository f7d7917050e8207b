//! Multi-assets mode on the venue's timeline: when it balances a debt, and who hears of it.

use cq_ledger::{Conversion, LedgerError, Pool};
use cq_sim::Venue;
use cq_types::{Account, Event, Ts};

use crate::custody::Custody;

/// One conversion, when we learned of it.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct ConversionRow {
    /// Venue time.
    pub ts_event: Ts,
    /// When we learned of it.
    pub ts_recv: Ts,
    /// What was given for what.
    pub made: Conversion,
}

impl ConversionRow {
    /// The conversion that an answer tells of; `None` for any other answer.
    pub(crate) fn of(answer: &Event<Account>) -> Option<Self> {
        let Account::Converted {
            asset,
            given,
            received,
            price,
            cause,
        } = &answer.body
        else {
            return None;
        };
        Some(Self {
            ts_event: answer.ts_event,
            ts_recv: answer.ts_recv,
            made: Conversion {
                instrument: answer.instrument,
                asset: asset.clone(),
                given: *given,
                received: *received,
                price: *price,
                cause,
            },
        })
    }
}

impl Custody {
    /// Makes the conversions that are due; what a wallet without positions still owes after all
    /// of its assets are gone, the insurance fund pays.
    pub(crate) fn convert(
        &mut self,
        venue: &mut Venue,
        pool: Pool,
        is_liquidated: bool,
        ts: Ts,
    ) -> Result<(), LedgerError> {
        let Pool::Shared(_) = pool else {
            return Ok(());
        };
        let contracts: Vec<_> = self.account.contracts(pool).collect();
        let is_flat = self.account.held(pool).next().is_none();
        let is_idle = is_flat && !contracts.iter().any(|index| venue.is_working(*index));
        let due = (is_idle, is_liquidated);
        let made = self.account.conversions(&self.marks, due, ts)?;
        if made.is_empty() {
            return Ok(());
        }
        for one in made {
            self.account.convert(&one)?;
            let said = Account::Converted {
                asset: one.asset,
                given: one.given,
                received: one.received,
                price: one.price,
                cause: one.cause,
            };
            venue.tell(one.instrument, said, ts);
        }
        self.book(venue)?;
        if is_flat {
            for index in contracts {
                if let Some(order) = self.traded[usize::from(index)] {
                    self.cover(venue, index, order, ts)?;
                }
            }
        }
        Ok(())
    }
}
