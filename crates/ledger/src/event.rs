use cq_types::{Account, Event, InstrumentIdx, Px, Qty, Ts};
use rust_decimal::Decimal;

use crate::{SleeveIdx, WalletIdx};

/// One fill of the account, as the ledger needs it.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Fill {
    /// Venue time of the fill.
    pub ts: Ts,
    /// What was traded.
    pub instrument: InstrumentIdx,
    /// Price paid.
    pub px: Px,
    /// Signed quantity, bought > 0.
    pub qty: Qty,
    /// Fee in the settle asset, positive if paid.
    pub fee: Decimal,
    /// Price the market stood at before our spread and impact.
    pub reference: Px,
    /// Part of the worsening that is own impact, in price units, positive if it cost.
    pub impact: Decimal,
}

impl Fill {
    /// The fill that an account event tells of; `None` for any other event.
    #[must_use]
    pub fn of(event: &Event<Account>) -> Option<Self> {
        match event.body {
            Account::Fill {
                px,
                qty,
                side,
                fee,
                reference,
                impact,
                ..
            } => Some(Self {
                ts: event.ts_event,
                instrument: event.instrument,
                px,
                qty: Qty(side.sign() * qty.0),
                fee,
                reference,
                impact,
            }),
            _ => None,
        }
    }
}

/// One funding settlement, to be computed by the ledger.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Funding {
    /// Scheduled time: the position held just before it pays.
    pub ts: Ts,
    /// What was held.
    pub instrument: InstrumentIdx,
    /// Fraction of notional; longs pay if it is positive.
    pub rate: Decimal,
    /// Price the venue settles at.
    pub mark: Px,
}

/// Money moved between two wallets of one sleeve.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Transfer<'a> {
    /// When it is asked for.
    pub ts: Ts,
    /// Wallet that pays `amount + fee`.
    pub from: WalletIdx,
    /// Wallet that receives `amount`.
    pub to: WalletIdx,
    /// What is moved.
    pub asset: &'a str,
    /// How much arrives, positive.
    pub amount: Decimal,
    /// Fee in the same asset, not negative.
    pub fee: Decimal,
    /// Whose money it is.
    pub sleeve: SleeveIdx,
}
