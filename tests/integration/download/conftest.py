"""``cq`` on an empty catalog, beside a served archive that it asks."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.integration.importing import Cq
from tests.unit.data_pipeline.archive.server import Archive, serving


@pytest.fixture
def cq(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cq:
    """Return ``cq`` on a catalog that is not there yet."""
    return Cq(tmp_path / "catalog", monkeypatch, capsys)


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> Iterator[Archive]:
    """Serve an archive, and make it the one that ``cq`` asks."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving(Archive()) as served:
        monkeypatch.setenv("CQ_ARCHIVE", served.base)
        yield served
