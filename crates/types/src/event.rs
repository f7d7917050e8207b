use rust_decimal::Decimal;

use crate::{InstrumentIdx, Px, Qty, Side, Ts};

/// Quality marks that travel with an event.
pub mod flags {
    /// Part of a full snapshot.
    pub const SNAPSHOT: u32 = 1;
    /// Last event of its frame or batch.
    pub const LAST: u32 = 1 << 1;
    /// `ts_recv` was synthesised: the recording had none.
    pub const SYNTHETIC_RECV: u32 = 1 << 2;
    /// `ts_recv` was re-based by one constant: the recorder's clock was off.
    pub const REBASED_RECV: u32 = 1 << 3;
    /// A repair changed this row; the log beside the data says how.
    pub const REPAIRED: u32 = 1 << 5;
    /// Not a market trade (insurance fund, ADL): no flow feature counts it.
    pub const NOT_MARKET: u32 = 1 << 6;
    /// `ts_event` was synthesised: the venue gave no time.
    pub const SYNTHETIC_EVENT: u32 = 1 << 8;
}

/// One immutable event of the tape.
#[derive(Debug, Clone, PartialEq)]
pub struct Event<B> {
    /// Venue time: matching time where it is given.
    pub ts_event: Ts,
    /// When we could know it.
    pub ts_recv: Ts,
    /// Order of the tape, stamped by the one sequencer.
    pub seq: u64,
    /// See [`flags`].
    pub flags: u32,
    /// Position in the run's instrument list.
    pub instrument: InstrumentIdx,
    /// What happened.
    pub body: B,
}

/// What the market did.
#[derive(Debug, Clone, Copy, PartialEq)]
#[non_exhaustive]
pub enum Market {
    /// One trade; `side` is the aggressor's.
    Trade {
        /// Venue trade id.
        id: i64,
        /// Price.
        px: Px,
        /// Quantity, positive.
        qty: Qty,
        /// Aggressor.
        side: Side,
    },
    /// One absolute level change; a zero quantity deletes.
    Delta {
        /// Bid or ask side.
        side: Side,
        /// Price.
        px: Px,
        /// New quantity.
        qty: Qty,
    },
    /// Best bid and ask.
    Quote {
        /// Best bid.
        bid: Px,
        /// Quantity at the best bid.
        bid_qty: Qty,
        /// Best ask.
        ask: Px,
        /// Quantity at the best ask.
        ask_qty: Qty,
    },
    /// One bar `[ts_event, ts_event + interval)`, known at its end.
    Bar {
        /// Length in ns.
        interval: Ts,
        /// First price.
        open: Px,
        /// Highest price.
        high: Px,
        /// Lowest price.
        low: Px,
        /// Last price.
        close: Px,
        /// Volume.
        volume: Qty,
        /// Number of trades, if recorded.
        count: Option<i64>,
        /// Volume bought by aggressors, if recorded.
        taker_buy: Option<Qty>,
    },
    /// The price that margin and funding use.
    Mark {
        /// Mark price.
        px: Px,
    },
    /// A funding rate settled at `ts_event` (fraction per interval; longs pay if > 0).
    Funding {
        /// The rate, exact.
        rate: Decimal,
    },
    /// A point of an outside series (on-chain, options, alternative).
    External {
        /// Position in the run's series list.
        series: u16,
        /// The value; NaN never enters the tape.
        value: f64,
    },
    /// Events are missing before this point: the book is invalid until resync.
    Gap,
}

/// One absolute level change of a book, with the [`flags`] of its event.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Change {
    /// Bid or ask side.
    pub side: Side,
    /// Price.
    pub px: Px,
    /// New quantity; zero deletes.
    pub qty: Qty,
    /// See [`flags`].
    pub marks: u32,
}

/// What the venue answered, or did to the account.
#[derive(Debug, Clone, PartialEq)]
#[non_exhaustive]
pub enum Account {
    /// The order rests or was accepted.
    Ack {
        /// Our order id.
        order: u64,
    },
    /// The order traded.
    Fill {
        /// Our order id.
        order: u64,
        /// Price.
        px: Px,
        /// Quantity, positive.
        qty: Qty,
        /// Side of our order.
        side: Side,
        /// Whether we took liquidity.
        is_taker: bool,
        /// Fee, positive if paid, in the settle asset.
        fee: Decimal,
        /// Price the market stood at before our spread and impact.
        reference: Px,
        /// Part of the worsening that is own impact, in price units.
        impact: Decimal,
    },
    /// The venue refused the order.
    Reject {
        /// Our order id.
        order: u64,
        /// The venue's reason.
        reason: &'static str,
    },
    /// The order works on with another price, trigger or quantity.
    Amended {
        /// Our order id.
        order: u64,
        /// Its limit price, where it has one.
        px: Option<Px>,
        /// Its quantity, with what has traded of it.
        qty: Qty,
        /// Its trigger, where it has one.
        stop: Option<Px>,
    },
    /// The venue refused to cancel or to amend the order: it works on as it was, or is none that
    /// works.
    Kept {
        /// Our order id.
        order: u64,
        /// The venue's reason.
        reason: &'static str,
    },
    /// An order with a limit price that waited for its trigger is a limit order from now on.
    Triggered {
        /// Our order id.
        order: u64,
    },
    /// The order no longer works.
    Cancelled {
        /// Our order id.
        order: u64,
        /// Why the venue ended it; empty where that was asked for, or the order was not to wait.
        reason: &'static str,
    },
    /// A funding payment; positive was received.
    FundingPaid {
        /// Amount in the settle asset.
        amount: Decimal,
        /// The rate it came from.
        rate: Decimal,
    },
    /// Funding that fills near a settlement cost, beside what was paid on the position at it.
    FundingOfFills {
        /// Amount in the settle asset, negative.
        amount: Decimal,
        /// The rate it came from.
        rate: Decimal,
        /// When fills began to count.
        since: Ts,
    },
    /// The venue closes a position, or part of it, by an order of its own.
    Liquidation {
        /// The venue's order.
        order: u64,
        /// Side of that order.
        side: Side,
        /// How much it closes, positive.
        qty: Qty,
        /// The worst price it takes: the one that leaves nothing of the margin.
        bankruptcy: Px,
        /// Whether the insurance fund takes the position over at that price; else the order
        /// goes to the market and what it cannot trade is cancelled.
        is_takeover: bool,
    },
    /// The insurance fund settles a liquidated wallet, which ends at zero.
    Insurance {
        /// The last order of the liquidation.
        order: u64,
        /// What the fund paid in the settle asset; negative where margin was left.
        amount: Decimal,
        /// What the wallet lacked at the mark when it was taken over, not negative.
        deficit: Decimal,
        /// Whether that was more than the fund holds, so that winners are deleveraged for it.
        is_adl: bool,
    },
    /// The venue turned collateral into the settle asset of a contract, to balance a debt.
    Converted {
        /// What was given.
        asset: String,
        /// How much of it, positive.
        given: Decimal,
        /// How much of the settle asset came for it.
        received: Decimal,
        /// Price of the given asset before the venue's cut.
        price: Decimal,
        /// Why.
        cause: &'static str,
    },
    /// Money that was sent from one wallet to another is there.
    Transferred {
        /// Number of the transfer, from 1.
        transfer: u64,
        /// How much arrived.
        amount: Decimal,
    },
    /// Money that was to be sent stays where it was.
    TransferRefused {
        /// Number of the transfer, from 1.
        transfer: u64,
        /// Why.
        reason: &'static str,
    },
}

impl Account {
    /// The order that it is about, if it is about one.
    #[must_use]
    pub const fn order(&self) -> Option<u64> {
        match self {
            Self::Ack { order }
            | Self::Fill { order, .. }
            | Self::Reject { order, .. }
            | Self::Amended { order, .. }
            | Self::Kept { order, .. }
            | Self::Liquidation { order, .. }
            | Self::Insurance { order, .. }
            | Self::Triggered { order }
            | Self::Cancelled { order, .. } => Some(*order),
            Self::FundingPaid { .. }
            | Self::FundingOfFills { .. }
            | Self::Converted { .. }
            | Self::Transferred { .. }
            | Self::TransferRefused { .. } => None,
        }
    }
}
