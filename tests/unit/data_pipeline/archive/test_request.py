"""What a user may ask for, and the names it has in the catalog."""

from __future__ import annotations

from datetime import date

import pytest

from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.collectors.archive import Request


def test_months_stand_for_their_first_and_last_day() -> None:
    request = Request.of("trades", "um", "BTCUSDT", "2024-02", "2024-02")
    assert (request.first, request.last) == (date(2024, 2, 1), date(2024, 2, 29))
    request = Request.of("trades", "um", "BTCUSDT", "2024-02-03", "2024-03")
    assert (request.first, request.last) == (date(2024, 2, 3), date(2024, 3, 31))


@pytest.mark.parametrize(
    ("kind", "market", "symbol", "interval", "rows", "key"),
    [
        ("klines", "spot", "BTCUSDT", "1m", "bar", "BTCUSDT.BINANCE/1m"),
        ("klines", "um", "BTCUSDT", "1h", "bar", "BTCUSDT-PERP.BINANCE/1h"),
        ("klines", "um", "BTCUSDT", "1w", "bar", "BTCUSDT-PERP.BINANCE/7d"),
        ("klines", "um", "BTCUSDT_240628", "1h", "bar", "BTCUSDT_240628.BINANCE/1h"),
        ("klines", "cm", "BTCUSD_PERP", "1h", "bar", "BTCUSD-PERP.BINANCE/1h"),
        ("klines", "cm", "BTCUSD_240628", "1h", "bar", "BTCUSD_240628.BINANCE/1h"),
        ("indexPriceKlines", "cm", "BTCUSD", "1h", "index_bar", "BTCUSD-PERP.BINANCE/1h"),
        ("metrics", "um", "BTCUSDT", None, "metrics", "BTCUSDT-PERP.BINANCE/5m"),
        ("bookDepth", "um", "BTCUSDT", None, "depth_band", "BTCUSDT-PERP.BINANCE"),
    ],
)
def test_rows_and_key_in_the_catalog(
    kind: str, market: str, symbol: str, interval: str | None, rows: str, key: str
) -> None:
    request = Request.of(kind, market, symbol, "2024-02", "2024-02", interval)
    assert (request.rows, request.key) == (rows, key)


@pytest.mark.parametrize(
    ("changed", "said"),
    [
        ({"kind": "candles"}, "no 'candles'; kinds: klines, "),
        ({"kind": "bookTicker", "market": "spot"}, "of market spot; it has them of um, cm"),
        ({"market": "usdm"}, "it has them of spot, um, cm"),
        ({"interval": None}, "--interval is missing; klines um has 1m, "),
        ({"interval": "7m"}, "'7m' is not known; klines um has 1m, "),
        ({"interval": "1s"}, "'1s' is not known; klines um has 1m, "),
        ({"interval": "1mo"}, "'1mo' is not known"),
        ({"kind": "trades"}, "trades has no intervals: leave out --interval 1h"),
        ({"symbol": "btcusdt"}, "write it as the venue does"),
        ({"symbol": "../x"}, "write it as the venue does"),
        ({"market": "cm", "symbol": "BTCUSD"}, "named like BTCUSD_PERP"),
        ({"start": "2024-13"}, "--start 2024-13: there is no such date"),
        ({"start": "January"}, "--start 'January': expected a month"),
        ({"end": "2024-02-30"}, "--end 2024-02-30: there is no such date"),
        ({"end": "2023-12"}, "--end 2023-12 lies before --start 2024-02"),
    ],
)
def test_what_cannot_be_asked_for_is_one_line(changed: dict[str, str], said: str) -> None:
    good = {
        "kind": "klines",
        "market": "um",
        "symbol": "BTCUSDT",
        "start": "2024-02",
        "end": "2024-02",
        "interval": "1h",
    }
    assert Request.of(**good).interval == "1h"
    with pytest.raises(DataError) as refused:
        Request.of(**{**good, **changed})
    assert said in str(refused.value)
    assert "\n" not in str(refused.value)
