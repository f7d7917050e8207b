use rand_core::{RngCore, SeedableRng};
use rand_distr::{Distribution, Exp1, StandardNormal};
use rand_xoshiro::Xoshiro256PlusPlus;

/// The one source of chance: xoshiro256++ (Blackman, Vigna 2019), seeded.
#[derive(Debug, Clone)]
pub(crate) struct Rng(Xoshiro256PlusPlus);

impl Rng {
    pub(crate) fn new(seed: u64) -> Self {
        Self(Xoshiro256PlusPlus::seed_from_u64(seed))
    }

    /// A generator whose numbers do not overlap with what this one gives from now on.
    pub(crate) fn fork(&mut self) -> Self {
        let fork = self.clone();
        self.0.jump();
        fork
    }

    pub(crate) fn bit(&mut self) -> bool {
        self.0.next_u64() >> 63 == 1
    }

    /// Uniform in [0, 1).
    pub(crate) fn unit(&mut self) -> f64 {
        (self.0.next_u64() >> 11) as f64 * (1.0 / (1_u64 << 53) as f64)
    }

    /// Uniform in 0..n.
    #[allow(clippy::cast_possible_truncation)] // the upper half of the product is below n
    pub(crate) fn below(&mut self, n: u64) -> u64 {
        ((u128::from(self.0.next_u64()) * u128::from(n)) >> 64) as u64
    }

    pub(crate) fn is_hit(&mut self, chance: f64) -> bool {
        self.unit() < chance
    }

    /// Exponential with mean 1.
    pub(crate) fn exponential(&mut self) -> f64 {
        Exp1.sample(&mut self.0)
    }

    pub(crate) fn normal(&mut self) -> f64 {
        StandardNormal.sample(&mut self.0)
    }
}
