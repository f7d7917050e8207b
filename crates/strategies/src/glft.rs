use cq_line::{Line, LineError, Strategy, Wake};
use cq_types::{Side, Ts};

use crate::intensity::{Market, Step, Window};
use crate::parameters::Parameters;
use crate::quotes::{Board, Quotes, WIDEST};
use crate::{Desk, ParameterError, Touch};

/// A market maker that quotes as Guéant, Lehalle and Fernandez-Tapia derived: one quote a side,
/// as far from the middle as the risk of holding and the chance of being reached balance, both
/// moved against the position.
///
/// The closed form is the asymptotic approximation of "Dealing with the inventory risk: a
/// solution to the market making problem", Mathematics and Financial Economics 7 (2013), section
/// 4, for quotes of one unit. Trades reach a distance `d` from the middle `a exp(-k d)` times a
/// second and the middle moves `sigma` ticks in a second's root; both are fitted on the last
/// `window` wake-ups of the clock, again every `refit` of them. It quotes once the window is
/// full, and stops where nothing can be fitted.
#[derive(Debug, Clone)]
pub struct Glft {
    desk: Desk,
    /// Aversion to risk, per tick and quote held.
    gamma: f64,
    /// Quantity of a quote, grid units.
    qty: i64,
    /// Position at which a side is no longer quoted, grid units.
    most: i64,
    refit: i64,
    window: Window,
    since_fit: i64,
    market: Option<Market>,
    before: Option<(Ts, f64)>,
    board: Board,
}

/// How far the quotes of a flat position are from the middle, and how far each unit held moves
/// them, ticks.
fn distances(gamma: f64, market: Market) -> (f64, f64) {
    let Market { a, k, sigma } = market;
    let fill = (gamma / k).ln_1p() / gamma;
    let hold = (gamma / (2.0 * a * k) * (1.0 + gamma / k).powf(k / gamma + 1.0)).sqrt();
    (fill + 0.5 * sigma * hold, sigma * hold)
}

impl Glft {
    pub(crate) const PARAMETERS: [&'static str; 6] =
        ["gamma", "window", "refit", "reach", "quantity", "most"];

    pub(crate) fn build(given: Parameters<'_>, desk: Desk) -> Result<Self, ParameterError> {
        let size = |name, least, most| {
            let number = given.whole(name, least, most)?;
            Ok(usize::try_from(number).unwrap_or(usize::MAX))
        };
        let gamma = given.real("gamma", 0.0, f64::INFINITY)?;
        let window = Window::new(size("window", 2, 1_000_000)?, size("reach", 2, 10_000)?);
        Ok(Self {
            desk,
            gamma,
            qty: given.whole("quantity", 1, i64::MAX)?,
            most: given.whole("most", 1, i64::MAX)?,
            refit: given.whole("refit", 1, 1_000_000)?,
            window,
            since_fit: 0,
            market: None,
            before: None,
            board: Board::default(),
        })
    }

    /// Learns what happened since the last wake-up of the clock.
    fn observe(&mut self, line: &mut Line, tick: i64, touch: Option<Touch>) {
        let trades = line.take_trades(self.desk.instrument());
        let now = line.now();
        let middle = touch.map(|touch| (touch.bid + touch.ask) as f64 / 2.0);
        let before = std::mem::replace(&mut self.before, middle.map(|middle| (now, middle)));
        let (Some(middle), Some((since, begun))) = (middle, before) else {
            return;
        };
        let distance = |px: i64, side: Side| side.sign() as f64 * ((px / tick) as f64 - begun);
        let away = trades.iter().map(|trade| distance(trade.px.0, trade.side));
        self.window.push(Step {
            span: now - since,
            moved: middle - begun,
            reached: away.filter(|away| *away >= 0.0).reduce(f64::max),
        });
        self.since_fit += 1;
        if self.window.is_full() && (self.since_fit >= self.refit || self.market.is_none()) {
            self.market = self.window.fit();
            self.since_fit = 0;
        }
    }

    fn quotes(&self, market: Market, touch: Touch, position: i64) -> [Quotes; 2] {
        let (half, skew) = distances(self.gamma, market);
        let centre =
            (touch.bid + touch.ask) as f64 / 2.0 - skew * position as f64 / self.qty as f64;
        let furthest = WIDEST as f64;
        let away = |from: f64, price: f64| (price - from).clamp(-furthest, furthest);
        #[allow(clippy::cast_possible_truncation)] // clamped
        let (low, high) = (
            touch.bid + away(touch.bid as f64, centre - half).floor() as i64,
            touch.ask + away(touch.ask as f64, centre + half).ceil() as i64,
        );
        let side = |best, step, may: bool| Quotes {
            best,
            step,
            levels: i64::from(may),
        };
        [
            side(low.min(touch.bid), -1, position < self.most),
            side(high.max(touch.ask), 1, position > -self.most),
        ]
    }
}

impl Strategy for Glft {
    fn decide(&mut self, line: &mut Line, wake: Wake) -> Result<(), LineError> {
        if wake != Wake::Timer {
            return Ok(());
        }
        let tick = self.desk.tick(line);
        let touch = self.desk.touch(line, tick);
        self.observe(line, tick, touch);
        let Some(touch) = touch else {
            return Ok(());
        };
        let position = self.desk.position(line);
        let quotes = match self.market {
            Some(market) => self.quotes(market, touch, position),
            None => [-1, 1].map(|step| Quotes {
                best: 0,
                step,
                levels: 0,
            }),
        };
        self.board.show(line, &mut self.desk, quotes, self.qty)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const MARKET: Market = Market {
        a: 1.5,
        k: 0.2,
        sigma: 3.0,
    };

    fn maker(qty: i64, most: i64) -> Glft {
        Glft {
            desk: Desk::new(0, 0, 1),
            gamma: 0.05,
            qty,
            most,
            refit: 1,
            window: Window::new(2, 2),
            since_fit: 0,
            market: Some(MARKET),
            before: None,
            board: Board::default(),
        }
    }

    #[test]
    fn the_closed_form_is_right_to_the_last_digits() {
        // Reckoned with 40 digits.
        let (half, skew) = distances(0.05, MARKET);
        assert!((half - 5.219_313_086_090_331).abs() < 1e-12);
        assert!((skew - 1.512_884_119_612_272).abs() < 1e-12);
    }

    #[test]
    fn quotes_are_rounded_outwards_and_lean_against_the_position() {
        let touch = Touch {
            bid: 1_000,
            ask: 1_001,
        };
        let best = |position| {
            maker(10, 100)
                .quotes(MARKET, touch, position)
                .map(|q| q.best)
        };
        assert_eq!(best(0), [995, 1_006]); // 1000.5 -+ 5.219
        assert_eq!(best(20), [992, 1_003]); // 3.026 lower: 992.255 and 1002.694
        assert_eq!(best(-20), [998, 1_009]);
        assert_eq!(best(50), [987, 1_001], "never through the market: 998.155");
    }

    #[test]
    fn a_full_side_is_not_quoted() {
        let touch = Touch { bid: 10, ask: 11 };
        let levels = |position| {
            maker(10, 100)
                .quotes(MARKET, touch, position)
                .map(|q| q.levels)
        };
        assert_eq!(levels(99), [1, 1]);
        assert_eq!(levels(100), [0, 1]);
        assert_eq!(levels(-100), [1, 0]);
    }
}
