"""A file as a layout sees it, and what a layout makes of it."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path

import pyarrow as pa
import pytest

from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.collectors.facts import Facts
from crypto_quant.data_pipeline.collectors.file import File
from crypto_quant.data_pipeline.collectors.ticks import TICK_LAYOUTS
from crypto_quant.data_pipeline.storage import Batch
from crypto_quant.venues.rules import load_instruments

Reader = Callable[..., list[Batch]]


@pytest.fixture
def read(tmp_path: Path) -> Reader:
    """Return a function that writes bytes, lets one layout recognise them, and reads."""

    def run(
        content: bytes | Path,
        symbol: str = "BTCUSDT-PERP",
        instruments: Mapping[str, Instrument] | None = None,
        **facts: str,
    ) -> list[Batch]:
        path = tmp_path / "input"
        if isinstance(content, Path):
            path = content
        else:
            path.write_bytes(content)
        file = File.open(path)
        fitting = [layout for layout in TICK_LAYOUTS.values() if layout.recognise(file)]
        assert len(fitting) == 1, [layout.title for layout in fitting]
        known = load_instruments() if instruments is None else instruments
        given = Facts(venue="BINANCE", symbol=symbol, **facts)  # type: ignore[arg-type]  # texts
        return list(fitting[0].read(file, given, known))

    return run


def rows(batches: list[Batch], kind: str) -> dict[str, list[int]]:
    """Return the columns of a kind over all batches, as lists."""
    found = [pa.Table.from_batches([b.data]) for b in batches if b.kind == kind]
    table = pa.concat_tables(found, promote_options="default")
    return {name: table.column(name).to_pylist() for name in table.column_names}
