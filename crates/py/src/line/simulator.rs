//! The bare simulator: time passes by calls, orders are ours alone, strategies run in Rust.

use std::collections::BTreeMap;

use cq_line::OrderRow;
use cq_sim::{OrderType, PositionSide, Request, TriggerBy};
use cq_strategies::{build, Value};
use cq_types::{Px, Qty, Side, Ts};
use numpy::{IntoPyArray, PyArray2, PyArrayMethods};
use pyo3::exceptions::PyValueError;
use pyo3::prelude::*;
use pyo3::types::PyDict;
use rust_decimal::Decimal;

use super::PyLine;
use crate::arguments::{error, order_type};

/// An open order: id, whether it buys, price (-1: none), quantity, filled, whether the venue
/// has it, whether a cancellation may be asked for.
type OpenOrder = (u64, bool, i64, i64, i64, bool, bool);

/// What binds an order beside its price: type (as `place` has it), trigger, whether by the mark,
/// callback in millionths, whether it only reduces, whether it closes the position, position side.
type Conditions = (u8, Option<i64>, bool, u32, bool, bool, i64);

/// An order: id, side (+1 buy), price, quantity, what has traded of it and what has not, status,
/// whether a cancellation may be asked for, why it was refused, when it was sent, what else
/// binds it.
type ShownOrder = (
    u64,
    i64,
    Option<i64>,
    i64,
    i64,
    i64,
    &'static str,
    bool,
    &'static str,
    Ts,
    Option<Conditions>,
);

/// Venue time, time known, price, quantity and the aggressor's side of each trade.
type Trades<'py> = Bound<'py, PyArray2<i64>>;

#[pymethods]
impl PyLine {
    fn pass_to(&mut self, py: Python<'_>, until: Ts) -> PyResult<Option<bool>> {
        let line = &mut self.inner;
        py.detach(|| line.pass_to(until)).map_err(error)
    }

    fn answered(&self, order_id: u64) -> PyResult<u32> {
        self.inner.answered(order_id).map_err(error)
    }

    fn placed(&self, order_id: u64) -> PyResult<(u16, bool)> {
        let row = self.inner.placed(order_id).map_err(error)?;
        Ok((row.request.instrument, row.request.price.is_some()))
    }

    fn wait_for(
        &mut self,
        py: Python<'_>,
        order_id: u64,
        before: u32,
        until: Ts,
    ) -> PyResult<Option<bool>> {
        let line = &mut self.inner;
        py.detach(|| line.wait_for(order_id, before, until))
            .map_err(error)
    }

    #[pyo3(signature = (order_id, instrument, is_buy, quantity, price, type_code=1, tif=0))]
    #[allow(clippy::too_many_arguments)] // the fields of one order
    fn submit(
        &mut self,
        order_id: u64,
        instrument: u16,
        is_buy: bool,
        quantity: i64,
        price: Option<i64>,
        type_code: u8,
        tif: u8,
    ) -> PyResult<()> {
        let (kind, tif) = order_type(type_code, tif)?;
        let side = if is_buy { Side::Buy } else { Side::Sell };
        let request = Request {
            kind,
            tif,
            price: price.map(Px),
            ..Request::market(order_id, instrument, side, Qty(quantity))
        };
        let part = Qty(side.sign().saturating_mul(quantity));
        self.inner.place(request, vec![(0, part)]).map_err(error)
    }

    fn open_orders(&self, instrument: u16) -> Vec<OpenOrder> {
        let own = self.inner.open_orders();
        own.filter(|row| row.request.instrument == instrument)
            .map(|row| {
                let request = &row.request;
                (
                    request.id,
                    request.side == Side::Buy,
                    request.price.map_or(-1, |px| px.0),
                    request.qty.0,
                    row.filled.0,
                    row.works(),
                    row.can_cancel(),
                )
            })
            .collect()
    }

    fn shown_orders(&self, instrument: u16, tick: i64, lot: i64) -> Vec<ShownOrder> {
        let ended = self.inner.ended_orders(instrument);
        let open = self.inner.open_orders();
        let open = open.filter(|row| row.request.instrument == instrument);
        let all = ended.chain(open);
        all.map(|row| shown(row, tick.max(1), lot.max(1))).collect()
    }

    fn forget_ended(&mut self, instrument: u16) {
        self.inner.forget_ended(instrument);
    }

    fn trades<'py>(&mut self, py: Python<'py>, instrument: u16) -> PyResult<Trades<'py>> {
        let rows = self.inner.trades(instrument).iter();
        let flat: Vec<i64> = rows
            .flat_map(|t| [t.ts_event, t.ts_recv, t.px.0, t.qty.0, t.side.sign()])
            .collect();
        let shape = [flat.len() / 5, 5];
        flat.into_pyarray(py).reshape(shape)
    }

    fn forget_trades(&mut self, instrument: u16) {
        self.inner.take_trades(instrument);
    }

    fn feed_latency(&self, instrument: u16) -> Option<(Ts, Ts)> {
        let latency = self.inner.feed_latency(instrument)?;
        Some((latency.at_venue, latency.known))
    }

    fn order_latency(&self, instrument: u16) -> Option<(Ts, Ts, Ts)> {
        let latency = self.inner.order_latency(instrument)?;
        Some((latency.asked, latency.at_venue, latency.known))
    }

    fn tally(&mut self, instrument: u16) -> PyResult<(u64, i64, Decimal, Decimal, Decimal)> {
        let sums = self.inner.tally(instrument).map_err(error)?;
        Ok((sums.fills, sums.qty, sums.value, sums.cash, sums.fee))
    }

    fn qty_at(&self, instrument: u16, is_bid: bool, price: i64) -> i64 {
        let side = if is_bid { Side::Buy } else { Side::Sell };
        let book = self.inner.book(instrument);
        book.map_or(0, |book| book.qty_at(side, Px(price)).0)
    }

    fn run(
        &mut self,
        py: Python<'_>,
        strategy: &str,
        parameters: &Bound<'_, PyDict>,
    ) -> PyResult<Option<u64>> {
        let count = self.inner.ledger().instruments().len();
        let mut strategy = match self.strategy.take() {
            Some(waiting) => waiting,
            None => build(strategy, &values(parameters)?, count)
                .map_err(|bad| PyValueError::new_err(bad.to_string()))?,
        };
        let line = &mut self.inner;
        let ended = py.detach(|| line.run(&mut *strategy)).map_err(error)?;
        if ended.is_none() {
            self.strategy = Some(strategy);
        }
        Ok(ended)
    }
}

/// An order in ticks and lots.
fn shown(row: &OrderRow, tick: i64, lot: i64) -> ShownOrder {
    let request = &row.request;
    (
        request.id,
        request.side.sign(),
        request.price.map(|px| px.0 / tick),
        request.qty.0 / lot,
        row.filled.0 / lot,
        (request.qty.0 - row.filled.0) / lot,
        row.status.name(),
        row.can_cancel(),
        row.reason,
        row.ts,
        conditions(request, tick),
    )
}

/// What binds an order beside its price; nothing of a plain one.
fn conditions(request: &Request, tick: i64) -> Option<Conditions> {
    let is_plain = !(request.is_conditional() || request.only_reduces());
    if is_plain && request.position_side.is_none() {
        return None;
    }
    Some((
        match request.kind {
            OrderType::Market => 0,
            OrderType::Limit => 1,
            OrderType::Stop => 3,
            OrderType::TakeProfit => 4,
            OrderType::TrailingStop => 5,
        },
        request.stop.map(|px| px.0 / tick),
        request.trigger_by == TriggerBy::Mark,
        request.callback_ppm,
        request.reduce_only,
        request.close_position,
        request.position_side.map_or(0, |side| match side {
            PositionSide::Long => 1,
            PositionSide::Short => -1,
        }),
    ))
}

/// A strategy's parameters; what is no number goes on as text, to be refused by name.
fn values(parameters: &Bound<'_, PyDict>) -> PyResult<BTreeMap<String, Value>> {
    let value = |found: &Bound<'_, PyAny>| {
        if let Ok(number) = found.extract::<i64>() {
            Ok::<_, PyErr>(Value::Whole(number))
        } else if let Ok(number) = found.extract::<f64>() {
            Ok(Value::Real(number))
        } else {
            Ok(Value::Other(found.repr()?.to_string()))
        }
    };
    let pairs = parameters.iter();
    pairs
        .map(|(name, found)| Ok((name.extract()?, value(&found)?)))
        .collect()
}
