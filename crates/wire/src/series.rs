use cq_types::{flags, Grid, Ts};

use crate::batch::{AggTrade, Mark, Quote, Trade};
use crate::{Batch, Stats, MISSING};

/// The rows of one instrument while they are read, and what is counted of them.
pub(crate) struct Series {
    pub(crate) price_exp: u8,
    pub(crate) batch: Batch,
    pub(crate) stats: Stats,
    venue_time: Option<Ts>,
    last_update: Option<i64>,
    last_trade: Option<i64>,
    last_agg_trade: Option<i64>,
}

/// Two times of a message, and the marks that go with them.
#[derive(Clone, Copy)]
pub(crate) struct Stamp {
    pub(crate) ts_event: Ts,
    pub(crate) ts_recv: Ts,
    pub(crate) flags: u32,
}

/// Ids of a book message: first, last, and the last of the one before.
pub(crate) struct BookIds {
    pub(crate) first: i64,
    pub(crate) last: i64,
    pub(crate) previous: Option<i64>,
}

impl Series {
    pub(crate) fn new(grid: Grid) -> Self {
        Self {
            price_exp: grid.price_exp,
            batch: Batch::on(grid.qty_exp),
            stats: Stats::default(),
            venue_time: None,
            last_update: None,
            last_trade: None,
            last_agg_trade: None,
        }
    }

    /// The times of a message that came at `ts_recv`: when it was matched, before when it was
    /// published, before the latest time that the venue gave at all.
    pub(crate) fn stamp(&mut self, ts_recv: Ts, event: Option<Ts>, matched: Option<Ts>) -> Stamp {
        if let Some(published) = event.max(matched) {
            self.stats.latency(ts_recv.saturating_sub(published));
            self.venue_time = self.venue_time.max(Some(published));
        }
        let given = matched.or(event);
        let marks = if given.is_some() {
            0
        } else {
            flags::SYNTHETIC_EVENT
        };
        Stamp {
            ts_event: given.or(self.venue_time).unwrap_or(ts_recv),
            ts_recv,
            flags: marks,
        }
    }

    #[inline]
    pub(crate) fn trade(&mut self, row: Trade) {
        self.stats.trade += 1;
        self.stats.not_market += u64::from(row.flags & flags::NOT_MARKET != 0);
        self.stats.trade_breaks += follow(&mut self.last_trade, row.id);
        self.batch.trades.push(row);
    }

    #[inline]
    pub(crate) fn agg_trade(&mut self, row: AggTrade) {
        self.stats.agg_trade += 1;
        self.stats.agg_breaks += follow(&mut self.last_agg_trade, row.id);
        self.batch.agg_trades.push(row);
    }

    #[inline]
    pub(crate) fn quote(&mut self, row: Quote) {
        self.stats.quote += 1;
        self.batch.quotes.push(row);
    }

    pub(crate) fn mark(&mut self, row: Mark) {
        self.stats.mark += 1;
        self.batch.marks.push(row);
    }

    /// Adds a level to the book message that is being read.
    #[inline]
    pub(crate) fn level(&mut self, side: i8, px: i64, qty: i64) {
        let deltas = &mut self.batch.deltas;
        deltas.px.push(px);
        deltas.qty.push(qty);
        deltas.side.push(side);
    }

    /// Forgets levels of a message that turned out to be broken, or no book at all.
    pub(crate) fn forget_levels(&mut self) {
        let deltas = &mut self.batch.deltas;
        let rows = deltas.len();
        deltas.px.truncate(rows);
        deltas.qty.truncate(rows);
        deltas.side.truncate(rows);
    }

    /// Ends a message of changes: its levels become rows.
    pub(crate) fn depth(&mut self, stamp: Stamp, ids: &BookIds) {
        let before = ids.previous.unwrap_or_else(|| ids.first.saturating_sub(1));
        self.stats.depth += 1;
        self.stats.depth_breaks += u64::from(self.last_update.is_some_and(|l| l != before));
        self.last_update = Some(ids.last);
        self.close(stamp, ids, 0);
    }

    /// Ends a message that is a whole book: its levels become rows.
    pub(crate) fn snapshot(&mut self, stamp: Stamp, id: i64) {
        let ids = BookIds {
            first: id,
            last: id,
            previous: None,
        };
        self.stats.snapshot += 1;
        self.close(stamp, &ids, flags::SNAPSHOT);
    }

    fn close(&mut self, stamp: Stamp, ids: &BookIds, marks: u32) {
        if self.batch.deltas.px.len() == self.batch.deltas.len() {
            self.level(0, 0, 0);
        }
        let deltas = &mut self.batch.deltas;
        let rows = deltas.px.len();
        deltas.ts_event.resize(rows, stamp.ts_event);
        deltas.ts_recv.resize(rows, stamp.ts_recv);
        deltas.first_id.resize(rows, ids.first);
        deltas.last_id.resize(rows, ids.last);
        let previous = ids.previous.unwrap_or(MISSING);
        deltas.prev_id.resize(rows, previous);
        deltas.flags.resize(rows, stamp.flags | marks);
        deltas.flags[rows - 1] |= flags::LAST;
    }
}

/// Moves a chain of ids on; 1 if it broke.
#[inline]
fn follow(last: &mut Option<i64>, id: i64) -> u64 {
    let before = last.replace(id);
    u64::from(before.is_some_and(|l| id != l.saturating_add(1)))
}
