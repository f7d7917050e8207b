"""Bring README.md's picture and table up to date with a run.

``python docs/images/refresh.py RUN`` photographs the top of the run's report with
Chromium into ``report.png`` and writes the figures of its ``metrics.json`` between the
README's two markers. Needs a ``chromium`` on the PATH.
"""

from __future__ import annotations

import json
import re
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

from PIL import Image

HERE = Path(__file__).parent
README = HERE.parents[1] / "README.md"
SIZE = (1080, 1150)
"""Width and height in pixels: the verdict and the first chart."""

ROWS = {
    "portfolio": "**Portfolio**",
    "carry_alone": "Carry sleeve alone",
    "model_alone": "Model sleeve alone",
    "portfolio_stressed": "Portfolio, stressed",
    "carry_stressed": "Carry, stressed",
    "momentum": "Plain momentum",
    "buy_and_hold": "Buy and hold",
}


def picture(run: Path) -> None:
    """Photograph the report's top; few colours keep it small."""
    with tempfile.TemporaryDirectory() as folder:
        shot = Path(folder) / "shot.png"
        subprocess.run(  # noqa: S603 - a browser opens our own page
            [  # noqa: S607 - the browser that is installed
                "chromium",
                "--headless",
                "--no-sandbox",
                "--hide-scrollbars",
                f"--window-size={SIZE[0]},{SIZE[1]}",
                f"--screenshot={shot}",
                (run / "report.html").resolve().as_uri(),
            ],
            check=True,
            capture_output=True,
        )
        with Image.open(shot) as image:
            few = image.convert("RGB").quantize(64, dither=Image.Dither.NONE)
        few.save(HERE / "report.png", optimize=True)


def table(metrics: dict[str, Any]) -> str:
    """Write the rows of the README as a Markdown table."""
    lines = [
        "| out of sample, after all costs | return a year | Sharpe, daily | Sharpe, lowest of 3 "
        "| max drawdown | winning days | profit / loss |",
        "|---|--:|--:|--:|--:|--:|--:|",
    ]
    rows = {row["key"]: row["scored"] for row in metrics["rows"]}
    for key, label in ROWS.items():
        if key in rows:
            lines.append(_row(label, rows[key]))
    return "\n".join(lines)


def caveat(metrics: dict[str, Any], trials: int) -> str:
    """Say beneath the table how much of it may be luck."""
    figures, drawn = metrics["rows"][0]["figures"], metrics["intervals"]
    return (
        f"{trials} configurations were tried. Deflated for them, the probability that the "
        f"portfolio's true Sharpe ratio\nis above 0 is {_percent(figures['dsr'])} by its daily "
        f"ratio and {_percent(figures['dsr_lowest'])} by the lowest of the three. Of "
        f"{drawn['draws']} histories drawn\nagain from blocks of this one, "
        f"{_percent(drawn['met']['joint'])} meet all five targets together "
        f"(Sharpe ratios mirrored at the\nmeasured one: blocks alone would lift them)."
    )


def _row(label: str, scored: dict[str, float | None]) -> str:
    cells = [
        _percent(scored["cagr"]),
        _number(scored["sharpe_daily"]),
        _number(scored["sharpe_lowest"]),
        _percent(scored["max_drawdown"]),
        _percent(scored["win_rate"]),
        _number(scored["payoff"]),
    ]
    return f"| {label} | {' | '.join(cells)} |"


def _percent(value: float | None) -> str:
    return "\u2013" if value is None else f"{100 * value:.1f} %".replace("-", "\u2212")


def _number(value: float | None) -> str:
    return "\u2013" if value is None else f"{value:.2f}".replace("-", "\u2212")


def main(run: Path) -> None:
    """Refresh both."""
    metrics = json.loads((run / "metrics.json").read_text("utf-8"))
    trials = json.loads((run / "extra.json").read_text("utf-8"))["trials"]["count"]
    picture(run)
    begin, end = "<!-- numbers of a run -->", "<!-- end of numbers -->"
    text, found = re.subn(
        f"{begin}.*{end}",
        lambda _: f"{begin}\n{table(metrics)}\n\n{caveat(metrics, trials)}\n{end}",
        README.read_text("utf-8"),
        flags=re.DOTALL,
    )
    if found != 1:
        sys.exit(f"{README}: expected the markers {begin} and {end} once")
    README.write_text(text, "utf-8")


if __name__ == "__main__":
    main(Path(sys.argv[1]))
