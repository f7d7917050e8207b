"""Parameter surface: the run at other values of two keys, and how flat it is round its own."""

from __future__ import annotations

import tomllib
from collections.abc import Sequence
from typing import Final, NamedTuple, TypeAlias

import numpy as np

from crypto_quant.backtesting.sweep import plan as sweep
from crypto_quant.backtesting.sweep.cell_runs import CellRuns, raise_failures
from crypto_quant.backtesting.sweep.figures import Figures
from crypto_quant.core.config import value_at, with_values
from crypto_quant.core.errors import ConfigError
from crypto_quant.core.measures.arrays import Floats
from crypto_quant.runtime.config import RunConfig

_NOT_ON_ONE_TAPE: Final = ("market", "model.training.split", "beside", "chosen_before")
"""Keys that change what data is read, or nothing at all."""

Value: TypeAlias = str | int | float | bool

LARGEST: Final = 400
"""More runs are a mistake in the list of values."""


class Axis(NamedTuple):
    """A key of the configuration, its values in ascending order, and which is the run's own."""

    key: str
    values: tuple[Value, ...]
    own: int


class Cell(NamedTuple):
    """A run at one value of each key; Sharpe ratios annual, the rest fractions."""

    x: int
    y: int
    sharpe_daily: float
    sharpe_lowest: float
    total: float
    depth: float
    is_own: bool


class Flatness(NamedTuple):
    """How the Sharpe ratio changes next to the run's own values.

    ``by`` names the ratio: the lowest of the three where every cell has one, else the daily.
    ``kept_mean`` and ``kept_least`` are those of the (up to eight) neighbours over the run's
    own: 1 is flat, 0 lost all; NaN where the own is not above 0. ``rank`` is the share of the
    other cells that are no better than the own; near 1 it stands on a peak.
    """

    by: str
    own: float
    best: float
    kept_mean: float
    kept_least: float
    rank: float


class Surface(NamedTuple):
    """All cells, row by row of ``y``."""

    x: Axis
    y: Axis
    cells: tuple[Cell, ...]
    flatness: Flatness


def axis(text: str, config: RunConfig) -> Axis:
    """Read an axis: ``section.key=value,value,…``; the run's own value joins in.

    Raises
    ------
    ConfigError
        It is no axis, or the key is none that can be varied.
    """
    key, given, listed = text.partition("=")
    key = key.strip()
    if not given or not listed.strip():
        raise ConfigError(f"--grid {text}: expected section.key=value,value, …")
    for barred in _NOT_ON_ONE_TAPE:
        if key == barred or key.startswith(f"{barred}."):
            raise ConfigError(f"--grid {key}: it changes the data or nothing; vary another key")
    own = _look_up(config, key)
    values = {_canonical(own): own}
    for word in listed.split(","):
        value = _value(word.strip(), key)
        values.setdefault(_canonical(value), value)
    if len(values) < 2:
        raise ConfigError(f"--grid {text}: one value beside the run's own is needed")
    ordered = sorted(values.items(), key=lambda item: _order(item[1]))
    at = [name for name, _ in ordered].index(_canonical(own))
    return Axis(key, tuple(value for _, value in ordered), at)


def grid(config: RunConfig, x: Axis, y: Axis) -> list[RunConfig]:
    """Return the configurations of all cells, row by row of ``y``.

    Raises
    ------
    ConfigError
        Both axes are one key, the values are too many, or do not make a configuration.
    """
    if x.key == y.key:
        raise ConfigError(f"--grid {x.key}: two different keys make a surface")
    if len(x.values) * len(y.values) > LARGEST:
        raise ConfigError(f"--grid: {len(x.values)} x {len(y.values)} runs; at most {LARGEST}")
    changes = [{x.key: a, y.key: b} for b in y.values for a in x.values]
    try:
        return [with_values(config, each) for each in changes]
    except ConfigError as err:
        raise ConfigError(f"--grid {err}") from None


def surface(runs: CellRuns, config: RunConfig, x: Axis, y: Axis) -> Surface:
    """Run every cell out of sample, each a trial that is counted first.

    Parameters
    ----------
    runs
        Runs cells of the configuration's kind; what each comes to does not depend on where.
    config
        The run's own.
    x, y
        What is varied.

    Raises
    ------
    StrategyError, InvariantError
        Cells failed; those that did not are kept.
    """
    width = len(x.values)
    asked = [
        sweep.Cell(n, {x.key: x.values[n % width], y.key: y.values[n // width]}, one, "")
        for n, one in enumerate(grid(config, x, y))
    ]
    found = runs.run(asked)
    raise_failures(asked, found)
    cells = tuple(
        _cell(each, n % width, n // width, (n % width, n // width) == (x.own, y.own))
        for n, each in found.items()
        if isinstance(each, Figures)
    )
    return Surface(x, y, cells, flatness(cells, width))


def flatness(cells: Sequence[Cell], width: int) -> Flatness:
    """Measure how flat the surface is round the run's own cell."""
    lowest = np.array([cell.sharpe_lowest for cell in cells])
    by = "sharpe_lowest" if np.isfinite(lowest).all() else "sharpe_daily"
    values: Floats = np.array([getattr(cell, by) for cell in cells]).reshape(-1, width)
    ((row, column),) = np.argwhere(np.array([c.is_own for c in cells]).reshape(-1, width))
    own = float(values[row, column])
    near = values[max(row - 1, 0) : row + 2, max(column - 1, 0) : column + 2].ravel()
    here = min(row, 1) * (min(column + 2, width) - max(column - 1, 0)) + min(column, 1)
    others, near = np.delete(values.ravel(), row * width + column), np.delete(near, here)
    kept = near / own if own > 0 else np.full(near.shape, np.nan)
    return Flatness(
        by=by,
        own=own,
        best=float(values.max()),
        kept_mean=float(kept.mean()),
        kept_least=float(kept.min()),
        rank=float((others <= own).mean()),
    )


def _cell(found: Figures, x: int, y: int, is_own: bool) -> Cell:
    shown = {name: np.nan if value is None else float(value) for name, value in found.shown.items()}
    return Cell(
        x=x,
        y=y,
        sharpe_daily=shown["sharpe_daily"],
        sharpe_lowest=shown["sharpe_lowest"],
        total=shown["return"],
        depth=shown["max_drawdown"],
        is_own=is_own,
    )


def _look_up(config: RunConfig, key: str) -> Value:
    try:
        found = value_at(config, key)
    except ConfigError as err:
        raise ConfigError(f"--grid {err}") from None
    if not isinstance(found, Value):
        raise ConfigError(f"--grid {key}: it is no single value")
    return found


def _value(word: str, key: str) -> Value:
    if not word:
        raise ConfigError(f"--grid {key}: a value is empty")
    try:
        value = tomllib.loads(f"v = {word}")["v"]
    except tomllib.TOMLDecodeError:
        return word
    return value if isinstance(value, Value) else word


def _canonical(value: Value) -> str:
    """Return one text for equal values: 1, 1.0 and the decimal ``"1"`` are one."""
    try:
        return repr(float(value))
    except ValueError:
        return str(value)


def _order(value: Value) -> tuple[float, str]:
    try:
        return float(value), ""
    except ValueError:
        return float("inf"), str(value)
