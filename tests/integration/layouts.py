"""What the tests of the importer share: one instrument, rows of candles, and one file imported."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Sequence
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from tests.integration.importing import Cq

D = Decimal
HOUR = 3_600 * 10**9
PERP = "venue=BINANCE,symbol=BTCUSDT-PERP"
BARS = f"{PERP},kind=bar,interval=1h,stamp=open,volume=base"
KLINE = ["61000.1", "61200", "60900", "61100.5", "10.5", "641000.5", "42", "5.25", "320000", "0"]
"""Open to volume, then turnover to the column that nobody reads."""
HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,"
    "taker_buy_volume,taker_buy_quote_volume,ignore\n"
)


def ns(*when: int) -> int:
    """Return a UTC time, ns."""
    return int(datetime(*when, tzinfo=UTC).timestamp()) * 10**9  # type: ignore[misc, arg-type]


T0 = ns(2024, 3, 1)


def csv_text(rows: Sequence[Sequence[object]]) -> str:
    """Return rows as CSV."""
    out = io.StringIO()
    csv.writer(out).writerows(rows)
    return out.getvalue()


def kline(ts: int, unit: int, cells: Sequence[str] = KLINE, step: int = HOUR) -> list[object]:
    """Return a row of the archive's candles that opens at ``ts``, ns, stamped in a unit."""
    close = (ts + step) // unit - 1
    return [ts // unit, *cells[:5], close, *cells[5:]]


def imported(cq: Cq, path: Path, said: str = "") -> dict[str, object]:
    """Import one file and return the manifest's entry of its first part."""
    done = cq("data", "import", path, "--json", *(["--as", said] if said else []))
    assert done.code == 0, done.err
    part: dict[str, object] = json.loads(done.out)["parts"][0]
    return part
