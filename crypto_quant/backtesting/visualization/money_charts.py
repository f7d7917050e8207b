"""Charts of money: attribution, round trips, capacity, and the folds of the model."""

from __future__ import annotations

import numpy as np
import pyarrow.compute as pc

from crypto_quant.backtesting.metrics.attribution import Attribution, BookAttribution
from crypto_quant.backtesting.metrics.evaluation import Evaluation
from crypto_quant.backtesting.metrics.result import RunResult
from crypto_quant.backtesting.metrics.schema import PORTFOLIO, Table, column
from crypto_quant.backtesting.metrics.tracks import Track, floats
from crypto_quant.backtesting.visualization import canvas


def attribution(run: RunResult, found: Attribution, main: Track) -> str:
    """Draw what each component earned: by sleeve, and over time for the portfolio."""
    made, (bars, lines) = canvas.figure(2.9, columns=2)
    whole = found.books[-1]
    names = [n for n, value in whole.components.items() if any(_part(b, n) for b in found.books)]
    height = 0.8 / max(len(found.books) - 1, 1)
    for i, book in enumerate(found.books[:-1]):
        where = np.arange(len(names)) + (i - (len(found.books) - 2) / 2) * height
        bars.barh(
            where,
            [_part(book, n) for n in names],
            height * 0.92,
            color=canvas.colour(i),
            label=book.label,
        )
    bars.set_yticks(range(len(names)), names)
    bars.invert_yaxis()
    bars.grid(visible=False, axis="y")
    bars.grid(visible=True, axis="x")
    bars.axvline(0, color=canvas.INK, linewidth=0.6)
    bars.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}".replace("-", "\u2212"))
    bars.set_title("By component and sleeve")
    canvas.legend(bars, 3)
    rows = slice(None, None, 24)
    for i, name in enumerate(names):
        series = floats(run.equity, column(PORTFOLIO, name))[rows]
        lines.plot(canvas.dates(main.marks.ts[rows]), series, color=canvas.colour(i), label=name)
    lines.axhline(0, color=canvas.INK, linewidth=0.6)
    canvas.shade(lines, main.days.start, main.days.hole)
    canvas.time_axis(lines, main.marks.ts)
    canvas.thousands_axis(lines)
    lines.set_title("Portfolio, cumulative")
    if names:
        lines.legend(loc="upper left", ncols=2, fontsize=7)
    return canvas.svg(made, "Profit and loss by component and sleeve")


def round_trips(run: RunResult) -> str:
    """Draw the distribution of net results of closed round trips, one panel a sleeve."""
    trips = run.trips.filter(pc.equal(run.trips["row"], PORTFOLIO))
    groups = [
        (sleeve.label, floats(_of(trips, sleeve.name), "pnl")) for sleeve in run.description.sleeves
    ]
    groups = [(label, results) for label, results in groups if results.size]
    if not groups:
        return ""
    made, axes = canvas.figure(2.3, columns=len(groups))
    for axis, (label, results) in zip(axes, groups, strict=True):
        edge = max(float(np.quantile(np.abs(results), 0.995)), 1e-9)
        bins = np.linspace(-edge, edge, 42)
        counts, _ = np.histogram(np.clip(results, -edge, edge), bins)
        middle = (bins[:-1] + bins[1:]) / 2
        tones = [canvas.OURS if x > 0 else canvas.SERIES[1] for x in middle]
        axis.bar(middle, counts, width=bins[1] - bins[0], color=tones, linewidth=0)
        axis.axvline(float(results.mean()), color=canvas.INK, linewidth=0.9)
        axis.set_title(f"{label}: {results.size} round trips")
        axis.set_xlabel(f"net result, {run.description.currency} (line: mean)", fontsize=7)
        axis.xaxis.set_major_formatter(lambda value, _: f"{value:,.0f}".replace("-", "\u2212"))
        axis.locator_params(axis="x", nbins=5)
    return canvas.svg(made, "Distribution of round-trip results by sleeve")


def capacity(found: Evaluation) -> str:
    """Draw return and Sharpe ratio against capital; empty below two sizes."""
    if len(found.capacity) < 2:
        return ""
    made, (left, right) = canvas.figure(2.3, columns=2)
    size = [row.capital for row in found.capacity]
    left.plot(size, [row.scored.cagr for row in found.capacity], "o-", color=canvas.OURS)
    right.plot(size, [row.scored.sharpe_lowest for row in found.capacity], "o-", color=canvas.OURS)
    left.axhline(0, color=canvas.INK, linewidth=0.6)
    right.axhline(0, color=canvas.INK, linewidth=0.6)
    left.set_title("CAGR by capital")
    right.set_title("Lowest Sharpe ratio by capital")
    canvas.percent_axis(left, 1)
    for axis in (left, right):
        axis.set_xscale("log")
        axis.minorticks_off()
        axis.set_xticks(size, [short_money(value) for value in size])
    return canvas.svg(made, "Return and Sharpe ratio against capital")


def folds(run: RunResult) -> str:
    """Draw the information coefficient of each fold's test range; empty without folds."""
    table = run.folds.filter(pc.equal(run.folds["row"], PORTFOLIO))
    ic = table["ic"].to_numpy(zero_copy_only=False)
    if not np.isfinite(ic).any():
        return ""
    made, (axis,) = canvas.figure(1.8)
    start = table["test_start"].to_numpy()
    axis.bar(canvas.dates(start), ic, width=6, color=canvas.OURS, linewidth=0)
    axis.axhline(float(np.nanmean(ic)), color=canvas.SERIES[1], linewidth=1.0, label="mean")
    axis.axhline(0, color=canvas.INK, linewidth=0.6)
    axis.set_title("Information coefficient on each test range")
    canvas.legend(axis)
    if start.size > 1:
        canvas.time_axis(axis, start)
    return canvas.svg(made, "Information coefficient by fold over time")


def short_money(value: float) -> str:
    """Write a capital shortly: 10 k, 2.5 M."""
    for size, unit in ((1e9, " bn"), (1e6, " M"), (1e3, " k")):
        if value >= size:
            return f"{value / size:g}{unit}"
    return f"{value:g}"


def _part(book: BookAttribution, name: str) -> float:
    return float(book.components.get(name, 0))


def _of(trips: Table, sleeve: str) -> Table:
    return trips.filter(pc.equal(trips["sleeve"], sleeve))
