use std::hash::{BuildHasher, Hasher};

/// Steps of price: from a distance in grid units to an entry of the window, without a division.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    step: i64,
    /// `2^64 / step`, rounded up; 0 stands for a step of one.
    inverse: u64,
}

impl Scale {
    pub(super) fn new(step: i64) -> Self {
        let step = step.max(1);
        let inverse = (u64::MAX / step.unsigned_abs()).wrapping_add(1);
        Self { step, inverse }
    }

    /// The entry that lies `distance` above entry 0, if there is one so near.
    ///
    /// For a distance below `2^32` the product's upper half is the exact quotient: the error of
    /// the rounded inverse, below `distance / 2^64` steps, is less than a step's smallest
    /// fraction (Granlund and Montgomery 1994, theorem 4.2).
    #[inline]
    pub(super) fn entry(self, distance: i64) -> Option<usize> {
        let distance = u32::try_from(distance).ok()?;
        if self.inverse == 0 {
            return Some(distance as usize);
        }
        let product = u128::from(distance) * u128::from(self.inverse);
        #[allow(clippy::cast_possible_truncation)] // the upper half of a product below 2^96
        let at = (product >> 64) as u32;
        let is_exact = i64::from(at) * self.step == i64::from(distance);
        is_exact.then_some(at as usize)
    }

    pub(super) fn times(self, entries: usize) -> i64 {
        #[allow(clippy::cast_possible_wrap)] // an entry of a window
        let entries = entries as i64;
        entries * self.step
    }

    pub(super) fn is_on_step(self, key: i64) -> bool {
        key % self.step == 0
    }
}

/// Hashes a price by one multiplication: keys are no attacker's choice, and iteration sorts.
#[derive(Debug, Clone, Copy, Default)]
pub(super) struct Mix(u64);

impl BuildHasher for Mix {
    type Hasher = Self;

    fn build_hasher(&self) -> Self {
        Self(0)
    }
}

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        for byte in bytes {
            self.write_u64(u64::from(*byte));
        }
    }

    fn write_u64(&mut self, word: u64) {
        const GOLDEN: u64 = 0x9E37_79B9_7F4A_7C15;
        let mixed = (self.0 ^ word).wrapping_mul(GOLDEN);
        self.0 = mixed ^ (mixed >> 32);
    }

    fn write_i64(&mut self, word: i64) {
        self.write_u64(word.cast_unsigned());
    }
}
