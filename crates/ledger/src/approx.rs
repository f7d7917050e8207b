//! Floats of what the books hold, for sizing and for the limits of a wake-up.
//!
//! A wake-up reads them several times and a decimal product costs it ten float ones. They agree
//! with the exact amounts to about 15 digits, but that the value of an inverse contract is not
//! rounded here; nothing is ever booked from them.

use cq_types::{Contract, Instrument, Px};
use rust_decimal::Decimal;

use crate::layout::Pricer;
use crate::state::Holdings;
use crate::{Ledger, LedgerError, Position, SleeveIdx, WalletIdx};

/// Powers of ten up to the largest scale of a decimal.
const POW10: [f64; 29] = [
    1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16,
    1e17, 1e18, 1e19, 1e20, 1e21, 1e22, 1e23, 1e24, 1e25, 1e26, 1e27, 1e28,
];

/// A decimal as a float, to its last place.
#[must_use]
#[allow(clippy::cast_precision_loss)] // that is what an approximation is
pub fn approx(value: Decimal) -> f64 {
    let parts = value.unpack();
    // Nearly every amount fits, and a narrow integer converts several times faster.
    let size = match parts.hi {
        0 => (u64::from(parts.mid) << 32 | u64::from(parts.lo)) as f64,
        _ => value.mantissa().unsigned_abs() as f64,
    };
    let size = size / POW10[value.scale() as usize];
    if parts.negative {
        -size
    } else {
        size
    }
}

/// Signed units of base (spot, linear) or of quote (inverse).
fn size(instrument: &Instrument, position: &Position) -> f64 {
    instrument.grid.quantity_f64(position.qty) * approx(instrument.multiplier)
}

fn unrealised(instrument: &Instrument, position: &Position, mark: Px) -> f64 {
    let price = instrument.grid.price_f64(mark);
    let size = size(instrument, position);
    let value = match instrument.contract {
        Contract::Spot | Contract::Linear => size * price,
        Contract::Inverse => -size / price,
    };
    value - approx(position.cost)
}

impl Position {
    /// Average price of the open quantity; NaN when flat. As [`Position::entry_price`].
    #[must_use]
    pub fn entry_price_approx(&self, instrument: &Instrument) -> f64 {
        if self.qty.0 == 0 {
            return f64::NAN;
        }
        let (cost, size) = (approx(self.cost), size(instrument, self));
        match instrument.contract {
            Contract::Spot | Contract::Linear => cost / size,
            Contract::Inverse => -size / cost,
        }
    }
}

impl Ledger {
    /// Equity of the account at the marks. As [`Ledger::equity`].
    ///
    /// # Errors
    /// When an instrument that counts has no mark.
    pub fn equity_approx(&self) -> Result<f64, LedgerError> {
        self.worth(&self.state.books.account)
    }

    /// Equity of a sleeve at the marks. As [`Ledger::sleeve_equity`].
    ///
    /// # Errors
    /// When the sleeve is unknown, or an instrument that counts has no mark.
    pub fn sleeve_equity_approx(&self, sleeve: SleeveIdx) -> Result<f64, LedgerError> {
        self.layout.check_sleeve(sleeve)?;
        self.worth(&self.state.books.sleeves[sleeve].holdings)
    }

    /// A sleeve's balance of an asset in a wallet with the unrealised P&L of the contracts that
    /// settle in it, each at `price`; a contract without a price counts nothing.
    ///
    /// # Errors
    /// When the sleeve or wallet does not exist or does not hold that asset.
    pub fn margin_balance_approx(
        &self,
        sleeve: SleeveIdx,
        wallet: WalletIdx,
        asset: &str,
        price: impl Fn(usize) -> Option<Px>,
    ) -> Result<f64, LedgerError> {
        self.layout.check_sleeve(sleeve)?;
        let slot = self.layout.slot(wallet, asset)?;
        let holdings = &self.state.books.sleeves[sleeve].holdings;
        let mut total = approx(holdings.balances[slot]);
        for i in self.marks().contracts_of(slot) {
            let position = &holdings.positions[i];
            if position.qty.0 != 0 {
                let traded = &self.layout.instruments[i];
                total += price(i).map_or(0.0, |px| unrealised(traded, position, px));
            }
        }
        Ok(total)
    }

    fn worth(&self, holdings: &Holdings) -> Result<f64, LedgerError> {
        let marks = self.marks();
        let mut total = 0.0;
        for (slot, balance) in holdings.balances.iter().enumerate() {
            let mut amount = approx(*balance) + approx(holdings.in_flight[slot]);
            for i in marks.contracts_of(slot) {
                let position = &holdings.positions[i];
                if position.qty.0 != 0 {
                    amount += unrealised(&self.layout.instruments[i], position, self.marked(i)?);
                }
            }
            if amount != 0.0 {
                total += match self.layout.slots[slot].pricer {
                    Pricer::Par => amount,
                    Pricer::Mark(i) => {
                        amount * self.layout.instruments[i].grid.price_f64(self.marked(i)?)
                    }
                };
            }
        }
        Ok(total)
    }

    fn marked(&self, instrument: usize) -> Result<Px, LedgerError> {
        self.state.marks[instrument]
            .ok_or_else(|| LedgerError::NoMark(self.layout.instruments[instrument].id.clone()))
    }
}
