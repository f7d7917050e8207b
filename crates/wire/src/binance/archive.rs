//! CSV files of Binance's public archive, spot and futures, with a header row or none.
//!
//! Source: github.com/binance/binance-public-data, README and issues (headers came in
//! 2022, spot stamps are microseconds from 2025-01-01).

use cq_types::{flags, Grid};

use crate::scan::{decimal, decimal_prefix};
use crate::widen::widen;
use crate::{to_ns, Batch, LineDecoder, Stats, WireError};

/// Which of the archive's tick files.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum ArchiveKind {
    /// `trades`: id, price, qty, quote qty, time, buyer is maker.
    Trades,
    /// `aggTrades`: id, price, qty, first id, last id, time, buyer is maker.
    AggTrades,
    /// `bookTicker`: id, bid, its qty, ask, its qty, transaction time, event time.
    BookTicker,
}

/// Decodes archive rows; they carry no stamp of ours, so `ts_recv` is synthetic.
pub struct Archive {
    kind: ArchiveKind,
    grid: Grid,
    batch: Batch,
    stats: Stats,
    last_id: Option<i64>,
}

impl Archive {
    /// A decoder at the start of a file.
    #[must_use]
    pub fn new(kind: ArchiveKind, grid: Grid) -> Self {
        Self {
            kind,
            grid,
            batch: Batch::default(),
            stats: Stats::default(),
            last_id: None,
        }
    }

    fn row(&mut self, line: &[u8]) -> Result<(), WireError> {
        let row = Row { rest: Some(line) };
        match self.kind {
            ArchiveKind::Trades => self.trade(row),
            ArchiveKind::AggTrades => self.agg_trade(row),
            ArchiveKind::BookTicker => self.quote(row),
        }
    }

    fn trade(&mut self, mut row: Row<'_>) -> Result<(), WireError> {
        let id = row.number("id", 0)?;
        let px = row.number("price", self.grid.price_exp)?;
        let qty = row.number("qty", self.grid.qty_exp)?;
        row.skip("quote_qty")?;
        let time = row.time("time")?;
        let side = row.side()?;
        row.end()?;
        let out = &mut self.batch.trades;
        out.ts_event.push(time);
        out.ts_recv.push(time);
        out.id.push(id);
        out.px.push(px);
        out.qty.push(qty);
        out.side.push(side);
        out.flags.push(flags::SYNTHETIC_RECV);
        self.stats.trade += 1;
        self.follow(id);
        Ok(())
    }

    fn agg_trade(&mut self, mut row: Row<'_>) -> Result<(), WireError> {
        let id = row.number("agg_trade_id", 0)?;
        let px = row.number("price", self.grid.price_exp)?;
        let qty = row.number("quantity", self.grid.qty_exp)?;
        let first = row.number("first_trade_id", 0)?;
        let last = row.number("last_trade_id", 0)?;
        let time = row.time("transact_time")?;
        let side = row.side()?;
        row.end()?;
        let out = &mut self.batch.agg_trades;
        out.ts_event.push(time);
        out.ts_recv.push(time);
        out.id.push(id);
        out.px.push(px);
        out.qty.push(qty);
        out.side.push(side);
        out.flags.push(flags::SYNTHETIC_RECV);
        out.first_id.push(first);
        out.last_id.push(last);
        self.stats.agg_trade += 1;
        self.follow(id);
        Ok(())
    }

    fn quote(&mut self, mut row: Row<'_>) -> Result<(), WireError> {
        let Grid { price_exp, qty_exp } = self.grid;
        let id = row.number("update_id", 0)?;
        let bid = row.number("best_bid_price", price_exp)?;
        let bid_qty = row.number("best_bid_qty", qty_exp)?;
        let ask = row.number("best_ask_price", price_exp)?;
        let ask_qty = row.number("best_ask_qty", qty_exp)?;
        let matched = row.time("transaction_time")?;
        let published = row.time("event_time")?;
        row.end()?;
        let out = &mut self.batch.quotes;
        out.ts_event.push(matched);
        out.ts_recv.push(published.max(matched));
        out.update_id.push(id);
        out.bid.push(bid);
        out.bid_qty.push(bid_qty);
        out.ask.push(ask);
        out.ask_qty.push(ask_qty);
        out.flags.push(flags::SYNTHETIC_RECV);
        self.stats.quote += 1;
        Ok(())
    }

    fn follow(&mut self, id: i64) {
        let broke = self.last_id.is_some_and(|l| id != l.saturating_add(1));
        self.stats.trade_breaks += u64::from(broke);
        self.last_id = Some(id);
    }
}

impl LineDecoder for Archive {
    fn line(&mut self, line: &[u8]) -> Result<(), WireError> {
        let is_header = self.stats.lines == 1 && line.first().is_some_and(u8::is_ascii_alphabetic);
        if is_header {
            return Ok(());
        }
        match self.row(line) {
            Err(error) if widen(&mut self.grid, &mut self.batch, &error) => self.row(line),
            done => done,
        }
    }

    fn state(&mut self) -> (&mut Batch, &mut Stats) {
        (&mut self.batch, &mut self.stats)
    }

    fn grid(&self) -> Grid {
        self.grid
    }
}

/// What is left of a row; `None` behind its last field.
struct Row<'a> {
    rest: Option<&'a [u8]>,
}

impl<'a> Row<'a> {
    /// The next field as a number on a grid, read and delimited in one pass.
    #[inline(always)]
    #[allow(clippy::inline_always)] // a fifth of the time per row is the call
    fn number(&mut self, field: &'static str, exp: u8) -> Result<i64, WireError> {
        const FRAME: &str = "row";
        let rest = self.rest.ok_or(WireError::Missing {
            frame: FRAME,
            field,
        })?;
        if let Ok((value, length)) = decimal_prefix(rest, exp) {
            match rest.get(length) {
                None => {
                    self.rest = None;
                    return Ok(value);
                }
                Some(b',') => {
                    self.rest = Some(&rest[length + 1..]);
                    return Ok(value);
                }
                Some(_) => {}
            }
        }
        let text = self.skip(field)?;
        decimal(text, exp).map_err(|fault| fault.of(field, text, exp))
    }

    #[inline]
    fn skip(&mut self, field: &'static str) -> Result<&'a [u8], WireError> {
        const FRAME: &str = "row";
        let rest = self.rest.ok_or(WireError::Missing {
            frame: FRAME,
            field,
        })?;
        if let Some(at) = memchr::memchr(b',', rest) {
            self.rest = Some(&rest[at + 1..]);
            return Ok(&rest[..at]);
        }
        self.rest = None;
        Ok(rest)
    }

    fn time(&mut self, field: &'static str) -> Result<i64, WireError> {
        let stamp = self.number(field, 0)?;
        to_ns(stamp).ok_or_else(|| {
            let found = stamp.to_string();
            WireError::field(field, "a time in ms, us or ns", found.as_bytes())
        })
    }

    fn side(&mut self) -> Result<i8, WireError> {
        match self.skip("is_buyer_maker")? {
            b"true" | b"True" => Ok(-1),
            b"false" | b"False" => Ok(1),
            other => Err(WireError::field("is_buyer_maker", "true or false", other)),
        }
    }

    /// At most one more field, the spot market's `isBestMatch`, may follow.
    fn end(&mut self) -> Result<(), WireError> {
        if self.rest.is_none() {
            return Ok(());
        }
        match (self.skip("isBestMatch")?, self.rest) {
            (b"true" | b"True" | b"false" | b"False", None) => Ok(()),
            (other, _) => Err(WireError::field("row", "its end", other)),
        }
    }
}
