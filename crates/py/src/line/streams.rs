//! Columns that become streams of a line's tape.

use cq_line::{Columns, Stamps, Stream};
use cq_types::Ts;
use pyo3::prelude::*;

use super::PyLine;
use crate::arguments::error;
use crate::columns::{Given, Rows};

/// When each row happened and was known, and its marks.
type Times<'a, 'py> = (&'a Given<'py>, &'a Given<'py>, Option<&'a Given<'py>>);

/// The stream that a part goes on with, and whether more parts follow it.
type Place = (Option<usize>, bool);

impl PyLine {
    /// Adds the part that `read` makes of the rows; returns its stream's number.
    fn add(
        &mut self,
        (kind, instrument): (&str, u16),
        (ts_event, ts_recv, flags): Times<'_, '_>,
        (stream, more): Place,
        read: impl FnOnce(&Rows) -> PyResult<Columns>,
    ) -> PyResult<usize> {
        let rows = Rows::new(format!("{kind} of instrument {instrument}"), ts_event);
        let stamps = Stamps {
            ts_event: rows.column("ts_event", ts_event)?,
            ts_recv: rows.column("ts_recv", ts_recv)?,
            flags: rows.optional("flags", flags)?,
        };
        let columns = read(&rows)?;
        let Some(number) = stream else {
            let whole = Stream::new(instrument, stamps, columns).map_err(error)?;
            let stream = if more { whole.unfinished() } else { whole };
            return self.inner.add(stream).map_err(error);
        };
        let extended = self.inner.extend(number, instrument, stamps, columns);
        extended.map_err(error)?;
        if !more {
            self.inner.complete(number).map_err(error)?;
        }
        Ok(number)
    }
}

#[pymethods]
impl PyLine {
    #[pyo3(signature = (instrument, interval_ns, ts_event, ts_recv, open, high, low, close, volume,
                        count=None, taker_buy=None, flags=None, *,
                        stream=None, more=false))]
    #[allow(clippy::too_many_arguments)] // one argument a column
    fn add_bars(
        &mut self,
        instrument: u16,
        interval_ns: Ts,
        ts_event: Given<'_>,
        ts_recv: Given<'_>,
        open: Given<'_>,
        high: Given<'_>,
        low: Given<'_>,
        close: Given<'_>,
        volume: Given<'_>,
        count: Option<Given<'_>>,
        taker_buy: Option<Given<'_>>,
        flags: Option<Given<'_>>,
        stream: Option<usize>,
        more: bool,
    ) -> PyResult<usize> {
        let times = (&ts_event, &ts_recv, flags.as_ref());
        self.add(("bar", instrument), times, (stream, more), |rows| {
            Ok(Columns::Bars {
                interval: interval_ns,
                prices: [
                    rows.column("open", &open)?,
                    rows.column("high", &high)?,
                    rows.column("low", &low)?,
                    rows.column("close", &close)?,
                ],
                volume: rows.column("volume", &volume)?,
                count: rows.optional("count", count.as_ref())?,
                taker_buy: rows.optional("taker_buy", taker_buy.as_ref())?,
            })
        })
    }

    #[pyo3(signature = (instrument, ts_event, ts_recv, id, px, qty, side, flags=None, *,
                        stream=None, more=false))]
    #[allow(clippy::too_many_arguments)] // one argument a column
    fn add_trades(
        &mut self,
        instrument: u16,
        ts_event: Given<'_>,
        ts_recv: Given<'_>,
        id: Given<'_>,
        px: Given<'_>,
        qty: Given<'_>,
        side: Given<'_>,
        flags: Option<Given<'_>>,
        stream: Option<usize>,
        more: bool,
    ) -> PyResult<usize> {
        let times = (&ts_event, &ts_recv, flags.as_ref());
        self.add(("trade", instrument), times, (stream, more), |rows| {
            Ok(Columns::Trades {
                id: rows.column("id", &id)?,
                px: rows.column("px", &px)?,
                qty: rows.column("qty", &qty)?,
                side: rows.column("side", &side)?,
            })
        })
    }

    #[pyo3(signature = (instrument, ts_event, ts_recv, side, px, qty, flags=None, *,
                        stream=None, more=false))]
    #[allow(clippy::too_many_arguments)] // one argument a column
    fn add_deltas(
        &mut self,
        instrument: u16,
        ts_event: Given<'_>,
        ts_recv: Given<'_>,
        side: Given<'_>,
        px: Given<'_>,
        qty: Given<'_>,
        flags: Option<Given<'_>>,
        stream: Option<usize>,
        more: bool,
    ) -> PyResult<usize> {
        let times = (&ts_event, &ts_recv, flags.as_ref());
        self.add(("delta", instrument), times, (stream, more), |rows| {
            Ok(Columns::Deltas {
                side: rows.column("side", &side)?,
                px: rows.column("px", &px)?,
                qty: rows.column("qty", &qty)?,
            })
        })
    }

    #[pyo3(signature = (instrument, ts_event, ts_recv, bid, bid_qty, ask, ask_qty, flags=None, *,
                        stream=None, more=false))]
    #[allow(clippy::too_many_arguments)] // one argument a column
    fn add_quotes(
        &mut self,
        instrument: u16,
        ts_event: Given<'_>,
        ts_recv: Given<'_>,
        bid: Given<'_>,
        bid_qty: Given<'_>,
        ask: Given<'_>,
        ask_qty: Given<'_>,
        flags: Option<Given<'_>>,
        stream: Option<usize>,
        more: bool,
    ) -> PyResult<usize> {
        let times = (&ts_event, &ts_recv, flags.as_ref());
        self.add(("quote", instrument), times, (stream, more), |rows| {
            Ok(Columns::Quotes([
                rows.column("bid", &bid)?,
                rows.column("bid_qty", &bid_qty)?,
                rows.column("ask", &ask)?,
                rows.column("ask_qty", &ask_qty)?,
            ]))
        })
    }

    #[pyo3(signature = (instrument, ts_event, ts_recv, mark, flags=None, *,
                        stream=None, more=false))]
    #[allow(clippy::too_many_arguments)] // one argument a column
    fn add_marks(
        &mut self,
        instrument: u16,
        ts_event: Given<'_>,
        ts_recv: Given<'_>,
        mark: Given<'_>,
        flags: Option<Given<'_>>,
        stream: Option<usize>,
        more: bool,
    ) -> PyResult<usize> {
        let times = (&ts_event, &ts_recv, flags.as_ref());
        self.add(("mark", instrument), times, (stream, more), |rows| {
            Ok(Columns::Marks(rows.column("mark", &mark)?))
        })
    }

    #[pyo3(signature = (instrument, ts_event, ts_recv, rate, rate_exp, flags=None, *,
                        stream=None, more=false))]
    #[allow(clippy::too_many_arguments)] // one argument a column
    fn add_funding(
        &mut self,
        instrument: u16,
        ts_event: Given<'_>,
        ts_recv: Given<'_>,
        rate: Given<'_>,
        rate_exp: u32,
        flags: Option<Given<'_>>,
        stream: Option<usize>,
        more: bool,
    ) -> PyResult<usize> {
        let times = (&ts_event, &ts_recv, flags.as_ref());
        self.add(("funding", instrument), times, (stream, more), |rows| {
            Ok(Columns::Funding {
                rate: rows.column("rate", &rate)?,
                exp: rate_exp,
            })
        })
    }

    fn expect_funding(&mut self, instrument: u16, times: Vec<i64>) -> PyResult<()> {
        let expected = self.inner.expect_funding(instrument, &times);
        expected.map_err(error)
    }

    #[pyo3(signature = (series, ts_event, ts_recv, values, *, stream=None, more=false))]
    fn add_external(
        &mut self,
        series: u16,
        ts_event: Given<'_>,
        ts_recv: Given<'_>,
        values: Given<'_>,
        stream: Option<usize>,
        more: bool,
    ) -> PyResult<usize> {
        let times = (&ts_event, &ts_recv, None);
        self.add(("external", 0), times, (stream, more), |rows| {
            Ok(Columns::External {
                series,
                values: rows.column("values", &values)?,
            })
        })
    }

    #[pyo3(signature = (instrument, ts_event, ts_recv, *, stream=None, more=false))]
    fn add_gaps(
        &mut self,
        instrument: u16,
        ts_event: Given<'_>,
        ts_recv: Given<'_>,
        stream: Option<usize>,
        more: bool,
    ) -> PyResult<usize> {
        let times = (&ts_event, &ts_recv, None);
        let place = (stream, more);
        self.add(("gap", instrument), times, place, |_| Ok(Columns::Gaps))
    }

    fn complete(&mut self, stream: usize) -> PyResult<()> {
        self.inner.complete(stream).map_err(error)
    }

    #[getter]
    fn wants(&self) -> Option<usize> {
        self.inner.wants()
    }
}
