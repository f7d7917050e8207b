//! The fields of a frame as text, and what their text means.

use cq_types::Ts;

use crate::decimal::decimal;
use crate::{to_ns, WireError};

/// The fields of one frame; which ones mean what depends on its kind.
#[derive(Default)]
pub(super) struct Fields<'a> {
    pub(super) event: Option<&'a [u8]>,
    pub(super) symbol: Option<&'a [u8]>,
    pub(super) event_time: Option<&'a [u8]>,
    pub(super) time: Option<&'a [u8]>,
    pub(super) first: Option<&'a [u8]>,
    pub(super) update: Option<&'a [u8]>,
    pub(super) previous: Option<&'a [u8]>,
    pub(super) snapshot: Option<&'a [u8]>,
    pub(super) trade: Option<&'a [u8]>,
    pub(super) price: Option<&'a [u8]>,
    pub(super) quantity: Option<&'a [u8]>,
    pub(super) kind: Option<&'a [u8]>,
    pub(super) maker: Option<&'a [u8]>,
    pub(super) bid: Option<&'a [u8]>,
    pub(super) bid_quantity: Option<&'a [u8]>,
    pub(super) ask: Option<&'a [u8]>,
    pub(super) ask_quantity: Option<&'a [u8]>,
    pub(super) index: Option<&'a [u8]>,
    pub(super) rate: Option<&'a [u8]>,
    pub(super) agg_first: Option<&'a [u8]>,
    pub(super) agg_last: Option<&'a [u8]>,
    pub(super) is_stream: bool,
}

impl<'a> Fields<'a> {
    /// Where the value of a key goes, if any kind of frame needs it.
    pub(super) fn slot(&mut self, key: &[u8]) -> Option<&mut Option<&'a [u8]>> {
        Some(match key {
            b"e" => &mut self.event,
            b"s" | b"symbol" => &mut self.symbol,
            b"E" => &mut self.event_time,
            b"T" => &mut self.time,
            b"U" => &mut self.first,
            b"u" => &mut self.update,
            b"pu" => &mut self.previous,
            b"lastUpdateId" => &mut self.snapshot,
            b"t" => &mut self.trade,
            b"p" => &mut self.price,
            b"q" => &mut self.quantity,
            b"X" => &mut self.kind,
            b"m" => &mut self.maker,
            b"b" => &mut self.bid,
            b"B" => &mut self.bid_quantity,
            b"a" => &mut self.ask,
            b"A" => &mut self.ask_quantity,
            b"i" => &mut self.index,
            b"r" => &mut self.rate,
            b"f" => &mut self.agg_first,
            b"l" => &mut self.agg_last,
            _ => return None,
        })
    }
}

/// The text of a field that a kind of frame cannot do without.
pub(super) fn need<'a>(
    text: Option<&'a [u8]>,
    frame: &'static str,
    field: &'static str,
) -> Result<&'a [u8], WireError> {
    text.ok_or(WireError::Missing { frame, field })
}

/// A decimal number on a grid.
pub(super) fn number(text: &[u8], field: &'static str, exp: u8) -> Result<i64, WireError> {
    decimal(text, exp).map_err(|fault| fault.of(field, text, exp))
}

/// A time in whatever unit, as ns.
pub(super) fn time(text: &[u8], field: &'static str) -> Result<Ts, WireError> {
    decimal(text, 0)
        .ok()
        .and_then(to_ns)
        .ok_or_else(|| WireError::field(field, "a time in ms, us or ns", text))
}

/// +1 for a buying aggressor, told by whether the buyer was the maker.
pub(super) fn aggressor(text: &[u8], field: &'static str) -> Result<i8, WireError> {
    match text {
        b"true" | b"True" => Ok(-1),
        b"false" | b"False" => Ok(1),
        other => Err(WireError::field(field, "true or false", other)),
    }
}
