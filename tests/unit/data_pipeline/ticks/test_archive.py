"""Archive CSV of every era, and quotes that come out of order."""

from __future__ import annotations

import io
import zipfile

import numpy as np
import pyarrow as pa
import pytest

from crypto_quant.core.errors import DataError, DecodeError
from crypto_quant.data_pipeline.collectors.ticks import archive
from crypto_quant.data_pipeline.storage import Exps
from crypto_quant.data_pipeline.storage.flags import SYNTHETIC_RECV

from .conftest import Reader, rows

T = 1_680_652_700_452


def packed(text: str, name: str = "any.csv") -> bytes:
    out = io.BytesIO()
    with zipfile.ZipFile(out, "w", zipfile.ZIP_DEFLATED) as box:
        box.writestr(name, text)
    return out.getvalue()


@pytest.mark.parametrize("header", ["", "id,price,qty,quote_qty,time,is_buyer_maker\n"])
def test_trades_are_read_with_and_without_header(read: Reader, header: str) -> None:
    text = f"{header}7,28145.1,0.002,56.29,{T},true\n8,28145.2,1.000,5,{T + 1},false\n"
    for content in (text.encode(), packed(text)):
        made = rows(read(content), "trade")
        assert made["id"] == [7, 8]
        assert made["px"] == [2_814_510, 2_814_520]
        assert made["side"] == [-1, 1]
        assert made["ts_recv"] == made["ts_event"] == [T * 10**6, (T + 1) * 10**6]
        assert made["flags"] == [SYNTHETIC_RECV] * 2


def test_spot_trades_have_a_seventh_column_and_microseconds(read: Reader) -> None:
    text = "7,94591.78000000,0.00055000,52.02,1735689600000123,True,True\n"
    made = rows(read(text.encode(), symbol="BTCUSDT"), "trade")
    assert (made["px"], made["qty"]) == ([9_459_178], [55])
    assert made["ts_event"] == [1_735_689_600_000_123_000]


@pytest.mark.parametrize(
    "row",
    ["26129,28145.1,4.705,27781,27785,{T},true", "26129,28145.1,4.705,27781,27785,{T},True,True"],
)
def test_aggregated_trades_are_told_from_trades_without_header(read: Reader, row: str) -> None:
    made = rows(read((row.format(T=T) + "\n").encode()), "agg_trade")
    assert (made["first_id"], made["last_id"], made["side"]) == ([27_781], [27_785], [-1])


def test_quotes_are_put_in_order_of_update_id(read: Reader) -> None:
    header = ",".join(
        ("update_id", "best_bid_price", "best_bid_qty", "best_ask_price", "best_ask_qty")
    )
    lines = [f"{n},28145.1,1,28145.2,{n},{T + n},{T + n + 3}" for n in (1, 4, 2, 3)]
    text = header + ",transaction_time,event_time\n" + "\n".join(lines)
    made = rows(read(text.encode()), "quote")
    assert made["update_id"] == [1, 2, 3, 4]
    assert made["ask_qty"] == [1_000, 2_000, 3_000, 4_000]
    assert made["ts_recv"] == [(T + n + 3) * 10**6 for n in (1, 2, 3, 4)]


def test_ordering_is_exact_within_its_window_and_refuses_beyond(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(archive, "WINDOW", 50)
    rng = np.random.default_rng(3)
    ids = np.arange(1_000)
    late = np.argsort(ids + rng.integers(0, 40, ids.size), kind="stable")
    tables = [(pa.table({"update_id": ids[late][n : n + 90]}), Exps()) for n in range(0, 1_000, 90)]
    out = [b.column("update_id").to_numpy() for b, _ in archive.in_order(iter(tables), "x")]
    assert np.array_equal(np.concatenate(out), ids)
    with pytest.raises(DataError, match="comes more than 50 rows too late"):
        list(archive.in_order(iter([*tables, (pa.table({"update_id": [3]}), Exps())]), "x"))


def test_gaps_in_trade_ids_are_counted(read: Reader) -> None:
    text = f"7,28145.1,0.002,56.29,{T},true\n9,28145.2,1.000,5,{T + 1},false\n"
    assert read(text.encode())[-1].findings == {"trade_id_gaps": 1}


def test_bad_rows_and_bad_zips_are_named(read: Reader) -> None:
    good = f"7,28145.1,0.002,56.29,{T},true\n"
    with pytest.raises(DecodeError, match=r"line 2: price: expected a decimal number, was \"x\""):
        read((good + good.replace("28145.1", "x")).encode())
    with pytest.raises(DecodeError, match=r'any\.csv: line 2: row without "quote_qty"'):
        read(packed(good + "8,28145.1,0.002"))
    broken = bytearray(packed(good * 500))
    broken[60] ^= 0xFF
    with pytest.raises(DataError, match=r"corrupt|Bad CRC|invalid|Error"):
        read(bytes(broken))
    with pytest.raises(DataError, match="no rows"):
        read(b"id,price,qty,quote_qty,time,is_buyer_maker\n")
