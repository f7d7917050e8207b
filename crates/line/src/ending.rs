use cq_sim::Request;
use cq_types::{Account, Contract, InstrumentIdx, Qty, Side, Ts};

use crate::line::{Line, Phase};
use crate::record::{OrderRow, OrderStatus};
use crate::venue::Lived;
use crate::LineError;

impl Line {
    /// A contract is no longer tradable: its orders end, its position is closed.
    pub(crate) fn delist(&mut self, ts: Ts) -> Result<(), LineError> {
        let Some(index) = self.lived.as_mut().and_then(Lived::delist) else {
            return Ok(());
        };
        self.close(index, ts, "delisted")
    }

    /// The tape ends: answers on their way arrive, orders end, positions are closed at the
    /// last price with costs, and the last equity row is written.
    pub(crate) fn finish(&mut self) -> Result<(), LineError> {
        let ts = self.end;
        self.now = ts;
        let count = u16::try_from(self.instruments.len()).unwrap_or(u16::MAX);
        if self.lived.is_some() {
            for index in 0..count {
                self.close(index, ts, "data_end")?;
            }
        }
        if let Some(lived) = &self.lived {
            let mut accounts = lived.exchanges.all().iter().map(|x| &x.custody.account);
            if !accounts.all(|account| account.agrees_with(&self.books.ledger)) {
                let what = "the ledger's balances are not those of the venue".to_owned();
                return Err(LineError::Broken { ts, what });
            }
        }
        self.write_row(ts)?;
        self.phase = Phase::Ended;
        Ok(())
    }

    fn close(&mut self, index: InstrumentIdx, ts: Ts, tag: &'static str) -> Result<(), LineError> {
        self.hear_all()?;
        let Some(lived) = &mut self.lived else {
            return Ok(());
        };
        let exchange = lived.exchanges.of_mut(index);
        exchange.venue.cancel_all(index, ts);
        if self.instruments[usize::from(index)].contract == Contract::Spot {
            let parts = self.books.closing(index);
            let here = parts.iter().map(|(_, part)| -part.0).sum();
            exchange.venue.set_position(index, Qty(here));
        }
        let position = exchange.venue.position(index);
        let purse = self.books.purse();
        let forced = exchange.venue.force_close(index, ts, &purse);
        let heard = exchange.hear(ts);
        heard.map_err(|source| LineError::Ledger { ts, source })?;
        let answers = exchange.custody.take_answers();
        let left = exchange.venue.position(index);
        if let (Some(id), Some(side)) = (forced, Side::of(-position.0)) {
            let request = Request {
                reduce_only: true,
                ..Request::market(id, index, side, Qty(position.0.abs()))
            };
            self.books.enter(OrderRow {
                ts,
                asked: ts,
                request,
                allocations: self.books.closing(index),
                filled: Qty(0),
                status: OrderStatus::Sent,
                reason: "",
                is_cancelling: false,
                answers: 0,
                tag,
            })?;
        }
        self.books.queue(answers);
        self.hear_all()?;
        if left.0 != 0 {
            let id = &self.instruments[usize::from(index)].id;
            let what = format!("{id} could not be closed: no price is known");
            return Err(LineError::Broken { ts, what });
        }
        Ok(())
    }

    /// Folds every answer, however late it would arrive: there is no later.
    fn hear_all(&mut self) -> Result<(), LineError> {
        while let Some(mut answer) = self.books.on_the_way.pop_front() {
            let is_ours = !matches!(answer.body, Account::FundingPaid { .. });
            answer.seq = self.seq;
            self.seq += u64::from(is_ours);
            self.books.fold(answer)?;
        }
        Ok(())
    }
}
