"""Canvas: figures in one style, written as SVG whose bytes depend on the data alone."""

from __future__ import annotations

import io
import re
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Final

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.backends.backend_svg import FigureCanvasSVG
from matplotlib.dates import AutoDateLocator, ConciseDateFormatter, date2num
from matplotlib.figure import Figure
from matplotlib.typing import RcKeyType

from crypto_quant.core.measures.arrays import DAY_NS, Bools, Floats, Ints

INK: Final = "#1b2733"
MUTED: Final = "#6b7785"
GRID: Final = "#e3e7ec"
OURS: Final = "#0b4f8a"
HELD: Final = "#9aa3ad"
SERIES: Final = ("#0b4f8a", "#d55e00", "#009e73", "#cc79a7", "#56b4e9", "#e69f00", "#7a5c3e")
"""Colours that people who see fewer colours can tell apart (after Okabe and Ito)."""
WIDTH: Final = 9.6

_STYLE: Final[dict[RcKeyType, object]] = {
    "svg.fonttype": "none",
    "svg.hashsalt": "crypto-quant",
    "font.family": "DejaVu Sans",
    "font.size": 8.0,
    "text.color": INK,
    "axes.edgecolor": "#b9c0c8",
    "axes.labelcolor": MUTED,
    "axes.titlecolor": INK,
    "axes.titlesize": 8.5,
    "axes.titleweight": "bold",
    "axes.titlelocation": "left",
    "axes.linewidth": 0.6,
    "axes.grid": True,
    "axes.grid.axis": "y",
    "axes.axisbelow": True,
    "axes.spines.top": False,
    "axes.spines.right": False,
    "axes.spines.left": False,
    "axes.unicode_minus": True,
    "grid.color": GRID,
    "grid.linewidth": 0.6,
    "xtick.color": MUTED,
    "ytick.color": MUTED,
    "xtick.major.size": 3.0,
    "ytick.major.size": 0.0,
    "xtick.major.width": 0.6,
    "lines.linewidth": 1.2,
    "legend.frameon": False,
    "legend.fontsize": 8.0,
    "figure.facecolor": "none",
    "axes.facecolor": "none",
    "path.simplify": True,
    "path.simplify_threshold": 0.4,
}


@contextmanager
def style() -> Iterator[None]:
    """Draw in the report's style; leaves Matplotlib's settings as they were."""
    with matplotlib.rc_context(_STYLE):
        yield


def figure(height: float, columns: int = 1) -> tuple[Figure, list[Axes]]:
    """Make a figure of the page's width and ``height`` inches, and its axes in a row.

    Axes that stand alone have fixed margins, so that time lines up from chart to chart.
    """
    made = Figure(figsize=(WIDTH, height), layout="constrained" if columns > 1 else None)
    FigureCanvasSVG(made)
    axes = made.subplots(1, columns, squeeze=False)
    if columns == 1:
        made.subplots_adjust(left=0.078, right=0.995, top=1 - 0.3 / height, bottom=0.26 / height)
    return made, list(axes[0])


def svg(made: Figure, alternative: str) -> str:
    """Write a figure as an inline ``<svg>`` that says in words what it shows."""
    buffer = io.StringIO()
    made.savefig(buffer, format="svg", metadata={"Date": None, "Creator": None})
    text = buffer.getvalue()
    text = text[text.index("<svg") :]
    text = re.sub(r"<metadata>.*?</metadata>", "", text, flags=re.DOTALL)
    text = re.sub(r"<!--.*?-->\s*", "", text, flags=re.DOTALL)
    used = set(re.findall(r"(?:url\(#|href=\"#)([^)\"]+)", text))
    text = re.sub(
        r' id="([^"]+)"', lambda found: found.group(0) if found.group(1) in used else "", text
    )
    text = re.sub(r' d="[^"]+"', _rounded, text)
    text = re.sub(r'(<svg[^>]*?) width="[^"]*"', r"\1", text, count=1)
    text = re.sub(r'(<svg[^>]*?) height="[^"]*"', r"\1", text, count=1)
    return text.replace("<svg", f'<svg role="img" aria-label="{alternative}"', 1)


def _rounded(path: re.Match[str]) -> str:
    """Cut coordinates to hundredths of a point: a third of the bytes, the same picture."""
    return re.sub(r"(\.\d\d)\d+", r"\1", path.group(0))


def dates(ts: Ints) -> Floats:
    """Turn int64 ns into Matplotlib's day numbers."""
    when = ts.astype("datetime64[ns]").astype("datetime64[ms]")
    return np.asarray(date2num(when))  # type: ignore[no-untyped-call]  # untyped in Matplotlib


def time_axis(axis: Axes, ts: Ints) -> None:
    """Label the horizontal axis with dates from the first of ``ts`` to the last."""
    locator = AutoDateLocator(minticks=4, maxticks=9)  # type: ignore[no-untyped-call]  # as above
    axis.xaxis.set_major_locator(locator)
    axis.xaxis.set_major_formatter(
        ConciseDateFormatter(locator, show_offset=False)  # type: ignore[no-untyped-call]  # as above
    )
    span = dates(ts[[0, -1]])
    axis.set_xlim(span[0], span[1])


def shade(axis: Axes, start: Ints, hole: Bools) -> None:
    """Shade the days without data."""
    edges = np.flatnonzero(np.diff(np.concatenate(([False], hole, [False])).astype(np.int8)))
    for first, stop in edges.reshape(-1, 2):
        span = dates(np.array([start[first], start[stop - 1] + DAY_NS], dtype=np.int64))
        axis.axvspan(span[0], span[1], color="#dfe3e8", linewidth=0, zorder=0)


def boundary(axis: Axes, at: int | None, start: Ints) -> None:
    """Mark the date from which nothing was chosen any more."""
    if at is None or not start[0] < at < start[-1]:
        return
    where = float(dates(np.array([at], dtype=np.int64))[0])
    axis.axvline(where, color=MUTED, linewidth=0.8, linestyle=(0, (4, 3)))
    axis.annotate(
        "held out",
        (where, 0.0),
        xytext=(4, 4),
        xycoords=("data", "axes fraction"),
        textcoords="offset points",
        va="bottom",
        color=MUTED,
        fontsize=7,
        bbox={"facecolor": "white", "alpha": 0.85, "linewidth": 0, "pad": 1.0},
    )


def legend(axis: Axes, columns: int = 4) -> None:
    """Put the legend above the axes, where it hides nothing."""
    axis.legend(
        loc="lower right",
        bbox_to_anchor=(1.0, 1.0),
        ncols=columns,
        borderaxespad=0.2,
        handlelength=1.4,
        columnspacing=1.4,
    )


def percent_axis(axis: Axes, digits: int = 0) -> None:
    """Label the vertical axis in percent."""
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:.{digits}%}".replace("-", "\u2212"))


def thousands_axis(axis: Axes) -> None:
    """Label the vertical axis in money with thousands separated."""
    axis.yaxis.set_major_formatter(lambda value, _: f"{value:,.0f}".replace("-", "\u2212"))


def colour(position: int) -> str:
    """Return the colour of the n-th series."""
    return SERIES[position % len(SERIES)]
