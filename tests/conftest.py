"""Where real data is found, and what happens when it is not there."""

from __future__ import annotations

import os
from pathlib import Path

import pytest


def _data_dir() -> Path | None:
    """Return the folder that ``CQ_DATA`` names, if it is one."""
    named = os.environ.get("CQ_DATA")
    if named is None:
        return None
    path = Path(named)
    return path if path.is_absolute() and path.is_dir() else None


def pytest_configure() -> None:
    """Stop where data is demanded and is not there: before workers start, who cannot say it."""
    if os.environ.get("CQ_REQUIRE_DATA") == "1" and _data_dir() is None:
        raise pytest.UsageError("CQ_REQUIRE_DATA=1 but CQ_DATA names no absolute, existing folder")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Deselect real-data tests, counted once, where there is no data to run them on."""
    if _data_dir() is not None:
        return
    real = [item for item in items if item.get_closest_marker("data")]
    if real:
        items[:] = [item for item in items if not item.get_closest_marker("data")]
        config.hook.pytest_deselected(items=real)
        config.stash[_DESELECTED] = len(real)
        if hasattr(config, "workeroutput"):  # a worker of xdist tells the one that prints
            config.workeroutput["deselected"] = len(real)


_DESELECTED = pytest.StashKey[int]()


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node: object) -> None:
    """Take a worker's count; every worker collects the same tests."""
    count = getattr(node, "workeroutput", {}).get("deselected", 0)
    config = getattr(node, "config", None)
    if count and isinstance(config, pytest.Config):
        config.stash[_DESELECTED] = count


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Print how many real-data tests a stranger without data did not run."""
    count = terminalreporter.config.stash.get(_DESELECTED, 0)
    if count:
        terminalreporter.write_line(
            f"{count} real-data tests deselected: set CQ_DATA to an absolute folder to run them"
        )


@pytest.fixture(scope="session")
def data_dir() -> Path:
    """Return the folder of real market data."""
    path = _data_dir()
    assert path is not None
    return path
