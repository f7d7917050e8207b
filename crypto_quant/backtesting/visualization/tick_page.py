"""The page of a tick run: the pessimistic end first, the band, the markouts, each session."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from crypto_quant.backtesting.engine.markouts import HORIZONS_NS
from crypto_quant.backtesting.metrics.result import put
from crypto_quant.backtesting.metrics.schema import PORTFOLIO, column
from crypto_quant.backtesting.visualization import canvas, market_text, tick_text
from crypto_quant.backtesting.visualization.page import templates
from crypto_quant.backtesting.visualization.refusal_text import nothing_sent, other_rules
from crypto_quant.core.errors import DataError

_NS: Final = 1e9


def build_tick_report(folder: Path) -> Path:
    """Write ``report.html`` into the folder of a tick run, from what it holds; return its path.

    Raises
    ------
    DataError
        A file cannot be read or written, or the run was made before runs had a band.
    """
    try:
        metrics = json.loads((folder / "metrics.json").read_text("utf-8"))
        equity = pq.read_table(folder / "equity.parquet")
        config = (folder / "config.toml").read_text("utf-8")
    except (OSError, ValueError) as err:
        raise DataError(f"{folder}: is no finished run: {err}") from None
    if "band" not in metrics:
        raise DataError(f"{folder}: metrics.json has no band: run cq backtest again")
    band, (refused, sent) = metrics["band"], tick_text.refused(metrics)
    lags = tick_text.latencies(band)
    with canvas.style():
        charts = {
            "band": _band(band, lags) if len(band["cells"]) > 1 else "",
            "path": _path(metrics, equity),
            "markouts": _markouts(band),
        }
    page = (
        templates()
        .get_template("ticks.html.j2")
        .render(
            name=folder.resolve().name,
            title=tick_text.title(metrics),
            markets=list(market_text.tables(metrics)),
            metrics=metrics,
            capital=Decimal(metrics["capital"]),
            band=band,
            verdict=list(tick_text.verdict(metrics)),
            latencies=lags,
            queues=_queues(band),
            pnl={(c["queue"], c["latency"]): Decimal(c["pnl"]) for c in band["cells"]},
            rows=tick_text.session_rows(metrics),
            markouts=list(tick_text.markout_rows(band)),
            horizons=list(HORIZONS_NS),
            refused=refused,
            nothing_sent=nothing_sent(refused, sent),
            other_rules=other_rules(refused),
            charts=charts,
            config=config,
        )
    )
    put(folder / "report.html", page.encode())
    return folder / "report.html"


def _queues(band: Mapping[str, Any]) -> list[tuple[str, str, str]]:
    """Return key, name and model of each queue; where no order rested, one row for all."""
    models = {cell["queue"]: cell["model"] for cell in band["cells"]}
    if not band["rests"]:
        return [(next(iter(models)), "any queue", "no order ever rested in one")]
    return [
        (q, tick_text.queue_name(q), "" if q == model else model) for q, model in models.items()
    ]


def _band(band: Mapping[str, Any], lags: Sequence[str]) -> str:
    """Draw the P&L of every cell."""
    queues = _queues(band)
    made, (axis,) = canvas.figure(0.75 + 0.34 * len(queues))
    made.subplots_adjust(left=0.12)
    pnl = {(c["queue"], c["latency"]): float(c["pnl"]) for c in band["cells"]}
    for at, (queue, _, _) in enumerate(queues):
        values = [pnl[queue, lag] for lag in lags]
        axis.plot([min(values), max(values)], [at, at], color=canvas.HELD, linewidth=1.0, zorder=1)
        for lag, value, tone in zip(lags, values, canvas.SERIES, strict=False):
            label = f"latency {lag}" if at == 0 else None
            axis.scatter([value], [at], s=26, color=tone, label=label, zorder=2, linewidths=0)
    axis.set_yticks(range(len(queues)), [name for _, name, _ in queues])
    axis.set_ylim(len(queues) - 0.5, -0.5)
    axis.grid(visible=False, axis="y")
    axis.grid(visible=True, axis="x")
    axis.set_title("P&L of all sessions, by queue")
    canvas.legend(axis)
    return canvas.svg(made, "P&L of every cell of the band")


def _path(metrics: Mapping[str, Any], equity: pa.Table) -> str:
    """Draw the P&L over each session at the judged cell."""
    sessions = metrics["sessions"]
    made, axes = canvas.figure(1.9, columns=len(sessions))
    names = np.array(equity["session"].to_pylist())
    ts = equity["ts"].to_numpy()
    worth = equity[column(PORTFOLIO, "equity")].cast("float64").to_numpy()
    before = float(metrics["capital"])
    for axis, session in zip(axes, sessions, strict=True):
        own = names == session["session"]
        seconds = (ts[own] - session["decisions_from_ns"]) / _NS
        axis.plot(seconds, worth[own] - before, color=canvas.OURS)
        axis.axhline(0, color=canvas.INK, linewidth=0.5)
        axis.set_title(f"P&L, {session['session']}")
        axis.set_xlabel("seconds")
        before = float(worth[own][-1])
    return canvas.svg(made, "P&L over each session")


def _markouts(band: Mapping[str, Any]) -> str:
    """Draw markouts by horizon: the judged cell, and the reach of the others."""
    found = list(tick_text.markout_rows(band))
    if not found:
        return ""
    made, (axis,) = canvas.figure(2.3)
    at = np.array([ns / _NS for ns in HORIZONS_NS.values()])
    for row, tone in zip(found, canvas.SERIES, strict=False):
        value = np.array([np.nan if v is None else v for v in row.judged])
        low, high = (np.array([np.nan if s is None else s[n] for s in row.spans]) for n in (0, 1))
        axis.fill_between(at, low, high, color=tone, alpha=0.15, linewidth=0)
        axis.plot(at, value, color=tone, marker="o", markersize=3.5, label=row.name)
    axis.set_xscale("log")
    axis.set_xticks(at, list(HORIZONS_NS))
    axis.minorticks_off()
    axis.axhline(0, color=canvas.INK, linewidth=0.5)
    axis.set_title("Markout, bps of the fill's price")
    canvas.legend(axis)
    return canvas.svg(made, "Markouts by horizon")
