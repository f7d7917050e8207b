"""Running ``cq`` in process, and reading back what a catalog holds."""

from __future__ import annotations

import sys
from decimal import Decimal
from pathlib import Path
from typing import NamedTuple

import pytest

from crypto_quant.cli import main
from crypto_quant.data_pipeline.storage import KINDS, Catalog


class Result(NamedTuple):
    """What a command left: exit code and what it printed."""

    code: int
    out: str
    err: str


class Cq:
    """Runs ``cq`` as the shell would, with ``CQ_CATALOG`` set."""

    def __init__(
        self, catalog: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        self.catalog = catalog
        self._patch = monkeypatch
        self._capsys = capsys
        monkeypatch.setenv("CQ_CATALOG", str(catalog))

    def __call__(self, *words: str | Path) -> Result:
        """Run one command."""
        self._capsys.readouterr()
        self._patch.setattr(sys, "argv", ["cq", *map(str, words)])
        code = 0
        try:
            main()
        except SystemExit as stop:
            code = int(stop.code or 0)
        return Result(code, *self._capsys.readouterr())

    def rows(self, kind: str, key: str) -> list[dict[str, object]]:
        """Read rows back with grid integers as decimals of their value."""
        catalog = Catalog(self.catalog)
        exps, grids = catalog.exps(kind, key), KINDS[kind].grids()
        rows: list[dict[str, object]] = catalog.scan(kind, key).to_pylist()
        for row in rows:
            for name, grid in grids.items():
                value = row.get(name)
                if isinstance(value, int):
                    row[name] = Decimal(value).scaleb(-exps.of(grid))
        return rows

    def files(self) -> dict[str, bytes]:
        """Return every file of the catalog."""
        root = self.catalog
        return {str(p.relative_to(root)): p.read_bytes() for p in root.rglob("*") if p.is_file()}
