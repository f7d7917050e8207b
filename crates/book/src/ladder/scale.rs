use std::hash::{BuildHasher, Hasher};

/// Steps of price: from a distance in grid units to an entry of the window, without a division.
#[derive(Debug, Clone, Copy)]
pub(super) struct Scale {
    step: i64,
    /// How often two divides the step.
    twos: u32,
    /// What the odd rest of the step is multiplied with to make one, modulo `2^64`.
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
        let twos = step.trailing_zeros();
        let odd = step.unsigned_abs() >> twos;
        // Right in its three lowest bits; each turn of Newton's doubles how many.
        let mut inverse = odd;
        for _ in 0..5 {
            inverse = inverse.wrapping_mul(2_u64.wrapping_sub(odd.wrapping_mul(inverse)));
        }
        Self {
            step,
            twos,
            inverse,
        }
    }

    /// How many steps a distance is, if that is a number of entries; a number larger than any
    /// window where it is not, or lies between the steps.
    ///
    /// A multiple of the step is divided exactly by multiplying with the inverse of the odd part
    /// and turning the zeros out that the twos leave. What is no multiple, and only that,
    /// comes to more than `2^64 / step`, which no window reaches; and a distance below zero is
    /// `2^63 / step` steps at least, taken without its sign
    /// (after Granlund and Montgomery 1994, section 9).
    #[inline]
    pub(super) fn steps(self, distance: i64) -> u64 {
        let times_odd = distance.cast_unsigned().wrapping_mul(self.inverse);
        times_odd.rotate_right(self.twos)
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

#[cfg(test)]
mod tests {
    use super::super::ENTRIES;
    use super::*;
    use proptest::prelude::*;

    fn step() -> impl Strategy<Value = i64> {
        prop_oneof![
            1..=LARGEST,
            (0..=40_u32).prop_map(|twos| 1_i64 << twos),
            (0..=12_u32).prop_map(|tens| 10_i64.pow(tens)),
        ]
    }

    proptest! {
        #[test]
        fn steps_are_counted_as_a_division_counts_them(
            step in step(), near in -3_i64..=70_000, off in -3_i64..=3, any in any::<i64>(),
        ) {
            let scale = Scale::new(step);
            for distance in [near * step + off, near, any, i64::MIN + near.abs(), i64::MAX - near.abs()] {
                let is_entry = distance >= 0 && distance % step == 0
                    && distance < scale.times(ENTRIES);
                let steps = scale.steps(distance);
                prop_assert_eq!(steps < ENTRIES as u64, is_entry, "{} by {}", distance, step);
                if is_entry {
                    prop_assert_eq!(steps, (distance / step).cast_unsigned());
                }
            }
        }
    }
}
