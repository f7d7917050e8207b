"""Hole hours are those without a bar of the perpetual, the hour that ends in one included."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pyarrow.parquet as pq
import pytest

from crypto_quant.backtesting.engine.inputs import read_inputs
from crypto_quant.backtesting.engine.marks import Marks
from crypto_quant.data_pipeline.collectors import importer
from crypto_quant.data_pipeline.collectors.facts import Facts
from crypto_quant.data_pipeline.generated.market import generate_market
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.runtime.config import RunConfig
from crypto_quant.runtime.line_spec import HOUR_NS
from crypto_quant.venues.rules import load_instruments

DAY = 24


@pytest.fixture(scope="module")
def catalog(tmp_path_factory: pytest.TempPathFactory) -> Catalog:
    """Return a market whose hourly bars stop for three days and, later, for one hour."""
    folder = tmp_path_factory.mktemp("market")
    generate_market(folder, days=210)
    (path,) = (folder / "binance_perp").glob("*1h*.parquet")
    bars = pq.read_table(path)
    kept = np.ones(bars.num_rows, dtype=np.bool_)
    kept[100 * DAY : 103 * DAY] = False
    kept[150 * DAY] = False
    pq.write_table(bars.filter(kept), path)
    root = folder / "catalog"
    importer.import_files(Catalog(root), [folder], Facts.parse(""), load_instruments(), True)
    return Catalog(root)


def test_a_hole_ends_with_the_first_hour_that_has_data(catalog: Catalog) -> None:
    inputs = read_inputs(RunConfig(), catalog, load_instruments())
    start = inputs.segments[0].start
    marks = Marks(inputs)
    ts = start + HOUR_NS * np.arange(99 * DAY, 105 * DAY, dtype=np.int64)
    hole = ~marks.has_hour(ts - HOUR_NS)
    # The hour that ends at the hole's first stamp has data; the one that ends at its last has not.
    assert np.flatnonzero(hole).tolist() == list(range(DAY + 1, 4 * DAY + 1))
    assert marks.at(0, ts[DAY * 2 : DAY * 2 + 1]) == marks.at(0, ts[DAY * 3 : DAY * 3 + 1])


def test_a_stretch_too_short_to_train_on_is_named_and_has_data(catalog: Catalog) -> None:
    inputs = read_inputs(RunConfig(), catalog, load_instruments())
    (used,) = inputs.segments
    assert used.end - used.start == 100 * DAY * HOUR_NS
    assert [(s.end - s.start) // HOUR_NS for s in inputs.skipped] == [47 * DAY, 60 * DAY - 1]
    middle = np.array([inputs.skipped[0].start + DAY * HOUR_NS], dtype=np.int64)
    assert Marks(inputs).has_hour(middle).all()
    assert Decimal(int(Marks(inputs).at(0, middle)[0])) > 0
