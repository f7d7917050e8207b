"""What a second market, or a second file, says about prices, and when it says nothing."""

from __future__ import annotations

import numpy as np
import pytest

from crypto_quant.data_pipeline.cleaners.checks import CHECKS
from crypto_quant.data_pipeline.cleaners.findings import Finding
from crypto_quant.data_pipeline.cleaners.rows import Rows, Tables, resampled
from crypto_quant.data_pipeline.storage import Key
from crypto_quant.venues.rules import load_instruments
from tests.unit.data_pipeline.cleaners.made import HOUR, Columns, bars, of, spoilt

AT = 301
PRICES = ("open", "high", "low", "close")


def _found(check: str, rows: Rows, other: Rows) -> list[Finding]:
    given = {Key(r.kind, r.key): r for r in (rows, other)}
    return list(CHECKS[check](rows, Tables(None, load_instruments(), given)))


def _market(key: str) -> Rows:
    """Return hours whose ranges are so small that 1 % is outside every one of them."""

    def calm(columns: Columns) -> None:
        level = np.round(1e6 + 100 * np.sin(np.arange(columns["close"].size))).astype(np.int64)
        columns["close"], columns["open"] = level, np.r_[level[0], level[:-1]]
        columns["high"] = np.maximum(columns["open"], level) + 50
        columns["low"] = np.minimum(columns["open"], level) - 50

    rows = spoilt(bars(), calm)
    return Rows("bar", key, rows.interval, rows.exps, rows.table)


def _carried(columns: Columns) -> None:
    columns["close"][AT] = columns["open"][AT + 1] = round(columns["close"][AT] * 1.01)
    for row in (AT, AT + 1):
        columns["high"][row] = max(columns["high"][row], columns["close"][AT])


def _paused(columns: Columns) -> None:
    columns["volume"][AT] = 0


def test_a_close_that_another_market_was_not_at_is_alone_and_says_how_far() -> None:
    perp, spot = _market("BTCUSDT-PERP.BINANCE/1h"), _market("BTCUSDT.BINANCE/1h")
    assert _found("wicks", perp, spot) == []
    (found,) = _found("wicks", spoilt(perp, _carried), spot)
    assert (found.what, found.row) == ("close alone", AT)
    assert found.bps == pytest.approx(1e4 * np.log(1.01), abs=0.1)


def test_a_market_that_paused_says_nothing_and_one_without_a_trade_has_no_bad_close() -> None:
    perp, spot = _market("BTCUSDT-PERP.BINANCE/1h"), _market("BTCUSDT.BINANCE/1h")
    off, paused = spoilt(perp, _carried), spoilt(spot, _paused)
    assert _found("wicks", off, paused) == []
    assert _found("wicks", spoilt(off, _paused), spot) == []


def test_files_that_differ_in_a_close_are_told_from_those_that_differ_in_an_extreme() -> None:
    hours = bars()
    days = resampled(hours, 24 * HOUR)
    columns = {name: np.round(getattr(days, name) * 100).astype(np.int64) for name in PRICES}
    columns |= {"ts_event": days.ts, "ts_recv": days.ts + 24 * HOUR}
    columns["flags"] = np.full(days.ts.size, 4)
    columns["close"][3] = round(columns["close"][3] * 1.002)
    columns["high"][7] = round(columns["high"][7] * 1.001)
    found = _found("agreement", of("bar", "TEST/1d", columns, 24 * HOUR), hours)
    sizes = {(f.what, f.row): f.bps for f in found}
    assert sizes == {
        ("price of 1h", 3): pytest.approx(20, abs=0.5),
        ("extreme of 1h", 7): pytest.approx(10, abs=0.5),
    }
