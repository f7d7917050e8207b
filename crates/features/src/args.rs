use std::cell::RefCell;
use std::collections::BTreeSet;

use cq_types::{InstrumentIdx, Ts, NS_PER_S};

use crate::operator::{BarOperator, Freshness, OnBars, OnGap, Operator, Topic};
use crate::registry::BAR_MAX_AGE_S;
use crate::{FeatureError, FeatureSpec, Param, Source};

/// An operator ready to be fed.
pub(crate) struct Built {
    pub(crate) operator: Box<dyn Operator>,
    pub(crate) topics: Vec<Topic>,
    pub(crate) on_gap: OnGap,
}

/// A spec's parameters, read once each; what is never read is refused.
pub(crate) struct Args<'a> {
    spec: &'a FeatureSpec,
    sources: &'a [Source],
    series: &'a [String],
    read: RefCell<BTreeSet<&'a str>>,
}

impl<'a> Args<'a> {
    pub(crate) fn new(spec: &'a FeatureSpec, sources: &'a [Source], series: &'a [String]) -> Self {
        Self {
            spec,
            sources,
            series,
            read: RefCell::default(),
        }
    }

    fn get(&self, key: &str) -> Option<&'a Param> {
        let (key, value) = self.spec.params.get_key_value(key)?;
        self.read.borrow_mut().insert(key);
        Some(value)
    }

    pub(crate) fn bad(&self, param: &str, expected: impl Into<String>) -> FeatureError {
        let found = self.spec.params.get(param);
        FeatureError::BadParam {
            feature: self.spec.name.clone(),
            param: param.to_owned(),
            expected: expected.into(),
            found: found.map_or("missing".to_owned(), |value| match value {
                Param::Number(number) => number.to_string(),
                Param::Text(text) => format!("{text:?}"),
            }),
        }
    }

    /// Refuses parameters that nothing read.
    pub(crate) fn finish(&self) -> Result<(), FeatureError> {
        let read = self.read.borrow();
        let unread = self.spec.params.keys().find(|k| !read.contains(k.as_str()));
        unread.map_or(Ok(()), |key| Err(self.bad(key, "no such parameter")))
    }

    fn text(&self, key: &str) -> Result<&'a str, FeatureError> {
        match self.get(key) {
            Some(Param::Text(text)) => Ok(text),
            _ => Err(self.bad(key, "a text")),
        }
    }

    /// A whole number of at least `least`.
    pub(crate) fn whole(&self, key: &str, least: u32) -> Result<usize, FeatureError> {
        let number = match self.get(key) {
            Some(Param::Number(number)) => *number,
            _ => f64::NAN,
        };
        let in_range = number >= f64::from(least) && number <= f64::from(u32::MAX);
        if !in_range || number.fract() != 0.0 {
            return Err(self.bad(key, format!("a whole number from {least}")));
        }
        #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // checked just above
        Ok(number as usize)
    }

    /// A duration given in seconds, in ns.
    pub(crate) fn seconds(&self, key: &str) -> Result<Ts, FeatureError> {
        let seconds = self.whole(key, 1)?;
        Ts::try_from(seconds)
            .map(|s| s * NS_PER_S)
            .map_err(|_| self.bad(key, "a duration in seconds"))
    }

    /// A duration given in seconds, or a default, in ns.
    pub(crate) fn seconds_or(&self, key: &str, default: Ts) -> Result<Ts, FeatureError> {
        if self.spec.params.contains_key(key) {
            return self.seconds(key);
        }
        Ok(default * NS_PER_S)
    }

    /// The index of one of the `choices`.
    pub(crate) fn choice(&self, key: &str, choices: &[&str]) -> Result<usize, FeatureError> {
        let text = self.text(key)?;
        let found = choices.iter().position(|choice| *choice == text);
        found.ok_or_else(|| self.bad(key, format!("one of {}", choices.join(", "))))
    }

    /// The instrument that `key` names.
    pub(crate) fn instrument(&self, key: &str) -> Result<InstrumentIdx, FeatureError> {
        let id = self.text(key)?;
        let index = self.sources.iter().position(|source| source.id == id);
        index
            .and_then(|i| InstrumentIdx::try_from(i).ok())
            .ok_or_else(|| {
                let ids: Vec<_> = self.sources.iter().map(|s| s.id.as_str()).collect();
                self.bad(
                    key,
                    format!("an instrument of this run ({})", ids.join(", ")),
                )
            })
    }

    /// Bars of the instrument `bars` with the interval `interval_s`.
    pub(crate) fn bars(&self) -> Result<Topic, FeatureError> {
        Ok(Topic::Bars(self.instrument("bars")?, self.interval()?))
    }

    /// Finishes a bar operator: it reads `bars`, bridges gaps, and is missing when stale.
    pub(crate) fn on_bars(&self, inner: impl BarOperator + 'static) -> Result<Built, FeatureError> {
        let freshness = Freshness::new(self.seconds_or("max_age_s", BAR_MAX_AGE_S)?);
        Ok(Built {
            operator: Box::new(OnBars { inner, freshness }),
            topics: vec![self.bars()?],
            on_gap: OnGap::Bridge,
        })
    }

    /// Length of the bars, ns.
    pub(crate) fn interval(&self) -> Result<Ts, FeatureError> {
        self.seconds("interval_s")
    }

    /// Where the top of book comes from: `top` is `book` or `quote` of `instrument`.
    pub(crate) fn top(&self) -> Result<Topic, FeatureError> {
        let instrument = self.instrument("instrument")?;
        Ok(match self.choice("top", &["book", "quote"])? {
            0 => Topic::Book(instrument),
            _ => Topic::Quotes(instrument),
        })
    }

    /// The outside series that `series` names; none when this run lacks it.
    pub(crate) fn external(&self) -> Result<Vec<Topic>, FeatureError> {
        let name = self.text("series")?;
        let index = self.series.iter().position(|known| known == name);
        let topic = index
            .and_then(|i| u16::try_from(i).ok())
            .map(Topic::External);
        Ok(topic.into_iter().collect())
    }
}
