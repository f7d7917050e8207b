//! Where an order stands in the queue at its price, as far as a level book tells.
//!
//! A new order stands behind all that rests at its price. Trades at the price advance it. What
//! else leaves the level left from before or behind it, which nobody but the venue knows: a
//! [`QueueModel`] says with which probability a quantity left from behind. Rigtorp 2013,
//! "Estimating order queue position"; the variants are hftbacktest's.

mod place;

pub(crate) use place::Place;

/// The probability that a quantity which left a level did so from behind our order.
pub trait QueueModel: Send + Sync {
    /// For `front` before the order and `back` behind it; NaN where both are zero.
    fn behind(&self, front: f64, back: f64) -> f64;
}

/// Which model a run uses.
#[derive(Debug, Clone, Copy, PartialEq, Default)]
pub enum Queue {
    /// All that leaves a level leaves from behind us: only trades advance an order.
    #[default]
    RiskAverse,
    /// All that leaves a level leaves from before us: the bound on the other side.
    Optimistic,
    /// `f(back) / (f(back) + f(front))` with `f(x) = x^n`.
    Power(f64),
    /// `f(back) / f(back + front)` with `f(x) = x^n`.
    Power2(f64),
    /// `1 - f(front / (front + back))` with `f(x) = x^n`.
    Power3(f64),
    /// `f(back) / (f(back) + f(front))` with `f(x) = ln(1 + x)`, `x` in units of quantity.
    Log,
    /// `f(back) / f(back + front)` with `f(x) = ln(1 + x)`, `x` in units of quantity.
    Log2,
}

impl Queue {
    /// Names in configurations, in the order of the documentation.
    pub const NAMES: [&'static str; 7] = [
        "risk_averse",
        "optimistic",
        "power",
        "power2",
        "power3",
        "log",
        "log2",
    ];

    /// The model of a name, `n` the exponent of those that have one.
    #[must_use]
    pub fn named(name: &str, n: f64) -> Option<Self> {
        Some(match name {
            "risk_averse" => Self::RiskAverse,
            "optimistic" => Self::Optimistic,
            "power" => Self::Power(n),
            "power2" => Self::Power2(n),
            "power3" => Self::Power3(n),
            "log" => Self::Log,
            "log2" => Self::Log2,
            _ => return None,
        })
    }

    /// Its exponent, where it has one.
    #[must_use]
    pub const fn exponent(&self) -> Option<f64> {
        match self {
            Self::Power(n) | Self::Power2(n) | Self::Power3(n) => Some(*n),
            _ => None,
        }
    }

    /// The model where quantities are counted in parts of `unit`.
    pub(crate) fn model(self, unit: f64) -> Box<dyn QueueModel> {
        match self {
            Self::RiskAverse => Box::new(Always(1.0)),
            Self::Optimistic => Box::new(Always(0.0)),
            Self::Power(n) => Box::new(Power { n }),
            Self::Power2(n) => Box::new(Power2 { n }),
            Self::Power3(n) => Box::new(Power3 { n }),
            Self::Log => Box::new(Log { unit }),
            Self::Log2 => Box::new(Log2 { unit }),
        }
    }
}

/// The same probability always.
struct Always(f64);

impl QueueModel for Always {
    fn behind(&self, _front: f64, _back: f64) -> f64 {
        self.0
    }
}

struct Power {
    n: f64,
}

impl QueueModel for Power {
    fn behind(&self, front: f64, back: f64) -> f64 {
        let back = back.powf(self.n);
        back / (back + front.powf(self.n))
    }
}

struct Power2 {
    n: f64,
}

impl QueueModel for Power2 {
    fn behind(&self, front: f64, back: f64) -> f64 {
        back.powf(self.n) / (back + front).powf(self.n)
    }
}

struct Power3 {
    n: f64,
}

impl QueueModel for Power3 {
    fn behind(&self, front: f64, back: f64) -> f64 {
        1.0 - (front / (front + back)).powf(self.n)
    }
}

/// `unit` turns what is counted into units of quantity: unlike a power's, a logarithm's ratio
/// depends on it.
struct Log {
    unit: f64,
}

impl QueueModel for Log {
    fn behind(&self, front: f64, back: f64) -> f64 {
        let f = |x: f64| (1.0 + x * self.unit).ln();
        f(back) / (f(back) + f(front))
    }
}

struct Log2 {
    unit: f64,
}

impl QueueModel for Log2 {
    fn behind(&self, front: f64, back: f64) -> f64 {
        let f = |x: f64| (1.0 + x * self.unit).ln();
        f(back) / f(back + front)
    }
}
