use thiserror::Error;

/// What can be wrong with a value on its way onto a grid.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum TypeError {
    /// The text is not a decimal number.
    #[error("expected a decimal number, was {0:?}")]
    NotANumber(String),
    /// The value has more decimals than the grid.
    #[error("{text:?} has more than {exp} decimals")]
    OffGrid {
        /// The text as found.
        text: String,
        /// Decimals of the grid.
        exp: u8,
    },
    /// The value does not fit the integer.
    #[error("{0:?} is too large for the grid")]
    TooLarge(String),
}
