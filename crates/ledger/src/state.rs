use cq_types::{InstrumentIdx, Qty, Ts};
use rust_decimal::Decimal;

use crate::{SleeveIdx, WalletIdx};

/// A signed position and the exact signed value at which it was taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub struct Position {
    /// Signed quantity, long > 0.
    pub qty: Qty,
    /// Signed value of the open quantity in the settle asset: notional for spot and linear
    /// contracts, minus notional in coin for inverse ones. P&L is value now minus cost.
    pub cost: Decimal,
}

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
    /// Moves of the marks on the hedged part of long asset and short linear contract.
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

/// What one instrument contributed to a round trip.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Leg {
    /// What was traded.
    pub instrument: InstrumentIdx,
    /// Quantity that was opened, signed.
    pub qty: Qty,
    /// Average price of opening.
    pub entry_price: Decimal,
    /// Average price of closing.
    pub exit_price: Decimal,
}

/// A sleeve's way from flat to flat in all instruments of one base asset.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RoundTrip {
    /// Whose.
    pub sleeve: SleeveIdx,
    /// When the first position was opened.
    pub entry_ts: Ts,
    /// When the last position was closed.
    pub exit_ts: Ts,
    /// What was traded, one row an instrument.
    pub legs: Vec<Leg>,
    /// P&L net of all costs below, in the valuation asset.
    pub pnl: Decimal,
    /// Trading fees in it (negative if paid).
    pub fees: Decimal,
    /// Funding in it (positive if received).
    pub funding: Decimal,
    /// Spread in it (negative if paid).
    pub spread: Decimal,
    /// Own impact in it (negative if paid).
    pub impact: Decimal,
}

/// Everything a ledger knows, as plain values: what a session begins with.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct State {}
