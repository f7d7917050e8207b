"""The trial log: counted first, counted once, never changed."""

from __future__ import annotations

import json
import multiprocessing
import pickle
import sqlite3
from decimal import Decimal
from itertools import count
from pathlib import Path

import pytest

from crypto_quant.backtesting.validation.trials import (
    Trial,
    TrialCount,
    TrialLog,
    canonical,
    code_hash,
    require,
    require_for,
)
from crypto_quant.core.errors import ConfigError, DataError, InvariantError
from crypto_quant.models.training import TrainingConfig


def _log(tmp_path: Path) -> TrialLog:
    return TrialLog(tmp_path / "runs" / "trials.sqlite", clock=count(1_000).__next__)


def test_append_counts_what_differs_in_config_data_or_code(tmp_path: Path) -> None:
    log = _log(tmp_path)
    assert log.count() == TrialCount(0, 0, 0)
    assert not (tmp_path / "runs").exists()
    for config, data, code in (
        ({"width": 2, "horizon": 24}, "d1", "c1"),
        ({"horizon": 24, "width": 2}, "d1", "c1"),  # the order of the keys is no difference
        ({"horizon": 24, "width": 2}, "d2", "c1"),
        ({"horizon": 24, "width": 2}, "d1", "c2"),
        ({"horizon": 12, "width": 2}, "d1", "c1"),
    ):
        log.append(config, data, code)
    assert log.count() == TrialCount(trials=4, configurations=2, rows=5)


def test_append_of_the_same_is_a_repeat(tmp_path: Path) -> None:
    log = _log(tmp_path)
    first, second = (log.append({"a": 1}, "d", "c") for _ in range(2))
    assert (first.is_repeat, second.is_repeat) == (False, True)
    assert first.identity == second.identity
    assert first.id != second.id
    with sqlite3.connect(tmp_path / "runs" / "trials.sqlite") as db:
        rows = db.execute("SELECT at_ns, repeat, config FROM trials ORDER BY id").fetchall()
    db.close()
    assert rows == [(1_000, 0, '{"a":1}'), (1_001, 1, '{"a":1}')]


def test_rows_can_be_neither_changed_nor_deleted(tmp_path: Path) -> None:
    log = _log(tmp_path)
    log.record(log.append({"a": 1}, "d", "c"), {"sharpe": 1.0})
    db = sqlite3.connect(tmp_path / "runs" / "trials.sqlite")
    for statement in (
        "UPDATE trials SET config = '{}'",
        "DELETE FROM trials",
        "UPDATE outcomes SET value = 9",
        "DELETE FROM outcomes",
    ):
        with pytest.raises(sqlite3.IntegrityError, match="append only"):
            db.execute(statement)
    db.close()


def test_outcomes_are_those_of_each_distinct_trials_last_run(tmp_path: Path) -> None:
    log = _log(tmp_path)
    assert log.outcomes("sharpe", "d") == []
    log.record(log.append({"a": 1}, "d", "c"), {"sharpe": 0.5, "ic": 0.01})
    log.record(log.append({"a": 2}, "d", "c"), {"sharpe": float("nan")})
    log.record(log.append({"a": 3}, "d", "c"), {"sharpe": -0.25})
    log.record(log.append({"a": 1}, "d", "c"), {"sharpe": 0.75})
    log.append({"a": 4}, "d", "c")
    assert log.outcomes("sharpe", "d") == [0.75, -0.25]
    assert log.outcomes("ic", "d") == [0.01]


def test_record_twice_or_into_another_log_is_refused(tmp_path: Path) -> None:
    log, other = _log(tmp_path / "a"), _log(tmp_path / "b")
    trial = log.append({"a": 1}, "d", "c")
    log.record(trial, {"sharpe": 1.0})
    with pytest.raises(DataError, match="UNIQUE"):
        log.record(trial, {"sharpe": 2.0})
    other.append({"a": 2}, "d", "c")
    with pytest.raises(DataError, match="another trial log"):
        other.record(trial, {"sharpe": 1.0})
    assert other.outcomes("sharpe", "d") == []


def test_file_that_is_no_log_is_one_clear_error(tmp_path: Path) -> None:
    (tmp_path / "trials.sqlite").write_text("not a database, but long enough to be read as one")
    with pytest.raises(DataError, match="cannot use the trial log"):
        TrialLog(tmp_path / "trials.sqlite").append({"a": 1}, "d", "c")
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot use the trial log"):
        TrialLog(tmp_path / "file" / "trials.sqlite").append({"a": 1}, "d", "c")


def _append_many(path: Path, worker: int) -> None:
    for number in range(10):
        TrialLog(path).append({"worker": worker, "number": number}, "d", "c")


def test_processes_may_append_at_once(tmp_path: Path) -> None:
    path = tmp_path / "trials.sqlite"
    context = multiprocessing.get_context("spawn")
    workers = [context.Process(target=_append_many, args=(path, n)) for n in range(2)]
    for worker in workers:
        worker.start()
    for worker in workers:
        worker.join(timeout=60)
        assert worker.exitcode == 0
    assert TrialLog(path).count() == TrialCount(20, 20, 20)


def test_receipt_can_be_made_by_the_log_alone(tmp_path: Path) -> None:
    require(_log(tmp_path).append({"a": 1}, "d", "c"))
    with pytest.raises(InvariantError, match="something else than the trial log"):
        Trial(1, "f00", False, object())
    with pytest.raises(InvariantError, match="without a trial"):
        require(None)  # type: ignore[arg-type]  # the mistake under test


def test_canonical_is_the_values_alone() -> None:
    assert canonical({"b": Decimal("0.10"), "a": [1, True]}) == '{"a":[1,true],"b":"0.10"}'
    assert canonical(TrainingConfig()) == canonical(TrainingConfig(seed=1))
    assert canonical(TrainingConfig()) != canonical(TrainingConfig(seed=2))
    assert json.loads(canonical(TrainingConfig()))["split"]["train_days"] == 60
    for wrong in (float("nan"), object()):
        with pytest.raises(ConfigError, match="cannot be written"):
            canonical({"a": wrong})


def test_code_hash_follows_names_and_contents_of_code(tmp_path: Path) -> None:
    (tmp_path / "part").mkdir()
    (tmp_path / "part" / "a.py").write_text("x = 1\n")
    seen = {code_hash(tmp_path)}
    (tmp_path / "notes.txt").write_text("no code")
    assert code_hash(tmp_path) in seen
    (tmp_path / "part" / "a.py").write_text("x = 2\n")
    seen.add(code_hash(tmp_path))
    (tmp_path / "part" / "a.py").rename(tmp_path / "part" / "b.py")
    seen.add(code_hash(tmp_path))
    (tmp_path / "_native.abi3.so").write_bytes(b"\x7fELF")
    seen.add(code_hash(tmp_path))
    assert len(seen) == 4


def test_a_receipt_is_of_one_run_also_after_a_journey_to_another_process(tmp_path: Path) -> None:
    trial = _log(tmp_path).append({"a": 1}, "d", "c")
    arrived = pickle.loads(pickle.dumps(trial))  # noqa: S301 - our own bytes
    for held in (trial, arrived):
        require_for(held, {"a": 1}, "d", "c")
        for config, data, code in (
            ({"a": 2}, "d", "c"),
            ({"a": 1}, "e", "c"),
            ({"a": 1}, "d", "f"),
        ):
            with pytest.raises(InvariantError, match="the trial of another run"):
                require_for(held, config, data, code)
    with pytest.raises(InvariantError, match="without a trial"):
        require_for(None, {"a": 1}, "d", "c")  # type: ignore[arg-type]  # the mistake under test
