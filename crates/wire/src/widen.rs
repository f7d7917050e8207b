//! Quantities finer than the lot: recorded as they are, on a finer grid.
//!
//! Venues print quantities off their own lot (dust left by old orders), so a decoder that
//! meets one goes on with [`FINEST_QTY_EXP`] decimals in that table and brings the rows that
//! it still holds along. A price off its grid stays an error: the instrument is the wrong
//! one.

use crate::decimal::{decimal, Fault};
use crate::WireError;

/// Most decimals that any venue sends for a quantity.
pub const FINEST_QTY_EXP: u8 = 8;

/// A table whose quantities can move to the finest grid.
pub(crate) trait Quantities {
    /// Decimals of the quantities held.
    fn qty_exp(&self) -> u8;

    /// Moves them to the finest grid; false if they are on it or would not fit.
    fn widen(&mut self) -> bool;
}

/// Moves the columns of one table from `exp` to the finest grid.
pub(crate) fn finer(exp: &mut u8, columns: &mut [&mut Vec<i64>]) -> bool {
    if *exp >= FINEST_QTY_EXP {
        return false;
    }
    let by = 10_i64.pow(u32::from(FINEST_QTY_EXP - *exp));
    let mut all = columns.iter().flat_map(|column| column.iter());
    if all.any(|qty| qty.checked_mul(by).is_none()) {
        return false;
    }
    for column in columns {
        column.iter_mut().for_each(|qty| *qty *= by);
    }
    *exp = FINEST_QTY_EXP;
    true
}

/// Reads a row's quantities onto the grid of their table, which becomes the finest if one of
/// them needs it.
#[inline]
pub(crate) fn quantities<const N: usize>(
    table: &mut impl Quantities,
    texts: [(&[u8], &'static str); N],
) -> Result<[i64; N], WireError> {
    let exp = table.qty_exp();
    let mut out = [0; N];
    for (qty, (text, field)) in out.iter_mut().zip(texts) {
        match decimal(text, exp) {
            Ok(value) => *qty = value,
            Err(Fault::OffGrid) if table.widen() => return quantities(table, texts),
            Err(fault) => return Err(fault.of(field, text, exp)),
        }
    }
    Ok(out)
}
