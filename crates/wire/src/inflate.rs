use std::io::Write;

use flate2::write::MultiGzDecoder;

use crate::WireError;

/// How the bytes handed in are compressed.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Codec {
    /// Not at all.
    Plain,
    /// gzip, one member or several.
    Gzip,
}

/// Streaming decompression into a buffer that its owner empties.
pub(crate) enum Inflater {
    Plain(Vec<u8>),
    Gzip(Box<MultiGzDecoder<Vec<u8>>>),
}

impl Inflater {
    pub(crate) fn new(codec: Codec) -> Self {
        match codec {
            Codec::Plain => Self::Plain(Vec::new()),
            Codec::Gzip => Self::Gzip(Box::new(MultiGzDecoder::new(Vec::new()))),
        }
    }

    pub(crate) fn feed(&mut self, bytes: &[u8]) -> Result<(), WireError> {
        let written = match self {
            Self::Plain(out) => {
                out.extend_from_slice(bytes);
                Ok(())
            }
            Self::Gzip(gz) => gz.write_all(bytes),
        };
        written.map_err(|e| WireError::Inflate(e.to_string()))
    }

    /// Checks that the stream came to its proper end.
    pub(crate) fn finish(&mut self) -> Result<(), WireError> {
        let done = match self {
            Self::Plain(_) => Ok(()),
            Self::Gzip(gz) => gz.try_finish(),
        };
        done.map_err(|e| WireError::Inflate(e.to_string()))
    }

    pub(crate) fn buffer(&mut self) -> &mut Vec<u8> {
        match self {
            Self::Plain(out) => out,
            Self::Gzip(gz) => gz.get_mut(),
        }
    }
}
