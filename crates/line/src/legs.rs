//! Contracts in hedge mode: a long and a short position, each an instrument of the line, with one
//! tape between them.

use cq_sim::{PositionSide, Request};
use cq_types::{Contract, Instrument, InstrumentIdx};

use crate::line::bad;
use crate::LineError;

/// The legs of the contracts in hedge mode.
#[derive(Debug, Clone)]
pub(crate) struct Legs {
    pairs: Vec<[InstrumentIdx; 2]>,
    /// Whose tape each instrument lives through.
    contract: Vec<InstrumentIdx>,
    /// The short leg of each long one.
    short: Vec<Option<InstrumentIdx>>,
}

impl Legs {
    /// # Errors
    /// When a pair is not twice the same contract, but for its id, at one venue.
    pub(crate) fn new(
        instruments: &[Instrument],
        pairs: Vec<[InstrumentIdx; 2]>,
    ) -> Result<Self, LineError> {
        let mut contract: Vec<_> = (0..).take(instruments.len()).collect();
        let mut short = vec![None; instruments.len()];
        for pair in &pairs {
            let [long, other] = pair.map(usize::from);
            let (Some(a), Some(b)) = (instruments.get(long), instruments.get(other)) else {
                let expected = format!("indices below {}", instruments.len());
                return Err(bad("hedged", &expected, &format!("{pair:?}")));
            };
            let is_one =
                a.contract != Contract::Spot && a.venue() == b.venue() && a.id != b.id && {
                    let named = Instrument {
                        id: b.id.clone(),
                        ..a.clone()
                    };
                    named == *b
                };
            let is_free = |at: usize| usize::from(contract[at]) == at && short[at].is_none();
            if !is_one || !is_free(long) || !is_free(other) {
                let expected = "the two legs of one contract, each once";
                return Err(bad("hedged", expected, &format!("{} and {}", a.id, b.id)));
            }
            contract[other] = pair[0];
            short[long] = Some(pair[1]);
        }
        Ok(Self {
            pairs,
            contract,
            short,
        })
    }

    pub(crate) fn pairs(&self) -> &[[InstrumentIdx; 2]] {
        &self.pairs
    }

    /// Whose tape an instrument lives through.
    pub(crate) fn contract(&self, instrument: InstrumentIdx) -> InstrumentIdx {
        let at = self.contract.get(usize::from(instrument));
        at.copied().unwrap_or(instrument)
    }

    /// The other leg of a contract whose tape it is, in hedge mode.
    pub(crate) fn short(&self, contract: InstrumentIdx) -> Option<InstrumentIdx> {
        self.short.get(usize::from(contract)).copied().flatten()
    }

    /// The order at the leg that its position side names.
    pub(crate) fn routed(&self, mut request: Request) -> Request {
        if request.position_side == Some(PositionSide::Short) {
            let short = self.short(request.instrument);
            request.instrument = short.unwrap_or(request.instrument);
        }
        request
    }
}
