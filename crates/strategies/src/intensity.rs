use std::collections::VecDeque;

use cq_types::Ts;

/// What happened between two decisions.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Step {
    /// Length, ns.
    pub(crate) span: Ts,
    /// Move of the middle, ticks.
    pub(crate) moved: f64,
    /// How far from the middle at its begin trades reached, ticks; none if there were none.
    pub(crate) reached: Option<f64>,
}

/// How often trades reach a distance from the middle, `a exp(-k distance)` a second, and how much
/// the middle moves.
#[derive(Debug, Clone, Copy, PartialEq)]
pub(crate) struct Market {
    /// Trades a second at distance zero.
    pub(crate) a: f64,
    /// Decay, per tick.
    pub(crate) k: f64,
    /// Volatility, ticks per square root of a second.
    pub(crate) sigma: f64,
}

/// The last steps, on which the market is fitted.
#[derive(Debug, Clone)]
pub(crate) struct Window {
    steps: VecDeque<Step>,
    length: usize,
    /// Distances on which the intensity is fitted, ticks: 1 to this.
    reach: usize,
}

impl Window {
    pub(crate) fn new(length: usize, reach: usize) -> Self {
        Self {
            steps: VecDeque::with_capacity(length),
            length,
            reach,
        }
    }

    pub(crate) fn push(&mut self, step: Step) {
        if self.steps.len() == self.length {
            self.steps.pop_front();
        }
        self.steps.push_back(step);
    }

    pub(crate) fn is_full(&self) -> bool {
        self.steps.len() == self.length
    }

    /// Fits the market: a quote at a distance is reached in a step whose trades came as far, and
    /// the logarithms of these frequencies lie on a line, by least squares. `None` where fewer
    /// than two distances were reached, or they tell of no decay.
    pub(crate) fn fit(&self) -> Option<Market> {
        let span: Ts = self.steps.iter().map(|step| step.span).sum();
        let seconds = span as f64 / 1e9;
        let mut exactly = vec![0_u32; self.reach + 1];
        for reached in self.steps.iter().filter_map(|step| step.reached) {
            #[allow(clippy::cast_possible_truncation, clippy::cast_sign_loss)] // clamped
            let whole = reached.floor().clamp(0.0, self.reach as f64) as usize;
            exactly[whole] += 1;
        }
        let mut count = exactly[self.reach];
        let mut points = Vec::with_capacity(self.reach);
        for distance in (1..=self.reach).rev() {
            if count > 0 {
                points.push((distance as f64, (f64::from(count) / seconds).ln()));
            }
            count += exactly[distance - 1];
        }
        let (slope, level) = line_through(&points)?;
        let squares: f64 = self.steps.iter().map(|step| step.moved.powi(2)).sum();
        let market = Market {
            a: level.exp(),
            k: -slope,
            sigma: (squares / seconds).sqrt(),
        };
        (market.k > 0.0 && market.a.is_finite() && market.sigma.is_finite()).then_some(market)
    }
}

/// Slope and intercept by least squares.
fn line_through(points: &[(f64, f64)]) -> Option<(f64, f64)> {
    if points.len() < 2 {
        return None;
    }
    let n = points.len() as f64;
    let mean = |of: fn(&(f64, f64)) -> f64| points.iter().map(of).sum::<f64>() / n;
    let (x, y) = (mean(|p| p.0), mean(|p| p.1));
    let across: f64 = points.iter().map(|p| (p.0 - x) * (p.1 - y)).sum();
    let along: f64 = points.iter().map(|p| (p.0 - x).powi(2)).sum();
    let slope = across / along;
    Some((slope, y - slope * x))
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Ts = 1_000_000_000;

    fn window(reached: &[Option<f64>], reach: usize) -> Window {
        let mut window = Window::new(reached.len(), reach);
        for (at, reached) in reached.iter().enumerate() {
            assert!(!window.is_full());
            window.push(Step {
                span: SECOND,
                moved: if at % 2 == 0 { 3.0 } else { -4.0 },
                reached: *reached,
            });
        }
        assert!(window.is_full());
        window
    }

    #[test]
    fn halving_with_each_tick_is_a_decay_of_ln_2() {
        // Eight steps of a second: 1 tick is reached in 4, 2 ticks in 2, 3 ticks in 1.
        let reached = [
            Some(1.5),
            Some(1.0),
            Some(2.5),
            Some(3.0),
            Some(0.5),
            None,
            None,
            None,
        ];
        let market = window(&reached, 5).fit().unwrap_or_else(|| unreachable!());
        // Frequencies 4/8, 2/8, 1/8 a second: exp(-k) = 1/2, and 1 a second at distance 0.
        assert!((market.k - 2.0_f64.ln()).abs() < 1e-12);
        assert!((market.a - 1.0).abs() < 1e-12);
        // (4 * 9 + 4 * 16) square ticks in 8 s.
        assert!((market.sigma - 12.5_f64.sqrt()).abs() < 1e-12);
    }

    #[test]
    fn what_reaches_beyond_counts_for_the_furthest_distance() {
        let reached = [Some(100.0), Some(1.0), None, None];
        let market = window(&reached, 2).fit().unwrap_or_else(|| unreachable!());
        assert!((market.k - 2.0_f64.ln()).abs() < 1e-12); // 2 of 4, 1 of 4
    }

    #[test]
    fn nothing_is_fitted_on_too_little() {
        assert_eq!(window(&[None, None], 3).fit(), None);
        assert_eq!(
            window(&[Some(1.0), Some(0.2)], 3).fit(),
            None,
            "one distance"
        );
        assert_eq!(window(&[Some(2.0), Some(2.0)], 2).fit(), None, "no decay");
    }

    #[test]
    fn old_steps_leave() {
        let mut window = window(&[Some(1.0), None], 3);
        for _ in 0..2 {
            window.push(Step {
                span: SECOND,
                moved: 0.0,
                reached: None,
            });
        }
        assert_eq!(window.steps.len(), 2);
        assert!(window.steps.iter().all(|step| step.reached.is_none()));
    }
}
