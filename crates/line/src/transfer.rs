//! Money on its way between wallets: sent, refused, arrived.

use cq_ledger::{LedgerError, Transfer, WalletIdx};
use cq_sim::Venue;
use cq_types::{Account, Contract, Event, InstrumentIdx, Ts};
use rust_decimal::Decimal;

use crate::custody::Custody;
use crate::exchange::Exchange;
use crate::line::{bad, Line};
use crate::transfers::{TransferRow, TransferStatus, TransferTerms};
use crate::LineError;

/// Why money was not sent.
mod reason {
    /// It is not there, or it is margin.
    pub(super) const NOT_FREE: &str = "insufficient_balance";
    /// The wallet takes no more of it as collateral.
    pub(super) const NO_ROOM: &str = "collateral_limit";
}

impl Custody {
    /// Whether the venue lets money out of a wallet: it is there, and neither margin nor that of
    /// orders.
    fn can_send(&self, venue: &Venue, transfer: &Transfer<'_>) -> Result<bool, LedgerError> {
        let orders = |index| self.open_orders(venue, index, None);
        let place = (transfer.from, transfer.asset);
        let free = self
            .account
            .free_to_send(place, orders, &self.marks, transfer.ts)?;
        let leaves = transfer.amount.checked_add(transfer.fee);
        Ok(leaves.is_some_and(|leaves| leaves <= free))
    }

    fn on_departure(
        &mut self,
        venue: &mut Venue,
        transfer: &Transfer<'_>,
        ts: Ts,
    ) -> Result<(), LedgerError> {
        self.account.depart(transfer)?;
        self.look_at_all(venue, ts)
    }

    /// What had nothing left may open positions again.
    fn on_arrival(
        &mut self,
        venue: &mut Venue,
        transfer: &Transfer<'_>,
        ts: Ts,
    ) -> Result<(), LedgerError> {
        self.account.arrive(transfer)?;
        for index in (0..).take(self.marks.len()) {
            if self.account.pool(index).is_some() && self.has_margin(index, ts)? {
                venue.bar(index, None);
            }
        }
        self.look_at_all(venue, ts)
    }

    fn look_at_all(&mut self, venue: &mut Venue, ts: Ts) -> Result<(), LedgerError> {
        for index in (0..).take(self.marks.len()) {
            if self.account.moved_by(index).is_some() {
                self.look(venue, index, ts)?;
            }
        }
        Ok(())
    }
}

impl Line {
    /// Moves money of a sleeve between two wallets: it leaves now, and arrives after the delay of
    /// the venue that keeps the first. Returns its number, from 1.
    ///
    /// What is not free, or more than the other wallet takes, is refused by an answer: nothing
    /// moves.
    ///
    /// # Errors
    /// When the line has ended or there is no such money.
    pub fn transfer(&mut self, transfer: Transfer<'_>) -> Result<u64, LineError> {
        self.in_turn()?;
        if transfer.from == transfer.to {
            return Err(bad(
                "target",
                "another wallet than the source",
                &transfer.to,
            ));
        }
        let ts = self.now;
        let ledger_error = |source| LineError::Ledger { ts, source };
        let transfer = Transfer { ts, ..transfer };
        let refusal = self.sent(transfer).map_err(ledger_error)?;
        let delay = self.terms(transfer.from).map_or(0, |terms| terms.delay);
        let mut row = TransferRow {
            ts,
            arrives: ts + delay,
            sleeve: transfer.sleeve,
            from: transfer.from,
            to: transfer.to,
            asset: transfer.asset.to_owned(),
            amount: transfer.amount,
            fee: transfer.fee,
            status: TransferStatus::InFlight,
            reason: "",
        };
        let transfers = &mut self.books.transfers;
        let at = transfers.rows.len();
        let number = at as u64 + 1;
        if let Some(reason) = refusal {
            (row.arrives, row.reason) = (ts, reason);
            row.status = TransferStatus::Refused;
            transfers.rows.push(row);
            let transfer = number;
            self.tell(Account::TransferRefused { transfer, reason });
            return Ok(number);
        }
        transfers.coming.insert((row.arrives, at));
        transfers.rows.push(row);
        while self.books.transfers.next() <= ts {
            self.land()?;
        }
        Ok(number)
    }

    /// Lets money leave, here and at the venues; why not, where it does not.
    fn sent(&mut self, transfer: Transfer<'_>) -> Result<Option<&'static str>, LedgerError> {
        for Exchange { venue, custody } in self.exchanges() {
            if custody.account.keeps(transfer.from) && !custody.can_send(venue, &transfer)? {
                return Ok(Some(reason::NOT_FREE));
            }
        }
        if !self.is_unlocked(&transfer) {
            return Ok(Some(reason::NOT_FREE));
        }
        match self.books.ledger.depart(transfer) {
            Ok(()) => {}
            Err(LedgerError::NotEnough { .. }) => return Ok(Some(reason::NOT_FREE)),
            Err(LedgerError::NoRoom { .. }) => return Ok(Some(reason::NO_ROOM)),
            Err(other) => return Err(other),
        }
        self.at_venues(&transfer, Custody::on_departure)?;
        Ok(None)
    }

    /// Whether what leaves is beside what the sleeve's spot orders have locked.
    fn is_unlocked(&self, transfer: &Transfer<'_>) -> bool {
        let (sleeve, wallet, asset) = (transfer.sleeve, transfer.from, transfer.asset);
        let traded = self.instruments.iter();
        let spot: Vec<_> = (0..)
            .zip(traded)
            .filter_map(|(index, own)| (own.contract == Contract::Spot).then_some(index))
            .collect();
        let work = self.lived.iter().flat_map(|lived| {
            let at = |index: &InstrumentIdx| lived.exchanges.of(*index).venue.open_orders(*index);
            spot.iter().flat_map(at)
        });
        let locked = self.books.purse().tied_up((sleeve, wallet, asset), work);
        let balance = self.books.ledger.sleeve_balance(sleeve, wallet, asset);
        let leaves = transfer.amount.checked_add(transfer.fee);
        match (locked, leaves, balance) {
            // What the ledger does not know it refuses itself.
            (_, _, Err(_)) => true,
            (Some(locked), Some(leaves), Ok(balance)) => leaves <= balance - locked,
            _ => false,
        }
    }

    /// The next transfer arrives.
    pub(crate) fn land(&mut self) -> Result<(), LineError> {
        let Some((arrives, at)) = self.books.transfers.coming.pop_first() else {
            return Ok(());
        };
        let ts = arrives.max(self.now);
        let ledger_error = |source| LineError::Ledger { ts, source };
        let row = &mut self.books.transfers.rows[at];
        row.status = TransferStatus::Arrived;
        let row = row.clone();
        let transfer = row.transfer();
        self.books.ledger.arrive(&transfer).map_err(ledger_error)?;
        let arrived = self.at_venues(&transfer, Custody::on_arrival);
        arrived.map_err(ledger_error)?;
        self.tell(Account::Transferred {
            transfer: at as u64 + 1,
            amount: row.amount,
        });
        Ok(())
    }

    /// What a transfer of an asset out of a wallet costs by the venue's terms.
    #[must_use]
    pub fn transfer_fee(&self, from: WalletIdx, asset: &str) -> Decimal {
        let terms = self.terms(from);
        terms.map_or(Decimal::ZERO, |terms| terms.fee(asset))
    }

    /// Transfers so far, in the order in which they were asked for.
    #[must_use]
    pub fn transfers(&self) -> &[TransferRow] {
        &self.books.transfers.rows
    }

    fn terms(&self, from: WalletIdx) -> Option<&TransferTerms> {
        let mut all = self.exchanges().iter();
        let keeper = all.find(|exchange| exchange.custody.account.keeps(from));
        keeper.map(|exchange| &exchange.custody.transfers)
    }

    fn exchanges(&self) -> &[Exchange] {
        let lived = self.lived.as_ref();
        lived.map_or(&[], |lived| lived.exchanges.all())
    }

    /// Does something at each venue that keeps a wallet of a transfer.
    fn at_venues(
        &mut self,
        transfer: &Transfer<'_>,
        act: fn(&mut Custody, &mut Venue, &Transfer<'_>, Ts) -> Result<(), LedgerError>,
    ) -> Result<(), LedgerError> {
        let ts = self.now;
        let Some(lived) = &mut self.lived else {
            return Ok(());
        };
        for Exchange { venue, custody } in lived.exchanges.all_mut() {
            let mut wallets = [transfer.from, transfer.to].into_iter();
            if wallets.any(|wallet| custody.account.keeps(wallet)) {
                act(custody, venue, transfer, ts)?;
                self.books.queue(custody.take_answers());
            }
        }
        Ok(())
    }

    /// Says at once what is no answer to an order.
    fn tell(&mut self, body: Account) {
        let answer = Event {
            ts_event: self.now,
            ts_recv: self.now,
            seq: self.seq,
            flags: 0,
            instrument: 0,
            body,
        };
        self.seq += 1;
        self.books.unread.push(answer);
    }
}
