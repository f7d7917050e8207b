//! Rolling aggregates, written once.
//!
//! A window is a queue made of two stacks, each carrying running merges of a monoid:
//! nothing is ever subtracted, so nothing drifts, and a push costs O(1) amortised.
//! Mean, variance, third moment and covariance merge as in Chan, Golub & Le
//! Veque (1979) and Pébay (2008, SAND2008-6212).

use cq_types::Ts;

use crate::state::{state, State};

/// An aggregate that merges with the aggregate of newer data; `default()` is empty.
pub(crate) trait Monoid: Copy + Default + State {
    /// Both, older first.
    #[must_use]
    fn merge(self, newer: Self) -> Self;
}

/// `N` plain sums.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Sums<const N: usize>(pub(crate) [f64; N]);

impl<const N: usize> Default for Sums<N> {
    fn default() -> Self {
        Self([0.0; N])
    }
}

impl<const N: usize> State for Sums<N> {
    fn save(&self, out: &mut Vec<u64>) {
        self.0.save(out);
    }
    fn load(&mut self, words: &mut crate::state::Words<'_>) -> Option<()> {
        self.0.load(words)
    }
}

impl<const N: usize> Monoid for Sums<N> {
    fn merge(mut self, newer: Self) -> Self {
        for (mine, other) in self.0.iter_mut().zip(newer.0) {
            *mine += other;
        }
        self
    }
}

/// Smallest and largest.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Extremes {
    pub(crate) min: f64,
    pub(crate) max: f64,
}

state!(Extremes { min, max });

impl Default for Extremes {
    fn default() -> Self {
        Self {
            min: f64::INFINITY,
            max: f64::NEG_INFINITY,
        }
    }
}

impl Monoid for Extremes {
    fn merge(self, newer: Self) -> Self {
        Self {
            min: self.min.min(newer.min),
            max: self.max.max(newer.max),
        }
    }
}

/// Count, mean and central sums of the second and third power.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Moments {
    pub(crate) n: f64,
    pub(crate) mean: f64,
    m2: f64,
    m3: f64,
}

state!(Moments { n, mean, m2, m3 });

impl Moments {
    pub(crate) fn of(x: f64) -> Self {
        Self {
            n: 1.0,
            mean: x,
            m2: 0.0,
            m3: 0.0,
        }
    }

    /// Sample standard deviation (n − 1); NaN below two values.
    pub(crate) fn sd(&self) -> f64 {
        if self.n < 2.0 {
            return f64::NAN;
        }
        (self.m2 / (self.n - 1.0)).sqrt()
    }

    /// Population standard deviation (n).
    pub(crate) fn population_sd(&self) -> f64 {
        (self.m2 / self.n).sqrt()
    }

    /// Population skewness `g1 = (m3/n) / (m2/n)^1.5`; NaN without variance.
    pub(crate) fn skew(&self) -> f64 {
        ratio(self.m3 / self.n, (self.m2 / self.n).powf(1.5))
    }

    /// How many sample standard deviations `x` lies above the mean; NaN without variance.
    pub(crate) fn z(&self, x: f64) -> f64 {
        ratio(x - self.mean, self.sd())
    }
}

impl Monoid for Moments {
    fn merge(self, newer: Self) -> Self {
        if self.n == 0.0 {
            return newer;
        }
        if newer.n == 0.0 {
            return self;
        }
        let (a, b) = (self.n, newer.n);
        let n = a + b;
        let delta = newer.mean - self.mean;
        let step = delta / n;
        let cross = delta * step * a * b;
        Self {
            n,
            mean: self.mean + step * b,
            m2: self.m2 + newer.m2 + cross,
            m3: self.m3
                + newer.m3
                + cross * step * (a - b)
                + 3.0 * step * (a * newer.m2 - b * self.m2),
        }
    }
}

/// Means and central products of pairs.
#[derive(Debug, Clone, Copy, Default)]
pub(crate) struct Comoments {
    n: f64,
    x: f64,
    y: f64,
    xx: f64,
    yy: f64,
    xy: f64,
}

state!(Comoments {
    n,
    x,
    y,
    xx,
    yy,
    xy
});

impl Comoments {
    pub(crate) fn of(x: f64, y: f64) -> Self {
        Self {
            n: 1.0,
            x,
            y,
            ..Self::default()
        }
    }

    /// Sample covariance (n − 1); NaN below two pairs.
    pub(crate) fn covariance(&self) -> f64 {
        ratio(self.xy, (self.n - 1.0).max(0.0))
    }

    /// Slope of the least-squares line of y on x; NaN when x does not vary.
    pub(crate) fn slope(&self) -> f64 {
        ratio(self.xy, self.xx)
    }

    /// Pearson correlation; NaN when either does not vary.
    pub(crate) fn correlation(&self) -> f64 {
        ratio(self.xy, (self.xx * self.yy).sqrt())
    }
}

impl Monoid for Comoments {
    fn merge(self, newer: Self) -> Self {
        if self.n == 0.0 {
            return newer;
        }
        if newer.n == 0.0 {
            return self;
        }
        let n = self.n + newer.n;
        let share = newer.n / n;
        let (dx, dy) = (newer.x - self.x, newer.y - self.y);
        let weight = self.n * share;
        Self {
            n,
            x: self.x + dx * share,
            y: self.y + dy * share,
            xx: self.xx + newer.xx + dx * dx * weight,
            yy: self.yy + newer.yy + dy * dy * weight,
            xy: self.xy + newer.xy + dx * dy * weight,
        }
    }
}

/// `numerator / denominator`, NaN where the denominator is zero.
pub(crate) fn ratio(numerator: f64, denominator: f64) -> f64 {
    if denominator == 0.0 {
        return f64::NAN;
    }
    numerator / denominator
}

#[derive(Debug, Clone, Copy)]
enum Limit {
    /// The newest `n` values; warm when there are as many.
    Count(usize),
    /// Values stamped in `(now − span, now]`; warm `span` after the first value's
    /// beginning (`lead` before its stamp), undefined below `min` values.
    Time { span: Ts, lead: Ts, min: usize },
}

/// A rolling aggregate over the newest values, by count or by time.
#[derive(Debug, Clone)]
pub(crate) struct Window<M> {
    limit: Limit,
    /// Older half, newest first; each entry merges itself and all newer ones of this half.
    front: Vec<(Ts, M)>,
    /// Newer half, oldest first, as pushed.
    back: Vec<(Ts, M)>,
    /// Merge of `back`.
    tail: M,
    since: Option<Ts>,
}

state!(Window<M: Monoid> { front, back, tail, since });

impl<M: Monoid> Window<M> {
    /// The newest `n` values.
    pub(crate) fn count(n: usize) -> Self {
        Self::new(Limit::Count(n))
    }

    /// Bars that ended in the last `span`; NaN when half of them are missing.
    pub(crate) fn bars(span: Ts, interval: Ts) -> Self {
        let min = usize::try_from(span / interval / 2).unwrap_or(0).max(1);
        Self::new(Limit::Time {
            span,
            lead: interval,
            min,
        })
    }

    /// Ticks of the last `span`; with none of them the aggregate is empty, not missing.
    pub(crate) fn ticks(span: Ts) -> Self {
        Self::new(Limit::Time {
            span,
            lead: 0,
            min: 0,
        })
    }

    fn new(limit: Limit) -> Self {
        Self {
            limit,
            front: Vec::new(),
            back: Vec::new(),
            tail: M::default(),
            since: None,
        }
    }

    /// Adds the newest value and drops what has left the window.
    pub(crate) fn push(&mut self, ts: Ts, value: M) {
        self.back.push((ts, value));
        self.tail = self.tail.merge(value);
        match self.limit {
            Limit::Count(n) => {
                if self.len() > n {
                    self.pop();
                }
            }
            Limit::Time { span, .. } => {
                self.open(ts);
                while self.oldest().is_some_and(|oldest| oldest <= ts - span) {
                    self.pop();
                }
            }
        }
    }

    /// Starts the warm-up clock of a time window at an input that brings no value yet, as
    /// the first bar, which has no return.
    pub(crate) fn open(&mut self, ts: Ts) {
        if let Limit::Time { lead, .. } = self.limit {
            self.since.get_or_insert(ts - lead);
        }
    }

    /// The aggregate as of `now`, or `None` while cold or too thin. Changes nothing:
    /// how often a window is read must not move a bit of what it returns later.
    pub(crate) fn at(&self, now: Ts) -> Option<M> {
        match self.limit {
            Limit::Count(n) => (self.len() == n).then(|| self.total()),
            Limit::Time { span, min, .. } => {
                if now - self.since? < span {
                    return None;
                }
                let (count, aggregate) = self.after(now - span);
                (count >= min).then_some(aggregate)
            }
        }
    }

    fn len(&self) -> usize {
        self.front.len() + self.back.len()
    }

    fn oldest(&self) -> Option<Ts> {
        self.front.last().or(self.back.first()).map(|(ts, _)| *ts)
    }

    fn total(&self) -> M {
        self.front
            .last()
            .map_or(self.tail, |(_, older)| older.merge(self.tail))
    }

    /// Count and aggregate of the values stamped after `cutoff`.
    fn after(&self, cutoff: Ts) -> (usize, M) {
        if self.oldest().is_none_or(|oldest| oldest > cutoff) {
            return (self.len(), self.total());
        }
        let kept = self.front.partition_point(|(ts, _)| *ts > cutoff);
        if kept > 0 {
            let aggregate = self.front[kept - 1].1.merge(self.tail);
            return (kept + self.back.len(), aggregate);
        }
        let start = self.back.partition_point(|(ts, _)| *ts <= cutoff);
        let newer = &self.back[start..];
        let aggregate = newer.iter().fold(M::default(), |sum, (_, m)| sum.merge(*m));
        (newer.len(), aggregate)
    }

    fn pop(&mut self) {
        if self.front.is_empty() {
            let mut merged = M::default();
            for (ts, value) in self.back.drain(..).rev() {
                merged = value.merge(merged);
                self.front.push((ts, merged));
            }
            self.tail = M::default();
        }
        self.front.pop();
    }
}

#[cfg(test)]
mod tests;
