use thiserror::Error;

/// Why numbers make no market.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
pub enum FlowError {
    /// A table of quantiles that is none.
    #[error(
        "{0}: expected at least two quantiles, finite, not negative, none below the one before"
    )]
    Quantiles(&'static str),
    /// A number out of its range.
    #[error("{name}: expected {expected}")]
    Number {
        /// Which number.
        name: &'static str,
        /// What was expected.
        expected: &'static str,
    },
}

impl FlowError {
    pub(crate) fn unless(
        is_good: bool,
        name: &'static str,
        expected: &'static str,
    ) -> Result<(), Self> {
        if is_good {
            Ok(())
        } else {
            Err(Self::Number { name, expected })
        }
    }
}
