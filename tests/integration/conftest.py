"""``cq`` in process, and a catalog of the real bars, imported once for all that only read it."""

from __future__ import annotations

from pathlib import Path

import pytest

from crypto_quant.data_pipeline.cleaners.rows import Tables
from crypto_quant.data_pipeline.collectors import importer
from crypto_quant.data_pipeline.collectors.facts import Facts
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.venues.rules import load_instruments
from tests.integration.importing import Cq


@pytest.fixture
def cq(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cq:
    """Return ``cq`` on a catalog of this test's own."""
    return Cq(tmp_path / "catalog", monkeypatch, capsys)


@pytest.fixture(scope="session")
def real_tables(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Tables:
    """Return every key of the real folder; copies are made of them, nothing is written."""
    root = tmp_path_factory.mktemp("real") / "catalog"
    importer.import_files(Catalog(root), [data_dir], Facts(), load_instruments())
    return Tables(Catalog(root), load_instruments())
