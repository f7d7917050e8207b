"""One made-up run, shared: making it takes longer than most tests."""

from __future__ import annotations

import pytest

from crypto_quant.backtesting.metrics.evaluation import Evaluation, evaluate
from crypto_quant.backtesting.metrics.result import RunResult
from tests.unit.backtesting.made_run import make_run


@pytest.fixture(scope="session")
def run() -> RunResult:
    return make_run(days=900)


@pytest.fixture(scope="session")
def found(run: RunResult) -> Evaluation:
    return evaluate(run)
