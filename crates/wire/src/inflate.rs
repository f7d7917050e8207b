use flate2::{Crc, Decompress, FlushDecompress, Status};

use crate::WireError;

/// How the bytes handed in are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// gzip, one member or several.
    Gzip,
    /// One member of a zip archive, with what the archive's directory says of its text.
    Deflate {
        /// CRC-32 of the text.
        crc: u32,
        /// Bytes of the text.
        size: u64,
    },
}

/// Streaming decompression in bounded pieces, however much the bytes unpack to.
pub struct Inflater {
    codec: Codec,
    raw: Decompress,
    packed: Vec<u8>,
    used: usize,
    text: Vec<u8>,
    is_whole: bool,
    crc: Crc,
    size: u64,
}

/// Most text of one piece.
const PIECE: usize = 1 << 22;

impl Inflater {
    /// An inflater at the start of its stream.
    #[must_use]
    pub fn new(codec: Codec) -> Self {
        Self {
            codec,
            raw: begin(codec),
            packed: Vec::new(),
            used: 0,
            text: Vec::new(),
            is_whole: false,
            crc: Crc::new(),
            size: 0,
        }
    }

    /// Takes compressed bytes; [`Inflater::text`] gives what they unpack to.
    pub fn feed(&mut self, bytes: &[u8]) {
        self.packed.drain(..self.used);
        self.used = 0;
        self.packed.extend_from_slice(bytes);
    }

    /// The next piece of text; an empty one asks for more bytes.
    ///
    /// # Errors
    /// When the stream is corrupt.
    pub fn text(&mut self) -> Result<&[u8], WireError> {
        self.text.clear();
        self.text.reserve(PIECE);
        while self.text.len() < PIECE {
            let rest = &self.packed[self.used..];
            if self.is_whole {
                if rest.is_empty() {
                    break;
                }
                self.next_member()?;
                continue;
            }
            let before = (self.raw.total_in(), self.text.len());
            let status = self
                .raw
                .decompress_vec(rest, &mut self.text, FlushDecompress::None)
                .map_err(|e| WireError::Inflate(e.to_string()))?;
            let read = self.raw.total_in() - before.0;
            self.used += usize::try_from(read).unwrap_or(rest.len());
            self.is_whole = status == Status::StreamEnd;
            if !self.is_whole && (self.raw.total_in(), self.text.len()) == before {
                break;
            }
        }
        if let Codec::Deflate { .. } = self.codec {
            self.crc.update(&self.text);
            self.size += self.text.len() as u64;
        }
        Ok(&self.text)
    }

    /// Checks that the stream came to its proper end.
    ///
    /// # Errors
    /// When it ends too early, or is not what the archive says of it.
    pub fn finish(&self) -> Result<(), WireError> {
        let wrong = |what: &str| Err(WireError::Inflate(what.to_owned()));
        match self.codec {
            _ if !self.is_whole => wrong("it ends too early"),
            Codec::Deflate { size, .. } if size != self.size => wrong("wrong size"),
            Codec::Deflate { crc, .. } if crc != self.crc.sum() => wrong("wrong checksum"),
            _ => Ok(()),
        }
    }

    fn next_member(&mut self) -> Result<(), WireError> {
        if let Codec::Deflate { .. } = self.codec {
            return Err(WireError::Inflate("it goes on behind its end".to_owned()));
        }
        self.raw = begin(self.codec);
        self.is_whole = false;
        Ok(())
    }
}

fn begin(codec: Codec) -> Decompress {
    const WINDOW_BITS: u8 = 15;
    match codec {
        Codec::Gzip => Decompress::new_gzip(WINDOW_BITS),
        Codec::Deflate { .. } => Decompress::new(false),
    }
}
