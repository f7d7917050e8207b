//! The one native module, `crypto_quant._native`: conversions only, no logic.

mod arguments;
mod book;
mod collateral;
mod columns;
mod command_text;
mod features;
mod feed_latency;
mod flow;
mod instrument;
mod ledger;
mod line;
mod made;
mod messages;
mod panics;
mod quotes;
mod sim;
mod tables;
mod wire;

use pyo3::panic::PanicException;
use pyo3::prelude::*;

/// Rust core of crypto-quant. Use the wrappers in the package, not this module.
#[pymodule]
fn _native(m: &Bound<'_, PyModule>) -> PyResult<()> {
    m.add_class::<book::PyMiddlePath>()?;
    m.add_class::<features::PyFeatureSet>()?;
    m.add_class::<feed_latency::PyFeedLatency>()?;
    m.add_class::<flow::PyFlowRecorder>()?;
    m.add_class::<instrument::PyInstrument>()?;
    m.add_class::<ledger::PyLedger>()?;
    m.add_class::<line::PyLine>()?;
    m.add_class::<quotes::PyLiveQuotes>()?;
    m.add_class::<quotes::PyQuoteDesk>()?;
    m.add_class::<wire::PyBookPlanner>()?;
    m.add_class::<wire::PyInflater>()?;
    m.add_class::<wire::PyTickDecoder>()?;
    m.add_class::<wire::PyCaptureDecoder>()?;
    m.add_function(wrap_pyfunction!(command_text::command_text, m)?)?;
    m.add_function(wrap_pyfunction!(flow::py_flow_minutes, m)?)?;
    m.add_function(wrap_pyfunction!(ledger::py_prorate, m)?)?;
    m.add_function(wrap_pyfunction!(command_text::quote_text, m)?)?;
    m.add_function(wrap_pyfunction!(quotes::py_ladder_sums, m)?)?;
    m.add_function(wrap_pyfunction!(quotes::py_order_sums, m)?)?;
    m.add_function(wrap_pyfunction!(sim::py_reject_code, m)?)?;
    m.add("PanicException", m.py().get_type::<PanicException>())?;
    m.add_function(wrap_pyfunction!(panics::keep_panics, m)?)?;
    m.add_function(wrap_pyfunction!(panics::last_panic, m)?)?;
    Ok(())
}
