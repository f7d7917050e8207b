"""Monte Carlo: a run's days and round trips drawn again, and where the histories end.

What is drawn is what happened: a crash that the data lacks is in no history. Blocks keep what
follows from the day before; what lasts longer than a block is lost (``core.measures.bootstrap``).
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from crypto_quant.backtesting.metrics.result import RunResult
from crypto_quant.backtesting.metrics.schema import PORTFOLIO, column
from crypto_quant.backtesting.metrics.tracks import Track, floats
from crypto_quant.core.measures.arrays import DAYS_PER_YEAR, Floats, Ints
from crypto_quant.core.measures.block_length import block_length
from crypto_quant.core.measures.bootstrap import circular_blocks, stationary_blocks
from crypto_quant.core.measures.days import Span
from crypto_quant.core.measures.growth import total_return
from crypto_quant.core.measures.sharpe import sharpe

DRAWS: Final = 2000
RUIN: Final = 0.5
LEVELS: Final = (0.01, 0.05, 0.25, 0.50, 0.75, 0.95, 0.99)
_CHUNK: Final = 100
_FAN_POINTS: Final = 120
_LEAST: Final = 10
"""Fewer observations make no distribution."""


class Spread(NamedTuple):
    """A figure over the drawn histories: as measured, its mean, and its quantiles (``LEVELS``)."""

    measured: float
    mean: float
    quantiles: tuple[float, ...]


class Fan(NamedTuple):
    """Quantiles (``LEVELS``) of growth along the histories; ``at`` counts observations."""

    at: tuple[int, ...]
    bands: tuple[tuple[float, ...], ...]


class Drawn(NamedTuple):
    """One way of drawing a run again.

    ``block`` is the (mean) length of a block in observations. ``total`` is the return over the
    whole history, ``sharpe`` annual, ``depth`` the maximum drawdown, each a fraction. ``loss``
    is the share of histories that end below their start; ``ruin`` of those in which the
    capital fell, at any mark, to the share ``RUIN`` of the start or below.
    """

    key: str
    label: str
    n: int
    block: float
    draws: int
    seed: int
    total: Spread
    sharpe: Spread
    depth: Spread
    loss: float
    ruin: float
    fan: Fan


class _Measured(NamedTuple):
    total: Floats
    sharpe: Floats
    depth: Floats
    lowest: Floats
    growth: Floats


def drawn_days(main: Track, seed: int, draws: int = DRAWS, ruin: float = RUIN) -> list[Drawn]:
    """Draw the days with data again, by the stationary and by the circular bootstrap.

    Block lengths are those that Politis and White's rule finds in the daily returns.

    Returns
    -------
    list of Drawn
        Empty for a run of fewer than ten days.
    """
    days = main.days.at(~main.days.hole)
    n = days.start.size
    if n < _LEAST:
        return []
    chosen = block_length(days.ours.ret)
    rng = np.random.default_rng(seed)
    fixed = max(1, round(chosen.circular))
    stationary = stationary_blocks(n, draws, rng, max(1, round(chosen.stationary)))
    ways: list[tuple[str, str, float, Ints]] = [
        ("days_stationary", "Days, stationary blocks", round(chosen.stationary), stationary),
        ("days_circular", "Days, circular blocks", fixed, circular_blocks(n, draws, rng, fixed)),
    ]
    return [
        _drawn((key, label), days.ours, choice, block, seed, ruin, DAYS_PER_YEAR)
        for key, label, block, choice in ways
    ]


def drawn_trips(
    run: RunResult, main: Track, seed: int, draws: int = DRAWS, ruin: float = RUIN
) -> list[Drawn]:
    """Draw the closed round trips again, each by itself and in blocks.

    Where blocks would be of one trip, they are left out: they would be the same draw. A trip
    counts as its net result over the equity when it was opened; trips are put one after
    another, also those that overlapped. A figure a year takes the trips that a year had.
    """
    trips = main.trips
    if trips.num_rows < _LEAST:
        return []
    order = np.argsort(trips["close_ts"].to_numpy(), kind="stable")
    equity = floats(run.equity, column(PORTFOLIO, "equity"))
    at = np.searchsorted(run.equity["ts"].to_numpy(), trips["open_ts"].to_numpy(), side="right")
    results = (floats(trips, "pnl") / equity[np.maximum(at - 1, 0)])[order]
    per_year = results.size / float(main.days.length.sum()) * DAYS_PER_YEAR
    flat = np.ones(results.shape)
    path = Span(results, np.maximum(1.0 + results, flat), np.minimum(1.0 + results, flat), flat * 0)
    path = path._replace(dip=np.maximum(-results, 0.0))
    rng = np.random.default_rng(seed)
    block = max(1, round(block_length(results).stationary))
    ways = [("trips", "Round trips, one by one", 1)]
    if block > 1:
        ways.append(("trips_blocks", "Round trips, blocks", block))
    return [
        _drawn(
            (key, label),
            path,
            stationary_blocks(results.size, draws, rng, size),
            size,
            seed,
            ruin,
            per_year,
        )
        for key, label, size in ways
    ]


def _drawn(
    names: tuple[str, str],
    path: Span,
    choice: Ints,
    block: float,
    seed: int,
    ruin: float,
    per_year: float,
) -> Drawn:
    starts = range(0, len(choice), _CHUNK)
    parts = [_measure(path.at(choice[at : at + _CHUNK]), per_year) for at in starts]
    every = _Measured(*map(np.concatenate, zip(*parts, strict=True)))
    real = _measure(path, per_year)
    return Drawn(
        *names,
        n=path.ret.size,
        block=block,
        draws=len(choice),
        seed=seed,
        total=_spread(real.total, every.total),
        sharpe=_spread(real.sharpe, every.sharpe),
        depth=_spread(real.depth, every.depth),
        loss=float((every.total < 0).mean()),
        ruin=float((every.lowest <= ruin).mean()),
        fan=_fan(every.growth, path.ret.size),
    )


def _measure(path: Span, per_year: float) -> _Measured:
    after = np.cumprod(1.0 + path.ret, axis=-1)
    before = np.concatenate((np.ones_like(after[..., :1]), after[..., :-1]), axis=-1)
    at = _fan_points(path.ret.shape[-1])
    return _Measured(
        total=total_return(path.ret),
        sharpe=sharpe(path.ret, per_year),
        depth=path.depth(),
        lowest=np.asarray((before * path.low).min(axis=-1)),
        growth=np.asarray(after[..., at]),
    )


def _spread(measured: Floats, drawn: Floats) -> Spread:
    known = drawn[~np.isnan(drawn)]
    if not known.size:
        return Spread(float(measured), float("nan"), (float("nan"),) * len(LEVELS))
    quantiles = tuple(float(q) for q in np.quantile(known, LEVELS))
    return Spread(float(measured), float(known.mean()), quantiles)


def _fan_points(n: int) -> Ints:
    return np.unique(np.linspace(0, n - 1, min(n, _FAN_POINTS)).round().astype(np.int64))


def _fan(growth: Floats, n: int) -> Fan:
    bands = np.quantile(growth, LEVELS, axis=0)
    return Fan(
        tuple((_fan_points(n) + 1).tolist()),
        tuple(tuple(float(value) for value in band) for band in bands),
    )
