"""The page: an evaluation poured into the template; nothing is computed here."""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final, NamedTuple

import jinja2
import numpy as np
import pyarrow.compute as pc

from crypto_quant.backtesting.metrics.description import Description
from crypto_quant.backtesting.metrics.evaluation import Evaluation, evaluate, to_json
from crypto_quant.backtesting.metrics.result import RunResult, put
from crypto_quant.backtesting.metrics.schema import PORTFOLIO
from crypto_quant.backtesting.stress.result import read as read_stress
from crypto_quant.backtesting.visualization import (
    canvas,
    details,
    formats,
    heat,
    money_charts,
    path_charts,
    stress_charts,
    verdict,
)
from crypto_quant.backtesting.visualization.refusal_text import nothing_sent, other_rules
from crypto_quant.core.errors import DataError

_TEMPLATES: Final = Path(__file__).parent / "templates"


class FoldLine(NamedTuple):
    """A fold as the page shows it; times in ns."""

    fold: int
    train_start: int
    train_end: int
    test_start: int
    test_end: int
    n_train: int
    n_effective: float
    features: int
    dropped: str
    ic: float
    auc: float


class Built(NamedTuple):
    """A report that was written: what the run says of itself, what was found, orders sent."""

    about: Description
    found: Evaluation
    orders: int


def build_report(folder: Path) -> Built:
    """Write ``metrics.json`` and ``report.html`` into a run folder, from what it holds.

    A run that was stressed shows that too.

    Raises
    ------
    DataError
        The folder is not a run, or a file cannot be read or written.
    """
    run = RunResult.read(folder)
    found = evaluate(run)
    page = render(run, found, folder.resolve().name, read_stress(folder))
    put(folder / "metrics.json", to_json(found, run.description.synthetic).encode())
    put(folder / "report.html", page.encode())
    return Built(run.description, found, run.orders.num_rows)


def build_stress_page(folder: Path) -> Path:
    """Write ``stress.html`` into the folder of a run that has no report; return its path.

    Raises
    ------
    DataError
        The run was not stressed, or a file cannot be read or written.
    """
    stress = read_stress(folder)
    if stress is None:
        raise DataError(f"{folder}: the run was not stressed: cq stress {folder}")
    template = templates().get_template("stress_page.html.j2")
    name = folder.resolve().name
    page = template.render(name=name, stress=stress, charts=stress_charts.charts(stress))
    put(folder / "stress.html", page.encode())
    return folder / "stress.html"


def render(
    run: RunResult, found: Evaluation, name: str, stress: Mapping[str, Any] | None = None
) -> str:
    """Render the page: the same run, and what ``cq stress`` found, give the same bytes."""
    main = found.tracks[PORTFOLIO]
    return (
        templates()
        .get_template("report.html.j2")
        .render(
            name=name,
            about=run.description,
            found=found,
            first=found.rows[0],
            start=int(main.marks.ts[0]),
            end=int(main.marks.ts[-1]),
            headline=verdict.headline(found),
            targets=verdict.target_lines(found),
            target_names=verdict.NAMES,
            remarks=verdict.remarks(found, run.description.trials),
            charts=_charts(run, found),
            stress=stress,
            stress_charts={} if stress is None else stress_charts.charts(stress),
            heat_returns=heat.returns(found.months),
            heat_wins=heat.win_rates(found.months),
            detail_labels=[row.label for row in details.chosen(found)],
            detail_groups=details.groups(found),
            folds=_folds(run),
            manifest=json.dumps(run.manifest, indent=1, sort_keys=True),
            config=run.config,
            refused=run.description.refused,
            nothing_sent=nothing_sent(run.description.refused, run.orders.num_rows),
            other_rules=other_rules(run.description.refused),
        )
    )


def templates() -> jinja2.Environment:
    """Return the templates with their filters."""
    made = jinja2.Environment(
        loader=jinja2.FileSystemLoader(_TEMPLATES),
        autoescape=True,
        undefined=jinja2.StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    made.filters.update(
        pct=formats.percent,
        num=formats.number,
        money=formats.money,
        exact=formats.exact,
        day=formats.day,
        minute=formats.minute,
        second=formats.second,
        ratio=formats.ratio,
        short=money_charts.short_money,
    )
    return made


def _charts(run: RunResult, found: Evaluation) -> dict[str, str]:
    """Draw every chart; an empty text where there is nothing to show."""
    at = run.description.chosen_before_ns
    main, held = found.tracks[PORTFOLIO], found.tracks["buy_and_hold"]
    scaled = found.tracks["equal_volatility"]
    others = [held, scaled] if np.isfinite(scaled.marks.growth).all() else [held]
    with canvas.style():
        return {
            "equity": path_charts.equity(main, others, at, is_log=False),
            "equity_log": path_charts.equity(main, others, at, is_log=True),
            "underwater": path_charts.underwater(main, held, at),
            "sharpe": path_charts.rolling_sharpe(main, held, at),
            "exposure": path_charts.exposure(run, main, at),
            "attribution": money_charts.attribution(run, found.attribution, main),
            "trips": money_charts.round_trips(run),
            "capacity": money_charts.capacity(found),
            "folds": money_charts.folds(run),
        }


def _folds(run: RunResult) -> list[FoldLine]:
    table = run.folds.filter(pc.equal(run.folds["row"], PORTFOLIO))
    return [
        FoldLine(
            fold=row["fold"],
            train_start=row["train_start"],
            train_end=row["train_end"],
            test_start=row["test_start"],
            test_end=row["test_end"],
            n_train=row["n_train"],
            n_effective=_known(row["n_effective"]),
            features=len(row["features"] or ()),
            dropped="; ".join(row["dropped"] or ()),
            ic=_known(row["ic"]),
            auc=_known(row["auc"]),
        )
        for row in table.to_pylist()
    ]


def _known(value: float | None) -> float:
    return float("nan") if value is None else value
