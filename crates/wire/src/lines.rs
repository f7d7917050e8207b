use cq_types::Grid;
use memchr::memchr;

use crate::{Batch, LineError, Stats, WireError};

/// Turns one line at a time into columns.
pub trait LineDecoder {
    /// Decodes one line, without its line end.
    ///
    /// # Errors
    /// When the line is not what the venue sends.
    fn line(&mut self, line: &[u8]) -> Result<(), WireError>;

    /// Columns and counts so far.
    fn state(&mut self) -> (&mut Batch, &mut Stats);

    /// Grid of the columns held: quantities may have needed a finer one than asked for.
    fn grid(&self) -> Grid;
}

/// Longest line: a hundred times a snapshot of 1000 levels a side.
const LONGEST: usize = 1 << 24;

/// Splits text into lines as it comes and decodes each.
///
/// Memory is bounded by one call's text and the longest line: a line cut by a call's end is
/// kept for the next one, and the owner takes the columns whenever it likes.
pub struct Lines<D> {
    decoder: D,
    cut: Vec<u8>,
}

impl<D: LineDecoder> Lines<D> {
    /// A reader at the start of its file.
    #[must_use]
    pub fn new(decoder: D) -> Self {
        Self {
            decoder,
            cut: Vec::new(),
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
                decode(&mut self.decoder, &rest[..length])?;
            } else {
                self.cut.extend_from_slice(&rest[..length]);
                decode(&mut self.decoder, &self.cut)?;
                self.cut.clear();
            }
            rest = &rest[length + 1..];
        }
        if self.cut.len() + rest.len() > LONGEST {
            return Err(LineError {
                line: self.decoder.state().1.lines + 1,
                error: WireError::TooLong(LONGEST),
            });
        }
        self.cut.extend_from_slice(rest);
        Ok(self.decoder.state().1.lines)
    }

    /// Decodes a last line without line end.
    ///
    /// # Errors
    /// When it cannot be decoded, or there was no line at all.
    pub fn finish(&mut self) -> Result<(), LineError> {
        let rest = std::mem::take(&mut self.cut);
        if !rest.is_empty() {
            decode(&mut self.decoder, &rest)?;
        }
        if self.decoder.state().1.lines == 0 {
            return Err(LineError {
                line: 1,
                error: WireError::Empty,
            });
        }
        Ok(())
    }

    /// Takes the columns decoded since the last call.
    pub fn take(&mut self) -> Batch {
        self.decoder.state().0.take()
    }

    /// Grid of the columns that [`Lines::take`] gives next.
    #[must_use]
    pub fn grid(&self) -> Grid {
        self.decoder.grid()
    }

    /// What was counted so far.
    pub fn stats(&mut self) -> &Stats {
        self.decoder.state().1
    }
}

fn decode<D: LineDecoder>(decoder: &mut D, line: &[u8]) -> Result<(), LineError> {
    let line = line.strip_suffix(b"\r").unwrap_or(line);
    decoder.state().1.lines += 1;
    if line.is_empty() {
        return Ok(());
    }
    decoder.line(line).map_err(|error| LineError {
        line: decoder.state().1.lines,
        error,
    })
}
