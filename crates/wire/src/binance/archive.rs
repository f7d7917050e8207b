//! CSV files of Binance's public archive, spot and futures, with a header row or none.
//!
//! Source: github.com/binance/binance-public-data, README and issues (headers came in
//! 2022, spot stamps are microseconds from 2025-01-01).

use cq_types::{flags, Grid};

use super::fields::aggressor;
use crate::batch::{AggTrade, Quote, Trade};
use crate::decimal::{decimal, decimal_prefix};
use crate::series::Series;
use crate::widen::Quantities;
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
    series: Series,
}

impl Archive {
    /// A decoder at the start of a file.
    #[must_use]
    pub fn new(kind: ArchiveKind, grid: Grid) -> Self {
        Self {
            kind,
            series: Series::new(grid),
        }
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

    fn row(&mut self, line: &[u8]) -> Result<(), WireError> {
        let row = Row { rest: Some(line) };
        match self.kind {
            ArchiveKind::Trades => self.trade(row),
            ArchiveKind::AggTrades => self.agg_trade(row),
            ArchiveKind::BookTicker => self.quote(row),
        }
    }

    fn trade(&mut self, mut row: Row<'_>) -> Result<(), WireError> {
        let series = &mut self.series;
        let id = row.number("id", 0)?;
        let px = row.number("price", series.price_exp)?;
        let qty = row.number("qty", series.batch.trades.qty_exp)?;
        row.skip("quote_qty")?;
        let time = row.time("time")?;
        let side = row.side()?;
        row.end()?;
        series.trade(Trade {
            ts_event: time,
            ts_recv: time,
            id,
            px,
            qty,
            side,
            flags: flags::SYNTHETIC_RECV,
        });
        Ok(())
    }

    fn agg_trade(&mut self, mut row: Row<'_>) -> Result<(), WireError> {
        let series = &mut self.series;
        let id = row.number("agg_trade_id", 0)?;
        let px = row.number("price", series.price_exp)?;
        let qty = row.number("quantity", series.batch.agg_trades.qty_exp)?;
        let first_id = row.number("first_trade_id", 0)?;
        let last_id = row.number("last_trade_id", 0)?;
        let time = row.time("transact_time")?;
        let side = row.side()?;
        row.end()?;
        series.agg_trade(AggTrade {
            ts_event: time,
            ts_recv: time,
            id,
            px,
            qty,
            side,
            flags: flags::SYNTHETIC_RECV,
            first_id,
            last_id,
        });
        Ok(())
    }

    fn quote(&mut self, mut row: Row<'_>) -> Result<(), WireError> {
        let series = &mut self.series;
        let (price_exp, qty_exp) = (series.price_exp, series.batch.quotes.qty_exp);
        let update_id = row.number("update_id", 0)?;
        let bid = row.number("best_bid_price", price_exp)?;
        let bid_qty = row.number("best_bid_qty", qty_exp)?;
        let ask = row.number("best_ask_price", price_exp)?;
        let ask_qty = row.number("best_ask_qty", qty_exp)?;
        let matched = row.time("transaction_time")?;
        let published = row.time("event_time")?;
        row.end()?;
        series.quote(Quote {
            ts_event: matched,
            ts_recv: published.max(matched),
            update_id,
            bid,
            bid_qty,
            ask,
            ask_qty,
            flags: flags::SYNTHETIC_RECV,
        });
        Ok(())
    }

    /// Makes the grid finer if that mends the error; the row can then be read again.
    fn widen(&mut self, error: &WireError) -> bool {
        let batch = &mut self.series.batch;
        match (self.kind, error) {
            (ArchiveKind::Trades, WireError::OffGrid { field: "qty", .. }) => batch.trades.widen(),
            (ArchiveKind::AggTrades, WireError::OffGrid { field, .. }) if *field == "quantity" => {
                batch.agg_trades.widen()
            }
            (ArchiveKind::BookTicker, WireError::OffGrid { field, .. })
                if field.ends_with("_qty") =>
            {
                batch.quotes.widen()
            }
            _ => false,
        }
    }
}

impl LineDecoder for Archive {
    fn line(&mut self, number: u64, line: &[u8]) -> Result<(), WireError> {
        if number == 1 && line.first().is_some_and(u8::is_ascii_alphabetic) {
            return Ok(());
        }
        match self.row(line) {
            Err(error) if self.widen(&error) => self.row(line),
            done => done,
        }
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

    #[inline]
    fn time(&mut self, field: &'static str) -> Result<i64, WireError> {
        let stamp = self.number(field, 0)?;
        to_ns(stamp).ok_or_else(|| {
            let found = stamp.to_string();
            WireError::field(field, "a time in ms, us or ns", found.as_bytes())
        })
    }

    #[inline]
    fn side(&mut self) -> Result<i8, WireError> {
        const FIELD: &str = "is_buyer_maker";
        aggressor(self.skip(FIELD)?, FIELD)
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
