"""Cells that are runs of ``cq backtest``: one strategy on recorded order books."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel

from crypto_quant.backtesting.engine.ticks import RanTicks, TickBacktest
from crypto_quant.backtesting.engine.workspace import Workspace
from crypto_quant.backtesting.metrics.schema import PORTFOLIO, column
from crypto_quant.backtesting.metrics.tracks import floats
from crypto_quant.backtesting.sweep.called import Failure, Identity, outcome, require_same
from crypto_quant.backtesting.sweep.figures import Figure, Figures, digest
from crypto_quant.backtesting.validation.trials import Trial, TrialLog
from crypto_quant.core.executors import Inline
from crypto_quant.core.instruments import Instrument
from crypto_quant.core.measures.drawdown import drawdown_series
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.runtime.config import TickConfig

_PARTS = ("price", "funding", "fees", "spread", "impact")


class Recorded(NamedTuple):
    """What every cell reads."""

    root: Path
    known: Mapping[str, Instrument]
    identity: Identity


class TickJob(NamedTuple):
    """A configuration to run, and the receipt of its trial."""

    config: TickConfig
    trial: Trial


class TickRuns:
    """What the cells of a sweep over ticks share.

    Parameters
    ----------
    config
        The configuration that every cell starts from.
    space
        Where they read and write.

    Raises
    ------
    ConfigError, DataError
        As ``TickBacktest``.
    """

    not_deflated = (
        "minutes of market give no daily Sharpe ratio, so there is nothing to deflate; the trials "
        "are counted all the same"
    )

    def __init__(self, config: TickConfig, space: Workspace) -> None:
        run = TickBacktest(config, space)
        self.identity = Identity(run.data, run.code)
        self.end = run.end
        self.log = TrialLog(space.trials)
        # A worker on another node stands in another folder.
        self.shared = Recorded(space.catalog.root.resolve(), dict(space.known), self.identity)
        self.work = run_tick_cell

    def tried(self, config: TickConfig) -> BaseModel:
        """Return what makes a cell a trial of its own: that of ``cq backtest`` with its config."""
        return config

    def job(self, config: TickConfig, trial: Trial) -> TickJob:
        """Return what a worker is asked to run."""
        return TickJob(config, trial)


def run_tick_cell(shared: Recorded, job: TickJob) -> Figures | Failure:
    """Run every session with one configuration."""
    return outcome(lambda: _run(shared, job))


def _run(shared: Recorded, job: TickJob) -> Figures:
    config, nowhere = job.config, Path()
    here = Inline()  # the cells of a sweep run beside one another, those of a band do not
    space = Workspace(_catalog(shared.root), shared.known, nowhere, nowhere)
    run = TickBacktest(config, space, here)
    require_same(shared.identity, run.data)
    ran = run.ran(job.trial)
    return _figures(ran, Decimal(ran.metrics["capital"]))


@lru_cache(maxsize=1)
def _catalog(root: Path) -> Catalog:
    return Catalog(root)


def _figures(ran: RanTicks, capital: Decimal) -> Figures:
    sessions = ran.metrics["sessions"]
    totals = [Decimal(session["pnl"]["total"]) for session in sessions]
    parts = {
        part: f"{sum((Decimal(s['pnl'][part]) for s in sessions), Decimal(0)):f}" for part in _PARTS
    }
    pnl = sum(totals, Decimal(0))
    equity = floats(ran.equity, column(PORTFOLIO, "equity"))
    shown: dict[str, Figure] = {
        "pnl": f"{pnl:f}",
        "return": float(pnl / capital),
        "max_drawdown": float(drawdown_series(equity).max()),
        "worst_session": f"{min(totals):f}",
        "traded": f"{sum((Decimal(s['traded']) for s in sessions), Decimal(0)):f}",
        "orders": sum(s["orders"]["sent"] for s in sessions),
        "rejected": sum(s["orders"]["rejected"] for s in sessions),
        "taker": sum(s["fills"]["taker"] for s in sessions),
        "maker": sum(s["fills"]["maker"] for s in sessions),
        "liquidated": sum(s["fills"]["liquidated"] for s in sessions),
        **parts,
    }
    return Figures(shown, {"pnl": float(pnl)}, (), digest(ran.fills, ran.equity))
