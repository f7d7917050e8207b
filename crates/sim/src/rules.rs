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
    /// A fill-or-kill order that could not be filled at once.
    pub const FOK_NOT_FILLED: &str = "fok_not_filled";
    /// As many orders work as the venue lets an account have.
    pub const MAX_ORDERS: &str = "max_open_orders";
    /// As many orders wait for a trigger as the venue lets an account have.
    pub const MAX_TRIGGERS: &str = "max_trigger_orders";
    /// The order would have met another one of the account.
    pub const SELF_TRADE: &str = "self_trade";
    /// The venue turned the message away before its engine saw it.
    pub const OVERLOADED: &str = "overloaded";
    /// A trailing stop without a distance.
    pub const NO_CALLBACK: &str = "no_callback";
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
    if request.kind == OrderType::TrailingStop && request.callback_ppm == 0 {
        return Some(reason::NO_CALLBACK);
    }
    let needs_price = request.kind == OrderType::Limit;
    let needs_stop = matches!(request.kind, OrderType::Stop | OrderType::TakeProfit);
    for (price, is_needed) in [(request.price, needs_price), (request.stop, needs_stop)] {
        match price {
            None if is_needed => return Some(reason::NO_PRICE),
            Some(px) if px.0 <= 0 => return Some(reason::NO_PRICE),
            Some(px) if !instrument.is_on_tick(px, ts) => return Some(reason::OFF_TICK),
            _ => {}
        }
    }
    let priced_at = request.price.or(request.stop).or(last);
    let is_small = priced_at.is_some_and(|px| {
        quote_notional(instrument, request, px) < *instrument.min_notional.at(ts).0
    });
    (is_small && !request.only_reduces()).then_some(reason::MIN_NOTIONAL)
}

fn quote_notional(instrument: &Instrument, request: &Request, px: Px) -> Decimal {
    match instrument.contract {
        Contract::Inverse => instrument.grid.quantity(request.qty) * instrument.multiplier,
        Contract::Spot | Contract::Linear => instrument.notional(px, request.qty),
    }
}
