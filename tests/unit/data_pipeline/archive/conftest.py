"""A served archive and a patient fetcher that never really waits."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.unit.data_pipeline.archive.server import Archive, serving


@pytest.fixture
def archive(monkeypatch: pytest.MonkeyPatch) -> Iterator[Archive]:
    """Serve an empty archive, past whatever proxy the environment has."""
    monkeypatch.setenv("no_proxy", "127.0.0.1")
    monkeypatch.setenv("NO_PROXY", "127.0.0.1")
    with serving(Archive()) as served:
        yield served
