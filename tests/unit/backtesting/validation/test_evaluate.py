"""Evaluation: the trial is on the disk before anything can be seen."""

from __future__ import annotations

from pathlib import Path

import pytest

from crypto_quant.backtesting.validation.evaluate import evaluate
from crypto_quant.backtesting.validation.trials import Trial, TrialCount, TrialLog
from crypto_quant.core.errors import ConfigError


def test_evaluate_has_logged_the_trial_before_it_runs(tmp_path: Path) -> None:
    path = tmp_path / "trials.sqlite"
    seen: list[TrialCount] = []

    def run(trial: Trial) -> float:
        # Another connection reads only what was committed.
        seen.append(TrialLog(path).count())
        return 0.5 if trial.id else 0.0

    result = evaluate(TrialLog(path), {"a": 1}, "d", "c", run, lambda value: {"sharpe": value})
    assert seen == [TrialCount(1, 1, 1)]
    assert result.result == 0.5
    assert TrialLog(path).outcomes("sharpe") == [0.5]


@pytest.mark.parametrize("error", [RuntimeError, KeyboardInterrupt])
def test_evaluate_that_fails_or_is_interrupted_stays_counted(
    tmp_path: Path, error: type[BaseException]
) -> None:
    log = TrialLog(tmp_path / "trials.sqlite")

    def run(_: Trial) -> float:
        raise error

    with pytest.raises(error):
        evaluate(log, {"a": 1}, "d", "c", run)
    assert log.count() == TrialCount(1, 1, 1)


def test_evaluate_that_cannot_be_logged_does_not_run(tmp_path: Path) -> None:
    ran: list[Trial] = []
    with pytest.raises(ConfigError):
        evaluate(TrialLog(tmp_path / "t.sqlite"), {"a": float("nan")}, "d", "c", ran.append)
    assert ran == []
