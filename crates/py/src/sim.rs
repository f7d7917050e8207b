//! Settings of the simulated venue, from a dictionary.

use std::collections::BTreeMap;
use std::str::FromStr;

use cq_ledger::{MarginMode, Reducing};
use cq_sim::{
    Amend, Latencies, OrderRate, Queue, RoundTrip, SelfTrade, SimConfig, StopMargin,
    TriggeredStops, WaitingAmends,
};
use cq_types::Ts;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use rust_decimal::prelude::ToPrimitive;
use rust_decimal::Decimal;

use crate::collateral::multi_assets;

const KEYS: [&str; 34] = [
    "entry_latency_ns",
    "response_latency_ns",
    "latency_rows",
    "entry_samples_ns",
    "response_samples_ns",
    "latency_seed",
    "queue",
    "queue_exponent",
    "max_orders",
    "max_trigger_orders",
    "max_order_rate",
    "partial_fills",
    "walks_book",
    "snapshot_edge",
    "late_trades",
    "exact_queues",
    "self_trade",
    "amend",
    "half_spread_bps",
    "slippage_floor_bps",
    "impact_y",
    "tick_impact_y",
    "max_participation",
    "cost_multiplier",
    "margin",
    "reducing",
    "funding_jitter_ns",
    "insurance_fund",
    "triggered_stops",
    "stop_margin",
    "waiting_amends",
    "multi_assets",
    "transfer_delay_ns",
    "transfer_fees",
];
const WHOLE: &str = "a whole number of 0 or more";
const TRIGGERED_STOPS: [(&str, TriggeredStops); 2] = [
    ("trade", TriggeredStops::Trade),
    ("refuse", TriggeredStops::Refuse),
];
const STOP_MARGIN: [(&str, StopMargin); 2] = [
    ("arrival_and_trigger", StopMargin::ArrivalAndTrigger),
    ("trigger", StopMargin::Trigger),
];
const WAITING_AMENDS: [(&str, WaitingAmends); 2] = [
    ("refuse", WaitingAmends::Refuse),
    ("take", WaitingAmends::Take),
];
const MARGIN: [(&str, MarginMode); 2] = [
    ("cross", MarginMode::Cross),
    ("isolated", MarginMode::Isolated),
];
const REDUCING: [(&str, Reducing); 3] = [
    ("one_order", Reducing::OneOrder),
    ("fill_or_kill", Reducing::FillOrKill),
    ("two_tiers", Reducing::TwoTiers),
];
const SELF_TRADE: [(&str, SelfTrade); 4] = [
    ("ignore", SelfTrade::Ignore),
    ("expire_taker", SelfTrade::ExpireTaker),
    ("expire_maker", SelfTrade::ExpireMaker),
    ("expire_both", SelfTrade::ExpireBoth),
];
const AMEND: [(&str, Amend); 2] = [
    ("loses_place", Amend::LosesPlace),
    ("keeps_on_decrease", Amend::KeepsOnDecrease),
];

/// Latencies as they are given: rows win over samples, samples over constants.
struct LatencyArgs {
    entry: Ts,
    response: Ts,
    rows: Option<Vec<RoundTrip>>,
    samples: (Option<Vec<Ts>>, Option<Vec<Ts>>),
    seed: u64,
}

impl Default for LatencyArgs {
    fn default() -> Self {
        Self {
            entry: 50_000_000,
            response: 50_000_000,
            rows: None,
            samples: (None, None),
            seed: 0,
        }
    }
}

impl From<LatencyArgs> for Latencies {
    fn from(args: LatencyArgs) -> Self {
        if let Some(rows) = args.rows {
            return Self::Recorded(rows.into());
        }
        if let (None, None) = args.samples {
            return Self::Constant {
                entry: args.entry,
                response: args.response,
            };
        }
        let or = |samples: Option<Vec<Ts>>, constant| samples.unwrap_or_else(|| vec![constant]);
        Self::Sampled {
            entry: or(args.samples.0, args.entry).into(),
            response: or(args.samples.1, args.response).into(),
            seed: args.seed,
        }
    }
}

/// What was read of a setting, or an error that names it.
fn said<T, E>(
    read: Result<T, E>,
    key: &str,
    value: &Bound<'_, PyAny>,
    expected: &str,
) -> PyResult<T> {
    read.or_else(|_| {
        let was = value.repr()?;
        let text = format!("sim.{key}: expected {expected}, was {was}");
        Err(PyValueError::new_err(text))
    })
}

fn flag(key: &str, value: &Bound<'_, PyAny>) -> PyResult<bool> {
    said(value.extract(), key, value, "True or False")
}

fn number(key: &str, value: &Bound<'_, PyAny>) -> PyResult<f64> {
    said(value.extract(), key, value, "a number")
}

/// Looked at here because a queue without an exponent takes none, good or bad.
fn exponent_of(key: &str, value: &Bound<'_, PyAny>) -> PyResult<f64> {
    let exponent = number(key, value)?;
    let read = Some(exponent).filter(|n| *n > 0.0 && *n <= 100.0);
    said(read.ok_or(()), key, value, "above 0, at most 100")
}

fn samples(key: &str, value: &Bound<'_, PyAny>) -> PyResult<Vec<Ts>> {
    said(value.extract(), key, value, "a list of whole ns")
}

/// Rows of (sent, at the venue, answered); a time at the venue that is not positive says that
/// the message was turned away.
fn rows(key: &str, value: &Bound<'_, PyAny>) -> PyResult<Vec<RoundTrip>> {
    let expected = "rows of (sent, at the venue, answered) in whole ns";
    let rows: Vec<(Ts, Ts, Ts)> = said(value.extract(), key, value, expected)?;
    let trip = |(sent, venue, answered)| RoundTrip {
        sent,
        venue: Some(venue).filter(|ts| *ts > 0),
        answered,
    };
    Ok(rows.into_iter().map(trip).collect())
}

/// Rows of (orders, in how long, ns).
fn rates(key: &str, value: &Bound<'_, PyAny>) -> PyResult<Vec<OrderRate>> {
    let expected = "rows of (orders, ns) in whole numbers";
    let rows: Vec<(usize, Ts)> = said(value.extract(), key, value, expected)?;
    let rate = |(orders, window)| OrderRate { orders, window };
    Ok(rows.into_iter().map(rate).collect())
}

/// The code that a venue gives for a reason of the simulated one, where it has one.
///
/// A reason that the simulated venue does not give is an error.
#[pyfunction]
#[pyo3(name = "reject_code")]
pub(crate) fn py_reject_code(reason: &str) -> PyResult<Option<i32>> {
    cq_sim::reject_code(reason).ok_or_else(|| {
        let known: Vec<_> = cq_sim::REASONS.iter().map(|(name, _)| *name).collect();
        let known = known.join(", ");
        PyValueError::new_err(format!("reason: expected one of {known}, was {reason:?}"))
    })
}

fn one_of<T: Copy>(key: &str, value: &Bound<'_, PyAny>, known: &[(&str, T)]) -> PyResult<T> {
    let name: String = said(value.extract(), key, value, "a name")?;
    let found = known.iter().find(|(known, _)| *known == name);
    found.map(|(_, rule)| *rule).ok_or_else(|| {
        let names: Vec<_> = known.iter().map(|(name, _)| *name).collect();
        let names = names.join(", ");
        PyValueError::new_err(format!("sim.{key}: expected one of {names}, was {name:?}"))
    })
}

/// A number of any Python type, read from its text so that 0.1 means 0.1.
fn exact(key: &str, value: &Bound<'_, PyAny>) -> PyResult<Decimal> {
    let text = value.str()?.to_string();
    let number = Decimal::from_str(&text).or_else(|_| Decimal::from_scientific(&text));
    number.map_err(|_| PyValueError::new_err(format!("sim.{key}: expected a number, was {text:?}")))
}

fn whole(key: &str, value: &Bound<'_, PyAny>) -> PyResult<Ts> {
    let number = exact(key, value)?;
    let whole = Some(number).filter(Decimal::is_integer);
    whole.and_then(|n| n.to_i64()).ok_or_else(|| {
        PyValueError::new_err(format!("sim.{key}: expected a whole number, was {number}"))
    })
}

/// Settings of several venues, by name; what is wrong with one is said with its name.
pub(crate) fn venue_configs(
    settings: &BTreeMap<String, Bound<'_, PyDict>>,
) -> PyResult<BTreeMap<String, SimConfig>> {
    let each = settings.iter().map(|(name, own)| {
        let config = sim_config(own).map_err(|error| {
            PyValueError::new_err(format!("venue {name}: {}", error.value(own.py())))
        })?;
        Ok((name.clone(), config))
    });
    each.collect()
}

pub(crate) fn sim_config(settings: &Bound<'_, PyDict>) -> PyResult<SimConfig> {
    let mut config = SimConfig::default();
    let mut latency = LatencyArgs::default();
    let (mut queue, mut exponent) = ("risk_averse".to_owned(), 2.0);
    let bps = Decimal::new(1, 4);
    for (key, value) in settings {
        let key: String = key.extract()?;
        match key.as_str() {
            "entry_latency_ns" => latency.entry = whole(&key, &value)?,
            "response_latency_ns" => latency.response = whole(&key, &value)?,
            "latency_rows" => latency.rows = Some(rows(&key, &value)?),
            "entry_samples_ns" => latency.samples.0 = Some(samples(&key, &value)?),
            "response_samples_ns" => latency.samples.1 = Some(samples(&key, &value)?),
            "latency_seed" => latency.seed = said(value.extract(), &key, &value, WHOLE)?,
            "queue" => queue = said(value.extract(), &key, &value, "a name")?,
            "queue_exponent" => exponent = exponent_of(&key, &value)?,
            "max_orders" => config.max_orders[0] = said(value.extract(), &key, &value, WHOLE)?,
            "max_trigger_orders" => {
                config.max_orders[1] = said(value.extract(), &key, &value, WHOLE)?;
            }
            "max_order_rate" => config.max_order_rate = rates(&key, &value)?,
            "partial_fills" => config.matching.partial_fills = flag(&key, &value)?,
            "walks_book" => config.matching.walks_book = flag(&key, &value)?,
            "snapshot_edge" => config.matching.snapshot_edge = flag(&key, &value)?,
            "late_trades" => config.matching.late_trades = flag(&key, &value)?,
            "exact_queues" => config.matching.exact_queues = flag(&key, &value)?,
            "self_trade" => config.matching.self_trade = one_of(&key, &value, &SELF_TRADE)?,
            "amend" => config.matching.amend = one_of(&key, &value, &AMEND)?,
            "half_spread_bps" => config.half_spread = exact(&key, &value)? * bps,
            "slippage_floor_bps" => config.slippage_floor = exact(&key, &value)? * bps,
            "impact_y" => config.impact = number(&key, &value)?,
            "tick_impact_y" => config.tick_impact = number(&key, &value)?,
            "max_participation" => config.participation = exact(&key, &value)?,
            "cost_multiplier" => config.cost_multiplier = exact(&key, &value)?,
            "margin" => config.margin = one_of(&key, &value, &MARGIN)?,
            "reducing" => config.reducing = one_of(&key, &value, &REDUCING)?,
            "funding_jitter_ns" => config.funding_jitter = whole(&key, &value)?,
            "insurance_fund" => config.insurance_fund = Some(exact(&key, &value)?),
            "triggered_stops" => {
                config.triggered_stops = one_of(&key, &value, &TRIGGERED_STOPS)?;
            }
            "stop_margin" => config.stop_margin = one_of(&key, &value, &STOP_MARGIN)?,
            "waiting_amends" => {
                config.waiting_amends = one_of(&key, &value, &WAITING_AMENDS)?;
            }
            "multi_assets" => config.multi_assets = Some(multi_assets(&value)?),
            "transfer_delay_ns" => config.transfer_delay = whole(&key, &value)?,
            "transfer_fees" => {
                config.transfer_fees = said(value.extract(), &key, &value, "rows of (asset, fee)")?;
            }
            _ => {
                let text = format!(
                    "sim.{key}: unknown key; expected one of {}",
                    KEYS.join(", ")
                );
                return Err(PyValueError::new_err(text));
            }
        }
    }
    config.queue = Queue::named(&queue, exponent).ok_or_else(|| {
        let known = Queue::NAMES.join(", ");
        PyValueError::new_err(format!("sim.queue: expected one of {known}, was {queue:?}"))
    })?;
    config.latency = latency.into();
    Ok(config)
}
