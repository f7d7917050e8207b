"""Frames that reach a settlement come with its rate, as the venue would have settled it."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest

from crypto_quant.data_pipeline.collectors.facts import Facts
from crypto_quant.data_pipeline.collectors.importer import import_files
from crypto_quant.data_pipeline.generated import frames
from crypto_quant.data_pipeline.generated.parameters import load_parameters
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.runtime.ticks import TickReader, TickTape
from crypto_quant.venues.rules import load_instruments

SECOND = 10**9
EIGHT = 1_672_531_200 * SECOND + 8 * 3_600 * SECOND
KEY = "BTCUSDT-PERP.BINANCE"


def write(folder: Path, start: int, length: int) -> frames.Written:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(frames, "START_NS", start)
        return frames.write_frames(folder, load_parameters(), length_ns=length, seed=9)


def test_the_settled_rate_is_the_last_estimate_before_it(tmp_path: Path) -> None:
    written = write(tmp_path, EIGHT - 30 * SECOND, 40 * SECOND)
    catalog, known = Catalog(tmp_path / "catalog"), load_instruments()
    import_files(catalog, list(written.files), Facts(), known)
    catalog = Catalog(tmp_path / "catalog")
    settled = catalog.scan("funding", KEY)
    assert settled["ts_event"].to_pylist() == [EIGHT]
    marks = catalog.scan("mark", KEY)
    before = marks["ts_event"].to_numpy() < EIGHT
    last = marks["rate"].to_numpy()[before][-1]
    scale = catalog.exps("funding", KEY).rate - catalog.exps("mark", KEY).rate
    assert settled["rate"].to_pylist() == [last * 10**scale]
    assert np.unique(marks["rate"].to_numpy()).size > 0
    reader = TickReader(catalog, known[KEY])
    tape = reader.read(reader.sessions()[0])
    assert isinstance(tape, TickTape)
    assert tape.start < EIGHT < tape.end
    assert reader.unsettled(tape) == ()


def test_frames_without_a_settlement_are_one_file(tmp_path: Path) -> None:
    written = write(tmp_path, EIGHT + SECOND * 60, 5 * SECOND)
    assert [path.suffix for path in written.files] == [".gz"]


def test_a_file_of_rates_says_that_no_market_made_them(tmp_path: Path) -> None:
    written = write(tmp_path, EIGHT - 5 * SECOND, 5 * SECOND)
    table = pq.read_table(written.files[-1])
    assert table["cq_generated"].to_pylist() == ["not a real market"]
