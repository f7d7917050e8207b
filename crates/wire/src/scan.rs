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

/// A position in JSON text; reads what is wanted and steps over the rest.
pub(crate) struct Cursor<'a> {
    buf: &'a [u8],
    at: usize,
}

/// Deepest nesting of arrays and objects that is stepped over.
const DEEPEST: u32 = 64;

impl<'a> Cursor<'a> {
    pub(crate) fn new(buf: &'a [u8]) -> Self {
        Self { buf, at: 0 }
    }

    fn broken(&self, expected: &'static str) -> WireError {
        WireError::Json {
            expected,
            at: self.at,
        }
    }

    /// The next byte that is not white space, not consumed.
    #[inline]
    pub(crate) fn peek(&mut self) -> Option<u8> {
        while let Some(&byte) = self.buf.get(self.at) {
            if !matches!(byte, b' ' | b'\t' | b'\r' | b'\n') {
                return Some(byte);
            }
            self.at += 1;
        }
        None
    }

    #[inline]
    pub(crate) fn expect(&mut self, byte: u8, name: &'static str) -> Result<(), WireError> {
        if self.peek() == Some(byte) {
            self.at += 1;
            return Ok(());
        }
        Err(self.broken(name))
    }

    /// Consumes `byte` if it is next.
    #[inline]
    pub(crate) fn accept(&mut self, byte: u8) -> bool {
        let is_next = self.peek() == Some(byte);
        self.at += usize::from(is_next);
        is_next
    }

    /// After an element: true for a comma, false for the closing byte.
    #[inline]
    pub(crate) fn more(&mut self, close: u8) -> Result<bool, WireError> {
        match self.peek() {
            Some(b',') => {
                self.at += 1;
                Ok(true)
            }
            Some(byte) if byte == close => {
                self.at += 1;
                Ok(false)
            }
            _ => Err(self.broken("a comma or a closing bracket")),
        }
    }

    /// A quoted string's inside, escapes left as they are.
    #[inline]
    pub(crate) fn string(&mut self) -> Result<&'a [u8], WireError> {
        self.expect(b'"', "a string")?;
        let from = self.at;
        loop {
            match self.buf.get(self.at) {
                Some(b'"') => {
                    self.at += 1;
                    return Ok(&self.buf[from..self.at - 1]);
                }
                Some(b'\\') => self.at += 2,
                Some(byte) if *byte >= b' ' => self.at += 1,
                _ => return Err(self.broken("the end of a string")),
            }
        }
    }

    /// An object key and its colon.
    #[inline]
    pub(crate) fn key(&mut self) -> Result<&'a [u8], WireError> {
        let key = self.string()?;
        self.expect(b':', "a colon")?;
        Ok(key)
    }

    /// A value's text: a string's inside, or a scalar, array or object as written.
    #[inline]
    pub(crate) fn value(&mut self) -> Result<&'a [u8], WireError> {
        match self.peek() {
            Some(b'"') => self.string(),
            Some(b'[' | b'{') => self.nested(),
            _ => self.scalar(),
        }
    }

    /// A quoted or bare decimal number on a grid.
    #[inline(always)]
    #[allow(clippy::inline_always)] // a fifth of the time per row is the call
    pub(crate) fn number(&mut self, field: &'static str, exp: u8) -> Result<i64, WireError> {
        let quoted = self.accept(b'"');
        let rest = &self.buf[self.at.min(self.buf.len())..];
        match decimal_prefix(rest, exp) {
            Ok((value, length)) => {
                self.at += length;
                if quoted {
                    if self.buf.get(self.at) != Some(&b'"') {
                        return Err(Fault::NotANumber.of(field, head(rest), exp));
                    }
                    self.at += 1;
                }
                Ok(value)
            }
            Err(fault) => Err(fault.of(field, head(rest), exp)),
        }
    }

    /// Nothing but white space may be left.
    pub(crate) fn end(&mut self) -> Result<(), WireError> {
        match self.peek() {
            None => Ok(()),
            Some(_) => Err(self.broken("the end of the frame")),
        }
    }

    fn scalar(&mut self) -> Result<&'a [u8], WireError> {
        let from = self.at;
        while let Some(b'-' | b'+' | b'.' | b'0'..=b'9' | b'a'..=b'z' | b'E') =
            self.buf.get(self.at)
        {
            self.at += 1;
        }
        let text = &self.buf[from..self.at];
        let is_word = matches!(text, b"true" | b"false" | b"null");
        let is_number = text.iter().any(u8::is_ascii_digit)
            && text.iter().all(|b| !b.is_ascii_lowercase() || *b == b'e');
        if is_word || is_number {
            return Ok(text);
        }
        self.at = from;
        Err(self.broken("a value"))
    }

    /// Steps over an array or object, checking that its brackets match.
    fn nested(&mut self) -> Result<&'a [u8], WireError> {
        let from = self.at;
        let (mut depth, mut objects) = (0_u32, 0_u64);
        loop {
            match self.peek() {
                Some(byte @ (b'[' | b'{')) if depth < DEEPEST => {
                    objects = (objects << 1) | u64::from(byte == b'{');
                    depth += 1;
                    self.at += 1;
                }
                Some(byte @ (b']' | b'}')) if (byte == b'}') == (objects & 1 == 1) => {
                    objects >>= 1;
                    depth -= 1;
                    self.at += 1;
                    if depth == 0 {
                        return Ok(&self.buf[from..self.at]);
                    }
                }
                Some(b'"') => {
                    self.string()?;
                }
                Some(b',' | b':') => self.at += 1,
                Some(b'[' | b'{' | b']' | b'}') | None => {
                    return Err(self.broken("matching brackets"));
                }
                Some(_) => {
                    self.scalar()?;
                }
            }
        }
    }
}

/// The text up to the next delimiter, for messages.
fn head(rest: &[u8]) -> &[u8] {
    let end = rest
        .iter()
        .position(|b| matches!(b, b'"' | b',' | b']' | b'}' | b' '));
    &rest[..end.unwrap_or(rest.len())]
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

    #[test]
    fn unknown_values_are_stepped_over_and_broken_ones_refused() {
        for good in [
            r#"{"a":[1,{"b":"}]\""}],"c":{}}"#,
            "[]",
            "-1.5E+3",
            "null",
            r#""x""#,
        ] {
            let mut cursor = Cursor::new(good.as_bytes());
            cursor.value().unwrap();
            cursor.end().unwrap();
        }
        for bad in ["[1}", "{", "[", "nul", "", "\"x", "]", &"[".repeat(80)] {
            assert!(Cursor::new(bad.as_bytes()).value().is_err(), "{bad}");
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
