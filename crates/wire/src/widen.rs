//! Quantities finer than the lot: recorded as they are, on a finer grid.
//!
//! Venues print quantities off their own lot (dust left by old orders), so a decoder that
//! meets one goes on with [`FINEST_QTY_EXP`] decimals and brings the rows that it still
//! holds along. A price off its grid stays an error: the instrument is the wrong one.

use cq_types::Grid;

use crate::{Batch, WireError};

/// Most decimals that any venue sends for a quantity.
pub const FINEST_QTY_EXP: u8 = 8;

/// Names of fields that are quantities.
const QUANTITIES: [&str; 7] = [
    "quantity",
    "q",
    "B",
    "A",
    "qty",
    "best_bid_qty",
    "best_ask_qty",
];

/// Moves the grid and the rows held to the finest quantities, if that mends the error.
pub(crate) fn widen(grid: &mut Grid, batch: &mut Batch, error: &WireError) -> bool {
    let is_quantity =
        matches!(error, WireError::OffGrid { field, .. } if QUANTITIES.contains(field));
    if !is_quantity || grid.qty_exp >= FINEST_QTY_EXP {
        return false;
    }
    let by = 10_i64.pow(u32::from(FINEST_QTY_EXP - grid.qty_exp));
    let mut columns = [
        &mut batch.trades.qty,
        &mut batch.agg_trades.qty,
        &mut batch.deltas.qty,
        &mut batch.quotes.bid_qty,
        &mut batch.quotes.ask_qty,
    ];
    let all = columns.iter().flat_map(|column| column.iter());
    if all.clone().any(|qty| qty.checked_mul(by).is_none()) {
        return false;
    }
    for column in &mut columns {
        column.iter_mut().for_each(|qty| *qty *= by);
    }
    grid.qty_exp = FINEST_QTY_EXP;
    true
}
