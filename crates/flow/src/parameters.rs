use crate::{FlowError, Quantiles};

/// Most ticks from the touch that a side may hold levels on; the ring has twice as many.
pub(crate) const FARTHEST: i64 = 4096;

/// The queue at the touch of one side; rates are per second.
#[derive(Debug, Clone)]
pub struct TouchQueue {
    /// Changes of the quantity other than by trades.
    pub change: f64,
    /// Cancels of all of it.
    pub cancel: f64,
    /// Share of the changes after which the quantity is drawn anew.
    pub renew: f64,
    /// Widest step in rank of any other change.
    pub step: f64,
    /// Quantities that the changes make, lots.
    pub queue: Quantiles,
    /// Quantities of a touch that has just come, lots.
    pub fresh: Quantiles,
}

/// Levels of one side at `from..to` ticks behind its touch; rates are per second.
#[derive(Debug, Clone)]
pub struct Band {
    /// First distance.
    pub from: i64,
    /// Distance behind the last.
    pub to: i64,
    /// Arrivals at a price that has no level.
    pub arrival: f64,
    /// Cancels of a whole level.
    pub cancel: f64,
    /// Changes of a level's quantity.
    pub change: f64,
    /// Share of the changes after which the quantity is drawn anew.
    pub renew: f64,
    /// Widest step in rank of any other change.
    pub step: f64,
    /// Quantities, lots.
    pub queue: Quantiles,
}

/// How a spread of more than a tick closes.
#[derive(Debug, Clone, Copy)]
pub struct Closing {
    /// Mean time to the next quote inside, seconds.
    pub delay: f64,
    /// Chance that it comes from the side that was not taken: the price moves.
    pub follow: f64,
    /// Chance that it closes the whole gap.
    pub whole: f64,
    /// Chance of a level at each price that a side has stepped over.
    pub trail: f64,
}

/// Who takes liquidity, when and how much.
#[derive(Debug, Clone)]
pub struct Taking {
    /// Gaps between takers, ms, by where the gap before lay between `bounds`.
    pub gaps: Vec<Quantiles>,
    /// Ascending bounds of the classes of gaps, ms; one less than `gaps`.
    pub bounds: Vec<f64>,
    /// Chance that a taker has the side of the one `1, 2, …` before it.
    pub memory: Vec<f64>,
    /// Chance that a taker's side is chosen by the queues: the thinner one is hit.
    pub pressure: f64,
    /// Sizes of orders, lots.
    pub size: Quantiles,
    /// Share of what is left of an order that one resting order fills, by where that lies
    /// between `steps`.
    pub shares: Vec<Quantiles>,
    /// Ascending bounds of the classes of what is left, lots; one less than `shares`.
    pub steps: Vec<f64>,
}

/// All numbers of the event-by-event market.
#[derive(Debug, Clone)]
pub struct Parameters {
    /// First price, ticks.
    pub price: i64,
    /// The touch.
    pub touch: TouchQueue,
    /// What lies behind it, from distance 1 on without a hole.
    pub bands: Vec<Band>,
    /// Closing of the spread.
    pub closing: Closing,
    /// Takers.
    pub taking: Taking,
}

impl Parameters {
    /// Checks that the numbers make a market.
    ///
    /// # Errors
    /// [`FlowError`] names the first that does not.
    pub fn check(&self) -> Result<(), FlowError> {
        let is_price = (4 * FARTHEST..1 << 40).contains(&self.price);
        FlowError::unless(is_price, "price", "ticks from 16384 to 2^40")?;
        self.check_bands()?;
        self.check_changes()?;
        self.closing.check()?;
        self.taking.check()
    }

    fn check_bands(&self) -> Result<(), FlowError> {
        let bands = &self.bands;
        let is_chain = bands.first().is_some_and(|band| band.from == 1)
            && bands.windows(2).all(|pair| pair[0].to == pair[1].from)
            && bands.iter().all(|band| band.from < band.to);
        FlowError::unless(is_chain, "bands", "distances from 1 on without a hole")?;
        FlowError::unless(self.reach() <= FARTHEST, "bands", "no distance above 4096")
    }

    fn check_changes(&self) -> Result<(), FlowError> {
        let (touch, bands) = (&self.touch, &self.bands);
        let rates = bands.iter().flat_map(|b| [b.arrival, b.cancel, b.change]);
        let is_good = rates.chain([touch.change, touch.cancel]).all(is_positive);
        FlowError::unless(is_good, "rates", "finite numbers above 0")?;
        let mut steps = bands.iter().map(|b| b.step).chain([touch.step]);
        let is_good = steps.all(|step| is_positive(step) && step <= 1.0);
        FlowError::unless(is_good, "steps", "numbers above 0, up to 1")?;
        let mut renewals = bands.iter().map(|b| b.renew).chain([touch.renew]);
        FlowError::unless(renewals.all(is_chance), "renewals", "numbers from 0 to 1")
    }

    /// Ticks from the touch within which a side has levels.
    #[must_use]
    pub fn reach(&self) -> i64 {
        self.bands.last().map_or(0, |band| band.to)
    }
}

impl Closing {
    fn check(self) -> Result<(), FlowError> {
        let is_good = is_positive(self.delay) && self.whole > 0.0;
        FlowError::unless(
            is_good,
            "closing",
            "a delay and a chance of all of it above 0",
        )?;
        let is_good = [self.follow, self.whole, self.trail]
            .into_iter()
            .all(is_chance);
        FlowError::unless(is_good, "closing", "chances from 0 to 1")
    }
}

impl Taking {
    fn check(&self) -> Result<(), FlowError> {
        let acted: f64 = self.memory.iter().sum::<f64>() + self.pressure;
        let mut chances = self.memory.iter().copied().chain([self.pressure, acted]);
        let is_good = chances.all(is_chance);
        FlowError::unless(
            is_good,
            "memory",
            "chances that make no more than 1 with pressure",
        )?;
        let is_good = self.gaps.len() == self.bounds.len() + 1
            && self.gaps.iter().all(|gap| gap.mean() > 0.0);
        FlowError::unless(is_good, "gaps", "one more than bounds, none of only zeros")?;
        let is_good = self.shares.len() == self.steps.len() + 1;
        FlowError::unless(is_good, "shares", "one more than steps")
    }
}

fn is_positive(value: f64) -> bool {
    value.is_finite() && value > 0.0
}

fn is_chance(value: f64) -> bool {
    (0.0..=1.0).contains(&value)
}
