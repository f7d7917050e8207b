use std::sync::Arc;

use cq_types::{Instrument, InstrumentIdx, Px};
use rust_decimal::Decimal;

use crate::contract::price;
use crate::draft::Spare;
use crate::layout::{Layout, Pricer};
use crate::valuation::Marks;
use crate::{
    Attribution, Flow, LedgerError, Position, RoundTrip, SleeveIdx, State, Valuation, Wallet,
    WalletIdx,
};

/// Largest leverage that may be chosen.
const MAX_LEVERAGE: u16 = 10;

/// Account, sleeves and the rules of booking.
///
/// - Everything booked has at most 8 decimals, rounded half-even; nothing is a float, and
///   every addition is exact.
/// - A contract position keeps the exact sum of what it was taken at; a partial close
///   releases its rounded share of that and the rest keeps the remainder.
/// - Spot trades move both assets in the wallet and are never paid from borrowed money.
/// - A sleeve is a virtual book. Equity of the sleeves adds up to the account's, and each
///   sleeve's attribution to its change of equity, to the last digit.
/// - A booking takes effect as a whole or, on an error, not at all.
#[derive(Debug, Clone)]
pub struct Ledger {
    pub(crate) layout: Arc<Layout>,
    pub(crate) state: State,
    pub(crate) spare: Spare,
}

impl Ledger {
    /// A ledger without money, at 1x leverage.
    ///
    /// An asset of a wallet is priced by an instrument of that wallet where there is one
    /// (spot before contract), else by any that trades it against the valuation asset. An
    /// instrument that no wallet lists can be marked, not traded.
    ///
    /// # Errors
    /// [`LedgerError::Setup`] when the parts do not fit together.
    pub fn new(
        instruments: Arc<[Instrument]>,
        sleeves: Vec<String>,
        wallets: Vec<Wallet>,
        valuation: &Valuation,
    ) -> Result<Self, LedgerError> {
        let layout = Layout::new(instruments, sleeves, wallets, valuation)?;
        let state = State::empty(
            layout.slots.len(),
            layout.instruments.len(),
            layout.sleeves.len(),
            layout.bases.len(),
        );
        let layout = Arc::new(layout);
        Ok(Self {
            layout,
            state,
            spare: Spare::default(),
        })
    }

    /// Chooses the leverage of an instrument, which sets its initial margin.
    ///
    /// # Errors
    /// When the instrument is unknown or the leverage is not within 1 to 10.
    pub fn set_leverage(
        &mut self,
        instrument: InstrumentIdx,
        leverage: u16,
    ) -> Result<(), LedgerError> {
        let (i, ..) = self.layout.traded(instrument)?;
        if !(1..=MAX_LEVERAGE).contains(&leverage) {
            return Err(LedgerError::BadLeverage(leverage, MAX_LEVERAGE));
        }
        self.state.leverage[i] = leverage;
        Ok(())
    }

    /// Takes note of a new mark; O(1), no allocation.
    ///
    /// # Errors
    /// When the instrument is unknown or the price is not positive.
    pub fn mark(&mut self, instrument: InstrumentIdx, px: Px) -> Result<(), LedgerError> {
        let i = self.layout.known(instrument)?;
        price(&self.layout.instruments[i], px)?;
        self.state.marks[i] = Some(px);
        Ok(())
    }

    /// Says what an asset of a wallet is worth before anything was recorded: marks the instrument
    /// that prices it.
    ///
    /// # Errors
    /// When the wallet or asset is unknown, the price is none of the instrument's grid or not that
    /// which it has been given, or the asset is counted one for one.
    pub fn value(
        &mut self,
        wallet: WalletIdx,
        asset: &str,
        worth: Decimal,
    ) -> Result<(), LedgerError> {
        let setup = |text: String| Err(LedgerError::Setup(format!("price of {asset}: {text}")));
        let slot = self.layout.slot(wallet, asset)?;
        let Pricer::Mark(i) = self.layout.slots[slot].pricer else {
            return setup("it is counted one for one, so it has none".to_owned());
        };
        let traded = &self.layout.instruments[i];
        let text = worth.to_string();
        let px = match traded.grid.parse_px(&text) {
            Ok(px) if px.0 > 0 => px,
            _ => {
                let exp = traded.grid.price_exp;
                return setup(format!(
                    "expected one above 0 with {exp} decimals, as {} has, was {text}",
                    traded.id
                ));
            }
        };
        if self.state.marks[i].is_some_and(|known| known != px) {
            return setup(format!("{} has another one already", traded.id));
        }
        self.state.marks[i] = Some(px);
        Ok(())
    }

    /// Last mark of an instrument.
    #[must_use]
    pub fn mark_of(&self, instrument: InstrumentIdx) -> Option<Px> {
        self.state.marks.get(usize::from(instrument)).copied()?
    }

    /// Instruments, in the order of their indices.
    #[must_use]
    pub fn instruments(&self) -> &[Instrument] {
        &self.layout.instruments
    }

    /// Names of the sleeves, in the order of their indices.
    #[must_use]
    pub fn sleeves(&self) -> &[String] {
        &self.layout.sleeves
    }

    /// Wallets, in the order of their indices.
    #[must_use]
    pub fn wallets(&self) -> &[Wallet] {
        &self.layout.wallets
    }

    /// Wallet that an instrument settles in.
    #[must_use]
    pub fn wallet_of(&self, instrument: InstrumentIdx) -> Option<WalletIdx> {
        let route = self.layout.routes.get(usize::from(instrument))?.as_ref()?;
        Some(self.layout.slots[route.settle].wallet)
    }

    /// Index of a wallet by name.
    #[must_use]
    pub fn wallet(&self, name: &str) -> Option<WalletIdx> {
        self.layout.wallets.iter().position(|w| w.name == name)
    }

    /// Index of a sleeve by name.
    #[must_use]
    pub fn sleeve(&self, name: &str) -> Option<SleeveIdx> {
        self.layout.sleeves.iter().position(|s| s == name)
    }

    /// Equity of the account at the marks, in the valuation asset.
    ///
    /// # Errors
    /// When it is too large to be kept exactly.
    pub fn equity(&self) -> Result<Decimal, LedgerError> {
        self.marks().account(&self.state.books)
    }

    /// Equity of a sleeve at the marks; all sleeves add up to [`Ledger::equity`].
    ///
    /// # Errors
    /// When the sleeve is unknown or its equity too large to be kept exactly.
    pub fn sleeve_equity(&self, sleeve: SleeveIdx) -> Result<Decimal, LedgerError> {
        self.layout.check_sleeve(sleeve)?;
        self.marks().sleeve(&self.state.books.sleeves[sleeve])
    }

    /// External cash flows of a sleeve so far, each at its value then.
    ///
    /// # Errors
    /// When the sleeve is unknown.
    pub fn deposits(&self, sleeve: SleeveIdx) -> Result<Decimal, LedgerError> {
        self.layout.check_sleeve(sleeve)?;
        Ok(self.state.books.sleeves[sleeve].deposits)
    }

    /// Where a sleeve's equity came from: `equity = deposits + sum of the parts`, exactly.
    ///
    /// # Errors
    /// When the sleeve is unknown or a part too large to be kept exactly.
    pub fn attribution(&self, sleeve: SleeveIdx) -> Result<Attribution, LedgerError> {
        self.layout.check_sleeve(sleeve)?;
        let books = &self.state.books;
        let book = &books.sleeves[sleeve];
        let mut attribution = book.attribution;
        attribution.add(&self.marks().since_booking(book, &books.settled_marks)?)?;
        Ok(attribution)
    }

    /// Net position of the account: the sum of its fills. Flat if the index is unknown.
    ///
    /// A deposit of the asset is not in it: what a wallet holds is its balance.
    #[must_use]
    pub fn position(&self, instrument: InstrumentIdx) -> Position {
        let positions = &self.state.books.account.positions;
        let position = positions.get(usize::from(instrument));
        position.copied().unwrap_or_default()
    }

    /// Position of a sleeve: the sum of its parts of the fills. Flat if an index is unknown.
    #[must_use]
    pub fn sleeve_position(&self, sleeve: SleeveIdx, instrument: InstrumentIdx) -> Position {
        let book = self.state.books.sleeves.get(sleeve);
        let position = book.and_then(|b| b.holdings.positions.get(usize::from(instrument)));
        position.copied().unwrap_or_default()
    }

    /// Balance of an asset in a wallet of the account, without unrealised P&L.
    ///
    /// # Errors
    /// When the wallet does not exist or does not hold that asset.
    pub fn balance(&self, wallet: WalletIdx, asset: &str) -> Result<Decimal, LedgerError> {
        let slot = self.layout.slot(wallet, asset)?;
        Ok(self.state.books.account.balances[slot])
    }

    /// A sleeve's virtual balance of an asset in a wallet.
    ///
    /// # Errors
    /// When the sleeve or wallet does not exist or does not hold that asset.
    pub fn sleeve_balance(
        &self,
        sleeve: SleeveIdx,
        wallet: WalletIdx,
        asset: &str,
    ) -> Result<Decimal, LedgerError> {
        self.layout.check_sleeve(sleeve)?;
        let slot = self.layout.slot(wallet, asset)?;
        Ok(self.state.books.sleeves[sleeve].holdings.balances[slot])
    }

    /// Closed round trips of all sleeves, in the order in which they were closed.
    #[must_use]
    pub fn round_trips(&self) -> &[RoundTrip] {
        &self.state.round_trips
    }

    /// Money that came from outside or left, in the order in which it was booked.
    #[must_use]
    pub fn flows(&self) -> &[Flow] {
        &self.state.flows
    }

    /// Everything the ledger knows, as plain values.
    #[must_use]
    pub fn snapshot(&self) -> State {
        self.state.clone()
    }

    /// Goes on from what another ledger of the same set-up knew.
    ///
    /// # Errors
    /// [`LedgerError::Setup`] when the state belongs to a ledger of other parts.
    pub fn restore(&mut self, state: State) -> Result<(), LedgerError> {
        let layout = &self.layout;
        if state.has_shape(
            layout.slots.len(),
            layout.instruments.len(),
            layout.sleeves.len(),
            layout.bases.len(),
        ) {
            self.state = state;
            return Ok(());
        }
        let text = "the state has other instruments, wallets or sleeves than this ledger";
        Err(LedgerError::Setup(text.to_owned()))
    }

    pub(crate) fn marks(&self) -> Marks<'_> {
        Marks {
            layout: &self.layout,
            marks: &self.state.marks,
        }
    }
}
