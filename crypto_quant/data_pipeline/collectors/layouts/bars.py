"""Tables of bars: a time, open, high, low, close, and whatever volumes there are."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace
from decimal import Decimal
from typing import Final

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from crypto_quant.core.errors import DataError
from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.collectors import ticksize
from crypto_quant.data_pipeline.collectors.aligned import check_aligned
from crypto_quant.data_pipeline.collectors.claims import check_interval, check_names
from crypto_quant.data_pipeline.collectors.facts import Facts, duration, period
from crypto_quant.data_pipeline.collectors.file import File
from crypto_quant.data_pipeline.collectors.layouts.coin_volumes import by_coin, choose
from crypto_quant.data_pipeline.collectors.table import (
    TIME_NAMES,
    Order,
    find_column,
    in_time_order,
)
from crypto_quant.data_pipeline.storage import flags
from crypto_quant.data_pipeline.storage.grid import settle, to_grid
from crypto_quant.data_pipeline.storage.kinds import KINDS, Batch, Exps

PRICES: Final = ("open", "high", "low", "close")
BAR_KINDS: Final = frozenset({"bar", "mark_bar", "index_bar", "premium_bar"})
_TELLING: Final = 4
"""Rows, none of them one interval after another, that can no longer be holes."""

_VOLUME: Final = ("volume", "vol")
_TURNOVER: Final = ("quote_volume", "usd_volume", "quote_asset_volume", "turnover")
_COUNT: Final = ("count", "trades", "number_of_trades", "trade_count", "num_trades", "tradecount")
_TAKER: Final = (
    "taker_buy",
    "taker_buy_volume",
    "taker_buy_base_asset_volume",
    "taker_buy_base_volume",
)


@dataclass(frozen=True, slots=True)
class Columns:
    """The file's names for the columns of a bar; ``None`` where it has none."""

    time: str
    prices: tuple[str, str, str, str]
    volume: str | None = None
    turnover: str | None = None
    count: str | None = None
    taker_buy: str | None = None

    @property
    def all(self) -> list[str]:
        """The columns to read besides the time."""
        optional = (self.volume, self.turnover, self.count, self.taker_buy)
        return [*self.prices, *(name for name in optional if name is not None)]


@dataclass(frozen=True, slots=True)
class Plan:
    """How the bars of one file are to be read."""

    kind: str
    instrument: str
    rules: Instrument | None
    interval: int
    is_close_stamped: bool
    volume_unit: str | None
    columns: Columns
    names: Sequence[str] = ()
    facts: Facts | None = None
    """What the interval is known from; ``None`` where the rows themselves hold it."""


class BarTable:
    """Bars in a Parquet, Feather or CSV table with named columns."""

    kinds = BAR_KINDS
    title = "table of OHLC bars"

    def recognise(self, file: File) -> bool:
        """Look for a time column and the four prices."""
        return _columns(file) is not None

    def needs(self, file: File, facts: Facts) -> tuple[str, ...]:
        """Everything but the columns; the kind too, where no volume says that it is trades."""
        columns = _columns(file)
        has_volume = columns is not None and columns.volume is not None
        volume = ("volume",) if has_volume and facts.kind in (None, "bar") else ()
        kind = () if has_volume or by_coin(file) else ("kind",)
        return ("venue", "symbol", *kind, "interval", "stamp", *volume)

    def read(
        self, file: File, facts: Facts, instruments: Mapping[str, Instrument]
    ) -> Iterator[Batch]:
        """Yield the bars in time order."""
        columns = _columns(file)
        if columns is None:
            raise DataError(f"{file.path}: the columns are no bars")
        check_names(file, facts, of_bars=True)
        kind, rules, unit = facts.kind or "bar", instruments.get(facts.instrument), facts.volume
        if kind == "bar" and columns.volume is None:
            columns, unit = _without_volume(file, facts, rules, columns)
        plan = Plan(
            kind=kind,
            instrument=facts.instrument,
            rules=rules,
            interval=duration(facts.need("interval"), "interval"),
            is_close_stamped=facts.stamp == "close",
            volume_unit=unit,
            columns=columns,
            facts=facts,
        )
        yield from read_bars(file, plan)


def lacking(file: File) -> list[str]:
    """Return what a table that has some of a bar's prices lacks to be one of bars."""
    lacks = [name for name in PRICES if find_column(file, (name,)) is None]
    if len(lacks) == len(PRICES):
        return []
    return lacks if find_column(file, TIME_NAMES) else ["time", *lacks]


def _columns(file: File) -> Columns | None:
    time = find_column(file, TIME_NAMES)
    prices = [find_column(file, (name,)) for name in PRICES]
    if time is None or None in prices:
        return None
    first, high, low, close = (name or "" for name in prices)
    return Columns(
        time=time,
        prices=(first, high, low, close),
        volume=find_column(file, _VOLUME),
        turnover=find_column(file, _TURNOVER),
        count=find_column(file, _COUNT),
        taker_buy=find_column(file, _TAKER),
    )


def _without_volume(
    file: File, facts: Facts, rules: Instrument | None, columns: Columns
) -> tuple[Columns, str | None]:
    """Look for volumes in columns that are named after a coin; return them and their unit."""
    if by_coin(file):
        found = choose(file, facts, rules)
        turnover = found.turnover or columns.turnover
        return replace(columns, volume=found.volume, turnover=turnover), found.unit
    if facts.volume is not None:
        raise DataError(
            f"{file.path}: volume={facts.volume}, but none of its columns is a volume "
            f"({', '.join(file.columns)}); rename one to volume, or leave volume out"
        )
    return columns, None


def read_bars(file: File, plan: Plan) -> Iterator[Batch]:
    """Yield the bars of a file, in time order, exactly."""
    order = Order.of(file, plan.columns.time, plan.names)
    found = order.findings()
    if plan.facts is not None and order.rows >= _TELLING and order.shortest > plan.interval:
        what = f"the step from row to row ({plan.columns.time})"
        check_interval(str(file.path), what, order.shortest, plan.facts)
    shift = plan.interval if plan.is_close_stamped else 0
    for table, stamps in in_time_order(file, order, plan.columns.all):
        times = stamps - shift
        check_aligned(times, plan.interval, f"{file.path}: {plan.columns.time}")
        batch = bar_batch(file, plan, table, times, found)
        found = {}
        yield batch


def bar_batch(
    file: File,
    plan: Plan,
    table: pa.Table,
    times: NDArray[np.int64],
    found: Mapping[str, int],
) -> Batch:
    """Turn one piece of a table into bars at ``times``; ``found`` goes with its findings."""
    prices, price_exp = _prices(file, plan, table, times)
    volumes, exps, counted = _volumes(file, plan, table)
    rules = plan.rules if plan.kind == "bar" else None
    quantities = [v for v in (volumes["volume"], volumes["taker_buy"]) if v.null_count < len(v)]
    seen = ticksize.findings(rules, times, prices, price_exp, quantities, exps.qty)
    arrays = {
        "ts_event": pa.array(times),
        "ts_recv": pa.array(times + plan.interval),
        **dict(zip(PRICES, prices, strict=True)),
        **volumes,
        "flags": pa.array(np.full(times.size, flags.SYNTHETIC_RECV, dtype=np.uint32)),
    }
    schema = KINDS[plan.kind].schema()
    return Batch(
        kind=plan.kind,
        key=f"{plan.instrument}/{period(plan.interval)}",
        data=pa.record_batch([arrays[name] for name in schema.names], schema=schema),
        exps=exps._replace(price=price_exp),
        recv="open + interval",
        interval=plan.interval,
        findings={**found, **seen, **counted},
    )


def _prices(
    file: File, plan: Plan, table: pa.Table, times: NDArray[np.int64]
) -> tuple[list[pa.Array], int]:
    least = plan.rules.price_exp if plan.rules else 0
    made = []
    for name in plan.columns.prices:
        what = f"{file.path}: {name}"
        values, exp = to_grid(table.column(name), least, what)
        if values.null_count:
            row = int(values.is_null().to_numpy(zero_copy_only=False).argmax())
            at = np.datetime64(int(times[row]), "ns")
            raise DataError(f"{what}: the price at {at} is missing or NaN; repair the source")
        made.append((values, exp))
    widest = max(exp for _, exp in made)
    return [_to_exp(values, exp, widest, "price") for values, exp in made], widest


def _to_exp(values: pa.Array, have: int, want: int, what: str) -> pa.Array:
    return values if have == want else to_grid(values, want - have, what)[0]


def _volumes(
    file: File, plan: Plan, table: pa.Table
) -> tuple[dict[str, pa.Array], Exps, dict[str, int]]:
    """Return the volume columns on the instrument's unit, their grids, and what was counted."""
    columns, rows = plan.columns, table.num_rows
    nothing = pa.nulls(rows, pa.int64())
    counted = {"float_noise_rows": 0, "missing_volume_rows": 0}
    grid: dict[str, tuple[pa.Array, int]] = {}
    for role, name in (
        ("volume", columns.volume),
        ("taker_buy", columns.taker_buy),
        ("quote_volume", columns.turnover),
    ):
        if name is not None and plan.kind == "bar":
            values, changed = settle(table.column(name))
            counted["float_noise_rows"] += changed
            grid[role] = to_grid(values, 0, f"{file.path}: {name}")
    if "volume" in grid:
        counted["missing_volume_rows"] = grid["volume"][0].null_count
    grid = _in_units(file, plan, grid)
    least = plan.rules.qty_exp if plan.rules else 0
    qty = max([least, *(grid[r][1] for r in ("volume", "taker_buy") if r in grid)])
    quote = grid["quote_volume"][1] if "quote_volume" in grid else 0
    want = {"volume": qty, "taker_buy": qty, "quote_volume": quote}
    made = {
        role: _to_exp(*grid[role], want[role], role) if role in grid else nothing for role in want
    }
    made["count"] = nothing
    if columns.count is not None and plan.kind == "bar":
        made["count"] = to_grid(table.column(columns.count), 0, f"{file.path}: {columns.count}")[0]
    found = {name: count for name, count in counted.items() if count}
    return made, Exps(qty=qty, quote=quote), found


def _in_units(
    file: File, plan: Plan, grid: dict[str, tuple[pa.Array, int]]
) -> dict[str, tuple[pa.Array, int]]:
    """Turn volumes into the instrument's order unit (contracts, where that is not one coin).

    A volume in the other currency cannot become contracts; it is the turnover.
    """
    rules = plan.rules
    is_inverse = rules is not None and rules.contract == "inverse"
    own = "quote" if is_inverse else "base"
    unit = plan.volume_unit
    if unit is None or unit == "contracts" or "volume" not in grid:
        return grid
    if unit != own:
        turnover = grid.get("quote_volume", grid["volume"])
        return {"quote_volume": turnover}
    if rules is None or rules.multiplier == 1:
        return grid
    digits = _power_of_ten(rules.multiplier)
    if digits is None:
        raise DataError(
            f"{file.path}: volume in {unit} is no whole number of contracts of {rules.multiplier}; "
            "give a file with volume=contracts"
        )
    for role in ("volume", "taker_buy"):
        if role in grid:
            values, exp = grid[role]
            finer = exp + digits
            whole = values if finer >= 0 else to_grid(values, -finer, role)[0]
            grid[role] = (whole, max(0, finer))
    return grid


def _power_of_ten(value: Decimal) -> int | None:
    """Return k of 10**k, or ``None``."""
    normal = value.normalize()
    return int(normal.as_tuple().exponent) if normal.as_tuple().digits == (1,) else None
