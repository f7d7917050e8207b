use crate::error::excerpt;
use crate::WireError;

/// Why text is not an integer on a grid.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Fault {
    NotANumber,
    OffGrid,
    TooLarge,
}

impl Fault {
    pub(crate) fn of(self, field: &'static str, found: &[u8], exp: u8) -> WireError {
        match self {
            Self::NotANumber => WireError::field(field, "a decimal number", found),
            Self::TooLarge => WireError::field(field, "a number that fits the grid", found),
            Self::OffGrid => WireError::OffGrid {
                field,
                found: excerpt(found),
                exp,
            },
        }
    }
}

/// Digits that always fit an `i64`; a whole number of one more (ns) fits if it did not wrap.
const MOST_DIGITS: usize = 18;

/// Reads a decimal number at the start of `buf` as an integer of `10^-exp`.
///
/// Returns the integer and the bytes read; what follows is the caller's to judge.
/// Trailing zeros beyond the grid are harmless.
#[inline(always)]
#[allow(clippy::inline_always)] // a fifth of the time per row is the call
pub(crate) fn decimal_prefix(buf: &[u8], exp: u8) -> Result<(i64, usize), Fault> {
    let negative = buf.first() == Some(&b'-');
    let whole_from = usize::from(negative);
    let (mut value, mut at) = digits(buf, whole_from);
    let whole = at - whole_from;
    if whole == 0 {
        return Err(Fault::NotANumber);
    }
    let exp = usize::from(exp);
    let is_whole_ns = exp == 0 && whole == MOST_DIGITS + 1 && value >= 0;
    if whole + exp > MOST_DIGITS && !is_whole_ns {
        return Err(Fault::TooLarge);
    }
    let mut decimals = 0;
    if buf.get(at) == Some(&b'.') {
        at += 1;
        let from = at;
        while let Some(digit) = digit(buf, at) {
            if decimals < exp {
                value = value.wrapping_mul(10).wrapping_add(digit);
                decimals += 1;
            } else if digit != 0 {
                return Err(Fault::OffGrid);
            }
            at += 1;
        }
        if at == from {
            return Err(Fault::NotANumber);
        }
    }
    value *= POW10[exp - decimals];
    Ok((if negative { -value } else { value }, at))
}

/// Reads the whole of `text` as an integer of `10^-exp`.
#[inline]
pub(crate) fn decimal(text: &[u8], exp: u8) -> Result<i64, Fault> {
    match decimal_prefix(text, exp)? {
        (value, length) if length == text.len() => Ok(value),
        _ => Err(Fault::NotANumber),
    }
}

const POW10: [i64; MOST_DIGITS + 1] = {
    let mut table = [1_i64; MOST_DIGITS + 1];
    let mut i = 1;
    while i <= MOST_DIGITS {
        table[i] = table[i - 1] * 10;
        i += 1;
    }
    table
};

/// Reads digits from `at` on, eight at a time; the number wraps if there are too many.
#[inline(always)]
#[allow(clippy::inline_always)] // a fifth of the time per row is the call
fn digits(buf: &[u8], mut at: usize) -> (i64, usize) {
    let mut value = 0_i64;
    while let Some(eight) = buf.get(at..).and_then(<[u8]>::first_chunk::<8>) {
        let Some(number) = eight_digits(u64::from_le_bytes(*eight)) else {
            break;
        };
        value = value.wrapping_mul(100_000_000).wrapping_add(number);
        at += 8;
    }
    while let Some(digit) = digit(buf, at) {
        value = value.wrapping_mul(10).wrapping_add(digit);
        at += 1;
    }
    (value, at)
}

/// Eight ASCII digits, the first in the lowest byte, as a number; `None` if any is none.
///
/// Neighbours are joined in parallel: bytes to pairs, pairs to fours, fours to the whole.
#[inline]
fn eight_digits(text: u64) -> Option<i64> {
    const HIGH: u64 = 0xF0F0_F0F0_F0F0_F0F0;
    const ZEROS: u64 = 0x3030_3030_3030_3030;
    let past_nine = text.wrapping_add(0x0606_0606_0606_0606) & HIGH;
    if text & HIGH != ZEROS || past_nine != ZEROS {
        return None;
    }
    let ones = text ^ ZEROS;
    let pairs = ones.wrapping_mul(10).wrapping_add(ones >> 8) & 0x00FF_00FF_00FF_00FF;
    let fours = pairs.wrapping_mul(100).wrapping_add(pairs >> 16) & 0x0000_FFFF_0000_FFFF;
    let whole = fours.wrapping_mul(10_000).wrapping_add(fours >> 32) & 0xFFFF_FFFF;
    i64::try_from(whole).ok()
}

#[inline]
fn digit(buf: &[u8], at: usize) -> Option<i64> {
    let d = buf.get(at)?.wrapping_sub(b'0');
    (d < 10).then_some(i64::from(d))
}

#[cfg(test)]
mod tests {
    use super::*;
    use cq_types::Grid;
    use proptest::prelude::*;

    #[test]
    fn a_decimal_is_read_exactly_or_refused() {
        assert_eq!(decimal(b"61700.10", 1), Ok(617_001));
        assert_eq!(decimal(b"-0.00002754", 8), Ok(-2_754));
        assert_eq!(decimal(b"28165.47000000", 2), Ok(2_816_547));
        assert_eq!(decimal(b"5", 3), Ok(5_000));
        assert_eq!(decimal(b"9223372036854775807", 0), Ok(i64::MAX));
        assert_eq!(decimal(b"9223372036854775808", 0), Err(Fault::TooLarge));
        assert_eq!(decimal(b"61700.15", 1), Err(Fault::OffGrid));
        assert_eq!(decimal(b"9999999999999.0", 8), Err(Fault::TooLarge));
        for bad in ["", "-", ".5", "5.", "1e3", "1.2.3", "0x1", " 1", "1 "] {
            assert_eq!(decimal(bad.as_bytes(), 4), Err(Fault::NotANumber), "{bad}");
        }
    }

    proptest! {
        #[test]
        fn eight_bytes_are_a_number_exactly_when_all_are_digits(bytes in any::<[u8; 8]>(), number in 0..100_000_000_i64) {
            let text = format!("{number:08}");
            let digits: [u8; 8] = text.as_bytes().try_into().unwrap();
            prop_assert_eq!(eight_digits(u64::from_le_bytes(digits)), Some(number));
            let all = bytes.iter().all(u8::is_ascii_digit);
            prop_assert_eq!(eight_digits(u64::from_le_bytes(bytes)).is_some(), all);
            for at in 0..8 {
                let mut odd = digits;
                odd[at] = bytes[at];
                let is_digit = bytes[at].is_ascii_digit();
                prop_assert_eq!(eight_digits(u64::from_le_bytes(odd)).is_some(), is_digit);
            }
        }

        #[test]
        fn decimal_agrees_with_the_exact_grid(text in "-?[0-9]{1,7}(\\.[0-9]{1,9})?") {
            let grid = Grid { price_exp: 5, qty_exp: 0 };
            let exact = grid.parse_px(&text).ok().map(|px| px.0);
            prop_assert_eq!(decimal(text.as_bytes(), 5).ok(), exact);
        }
    }
}
