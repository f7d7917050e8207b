"""Tardis CSV: each data type, on hand-made rows and on real excerpts."""

from __future__ import annotations

import csv
import gzip
from decimal import Decimal
from pathlib import Path

import pytest

from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.collectors.facts import Facts
from crypto_quant.data_pipeline.collectors.file import File
from crypto_quant.data_pipeline.collectors.ticks import TICK_LAYOUTS
from crypto_quant.data_pipeline.storage.flags import LAST, SNAPSHOT

from .conftest import Reader, rows

HEAD = "exchange,symbol,timestamp,local_timestamp"
AT = "binance-futures,BTCUSDT,1598918403696000,1598918403810979"
T, R = 1598918403696000000, 1598918403810979000


def text(columns: str, *lines: str) -> bytes:
    return "\n".join([f"{HEAD},{columns}", *(f"{AT},{line}" for line in lines), ""]).encode()


def test_trades_keep_numeric_ids_and_number_the_others(read: Reader) -> None:
    columns = "id,side,price,amount"
    made = rows(read(text(columns, "77,sell,11657.07,0.1", "78,buy,5,2"), kind="trade"), "trade")
    assert (made["id"], made["side"], made["px"]) == ([77, 78], [-1, 1], [1_165_707, 500])
    assert (made["ts_event"], made["ts_recv"]) == ([T, T], [R, R])
    made = rows(read(text(columns, "a-b,unknown,1,1", "c,buy,1,1"), kind="trade"), "trade")
    assert (made["id"], made["side"]) == ([1, 2], [0, 1])


def test_liquidations_look_like_trades_so_the_kind_is_asked_for(
    read: Reader, tmp_path: Path
) -> None:
    path = tmp_path / "x.csv"
    path.write_bytes(text("id,side,price,amount", "1,sell,11657.07,0.1"))
    needs = TICK_LAYOUTS["tardis-csv"].needs(File.open(path), Facts())
    assert "kind" in needs
    assert rows(read(path, kind="liquidation"), "liquidation")["side"] == [-1]


def test_book_changes_are_framed_by_receive_time(read: Reader) -> None:
    lines = ["true,bid,100.1,1", "true,ask,100.2,2", "false,bid,100.1,0"]
    body = text("is_snapshot,side,price,amount", *lines)
    body += f"{AT[:-3]}980,false,ask,100.2,5\n".encode()
    made = rows(read(gzip.compress(body)), "delta")
    assert made["flags"] == [SNAPSHOT, SNAPSHOT | LAST, LAST, LAST]
    assert made["qty"] == [1_000, 2_000, 0, 5_000]
    assert made["ts_recv"] == [R, R, R, R + 1_000]


def test_book_snapshots_become_rows_and_missing_levels_none(read: Reader) -> None:
    columns = ",".join(
        f"{side}[{n}].{what}"
        for n in (0, 1)
        for side in ("asks", "bids")
        for what in ("price", "amount")
    )
    made = rows(read(text(columns, "10.2,1,10.1,2,10.3,3,,", "10.2,1,10.1,2,10.3,3,10,4")), "delta")
    assert made["px"] == [1_010, 1_020, 1_030, 1_010, 1_000, 1_020, 1_030]
    assert made["side"] == [1, -1, -1, 1, 1, -1, -1]
    assert [mark & LAST for mark in made["flags"]] == [0, 0, LAST, 0, 0, 0, LAST]
    assert all(mark & SNAPSHOT for mark in made["flags"])


def test_quotes_of_one_side_only_are_left_out_and_counted(read: Reader) -> None:
    batches = read(
        text("ask_amount,ask_price,bid_price,bid_amount", "5,10.25,10.125,7", "5,10.25,,")
    )
    made = rows(batches, "quote")
    assert (made["bid"], made["ask"]) == ([10_125], [10_250])
    assert batches[0].exps.price == 3
    assert batches[0].findings == {"one_sided_quotes_left_out": 1}


def test_derivative_tickers_become_marks(read: Reader) -> None:
    columns = (
        "funding_timestamp,funding_rate,predicted_funding_rate,open_interest,"
        "last_price,index_price,mark_price"
    )
    lines = ("1583020800000000,0.0001,,5,9500.5,9500.0,9500.25", ",,,,9501,,", ",,,,1,,9501.1")
    batches = read(text(columns, *lines))
    made = rows(batches, "mark")
    assert made["mark"] == [950_025, 950_110]
    assert (made["index"], made["rate"]) == ([950_000, None], [1, None])
    assert made["next_funding"] == [1583020800000000000, None]
    assert batches[0].findings == {"rows_without_mark_left_out": 1}


def test_bad_cells_and_several_symbols_are_refused(read: Reader) -> None:
    with pytest.raises(DataError, match="side: expected buy, sell, was 'up'"):
        read(text("id,side,price,amount", "1,up,1,1"), kind="trade")
    with pytest.raises(DataError, match="'x' is not a number"):
        read(text("id,side,price,amount", "1,buy,x,1"), kind="trade")
    body = text("id,side,price,amount", "1,buy,1,1") + AT.replace("BTC", "ETH").encode()
    with pytest.raises(DataError, match="BTCUSDT, ETHUSDT; split it"):
        read(body + b",2,buy,1,1\n", kind="trade")


@pytest.mark.data
def test_real_excerpts_agree_with_a_plain_reading(read: Reader, data_dir: Path) -> None:
    folder = data_dir / "nautilus_fixtures" / "tests" / "tardis"
    for path in sorted(folder.glob("*book_snapshot_*.csv")):
        batches = read(path, instruments={})
        with path.open(newline="") as stream:
            plain = list(csv.DictReader(stream))
        depth = sum(name.startswith("bids[") for name in plain[0]) // 2
        want = [
            (int(row["timestamp"]) * 1_000, side, Decimal(row[f"{name}[{n}].{what}"]))
            for what in ("price", "amount")
            for row in plain
            for name, side in (("bids", 1), ("asks", -1))
            for n in range(depth)
        ]
        made = rows(batches, "delta")
        exps = batches[-1].exps
        cells = [(v, exps.price) for v in made["px"]] + [(v, exps.qty) for v in made["qty"]]
        times, sides = made["ts_event"] * 2, made["side"] * 2
        have = [
            (ts, side, Decimal(value).scaleb(-exp))
            for ts, side, (value, exp) in zip(times, sides, cells, strict=True)
        ]
        assert have == want
