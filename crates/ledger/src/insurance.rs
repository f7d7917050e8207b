//! What the insurance fund pays or takes when it settles a liquidated wallet.

use cq_types::InstrumentIdx;
use rust_decimal::Decimal;

use crate::amount::{add_to, bounded, split, times};
use crate::draft::Draft;
use crate::position::magnitude;
use crate::{Allocation, Ledger, LedgerError};

impl Ledger {
    /// Books what the insurance fund paid (negative: took) after it took over `parts` of a
    /// contract, split over the sleeves by their size. It counts as a fee, and belongs to the
    /// round trip that the liquidation closed.
    ///
    /// # Errors
    /// When the instrument is unknown, a sleeve is, or an amount is too large.
    pub fn book_insurance(
        &mut self,
        instrument: InstrumentIdx,
        amount: Decimal,
        parts: &[Allocation],
    ) -> Result<(), LedgerError> {
        let (_, _, route) = self.layout.traded(instrument)?;
        let sizes: Result<Vec<i64>, _> = parts.iter().map(|(_, qty)| magnitude(*qty)).collect();
        let amounts = split(bounded(amount)?, &sizes?)?;
        let mut draft = Draft::new(&self.layout, &self.state)?;
        let rate = draft.valuation().asset(route.settle)?;
        let base = &self.layout.bases[route.group];
        let mut corrected = Vec::new();
        for ((sleeve, _), amount) in parts.iter().zip(amounts) {
            self.layout.check_sleeve(*sleeve)?;
            draft.credit(*sleeve, route.settle, amount)?;
            let effect = times(amount, rate)?;
            let book = &mut draft.books.sleeves[*sleeve];
            add_to(&mut book.attribution.fees, effect)?;
            if let Some(open) = &mut book.open[route.group] {
                open.outcome.book_fee(effect)?;
                continue;
            }
            let mut trips = self.state.round_trips.iter();
            let own = trips.rposition(|trip| trip.sleeve == *sleeve && trip.base == *base);
            if let Some(at) = own {
                let mut outcome = self.state.round_trips[at].outcome;
                outcome.book_fee(effect)?;
                corrected.push((at, outcome));
            }
        }
        let sealed = draft.seal()?;
        sealed.take_effect(&mut self.state);
        for (trip, outcome) in corrected {
            self.state.round_trips[trip].outcome = outcome;
        }
        Ok(())
    }
}
