//! Funding: the position held just before the scheduled time pays or receives.

use cq_types::{round_money, InstrumentIdx, Qty, Ts};
use rust_decimal::Decimal;

use crate::amount::{add_to, bounded, minus, plus, split, times};
use crate::contract::{notional, price};
use crate::draft::{Draft, Spare};
use crate::position::magnitude;
use crate::{Funding, Ledger, LedgerError, SleeveIdx};

impl Ledger {
    /// Computes and books one funding settlement; returns what the account received
    /// (negative if it paid), in the settle asset.
    ///
    /// Each sleeve books `-position * mark * rate`, rounded; the account is their sum.
    /// A trade stamped at or after `funding.ts` does not count, even if it was booked first.
    ///
    /// # Errors
    /// When the instrument is unknown, the mark is not positive, the time is older than the
    /// remembered position changes (a day), or an amount is too large.
    pub fn apply_funding(&mut self, funding: &Funding) -> Result<Decimal, LedgerError> {
        let (_, instrument, _) = self.layout.traded(funding.instrument)?;
        let mark = price(instrument, funding.mark)?;
        let mut amounts = Vec::new();
        for (sleeve, qty) in self.holders(funding.instrument, funding.ts)? {
            let pays_on = notional(instrument, mark, qty)?;
            amounts.push((sleeve, round_money(-times(pays_on, funding.rate)?)));
        }
        self.book(funding.instrument, funding.ts, &amounts)
    }

    /// Books a settlement as the venue stated it, positive if received.
    ///
    /// Each sleeve takes what it should at the ledger's own mark; what the venue's amount
    /// differs by is split by size, the last sleeve takes the remainder.
    ///
    /// # Errors
    /// As [`Ledger::apply_funding`]; and when money moved but no sleeve held the instrument.
    pub fn book_funding(
        &mut self,
        ts: Ts,
        instrument: InstrumentIdx,
        amount: Decimal,
        rate: Decimal,
    ) -> Result<(), LedgerError> {
        let (i, traded, _) = self.layout.traded(instrument)?;
        let holders = self.holders(instrument, ts)?;
        let mut rest = bounded(round_money(amount))?;
        if holders.is_empty() {
            if rest.is_zero() {
                return Ok(());
            }
            let instrument = traded.id.clone();
            return Err(LedgerError::NothingHeld { instrument, ts });
        }
        let mark = self.marks().of(i)?;
        let (mut amounts, mut sizes) = (Vec::new(), Vec::new());
        for (sleeve, qty) in holders {
            let expected = round_money(-times(notional(traded, mark, qty)?, rate)?);
            rest = minus(rest, expected)?;
            amounts.push((sleeve, expected));
            sizes.push(magnitude(qty)?);
        }
        for ((_, amount), more) in amounts.iter_mut().zip(split(rest, &sizes)?) {
            add_to(amount, more)?;
        }
        self.book(instrument, ts, &amounts)?;
        Ok(())
    }

    /// Sleeves that held something of an instrument just before `ts`.
    fn holders(
        &self,
        instrument: InstrumentIdx,
        ts: Ts,
    ) -> Result<Vec<(SleeveIdx, Qty)>, LedgerError> {
        let mut holders = Vec::new();
        for sleeve in 0..self.layout.sleeves.len() {
            let held = self.state.held_before(sleeve, instrument, ts)?;
            if held.0 != 0 {
                holders.push((sleeve, held));
            }
        }
        Ok(holders)
    }

    fn book(
        &mut self,
        instrument: InstrumentIdx,
        ts: Ts,
        amounts: &[(SleeveIdx, Decimal)],
    ) -> Result<Decimal, LedgerError> {
        let (_, _, route) = self.layout.traded(instrument)?;
        let mut draft = Draft::new(&self.layout, &self.state, Spare::default())?;
        let mut total = Decimal::ZERO;
        let mut late = Vec::new();
        for (sleeve, amount) in amounts {
            total = plus(total, *amount)?;
            draft.credit(*sleeve, route.settle, *amount)?;
            let effect = times(*amount, draft.valuation().asset(route.settle)?)?;
            let book = &mut draft.books.sleeves[*sleeve];
            add_to(&mut book.attribution.funding, effect)?;
            match &mut book.open[route.group] {
                Some(open) if open.entry_ts < ts => open.outcome.book_funding(effect)?,
                _ => late.push((*sleeve, effect)),
            }
        }
        let sealed = draft.seal()?;
        let mut corrected = Vec::new();
        for (sleeve, effect) in late {
            corrected.extend(self.late_funding(sleeve, route.group, ts, effect)?);
        }
        sealed.take_effect(&mut self.state);
        for (trip, outcome) in corrected {
            self.state.round_trips[trip].outcome = outcome;
        }
        Ok(total)
    }

    /// The closed round trip that funding told late belongs to, with the funding in it.
    fn late_funding(
        &self,
        sleeve: SleeveIdx,
        group: usize,
        ts: Ts,
        effect: Decimal,
    ) -> Result<Option<(usize, crate::Outcome)>, LedgerError> {
        let base = &self.layout.bases[group];
        let trips = &self.state.round_trips;
        let Some(at) = trips.iter().rposition(|trip| {
            trip.sleeve == sleeve && trip.base == *base && trip.entry_ts < ts && ts <= trip.exit_ts
        }) else {
            return Ok(None);
        };
        let mut outcome = trips[at].outcome;
        outcome.book_funding(effect)?;
        Ok(Some((at, outcome)))
    }
}
