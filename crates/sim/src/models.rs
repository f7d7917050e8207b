use cq_ledger::{MarginMode, MultiAssets, Reducing};
use cq_types::Ts;
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::Decimal;
use thiserror::Error;

use crate::latency::Latencies;
use crate::matching::Matching;
use crate::queue::Queue;
use crate::rate::OrderRate;

/// Parts of a unit that fractions of a price are counted in: integers keep them exact.
pub(crate) const PPB: i128 = 1_000_000_000;

/// Longest way to the venue in bars mode, ns: the fill keeps its bar's open as price, which a
/// longer way would flatter.
const MAX_BARS_ENTRY: Ts = 1_000_000_000;

/// Longest way of money between two wallets, ns.
const MAX_TRANSFER: Ts = 30 * 86_400 * 1_000_000_000;

/// A setting of the simulated venue that cannot be used.
#[derive(Debug, Clone, PartialEq, Eq, Error)]
#[error("sim.{key}: expected {expected}, was {found}")]
pub struct SimError {
    /// Which setting.
    pub key: &'static str,
    /// What it must be.
    pub expected: &'static str,
    /// What it was.
    pub found: String,
}

/// What is assumed of the venue.
#[derive(Debug, Clone, PartialEq)]
pub struct SimConfig {
    /// How long messages travel.
    pub latency: Latencies,
    /// Where orders stand in their queues, of instruments that trade on recorded books.
    pub queue: Queue,
    /// How those books are matched.
    pub matching: Matching,
    /// Most orders of an instrument that work at once, and most that wait for a trigger.
    pub max_orders: [usize; 2],
    /// How fast orders and amendments may follow each other; no row: as fast as one likes.
    pub max_order_rate: Vec<OrderRate>,
    /// Half of the bid-ask spread assumed in bars mode, a fraction of price.
    pub half_spread: Decimal,
    /// Least worsening of a taker's fill in bars mode, a fraction of price.
    pub slippage_floor: Decimal,
    /// `Y` of the square-root law in bars mode.
    pub impact: f64,
    /// `Y` of the square-root law on recorded books, beyond what a taker's walk costs; zero: off.
    pub tick_impact: f64,
    /// Largest part of a bar's volume that our orders may take.
    pub participation: Decimal,
    /// Multiplies spread, impact and paid fees: a stress.
    pub cost_multiplier: Decimal,
    /// What the losses of a contract are paid from.
    pub margin: MarginMode,
    /// How a position is reduced before it is taken over.
    pub reducing: Reducing,
    /// How far from a settlement a fill may still count for it, ns: then it pays adverse
    /// funding and receives none. Zero: only the position at the settlement counts.
    pub funding_jitter: Ts,
    /// What the insurance fund holds in each settle asset; `None`: it is never empty.
    pub insurance_fund: Option<Decimal>,
    /// What becomes of a stop that arrives when its trigger has been reached.
    pub triggered_stops: TriggeredStops,
    /// When a stop, take-profit or trailing stop that may open is asked for its margin.
    pub stop_margin: StopMargin,
    /// What becomes of an amendment of an order that waits for its trigger.
    pub waiting_amends: WaitingAmends,
    /// The wallet whose assets margin its contracts together; `None`: each wallet is margined in
    /// its own asset. Cross margin only.
    pub multi_assets: Option<MultiAssets>,
    /// How long money is on its way between two wallets, ns.
    pub transfer_delay: Ts,
    /// What the sender of a transfer pays on top, by asset; nothing for others.
    pub transfer_fees: Vec<(String, Decimal)>,
}

/// What a venue does with a stop or take-profit whose trigger has been reached already.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum TriggeredStops {
    /// It is triggered at once.
    #[default]
    Trade,
    /// It is refused (Binance).
    Refuse,
}

/// When a venue asks an order that waits for a trigger for its margin.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum StopMargin {
    /// On arrival, as if it opened then, and again when it is triggered (Binance USD-M before
    /// 2025-12-09).
    #[default]
    ArrivalAndTrigger,
    /// Only when it is triggered (Binance USD-M since then, Bybit).
    Trigger,
}

/// What a venue does with an amendment of an order that waits for its trigger.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
pub enum WaitingAmends {
    /// It is refused: only limit orders are amended (Binance futures).
    #[default]
    Refuse,
    /// Its trigger can be moved, its limit and quantity changed (OKX, Bybit).
    Take,
}

impl Default for SimConfig {
    fn default() -> Self {
        Self {
            latency: Latencies::Constant {
                entry: 50_000_000,
                response: 50_000_000,
            },
            queue: Queue::RiskAverse,
            matching: Matching::VENUE,
            max_orders: [200, 200],
            max_order_rate: Vec::new(),
            half_spread: Decimal::ZERO,
            slippage_floor: Decimal::new(1, 4),
            impact: 1.0,
            tick_impact: 0.0,
            participation: Decimal::new(1, 2),
            cost_multiplier: Decimal::ONE,
            margin: MarginMode::Cross,
            reducing: Reducing::OneOrder,
            funding_jitter: 0,
            insurance_fund: None,
            triggered_stops: TriggeredStops::Trade,
            stop_margin: StopMargin::ArrivalAndTrigger,
            waiting_amends: WaitingAmends::Refuse,
            multi_assets: None,
            transfer_delay: 0,
            transfer_fees: Vec::new(),
        }
    }
}

/// [`SimConfig`] as integers, checked once.
#[derive(Debug, Clone)]
pub(crate) struct Costs {
    /// Spread part of a taker's worsening.
    pub(crate) spread_ppb: i64,
    /// Half spread alone: what a post-only order must not cross.
    pub(crate) touch_ppb: i64,
    pub(crate) participation_ppb: i64,
    pub(crate) multiplier: Decimal,
    pub(crate) multiplier_f64: f64,
}

impl Costs {
    /// Checks the settings; `has_bars` tells whether any instrument trades on bars.
    pub(crate) fn new(config: &SimConfig, has_bars: bool) -> Result<Self, SimError> {
        let hundred = Decimal::ONE_HUNDRED;
        let multiplier = config.cost_multiplier;
        if multiplier < Decimal::ZERO || multiplier > hundred {
            return Err(bad("cost_multiplier", "0 to 100", &multiplier));
        }
        if config
            .insurance_fund
            .is_some_and(|fund| fund < Decimal::ZERO)
        {
            let fund = config.insurance_fund.unwrap_or_default();
            return Err(bad(
                "insurance_fund",
                "an amount that is not negative",
                &fund,
            ));
        }
        if config.multi_assets.is_some() && config.margin != MarginMode::Cross {
            return Err(bad("multi_assets", "margin = \"cross\"", &"isolated"));
        }
        if !(0..=MAX_TRANSFER).contains(&config.transfer_delay) {
            let found = &config.transfer_delay;
            return Err(bad("transfer_delay_ns", "0 to 30 days in ns", found));
        }
        let is_paid = |fee: &Decimal| fee.is_sign_negative() && !fee.is_zero() || fee.scale() > 8;
        let mut fees = config.transfer_fees.iter();
        if let Some((_, fee)) = fees.find(|(_, fee)| is_paid(fee)) {
            let expected = "amounts that are not negative, of at most 8 decimals";
            return Err(bad("transfer_fees", expected, fee));
        }
        if !(0..=3_600_000_000_000).contains(&config.funding_jitter) {
            let found = &config.funding_jitter;
            return Err(bad("funding_jitter_ns", "0 to one hour in ns", found));
        }
        if let Some((key, expected, found)) = config.latency.flaw() {
            return Err(bad(key, expected, &found));
        }
        if let Some(n) = config.queue.exponent() {
            if !(n > 0.0 && n <= 100.0) {
                return Err(bad("queue_exponent", "above 0, at most 100", &n));
            }
        }
        if let Some(rate) = config.max_order_rate.iter().find(|rate| rate.window <= 0) {
            return Err(bad("max_order_rate", "windows above 0 ns", &rate.window));
        }
        let longest = config.latency.longest_entry();
        if has_bars && longest > MAX_BARS_ENTRY {
            return Err(bad(
                "entry_latency_ns",
                "at most 1 s in ns where an instrument trades on bars (an order fills at a \
                 bar's open, so bars cannot show what a longer way costs)",
                &longest,
            ));
        }
        for (key, y) in [
            ("impact_y", config.impact),
            ("tick_impact_y", config.tick_impact),
        ] {
            if !(0.0..=100.0).contains(&y) {
                return Err(bad(key, "0 to 100", &y));
            }
        }
        let half = ppb("half_spread_bps", "0 to 10000", config.half_spread)?;
        let floor = ppb("slippage_floor_bps", "0 to 10000", config.slippage_floor)?;
        Ok(Self {
            spread_ppb: stressed(half.max(floor), multiplier)?,
            touch_ppb: stressed(half, multiplier)?,
            participation_ppb: ppb(
                "max_participation",
                "a fraction from 0 to 1",
                config.participation,
            )?,
            multiplier,
            multiplier_f64: multiplier.to_f64().unwrap_or(1.0),
        })
    }
}

/// A fraction from 0 to 1 as an integer; finer parts than 10^-9 are refused.
fn ppb(key: &'static str, expected: &'static str, value: Decimal) -> Result<i64, SimError> {
    // Only what is inside is multiplied: a product of more may have no room.
    let inside = Some(value).filter(|v| (Decimal::ZERO..=Decimal::ONE).contains(v));
    let scaled = inside.map(|v| v * Decimal::from(1_000_000_000_i64));
    let whole = scaled.filter(Decimal::is_integer).and_then(|n| n.to_i64());
    whole.ok_or_else(|| bad(key, expected, &value))
}

fn stressed(ppb: i64, multiplier: Decimal) -> Result<i64, SimError> {
    let product = (Decimal::from(ppb) * multiplier).ceil();
    let key = "cost_multiplier";
    let whole = product.to_i64();
    whole.ok_or_else(|| bad(key, "a multiple that fits", &multiplier))
}

fn bad(key: &'static str, expected: &'static str, found: &impl ToString) -> SimError {
    SimError {
        key,
        expected,
        found: found.to_string(),
    }
}

/// How far our own quantity moves the price.
pub trait Impact: Send + Sync {
    /// Average fraction of price that the next `quantity` pays, where the same order has
    /// traded `before` it, of a day's `volume` at a day's volatility `sigma`.
    fn fraction(&self, before: f64, quantity: f64, volume: f64, sigma: f64) -> f64;
}

/// `Y * sigma_day * sqrt(Q / V_day)` on average over an order of `Q`, in however many slices.
///
/// The square-root law of market impact is one of the whole order, not of its slices: Tóth et
/// al., Phys. Rev. X 1, 021006 (2011). So an order that has filled `P` has cost
/// `Y * sigma * P^1.5 / sqrt(V)`, and the slice that takes it from `P` to `C` pays the
/// difference: `Y * sigma * (C^1.5 - P^1.5) / ((C - P) * sqrt(V))` on average. With
/// `a = sqrt(C / V)` and `b = sqrt(P / V)` that is `Y * sigma * (a + b^2 / (a + b))`: only
/// operations that IEEE 754 rounds exactly, nothing that cancels, and `a` for a first slice.
#[derive(Debug, Clone, Copy)]
pub struct SquareRoot {
    /// The factor, about one.
    pub y: f64,
}

impl Impact for SquareRoot {
    fn fraction(&self, before: f64, quantity: f64, volume: f64, sigma: f64) -> f64 {
        let after = before + quantity;
        if volume <= 0.0 || after <= 0.0 {
            return 0.0;
        }
        let (a, b) = ((after / volume).sqrt(), (before / volume).sqrt());
        self.y * sigma * (a + b * b / (a + b))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LAW: SquareRoot = SquareRoot { y: 0.8 };

    #[test]
    fn a_first_slice_pays_the_square_root() {
        let paid = LAW.fraction(0.0, 4.0, 400.0, 0.05);
        assert!((paid - 0.8 * 0.05 * 0.1).abs() < 1e-18);
        assert_eq!(LAW.fraction(0.0, 4.0, 0.0, 0.05).to_bits(), 0);
        assert_eq!(LAW.fraction(0.0, 0.0, 400.0, 0.05).to_bits(), 0);
    }

    #[test]
    fn slices_of_any_size_cost_together_what_the_whole_costs() {
        let slices = [7.0, 1.0, 250.0, 0.001, 42.0];
        let (mut done, mut cost) = (0.0, 0.0);
        for quantity in slices {
            cost += quantity * LAW.fraction(done, quantity, 1e4, 0.03);
            done += quantity;
        }
        let whole = done * LAW.fraction(0.0, done, 1e4, 0.03);
        assert!((cost / whole - 1.0).abs() < 1e-14);
    }

    #[test]
    fn a_later_slice_pays_the_marginal_impact() {
        // From 1 to 4 of 100: 0.03 (4^1.5 - 1) / (3 x 10) = 0.007 per unit of Y.
        let paid = LAW.fraction(1.0, 3.0, 100.0, 0.03);
        assert!((paid - 0.8 * 0.007).abs() < 1e-17);
    }
}
