"""Charts of a stress: shocks, histories drawn again, the parameter surface."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap
from matplotlib.patches import Rectangle

from crypto_quant.backtesting.visualization import canvas
from crypto_quant.backtesting.visualization.formats import number, percent

Row = Mapping[str, Any]
_CELLS = 144
"""Larger surfaces are drawn without the figure in each cell."""


def charts(found: Row) -> dict[str, str]:
    """Draw everything that ``stress.json`` holds; an empty text where there is nothing.

    On ticks the 5 % of a depeg would hide every other shock: the table shows those.
    """
    has_path = found["digits"] <= _DRAWN_DIGITS
    with canvas.style():
        return {
            "shocks": shocks(
                [row for row in found["shocks"] if row["shocked"] and not row["is_idle"]]
            )
            if has_path
            else "",
            "drawn": drawn([row for row in found["drawn"] if row["key"] in _SHOWN]),
            "surface": "" if found["surface"] is None else surface(found["surface"]),
        }


_DRAWN_DIGITS = 2
_SHOWN = ("days_stationary", "trips")


def shocks(rows: Sequence[Row]) -> str:
    """Draw return and drawdown of each shock beside those without it."""
    if not rows:
        return ""
    made, axes = canvas.figure(0.9 + 0.22 * len(rows), columns=2)
    at = np.arange(len(rows))
    for axis, name, title in zip(axes, ("ret", "depth"), ("Return", "Deepest fall"), strict=True):
        for shift, part, tone, label in (
            (-0.18, "plain", canvas.HELD, "as recorded"),
            (0.18, "shocked", canvas.SERIES[1], "under the shock"),
        ):
            values = [row[part][name] for row in rows]
            axis.barh(at + shift, values, 0.34, color=tone, linewidth=0, label=label)
        axis.set_title(title)
        axis.axvline(0, color=canvas.INK, linewidth=0.6)
        axis.grid(visible=False, axis="y")
        axis.grid(visible=True, axis="x")
        axis.set_ylim(len(rows) - 0.4, -0.6)
        axis.xaxis.set_major_formatter(lambda value, _: percent(value))
        axis.locator_params(axis="x", nbins=6)
    axes[0].set_yticks(at, [f"{row['label']}, {row['place']}" for row in rows])
    axes[1].set_yticks(at, [""] * len(rows))
    canvas.legend(axes[1], 2)
    return canvas.svg(made, "Return and deepest fall under each shock, beside those without")


def drawn(rows: Sequence[Row]) -> str:
    """Draw the fan of histories, one panel a way of drawing."""
    if not rows:
        return ""
    made, axes = canvas.figure(2.5, columns=len(rows))
    for axis, row in zip(axes, rows, strict=True):
        at = np.concatenate(([0], row["fan"]["at"]))
        bands = [np.concatenate(([1.0], band)) - 1.0 for band in row["fan"]["bands"]]
        for low, high, alpha in ((0, -1, 0.12), (1, -2, 0.20), (2, -3, 0.30)):
            axis.fill_between(
                at, bands[low], bands[high], color=canvas.OURS, alpha=alpha, linewidth=0
            )
        axis.plot(at, bands[len(bands) // 2], color=canvas.OURS, linewidth=1.4)
        axis.axhline(0, color=canvas.INK, linewidth=0.6)
        what = "days" if row["key"].startswith("days") else "round trips"
        axis.set_title(row["label"])
        axis.set_xlabel(what, fontsize=7)
        axis.set_xlim(0, at[-1])
        canvas.percent_axis(axis)
    return canvas.svg(made, "Return over the histories drawn again, in bands")


def surface(found: Row) -> str:
    """Draw the surface of Sharpe ratio and of return; the run's own cell is framed."""
    by = found["flatness"]["by"]
    names = {"sharpe_lowest": "Lowest Sharpe ratio", "sharpe_daily": "Daily Sharpe ratio"}
    rows = len(found["y"]["values"])
    made, axes = canvas.figure(1.1 + 0.34 * max(rows, 3), columns=2)
    _heat(axes[0], found, by, names[by], lambda value: number(value))
    _heat(axes[1], found, "total", "Total return", lambda value: percent(value))
    return canvas.svg(made, "Sharpe ratio and return over two parameters")


def _heat(axis: Axes, found: Row, name: str, title: str, write: Any) -> None:  # noqa: ANN401
    x, y, cells = found["x"], found["y"], found["cells"]
    width, height = len(x["values"]), len(y["values"])
    values = np.array([_known(cell[name]) for cell in cells]).reshape(height, width)
    shades = LinearSegmentedColormap.from_list("ours", ["#ffffff", canvas.OURS])
    axis.imshow(values, cmap=shades, aspect="auto", origin="lower")
    axis.grid(visible=False)
    axis.set_title(title)
    axis.set_xticks(range(width), [_short(value) for value in x["values"]])
    axis.set_yticks(range(height), [_short(value) for value in y["values"]])
    axis.set_xlabel(x["key"], fontsize=7)
    axis.set_ylabel(y["key"], fontsize=7)
    axis.add_patch(
        Rectangle(
            (x["own"] - 0.5, y["own"] - 0.5),
            1,
            1,
            fill=False,
            edgecolor=canvas.SERIES[1],
            linewidth=1.8,
        )
    )
    if width * height > _CELLS:
        return
    low, high = np.nanmin(values), np.nanmax(values)
    for row, column in np.ndindex(height, width):
        value = float(values[row, column])
        is_dark = high > low and (value - low) / (high - low) > 0.55
        tone = "white" if is_dark else canvas.INK
        axis.text(column, row, write(value), ha="center", va="center", color=tone, fontsize=7)


def _known(value: float | None) -> float:
    return float("nan") if value is None else value


def _short(value: object) -> str:
    return f"{value:g}" if isinstance(value, float) else str(value)
