use cq_types::Qty;

use crate::{LedgerError, SleeveIdx};

/// Signed part of a traded quantity that belongs to a sleeve.
pub type Allocation = (SleeveIdx, Qty);

/// Parts of one partial fill, from the parts of its order.
///
/// `filled` of the order's `|Σ parts|` was traded before and `qty` (unsigned) is traded now.
/// Each sleeve has its fair share of what is filled in total, to the nearest grid unit, the
/// last one the remainder: the parts add up to each fill and, at the end, to the order.
///
/// # Errors
/// When the order nets to nothing, or more would be filled than it asked for.
pub fn prorate(
    order: &[Allocation],
    filled: Qty,
    qty: Qty,
) -> Result<Vec<Allocation>, LedgerError> {
    let bad = |text: &str| LedgerError::BadAllocation(text.to_owned());
    let net: i128 = order.iter().map(|(_, q)| i128::from(q.0)).sum();
    let (total, before) = (net.abs(), i128::from(filled.0));
    let after = before + i128::from(qty.0);
    if net == 0 {
        return Err(bad("the order nets to nothing"));
    }
    if before < 0 || qty.0 < 0 || after > total {
        return Err(bad("more was filled than ordered"));
    }
    let share = |part: i128, done: i128| (2 * part * done + total).div_euclid(2 * total);
    let mut rest = net.signum() * i128::from(qty.0);
    let last = order.len() - 1;
    order
        .iter()
        .enumerate()
        .map(|(i, &(sleeve, part))| {
            let part = i128::from(part.0);
            let mine = if i == last {
                rest
            } else {
                share(part, after) - share(part, before)
            };
            rest -= mine;
            let mine = i64::try_from(mine).map_err(|_| LedgerError::Overflow("quantity"))?;
            Ok((sleeve, Qty(mine)))
        })
        .collect()
}
