use cq_types::{Contract, Instrument, Px, Ts};
use rust_decimal::Decimal;

use crate::order::{OrderType, Request};

/// Why the venue refused an order.
pub mod reason {
    /// No instrument has this index.
    pub const UNKNOWN_INSTRUMENT: &str = "unknown_instrument";
    /// An order with this id is working.
    pub const DUPLICATE_ID: &str = "duplicate_id";
    /// The quantity is zero or negative.
    pub const BAD_QUANTITY: &str = "bad_quantity";
    /// The contract is not listed yet.
    pub const NOT_LISTED: &str = "not_listed";
    /// The contract is no longer tradable.
    pub const DELISTED: &str = "delisted";
    /// The quantity is no multiple of the lot.
    pub const OFF_LOT: &str = "off_lot";
    /// The order type needs a positive price or trigger.
    pub const NO_PRICE: &str = "no_price";
    /// The price or the trigger is no multiple of the tick.
    pub const OFF_TICK: &str = "off_tick";
    /// The order is worth less than the venue's least.
    pub const MIN_NOTIONAL: &str = "min_notional";
    /// A reduce-only order that would open or increase a position.
    pub const REDUCE_ONLY: &str = "reduce_only";
    /// Spot: more is sold than is held, or more is spent than there is.
    pub const INSUFFICIENT_BALANCE: &str = "insufficient_balance";
    /// The contract's wallet was liquidated and has nothing left to open a position with.
    pub const INSUFFICIENT_MARGIN: &str = "insufficient_margin";
    /// A post-only order that would trade at once.
    pub const WOULD_CROSS: &str = "post_only_would_cross";
    /// No market data to price own impact with.
    pub const NO_HISTORY: &str = "no_history";
    /// Tick mode: neither a valid book nor a quote to trade with.
    pub const NO_BOOK: &str = "no_book";
}

/// What the contract's dated rules say against an order at `ts`; `last` is a recent price.
///
/// Reducing orders may be smaller than the least notional: a position can always be closed.
pub(crate) fn refuses(
    instrument: &Instrument,
    request: &Request,
    ts: Ts,
    last: Option<Px>,
) -> Option<&'static str> {
    if request.qty.0 <= 0 {
        return Some(reason::BAD_QUANTITY);
    }
    if instrument.valid_from.is_some_and(|from| ts < from) {
        return Some(reason::NOT_LISTED);
    }
    if instrument.valid_to.is_some_and(|to| ts >= to) {
        return Some(reason::DELISTED);
    }
    if !instrument.is_on_lot(request.qty, ts) {
        return Some(reason::OFF_LOT);
    }
    let needed = match request.kind {
        OrderType::Market => None,
        OrderType::Limit | OrderType::PostOnly => Some(request.price),
        OrderType::StopMarket => Some(request.stop),
    };
    if let Some(price) = needed {
        let Some(px) = price.filter(|px| px.0 > 0) else {
            return Some(reason::NO_PRICE);
        };
        if !instrument.is_on_tick(px, ts) {
            return Some(reason::OFF_TICK);
        }
    }
    let priced_at = needed.flatten().or(last);
    let is_small = priced_at.is_some_and(|px| {
        quote_notional(instrument, request, px) < *instrument.min_notional.at(ts).0
    });
    (is_small && !request.reduce_only).then_some(reason::MIN_NOTIONAL)
}

fn quote_notional(instrument: &Instrument, request: &Request, px: Px) -> Decimal {
    match instrument.contract {
        Contract::Inverse => instrument.grid.quantity(request.qty) * instrument.multiplier,
        Contract::Spot | Contract::Linear => instrument.notional(px, request.qty),
    }
}
