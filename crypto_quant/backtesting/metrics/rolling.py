"""Rolling starts and resampled histories: how far luck of the window goes."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final, NamedTuple

import numpy as np

from crypto_quant.core.measures.arrays import Bools, Floats, Ints
from crypto_quant.core.measures.bootstrap import (
    COVERAGE,
    SHARPE_NOMINAL,
    interval,
    mean_block,
    mirrored,
    stationary_blocks,
)
from crypto_quant.core.measures.days import Days
from crypto_quant.core.measures.targets import LEAST_SHARPE, Score, Verdict, judge, score

DRAWS: Final = 400
_CHUNK: Final = 50


class Share(NamedTuple):
    """Share of windows that meet a target, and its 90 % block-bootstrap interval."""

    met: float
    low: float
    high: float


class Rolling(NamedTuple):
    """Windows of ``years`` whole calendar years, one starting with each month.

    ``lowest_sharpe`` and ``cagr``: least, median and greatest over the windows.
    """

    years: int
    windows: int
    shares: dict[str, Share]
    lowest_sharpe: tuple[float, float, float]
    cagr: tuple[float, float, float]


class Intervals(NamedTuple):
    """90 % block-bootstrap intervals on the whole path, and how often targets are met.

    Sharpe ratios are mirrored in interval and count alike (``bootstrap.mirrored``), and the
    interval widened (``bootstrap.SHARPE_NOMINAL``).
    ``block`` mean length of a block in days.
    """

    values: dict[str, tuple[float, float]]
    met: dict[str, float]
    draws: int
    block: int


def resampled(days: Days, seed: int, draws: int = DRAWS) -> Iterator[Days]:
    """Draw histories from the days that have data, a few at a time to bound memory."""
    base = days.at(~days.hole)
    rng = np.random.default_rng(seed)
    drawn = stationary_blocks(base.start.size, draws, rng, mean_block(base.start.size))
    for first in range(0, draws, _CHUNK):
        yield base.redrawn(drawn[first : first + _CHUNK])


def whole_path(days: Days, seed: int, draws: int = DRAWS) -> Intervals:
    """Measure the whole path on resampled histories."""
    values: dict[str, list[Floats]] = {}
    hits: list[Verdict] = []
    for histories in resampled(days, seed, draws):
        got = score(histories)
        hits.append(judge(got))
        for name, drawn in _values(got).items():
            values.setdefault(name, []).append(drawn)
    measured, every = _values(score(days)), {n: np.concatenate(v) for n, v in values.items()}
    ratios = [name for name in every if name.startswith("sharpe_")]
    for name in ratios:
        every[name] = mirrored(every[name], float(measured[name]))
    verdict = Verdict(*map(np.concatenate, zip(*hits, strict=True)))
    verdict = verdict._replace(sharpe=every["sharpe_lowest"] > LEAST_SHARPE)
    return Intervals(
        values={
            name: interval(drawn, SHARPE_NOMINAL if name in ratios else COVERAGE)
            for name, drawn in every.items()
        },
        met={name: float(met.mean()) for name, met in _hits(verdict).items()},
        draws=draws,
        block=mean_block(int((~days.hole).sum())),
    )


def rolling(days: Days, years: int, seed: int, draws: int = DRAWS) -> Rolling | None:
    """Judge every window of whole calendar years.

    Returns
    -------
    Rolling or None
        ``None`` where the path holds no such window.
    """
    starts = window_months(days, years)
    if not starts:
        return None
    real = [score(cut) for cut in _windows(days, starts, years)]
    verdicts = [_hits(judge(measured)) for measured in real]
    lowest = np.array([float(measured.sharpe.lowest) for measured in real])
    drawn = _drawn_shares(resampled(days, seed, draws), starts, years, _spread(lowest)[1])
    shares = {
        name: Share(float(np.mean([verdict[name] for verdict in verdicts])), *interval(drawn[name]))
        for name in drawn
    }
    growth = np.array([float(measured.cagr) for measured in real])
    return Rolling(years, len(starts), shares, _spread(lowest), _spread(growth))


def _drawn_shares(
    histories: Iterator[Days], starts: list[int], years: int, median: float
) -> dict[str, Floats]:
    """Return the share of windows that meet each target in each history; (draws,) each.

    Cutting into blocks lifts the drawn Sharpe ratios: all are moved by the amount that takes
    their median to ``median``, that of the path's own windows.
    """
    lowest: list[list[Floats]] = []
    verdicts: list[list[Verdict]] = []
    for some in histories:
        cuts = [score(cut) for cut in _windows(some, starts, years)]
        lowest.append([cut.sharpe.lowest for cut in cuts])
        verdicts.append([judge(cut) for cut in cuts])
    ratios = np.concatenate(lowest, axis=1)  # (windows, draws)
    hits = Verdict(*np.concatenate(verdicts, axis=2).swapaxes(0, 1))
    move = median - _spread(ratios.ravel())[1]
    hits = hits._replace(sharpe=ratios + move > LEAST_SHARPE)
    return {name: met.mean(axis=0) for name, met in _hits(hits).items()}


def window_months(days: Days, years: int) -> list[int]:
    """List the month numbers with which a window of whole months can start."""
    month = days.month
    whole = set()
    for number in np.unique(month):
        inside = month == number
        length = np.datetime64(int(number) + 1, "M").astype("datetime64[D]") - np.datetime64(
            int(number), "M"
        ).astype("datetime64[D]")
        if days.length[inside].sum() == length.astype(np.int64):
            whole.add(int(number))
    return [m for m in sorted(whole) if all(m + k in whole for k in range(12 * years))]


def _windows(days: Days, starts: list[int], years: int) -> Iterator[Days]:
    month: Ints = days.month
    for number in starts:
        first, stop = np.searchsorted(month, [number, number + 12 * years])
        yield days.window(int(first), int(stop))


def _hits(verdict: Verdict) -> dict[str, Bools]:
    return {**verdict._asdict(), "joint": verdict.joint}


def _values(measured: Score) -> dict[str, Floats]:
    return {
        "cagr": measured.cagr,
        "held_cagr": measured.held_cagr,
        "sharpe_daily": measured.sharpe.daily,
        "sharpe_monthly": measured.sharpe.monthly,
        "sharpe_newey_west": measured.sharpe.newey_west,
        "sharpe_lowest": measured.sharpe.lowest,
        "max_drawdown": measured.depth,
        "held_max_drawdown": measured.held_depth,
        "drawdown_share": measured.depth / measured.held_depth,
        "win_rate": measured.win_rate,
        "payoff": measured.payoff,
    }


def _spread(values: Floats) -> tuple[float, float, float]:
    known = values[np.isfinite(values)]
    if known.size == 0:
        return (float("nan"),) * 3
    return float(known.min()), float(np.median(known)), float(known.max())
