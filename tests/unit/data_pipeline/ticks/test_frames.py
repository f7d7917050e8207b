"""Captures as files: what is recognised, counted, refused."""

from __future__ import annotations

import gzip

import pytest

from crypto_quant.core.errors import DataError, DecodeError
from crypto_quant.data_pipeline.cleaners.rebase import Recorded
from crypto_quant.data_pipeline.storage import Exps
from crypto_quant.data_pipeline.storage.flags import NOT_MARKET

from .conftest import Reader, rows

MS = 1_680_652_700_000
US = MS * 1_000


def trade(n: int, quantity: str = "0.002", kind: str = "MARKET", symbol: str = "BTCUSDT") -> bytes:
    """Return a line received 2 ms before it was published."""
    return (
        f'{US + n * 1000 - 2000} {{"stream":"btcusdt@trade","data":{{"e":"trade","E":{MS + n},'
        f'"T":{MS + n - 1},"s":"{symbol}","t":{100 + n},"p":"28145.10","q":"{quantity}",'
        f'"X":"{kind}","m":true}}}}\n'
    ).encode()


def depth(first: int, last: int, previous: int) -> bytes:
    return (
        f'{US} {{"stream":"btcusdt@depth@0ms","data":{{"e":"depthUpdate","E":{MS},"T":{MS},'
        f'"s":"BTCUSDT","U":{first},"u":{last},"pu":{previous},"b":[["28145.10","1.000"]],"a":[]}}}}\n'
    ).encode()


def test_frames_are_decoded_on_the_instruments_grid(read: Reader) -> None:
    batches = read(trade(0) + trade(1, kind="INSURANCE_FUND"))
    made = rows(batches, "trade")
    assert made["px"] == [2_814_510, 2_814_510]
    assert made["qty"] == [2, 2]
    assert made["side"] == [-1, -1]
    assert made["flags"] == [0, NOT_MARKET]
    assert made["ts_event"] == [(MS - 1) * 10**6, MS * 10**6]
    assert batches[-1].key == "BTCUSDT-PERP.BINANCE"
    assert batches[-1].findings == {"not_market": 1}


def test_the_last_batch_tells_whose_clock_stamped_and_how_it_stood(read: Reader) -> None:
    batches = read(gzip.compress(trade(0) + trade(1)), dataset="box")
    assert Recorded.parse(batches[-1].recv) == Recorded("box", -2_000_000)


def test_breaks_are_counted_not_hidden(read: Reader) -> None:
    batches = read(trade(0) + trade(5) + depth(1, 4, 0) + depth(6, 9, 5))
    found = {batch.kind: batch.findings for batch in batches}
    assert found["trade"] == {"trade_id_gaps": 1}
    # the stamp of the first depth line lies before that of the trade line above it
    assert found["delta"] == {"update_id_gaps": 1, "without_snapshot": 2, "clock_back": 1}


def test_a_quantity_off_the_lot_is_kept_exactly_and_counted(read: Reader) -> None:
    batches = read(trade(0) + trade(1, quantity="0.00234567"))
    assert batches[-1].exps == Exps(price=2, qty=8)
    assert rows(batches, "trade")["qty"] == [200_000, 234_567]
    assert batches[-1].findings == {"off_lot_rows": 1}


def test_an_instrument_without_rules_has_the_finest_grid(read: Reader) -> None:
    batches = read(trade(0, symbol="XYZUSDT"), symbol="XYZUSDT-PERP", instruments={})
    assert rows(batches, "trade")["px"] == [2_814_510_000_000]


def test_a_broken_line_is_named_with_file_and_number(read: Reader) -> None:
    with pytest.raises(DecodeError, match=r"input: line 3: broken JSON: expected .* at byte"):
        read(trade(0) + trade(1) + trade(2)[:-9] + b"\n")


@pytest.mark.parametrize("cut", [30, 8, 1])
def test_a_truncated_gzip_is_refused(read: Reader, cut: int) -> None:
    whole = gzip.compress(b"".join(trade(n) for n in range(500)))
    with pytest.raises(DataError, match="corrupt"):
        read(whole[:-cut])


def test_a_gzip_with_a_flipped_bit_is_refused(read: Reader) -> None:
    packed = bytearray(gzip.compress(b"".join(trade(n) for n in range(5000)), 1))
    packed[len(packed) * 3 // 4] ^= 0x10
    with pytest.raises(DataError):
        read(bytes(packed))


def test_frames_of_another_contract_are_refused(read: Reader) -> None:
    with pytest.raises(DataError, match=r"holds futures frames, but BTCUSDT\.BINANCE is spot"):
        read(trade(0), symbol="BTCUSDT")
    with pytest.raises(DecodeError, match="expected symbol ETHUSDT, was BTCUSDT"):
        read(trade(0), symbol="ETHUSDT-PERP")


def test_a_price_off_the_grid_is_refused(read: Reader) -> None:
    with pytest.raises(DecodeError, match=r'"28145\.105" has more than 2 decimals'):
        read(trade(0).replace(b"28145.10", b"28145.105"))
