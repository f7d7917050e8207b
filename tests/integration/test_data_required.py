"""What the tests say where real data is demanded and is not there."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]


def run(workers: str, **changes: str) -> subprocess.CompletedProcess[str]:
    """Run a file of tests that needs no data, with ``CQ_DATA`` as given only."""
    kept = {key: said for key, said in os.environ.items() if not key.startswith(("CQ_", "PYTEST_"))}
    words = ["-m", "pytest", "-q", "-p", "no:cacheprovider", "-n", workers]
    return subprocess.run(  # noqa: S603 - our own tests
        [sys.executable, *words, "tests/unit/core/test_panics.py"],
        cwd=ROOT,
        env={**kept, **changes},
        capture_output=True,
        text=True,
        check=False,
        timeout=120,
    )


@pytest.mark.parametrize("workers", ["0", "2"])
@pytest.mark.parametrize("named", [{}, {"CQ_DATA": "/nowhere/at/all"}, {"CQ_DATA": "tests"}])
def test_missing_data_is_one_line_with_and_without_workers(
    workers: str, named: dict[str, str]
) -> None:
    done = run(workers, CQ_REQUIRE_DATA="1", **named)
    said = [line for line in (done.stdout + done.stderr).splitlines() if line]
    assert done.returncode == pytest.ExitCode.USAGE_ERROR
    assert said == ["ERROR: CQ_REQUIRE_DATA=1 but CQ_DATA names no absolute, existing folder"]


def test_data_that_is_there_is_taken(tmp_path: Path) -> None:
    done = run("0", CQ_REQUIRE_DATA="1", CQ_DATA=str(tmp_path))
    assert done.returncode == 0, done.stdout + done.stderr
