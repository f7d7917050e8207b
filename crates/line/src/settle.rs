use cq_ledger::Funding;
use cq_types::{round_money, Account, Event, InstrumentIdx, Market, Qty, Ts};
use rust_decimal::Decimal;

use crate::cursor::scheduled;
use crate::exchange::Exchange;
use crate::jitter::Settlement;
use crate::line::Line;
use crate::LineError;

impl Line {
    /// Funding is settled on the position held just before; where a fill from before is still
    /// on its way to us, right after that fill.
    pub(crate) fn settle(&mut self) -> Result<(), LineError> {
        let Some(lived) = &mut self.lived else {
            return Ok(());
        };
        if let Some((ts, index)) = self.unfunded.pop_if(|(ts, _)| *ts < lived.funding.due) {
            let venue = &lived.exchanges.of(index).venue;
            if venue.position_before(index, ts).0 == 0 {
                return Ok(());
            }
            let instrument = self.instruments[usize::from(index)].id.clone();
            return Err(LineError::NoFunding { ts, instrument });
        }
        let due = lived.funding.pop(&self.tape);
        let event = self.tape[due.stream].event(due.row, 0);
        let Some(event) = event else {
            return Ok(());
        };
        let Market::Funding { rate } = event.body else {
            return Ok(());
        };
        let ts = scheduled(event.ts_event);
        self.settle_leg(event.instrument, rate, ts)?;
        match self.legs.short(event.instrument) {
            Some(short) => self.settle_leg(short, rate, ts),
            None => Ok(()),
        }
    }

    /// Settles funding of a position; of a contract in hedge mode each is charged for itself.
    fn settle_leg(
        &mut self,
        instrument: InstrumentIdx,
        rate: Decimal,
        ts: Ts,
    ) -> Result<(), LineError> {
        let Some(lived) = &mut self.lived else {
            return Ok(());
        };
        let exchange = lived.exchanges.of(instrument);
        let position = exchange.venue.position_before(instrument, ts);
        let Some(mark) = exchange.custody.marks[usize::from(instrument)] else {
            return Ok(());
        };
        let funding = Funding {
            ts,
            instrument,
            rate,
            mark,
        };
        if position.0 != 0 {
            self.book_funding(&funding, position)?;
        }
        let Some(lived) = &mut self.lived else {
            return Ok(());
        };
        let at = Settlement {
            instrument,
            ts,
            rate,
            mark,
        };
        let Exchange { venue, custody } = lived.exchanges.of_mut(instrument);
        let costs = custody.on_settlement(venue, at, position.0);
        costs.map_err(|source| LineError::Ledger { ts, source })?;
        self.books.queue(custody.take_answers());
        Ok(())
    }

    fn book_funding(&mut self, funding: &Funding, position: Qty) -> Result<(), LineError> {
        let Funding {
            ts,
            instrument,
            rate,
            mark,
        } = *funding;
        let traded = &self.instruments[usize::from(instrument)];
        let amount = round_money(-traded.notional(mark, position) * rate);
        let mut answer = Event {
            ts_event: ts,
            ts_recv: ts,
            seq: 0,
            flags: 0,
            instrument,
            body: Account::FundingPaid { amount, rate },
        };
        if let Some(late) = self.books.awaits(instrument, ts) {
            answer.ts_recv = late;
            self.books.queue([answer]);
            return self.fund(instrument, amount, ts);
        }
        let held = self.books.ledger.position(instrument).qty;
        if held != position {
            let what = format!(
                "the ledger holds {} of {}, the venue {}",
                held.0, traded.id, position.0
            );
            return Err(LineError::Broken { ts, what });
        }
        self.mark_at(instrument, mark)?;
        let ledger_error = |source| LineError::Ledger { ts, source };
        let amount = self
            .books
            .ledger
            .apply_funding(funding)
            .map_err(ledger_error)?;
        answer.body = Account::FundingPaid { amount, rate };
        answer.seq = self.seq;
        self.seq += 1;
        self.books.unread.push(answer);
        self.fund(instrument, amount, ts)
    }

    /// The venue books a payment, which may liquidate.
    fn fund(
        &mut self,
        instrument: InstrumentIdx,
        amount: Decimal,
        ts: Ts,
    ) -> Result<(), LineError> {
        let Some(lived) = &mut self.lived else {
            return Ok(());
        };
        let Exchange { venue, custody } = lived.exchanges.of_mut(instrument);
        let booked = custody.on_funding(venue, instrument, amount, ts);
        booked.map_err(|source| LineError::Ledger { ts, source })?;
        self.books.queue(custody.take_answers());
        Ok(())
    }

    /// The equity row of `ts`, at the venue's marks.
    pub(crate) fn write_row(&mut self, ts: Ts) -> Result<(), LineError> {
        if let Some(lived) = &self.lived {
            let marks: Vec<_> = lived.exchanges.marks().collect();
            for (instrument, px) in marks {
                self.mark_at(instrument, px)?;
            }
        }
        let books = &mut self.books;
        let sampled = books.rows.sample(ts, &books.ledger);
        sampled.map_err(|source| LineError::Ledger { ts, source })
    }
}
