//! What quotes and orders of one wake-up come to, for those who set limits to them.

use std::collections::BTreeMap;

use cq_types::InstrumentIdx;
use thiserror::Error;

use crate::{At, Key};

/// Why quotes of one target cannot stand.
#[derive(Debug, Error, PartialEq, Eq)]
pub enum Unsound {
    /// Not positive, or between two steps of the grid.
    #[error("{side} {quantity} at {px}: expected positive multiples of the lot {lot} and the tick {tick}")]
    OffGrid {
        /// buy or sell.
        side: &'static str,
        /// What is to be quoted.
        quantity: i64,
        /// Where.
        px: i64,
        /// The lot.
        lot: i64,
        /// The tick.
        tick: i64,
    },
    /// The sides meet.
    #[error("a bid at {bid} meets an ask at {ask}")]
    Meets {
        /// The best bid.
        bid: i64,
        /// The best ask.
        ask: i64,
    },
    /// Two at one place.
    #[error("two quotes have one price")]
    TwoAtOne,
    /// More than can be counted.
    #[error("quotes of 2^63 units or more")]
    TooLarge,
}

/// What all bids and what all asks (price, that of an ask negative, and quantity) come to, unsigned.
///
/// # Errors
///
/// A quote is not positive, off tick or lot, beside another one at its price, or meets one of the
/// other side.
pub fn ladder_sums(quotes: &[(At, i64)], tick: i64, lot: i64) -> Result<[i64; 2], Unsound> {
    let (mut bought, mut sold) = (0_i64, 0_i64);
    let (mut bid, mut ask) = (0, i64::MAX);
    for (at, quantity) in quotes.iter().copied() {
        let px = at.abs();
        if px == 0 || px % tick != 0 || quantity <= 0 || quantity % lot != 0 {
            let side = if at < 0 { "sell" } else { "buy" };
            return Err(Unsound::OffGrid {
                side,
                quantity,
                px,
                lot,
                tick,
            });
        }
        let sum = if at > 0 {
            bid = bid.max(px);
            &mut bought
        } else {
            ask = ask.min(px);
            &mut sold
        };
        *sum = sum.checked_add(quantity).ok_or(Unsound::TooLarge)?;
    }
    if bid >= ask {
        return Err(Unsound::Meets { bid, ask });
    }
    let mut places: Vec<At> = quotes.iter().map(|(at, _)| *at).collect();
    places.sort_unstable();
    if places.windows(2).any(|pair| pair[0] == pair[1]) {
        return Err(Unsound::TwoAtOne);
    }
    Ok([bought, sold])
}

/// The grid that all prices and quantities of some orders lie on, and the least of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Grid {
    /// The largest price of which each is a multiple.
    pub px: i64,
    /// The largest quantity of which each is a multiple.
    pub quantity: i64,
    /// The smallest price times quantity.
    pub least: i64,
}

/// Limit orders of one wake-up, added up.
#[derive(Debug, Default)]
pub struct Sums {
    /// What each sleeve's orders buy and sell, unsigned.
    pub sides: BTreeMap<Key, [i64; 2]>,
    /// What all orders in an instrument lie on.
    pub grids: BTreeMap<InstrumentIdx, Grid>,
}

impl Sums {
    /// Adds an order: its price and whole quantity. `None` where one is not positive, or too
    /// large to be counted.
    pub fn add(&mut self, instrument: InstrumentIdx, px: i64, quantity: i64) -> Option<()> {
        if px <= 0 || quantity <= 0 {
            return None;
        }
        let least = px.checked_mul(quantity)?;
        let grid = self.grids.entry(instrument).or_insert(Grid {
            px,
            quantity,
            least,
        });
        *grid = Grid {
            px: gcd(grid.px, px),
            quantity: gcd(grid.quantity, quantity),
            least: grid.least.min(least),
        };
        Some(())
    }

    /// Adds a sleeve's signed part of an order. `None` where it is too large to be counted.
    pub fn add_part(&mut self, key: Key, quantity: i64) -> Option<()> {
        let [bought, sold] = self.sides.entry(key).or_default();
        let side = if quantity > 0 { bought } else { sold };
        *side = side.checked_add(quantity.checked_abs()?)?;
        Some(())
    }
}

fn gcd(a: i64, b: i64) -> i64 {
    let (mut a, mut b) = (a, b);
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
