//! `FlowRecorder` and `flow_minutes`: a made-up market as frames, and as minutes.

use cq_flow::{
    Band, Bars, Closing, Coarse, FlowError, Parameters, Quantiles, Recorder, SlowParameters,
    Streams, Taking, TouchQueue,
};
use cq_types::Grid;
use numpy::IntoPyArray;
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

fn value_error(error: FlowError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct TouchArg {
    change: f64,
    cancel: f64,
    renew: f64,
    step: f64,
    queue: Vec<f64>,
    fresh: Vec<f64>,
}

#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct BandArg {
    from: i64,
    to: i64,
    arrival: f64,
    cancel: f64,
    change: f64,
    renew: f64,
    step: f64,
    queue: Vec<f64>,
}

#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct ClosingArg {
    delay: f64,
    follow: f64,
    whole: f64,
    trail: f64,
}

#[derive(FromPyObject)]
#[pyo3(from_item_all)]
struct TakingArg {
    gaps: Vec<Vec<f64>>,
    bounds: Vec<f64>,
    memory: Vec<f64>,
    pressure: f64,
    size: Vec<f64>,
    steps: Vec<f64>,
    shares: Vec<Vec<f64>>,
}

/// The numbers of the event-by-event market, as `parameters.toml` has them.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct ParametersArg {
    price: i64,
    touch: TouchArg,
    band: Vec<BandArg>,
    closing: ClosingArg,
    taking: TakingArg,
}

/// Half-lives in minutes and standard deviations of the slow series.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct SlowArg {
    activity: [f64; 2],
    lean: [f64; 2],
    basis: [f64; 2],
    rate: [f64; 2],
    mean_rate: f64,
}

/// The flow summed over a quarter of a minute.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct CoarseArg {
    trades: f64,
    trades_sd: f64,
    volume: f64,
    volume_sd: f64,
    share_sd: f64,
    return_sd: f64,
    return_tail: f64,
    impact: f64,
    lean_return: f64,
}

/// What is recorded: symbol, decimals of prices and quantities, steps a tick, ms a frame.
#[derive(FromPyObject)]
#[pyo3(from_item_all)]
pub struct StreamsArg {
    symbol: String,
    price_exp: u8,
    qty_exp: u8,
    tick: i64,
    speed_ms: i64,
    with_quotes: bool,
}

impl TryFrom<ParametersArg> for Parameters {
    type Error = FlowError;

    fn try_from(arg: ParametersArg) -> Result<Self, FlowError> {
        let TakingArg {
            gaps,
            bounds,
            memory,
            pressure,
            size,
            steps,
            shares,
        } = arg.taking;
        let gaps = gaps.into_iter().map(|gap| Quantiles::new("gaps", gap));
        let shares = shares
            .into_iter()
            .map(|share| Quantiles::new("shares", share));
        let bands = arg.band.into_iter().map(|band| {
            Ok(Band {
                from: band.from,
                to: band.to,
                arrival: band.arrival,
                cancel: band.cancel,
                change: band.change,
                renew: band.renew,
                step: band.step,
                queue: Quantiles::new("band queue", band.queue)?,
            })
        });
        Ok(Self {
            price: arg.price,
            touch: TouchQueue {
                change: arg.touch.change,
                cancel: arg.touch.cancel,
                renew: arg.touch.renew,
                step: arg.touch.step,
                queue: Quantiles::new("touch queue", arg.touch.queue)?,
                fresh: Quantiles::new("fresh touch", arg.touch.fresh)?,
            },
            bands: bands.collect::<Result<_, FlowError>>()?,
            closing: Closing {
                delay: arg.closing.delay,
                follow: arg.closing.follow,
                whole: arg.closing.whole,
                trail: arg.closing.trail,
            },
            taking: Taking {
                gaps: gaps.collect::<Result<_, _>>()?,
                bounds,
                memory,
                pressure,
                size: Quantiles::new("taker size", size)?,
                shares: shares.collect::<Result<_, _>>()?,
                steps,
            },
        })
    }
}

impl From<SlowArg> for SlowParameters {
    fn from(arg: SlowArg) -> Self {
        Self {
            activity: arg.activity.into(),
            lean: arg.lean.into(),
            basis: arg.basis.into(),
            rate: arg.rate.into(),
            mean_rate: arg.mean_rate,
        }
    }
}

impl From<CoarseArg> for Coarse {
    fn from(arg: CoarseArg) -> Self {
        Self {
            trades: arg.trades,
            trades_sd: arg.trades_sd,
            volume: arg.volume,
            volume_sd: arg.volume_sd,
            share_sd: arg.share_sd,
            return_sd: arg.return_sd,
            return_tail: arg.return_tail,
            impact: arg.impact,
            lean_return: arg.lean_return,
        }
    }
}

impl From<StreamsArg> for Streams {
    fn from(arg: StreamsArg) -> Self {
        Self {
            symbol: arg.symbol,
            grid: Grid {
                price_exp: arg.price_exp,
                qty_exp: arg.qty_exp,
            },
            tick: arg.tick,
            speed_ms: arg.speed_ms,
            with_quotes: arg.with_quotes,
        }
    }
}

/// A recorder of a made-up market's streams.
#[pyclass(name = "FlowRecorder", module = "crypto_quant._native")]
pub struct PyFlowRecorder {
    recorder: Recorder,
}

#[pymethods]
impl PyFlowRecorder {
    /// Begins at `start`, ns UTC, a whole second.
    #[new]
    fn new(
        parameters: ParametersArg,
        slow: SlowArg,
        streams: StreamsArg,
        seed: u64,
        start: i64,
    ) -> PyResult<Self> {
        let parameters = parameters.try_into().map_err(value_error)?;
        let recorder = Recorder::new(parameters, slow.into(), streams.into(), seed, start);
        Ok(Self {
            recorder: recorder.map_err(value_error)?,
        })
    }

    /// The lines up to `until`, ns UTC, but of one UTC day only.
    fn record<'py>(&mut self, py: Python<'py>, until: i64) -> Bound<'py, PyBytes> {
        let recorder = &mut self.recorder;
        let text = py.detach(|| {
            let mut text = Vec::new();
            recorder.record(until, &mut text);
            text
        });
        PyBytes::new(py, &text)
    }

    /// Where the recorder is, ns UTC.
    #[getter]
    fn now(&self) -> i64 {
        self.recorder.now()
    }

    /// Level changes, trades and quotes so far.
    #[getter]
    fn events(&self) -> u64 {
        self.recorder.events()
    }
}

/// Minutes of the same flow: columns by name, `path` with five points a minute.
#[pyfunction(name = "flow_minutes")]
pub fn py_flow_minutes(
    py: Python<'_>,
    coarse: CoarseArg,
    slow: SlowArg,
    seed: u64,
    minutes: usize,
) -> PyResult<Bound<'_, PyDict>> {
    let mut bars = Bars::new(coarse.into(), slow.into(), seed).map_err(value_error)?;
    let taken = py.detach(|| bars.take(minutes));
    let columns = PyDict::new(py);
    columns.set_item("trades", taken.trades.into_pyarray(py))?;
    for (name, values) in [
        ("path", taken.path),
        ("volume", taken.volume),
        ("bought", taken.bought),
        ("basis", taken.basis),
        ("rate", taken.rate),
    ] {
        columns.set_item(name, values.into_pyarray(py))?;
    }
    Ok(columns)
}
