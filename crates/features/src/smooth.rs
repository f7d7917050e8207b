//! Recursive smoothers and the fixed lag.

use std::collections::VecDeque;

use crate::state::state;

/// Mean of the first `n` values, then one recursion a value.
#[derive(Debug, Clone)]
struct Seeded {
    n: f64,
    seen: f64,
    value: f64,
}

state!(Seeded { seen, value });

impl Seeded {
    fn new(n: usize) -> Self {
        Self {
            n: n as f64,
            seen: 0.0,
            value: 0.0,
        }
    }

    fn push(&mut self, x: f64, recur: impl Fn(f64, f64) -> f64) -> Option<f64> {
        if self.seen < self.n {
            self.seen += 1.0;
            self.value += x;
            if self.seen < self.n {
                return None;
            }
            self.value /= self.n;
        } else {
            self.value = recur(self.value, x);
        }
        Some(self.value)
    }

    fn get(&self) -> Option<f64> {
        (self.seen >= self.n).then_some(self.value)
    }
}

/// Exponential mean with weight `2 / (n + 1)`, seeded by the mean of `n` values as in TA-Lib.
#[derive(Debug, Clone)]
pub(crate) struct Ema(Seeded);

/// Wilder's mean with weight `1 / n` (Wilder 1978), seeded by the mean of `n` values.
#[derive(Debug, Clone)]
pub(crate) struct Wilder(Seeded);

impl Ema {
    pub(crate) fn new(n: usize) -> Self {
        Self(Seeded::new(n))
    }

    /// Adds a value; the mean once `n` are in.
    pub(crate) fn push(&mut self, x: f64) -> Option<f64> {
        let weight = 2.0 / (self.0.n + 1.0);
        self.0.push(x, |mean, x| mean + (x - mean) * weight)
    }

    pub(crate) fn get(&self) -> Option<f64> {
        self.0.get()
    }
}

impl Wilder {
    pub(crate) fn new(n: usize) -> Self {
        Self(Seeded::new(n))
    }

    /// Adds a value; the mean once `n` are in.
    pub(crate) fn push(&mut self, x: f64) -> Option<f64> {
        let n = self.0.n;
        self.0.push(x, |mean, x| (mean * (n - 1.0) + x) / n)
    }

    pub(crate) fn get(&self) -> Option<f64> {
        self.0.get()
    }
}

impl crate::state::State for Ema {
    fn save(&self, out: &mut Vec<u64>) {
        self.0.save(out);
    }
    fn load(&mut self, words: &mut crate::state::Words<'_>) -> Option<()> {
        self.0.load(words)
    }
}

impl crate::state::State for Wilder {
    fn save(&self, out: &mut Vec<u64>) {
        self.0.save(out);
    }
    fn load(&mut self, words: &mut crate::state::Words<'_>) -> Option<()> {
        self.0.load(words)
    }
}

/// The value `n` pushes ago.
#[derive(Debug, Clone)]
pub(crate) struct Lag {
    n: usize,
    values: VecDeque<f64>,
}

state!(Lag { values });

impl Lag {
    pub(crate) fn new(n: usize) -> Self {
        Self {
            n,
            values: VecDeque::with_capacity(n + 1),
        }
    }

    /// Adds `x`; the value `n` pushes before it, once there is one.
    pub(crate) fn push(&mut self, x: f64) -> Option<f64> {
        self.values.push_back(x);
        if self.values.len() <= self.n {
            return None;
        }
        self.values.pop_front()
    }
}

/// Log change from one push to the next.
#[derive(Debug, Clone, Default)]
pub(crate) struct LogReturn {
    previous: Option<f64>,
}

state!(LogReturn { previous });

impl LogReturn {
    /// Adds a price; its log return, from the second price on.
    pub(crate) fn push(&mut self, price: f64) -> Option<f64> {
        let previous = self.previous.replace(price)?;
        Some((price / previous).ln())
    }
}
