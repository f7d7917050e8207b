use memchr::memchr;

use crate::{LineError, WireError};

/// Turns one line at a time into columns.
pub trait LineDecoder {
    /// Decodes one line, without its line end; `number` counts from 1.
    ///
    /// # Errors
    /// When the line is not what the venue sends.
    fn line(&mut self, number: u64, line: &[u8]) -> Result<(), WireError>;
}

/// Longest line: a hundred times a snapshot of 1000 levels a side.
const LONGEST: usize = 1 << 24;

/// Splits text into lines as it comes and decodes each.
///
/// Memory is bounded by one call's text and the longest line: a line cut by a call's end is
/// kept for the next one, and the owner takes the decoder's columns whenever it likes.
pub struct Lines<D> {
    decoder: D,
    cut: Vec<u8>,
    count: u64,
}

impl<D: LineDecoder> Lines<D> {
    /// A reader at the start of its file.
    #[must_use]
    pub fn new(decoder: D) -> Self {
        Self {
            decoder,
            cut: Vec::new(),
            count: 0,
        }
    }

    /// Decodes the lines that the text completes; returns the lines read so far.
    ///
    /// # Errors
    /// When a line cannot be decoded.
    pub fn feed(&mut self, text: &[u8]) -> Result<u64, LineError> {
        let mut rest = text;
        while let Some(length) = memchr(b'\n', rest) {
            if self.cut.is_empty() {
                self.decode(&rest[..length])?;
            } else {
                let mut line = std::mem::take(&mut self.cut);
                line.extend_from_slice(&rest[..length]);
                self.decode(&line)?;
            }
            rest = &rest[length + 1..];
        }
        if self.cut.len() + rest.len() > LONGEST {
            return Err(LineError {
                line: self.count + 1,
                error: WireError::TooLong(LONGEST),
            });
        }
        self.cut.extend_from_slice(rest);
        Ok(self.count)
    }

    /// Decodes a last line without line end; returns the lines read.
    ///
    /// # Errors
    /// When it cannot be decoded, or there was no line at all.
    pub fn finish(&mut self) -> Result<u64, LineError> {
        let rest = std::mem::take(&mut self.cut);
        if !rest.is_empty() {
            self.decode(&rest)?;
        }
        if self.count == 0 {
            return Err(LineError {
                line: 1,
                error: WireError::Empty,
            });
        }
        Ok(self.count)
    }

    /// What has the columns and the counts.
    pub fn decoder(&mut self) -> &mut D {
        &mut self.decoder
    }

    /// What has the columns and the counts, once all was read.
    #[cfg(test)]
    pub(crate) fn into_decoder(self) -> D {
        self.decoder
    }

    fn decode(&mut self, line: &[u8]) -> Result<(), LineError> {
        let line = line.strip_suffix(b"\r").unwrap_or(line);
        self.count += 1;
        if line.is_empty() {
            return Ok(());
        }
        let done = self.decoder.line(self.count, line);
        done.map_err(|error| LineError {
            line: self.count,
            error,
        })
    }
}
