"""Charts of a path: equity, drawdown, rolling Sharpe ratio, exposure."""

from __future__ import annotations

from typing import Final

import numpy as np
from matplotlib.axes import Axes
from matplotlib.ticker import LogLocator, NullLocator
from numpy.lib.stride_tricks import sliding_window_view

from crypto_quant.backtesting.metrics.result import RunResult
from crypto_quant.backtesting.metrics.schema import PORTFOLIO, column
from crypto_quant.backtesting.metrics.tracks import Track, floats
from crypto_quant.backtesting.visualization import canvas
from crypto_quant.core.measures.arrays import DAY_NS, Floats, Ints
from crypto_quant.core.measures.drawdown import drawdown_series
from crypto_quant.core.measures.sharpe import newey_west_sharpe, sharpe

ROLLING_DAYS: Final = 365


def equity(main: Track, others: list[Track], at: int | None, is_log: bool) -> str:
    """Draw equity beside buy-and-hold, in money, on a linear or a logarithmic scale."""
    made, (axis,) = canvas.figure(2.7)
    ts, rows = _daily(main)
    for track in others:
        axis.plot(
            canvas.dates(ts),
            main.capital * track.marks.growth[rows],
            color=canvas.HELD,
            linewidth=1.0,
            linestyle="-" if track.key == "buy_and_hold" else (0, (3, 2)),
            label=track.label,
        )
    grown = main.capital * main.marks.growth[rows]
    axis.plot(canvas.dates(ts), grown, color=canvas.OURS, linewidth=1.6, label=main.label)
    _frame(axis, main, at)
    if is_log:
        axis.set_yscale("log")
        axis.yaxis.set_major_locator(LogLocator(base=10, subs=(1.0, 2.0, 5.0)))
        axis.yaxis.set_minor_locator(NullLocator())
    axis.set_title("Equity, logarithmic" if is_log else "Equity")
    canvas.thousands_axis(axis)
    canvas.legend(axis)
    scale = "logarithmic" if is_log else "linear"
    return canvas.svg(made, f"Equity of the portfolio beside buy and hold, {scale} scale")


def underwater(main: Track, held: Track, at: int | None) -> str:
    """Draw the loss from the last peak, the worst mark of each day."""
    made, (axis,) = canvas.figure(2.3)
    start = main.days.start
    for track, tone in ((held, canvas.HELD), (main, canvas.OURS)):
        fall = -_worst_of_day(drawdown_series(track.marks.growth), main)
        axis.fill_between(canvas.dates(start), fall, 0, color=tone, alpha=0.30, linewidth=0)
        axis.plot(canvas.dates(start), fall, color=tone, linewidth=0.8, label=track.label)
    _frame(axis, main, at)
    axis.set_title("Underwater")
    canvas.percent_axis(axis)
    canvas.legend(axis)
    return canvas.svg(made, "Drawdown of the portfolio and of buy and hold over time")


def rolling_sharpe(main: Track, held: Track, at: int | None) -> str:
    """Draw the Sharpe ratio of the last 365 days with data; empty for shorter runs."""
    seen = ~main.days.hole
    if int(seen.sum()) <= ROLLING_DAYS:
        return ""
    made, (axis,) = canvas.figure(2.3)
    ends = main.days.start[seen][ROLLING_DAYS - 1 :] + DAY_NS
    windows = sliding_window_view(main.days.ours.ret[seen], ROLLING_DAYS)
    market = sliding_window_view(main.days.theirs.ret[seen], ROLLING_DAYS)
    axis.plot(
        canvas.dates(ends), sharpe(market), color=canvas.HELD, linewidth=1.0, label=held.label
    )
    axis.plot(canvas.dates(ends), sharpe(windows), color=canvas.OURS, label="Portfolio, daily")
    axis.plot(
        canvas.dates(ends),
        newey_west_sharpe(windows),
        color=canvas.SERIES[1],
        label="Portfolio, Newey\u2013West",
    )
    axis.axhline(2.0, color=canvas.MUTED, linewidth=0.8, linestyle=(0, (1, 2)))
    axis.axhline(0.0, color=canvas.INK, linewidth=0.6)
    _frame(axis, main, at)
    axis.set_title(f"Sharpe ratio of the last {ROLLING_DAYS} days")
    canvas.legend(axis)
    return canvas.svg(made, "Rolling Sharpe ratio over time")


def exposure(run: RunResult, main: Track, at: int | None) -> str:
    """Draw each instrument's position value over equity, mean of each day."""
    made, (axis,) = canvas.figure(2.3)
    prefix = column(PORTFOLIO, "notional") + "/"
    names = [name for name in run.equity.column_names if name.startswith(prefix)]
    equity = floats(run.equity, column(PORTFOLIO, "equity"))
    net = np.zeros(main.days.start.size)
    for i, name in enumerate(names):
        with np.errstate(divide="ignore", invalid="ignore"):
            share = np.where(equity > 0, floats(run.equity, name) / equity, 0.0)
        mean = _mean_of_day(share, main)
        net += mean
        tone = canvas.colour(i + 1)
        axis.fill_between(
            canvas.dates(main.days.start),
            mean,
            0,
            color=tone,
            alpha=0.45,
            linewidth=0,
            label=name[len(prefix) :],
        )
    axis.plot(canvas.dates(main.days.start), net, color=canvas.INK, linewidth=0.9, label="net")
    _frame(axis, main, at)
    axis.set_title("Exposure: position value over equity, daily mean")
    canvas.percent_axis(axis)
    canvas.legend(axis, 6)
    return canvas.svg(made, "Position value over equity by instrument over time")


def _frame(axis: Axes, main: Track, at: int | None) -> None:
    canvas.shade(axis, main.days.start, main.days.hole)
    canvas.boundary(axis, at, main.days.start)
    canvas.time_axis(axis, main.marks.ts)


def _daily(main: Track) -> tuple[Ints, Ints]:
    """Find times and rows of the first mark and of the last mark of each day."""
    rows = np.concatenate(([0], _last_rows(main)))
    return main.marks.ts[rows], rows


def _last_rows(main: Track) -> Ints:
    ends = np.append(main.days.start[1:], main.marks.ts[-1])
    return np.asarray(np.searchsorted(main.marks.ts, ends, side="right") - 1)


def _worst_of_day(values: Floats, main: Track) -> Floats:
    first = np.concatenate(([0], _last_rows(main)[:-1]))
    return np.asarray(np.maximum.reduceat(values, first))


def _mean_of_day(values: Floats, main: Track) -> Floats:
    edges = np.concatenate(([0], _last_rows(main)))
    total = np.concatenate(([0.0], np.cumsum(values)))[edges + 1]
    return np.asarray(np.diff(total) / np.maximum(np.diff(edges), 1))
