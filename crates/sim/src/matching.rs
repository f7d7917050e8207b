/// How the venue matches on a recorded book, where simulators differ.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[allow(clippy::struct_excessive_bools)] // independent rules, each switched on its own
pub struct Matching {
    /// Makers get what a trade or a level has for them; else their whole order at once.
    pub partial_fills: bool,
    /// Takers go from level to level, and what they take is gone until its level is refreshed;
    /// else they get all at the best price.
    pub walks_book: bool,
    /// Beyond the worst level of a snapshot nothing is known: an order there gets no credit for
    /// an empty level; else an order stands first at a price without a level.
    pub snapshot_edge: bool,
    /// A trade that is reported after the level change which contains it advances an order once;
    /// else a second time.
    pub late_trades: bool,
    /// Queues count in whole grid units, exactly; else in floating-point units of quantity, with
    /// their rounding.
    pub exact_queues: bool,
    /// What happens when two of our own orders would trade with each other.
    pub self_trade: SelfTrade,
    /// Whether an order keeps its place in the queue when it is amended.
    pub amend: Amend,
}

impl Matching {
    /// As a venue does it, as far as is known.
    pub const VENUE: Self = Self {
        partial_fills: true,
        walks_book: true,
        snapshot_edge: true,
        late_trades: true,
        exact_queues: true,
        self_trade: SelfTrade::ExpireMaker,
        amend: Amend::LosesPlace,
    };

    /// As hftbacktest's exchange without partial fills does it.
    pub const HFTBACKTEST: Self = Self {
        partial_fills: false,
        walks_book: false,
        snapshot_edge: false,
        late_trades: false,
        exact_queues: false,
        self_trade: SelfTrade::Ignore,
        amend: Amend::KeepsOnDecrease,
    };
}

impl Default for Matching {
    fn default() -> Self {
        Self::VENUE
    }
}

/// Self-trade prevention.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum SelfTrade {
    /// Our own orders do not see each other.
    Ignore,
    /// The order that arrives is cancelled.
    ExpireTaker,
    /// The order that rests is cancelled (Binance's default).
    ExpireMaker,
    /// Both are cancelled.
    ExpireBoth,
}

/// What an amendment costs.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Amend {
    /// Any amendment goes to the end of its queue (Binance futures).
    LosesPlace,
    /// One that only makes the order smaller keeps its place (OKX, Bybit).
    KeepsOnDecrease,
}
