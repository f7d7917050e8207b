//! What the account pays or gets beside its trades, split over the sleeves by size.

use cq_types::{InstrumentIdx, Ts};
use rust_decimal::Decimal;

use crate::amount::{add_to, bounded, split, times};
use crate::draft::{Draft, Spare};
use crate::position::magnitude;
use crate::{Allocation, Ledger, LedgerError, SleeveIdx};

/// What a charge counts as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Kind {
    Fee,
    Funding,
}

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
        let sized = parts
            .iter()
            .map(|(sleeve, qty)| Ok((*sleeve, magnitude(*qty)?)));
        let sized: Result<Vec<_>, LedgerError> = sized.collect();
        self.charge(instrument, amount, &sized?, Kind::Fee)
    }

    /// Books funding that fills near a settlement cost (negative), split over the sleeves by
    /// what they traded of the contract from `from` to `to`.
    ///
    /// # Errors
    /// When the instrument is unknown, nobody traded it then, or an amount is too large.
    pub fn book_funding_of_fills(
        &mut self,
        instrument: InstrumentIdx,
        amount: Decimal,
        from: Ts,
        to: Ts,
    ) -> Result<(), LedgerError> {
        let (_, traded, _) = self.layout.traded(instrument)?;
        let mut sized = Vec::new();
        for sleeve in 0..self.layout.sleeves.len() {
            let own = self.state.changes.iter().filter(|change| {
                change.sleeve == sleeve
                    && change.instrument == instrument
                    && (from..=to).contains(&change.ts)
            });
            let sizes = own.map(|change| magnitude(change.qty));
            let size = sizes.sum::<Result<i64, _>>()?;
            if size > 0 {
                sized.push((sleeve, size));
            }
        }
        if sized.is_empty() {
            let instrument = traded.id.clone();
            return Err(LedgerError::NothingHeld { instrument, ts: to });
        }
        self.charge(instrument, amount, &sized, Kind::Funding)
    }

    fn charge(
        &mut self,
        instrument: InstrumentIdx,
        amount: Decimal,
        sized: &[(SleeveIdx, i64)],
        kind: Kind,
    ) -> Result<(), LedgerError> {
        let (_, _, route) = self.layout.traded(instrument)?;
        let sizes: Vec<i64> = sized.iter().map(|(_, size)| *size).collect();
        let amounts = split(bounded(amount)?, &sizes)?;
        let mut draft = Draft::new(&self.layout, &self.state, Spare::default())?;
        let rate = draft.valuation().asset(route.settle)?;
        let base = &self.layout.bases[route.group];
        let mut corrected = Vec::new();
        for ((sleeve, _), amount) in sized.iter().zip(amounts) {
            self.layout.check_sleeve(*sleeve)?;
            draft.credit(*sleeve, route.settle, amount)?;
            let effect = times(amount, rate)?;
            let book = &mut draft.books.sleeves[*sleeve];
            let part = match kind {
                Kind::Fee => &mut book.attribution.fees,
                Kind::Funding => &mut book.attribution.funding,
            };
            add_to(part, effect)?;
            let add = |outcome: &mut crate::Outcome| match kind {
                Kind::Fee => outcome.book_fee(effect),
                Kind::Funding => outcome.book_funding(effect),
            };
            if let Some(open) = &mut book.open[route.group] {
                add(&mut open.outcome)?;
                continue;
            }
            let mut trips = self.state.round_trips.iter();
            let own = trips.rposition(|trip| trip.sleeve == *sleeve && trip.base == *base);
            if let Some(at) = own {
                let mut outcome = self.state.round_trips[at].outcome;
                add(&mut outcome)?;
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
