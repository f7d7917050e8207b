use crate::alias::Alias;
use crate::parameters::Taking;
use crate::quantiles::lots;
use crate::rng::Rng;

/// When takers come, on which side and for how much.
///
/// Gaps are a Markov renewal process: short ones follow short ones. Sides are a discrete
/// autoregressive process (Jacobs, Lewis 1978; Taranto et al. 2018 for order flow): a taker
/// mostly has the side of one of those before it, which is how split orders look.
#[derive(Debug, Clone)]
pub(crate) struct Takers {
    taking: Taking,
    lags: Alias,
    memory: f64,
    class: usize,
    /// The newest sides, in a ring.
    sides: Vec<bool>,
    newest: usize,
}

impl Takers {
    pub(crate) fn new(taking: Taking, rng: &mut Rng) -> Self {
        let memory = taking.memory.iter().sum();
        let weights = if memory > 0.0 {
            &taking.memory[..]
        } else {
            &[1.0]
        };
        let sides = weights.iter().map(|_| rng.bit()).collect();
        Self {
            lags: Alias::new(weights),
            memory,
            class: taking.gaps.len() / 2,
            sides,
            newest: 0,
            taking,
        }
    }

    /// Milliseconds to the next taker.
    pub(crate) fn gap(&mut self, rng: &mut Rng) -> f64 {
        let gap = self.taking.gaps[self.class].draw(rng);
        self.class = self.taking.bounds.partition_point(|bound| *bound <= gap);
        gap
    }

    /// Whether the next taker buys.
    ///
    /// `lean` in [-1, 1] is the tilt of who acts on their own, `bids` the share of the touch's
    /// quantity that bids.
    pub(crate) fn is_buy(&mut self, lean: f64, bids: f64, rng: &mut Rng) -> bool {
        let n = self.sides.len();
        let chance = rng.unit();
        let is_buy = if chance < self.memory {
            self.sides[(self.newest + n - self.lags.draw(rng)) % n]
        } else if chance < self.memory + self.taking.pressure {
            rng.is_hit(bids)
        } else {
            rng.is_hit(f64::midpoint(1.0, lean))
        };
        self.newest = (self.newest + 1) % n;
        self.sides[self.newest] = is_buy;
        is_buy
    }

    pub(crate) fn size(&self, rng: &mut Rng) -> i64 {
        self.taking.size.draw_lots(rng)
    }

    /// How much of what is left of an order the next resting one fills.
    pub(crate) fn fill(&self, left: i64, rng: &mut Rng) -> i64 {
        let size = left as f64;
        let class = self.taking.steps.partition_point(|step| *step <= size);
        lots(size * self.taking.shares[class].draw(rng)).min(left)
    }
}
