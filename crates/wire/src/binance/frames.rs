//! Recorded or live frames to columns.

use cq_types::{Grid, Ts};

use super::fields::Fields;
use super::rows;
use crate::decimal::decimal;
use crate::error::excerpt;
use crate::json::Cursor;
use crate::series::Series;
use crate::{to_ns, Batch, LineDecoder, Stats, WireError};

/// Decodes frames of one symbol, recorded as `<local stamp> <json>` or fed one by one.
pub struct Decoder {
    symbol: String,
    series: Series,
}

impl Decoder {
    /// A decoder for frames of `symbol` (as the venue writes it, in capitals).
    #[must_use]
    pub fn new(symbol: String, grid: Grid) -> Self {
        Self {
            symbol,
            series: Series::new(grid),
        }
    }

    /// Decodes one frame received at `ts_recv`.
    ///
    /// # Errors
    /// When the text is no JSON, is of another symbol, lacks a field of its kind, or
    /// holds a price that the grid does not.
    pub fn frame(&mut self, ts_recv: Ts, json: &[u8]) -> Result<(), WireError> {
        let done = self.read_frame(ts_recv, json);
        self.series.forget_levels();
        done
    }

    /// Takes the columns decoded since the last call.
    pub fn take(&mut self) -> Batch {
        self.series.batch.take()
    }

    /// What was counted so far.
    #[must_use]
    pub fn stats(&self) -> &Stats {
        &self.series.stats
    }

    fn read_frame(&mut self, ts_recv: Ts, json: &[u8]) -> Result<(), WireError> {
        let mut f = Fields::default();
        let mut cursor = Cursor::new(json);
        self.read_object(&mut cursor, &mut f, true)?;
        cursor.end()?;
        if let Some(found) = f.symbol.filter(|found| *found != self.symbol.as_bytes()) {
            return Err(WireError::Symbol {
                expected: self.symbol.clone(),
                found: excerpt(found),
            });
        }
        let series = &mut self.series;
        match f.event {
            Some(b"depthUpdate") => rows::depth(series, ts_recv, &f),
            Some(b"trade") => rows::trade(series, ts_recv, &f),
            Some(b"aggTrade") => rows::agg_trade(series, ts_recv, &f),
            Some(b"bookTicker") => rows::quote(series, ts_recv, &f),
            Some(b"markPriceUpdate") => rows::mark(series, ts_recv, &f),
            None if f.snapshot.is_some() && !f.is_stream => rows::snapshot(series, ts_recv, &f),
            None if f.update.is_some() && f.bid.is_some() => rows::quote(series, ts_recv, &f),
            _ => {
                series.stats.other += 1;
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
                b"b" | b"bids" if is_array => levels(&mut self.series, cursor, 1)?,
                b"a" | b"asks" if is_array => levels(&mut self.series, cursor, -1)?,
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
}

/// Reads `[["price","quantity"],…]` straight into the delta columns.
fn levels(series: &mut Series, cursor: &mut Cursor<'_>, side: i8) -> Result<(), WireError> {
    cursor.expect(b'[', "a list of levels")?;
    if cursor.accept(b']') {
        return Ok(());
    }
    loop {
        cursor.expect(b'[', "a level")?;
        let px = cursor.number("price", series.price_exp)?;
        cursor.expect(b',', "a comma")?;
        let qty = cursor.quantity(&mut series.batch.deltas)?;
        while cursor.more(b']')? {
            cursor.value()?;
        }
        series.level(side, px, qty);
        if !cursor.more(b']')? {
            return Ok(());
        }
    }
}

impl LineDecoder for Decoder {
    fn line(&mut self, _: u64, line: &[u8]) -> Result<(), WireError> {
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
        self.series.stats.received(ts_recv);
        self.frame(ts_recv, json)
    }
}
