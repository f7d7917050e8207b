use thiserror::Error;

/// What can be wrong with bytes that claim to be a venue's.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum WireError {
    /// The text is not the JSON it should be.
    #[error("broken JSON: expected {expected} at byte {at}")]
    Json {
        /// What would have been right.
        expected: &'static str,
        /// Offset in the frame.
        at: usize,
    },
    /// A frame or row lacks what it needs.
    #[error("{frame} without {field:?}")]
    Missing {
        /// Kind of frame.
        frame: &'static str,
        /// Name of the field.
        field: &'static str,
    },
    /// A field is not what it should be.
    #[error("{field}: expected {expected}, was {found:?}")]
    Field {
        /// Name of the field.
        field: &'static str,
        /// What would have been right.
        expected: &'static str,
        /// The text as found, cut to a readable length.
        found: String,
    },
    /// A value has more decimals than the instrument's grid.
    #[error("{field}: {found:?} has more than {exp} decimals, the instrument's grid")]
    OffGrid {
        /// Name of the field.
        field: &'static str,
        /// The text as found.
        found: String,
        /// Decimals of the grid.
        exp: u8,
    },
    /// Frames of another instrument than the one asked for.
    #[error("expected symbol {expected}, was {found}")]
    Symbol {
        /// The symbol asked for.
        expected: String,
        /// The symbol found.
        found: String,
    },
    /// The compressed stream is corrupt, or ends too early.
    #[error("corrupt or truncated compressed data ({0})")]
    Inflate(String),
    /// A line that no venue sends.
    #[error("a line of more than {0} bytes: no venue sends one")]
    TooLong(usize),
    /// There was no row at all.
    #[error("no data in it")]
    Empty,
    /// Updates are missing between two messages of a book.
    #[error(
        "updates are missing: expected one that follows {expected}, was one that follows {found}"
    )]
    Gap {
        /// Id of the last update applied.
        expected: i64,
        /// Id of the update before the one that came.
        found: i64,
    },
}

impl WireError {
    /// Whether the book must be invalidated and built again from a snapshot.
    #[must_use]
    pub const fn needs_resync(&self) -> bool {
        matches!(self, Self::Gap { .. })
    }

    pub(crate) fn field(field: &'static str, expected: &'static str, found: &[u8]) -> Self {
        Self::Field {
            field,
            expected,
            found: excerpt(found),
        }
    }
}

/// A [`WireError`] and the line it was found on, counted from 1.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("line {line}: {error}")]
pub struct LineError {
    /// Line number, from 1.
    pub line: u64,
    /// What is wrong with it.
    #[source]
    pub error: WireError,
}

/// Bytes as text that fits on one line of a message.
pub(crate) fn excerpt(bytes: &[u8]) -> String {
    const MOST: usize = 40;
    let cut = &bytes[..bytes.len().min(MOST)];
    let mut text = String::from_utf8_lossy(cut).into_owned();
    if bytes.len() > MOST {
        text.push('…');
    }
    text
}
