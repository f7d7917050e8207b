use cq_features::FeatureError;
use cq_ledger::LedgerError;
use cq_sim::SimError;
use cq_types::{InstrumentIdx, Ts};
use thiserror::Error;

/// Why a line cannot be built or go on.
#[derive(Debug, Clone, PartialEq, Error)]
#[non_exhaustive]
pub enum LineError {
    /// Rows of the tape that cannot be used.
    #[error("{kind} of instrument {instrument}, row {row}: {what}")]
    BadTape {
        /// Kind of event.
        kind: &'static str,
        /// Position in the instrument list.
        instrument: InstrumentIdx,
        /// First bad row.
        row: usize,
        /// What is wrong and what to do.
        what: String,
    },
    /// An argument that does not fit.
    #[error("{what}: expected {expected}, was {found}")]
    BadArgument {
        /// Which argument.
        what: &'static str,
        /// What it must be.
        expected: String,
        /// What it was.
        found: String,
    },
    /// Something is done too late or too early.
    #[error("{0}")]
    OutOfTurn(&'static str),
    /// A setting of the simulated venue.
    #[error(transparent)]
    Sim(#[from] SimError),
    /// A feature's specification.
    #[error(transparent)]
    Feature(#[from] FeatureError),
    /// The ledger refused a part that the line is made of: no event has a part in it.
    #[error(transparent)]
    Start(LedgerError),
    /// The ledger refused a booking.
    #[error("at {ts}: {source}")]
    Ledger {
        /// Time of the line, ns.
        ts: Ts,
        /// Why.
        source: LedgerError,
    },
    /// A position was held when funding was due, and the tape does not say what was paid.
    #[error("at {ts}: {}", unpaid(instrument))]
    NoFunding {
        /// When it was due, ns.
        ts: Ts,
        /// The instrument's id.
        instrument: String,
    },
    /// Two parts that must agree do not: our defect.
    #[error("at {ts}: {what}")]
    Broken {
        /// Time of the line, ns.
        ts: Ts,
        /// Which parts.
        what: String,
    },
}

impl LineError {
    /// What it says, without the time of the line, for who has better words for that.
    #[must_use]
    pub fn what(&self) -> String {
        match self {
            Self::Ledger { source, .. } => source.to_string(),
            Self::NoFunding { instrument, .. } => unpaid(instrument),
            Self::Broken { what, .. } => what.clone(),
            _ => self.to_string(),
        }
    }
}

fn unpaid(instrument: &str) -> String {
    format!(
        "funding of {instrument} is due and a position is held, but the tape has no settled rate: \
         add the row, or end the segment before it"
    )
}
