use crate::decimal::{decimal_prefix, Fault};
use crate::widen::Quantities;
use crate::WireError;

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

    /// A quantity on the grid of its table, which becomes the finest if it must.
    #[inline]
    pub(crate) fn quantity(&mut self, table: &mut impl Quantities) -> Result<i64, WireError> {
        const FIELD: &str = "quantity";
        let from = self.at;
        match self.number(FIELD, table.qty_exp()) {
            Err(WireError::OffGrid { .. }) if table.widen() => {
                self.at = from;
                self.number(FIELD, table.qty_exp())
            }
            done => done,
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
}
