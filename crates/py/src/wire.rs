//! `Inflater`, `TickDecoder` and `BookPlanner`: packed bytes to text, text to columns, and
//! columns to a book's rows.

use std::collections::HashMap;

use cq_types::Grid;
use cq_wire::binance::{Archive, ArchiveKind, Capture, Chain, Decoder, Plan, Planner};
use cq_wire::{Batch, Codec, Column, Inflater, LineError, Lines, Stats, Table, WireError};
use numpy::{IntoPyArray, PyArray1, PyReadonlyArray1};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::{PyBytes, PyDict};

enum Reader {
    Frames(Lines<Decoder>),
    Archive(Lines<Archive>),
}

impl Reader {
    fn feed(&mut self, text: &[u8]) -> Result<u64, LineError> {
        match self {
            Self::Frames(lines) => lines.feed(text),
            Self::Archive(lines) => lines.feed(text),
        }
    }

    fn finish(&mut self) -> Result<u64, LineError> {
        match self {
            Self::Frames(lines) => lines.finish(),
            Self::Archive(lines) => lines.finish(),
        }
    }

    fn take(&mut self) -> Batch {
        match self {
            Self::Frames(lines) => lines.decoder().take(),
            Self::Archive(lines) => lines.decoder().take(),
        }
    }

    fn stats(&mut self) -> &Stats {
        match self {
            Self::Frames(lines) => lines.decoder().stats(),
            Self::Archive(lines) => lines.decoder().stats(),
        }
    }
}

fn value_error(error: LineError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// Streaming decompression: packed bytes in, bounded pieces of text out.
#[pyclass(name = "Inflater", module = "crypto_quant._native")]
pub struct PyInflater {
    inflater: Inflater,
}

#[pymethods]
impl PyInflater {
    /// Of gzip, or of one deflated member of a zip archive with its text's checksum and size.
    #[new]
    #[pyo3(signature = (member=None))]
    fn new(member: Option<(u32, u64)>) -> Self {
        let deflate = |(crc, size)| Codec::Deflate { crc, size };
        Self {
            inflater: Inflater::new(member.map_or(Codec::Gzip, deflate)),
        }
    }

    /// Takes packed bytes.
    fn feed(&mut self, data: &[u8]) {
        self.inflater.feed(data);
    }

    /// The next piece of text; an empty one asks for more bytes.
    fn text<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyBytes>> {
        let inflater = &mut self.inflater;
        let text = py.detach(|| inflater.text()).map_err(corrupt)?;
        Ok(PyBytes::new(py, text))
    }

    /// Checks that the stream is whole.
    fn finish(&self) -> PyResult<()> {
        self.inflater.finish().map_err(corrupt)
    }
}

fn corrupt(error: WireError) -> PyErr {
    PyValueError::new_err(error.to_string())
}

/// Streaming decoder of one file: text in, columns out.
#[pyclass(name = "TickDecoder", module = "crypto_quant._native")]
pub struct PyTickDecoder {
    reader: Reader,
}

#[pymethods]
impl PyTickDecoder {
    #[new]
    fn new(layout: &str, symbol: String, price_exp: u8, qty_exp: u8) -> PyResult<Self> {
        let grid = Grid { price_exp, qty_exp };
        let archive = |kind| Reader::Archive(Lines::new(Archive::new(kind, grid)));
        let reader = match layout {
            "frames" => Reader::Frames(Lines::new(Decoder::new(symbol, grid))),
            "trades" => archive(ArchiveKind::Trades),
            "agg_trades" => archive(ArchiveKind::AggTrades),
            "book_ticker" => archive(ArchiveKind::BookTicker),
            other => return Err(PyValueError::new_err(format!("unknown layout {other:?}"))),
        };
        Ok(Self { reader })
    }

    /// Decodes the lines that this text completes; returns the lines read so far.
    fn feed(&mut self, py: Python<'_>, data: &[u8]) -> PyResult<u64> {
        let reader = &mut self.reader;
        py.detach(|| reader.feed(data)).map_err(value_error)
    }

    /// Decodes a last line without line end; returns the lines read.
    fn finish(&mut self, py: Python<'_>) -> PyResult<u64> {
        let reader = &mut self.reader;
        py.detach(|| reader.finish()).map_err(value_error)
    }

    /// Tables decoded since the last call: kind, decimals of its quantities, columns by name.
    fn take<'py>(&mut self, py: Python<'py>) -> PyResult<Vec<Rows<'py>>> {
        let tables = self.reader.take().into_tables().into_iter();
        tables.map(|table| rows(py, table)).collect()
    }

    /// What was counted so far, by name.
    fn stats<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let counts = PyDict::new(py);
        for (name, value) in self.reader.stats().named() {
            counts.set_item(name, value)?;
        }
        Ok(counts)
    }
}

/// Streaming decoder of one capture of several symbols: text in, columns by symbol out.
#[pyclass(name = "CaptureDecoder", module = "crypto_quant._native")]
pub struct PyCaptureDecoder {
    lines: Lines<Capture>,
}

#[pymethods]
impl PyCaptureDecoder {
    /// With the grid of each known symbol, (price, quantity), and that of all others.
    #[new]
    fn new(grids: HashMap<String, (u8, u8)>, other: (u8, u8)) -> Self {
        let grid = |(price_exp, qty_exp)| Grid { price_exp, qty_exp };
        let known = grids.into_iter().map(|(name, own)| (name, grid(own)));
        Self {
            lines: Lines::new(Capture::new(known.collect(), grid(other))),
        }
    }

    /// Decodes the lines that this text completes; returns the lines read so far.
    fn feed(&mut self, py: Python<'_>, data: &[u8]) -> PyResult<u64> {
        let lines = &mut self.lines;
        py.detach(|| lines.feed(data)).map_err(value_error)
    }

    /// Decodes a last line without line end; returns the lines read.
    fn finish(&mut self, py: Python<'_>) -> PyResult<u64> {
        let lines = &mut self.lines;
        py.detach(|| lines.finish()).map_err(value_error)
    }

    /// Tables decoded since the last call, each with its symbol; else as `TickDecoder.take`.
    fn take<'py>(&mut self, py: Python<'py>) -> PyResult<Vec<(String, Rows<'py>)>> {
        let mut out = Vec::new();
        for (symbol, batch) in self.lines.decoder().take() {
            for table in batch.into_tables() {
                out.push((symbol.clone(), rows(py, table)?));
            }
        }
        Ok(out)
    }

    /// What was counted so far, by symbol and name.
    fn stats<'py>(&mut self, py: Python<'py>) -> PyResult<Bound<'py, PyDict>> {
        let found = PyDict::new(py);
        for (symbol, seen) in self.lines.decoder().stats() {
            let counts = PyDict::new(py);
            for (name, value) in seen.named() {
                counts.set_item(name, value)?;
            }
            found.set_item(symbol, counts)?;
        }
        Ok(found)
    }
}

type Rows<'py> = (&'static str, u8, Bound<'py, PyDict>);

fn rows(py: Python<'_>, table: Table) -> PyResult<Rows<'_>> {
    let columns = PyDict::new(py);
    for (name, column) in table.columns {
        match column {
            Column::I64(values) => columns.set_item(name, values.into_pyarray(py))?,
            Column::I8(values) => columns.set_item(name, values.into_pyarray(py))?,
            Column::U32(values) => columns.set_item(name, values.into_pyarray(py))?,
        }
    }
    Ok((table.kind, table.qty_exp, columns))
}

type RowNumbers<'py> = Bound<'py, PyArray1<u64>>;

/// Rows that make a book, in order, and the rows where it broke.
type Planned<'py> = (RowNumbers<'py>, RowNumbers<'py>);

fn planned(py: Python<'_>, plan: Plan) -> Planned<'_> {
    (plan.rows.into_pyarray(py), plan.gaps.into_pyarray(py))
}

/// Which recorded updates make a book, part by part.
#[pyclass(name = "BookPlanner", module = "crypto_quant._native")]
#[derive(Default)]
pub struct PyBookPlanner {
    planner: Planner,
}

#[pymethods]
impl PyBookPlanner {
    #[new]
    fn new() -> Self {
        Self::default()
    }

    /// Judges the next rows.
    fn feed<'py>(
        &mut self,
        py: Python<'py>,
        first_id: PyReadonlyArray1<'py, i64>,
        last_id: PyReadonlyArray1<'py, i64>,
        prev_id: PyReadonlyArray1<'py, i64>,
        side: PyReadonlyArray1<'py, i8>,
        flags: PyReadonlyArray1<'py, u32>,
    ) -> PyResult<Planned<'py>> {
        let chain = Chain::new(
            first_id.as_slice()?,
            last_id.as_slice()?,
            prev_id.as_slice()?,
            side.as_slice()?,
            flags.as_slice()?,
        )
        .ok_or_else(|| PyValueError::new_err("columns differ in length"))?;
        let planner = &mut self.planner;
        Ok(planned(py, py.detach(|| planner.feed(chain))))
    }

    /// Judges the last frame.
    fn finish<'py>(&mut self, py: Python<'py>) -> Planned<'py> {
        planned(py, self.planner.finish())
    }

    /// The first row that a later answer may name.
    #[getter]
    fn keeps(&self) -> u64 {
        self.planner.keeps()
    }
}
