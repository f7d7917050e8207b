"""Recorded data onto the line: catalog tables become the columns of the native tape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from crypto_quant.core.clock import iso
from crypto_quant.core.errors import ConfigError, DataError
from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.runtime.history import DAY_NS, DailyCloses
from crypto_quant.runtime.line import RecordedLine
from crypto_quant.runtime.line_spec import HOUR_NS
from crypto_quant.runtime.state import SettledFunding

Ints = NDArray[np.int64]
Columns = dict[str, NDArray[Any]]
"""Rows of one kind of one instrument by the native line's names: int64 on the run's grid."""
NOT_RECORDED = -1
EVER = (-(2**63), 2**63 - 1)
"""From before the first row to after the last one."""
_MINUTE_NS = 60 * 10**9
_INTERVAL_NS = {"1m": 60 * 10**9, "5m": 300 * 10**9, "15m": 900 * 10**9, "1h": HOUR_NS}


class Settlements(NamedTuple):
    """Settled funding: ``ts_event``, ``ts_recv``, ``rate``, ``interval_h`` (0 where not said).

    Rates are integers of ``10 ** -exp``; only forecasts need ``interval_h``.
    """

    columns: Columns
    exp: int

    def put(self, line: RecordedLine, index: int) -> None:
        """Put them on a line, as data of its instrument ``index``."""
        given = {name: self.columns[name] for name in ("ts_event", "ts_recv", "rate")}
        key = line.spec.instruments[index].id
        line.load(key, line.native.add_funding, index, **given, rate_exp=self.exp)


def unsettled(instrument: Instrument, settled: Ints, start: int, end: int) -> tuple[int, ...]:
    """Return the times of ``[start, end]`` at which funding is due, but none was settled."""
    dated = instrument.funding_interval_h
    if dated is None:
        return ()
    step = dated.at(start)[0] * HOUR_NS
    due = range(-(-start // step) * step, end + 1, step)
    return tuple(ts for ts in due if not (np.abs(settled - ts) < _MINUTE_NS // 2).any())


def on_grid_of(
    instrument: Instrument, catalog: Catalog, keys: Sequence[tuple[str, str]]
) -> Instrument:
    """Return the instrument on a grid on which all its recorded data is exact."""
    price, qty = instrument.price_exp, instrument.qty_exp
    for kind, key in keys:
        exps = catalog.exps(kind, key)
        price, qty = max(price, exps.price), max(qty, exps.qty)
    return replace(instrument, price_exp=price, qty_exp=qty)


class TapeLoader:
    """Reads a catalog's tables, rescaled to the run's grids, onto lines.

    Parameters
    ----------
    catalog
        Where the data is.
    instruments
        The run's instruments, in order, on the run's grids.
    """

    def __init__(self, catalog: Catalog, instruments: Sequence[Instrument]) -> None:
        self._catalog = catalog
        self._instruments = tuple(instruments)
        self._tables: dict[tuple[str, str], pa.Table] = {}

    def bars(self, line: RecordedLine, index: int, interval: str, start: int, end: int) -> None:
        """Put an instrument's bars that open in ``[start, end)`` on the line."""
        key = f"{self._instruments[index].id}/{interval}"
        columns = self.bar_columns(index, interval, start, end)
        line.load(key, line.native.add_bars, index, _INTERVAL_NS[interval], **columns)

    def bar_columns(self, index: int, interval: str, start: int, end: int) -> Columns:
        """Return an instrument's bars that open in ``[start, end)``.

        ``count`` and ``taker_buy`` are there where they were recorded at all, and negative in a
        row where they were not.
        """
        instrument = self._instruments[index]
        key = f"{instrument.id}/{interval}"
        table = self._cut("bar", key, start, end)
        exps = self._catalog.exps("bar", key)
        price = 10 ** (instrument.price_exp - exps.price)
        qty = 10 ** (instrument.qty_exp - exps.qty)
        columns: Columns = {name: ints(table, name) for name in ("ts_event", "ts_recv")}
        columns |= {name: ints(table, name) * price for name in ("open", "high", "low", "close")}
        columns["volume"] = ints(table, "volume", 0) * qty
        for name, scale in (("count", 1), ("taker_buy", qty)):
            recorded = _optional(table, name, scale)
            if recorded is not None:
                columns[name] = recorded
        columns["flags"] = table["flags"].to_numpy()
        return columns

    def closes(self, index: int, interval: str) -> DailyCloses:
        """Return an instrument's closes of the bars that end at a midnight and are known then."""
        columns = self.bar_columns(index, interval, *EVER)
        end = columns["ts_event"] + _INTERVAL_NS[interval]
        daily = (end % DAY_NS == 0) & (columns["ts_recv"] <= end)
        return DailyCloses(end[daily].tolist(), columns["close"][daily].tolist())

    def funding(self, line: RecordedLine, index: int, start: int, end: int) -> None:
        """Put an instrument's settled funding rates of ``[start, end)`` on the line.

        Raises
        ------
        DataError
            A settlement is there twice.
        """
        self.settlements(index, start, end).put(line, index)

    def settlements(self, index: int, start: int, end: int) -> Settlements:
        """Return an instrument's settled funding of ``[start, end)``; errors as of ``funding``."""
        table, exp = self._settlements(self._instruments[index].id, start, end)
        columns: Columns = {name: ints(table, name) for name in ("ts_event", "ts_recv", "rate")}
        columns["interval_h"] = ints(table, "interval_h", 0)
        return Settlements(columns, exp)

    def settled(self, index: int, start: int, end: int) -> SettledFunding:
        """Return an instrument's settled rates of ``[start, end)`` for the sleeves' forecasts.

        A row that does not say its interval has the instrument's dated one, or the time since
        the row before where that is shorter. Errors as of ``funding``.
        """
        instrument = self._instruments[index]
        columns, exp = self.settlements(index, start, end)
        event = columns["ts_event"]
        hours = columns["interval_h"].astype(np.float64)
        dated = instrument.funding_interval_h
        for row in np.flatnonzero(hours == 0):
            if dated is None:
                raise ConfigError(f"{instrument.id}: the funding interval is not known")
            hours[row] = dated.at(int(event[row]))[0]
        apart = np.maximum(1.0, np.round(np.diff(event) / HOUR_NS))
        hours[1:] = np.minimum(hours[1:], apart)
        rate = columns["rate"] / 10.0**exp
        return SettledFunding(event, columns["ts_recv"], rate, hours)

    def external(self, line: RecordedLine, names: Sequence[str], start: int, end: int) -> None:
        """Put the outside series that the catalog has on the line.

        A name is ``<dataset>.<column>``. A column that was empty in a row is missing there.
        """
        for number, name in enumerate(names):
            if name in self.missing((name,)):
                continue
            dataset, _, column = name.partition(".")
            table = self._cut("series", dataset, start, end)
            table = table.select(["ts_event", "ts_recv", column]).drop_null()
            values = table[column].to_numpy().astype(np.float64)
            stamps = ints(table, "ts_event"), ints(table, "ts_recv")
            line.load(name, line.native.add_external, number, *stamps, values)

    def missing(self, names: Sequence[str]) -> tuple[str, ...]:
        """Return the outside series that the catalog lacks."""
        have = {key.key for key in self._catalog.keys("series")}
        return tuple(name for name in names if not self._has(name, have))

    def _has(self, name: str, datasets: set[str]) -> bool:
        dataset, _, column = name.partition(".")
        if dataset not in datasets:
            return False
        return column in self._cut("series", dataset, 0, 0).column_names

    def _settlements(self, key: str, start: int, end: int) -> tuple[pa.Table, int]:
        """Return the settlements of a stretch, one each, and the exponent of their rates.

        A recorded stamp jitters round the whole minute that its settlement is due at.
        """
        table = self._cut("funding", key, start, end)
        exp = self._catalog.exps("funding", key).rate
        due = (ints(table, "ts_event") + _MINUTE_NS // 2) // _MINUTE_NS * _MINUTE_NS
        again = np.flatnonzero(np.diff(due) == 0)
        if again.size:
            row = int(again[0])
            pair = table["rate"][row].as_py(), table["rate"][row + 1].as_py()
            first, second = (f"{Decimal(rate).scaleb(-exp):f}" for rate in pair)
            when = iso(int(due[row]))
            said = (
                f"{when} is there twice, at a rate of {first}"
                if first == second
                else f"{when} was settled at two rates, {first} and {second}"
            )
            raise DataError(
                f"funding of {key}: {said}; import it with one row a settlement "
                "(cq data validate finds all such rows)"
            )
        return table, exp

    def _cut(self, kind: str, key: str, start: int, end: int) -> pa.Table:
        """Return a stretch of a table that is read from disk once."""
        if (kind, key) not in self._tables:
            self._tables[kind, key] = self._catalog.scan(kind, key).combine_chunks()
        table = self._tables[kind, key]
        first, stop = np.searchsorted(table["ts_event"].to_numpy(), [start, end])
        return table.slice(int(first), int(stop - first))


def ints(table: pa.Table, name: str, missing: int | None = None) -> Ints:
    """Return an integer column; nulls become ``missing`` (or are an error without it)."""
    column = table[name]
    if missing is not None:
        column = pc.fill_null(column, missing)
    values: Ints = np.ascontiguousarray(column.to_numpy(), dtype=np.int64)
    return values


def _optional(table: pa.Table, name: str, scale: int) -> Ints | None:
    """Return a nullable column with a negative mark where nothing was recorded."""
    column = table[name]
    if column.null_count == len(column):
        return None
    values = ints(table, name, NOT_RECORDED)
    return np.where(values == NOT_RECORDED, NOT_RECORDED, values * scale)
