use std::hash::{BuildHasher, Hasher};

use super::ENTRIES;

/// Steps of price: from a distance in grid units to an entry of the window, without a division.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    step: i64,
    /// `2^64 / step`, rounded up; 0 stands for a step of one.
    inverse: u64,
}

/// The largest step: a larger one is taken as one, which holds for any price.
const LARGEST: i64 = 1 << 40;
/// Keys from here on lie on no step, so that the ends of a window cannot overflow.
const FARTHEST: u64 = 1 << 62;

impl Scale {
    pub(super) fn new(step: i64) -> Self {
        let step = if (1..=LARGEST).contains(&step) {
            step
        } else {
            1
        };
        let inverse = (u64::MAX / step.unsigned_abs()).wrapping_add(1);
        Self { step, inverse }
    }

    /// The entry of the window that lies `distance` above entry 0, if there is one.
    ///
    /// A distance of `n` steps times the rounded inverse is `n` and an excess below
    /// `n * step / 2^64`, less than one for every entry and step: the product's upper half is
    /// then `n`. That of a distance between the steps is told by multiplying back
    /// (after Granlund and Montgomery 1994, theorem 4.2).
    #[inline]
    pub(super) fn entry(self, distance: i64) -> Option<usize> {
        // One below entry 0 becomes one beyond all entries.
        let distance = distance.cast_unsigned();
        let at = if self.inverse == 0 {
            distance
        } else {
            ((u128::from(distance) * u128::from(self.inverse)) >> 64) as u64
        };
        let is_exact = at < ENTRIES as u64 && at.wrapping_mul(self.step.unsigned_abs()) == distance;
        #[allow(clippy::cast_possible_truncation)] // less than the entries of a window
        is_exact.then_some(at as usize)
    }

    pub(super) fn times(self, entries: usize) -> i64 {
        #[allow(clippy::cast_possible_wrap)] // an entry of a window
        let entries = entries as i64;
        entries * self.step
    }

    pub(super) fn is_on_step(self, key: i64) -> bool {
        key % self.step == 0 && key.unsigned_abs() < FARTHEST
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
