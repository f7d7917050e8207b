"""Cells that are portfolios of ``cq walk-forward``: trained and traded week by week on bars."""

from __future__ import annotations

from pathlib import Path
from typing import Any, NamedTuple

import numpy as np

from crypto_quant.backtesting.engine import collect, identity
from crypto_quant.backtesting.engine.portfolio import run_portfolio
from crypto_quant.backtesting.engine.side_by_side import LOGGED, SideBySide, tried
from crypto_quant.backtesting.engine.variants import Variant, main_variant
from crypto_quant.backtesting.engine.workers import desk, switch_of
from crypto_quant.backtesting.metrics.schema import PORTFOLIO, column
from crypto_quant.backtesting.metrics.tracks import floats
from crypto_quant.backtesting.metrics.trial_sharpe import scored_days, trial_sharpe
from crypto_quant.backtesting.sweep.called import Failure, Identity, outcome, require_same
from crypto_quant.backtesting.sweep.figures import Figure, Figures, digest
from crypto_quant.backtesting.validation.trials import Trial, require_for
from crypto_quant.core.measures.arrays import DAYS_PER_YEAR
from crypto_quant.core.measures.drawdown import drawdown_series
from crypto_quant.core.measures.growth import growth_index
from crypto_quant.runtime.config import RunConfig


class Shared(NamedTuple):
    """What every cell reads: what ``workers.desk`` takes, and its identity."""

    source: bytes
    identity: Identity


class BarJob(NamedTuple):
    """A portfolio, when it first decides, its trained folds, and the receipt of its trial."""

    variant: Variant
    start: int
    folds: Path | None
    trial: Trial


class BarRuns:
    """What the cells of a sweep over bars share.

    Parameters
    ----------
    desk
        Of the configuration that every cell starts from.
    """

    not_deflated = ""

    def __init__(self, desk: SideBySide) -> None:
        self._desk = desk
        self.identity = Identity(desk.data, desk.code)
        self.end = desk.inputs.segments[-1].end
        self.log = desk.log
        self.shared = Shared(desk.workers().source, self.identity)
        self.work = run_bar_cell

    def tried(self, config: RunConfig) -> dict[str, Any]:
        """Return what makes a cell a trial of its own: that of its walk-forward run."""
        return tried(main_variant(config))

    def job(self, config: RunConfig, trial: Trial) -> BarJob:
        """Return what a worker is asked to run; trains the folds, where a model trades."""
        variant = main_variant(config)
        return BarJob(variant, self._desk.start, self._desk.folds_of(variant), trial)


def run_bar_cell(shared: Shared, job: BarJob) -> Figures | Failure:
    """Run a portfolio over all segments."""
    return outcome(lambda: _run(shared, job))


def _run(shared: Shared, job: BarJob) -> Figures:
    inputs, marks = desk(shared.source)
    require_same(shared.identity, identity.data_hash(inputs))
    variant = job.variant
    require_for(job.trial, tried(variant), *shared.identity)
    switch = switch_of(job.folds, inputs)
    books = run_portfolio(variant.config, inputs, job.start, variant.sleeves, switch)
    equity, fills = collect.equity_table(books, inputs, marks), collect.fills_table(books, inputs)
    worth, flow = (floats(equity, column(PORTFOLIO, name)) for name in ("equity", "flow"))
    growth, days, sharpe = growth_index(worth, flow), scored_days(equity), trial_sharpe(equity)
    root = float(np.sqrt(DAYS_PER_YEAR))
    shown: dict[str, Figure] = {
        "sharpe_daily": _known(sharpe.daily * root),
        "sharpe_lowest": _known(sharpe.lowest * root),
        "return": float(growth[-1] - 1.0),
        "max_drawdown": float(drawdown_series(growth).max()),
        "days": len(days.ours.ret),
        "fills": fills.num_rows,
    }
    returns = tuple(days.ours.ret.tolist())
    return Figures(shown, dict(zip(LOGGED, sharpe, strict=True)), returns, digest(fills, equity))


def _known(value: float) -> float | None:
    return value if np.isfinite(value) else None
