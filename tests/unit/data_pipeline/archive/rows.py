"""Files in the archive's real formats, with seeded rows."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import numpy as np

from tests.unit.data_pipeline.archive.server import zipped

STEP = {"1m": 60, "1h": 3_600, "8h": 28_800, "1d": 86_400, "3d": 259_200, "1w": 604_800}
KLINE_HEADER = (
    "open_time,open,high,low,close,volume,close_time,quote_volume,count,taker_buy_volume,"
    "taker_buy_quote_volume,ignore\n"
)


def seconds(day: date) -> int:
    """Return midnight, UTC, as an epoch."""
    return int(datetime(day.year, day.month, day.day, tzinfo=UTC).timestamp())


def kline_text(
    interval: str, first: date, last: date, *, header: bool = True, unit: int = 1_000
) -> str:
    """Return candles of whole days; ``unit`` is 1000 for ms, 1000000 for us."""
    step = STEP[interval]
    lines = [KLINE_HEADER] if header else []
    for at in range(seconds(first), seconds(last + timedelta(days=1)), step):
        rng = np.random.default_rng(at)
        start, end = (int(x) for x in rng.integers(200_000, 210_000, 2))
        high, low = max(start, end) + 7, min(start, end) - 5
        volume = int(rng.integers(1_000, 9_000))
        cells = [
            at * unit,
            *(f"{price / 10:.2f}" for price in (start, high, low, end)),
            f"{volume / 1_000:.3f}",
            (at + step) * unit - 1,
            f"{volume * start / 10_000:.4f}",
            int(rng.integers(1, 500)),
            f"{volume / 2_000:.4f}",
            f"{volume * start / 20_000:.5f}",
            0,
        ]
        lines.append(",".join(map(str, cells)) + "\n")
    return "".join(lines)


def klines(name: str, interval: str, first: date, last: date) -> bytes:
    """Return a zip of candles."""
    return zipped(name, kline_text(interval, first, last))


def funding(name: str, first: date, last: date) -> bytes:
    """Return a zip of funding rates, every eight hours, a few ms late."""
    lines = ["calc_time,funding_interval_hours,last_funding_rate\n"]
    for at in range(seconds(first), seconds(last + timedelta(days=1)), STEP["8h"]):
        rng = np.random.default_rng(at)
        late, rate = int(rng.integers(0, 26)), int(rng.integers(-3_000, 9_000))
        lines.append(f"{at * 1_000 + late},8,{rate / 1e8:.8f}\n")
    return zipped(name, "".join(lines))


def trades(name: str, day: date, kind: str) -> bytes:
    """Return a zip of trades or aggTrades, one a minute."""
    lines = []
    if kind == "trades":
        lines.append("id,price,qty,quote_qty,time,is_buyer_maker\n")
    else:
        lines.append(
            "agg_trade_id,price,quantity,first_trade_id,last_trade_id,transact_time,"
            "is_buyer_maker\n"
        )
    for number in range(1_440):
        at = (seconds(day) + 60 * number) * 1_000
        serial = seconds(day) // 60 + number
        if kind == "trades":
            lines.append(f"{serial},20000.10,0.001,20.0001,{at},{str(number % 2 == 0).lower()}\n")
        else:
            flag = str(number % 2 == 0).lower()
            lines.append(f"{serial},20000.10,0.001,{serial},{serial},{at},{flag}\n")
    return zipped(name, "".join(lines))


def book_ticker(name: str, day: date) -> bytes:
    """Return a zip of best bids and asks, one a minute."""
    lines = [
        "update_id,best_bid_price,best_bid_qty,best_ask_price,best_ask_qty,transaction_time,"
        "event_time\n"
    ]
    for number in range(1_440):
        at = (seconds(day) + 60 * number) * 1_000
        serial = seconds(day) + number
        lines.append(f"{serial},20000.10,1.000,20000.20,2.000,{at},{at + 5}\n")
    return zipped(name, "".join(lines))


def book_depth(name: str, day: date) -> bytes:
    """Return a zip of depth bands, every hour."""
    lines = ["timestamp,percentage,depth,notional\n"]
    lines += [
        f"{day} {hour:02d}:00:07,{band},{100 * abs(band)}.5,{2_000_000 * band**2}\n"
        for hour in range(24)
        for band in (-5, -1, 1, 5)
    ]
    return zipped(name, "".join(lines))


def metrics(name: str, day: date) -> bytes:
    """Return a zip of open interest, every five minutes, the last row at midnight."""
    symbol = name.partition("-")[0]
    lines = [
        "create_time,symbol,sum_open_interest,sum_open_interest_value,"
        "count_toptrader_long_short_ratio,sum_toptrader_long_short_ratio,"
        "count_long_short_ratio,sum_taker_long_short_vol_ratio\n"
    ]
    for number in range(1, 289):
        at = datetime.fromtimestamp(seconds(day) + 300 * number, UTC)
        stamp = f"{at:%Y-%m-%d %H:%M:%S}"
        lines.append(f"{stamp},{symbol},{90_000 + number}.5,1.8e9,1.1,1.2,1.3,0.9\n")
    return zipped(name, "".join(lines))
