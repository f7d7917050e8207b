//! The simulated venues of a line, each with the account that it keeps of us.

use std::collections::BTreeMap;
use std::sync::Arc;

use cq_ledger::{Ledger, LedgerError, MarginAccount, Wallet};
use cq_sim::{Purse, SimConfig, SimError, Venue};
use cq_types::{Instrument, InstrumentIdx, Px, Ts};

use crate::account::Books;
use crate::cursor::NEVER;
use crate::custody::Custody;
use crate::line::bad;
use crate::LineError;

/// A venue and what it keeps of the account beside the orders.
pub(crate) struct Exchange {
    pub(crate) venue: Venue,
    pub(crate) custody: Custody,
}

impl Exchange {
    /// Books what the venue has just done.
    pub(crate) fn hear(&mut self, ts: Ts) -> Result<(), LedgerError> {
        self.custody.hear(&mut self.venue, ts)
    }
}

/// All venues of a line.
pub(crate) struct Exchanges {
    all: Vec<Exchange>,
    /// Position in `all` of each instrument's venue.
    of: Vec<usize>,
}

impl Exchanges {
    pub(crate) fn new(all: Vec<Exchange>, of: Vec<usize>) -> Self {
        Self { all, of }
    }

    /// The venue of an instrument; one that nobody knows is the first venue's to refuse.
    pub(crate) fn of(&self, instrument: InstrumentIdx) -> &Exchange {
        &self.all[self.place(instrument)]
    }

    pub(crate) fn of_mut(&mut self, instrument: InstrumentIdx) -> &mut Exchange {
        let at = self.place(instrument);
        &mut self.all[at]
    }

    fn place(&self, instrument: InstrumentIdx) -> usize {
        self.of.get(usize::from(instrument)).copied().unwrap_or(0)
    }

    pub(crate) fn all(&self) -> &[Exchange] {
        &self.all
    }

    pub(crate) fn all_mut(&mut self) -> &mut [Exchange] {
        &mut self.all
    }

    /// Last mark of each instrument at its venue.
    pub(crate) fn marks(&self) -> impl Iterator<Item = (InstrumentIdx, Px)> + '_ {
        let marks = |index: InstrumentIdx| self.of(index).custody.marks[usize::from(index)];
        (0..)
            .take(self.of.len())
            .filter_map(move |index| Some((index, marks(index)?)))
    }

    /// When a message reaches a venue next.
    pub(crate) fn next_arrival(&self) -> Ts {
        let next = |exchange: &Exchange| exchange.venue.next_arrival().unwrap_or(NEVER);
        match self.all.as_slice() {
            // Asked between any two events: the only venue needs no search.
            [only] => next(only),
            all => all.iter().map(next).min().unwrap_or(NEVER),
        }
    }

    /// Lets the next message arrive; at one time that of the venue that is named first.
    pub(crate) fn admit(&mut self, purse: &dyn Purse, ts: Ts) -> Result<(), LedgerError> {
        let next = |exchange: &&mut Exchange| exchange.venue.next_arrival().unwrap_or(NEVER);
        let Some(Exchange { venue, custody }) = self.all.iter_mut().min_by_key(next) else {
            return Ok(());
        };
        custody.admit(venue, purse, ts)
    }
}

/// Which venue each instrument trades at, in the order in which the instruments name them.
#[derive(Debug, Clone)]
pub(crate) struct Listing {
    names: Vec<String>,
    /// Position in `names` of each instrument's venue.
    of: Vec<usize>,
    /// Settings of each venue; none where nothing is simulated.
    configs: Vec<SimConfig>,
}

impl Listing {
    /// Venues by the ids of the instruments, with the settings of each: `own`, else `rest`.
    ///
    /// # Errors
    /// When a setting cannot be used, a venue has none, or one of no instrument has some.
    pub(crate) fn new(
        instruments: &Arc<[Instrument]>,
        rest: Option<&SimConfig>,
        own: &BTreeMap<String, SimConfig>,
    ) -> Result<Self, LineError> {
        let (mut names, mut of) = (Vec::<String>::new(), Vec::new());
        for instrument in instruments.iter() {
            let name = instrument.venue();
            let at = names.iter().position(|known| known == name);
            of.push(at.unwrap_or(names.len()));
            if at.is_none() {
                names.push(name.to_owned());
            }
        }
        if names.is_empty() {
            names.push(String::new());
        }
        if let Some(other) = own.keys().find(|name| !names.contains(name)) {
            return Err(bad("sim", &format!("a venue of {names:?}"), other));
        }
        let mut configs = Vec::new();
        for (n, name) in (0..).zip(&names) {
            let Some(config) = own.get(name).or(rest) else {
                if own.is_empty() {
                    continue;
                }
                return Err(bad("sim", &format!("settings of each of {names:?}"), name));
            };
            let mut config = config.clone();
            config.latency = config.latency.of_venue(n);
            Venue::new(Arc::clone(instruments), &[], &config)?;
            configs.push(config);
        }
        Ok(Self { names, of, configs })
    }

    pub(crate) fn is_simulated(&self) -> bool {
        !self.configs.is_empty()
    }

    /// A wallet is at one venue: what settles in it trades there.
    ///
    /// # Errors
    /// When instruments of two simulated venues settle in one wallet.
    pub(crate) fn check(&self, wallets: &[Wallet]) -> Result<(), LineError> {
        for wallet in wallets.iter().filter(|_| self.is_simulated()) {
            let own = wallet
                .instruments
                .iter()
                .filter_map(|i| self.of.get(usize::from(*i)));
            let mut venues: Vec<_> = own.map(|at| self.names[*at].as_str()).collect();
            venues.dedup();
            if venues.len() > 1 {
                let expected = format!("instruments of one venue in wallet {:?}", wallet.name);
                return Err(bad("wallets", &expected, &venues.join(" and ")));
            }
        }
        Ok(())
    }

    /// The ledger with the rules that the venues have for their wallets from `ts` on.
    ///
    /// # Errors
    /// When a wallet cannot have the mode that a setting gives it, or two are to have it.
    pub(crate) fn ruled(&self, ledger: Ledger, ts: Ts) -> Result<Ledger, LedgerError> {
        let mut modes: Vec<_> = (self.configs.iter())
            .filter_map(|config| config.multi_assets.as_ref())
            .collect();
        modes.dedup();
        match modes[..] {
            [] => Ok(ledger),
            [mode] => ledger.with_multi_assets(mode, ts),
            _ => Err(LedgerError::Setup(
                "multi-assets: only one wallet of an account can be in that mode".to_owned(),
            )),
        }
    }

    /// Position of each instrument's venue among those of [`Self::open`].
    pub(crate) fn places(&self) -> Vec<usize> {
        self.of.clone()
    }

    /// The venues with the account of a ledger that has heard everything; `steps` are the price
    /// steps of what trades on a recorded book.
    pub(crate) fn open(
        &self,
        books: &Books,
        instruments: &Arc<[Instrument]>,
        steps: &[Option<Px>],
    ) -> Result<Vec<Exchange>, SimError> {
        let all = self.configs.iter().enumerate();
        all.map(|(n, config)| {
            let is_listed = |index: InstrumentIdx| self.of[usize::from(index)] == n;
            let mut venue = Venue::listing(Arc::clone(instruments), steps, is_listed, config)?;
            venue.number_forced_from(books.next_forced(n));
            for index in (0..).take(instruments.len()).filter(|i| is_listed(*i)) {
                venue.set_position(index, books.ledger.position(index).qty);
            }
            let account = MarginAccount::of(&books.ledger, config.margin).at_venue(is_listed);
            let custody = Custody::new(account, instruments.len(), config);
            Ok(Exchange { venue, custody })
        })
        .collect()
    }
}
