"""Tracks: every row of the report as one marked path cut into days.

A row may be the portfolio, a sleeve inside it, another run (a variant), buy-and-hold, or
cash. Money turns into float64 here, where it stops being money and becomes a statistic.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from crypto_quant.backtesting.metrics.description import Row, Sleeve
from crypto_quant.backtesting.metrics.result import RunResult
from crypto_quant.backtesting.metrics.schema import PORTFOLIO, Table, column
from crypto_quant.core.measures.arrays import DAY_NS, Bools, Floats, Ints
from crypto_quant.core.measures.days import Days, Marks, cut_days
from crypto_quant.core.measures.growth import growth_index
from crypto_quant.core.measures.stress import VENUE_LOSS, stressed_path

COSTS = ("fees", "spread", "impact", "transfer")


class Track(NamedTuple):
    """One row: its path, its days, and the round trips it closed.

    ``costs`` cumulative cost as a fraction of the equity in each step, shape (n,), NaN where
    unknown. ``trips`` closed round trips (``schema.TRIPS``). ``capital`` first equity, in
    money.
    """

    key: str
    label: str
    kind: str
    note: str
    capital: float
    marks: Marks
    days: Days
    costs: Floats
    trips: Table


def floats(table: Table, name: str) -> Floats:
    """Read a column of decimals as float64; null is NaN."""
    values = pc.cast(table[name], pa.float64()).to_numpy(zero_copy_only=False)
    return np.asarray(values, dtype=np.float64)


def portfolio_track(run: RunResult) -> Track:
    """Read the run itself."""
    trips = run.trips.filter(pc.equal(run.trips["row"], PORTFOLIO))
    return _book_track(run, PORTFOLIO, "Portfolio", trips, None)


def sleeve_track(run: RunResult, sleeve: Sleeve) -> Track:
    """Read a sleeve inside the portfolio; one without capital stands on the portfolio's."""
    trips = run.trips.filter(pc.equal(run.trips["row"], PORTFOLIO))
    trips = trips.filter(pc.equal(trips["sleeve"], sleeve.name))
    own = floats(run.equity, column(sleeve.name, "equity"))[0] > 0
    base = None if own else float(floats(run.equity, column(PORTFOLIO, "equity"))[0])
    track = _book_track(run, sleeve.name, sleeve.label, trips, base)
    note = "on its own capital" if own else "on the portfolio's capital"
    return track._replace(kind="sleeve", note=note)


def variant_track(run: RunResult, row: Row) -> Track:
    """Read another run that is shown beside this one."""
    table = run.variants.filter(pc.equal(run.variants["row"], row.key))
    trips = run.trips.filter(pc.equal(run.trips["row"], row.key))
    ts = table["ts"].to_numpy()
    equity, flow = floats(table, "equity"), np.nan_to_num(floats(table, "flow"))
    held, hole = held_growth(run, ts)
    marks = Marks(
        ts=ts,
        growth=growth_index(equity, flow),
        held=held,
        gained=equity - flow,
        notional=np.nan_to_num(floats(table, "notional")),
        hole=hole,
    )
    costs = _cost_fraction(floats(table, "costs"), equity)
    return _track((row.key, row.label, str(row.kind), row.note), marks, costs, trips)


def held_track(portfolio: Track, label: str = "Buy and hold") -> Track:
    """Hold the benchmark over the portfolio's marks."""
    return _passive(portfolio, "buy_and_hold", label, portfolio.marks.held)


def scaled_track(portfolio: Track, factor: float) -> Track:
    """Hold ``factor`` of the benchmark, set again each midnight; NaN path for NaN factor."""
    marks = portfolio.marks
    day = (marks.ts - 1) // DAY_NS
    day[0] = day[1]
    first = np.maximum(np.searchsorted(marks.ts, day * DAY_NS, side="right") - 1, 0)
    inside = 1.0 + factor * (marks.held / marks.held[first] - 1.0)
    last = np.flatnonzero(np.diff(day, append=day[-1] + 1))
    done = np.concatenate(([1.0], np.cumprod(inside[last])))
    before = done[np.cumsum(np.diff(day, prepend=day[0]) > 0)]
    note = f"{factor:.4f} of the capital, rebalanced daily, the rest in cash at 0%"
    track = _passive(
        portfolio, "equal_volatility", "Buy and hold, equal volatility", before * inside
    )
    return track._replace(note=note if np.isfinite(factor) else "would need borrowed money")


def cash_track(portfolio: Track) -> Track:
    """Hold cash at 0 %."""
    flat = np.ones(portfolio.marks.ts.size)
    track = _passive(portfolio, "cash", "Cash at 0%", flat)
    return track._replace(days=track.days._replace(exposed=np.zeros_like(track.days.exposed)))


def stressed_track(track: Track, share: Floats, what: str) -> Track:
    """Stress a track: costs paid twice, and losses of the venue's balance.

    Each loss is a losing round trip of its own, closed when it fell.

    Parameters
    ----------
    share : ndarray of shape (n,)
        Part of the equity that stands on the venue, in [0, 1].
    what : str
        Names the balance, for the row's note.
    """
    growth, losses = stressed_path(track.marks.growth, track.costs, track.marks.ts, share)
    marks = track.marks._replace(growth=growth, gained=track.capital * growth)
    paid_twice = floats(track.trips, "pnl") - floats(track.trips, "costs")
    lost = track.capital * growth[losses] * share[losses] * VENUE_LOSS
    lost /= 1.0 - VENUE_LOSS * share[losses]  # growth is what was left
    closed = np.concatenate([track.trips["close_ts"].to_numpy(), track.marks.ts[losses]])
    order = np.argsort(closed, kind="stable")
    days = cut_days(marks, closed[order], np.concatenate([paid_twice, -lost])[order])
    fell = ", ".join(str(np.datetime64(int(track.marks.ts[i]), "ns"))[:10] for i in losses)
    return track._replace(
        key=f"{track.key}_stressed",
        label=f"{track.label}, stressed",
        kind="stress",
        note=f"costs x 2; {VENUE_LOSS:.0%} of {what} lost on {fell}",
        marks=marks,
        days=days,
    )


def held_growth(run: RunResult, ts: Ints) -> tuple[Floats, Bools]:
    """Grow 1 in the benchmark from the first of ``ts``, one taker fee paid.

    Returns
    -------
    tuple of ndarray of shape (n,)
        Growth (1 before the purchase, the fee in the first step), and the hole flags.
    """
    benchmark = run.description.benchmark
    price = floats(run.equity, f"mark/{benchmark.instrument}")
    at = np.maximum(np.searchsorted(run.equity["ts"].to_numpy(), ts, side="right") - 1, 0)
    growth = price[at] / price[at[0]] / (1.0 + float(benchmark.taker_fee))
    growth[0] = 1.0
    hole = run.equity["hole"].to_numpy(zero_copy_only=False)[at]
    return growth, np.asarray(hole, dtype=np.bool_)


_NO_TRIPS = (np.array([], dtype=np.int64), np.array([], dtype=np.float64))


def _book_track(run: RunResult, book: str, label: str, trips: Table, base: float | None) -> Track:
    ts = run.equity["ts"].to_numpy()
    equity = floats(run.equity, column(book, "equity"))
    flow = floats(run.equity, column(book, "flow"))
    if base is not None:
        equity, flow = base + (equity - flow - (equity[0] - flow[0])), np.zeros(equity.shape)
    held, hole = held_growth(run, ts)
    prefix = column(book, "notional") + "/"
    names = [name for name in run.equity.column_names if name.startswith(prefix)]
    gross = np.zeros(ts.size)
    for name in names:
        gross += np.abs(floats(run.equity, name))
    marks = Marks(ts, growth_index(equity, flow), held, equity - flow, gross, hole)
    paid = -sum((floats(run.equity, column(book, part)) for part in COSTS), start=np.zeros(ts.size))
    return _track((book, label, "portfolio", ""), marks, _cost_fraction(paid, equity), trips)


def _track(names: tuple[str, str, str, str], marks: Marks, costs: Floats, trips: Table) -> Track:
    days = cut_days(marks, trips["close_ts"].to_numpy(), floats(trips, "pnl"))
    return Track(*names, float(marks.gained[0]), marks, days, costs, trips)


def _passive(portfolio: Track, key: str, label: str, growth: Floats) -> Track:
    marks = portfolio.marks._replace(
        growth=growth,
        gained=portfolio.capital * growth,
        notional=portfolio.capital * growth,
    )
    days = cut_days(marks, *_NO_TRIPS)
    unknown = np.full(growth.shape, np.nan)
    return Track(key, label, "benchmark", "", portfolio.capital, marks, days, unknown, np.array([]))


def _cost_fraction(paid: Floats, equity: Floats) -> Floats:
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = np.where(equity[:-1] > 0, np.diff(paid) / equity[:-1], 0.0)
    out = np.zeros(paid.shape)
    out[1:] = np.cumsum(steps)
    return out
