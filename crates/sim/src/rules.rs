use cq_types::{is_less, is_one, Contract, Instrument, Px, Qty, Side, Ts};
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::Decimal;

use crate::order::{OrderType, Request};

/// Why the venue refused an order.
pub mod reason {
    /// No instrument has this index.
    pub const UNKNOWN_INSTRUMENT: &str = "unknown_instrument";
    /// An order with this id is working.
    pub const DUPLICATE_ID: &str = "duplicate_id";
    /// More orders than the venue takes of an account in that time.
    pub const TOO_MANY_ORDERS: &str = "too_many_orders";
    /// The quantity, the position it would lead to, or what it is worth cannot be counted.
    pub const TOO_LARGE: &str = "too_large";
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
    /// A buy limit further above the mark than the venue lets it be.
    pub const ABOVE_BAND: &str = "price_above_band";
    /// A sell limit further below the mark than the venue lets it be.
    pub const BELOW_BAND: &str = "price_below_band";
    /// The best price is further from the mark than a market order may trade.
    pub const BEYOND_BOUND: &str = "market_take_bound";
    /// A reduce-only order that would open or increase a position.
    pub const REDUCE_ONLY: &str = "reduce_only";
    /// Spot: more is sold than is held, or more is spent than there is.
    pub const INSUFFICIENT_BALANCE: &str = "insufficient_balance";
    /// It needs more margin than is free, on arrival or at its trigger; or the contract's wallet
    /// was liquidated and has nothing left to open a position with.
    pub const INSUFFICIENT_MARGIN: &str = "insufficient_margin";
    /// It takes the position, with the orders of its side, beyond the largest that the venue's tiers
    /// allow at the leverage.
    pub const MAX_POSITION: &str = "max_position";
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
    /// The account was liquidated: its orders are ended first.
    pub const LIQUIDATION: &str = "liquidation";
    /// The venue took part of the position to close another account's: its orders are ended.
    pub const DELEVERAGING: &str = "adl";
    /// The venue turned the message away before its engine saw it.
    pub const OVERLOADED: &str = "overloaded";
    /// A trailing stop without a distance, or with one of the whole price or more.
    pub const NO_CALLBACK: &str = "no_callback";
    /// A stop or take-profit whose trigger the price has reached already.
    pub const WOULD_TRIGGER: &str = "would_trigger";
    /// A cancellation of what does not work: it is done, or was never there.
    pub const UNKNOWN_ORDER: &str = "unknown_order";
    /// An amendment of an order that waits for its trigger, at a venue that amends limit orders only;
    /// or of the trigger of one that does not wait for a price.
    pub const NOT_AMENDABLE: &str = "not_amendable";
    /// An amendment of what does not work.
    pub const NO_SUCH_ORDER: &str = "no_such_order";
    /// The position side does not fit the account: one in one-way mode, none or the other one in
    /// hedge mode.
    pub const POSITION_SIDE: &str = "position_side";
    /// Reduce-only is said in hedge mode, where the position side says it.
    pub const REDUCE_ONLY_SAID: &str = "reduce_only_in_hedge_mode";
    /// No market data to price own impact with.
    pub const NO_HISTORY: &str = "no_history";
    /// Tick mode: neither a valid book nor a quote to trade with.
    pub const NO_BOOK: &str = "no_book";
}

/// Each reason with the code that Binance's USD-M futures give for it; `None` where the venue
/// does not refuse the order with a code (it expires), or where only a simulator can refuse it.
///
/// <https://developers.binance.com/docs/derivatives/usds-margined-futures/error-code>; spot's
/// code for a balance that does not suffice:
/// <https://developers.binance.com/docs/binance-spot-api-docs/errors>.
pub const REASONS: [(&str, Option<i32>); 35] = [
    (reason::OVERLOADED, Some(-1008)),
    (reason::TOO_MANY_ORDERS, Some(-1015)),
    (reason::NO_PRICE, Some(-1102)),
    (reason::NO_CALLBACK, Some(-1102)),
    (reason::REDUCE_ONLY_SAID, Some(-1106)),
    (reason::NO_BOOK, Some(-1112)),
    (reason::UNKNOWN_INSTRUMENT, Some(-1121)),
    (reason::NOT_LISTED, Some(-1122)),
    (reason::INSUFFICIENT_BALANCE, Some(-2010)),
    (reason::UNKNOWN_ORDER, Some(-2011)),
    (reason::NO_SUCH_ORDER, Some(-2013)),
    (reason::INSUFFICIENT_MARGIN, Some(-2019)),
    (reason::WOULD_TRIGGER, Some(-2021)),
    (reason::REDUCE_ONLY, Some(-2022)),
    (reason::MAX_ORDERS, Some(-2025)),
    (reason::MAX_POSITION, Some(-2027)),
    (reason::BAD_QUANTITY, Some(-4003)),
    (reason::TOO_LARGE, Some(-4005)),
    (reason::OFF_TICK, Some(-4014)),
    (reason::ABOVE_BAND, Some(-4016)),
    (reason::OFF_LOT, Some(-4023)),
    (reason::BELOW_BAND, Some(-4024)),
    (reason::MAX_TRIGGERS, Some(-4045)),
    (reason::POSITION_SIDE, Some(-4061)),
    (reason::DUPLICATE_ID, Some(-4116)),
    (reason::BEYOND_BOUND, Some(-4131)),
    (reason::DELISTED, Some(-4141)),
    (reason::MIN_NOTIONAL, Some(-4164)),
    (reason::FOK_NOT_FILLED, Some(-5021)),
    (reason::WOULD_CROSS, Some(-5022)),
    (reason::NOT_AMENDABLE, None),
    (reason::SELF_TRADE, None),
    (reason::LIQUIDATION, None),
    (reason::DELEVERAGING, None),
    (reason::NO_HISTORY, None),
];

/// The venue's code for a reason, where it has one; `None` for what is no reason.
#[must_use]
#[allow(clippy::option_option)] // no reason, and a reason without a code, are different answers
pub fn reject_code(reason: &str) -> Option<Option<i32>> {
    let known = REASONS.iter().find(|(name, _)| *name == reason);
    known.map(|(_, code)| *code)
}

/// What the contract's dated rules say against an order at `ts`; `last` is a recent price, from
/// the `mark` price bands are counted.
///
/// Reducing orders may be smaller than the least notional: a position can always be closed.
pub(crate) fn refuses(
    instrument: &Instrument,
    request: &Request,
    ts: Ts,
    (last, mark): (Option<Px>, Option<Px>),
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
    let can_trail = (1..1_000_000).contains(&request.callback_ppm);
    if request.kind == OrderType::TrailingStop && !can_trail {
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
    if let Some(refusal) = mark.and_then(|mark| is_out_of_band(instrument, request, ts, mark)) {
        return Some(refusal);
    }
    let priced_at = request.price.or(request.stop).or(last);
    let px = priced_at?;
    let Some(worth) = quote_notional(instrument, request.qty, px) else {
        return Some(reason::TOO_LARGE);
    };
    let is_small = is_less(worth, *instrument.min_notional.at(ts).0);
    (is_small && !request.only_reduces()).then_some(reason::MIN_NOTIONAL)
}

/// A limit may be as good as one likes, not much worse than the mark (`PERCENT_PRICE`).
fn is_out_of_band(
    instrument: &Instrument,
    request: &Request,
    ts: Ts,
    mark: Px,
) -> Option<&'static str> {
    let bands = instrument.bands(ts)?;
    let limit = request.price.filter(|_| request.kind == OrderType::Limit)?;
    let (limit, mark) = (Decimal::from(limit.0), Decimal::from(mark.0));
    match request.side {
        Side::Buy => (limit > mark.checked_mul(bands.up)?).then_some(reason::ABOVE_BAND),
        Side::Sell => (limit < mark.checked_mul(bands.down)?).then_some(reason::BELOW_BAND),
    }
}

/// The worst price at which a market order may trade at `ts`, where there is one.
pub(crate) fn take_bound(instrument: &Instrument, side: Side, ts: Ts, mark: Px) -> Option<Px> {
    let away = Decimal::from(side.sign()) * instrument.bands(ts)?.take;
    let worst = Decimal::from(mark.0).checked_mul(Decimal::ONE + away)?;
    let inside = match side {
        Side::Buy => worst.floor(),
        Side::Sell => worst.ceil(),
    };
    inside.to_i64().map(Px)
}

/// Whether what a quantity is worth, and all that follows from it, can be counted exactly: money
/// stays below 10^12, and the price may still move tenfold.
pub(crate) fn is_counted(instrument: &Instrument, qty: Qty, px: Px) -> bool {
    const LARGEST: Decimal = Decimal::from_parts(1_215_752_192, 23, 0, false, 0);
    quote_notional(instrument, qty, px).is_some_and(|worth| is_less(worth.abs(), LARGEST))
}

/// `None` where it has more digits than money has.
fn quote_notional(instrument: &Instrument, qty: Qty, px: Px) -> Option<Decimal> {
    // Two products of decimals cost an order more than all else that is asked of it here.
    if instrument.contract != Contract::Inverse && is_one(instrument.multiplier) {
        let worth = i128::from(qty.0) * i128::from(px.0);
        let scale = u32::from(instrument.grid.qty_exp) + u32::from(instrument.grid.price_exp);
        if let Ok(worth) = Decimal::try_from_i128_with_scale(worth, scale) {
            return Some(worth); // what has more digits is rounded below
        }
    }
    let size = instrument.grid.quantity(qty);
    let size = size.checked_mul(instrument.multiplier)?;
    match instrument.contract {
        Contract::Inverse => Some(size),
        Contract::Spot | Contract::Linear => size.checked_mul(instrument.grid.price(px)),
    }
}
