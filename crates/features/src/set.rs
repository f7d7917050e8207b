use cq_book::Book;
use cq_types::{flags, Event, Instrument, InstrumentIdx, Market, Qty, Side, Ts};

use crate::args::Built;
use crate::feed::{Admitted, Guard, Routes};
use crate::operator::{Input, OnGap, Operator, Topic};
use crate::state::{State, Words};
use crate::{registry, FeatureError, FeatureSpec, Source};

/// Features of one run, in the order of their specs.
pub struct FeatureSet {
    specs: Vec<FeatureSpec>,
    sources: Vec<Source>,
    series: Vec<String>,
    entries: Vec<Entry>,
    routes: Routes,
    guard: Guard,
}

struct Entry {
    operator: Box<dyn Operator>,
    topics: Vec<Topic>,
    on_gap: OnGap,
}

impl FeatureSet {
    /// Builds the features of `specs` over a run's instruments and outside series.
    ///
    /// A series that the run lacks gives a column of NaN; an instrument that it lacks is
    /// an error.
    ///
    /// # Errors
    /// When a name repeats, an operator is unknown or a parameter is wrong.
    pub fn new(
        specs: &[FeatureSpec],
        instruments: &[Instrument],
        series: &[String],
    ) -> Result<Self, FeatureError> {
        let sources = instruments.iter().map(Source::from).collect();
        Self::with_sources(specs.to_vec(), sources, series.to_vec())
    }

    /// As [`Self::new`], from what features need of the instruments.
    ///
    /// # Errors
    /// As [`Self::new`].
    pub fn with_sources(
        specs: Vec<FeatureSpec>,
        sources: Vec<Source>,
        series: Vec<String>,
    ) -> Result<Self, FeatureError> {
        let mut routes = Routes::new(sources.len(), series.len());
        let mut entries = Vec::with_capacity(specs.len());
        for (index, spec) in specs.iter().enumerate() {
            if specs[..index].iter().any(|other| other.name == spec.name) {
                return Err(FeatureError::Duplicate(spec.name.clone()));
            }
            let Built {
                operator,
                topics,
                on_gap,
            } = registry::build(spec, &sources, &series)?;
            for (slot, topic) in topics.iter().enumerate() {
                routes.add(*topic, index, slot);
            }
            entries.push(Entry {
                operator,
                topics,
                on_gap,
            });
        }
        let guard = Guard::new(sources.len());
        Ok(Self {
            specs,
            sources,
            series,
            entries,
            routes,
            guard,
        })
    }

    /// Takes the next event of the tape, in `ts_recv` order.
    ///
    /// `book` is the instrument's book after this event, where the run keeps one; book
    /// features look at it when a frame is complete.
    pub fn on_market(&mut self, event: &Event<Market>, book: Option<&Book>) {
        match event.body {
            Market::Gap => return self.on_gap(event.instrument),
            Market::Trade { qty, side, .. } if event.flags & flags::NOT_MARKET == 0 => {
                return self.on_trade(event.instrument, event.ts_recv, (qty, side));
            }
            _ => {}
        }
        match self.guard.admit(event, book, &self.sources) {
            Admitted::Heard(topic, input) => self.update(topic, &input),
            Admitted::BookLost => {
                self.reset_where(|topic| topic == Topic::Book(event.instrument));
            }
            Admitted::Nothing => {}
        }
    }

    /// Whether a feature listens to the trades of an instrument.
    #[must_use]
    pub fn hears_trades(&self, instrument: InstrumentIdx) -> bool {
        !self.routes.of(Topic::Trades(instrument)).is_empty()
    }

    /// Takes a trade of the market: when it was known, its quantity and aggressor.
    pub fn on_trade(&mut self, instrument: InstrumentIdx, ts: Ts, (qty, side): (Qty, Side)) {
        self.guard.pass(ts);
        let Some(source) = self.sources.get(usize::from(instrument)) else {
            return;
        };
        let signed = source.grid.quantity_f64(qty) * side.sign() as f64;
        self.update(Topic::Trades(instrument), &Input::Trade { ts, signed });
    }

    /// Takes note that something became known that no feature listens to.
    pub fn pass(&mut self, ts: Ts) {
        self.guard.pass(ts);
    }

    fn update(&mut self, topic: Topic, input: &Input<'_>) {
        for &(index, slot) in self.routes.of(topic) {
            self.entries[index].operator.update(slot, input);
        }
    }

    /// Resets the operators of an instrument that declare it; the others go on.
    pub fn on_gap(&mut self, instrument: InstrumentIdx) {
        self.reset_where(|topic| match topic {
            Topic::Bars(i, _)
            | Topic::Trades(i)
            | Topic::Book(i)
            | Topic::Quotes(i)
            | Topic::Funding(i) => i == instrument,
            Topic::External(_) => false,
        });
    }

    fn reset_where(&mut self, hit: impl Fn(Topic) -> bool) {
        for (entry, spec) in self.entries.iter_mut().zip(&self.specs) {
            let resets = entry.on_gap == OnGap::Reset && entry.topics.iter().any(|t| hit(*t));
            if !resets {
                continue;
            }
            if let Ok(built) = registry::build(spec, &self.sources, &self.series) {
                entry.operator = built.operator;
            }
        }
    }

    /// Forgets everything, as at the start of a segment.
    ///
    /// # Errors
    /// None in practice: the specs were built before.
    pub fn restart(&mut self) -> Result<(), FeatureError> {
        let (specs, sources) = (self.specs.clone(), self.sources.clone());
        *self = Self::with_sources(specs, sources, self.series.clone())?;
        Ok(())
    }

    /// Writes the values knowable at `now`, one per spec; changes nothing.
    ///
    /// All NaN when `now` lies before the newest event taken: what is known cannot be
    /// unknown again. Values beyond the length of `out` are left out.
    pub fn write(&self, now: Ts, out: &mut [f64]) {
        if self.guard.is_after(now) {
            out.fill(f64::NAN);
            return;
        }
        for (value, entry) in out.iter_mut().zip(&self.entries) {
            *value = entry.operator.value(now);
        }
    }

    /// Column names, in the order of [`Self::write`].
    pub fn names(&self) -> impl Iterator<Item = &str> + '_ {
        self.specs.iter().map(|spec| spec.name.as_str())
    }

    /// Number of features.
    #[must_use]
    pub fn len(&self) -> usize {
        self.entries.len()
    }

    /// Whether there is no feature.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.entries.is_empty()
    }

    /// Bars that did not begin where the one before them ended: holes bridged so far.
    #[must_use]
    pub fn bridged(&self) -> u64 {
        self.guard.bridged
    }

    /// Bars refused: out of order, repeated, said to be known before their end, or with a
    /// price of zero or less.
    #[must_use]
    pub fn refused(&self) -> u64 {
        self.guard.refused
    }

    /// What the set was built from.
    #[must_use]
    pub fn parts(&self) -> (&[FeatureSpec], &[Source], &[String]) {
        (&self.specs, &self.sources, &self.series)
    }

    /// The changing state as words; its length is the memory held.
    #[must_use]
    pub fn save(&self) -> Vec<u64> {
        let mut out = Vec::new();
        self.guard.save(&mut out);
        for entry in &self.entries {
            entry.operator.save(&mut out);
        }
        out
    }

    /// Puts back what [`Self::save`] gave for the same specs.
    ///
    /// # Errors
    /// When the words do not fit; the set is then as after [`Self::restart`].
    pub fn load(&mut self, words: &[u64]) -> Result<(), FeatureError> {
        let mut words = Words(words);
        if self.read(&mut words).is_some() && words.0.is_empty() {
            return Ok(());
        }
        self.restart()?;
        Err(FeatureError::BadState)
    }

    fn read(&mut self, words: &mut Words<'_>) -> Option<()> {
        self.guard.load(words)?;
        self.entries
            .iter_mut()
            .try_for_each(|entry| entry.operator.load(words))
    }
}

#[cfg(test)]
mod tests;
