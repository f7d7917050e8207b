use cq_types::Grid;
use memchr::memchr;

use crate::inflate::Inflater;
use crate::{Batch, Codec, LineError, Stats, WireError};

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

/// Inflates bytes as they come, splits them into lines and decodes each.
///
/// Memory is bounded by one call's inflated bytes: a line cut by a call's end is kept
/// for the next one, and the owner takes the columns whenever it likes.
pub struct Lines<D> {
    decoder: D,
    inflater: Inflater,
}

impl<D: LineDecoder> Lines<D> {
    /// A reader at the start of its file.
    #[must_use]
    pub fn new(decoder: D, codec: Codec) -> Self {
        Self {
            decoder,
            inflater: Inflater::new(codec),
        }
    }

    /// Decodes what the bytes complete; returns the lines read so far.
    ///
    /// # Errors
    /// When the stream is corrupt or a line cannot be decoded.
    pub fn feed(&mut self, bytes: &[u8]) -> Result<u64, LineError> {
        let inflated = self.inflater.feed(bytes);
        let mut start = 0;
        let buffer = self.inflater.buffer();
        while let Some(length) = memchr(b'\n', &buffer[start..]) {
            decode(&mut self.decoder, &buffer[start..start + length])?;
            start += length + 1;
        }
        buffer.drain(..start);
        inflated.map_err(|error| self.at_next_line(error))?;
        Ok(self.decoder.state().1.lines)
    }

    /// Decodes a last line without line end and checks that the stream is whole.
    ///
    /// # Errors
    /// When the stream ends too early, the rest cannot be decoded, or nothing was there.
    pub fn finish(&mut self) -> Result<(), LineError> {
        let finished = self.inflater.finish();
        finished.map_err(|error| self.at_next_line(error))?;
        self.feed(&[])?;
        let rest = std::mem::take(self.inflater.buffer());
        if !rest.is_empty() {
            decode(&mut self.decoder, &rest)?;
        }
        if self.decoder.state().1.lines == 0 {
            return Err(self.at_next_line(WireError::Empty));
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

    fn at_next_line(&mut self, error: WireError) -> LineError {
        LineError {
            line: self.decoder.state().1.lines + 1,
            error,
        }
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
