use crate::rng::Rng;
use crate::FlowError;

/// What changes over hours and days: half-lives in minutes, standard deviations.
#[derive(Debug, Clone, Copy)]
pub struct SlowParameters {
    /// Logarithm of the activity.
    pub activity: (f64, f64),
    /// Tilt of the takers' sides.
    pub lean: (f64, f64),
    /// Perpetual over spot, as a fraction.
    pub basis: (f64, f64),
    /// Funding rate around its mean, a fraction per interval.
    pub rate: (f64, f64),
    /// Mean funding rate.
    pub mean_rate: f64,
}

impl SlowParameters {
    /// Checks that the numbers make mean-reverting series.
    ///
    /// # Errors
    /// [`FlowError`] when they do not.
    pub fn check(&self) -> Result<(), FlowError> {
        let pairs = [self.activity, self.lean, self.basis, self.rate];
        let is_good = pairs
            .iter()
            .all(|(half, sd)| *half > 0.0 && sd.is_finite() && *sd >= 0.0);
        FlowError::unless(
            is_good,
            "slow",
            "half-lives above 0 and deviations not below",
        )?;
        let is_good = self.mean_rate.is_finite();
        FlowError::unless(is_good, "mean_rate", "a finite number")
    }
}

/// Mean-reverting series that the flow is driven by, a value a minute.
#[derive(Debug, Clone)]
pub struct Slow {
    parameters: SlowParameters,
    rng: Rng,
    activity: Reverting,
    lean: Reverting,
    basis: Reverting,
    rate: Reverting,
}

impl Slow {
    /// Starts at the mean of each series.
    pub(crate) fn new(parameters: SlowParameters, rng: Rng) -> Self {
        Self {
            parameters,
            rng,
            activity: Reverting::new(parameters.activity),
            lean: Reverting::new(parameters.lean),
            basis: Reverting::new(parameters.basis),
            rate: Reverting::new(parameters.rate),
        }
    }

    /// Goes on by a minute.
    pub(crate) fn minute(&mut self) {
        for series in [
            &mut self.activity,
            &mut self.lean,
            &mut self.basis,
            &mut self.rate,
        ] {
            series.step(&mut self.rng);
        }
    }

    /// Events per event of the fitted session.
    #[must_use]
    pub fn activity(&self) -> f64 {
        self.activity.level.exp()
    }

    /// Tilt of the takers' sides, in [-1, 1].
    #[must_use]
    pub fn lean(&self) -> f64 {
        self.lean.level.clamp(-1.0, 1.0)
    }

    /// Perpetual over spot, as a fraction.
    #[must_use]
    pub fn basis(&self) -> f64 {
        self.basis.level
    }

    /// Funding rate per interval.
    #[must_use]
    pub fn rate(&self) -> f64 {
        self.parameters.mean_rate + self.rate.level
    }
}

/// A discrete Ornstein–Uhlenbeck process around 0.
#[derive(Debug, Clone, Copy)]
struct Reverting {
    decay: f64,
    noise: f64,
    level: f64,
}

impl Reverting {
    fn new((half_life, sd): (f64, f64)) -> Self {
        let decay = 0.5_f64.powf(1.0 / half_life);
        Self {
            decay,
            noise: sd * (1.0 - decay * decay).sqrt(),
            level: 0.0,
        }
    }

    fn step(&mut self, rng: &mut Rng) {
        self.level = self.level * self.decay + self.noise * rng.normal();
    }
}
