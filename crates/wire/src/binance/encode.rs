//! Frames as the venue writes them, one a line behind the recorder's stamp: what
//! [`Decoder`](super::Decoder) reads.

use cq_types::{Grid, Ts};

use super::MARK_EXP;

/// Venue times of a frame, ms UTC.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Times {
    /// Publication (`E`).
    pub event: i64,
    /// Matching (`T`).
    pub matched: i64,
}

/// One side of a frame: prices and quantities on the grid.
pub type Levels<'a> = &'a [(i64, i64)];

/// Writes lines `<local stamp, ns> <frame>` of a USD-M symbol's streams.
#[derive(Debug, Clone)]
pub struct Encoder {
    symbol: String,
    lower: String,
    grid: Grid,
}

impl Encoder {
    /// Of a symbol in capitals, whose integers are on `grid`.
    #[must_use]
    pub fn new(symbol: String, grid: Grid) -> Self {
        Self {
            lower: symbol.to_ascii_lowercase(),
            symbol,
            grid,
        }
    }

    /// A message that no decoder has a column for: a note to the reader.
    pub fn note(&self, out: &mut Vec<u8>, recv: Ts, key: &str, text: &str) {
        integer(out, recv);
        for part in [r#" {"stream":""#, key, r#"","data":{"e":""#, key] {
            out.extend_from_slice(part.as_bytes());
        }
        for part in [r#"","text":""#, text, "\"}}\n"] {
            out.extend_from_slice(part.as_bytes());
        }
    }

    /// `depthUpdate` of the stream `<symbol>@depth@<speed>`; `ids` are `U`, `u` and `pu`.
    #[allow(clippy::too_many_arguments)] // the fields of the frame
    pub fn depth(
        &self,
        out: &mut Vec<u8>,
        recv: Ts,
        speed: &str,
        times: Times,
        ids: [i64; 3],
        bids: Levels<'_>,
        asks: Levels<'_>,
    ) {
        self.open(out, recv, "@depth@", speed, "depthUpdate");
        self.times(out, times);
        for (name, id) in [("U", ids[0]), ("u", ids[1]), ("pu", ids[2])] {
            key(out, name);
            integer(out, id);
        }
        self.sides(out, ["b", "a"], bids, asks);
        out.extend_from_slice(b"}}\n");
    }

    /// The answer of `GET /fapi/v1/depth`.
    pub fn snapshot(
        &self,
        out: &mut Vec<u8>,
        recv: Ts,
        id: i64,
        times: Times,
        bids: Levels<'_>,
        asks: Levels<'_>,
    ) {
        integer(out, recv);
        out.extend_from_slice(br#" {"lastUpdateId":"#);
        integer(out, id);
        key(out, "E");
        integer(out, times.event);
        key(out, "T");
        integer(out, times.matched);
        self.sides(out, ["bids", "asks"], bids, asks);
        out.extend_from_slice(b"}\n");
    }

    /// `trade`; `is_sell` says that the aggressor sold.
    #[allow(clippy::too_many_arguments)] // the fields of the frame
    pub fn trade(
        &self,
        out: &mut Vec<u8>,
        recv: Ts,
        times: Times,
        id: i64,
        px: i64,
        qty: i64,
        is_sell: bool,
    ) {
        self.open(out, recv, "@trade", "", "trade");
        self.times(out, times);
        key(out, "t");
        integer(out, id);
        self.price(out, "p", px);
        self.quantity(out, "q", qty);
        out.extend_from_slice(br#","X":"MARKET","m":"#);
        out.extend_from_slice(if is_sell { b"true" } else { b"false" });
        out.extend_from_slice(b"}}\n");
    }

    /// `bookTicker`: the best bid and ask after update `id`.
    pub fn ticker(
        &self,
        out: &mut Vec<u8>,
        recv: Ts,
        times: Times,
        id: i64,
        bid: (i64, i64),
        ask: (i64, i64),
    ) {
        self.open(out, recv, "@bookTicker", "", "bookTicker");
        key(out, "u");
        integer(out, id);
        self.symbol(out);
        self.price(out, "b", bid.0);
        self.quantity(out, "B", bid.1);
        self.price(out, "a", ask.0);
        self.quantity(out, "A", ask.1);
        for (name, time) in [("T", times.matched), ("E", times.event)] {
            key(out, name);
            integer(out, time);
        }
        out.extend_from_slice(b"}}\n");
    }

    /// `markPriceUpdate`: mark, index and rate with 8 decimals, ms of the next funding.
    #[allow(clippy::too_many_arguments)] // the fields of the frame
    pub fn mark(
        &self,
        out: &mut Vec<u8>,
        recv: Ts,
        event: i64,
        mark: i64,
        index: i64,
        rate: i64,
        next_funding: i64,
    ) {
        self.open(out, recv, "@markPrice@", "1s", "markPriceUpdate");
        key(out, "E");
        integer(out, event);
        self.symbol(out);
        for (name, value) in [("p", mark), ("P", mark), ("i", index), ("r", rate)] {
            text(out, name, value, MARK_EXP);
        }
        key(out, "T");
        integer(out, next_funding);
        out.extend_from_slice(b"}}\n");
    }

    fn open(&self, out: &mut Vec<u8>, recv: Ts, stream: &str, speed: &str, event: &str) {
        integer(out, recv);
        for part in [r#" {"stream":""#, &self.lower, stream, speed] {
            out.extend_from_slice(part.as_bytes());
        }
        for part in [r#"","data":{"e":""#, event, "\""] {
            out.extend_from_slice(part.as_bytes());
        }
    }

    fn times(&self, out: &mut Vec<u8>, times: Times) {
        key(out, "E");
        integer(out, times.event);
        key(out, "T");
        integer(out, times.matched);
        self.symbol(out);
    }

    fn symbol(&self, out: &mut Vec<u8>) {
        for part in [r#","s":""#, &self.symbol, "\""] {
            out.extend_from_slice(part.as_bytes());
        }
    }

    fn price(&self, out: &mut Vec<u8>, name: &str, px: i64) {
        text(out, name, px, self.grid.price_exp);
    }

    fn quantity(&self, out: &mut Vec<u8>, name: &str, qty: i64) {
        text(out, name, qty, self.grid.qty_exp);
    }

    fn sides(&self, out: &mut Vec<u8>, names: [&str; 2], bids: Levels<'_>, asks: Levels<'_>) {
        for (name, levels) in names.into_iter().zip([bids, asks]) {
            key(out, name);
            out.push(b'[');
            for (i, &(px, qty)) in levels.iter().enumerate() {
                out.extend_from_slice(if i == 0 { b"[\"" } else { b",[\"" });
                decimal(out, px, self.grid.price_exp);
                out.extend_from_slice(b"\",\"");
                decimal(out, qty, self.grid.qty_exp);
                out.extend_from_slice(b"\"]");
            }
            out.push(b']');
        }
    }
}

fn key(out: &mut Vec<u8>, name: &str) {
    out.extend_from_slice(b",\"");
    out.extend_from_slice(name.as_bytes());
    out.extend_from_slice(b"\":");
}

fn text(out: &mut Vec<u8>, name: &str, value: i64, exp: u8) {
    key(out, name);
    out.push(b'"');
    decimal(out, value, exp);
    out.push(b'"');
}

/// Most characters of an integer with a point in it.
const WIDEST: usize = 40;

fn integer(out: &mut Vec<u8>, value: i64) {
    decimal(out, value, 0);
}

/// Writes an integer of `10^-exp` with all its decimals.
fn decimal(out: &mut Vec<u8>, value: i64, exp: u8) {
    let mut digits = [b'0'; WIDEST];
    let (mut at, mut rest) = (WIDEST, value.unsigned_abs());
    let mut written = 0;
    while rest > 0 || written <= usize::from(exp) {
        if exp > 0 && written == usize::from(exp) {
            at -= 1;
            digits[at] = b'.';
        }
        at -= 1;
        digits[at] = b"0123456789"[(rest % 10) as usize];
        rest /= 10;
        written += 1;
    }
    if value < 0 {
        out.push(b'-');
    }
    out.extend_from_slice(&digits[at..]);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::binance::Decoder;
    use crate::Lines;
    use proptest::prelude::*;

    const GRID: Grid = Grid {
        price_exp: 2,
        qty_exp: 3,
    };
    const MS: i64 = 1_000_000;

    fn levels() -> impl Strategy<Value = Vec<(i64, i64)>> {
        prop::collection::vec((1..10_000_000_i64, 0..10_000_000_i64), 0..9)
    }

    proptest! {
        #[test]
        fn what_is_written_is_what_is_read(
            bids in levels(),
            asks in levels(),
            recv in 1_600_000_000_000_000_000..1_900_000_000_000_000_000_i64,
            ids in [1..1_i64 << 50, 1..1_i64 << 50, 1..1_i64 << 50],
            (px, qty) in (1..10_000_000_i64, 1..10_000_000_i64),
            is_sell: bool,
            rate in -1_000_000..1_000_000_i64,
        ) {
            let encoder = Encoder::new("BTCUSDT".to_owned(), GRID);
            let matched = recv / MS - 7;
            let times = Times { event: matched + 2, matched };
            let mut out = Vec::new();
            encoder.note(&mut out, recv, "note", "to the reader");
            encoder.snapshot(&mut out, recv, ids[0], times, &bids, &asks);
            encoder.depth(&mut out, recv, "100ms", times, ids, &bids, &asks);
            encoder.trade(&mut out, recv, times, ids[0], px, qty, is_sell);
            encoder.ticker(&mut out, recv, times, ids[1], (px, qty), (px + 1, qty + 1));
            encoder.mark(&mut out, recv, matched, px, px + 5, rate, matched + 9);

            let mut lines = Lines::new(Decoder::new("BTCUSDT".to_owned(), GRID));
            prop_assert_eq!(lines.feed(&out).ok(), Some(6));
            prop_assert_eq!(lines.decoder().stats().other, 1);
            let read = lines.decoder().take();
            let d = read.deltas;
            let count = (bids.len() + asks.len()).max(1);
            prop_assert_eq!(d.px.len(), 2 * count);
            for frame in 0..2 {
                let rows = (frame * count)..((frame + 1) * count);
                let sides = bids.iter().map(|l| (1, *l)).chain(asks.iter().map(|l| (-1, *l)));
                for (row, (side, level)) in rows.clone().zip(sides) {
                    prop_assert_eq!((d.side[row], d.px[row], d.qty[row]), (side, level.0, level.1));
                }
                prop_assert!(rows.clone().all(|row| d.ts_event[row] == matched * MS));
                prop_assert!(rows.clone().all(|row| d.ts_recv[row] == recv));
            }
            let last = 2 * count - 1;
            prop_assert_eq!([d.first_id[last], d.last_id[last], d.prev_id[last]], ids);
            prop_assert_eq!(d.last_id[0], ids[0]);
            let t = read.trades;
            prop_assert_eq!((t.id[0], t.px[0], t.qty[0], t.flags[0]), (ids[0], px, qty, 0));
            prop_assert_eq!((t.side[0], t.ts_event[0]), (if is_sell { -1 } else { 1 }, matched * MS));
            let q = read.quotes;
            prop_assert_eq!((q.update_id[0], q.ts_event[0]), (ids[1], matched * MS));
            prop_assert_eq!((q.bid[0], q.bid_qty[0]), (px, qty));
            prop_assert_eq!((q.ask[0], q.ask_qty[0]), (px + 1, qty + 1));
            let m = read.marks;
            prop_assert_eq!((m.mark[0], m.index[0], m.rate[0]), (px, px + 5, rate));
            prop_assert_eq!((m.ts_event[0], m.next_funding[0]), (matched * MS, (matched + 9) * MS));
        }

        #[test]
        fn a_written_decimal_reads_back(value in -10_i64.pow(17)..10_i64.pow(17), exp in 0..9_u8) {
            let mut out = Vec::new();
            decimal(&mut out, value, exp);
            let shift = 10_i64.pow(u32::from(exp));
            if let Some(point) = out.iter().position(|b| *b == b'.') {
                prop_assert_eq!(out.len() - point - 1, usize::from(exp));
            }
            if value.abs() / shift < 10_i64.pow(18 - u32::from(exp)) / 10 {
                prop_assert_eq!(crate::decimal::decimal(&out, exp), Ok(value));
            }
        }
    }
}
