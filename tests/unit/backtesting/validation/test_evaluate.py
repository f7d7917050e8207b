"""Evaluation: the trial is on the disk before anything can be seen."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pytest

from crypto_quant.backtesting.validation.evaluate import evaluate, evaluate_all
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
    assert TrialLog(path).outcomes("sharpe", "d") == [0.5]


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


def test_runs_side_by_side_are_all_logged_before_the_first_and_kept_in_order(
    tmp_path: Path,
) -> None:
    path = tmp_path / "trials.sqlite"
    configs = [{"a": n} for n in (3, 1, 2)]
    seen: list[TrialCount] = []

    def run(trials: Sequence[Trial]) -> list[float]:
        seen.append(TrialLog(path).count())
        return [float(trial.id) for trial in trials]

    found = evaluate_all(TrialLog(path), configs, "d", "c", run, lambda value: {"sharpe": value})
    assert seen == [TrialCount(3, 3, 3)]
    assert [each.result for each in found] == [float(each.trial.id) for each in found]
    assert TrialLog(path).outcomes("sharpe", "d") == [1.0, 2.0, 3.0]


def test_a_run_that_fails_leaves_those_beside_it_counted(tmp_path: Path) -> None:
    log = TrialLog(tmp_path / "trials.sqlite")

    def run(_: Sequence[Trial]) -> list[float]:
        raise RuntimeError

    with pytest.raises(RuntimeError):
        evaluate_all(log, [{"a": 1}, {"a": 2}], "d", "c", run)
    assert log.count() == TrialCount(2, 2, 2)
