use crate::rng::Rng;

/// Draws an index in proportion to its weight in constant time (Walker 1977, Vose 1991).
#[derive(Debug, Clone)]
pub(crate) struct Alias {
    keep: Vec<f64>,
    other: Vec<usize>,
}

impl Alias {
    /// Of weights that are not negative and not all zero.
    pub(crate) fn new(weights: &[f64]) -> Self {
        let n = weights.len();
        let total: f64 = weights.iter().sum();
        let mut keep: Vec<f64> = weights.iter().map(|w| w * n as f64 / total).collect();
        let mut other: Vec<usize> = (0..n).collect();
        let (mut small, mut large): (Vec<usize>, Vec<usize>) = (0..n).partition(|&i| keep[i] < 1.0);
        while let (Some(low), Some(&high)) = (small.pop(), large.last()) {
            other[low] = high;
            keep[high] -= 1.0 - keep[low];
            if keep[high] < 1.0 {
                large.pop();
                small.push(high);
            }
        }
        Self { keep, other }
    }

    #[allow(clippy::cast_possible_truncation)] // an index below the number of weights
    pub(crate) fn draw(&self, rng: &mut Rng) -> usize {
        let at = rng.below(self.keep.len() as u64) as usize;
        if rng.is_hit(self.keep[at]) {
            at
        } else {
            self.other[at]
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn indices_come_as_often_as_they_weigh() {
        let weights = [0.0, 3.0, 1.0, 6.0];
        let (alias, mut rng) = (Alias::new(&weights), Rng::new(1));
        let mut seen = [0_u32; 4];
        for _ in 0..100_000 {
            seen[alias.draw(&mut rng)] += 1;
        }
        for (count, weight) in seen.iter().zip(weights) {
            assert!((f64::from(*count) / 1e4 - weight).abs() < 0.06, "{seen:?}");
        }
    }
}
