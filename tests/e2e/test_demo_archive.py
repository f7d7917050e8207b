"""The demo of a stranger who has a network: data comes from the public archive."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.e2e.conftest import run_cq, run_folder
from tests.unit.data_pipeline.archive.rows import funding, klines
from tests.unit.data_pipeline.archive.server import Archive, serving

pytestmark = pytest.mark.xdist_group("archive")

MONTHS = [date(2023, m, 1) for m in range(9, 13)] + [date(2024, m, 1) for m in range(1, 5)]


def published() -> Archive:
    """Publish the months that the demo's small real set asks for."""
    archive = Archive()
    for first in MONTHS:
        last = (first + timedelta(days=31)).replace(day=1) - timedelta(days=1)
        month = f"{first:%Y-%m}"
        for market, interval in (("futures/um", "1h"), ("spot", "1m")):
            name = f"BTCUSDT-{interval}-{month}"
            path = f"data/{market}/monthly/klines/BTCUSDT/{interval}/{name}.zip"
            archive.add(path, klines(f"{name}.csv", interval, first, last))
        name = f"BTCUSDT-fundingRate-{month}"
        path = f"data/futures/um/monthly/fundingRate/BTCUSDT/{name}.zip"
        archive.add(path, funding(f"{name}.csv", first, last))
    return archive


def test_the_demo_fetches_a_small_real_set_and_uses_the_catalog_the_next_time(
    tmp_path: Path,
) -> None:
    with serving(published()) as archive:
        first = run_cq(tmp_path, "demo", CQ_ARCHIVE=archive.base, CQ__BESIDE="false")
        asked = len(archive.asked)
    assert first.returncode == 0, first.stderr
    assert "data: the venue's public archive" in first.stderr
    assert "GENERATED" not in first.stdout
    assert asked >= len(archive.files)  # every file and every checksum
    run = run_folder(tmp_path)
    again = run_cq(tmp_path, "demo", CQ__BESIDE="false")
    assert again.returncode == 0, again.stderr
    assert "data: the catalog" in again.stderr
    assert run_folder(tmp_path) == run


def test_a_month_with_a_wrong_checksum_is_named_and_left_out(tmp_path: Path) -> None:
    archive = published()
    spoilt = next(path for path in archive.files if path.endswith("1h-2023-11.zip"))
    archive.add(spoilt, archive.files[spoilt], digest="0" * 64)
    with serving(archive):
        done = run_cq(tmp_path, "demo", CQ_ARCHIVE=archive.base, CQ__BESIDE="false")
    assert done.returncode == 0, done.stderr
    assert "BTCUSDT-1h-2023-11.zip" in done.stderr
    assert "data: the venue's public archive" in done.stderr
