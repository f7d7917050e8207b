"""Segments come from coverage alone."""

from __future__ import annotations

from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
from hypothesis import given
from hypothesis import strategies as st

from crypto_quant.data_pipeline.collectors import importer
from crypto_quant.data_pipeline.collectors.facts import Facts
from crypto_quant.data_pipeline.generated.market import generate_market
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.runtime.segments import Span, bridge, intersect, segments_of
from crypto_quant.venues.rules import load_instruments


def test_an_intersection_keeps_what_both_cover() -> None:
    left = [Span(0, 10), Span(20, 30)]
    right = [Span(5, 22), Span(28, 40)]
    assert intersect(left, right) == (Span(5, 10), Span(20, 22), Span(28, 30))
    assert intersect(left, [Span(10, 20)]) == ()


def test_a_short_hole_is_bridged_and_a_longer_one_is_not() -> None:
    spans = [Span(0, 10), Span(13, 20), Span(24, 30)]
    assert bridge(spans, 3) == (Span(0, 20), Span(24, 30))
    assert bridge(spans, 4) == (Span(0, 30),)
    assert bridge([], 4) == ()


_CUTS = st.lists(st.integers(0, 60), unique=True, max_size=12).map(sorted)


def _spans(cuts: list[int]) -> list[Span]:
    return [Span(a, b) for a, b in zip(cuts[::2], cuts[1::2], strict=False)]


@given(_CUTS, _CUTS)
def test_a_moment_is_covered_exactly_where_both_cover_it(one: list[int], two: list[int]) -> None:
    left, right = _spans(one), _spans(two)
    found = intersect(left, right)
    for moment in range(61):
        both = any(s.start <= moment < s.end for s in left) and any(
            s.start <= moment < s.end for s in right
        )
        assert any(s.start <= moment < s.end for s in found) == both


def test_the_jitter_of_a_settlement_costs_no_hour(tmp_path: Path) -> None:
    starts = []
    for late_us in (0, 26_000):
        folder = tmp_path / str(late_us)
        generate_market(folder, days=3)
        (path,) = (folder / "binance_perp").glob("*funding*.parquet")
        rows = pq.read_table(path).slice(1)
        at = rows.schema.get_field_index("timestamp")
        stamps = rows["timestamp"].cast(pa.int64()).to_numpy() + late_us
        moved = pa.array(stamps).cast(rows.schema.field(at).type)
        pq.write_table(rows.set_column(at, rows.schema.field(at), moved), path)
        root = folder / "catalog"
        importer.import_files(Catalog(root), [folder], Facts.parse(""), load_instruments(), True)
        ids = "BTCUSDT-PERP.BINANCE", "BTCUSDT.BINANCE"
        starts.append(segments_of(Catalog(root), *ids, least_days=1).used[0].start)
    assert starts[0] == starts[1]
