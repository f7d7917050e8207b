//! A capture of several symbols: each frame goes to the decoder of its own.

use std::collections::HashMap;

use cq_types::Grid;
use memchr::memmem::Finder;

use super::Decoder;
use crate::error::excerpt;
use crate::{Batch, LineDecoder, Stats, WireError};

const KEY: &[u8] = b"\"s\"";

/// Decodes frames of any symbols, recorded as `<local stamp> <json>`.
///
/// What is followed from frame to frame (ids, the recorder's clock) is followed symbol by symbol.
pub struct Capture {
    grids: HashMap<String, Grid>,
    other: Grid,
    decoders: Vec<(String, Decoder)>,
    /// Takes what names no symbol: control replies, which are counted.
    rest: Decoder,
    key: Finder<'static>,
}

impl Capture {
    /// A decoder that writes each symbol's rows on its grid, on `other` where it has none.
    #[must_use]
    pub fn new(grids: HashMap<String, Grid>, other: Grid) -> Self {
        Self {
            grids,
            other,
            decoders: Vec::new(),
            rest: Decoder::new(String::new(), other),
            key: Finder::new(KEY),
        }
    }

    /// Takes the columns decoded since the last call, symbol by symbol as they first came.
    pub fn take(&mut self) -> Vec<(String, Batch)> {
        let own = self.decoders.iter_mut();
        own.map(|(symbol, decoder)| (symbol.clone(), decoder.take()))
            .collect()
    }

    /// What was counted so far of each symbol.
    pub fn stats(&self) -> impl Iterator<Item = (&str, &Stats)> {
        let own = self.decoders.iter();
        own.map(|(symbol, decoder)| (symbol.as_str(), decoder.stats()))
    }

    /// The decoder of a symbol.
    fn of(&mut self, symbol: &[u8]) -> Result<&mut Decoder, WireError> {
        let known = |(name, _): &(String, Decoder)| name.as_bytes() == symbol;
        if let Some(at) = self.decoders.iter().position(known) {
            return Ok(&mut self.decoders[at].1);
        }
        let is_name = |c: &u8| c.is_ascii_alphanumeric() || *c == b'_' || *c == b'-';
        if symbol.is_empty() || !symbol.iter().all(is_name) {
            return Err(WireError::field("s", "a symbol", symbol));
        }
        let name = excerpt(symbol);
        let grid = self.grids.get(&name).copied().unwrap_or(self.other);
        let decoder = Decoder::new(name.clone(), grid);
        self.decoders.push((name, decoder));
        let last = self.decoders.len() - 1;
        Ok(&mut self.decoders[last].1)
    }
}

impl LineDecoder for Capture {
    fn line(&mut self, number: u64, line: &[u8]) -> Result<(), WireError> {
        if let Some(symbol) = symbol_of(&self.key, line) {
            return self.of(symbol)?.line(number, line);
        }
        let counted = self.rest.stats().other;
        self.rest.line(number, line)?;
        if self.rest.stats().other == counted {
            return Err(WireError::Missing {
                frame: "a frame in a capture of several symbols",
                field: "s",
            });
        }
        Ok(())
    }
}

/// The symbol that a frame names; its decoder reads the frame in full and checks it.
fn symbol_of<'a>(key: &Finder<'_>, line: &'a [u8]) -> Option<&'a [u8]> {
    key.find_iter(line).find_map(|at| {
        let rest = line[at + KEY.len()..].trim_ascii_start();
        let rest = rest.strip_prefix(b":")?.trim_ascii_start();
        let rest = rest.strip_prefix(b"\"")?;
        let end = memchr::memchr(b'"', rest)?;
        Some(&rest[..end])
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::{LineError, Lines};

    const GRID: Grid = Grid {
        price_exp: 1,
        qty_exp: 3,
    };
    const OTHER: Grid = Grid {
        price_exp: 8,
        qty_exp: 8,
    };

    fn depth(ts: u64, symbol: &str, (first, last, before): (u64, u64, u64)) -> String {
        format!(
            r#"{ts} {{"stream":"x@depth","data":{{"e":"depthUpdate","E":{ts},"T":{ts},"s" : "{symbol}","U":{first},"u":{last},"pu":{before},"b":[["10.5","1"]],"a":[]}}}}"#
        )
    }

    fn read(lines: &[String]) -> Result<Capture, LineError> {
        let grids = HashMap::from([("BTCUSDT".to_owned(), GRID)]);
        let mut found = Lines::new(Capture::new(grids, OTHER));
        found.feed(lines.join("\n").as_bytes())?;
        found.finish()?;
        Ok(found.into_decoder())
    }

    #[test]
    fn ids_are_followed_symbol_by_symbol() {
        let mut found = read(&[
            depth(1_700_000_000_000, "BTCUSDT", (1, 5, 0)),
            depth(1_700_000_000_001, "ETHUSDT", (901, 903, 900)),
            depth(1_700_000_000_002, "BTCUSDT", (6, 7, 5)),
            depth(1_700_000_000_003, "ETHUSDT", (908, 909, 907)),
        ])
        .unwrap();
        let breaks: Vec<_> = found
            .stats()
            .map(|(name, seen)| (name.to_owned(), seen.depth, seen.depth_breaks))
            .collect();
        let expected = [("BTCUSDT", 2, 0), ("ETHUSDT", 2, 1)];
        assert_eq!(breaks, expected.map(|(name, n, b)| (name.to_owned(), n, b)));
        let taken = found.take();
        let prices: Vec<_> = taken.iter().map(|(_, b)| b.deltas.px.clone()).collect();
        assert_eq!(prices, [vec![105; 2], vec![1_050_000_000; 2]]);
        assert!(found
            .take()
            .iter()
            .all(|(_, batch)| batch.deltas.is_empty()));
    }

    #[test]
    fn a_reply_of_no_symbol_is_passed_and_a_book_of_none_is_not() {
        let first = depth(1_700_000_000_000, "BTCUSDT", (1, 5, 0));
        let reply = r#"1700000000001 {"result":null,"id":1}"#.to_owned();
        assert!(read(&[first.clone(), reply]).is_ok());
        let book = r#"1700000000001 {"lastUpdateId":4,"bids":[["10.5","1"]],"asks":[]}"#.to_owned();
        let error = read(&[first, book]).err().unwrap();
        assert_eq!(
            error.to_string(),
            r#"line 2: a frame in a capture of several symbols without "s""#
        );
    }

    #[test]
    fn a_symbol_that_is_none_is_refused() {
        let error = read(&[depth(1_700_000_000_000, "", (1, 5, 0))])
            .err()
            .unwrap();
        assert_eq!(error.to_string(), r#"line 1: s: expected a symbol, was """#);
    }
}
