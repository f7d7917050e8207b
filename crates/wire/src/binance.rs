//! Binance: USD-M, COIN-M and spot market frames, the book's sequence rule, archive CSV.
//!
//! Frames are read in one pass whatever the order of their keys; unknown keys and
//! streams are stepped over (the venue adds fields without notice), unknown streams are
//! counted. Sources: developers.binance.com, "Websocket Market Streams" and "How to
//! manage a local order book correctly".

mod archive;
mod sequence;

use cq_types::{flags, Grid, Ts};

use crate::scan::{decimal, Cursor};
use crate::widen::widen;
use crate::{to_ns, Batch, LineDecoder, Stats, WireError, MISSING};

pub use archive::{Archive, ArchiveKind};
pub use sequence::{plan_book, Chain, Plan, Sequencer, Step, Update};

/// Decimals of mark price, index price and funding rate as the venue sends them.
pub const MARK_EXP: u8 = 8;

/// Decodes frames of one symbol, recorded as `<local stamp> <json>` or fed one by one.
pub struct Decoder {
    symbol: String,
    grid: Grid,
    batch: Batch,
    stats: Stats,
    venue_time: Option<Ts>,
    last_update: Option<i64>,
    last_trade: Option<i64>,
}

/// The fields of one frame as text; which ones mean what depends on its kind.
#[derive(Default)]
struct Fields<'a> {
    event: Option<&'a [u8]>,
    symbol: Option<&'a [u8]>,
    event_time: Option<&'a [u8]>,
    time: Option<&'a [u8]>,
    first: Option<&'a [u8]>,
    update: Option<&'a [u8]>,
    previous: Option<&'a [u8]>,
    snapshot: Option<&'a [u8]>,
    trade: Option<&'a [u8]>,
    price: Option<&'a [u8]>,
    quantity: Option<&'a [u8]>,
    kind: Option<&'a [u8]>,
    maker: Option<&'a [u8]>,
    bid: Option<&'a [u8]>,
    bid_quantity: Option<&'a [u8]>,
    ask: Option<&'a [u8]>,
    ask_quantity: Option<&'a [u8]>,
    index: Option<&'a [u8]>,
    rate: Option<&'a [u8]>,
    agg_first: Option<&'a [u8]>,
    agg_last: Option<&'a [u8]>,
    is_stream: bool,
}

/// Two times of a frame, and the marks that go with them.
struct Stamp {
    ts_event: Ts,
    ts_recv: Ts,
    flags: u32,
}

fn need<'a>(
    text: Option<&'a [u8]>,
    frame: &'static str,
    field: &'static str,
) -> Result<&'a [u8], WireError> {
    text.ok_or(WireError::Missing { frame, field })
}

fn number(text: &[u8], field: &'static str, exp: u8) -> Result<i64, WireError> {
    decimal(text, exp).map_err(|fault| fault.of(field, text, exp))
}

fn stamp(text: &[u8], field: &'static str) -> Result<Ts, WireError> {
    decimal(text, 0)
        .ok()
        .and_then(to_ns)
        .ok_or_else(|| WireError::field(field, "a time in ms, us or ns", text))
}

/// +1 for a buying aggressor: `m` says that the buyer was the maker.
fn aggressor(text: &[u8]) -> Result<i8, WireError> {
    match text {
        b"true" => Ok(-1),
        b"false" => Ok(1),
        other => Err(WireError::field("m", "true or false", other)),
    }
}

impl Decoder {
    /// A decoder for frames of `symbol` (as the venue writes it, in capitals).
    #[must_use]
    pub fn new(symbol: String, grid: Grid) -> Self {
        Self {
            symbol,
            grid,
            batch: Batch::default(),
            stats: Stats::default(),
            venue_time: None,
            last_update: None,
            last_trade: None,
        }
    }

    /// Decodes one frame received at `ts_recv`.
    ///
    /// # Errors
    /// When the text is no JSON, is of another symbol, lacks a field of its kind, or
    /// holds a price that the grid does not.
    pub fn frame(&mut self, ts_recv: Ts, json: &[u8]) -> Result<(), WireError> {
        let done = self.read_frame(ts_recv, json);
        self.batch.deltas.forget_open_levels();
        match done {
            Err(error) if widen(&mut self.grid, &mut self.batch, &error) => {
                self.frame(ts_recv, json)
            }
            done => done,
        }
    }

    fn read_frame(&mut self, ts_recv: Ts, json: &[u8]) -> Result<(), WireError> {
        let mut fields = Fields::default();
        let mut cursor = Cursor::new(json);
        self.read_object(&mut cursor, &mut fields, true)?;
        cursor.end()?;
        if let Some(found) = fields.symbol {
            if found != self.symbol.as_bytes() {
                return Err(WireError::Symbol {
                    expected: self.symbol.clone(),
                    found: crate::error::excerpt(found),
                });
            }
        }
        match fields.event {
            Some(b"depthUpdate") => self.depth(ts_recv, &fields),
            Some(b"trade") => self.trade(ts_recv, &fields),
            Some(b"aggTrade") => self.agg_trade(ts_recv, &fields),
            Some(b"bookTicker") => self.quote(ts_recv, &fields),
            Some(b"markPriceUpdate") => self.mark(ts_recv, &fields),
            None if fields.snapshot.is_some() && !fields.is_stream => {
                self.snapshot(ts_recv, &fields)
            }
            None if fields.update.is_some() && fields.bid.is_some() => self.quote(ts_recv, &fields),
            _ => {
                self.stats.other += 1;
                Ok(())
            }
        }
    }

    fn read_object<'a>(
        &mut self,
        cursor: &mut Cursor<'a>,
        f: &mut Fields<'a>,
        is_outer: bool,
    ) -> Result<(), WireError> {
        cursor.expect(b'{', "an object")?;
        if cursor.accept(b'}') {
            return Ok(());
        }
        loop {
            let key = cursor.key()?;
            let is_array = cursor.peek() == Some(b'[');
            match key {
                b"data" if is_outer && cursor.peek() == Some(b'{') => {
                    f.is_stream = true;
                    self.read_object(cursor, f, false)?;
                }
                b"b" | b"bids" if is_array => self.levels(cursor, 1)?,
                b"a" | b"asks" if is_array => self.levels(cursor, -1)?,
                _ => {
                    let value = cursor.value()?;
                    if let Some(slot) = f.slot(key) {
                        *slot = Some(value);
                    }
                }
            }
            if !cursor.more(b'}')? {
                return Ok(());
            }
        }
    }

    /// Reads `[["price","quantity"],…]` straight into the delta columns.
    fn levels(&mut self, cursor: &mut Cursor<'_>, side: i8) -> Result<(), WireError> {
        let Grid { price_exp, qty_exp } = self.grid;
        let deltas = &mut self.batch.deltas;
        cursor.expect(b'[', "a list of levels")?;
        if cursor.accept(b']') {
            return Ok(());
        }
        loop {
            cursor.expect(b'[', "a level")?;
            let px = cursor.number("price", price_exp)?;
            cursor.expect(b',', "a comma")?;
            let qty = cursor.number("quantity", qty_exp)?;
            while cursor.more(b']')? {
                cursor.value()?;
            }
            deltas.px.push(px);
            deltas.qty.push(qty);
            deltas.side.push(side);
            if !cursor.more(b']')? {
                return Ok(());
            }
        }
    }

    /// The frame's two times; `T` (matching) before `E` (publication) where both are sent.
    fn times(&mut self, ts_recv: Ts, f: &Fields<'_>) -> Result<Stamp, WireError> {
        let event = f.event_time.map(|t| stamp(t, "E")).transpose()?;
        let matched = f.time.map(|t| stamp(t, "T")).transpose()?;
        let published = event.max(matched);
        if let Some(published) = published {
            self.stats.latency(ts_recv.saturating_sub(published));
            self.venue_time = self.venue_time.max(Some(published));
        }
        let given = matched.or(event);
        Ok(Stamp {
            ts_event: given.or(self.venue_time).unwrap_or(ts_recv),
            ts_recv,
            flags: if given.is_some() {
                0
            } else {
                flags::SYNTHETIC_EVENT
            },
        })
    }

    fn depth(&mut self, ts_recv: Ts, f: &Fields<'_>) -> Result<(), WireError> {
        const FRAME: &str = "depthUpdate";
        let first = number(need(f.first, FRAME, "U")?, "U", 0)?;
        let last = number(need(f.update, FRAME, "u")?, "u", 0)?;
        let previous = f.previous.map(|t| number(t, "pu", 0)).transpose()?;
        need(f.event_time, FRAME, "E")?;
        let stamp = self.times(ts_recv, f)?;
        let before = previous.unwrap_or_else(|| first.saturating_sub(1));
        self.stats.depth_breaks += u64::from(self.last_update.is_some_and(|l| l != before));
        self.last_update = Some(last);
        self.stats.depth += 1;
        self.close_rows(&stamp, [first, last, previous.unwrap_or(MISSING)], 0);
        Ok(())
    }

    fn snapshot(&mut self, ts_recv: Ts, f: &Fields<'_>) -> Result<(), WireError> {
        let id = need(f.snapshot, "snapshot", "lastUpdateId")?;
        let id = number(id, "lastUpdateId", 0)?;
        let stamp = self.times(ts_recv, f)?;
        self.stats.snapshot += 1;
        self.close_rows(&stamp, [id, id, MISSING], flags::SNAPSHOT);
        Ok(())
    }

    /// Completes the levels read with what their frame shares.
    fn close_rows(&mut self, stamp: &Stamp, ids: [i64; 3], marks: u32) {
        let deltas = &mut self.batch.deltas;
        if deltas.px.len() == deltas.len() {
            deltas.px.push(0);
            deltas.qty.push(0);
            deltas.side.push(0);
        }
        let rows = deltas.px.len();
        deltas.ts_event.resize(rows, stamp.ts_event);
        deltas.ts_recv.resize(rows, stamp.ts_recv);
        deltas.first_id.resize(rows, ids[0]);
        deltas.last_id.resize(rows, ids[1]);
        deltas.prev_id.resize(rows, ids[2]);
        deltas.flags.resize(rows, stamp.flags | marks);
        deltas.flags[rows - 1] |= flags::LAST;
    }

    fn trade(&mut self, ts_recv: Ts, f: &Fields<'_>) -> Result<(), WireError> {
        const FRAME: &str = "trade";
        let id = number(need(f.trade, FRAME, "t")?, "t", 0)?;
        let px = number(need(f.price, FRAME, "p")?, "p", self.grid.price_exp)?;
        let qty = number(need(f.quantity, FRAME, "q")?, "q", self.grid.qty_exp)?;
        let side = aggressor(need(f.maker, FRAME, "m")?)?;
        need(f.time, FRAME, "T")?;
        let stamp = self.times(ts_recv, f)?;
        let is_market = f.kind.is_none_or(|x| x == b"MARKET");
        let out = &mut self.batch.trades;
        out.ts_event.push(stamp.ts_event);
        out.ts_recv.push(stamp.ts_recv);
        out.id.push(id);
        out.px.push(px);
        out.qty.push(qty);
        out.side.push(side);
        out.flags
            .push(if is_market { 0 } else { flags::NOT_MARKET });
        self.stats.trade += 1;
        self.stats.not_market += u64::from(!is_market);
        self.stats.trade_breaks +=
            u64::from(self.last_trade.is_some_and(|l| id != l.saturating_add(1)));
        self.last_trade = Some(id);
        Ok(())
    }

    fn agg_trade(&mut self, ts_recv: Ts, f: &Fields<'_>) -> Result<(), WireError> {
        const FRAME: &str = "aggTrade";
        let id = number(need(f.ask, FRAME, "a")?, "a", 0)?;
        let px = number(need(f.price, FRAME, "p")?, "p", self.grid.price_exp)?;
        let qty = number(need(f.quantity, FRAME, "q")?, "q", self.grid.qty_exp)?;
        let first = number(need(f.agg_first, FRAME, "f")?, "f", 0)?;
        let last = number(need(f.agg_last, FRAME, "l")?, "l", 0)?;
        let side = aggressor(need(f.maker, FRAME, "m")?)?;
        need(f.time, FRAME, "T")?;
        let stamp = self.times(ts_recv, f)?;
        let out = &mut self.batch.agg_trades;
        out.ts_event.push(stamp.ts_event);
        out.ts_recv.push(stamp.ts_recv);
        out.id.push(id);
        out.px.push(px);
        out.qty.push(qty);
        out.side.push(side);
        out.flags.push(0);
        out.first_id.push(first);
        out.last_id.push(last);
        self.stats.agg_trade += 1;
        Ok(())
    }

    fn quote(&mut self, ts_recv: Ts, f: &Fields<'_>) -> Result<(), WireError> {
        const FRAME: &str = "bookTicker";
        let Grid { price_exp, qty_exp } = self.grid;
        let update = number(need(f.update, FRAME, "u")?, "u", 0)?;
        let bid = number(need(f.bid, FRAME, "b")?, "b", price_exp)?;
        let bid_qty = number(need(f.bid_quantity, FRAME, "B")?, "B", qty_exp)?;
        let ask = number(need(f.ask, FRAME, "a")?, "a", price_exp)?;
        let ask_qty = number(need(f.ask_quantity, FRAME, "A")?, "A", qty_exp)?;
        let stamp = self.times(ts_recv, f)?;
        let out = &mut self.batch.quotes;
        out.ts_event.push(stamp.ts_event);
        out.ts_recv.push(stamp.ts_recv);
        out.update_id.push(update);
        out.bid.push(bid);
        out.bid_qty.push(bid_qty);
        out.ask.push(ask);
        out.ask_qty.push(ask_qty);
        out.flags.push(stamp.flags);
        self.stats.quote += 1;
        Ok(())
    }

    fn mark(&mut self, ts_recv: Ts, f: &Fields<'_>) -> Result<(), WireError> {
        const FRAME: &str = "markPriceUpdate";
        let mark = number(need(f.price, FRAME, "p")?, "p", MARK_EXP)?;
        let optional = |text: Option<&[u8]>, field| match text {
            None | Some(b"") => Ok(MISSING),
            Some(text) => number(text, field, MARK_EXP),
        };
        let index = optional(f.index, "i")?;
        let rate = optional(f.rate, "r")?;
        let next_funding = match f.time {
            None | Some(b"0") => MISSING,
            Some(text) => stamp(text, "T")?,
        };
        need(f.event_time, FRAME, "E")?;
        let published = Fields {
            event_time: f.event_time,
            ..Fields::default()
        };
        let stamp = self.times(ts_recv, &published)?;
        let out = &mut self.batch.marks;
        out.ts_event.push(stamp.ts_event);
        out.ts_recv.push(stamp.ts_recv);
        out.mark.push(mark);
        out.index.push(index);
        out.rate.push(rate);
        out.next_funding.push(next_funding);
        out.flags.push(0);
        self.stats.mark += 1;
        Ok(())
    }
}

impl<'a> Fields<'a> {
    fn slot(&mut self, key: &[u8]) -> Option<&mut Option<&'a [u8]>> {
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

impl LineDecoder for Decoder {
    fn line(&mut self, line: &[u8]) -> Result<(), WireError> {
        const WHAT: &str = "a local stamp in ms, us or ns, a blank and a frame";
        let blank = memchr::memchr(b' ', &line[..line.len().min(24)]);
        let (local, json) = match blank {
            Some(at) => (&line[..at], &line[at + 1..]),
            None => return Err(WireError::field("line", WHAT, line)),
        };
        let ts_recv = decimal(local, 0)
            .ok()
            .and_then(to_ns)
            .ok_or_else(|| WireError::field("line", WHAT, local))?;
        self.stats.received(ts_recv);
        self.frame(ts_recv, json)
    }

    fn state(&mut self) -> (&mut Batch, &mut Stats) {
        (&mut self.batch, &mut self.stats)
    }

    fn grid(&self) -> Grid {
        self.grid
    }
}
