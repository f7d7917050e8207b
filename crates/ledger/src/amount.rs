use cq_types::{is_one, round_money};
use rust_decimal::Decimal;
use smallvec::SmallVec;

use crate::LedgerError;

/// Amounts stay below 10^12. With at most 16 decimals (checked at set-up) they then have at
/// most 28 digits, which a `Decimal` holds: additions of amounts are exact, never rounded.
///
/// The limit by number of decimals, in units of the last one: comparing integers costs a tenth
/// of what comparing two `Decimal`s does. With 17 decimals and more no `Decimal` reaches it.
const LIMITS: [u128; 17] = limits();

const fn limits() -> [u128; 17] {
    let mut limits = [1_000_000_000_000; 17];
    let mut decimals = 1;
    while decimals < limits.len() {
        limits[decimals] = limits[decimals - 1] * 10;
        decimals += 1;
    }
    limits
}

/// An amount that is small enough to stay exact; a zero has no sign, in print neither.
pub(crate) fn bounded(amount: Decimal) -> Result<Decimal, LedgerError> {
    let units = amount.mantissa().unsigned_abs();
    if units == 0 {
        return Ok(amount.abs());
    }
    match LIMITS.get(amount.scale() as usize) {
        Some(limit) if units >= *limit => Err(LedgerError::Overflow("amount")),
        _ => Ok(amount),
    }
}

/// Sum of two amounts.
pub(crate) fn plus(a: Decimal, b: Decimal) -> Result<Decimal, LedgerError> {
    if is_nothing(b) && !a.is_zero() {
        return bounded(a);
    }
    if let Some(sum) = sum_of_like(a, b) {
        return Ok(sum);
    }
    let Some(sum) = a.checked_add(b) else {
        return Err(LedgerError::Overflow("sum"));
    };
    bounded(sum)
}

/// Whether an amount is zero, written without decimals: what most parts of most sums are.
fn is_nothing(amount: Decimal) -> bool {
    amount.scale() == 0 && amount.is_zero()
}

/// The sum where both have as many decimals, and it is small enough: as nearly always.
fn sum_of_like(a: Decimal, b: Decimal) -> Option<Decimal> {
    let scale = a.scale();
    let limit = LIMITS.get(scale as usize)?;
    if scale != b.scale() {
        return None;
    }
    let units = a.mantissa() + b.mantissa();
    (units.unsigned_abs() < *limit).then(|| Decimal::from_i128_with_scale(units, scale))
}

/// Difference of two amounts.
pub(crate) fn minus(a: Decimal, b: Decimal) -> Result<Decimal, LedgerError> {
    plus(a, -b)
}

/// Product of an amount and a factor.
pub(crate) fn times(a: Decimal, b: Decimal) -> Result<Decimal, LedgerError> {
    if is_one(b) && !a.is_zero() {
        return bounded(a); // what is counted one for one, and most contracts' multiplier
    }
    let Some(product) = a.checked_mul(b) else {
        return Err(LedgerError::Overflow("product"));
    };
    bounded(product)
}

/// Quotient at 28 digits.
pub(crate) fn over(a: Decimal, b: Decimal) -> Result<Decimal, LedgerError> {
    let Some(quotient) = a.checked_div(b) else {
        return Err(LedgerError::Overflow("quotient"));
    };
    bounded(quotient)
}

/// Adds in place.
pub(crate) fn add_to(total: &mut Decimal, amount: Decimal) -> Result<(), LedgerError> {
    *total = plus(*total, amount)?;
    Ok(())
}

/// The part of a booked amount that belongs to `part` of `whole`, booked itself.
///
/// All of it is the amount itself, so that what is closed in full leaves nothing behind.
pub(crate) fn share(amount: Decimal, part: i64, whole: i64) -> Result<Decimal, LedgerError> {
    if part == whole {
        return Ok(amount);
    }
    if part == 0 || amount.is_zero() {
        return Ok(Decimal::ZERO);
    }
    let wide = amount
        .checked_mul(Decimal::from(part))
        .and_then(|v| v.checked_div(Decimal::from(whole)))
        .ok_or(LedgerError::Overflow("share"))?;
    bounded(round_money(wide))
}

/// Splits a booked amount by size; the last part is the remainder, so nothing is lost.
pub(crate) fn split(amount: Decimal, sizes: &[i64]) -> Result<SmallVec<[Decimal; 2]>, LedgerError> {
    let whole = sizes
        .iter()
        .try_fold(0_i64, |sum, size| sum.checked_add(*size))
        .ok_or(LedgerError::Overflow("size"))?;
    let mut rest = amount;
    let mut parts = SmallVec::new();
    for (i, size) in sizes.iter().enumerate() {
        let part = if i + 1 == sizes.len() {
            rest
        } else {
            share(amount, *size, whole)?
        };
        rest = minus(rest, part)?;
        parts.push(part);
    }
    Ok(parts)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use smallvec::smallvec;

    use super::*;

    fn d(text: &str) -> Decimal {
        text.parse().unwrap()
    }

    #[test]
    fn the_limit_is_ten_to_the_twelve() {
        let limit = d("1000000000000");
        assert_eq!(
            bounded(d("999999999999.9999999999999999")),
            Ok(d("999999999999.9999999999999999"))
        );
        for scale in 0..=16 {
            let mut same = limit;
            same.rescale(scale);
            assert_eq!(same.scale(), scale);
            let last = Decimal::new(1, scale);
            assert!(bounded(same).is_err() && bounded(-same).is_err());
            assert!(bounded(same - last).is_ok() && bounded(last - same).is_ok());
        }
        for scale in 17..=28 {
            let largest = Decimal::from_parts(u32::MAX, u32::MAX, u32::MAX, false, scale);
            assert!(largest < limit && bounded(largest).is_ok());
        }
        assert!(times(d("1000000"), d("1000000")).is_err());
        assert!(plus(d("999999999999"), d("1")).is_err());
        assert!(over(d("1"), Decimal::ZERO).is_err());
        assert_eq!(minus(d("0.0"), d("0.0")).unwrap().to_string(), "0.0");
    }

    fn mantissa() -> impl Strategy<Value = i64> {
        prop_oneof![any::<i64>(), -1_000_i64..1_000, Just(0)]
    }

    proptest! {
        #[test]
        fn a_sum_and_a_product_are_those_of_decimals_to_the_last_zero(
            (a, b) in ((mantissa(), 0_u32..=18), (mantissa(), 0_u32..=18)),
            is_like in any::<bool>(),
            other in 0..4,
        ) {
            let scale = if is_like { a.1 } else { b.1 };
            let a = Decimal::new(a.0, a.1);
            let b = match other {
                0 => -a,
                1 => Decimal::new(0, b.1),
                2 => -Decimal::ZERO,
                _ => Decimal::new(b.0, scale),
            };
            let same = |got: Result<Decimal, LedgerError>, of: Option<Decimal>| {
                let expected = of.and_then(|all| bounded(all).ok());
                prop_assert_eq!(got.ok().map(|all| all.serialize()), expected.map(|all| all.serialize()));
                Ok(())
            };
            same(plus(a, b), a.checked_add(b))?;
            same(minus(a, b), a.checked_sub(b))?;
            same(times(a, b), a.checked_mul(b))?;
            let one = Decimal::ONE;
            same(times(a, one), a.checked_mul(one))?;
            same(times(one, a), one.checked_mul(a))?;
        }
    }

    #[test]
    fn a_share_is_booked_half_to_even() {
        assert_eq!(share(d("0.00000001"), 1, 2), Ok(d("0")));
        assert_eq!(share(d("0.00000003"), 1, 2), Ok(d("0.00000002")));
        assert_eq!(share(d("-0.00000003"), 1, 2), Ok(d("-0.00000002")));
        assert_eq!(share(d("1"), 1, 3), Ok(d("0.33333333")));
        assert_eq!(share(d("2"), 1, 3), Ok(d("0.66666667")));
    }

    #[test]
    fn the_last_part_of_a_split_is_the_remainder() {
        assert_eq!(
            split(d("1"), &[1, 1, 1]),
            Ok(smallvec![d("0.33333333"), d("0.33333333"), d("0.33333334")])
        );
        assert_eq!(
            split(d("0.00000001"), &[3, 1]),
            Ok(smallvec![d("0.00000001"), d("0")])
        );
        assert_eq!(
            split(d("-0.00000001"), &[1, 1]),
            Ok(smallvec![d("0"), d("-0.00000001")])
        );
        assert_eq!(split(d("5"), &[7]), Ok(smallvec![d("5")]));
    }
}
