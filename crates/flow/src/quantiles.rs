use crate::rng::Rng;
use crate::FlowError;

/// A distribution as its values at equally spaced ranks, log-linear between them.
#[derive(Debug, Clone, PartialEq)]
pub struct Quantiles {
    values: Vec<f64>,
    /// Per step: the logarithm of its end over its start, or `None` where it is linear.
    ratios: Vec<Option<f64>>,
}

impl Quantiles {
    /// From the least to the greatest value.
    ///
    /// # Errors
    /// [`FlowError::Quantiles`] when they are no quantiles; `name` says which.
    pub fn new(name: &'static str, values: Vec<f64>) -> Result<Self, FlowError> {
        let is_good = values.len() > 1
            && values.iter().all(|v| v.is_finite() && *v >= 0.0)
            && values.windows(2).all(|pair| pair[0] <= pair[1]);
        if !is_good {
            return Err(FlowError::Quantiles(name));
        }
        let ratios = values
            .windows(2)
            .map(|pair| (pair[0] > 0.0).then(|| (pair[1] / pair[0]).ln()))
            .collect();
        Ok(Self { values, ratios })
    }

    /// The value at a rank in [0, 1].
    #[must_use]
    #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // a position in the table
    pub fn at(&self, rank: f64) -> f64 {
        let place = rank.clamp(0.0, 1.0) * self.ratios.len() as f64;
        let step = (place as usize).min(self.ratios.len() - 1);
        let (part, start) = (place - step as f64, self.values[step]);
        match self.ratios[step] {
            Some(0.0) => start,
            Some(ratio) => start * (ratio * part).exp(),
            None => start + (self.values[step + 1] - start) * part,
        }
    }

    /// The mean of the distribution.
    #[must_use]
    pub fn mean(&self) -> f64 {
        let steps = self.values.windows(2).zip(&self.ratios);
        let sum: f64 = steps
            .map(|(pair, ratio)| match ratio {
                Some(ratio) if *ratio > 1e-9 => (pair[1] - pair[0]) / ratio,
                _ => f64::midpoint(pair[0], pair[1]),
            })
            .sum();
        sum / self.ratios.len() as f64
    }

    pub(crate) fn draw(&self, rng: &mut Rng) -> f64 {
        self.at(rng.unit())
    }

    /// A quantity: at least one lot.
    pub(crate) fn draw_lots(&self, rng: &mut Rng) -> i64 {
        lots(self.draw(rng))
    }

    /// The rank of a value; of one that fills several steps, any of theirs.
    pub(crate) fn rank(&self, value: f64, rng: &mut Rng) -> f64 {
        let steps = self.ratios.len() as f64;
        let above = self.values.partition_point(|v| *v <= value);
        let below = self.values.partition_point(|v| *v < value);
        if below < above {
            let (low, high) = (below as f64 / steps, (above - 1) as f64 / steps);
            return low + (high - low) * rng.unit();
        }
        let Some(step) = below.checked_sub(1) else {
            return 0.0;
        };
        match self.ratios.get(step) {
            None => 1.0,
            Some(Some(ratio)) => (step as f64 + (value / self.values[step]).ln() / ratio) / steps,
            Some(None) => (step as f64 + value / self.values[step + 1]) / steps,
        }
    }
}

/// The nearest whole number of lots, at least one.
#[allow(clippy::cast_possible_truncation)] // a quantity far below 2^53 lots
pub(crate) fn lots(value: f64) -> i64 {
    (value.round() as i64).max(1)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::rng::Rng;
    use proptest::prelude::*;

    #[test]
    fn what_is_no_table_is_refused() {
        for bad in [
            vec![],
            vec![1.0],
            vec![2.0, 1.0],
            vec![-1.0, 1.0],
            vec![1.0, f64::NAN],
        ] {
            assert_eq!(Quantiles::new("q", bad), Err(FlowError::Quantiles("q")));
        }
    }

    #[test]
    fn a_value_that_fills_half_of_the_ranks_is_drawn_as_often() {
        let table = Quantiles::new("q", vec![1.0, 2.0, 2.0, 2.0, 9.0]).unwrap();
        let mut rng = Rng::new(3);
        let draws: Vec<f64> = (0..40_000).map(|_| table.draw(&mut rng)).collect();
        let share = draws.iter().filter(|v| (**v - 2.0).abs() < 1e-12).count() as f64 / 4e4;
        assert!((share - 0.5).abs() < 0.01, "{share}");
        let mean = draws.iter().sum::<f64>() / 4e4;
        assert!(
            (mean - table.mean()).abs() < 0.03,
            "{mean} {}",
            table.mean()
        );
    }

    proptest! {
        #[test]
        fn the_rank_of_a_value_gives_the_value(
            mut values in prop::collection::vec(1e-3..1e6_f64, 2..40),
            rank in 0.0..1.0_f64,
            seed: u64,
        ) {
            values.sort_by(f64::total_cmp);
            let table = Quantiles::new("q", values).unwrap();
            let value = table.at(rank);
            let again = table.at(table.rank(value, &mut Rng::new(seed)));
            prop_assert!((again / value - 1.0).abs() < 1e-9, "{value} {again}");
        }
    }
}
