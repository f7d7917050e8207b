use thiserror::Error;

/// What can be wrong with a feature specification or a saved state.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[non_exhaustive]
pub enum FeatureError {
    /// The registry has no such operator.
    #[error("feature {feature}: unknown operator {operator:?}; known: {known}")]
    UnknownOperator {
        /// The feature as named in its spec.
        feature: String,
        /// The operator asked for.
        operator: String,
        /// All operators of the registry.
        known: String,
    },
    /// A parameter is missing, of the wrong type, out of range or unknown.
    #[error("feature {feature}: parameter {param:?} expected {expected}, was {found}")]
    BadParam {
        /// The feature as named in its spec.
        feature: String,
        /// The parameter.
        param: String,
        /// What would have been right.
        expected: String,
        /// What was there.
        found: String,
    },
    /// Two features have one name.
    #[error("feature {0} is named twice")]
    Duplicate(String),
    /// Saved state does not belong to these specs.
    #[error("saved feature state does not fit these features: build it again from the tape")]
    BadState,
}
