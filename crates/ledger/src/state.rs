use std::collections::VecDeque;

use cq_types::{InstrumentIdx, Px, Qty, Ts};
use rust_decimal::Decimal;

use crate::amount::{add_to, plus};
use crate::trip::OpenTrip;
use crate::{LedgerError, Position, RoundTrip, SleeveIdx, WalletIdx};

/// Where a sleeve's change of equity came from, in the valuation asset.
///
/// Each part is its signed effect on equity: what is paid is negative. The parts sum to
/// equity minus external cash flows, with no tolerance.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Attribution {
    /// Moves of the marks, from and to reference prices, outside hedged pairs.
    pub price: Decimal,
    /// Funding received (positive) or paid.
    pub funding: Decimal,
    /// Moves of the marks on the hedged part of spot held and linear contract sold.
    pub basis: Decimal,
    /// Trading fees.
    pub fees: Decimal,
    /// Fill price against reference price, without own impact.
    pub spread: Decimal,
    /// Own impact.
    pub impact: Decimal,
    /// Fees of transfers between wallets.
    pub transfer_fees: Decimal,
}

impl Attribution {
    /// Sum of the parts: equity minus external cash flows.
    ///
    /// # Errors
    /// When the sum is too large to be kept exactly.
    pub fn total(&self) -> Result<Decimal, LedgerError> {
        [
            self.funding,
            self.basis,
            self.fees,
            self.spread,
            self.impact,
            self.transfer_fees,
        ]
        .into_iter()
        .try_fold(self.price, plus)
    }

    pub(crate) fn add(&mut self, other: &Self) -> Result<(), LedgerError> {
        add_to(&mut self.price, other.price)?;
        add_to(&mut self.funding, other.funding)?;
        add_to(&mut self.basis, other.basis)?;
        add_to(&mut self.fees, other.fees)?;
        add_to(&mut self.spread, other.spread)?;
        add_to(&mut self.impact, other.impact)?;
        add_to(&mut self.transfer_fees, other.transfer_fees)
    }
}

/// Money that came from outside or left.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Flow {
    /// When.
    pub ts: Ts,
    /// Whose.
    pub sleeve: SleeveIdx,
    /// Into or out of which wallet.
    pub wallet: WalletIdx,
    /// Which asset.
    pub asset: String,
    /// How much, negative if it left.
    pub amount: Decimal,
    /// Its value then, in the valuation asset.
    pub value: Decimal,
}

/// Balances and positions of the account or of a sleeve.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Holdings {
    /// One balance for each asset of each wallet, in the order of the wallets.
    pub balances: Vec<Decimal>,
    /// What is on its way to each of them: in no balance, but part of the equity.
    pub in_flight: Vec<Decimal>,
    /// One position an instrument.
    pub positions: Vec<Position>,
}

/// The virtual book of a sleeve.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Book {
    /// What it holds.
    pub holdings: Holdings,
    /// External cash flows so far, at their value then.
    pub deposits: Decimal,
    /// Attribution up to the last booking; moves of the marks since are not in it.
    pub attribution: Attribution,
    /// Equity just after the last booking.
    pub settled: Decimal,
    /// Open round trip of each base asset.
    pub open: Vec<Option<OpenTrip>>,
}

/// Account and sleeves.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Books {
    /// What the venue holds for us.
    pub account: Holdings,
    /// One book a sleeve.
    pub sleeves: Vec<Book>,
    /// Marks at the last booking.
    pub settled_marks: Vec<Option<Px>>,
}

/// A change of a sleeve's position, remembered for funding that is told late.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// When it happened at the venue.
    pub ts: Ts,
    /// What changed.
    pub instrument: InstrumentIdx,
    /// Whose.
    pub sleeve: SleeveIdx,
    /// By how much, signed.
    pub qty: Qty,
}

/// Everything a ledger knows, as plain values: what a session begins with.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct State {
    /// Last mark of each instrument.
    pub marks: Vec<Option<Px>>,
    /// Leverage chosen for each instrument.
    pub leverage: Vec<u16>,
    /// Account and sleeves.
    pub books: Books,
    /// External cash flows, oldest first.
    pub flows: Vec<Flow>,
    /// Closed round trips, oldest first.
    pub round_trips: Vec<RoundTrip>,
    /// Position changes of the last day, oldest first.
    pub changes: VecDeque<Change>,
    /// Newest change that is no longer remembered.
    pub forgotten: Option<Ts>,
}

impl Books {
    /// Becomes what others are, in the memory that is here.
    pub(crate) fn copy(&mut self, other: &Self) {
        self.account.copy(&other.account);
        self.settled_marks.clone_from(&other.settled_marks);
        if self.sleeves.len() != other.sleeves.len() {
            self.sleeves.clone_from(&other.sleeves);
            return;
        }
        for (own, book) in self.sleeves.iter_mut().zip(&other.sleeves) {
            own.copy(book);
        }
    }
}

impl Book {
    fn copy(&mut self, other: &Self) {
        self.holdings.copy(&other.holdings);
        self.deposits = other.deposits;
        self.attribution = other.attribution;
        self.settled = other.settled;
        for (own, open) in self.open.iter_mut().zip(&other.open) {
            match (own.as_mut(), open) {
                (Some(own), Some(open)) => own.copy(open),
                _ => own.clone_from(open),
            }
        }
    }
}

impl Holdings {
    fn copy(&mut self, other: &Self) {
        self.balances.clone_from(&other.balances);
        self.in_flight.clone_from(&other.in_flight);
        self.positions.clone_from(&other.positions);
    }

    fn empty(slots: usize, instruments: usize) -> Self {
        Self {
            balances: vec![Decimal::ZERO; slots],
            in_flight: vec![Decimal::ZERO; slots],
            positions: vec![Position::default(); instruments],
        }
    }

    fn has_shape(&self, slots: usize, instruments: usize) -> bool {
        self.balances.len() == slots
            && self.in_flight.len() == slots
            && self.positions.len() == instruments
    }
}

impl State {
    /// A ledger with no money, at 1x leverage.
    pub(crate) fn empty(slots: usize, instruments: usize, sleeves: usize, bases: usize) -> Self {
        let holdings = Holdings::empty(slots, instruments);
        let book = Book {
            holdings: holdings.clone(),
            deposits: Decimal::ZERO,
            attribution: Attribution::default(),
            settled: Decimal::ZERO,
            open: vec![None; bases],
        };
        Self {
            marks: vec![None; instruments],
            leverage: vec![1; instruments],
            books: Books {
                account: holdings,
                sleeves: vec![book; sleeves],
                settled_marks: vec![None; instruments],
            },
            flows: Vec::new(),
            round_trips: Vec::new(),
            changes: VecDeque::new(),
            forgotten: None,
        }
    }

    /// Whether it belongs to a ledger of that many parts.
    pub(crate) fn has_shape(
        &self,
        slots: usize,
        instruments: usize,
        sleeves: usize,
        bases: usize,
    ) -> bool {
        let book_fits =
            |book: &Book| book.open.len() == bases && book.holdings.has_shape(slots, instruments);
        self.marks.len() == instruments
            && self.leverage.len() == instruments
            && self.books.settled_marks.len() == instruments
            && self.books.account.has_shape(slots, instruments)
            && self.books.sleeves.len() == sleeves
            && self.books.sleeves.iter().all(book_fits)
    }
}
