"""Evaluation: everything a report says about a run, computed once.

The HTML report, ``metrics.json`` and the command line print this and compute nothing.
"""

from __future__ import annotations

import json
import math
from decimal import Decimal
from typing import NamedTuple

import numpy as np

from crypto_quant.backtesting.metrics.attribution import Attribution, attribute
from crypto_quant.backtesting.metrics.description import RowKind
from crypto_quant.backtesting.metrics.doubt import Doubt, doubt
from crypto_quant.backtesting.metrics.figures import RowFigures, row_figures
from crypto_quant.backtesting.metrics.periods import (
    Month,
    Period,
    by_month,
    by_regime,
    by_side,
    by_year,
    cash_yield,
)
from crypto_quant.backtesting.metrics.result import RunResult
from crypto_quant.backtesting.metrics.rolling import Intervals, Rolling, rolling, whole_path
from crypto_quant.backtesting.metrics.schema import PORTFOLIO, column
from crypto_quant.backtesting.metrics.tracks import (
    Track,
    cash_track,
    floats,
    held_track,
    portfolio_track,
    scaled_track,
    sleeve_track,
    stressed_track,
    variant_track,
)
from crypto_quant.backtesting.metrics.trading import Trading, trading
from crypto_quant.core.measures.arrays import Floats
from crypto_quant.core.measures.dispersion import equal_volatility
from crypto_quant.core.measures.sharpe import marginal_sharpe


class Marginal(NamedTuple):
    """What a sleeve adds to the portfolio's daily Sharpe ratio.

    ``rerun``: against a run without the sleeve (NaN where there is none). ``removed``:
    against this path with the sleeve's P&L taken out, nothing decided anew.
    """

    sleeve: str
    label: str
    rerun: float
    removed: float


class Evaluation(NamedTuple):
    """The first of ``rows`` is the portfolio; ``tracks`` has their paths, by key."""

    rows: tuple[RowFigures, ...]
    capacity: tuple[RowFigures, ...]
    marginal: tuple[Marginal, ...]
    years: tuple[Period, ...]
    regimes: tuple[Period, ...]
    sides: tuple[Period, ...]
    rolling: tuple[Rolling, ...]
    intervals: Intervals
    months: tuple[Month, ...]
    doubts: tuple[Doubt, ...]
    attribution: Attribution
    trading: Trading
    hole_days: int
    tracks: dict[str, Track]


def evaluate(run: RunResult) -> Evaluation:
    """Measure a run; seeded by its description, so the same run gives the same figures."""
    about = run.description
    main = portfolio_track(run)
    tracks, capacity = _tracks(run, main)
    cash = cash_yield(main, run)
    rows = tuple(_row(track, run, main, cash) for track in tracks)
    windows = (rolling(main.days, years, about.seed) for years in (1, 2))
    return Evaluation(
        rows=rows,
        capacity=tuple(_row(track, run, main, cash) for track in capacity),
        marginal=_marginals(run, main, {track.key: track for track in tracks}),
        years=tuple(by_year(main)),
        regimes=tuple(by_regime(main, run)),
        sides=tuple(by_side(main, about.chosen_before_ns)),
        rolling=tuple(window for window in windows if window is not None),
        intervals=whole_path(main.days, about.seed),
        months=tuple(by_month(main)),
        doubts=_doubts(run, rows),
        attribution=attribute(run),
        trading=trading(run, rows[0].figures.years),
        hole_days=int(main.days.hole.sum()),
        tracks={track.key: track for track in (*tracks, *capacity)},
    )


def to_json(found: Evaluation, synthetic: bool = False) -> str:
    """Write an evaluation as JSON: keys sorted, NaN as null, money as text.

    ``synthetic`` says that the market was generated.
    """
    parts = found._asdict().items()
    data = {name: jsonable(part) for name, part in parts if name != "tracks"}
    data["synthetic"] = synthetic
    return json.dumps(data, indent=1, sort_keys=True, allow_nan=False) + "\n"


def _row(track: Track, run: RunResult, main: Track, cash: Floats) -> RowFigures:
    same_clock = np.array_equal(track.days.start, main.days.start)
    own = cash if same_clock else cash_yield(track, run)
    return row_figures(track, run.description.trials, own)


def _tracks(run: RunResult, main: Track) -> tuple[list[Track], list[Track]]:
    """List the rows in the order they are shown, and apart from them the capacity runs."""
    about = run.description
    sleeves = {sleeve.name: sleeve_track(run, sleeve) for sleeve in about.sleeves}
    variants = [(row, variant_track(run, row)) for row in about.rows]

    def of(*kinds: RowKind) -> list[Track]:
        return [track for row, track in variants if row.kind in kinds]

    seen = ~main.days.hole
    factor = equal_volatility(main.days.theirs.ret[seen], main.days.ours.ret[seen])
    stressed = [stressed_track(main, _venue_share(run), "what the venue holds")]
    stressed += [
        stressed_track(
            sleeves[s.name], np.ones(main.marks.ts.size), f"the {s.label.lower()} balance"
        )
        for s in about.sleeves
        if s.venue_balance and s.risks
    ]
    tracks = [
        main,
        *sleeves.values(),
        *of(RowKind.SLEEVE_ALONE, RowKind.WITHOUT),
        *stressed,
        *of(RowKind.STRESS),
        held_track(main),
        scaled_track(main, factor),
        *of(RowKind.BENCHMARK),
        cash_track(main),
        *of(RowKind.ANCHORED, RowKind.CONTROL),
    ]
    capacity = sorted(of(RowKind.CAPACITY), key=lambda track: track.capital)
    if capacity and all(track.capital != main.capital for track in capacity):
        own_size = main._replace(key="capacity_own", label="This run", kind="capacity")
        capacity = sorted([*capacity, own_size], key=lambda track: track.capital)
    return tracks, capacity


def _venue_share(run: RunResult) -> Floats:
    """Share of the portfolio's equity that stands on a venue; all of it where unknown."""
    whole = floats(run.equity, column(PORTFOLIO, "equity"))
    held = np.zeros(whole.shape)
    for sleeve in run.description.sleeves:
        equity = floats(run.equity, column(sleeve.name, "equity"))
        if sleeve.venue_balance:
            held += equity if equity[0] > 0 else whole
    if not any(sleeve.venue_balance for sleeve in run.description.sleeves):
        held = whole
    with np.errstate(divide="ignore", invalid="ignore"):
        return np.where(whole > 0, np.clip(held / whole, 0.0, 1.0), 0.0)


def _marginals(run: RunResult, main: Track, tracks: dict[str, Track]) -> tuple[Marginal, ...]:
    seen = ~main.days.hole
    whole = main.days.ours.ret[seen]
    start = np.maximum(np.searchsorted(main.marks.ts, main.days.start, side="right") - 1, 0)
    equity = floats(run.equity, column(PORTFOLIO, "equity"))[start]
    out = []
    for sleeve in run.description.sleeves:
        part = (tracks[sleeve.name].days.pnl / equity)[seen]
        without = [
            tracks[row.key]
            for row in run.description.rows
            if row.kind is RowKind.WITHOUT and row.of == sleeve.name
        ]
        same = [t for t in without if np.array_equal(t.days.start, main.days.start)]
        rerun = marginal_sharpe(whole, same[0].days.ours.ret[seen]) if same else np.nan
        removed = marginal_sharpe(whole, whole - part)
        out.append(Marginal(sleeve.name, sleeve.label, float(rerun), float(removed)))
    return tuple(out)


def _doubts(run: RunResult, rows: tuple[RowFigures, ...]) -> tuple[Doubt, ...]:
    about = run.description
    risks = {sleeve.name: sleeve.risks for sleeve in about.sleeves}
    labels = {sleeve.name: sleeve.label for sleeve in about.sleeves}
    alone = {row.key: row.of for row in about.rows if row.kind is RowKind.SLEEVE_ALONE}
    every = tuple(dict.fromkeys(risk for own in risks.values() for risk in own))
    found = []
    for row in rows:
        if row.kind in ("portfolio", "sleeve"):
            found.append(doubt(row, risks.get(row.key, every)))
        elif sleeve := alone.get(row.key):
            same = f"The risks named for {labels.get(sleeve, sleeve)} are not in its data either."
            found.append(doubt(row, (same,) if risks.get(sleeve) else ()))
    return tuple(item for item in found if item is not None)


def jsonable(value: object) -> object:
    """Return named tuples as what JSON has: no tracks, NaN as null, money as text."""
    if isinstance(value, tuple) and hasattr(value, "_asdict"):
        return {name: jsonable(part) for name, part in value._asdict().items() if name != "tracks"}
    if isinstance(value, dict):
        return {str(key): jsonable(part) for key, part in value.items()}
    if isinstance(value, tuple | list):
        return [jsonable(part) for part in value]
    if isinstance(value, float):
        return value if math.isfinite(value) else None
    return f"{value:f}" if isinstance(value, Decimal) else value
