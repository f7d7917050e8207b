"""Cells that are runs of ``cq backtest``: nothing is shown without the trial that counts it."""

from __future__ import annotations

from pathlib import Path

import pytest

from crypto_quant.backtesting.engine.ticks import TickBacktest
from crypto_quant.backtesting.engine.workspace import Workspace
from crypto_quant.backtesting.sweep.called import Failure
from crypto_quant.backtesting.sweep.figures import Figures
from crypto_quant.backtesting.sweep.tick_runs import TickRuns, run_tick_cell
from crypto_quant.core.config import with_values
from crypto_quant.core.errors import InvariantError
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.runtime.config import TickConfig
from crypto_quant.venues.rules import load_instruments
from tests.unit.runtime.tick_market import book, keep, levels, snapshot

KNOWN = load_instruments()
CONFIG = TickConfig.model_validate({"band": {"queues": ["risk_averse"], "latencies": ["p99"]}})


@pytest.fixture
def catalog(tmp_path: Path) -> Catalog:
    updates = [snapshot(0, 5, levels(9, 9)), (3_000, 5, 6, levels(9, 9), 0)]
    return keep(tmp_path / "catalog", "delta", book(updates, 2), "a", "vendor")


def test_a_cell_is_run_with_its_own_trial_only(tmp_path: Path, catalog: Catalog) -> None:
    runs = TickRuns(CONFIG, Workspace(catalog, KNOWN, tmp_path, tmp_path / "trials.sqlite"))
    other = with_values(CONFIG, {"capital": 1_000})
    trials = [runs.log.append(runs.tried(config), *runs.identity) for config in (CONFIG, other)]
    assert isinstance(run_tick_cell(runs.shared, runs.job(CONFIG, trials[0])), Figures)
    found = run_tick_cell(runs.shared, runs.job(CONFIG, trials[1]))
    assert found == Failure(
        "an out-of-sample number was asked for with the trial of another run", is_ours=True
    )


def test_a_backtest_shows_nothing_without_a_trial(tmp_path: Path, catalog: Catalog) -> None:
    space = Workspace(catalog, KNOWN, tmp_path, tmp_path / "trials.sqlite")
    run = TickBacktest(CONFIG, space)
    with pytest.raises(InvariantError, match="without a trial"):
        run.ran(None)  # type: ignore[arg-type]  # the mistake under test
