use crate::rng::Rng;
use crate::slow::{Slow, SlowParameters};
use crate::FlowError;

/// Points of the price within a minute; the last is the next one's first.
const POINTS: usize = 5;
const STEPS: usize = POINTS - 1;

/// The event-by-event flow summed over a quarter of a minute at activity 1.
#[derive(Debug, Clone, Copy)]
pub struct Coarse {
    /// Fills.
    pub trades: f64,
    /// Standard deviation of the logarithm of their number.
    pub trades_sd: f64,
    /// Base asset that takers trade.
    pub volume: f64,
    /// Standard deviation of its logarithm, given the number of fills.
    pub volume_sd: f64,
    /// Standard deviation of the share that takers buy.
    pub share_sd: f64,
    /// Standard deviation of the log return.
    pub return_sd: f64,
    /// Degrees of freedom of the return's Student distribution, above 2.
    pub return_tail: f64,
    /// Correlation of return and share bought.
    pub impact: f64,
    /// Log return that a lean of 1 makes.
    pub lean_return: f64,
}

impl Coarse {
    fn check(&self) -> Result<(), FlowError> {
        let sizes = [self.trades, self.volume, self.return_sd];
        let spreads = [self.trades_sd, self.volume_sd, self.share_sd];
        let is_good = sizes.iter().all(|v| v.is_finite() && *v > 0.0)
            && spreads.iter().all(|v| v.is_finite() && *v >= 0.0)
            && (self.return_tail > 2.0 && self.return_tail.is_finite())
            && (self.impact.abs() <= 1.0 && self.lean_return.is_finite());
        FlowError::unless(is_good, "coarse", "finite numbers in their ranges")
    }
}

/// Columns of minutes, each of the same length.
#[derive(Debug, Clone, Default, PartialEq)]
pub struct Minutes {
    /// Logarithm of the price over its first, five points a minute; the last is the next
    /// minute's first.
    pub path: Vec<f64>,
    /// Fills.
    pub trades: Vec<i64>,
    /// Base asset traded.
    pub volume: Vec<f64>,
    /// Share of it that takers bought.
    pub bought: Vec<f64>,
    /// Perpetual over spot at the minute's start, as a fraction.
    pub basis: Vec<f64>,
    /// Funding rate per interval as it stands at the minute's start.
    pub rate: Vec<f64>,
}

/// The same flow and the same slow series as a [`Recorder`](crate::Recorder)'s, summed.
pub struct Bars {
    coarse: Coarse,
    slow: Slow,
    rng: Rng,
    level: f64,
}

impl Bars {
    /// Minutes from a seed.
    ///
    /// # Errors
    /// [`FlowError`] when the numbers make no bars.
    pub fn new(coarse: Coarse, slow: SlowParameters, seed: u64) -> Result<Self, FlowError> {
        coarse.check()?;
        slow.check()?;
        let mut rng = Rng::new(seed);
        Ok(Self {
            slow: Slow::new(slow, rng.fork()),
            coarse,
            rng,
            level: 0.0,
        })
    }

    /// The next `count` minutes.
    pub fn take(&mut self, count: usize) -> Minutes {
        let mut minutes = Minutes::default();
        for _ in 0..count {
            minutes.basis.push(self.slow.basis());
            minutes.rate.push(self.slow.rate());
            self.minute(&mut minutes);
            self.slow.minute();
        }
        minutes
    }

    fn minute(&mut self, to: &mut Minutes) {
        let (mut trades, mut volume, mut bought) = (0.0, 0.0, 0.0);
        to.path.push(self.level);
        for _ in 0..STEPS {
            let step = self.step();
            self.level += step.log_return;
            to.path.push(self.level);
            trades += step.trades;
            volume += step.volume;
            bought += step.volume * step.bought;
        }
        #[allow(clippy::cast_possible_truncation)] // a count far below 2^53
        to.trades.push((trades.round() as i64).max(1));
        to.volume.push(volume);
        to.bought.push(bought / volume);
    }

    fn step(&mut self) -> Step {
        let (c, activity) = (self.coarse, self.slow.activity());
        let busy = log_normal(c.trades_sd, &mut self.rng);
        let size = log_normal(c.volume_sd, &mut self.rng);
        let flow = self.rng.normal();
        let rest = (1.0 - c.impact * c.impact).sqrt() * self.rng.normal();
        let spread = c.return_sd * (activity * busy).sqrt() * self.tail();
        let lean = c.lean_return * self.slow.lean() * activity;
        Step {
            log_return: lean + spread * (c.impact * flow + rest),
            trades: c.trades * activity * busy,
            volume: c.volume * activity * busy * size,
            bought: (0.5 + c.share_sd * flow).clamp(0.0, 1.0),
        }
    }

    /// What makes a normal step a Student one of the same variance.
    fn tail(&mut self) -> f64 {
        let df = self.coarse.return_tail;
        let chi = rand_chi_squared(df, &mut self.rng);
        ((df - 2.0) / chi).sqrt()
    }
}

struct Step {
    log_return: f64,
    trades: f64,
    volume: f64,
    bought: f64,
}

/// Log-normal of mean 1.
fn log_normal(sd: f64, rng: &mut Rng) -> f64 {
    (sd * rng.normal() - 0.5 * sd * sd).exp()
}

/// Chi squared with `df` degrees of freedom, from a gamma (Marsaglia, Tsang 2000).
fn rand_chi_squared(df: f64, rng: &mut Rng) -> f64 {
    let shift = df / 2.0 - 1.0 / 3.0;
    let scale = 1.0 / (9.0 * shift).sqrt();
    loop {
        let normal = rng.normal();
        let cube = (1.0 + scale * normal).powi(3);
        let is_in = cube > 0.0
            && rng.unit().ln()
                < 0.5 * normal * normal + shift * (1.0 - cube + cube.max(1e-300).ln());
        if is_in {
            return 2.0 * shift * cube;
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn chi_squared_has_its_mean_and_variance() {
        let mut rng = Rng::new(5);
        for df in [2.5, 4.0, 30.0] {
            let draws: Vec<f64> = (0..200_000)
                .map(|_| rand_chi_squared(df, &mut rng))
                .collect();
            let mean = draws.iter().sum::<f64>() / 2e5;
            let variance = draws.iter().map(|v| (v - mean).powi(2)).sum::<f64>() / 2e5;
            assert!((mean / df - 1.0).abs() < 0.02, "{df}: {mean}");
            assert!(
                (variance / (2.0 * df) - 1.0).abs() < 0.05,
                "{df}: {variance}"
            );
        }
    }
}
