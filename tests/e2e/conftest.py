"""Whole runs through the command line, shared by the tests that look at them."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

from crypto_quant.backtesting.engine.inputs import Inputs, read_inputs
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.runtime.config import RunConfig
from crypto_quant.venues.rules import load_instruments


def run_cq(folder: Path, *words: str, **env: str) -> subprocess.CompletedProcess[str]:
    """Run ``cq`` in a folder as a user would, without the data of this machine."""
    clean = {k: v for k, v in os.environ.items() if not k.startswith("CQ_")}
    clean["CQ_ARCHIVE"] = "http://127.0.0.1:9"  # nothing listens there: no test leaves the machine
    return subprocess.run(  # noqa: S603 - our own command line
        [str(Path(sys.executable).with_name("cq")), *words],
        cwd=folder,
        env={**clean, **env},
        capture_output=True,
        text=True,
        timeout=1500,
        check=False,
    )


def run_folder(folder: Path) -> Path:
    """Return the one run folder below a working folder."""
    (found,) = sorted((folder / "runs").glob("walk-forward-*"))
    return found


@pytest.fixture(scope="session")
def generated(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a working folder in which the demo ran with nothing at hand."""
    folder = tmp_path_factory.mktemp("generated")
    done = run_cq(folder, "demo")
    assert done.returncode == 0, done.stderr
    (folder / "stdout.txt").write_text(done.stdout)
    return folder


@pytest.fixture(scope="session")
def real(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Path:
    """Return a working folder in which the portfolio ran on the real data."""
    folder = tmp_path_factory.mktemp("real")
    done = run_cq(folder, "demo", CQ_DATA=str(data_dir), CQ__BESIDE="false")
    assert done.returncode == 0, done.stderr
    (folder / "stdout.txt").write_text(done.stdout)
    return folder


@pytest.fixture(scope="session")
def real_inputs(real: Path) -> Inputs:
    """Return what a run reads of the real data."""
    (root,) = (real / "catalog").glob("folder-*")
    return read_inputs(RunConfig(), Catalog(root), load_instruments())
