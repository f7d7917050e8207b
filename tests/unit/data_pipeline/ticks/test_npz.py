"""hftbacktest arrays in, and out again."""

from __future__ import annotations

import io
import re
import zipfile
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from numpy.typing import NDArray

from crypto_quant.core.errors import DataError, DecodeError
from crypto_quant.data_pipeline.collectors.file import File
from crypto_quant.data_pipeline.collectors.ticks import npz
from crypto_quant.data_pipeline.collectors.ticks.npz import (
    BUY,
    CLEAR,
    DEPTH,
    EVENT,
    EXCH,
    LOCAL,
    SELL,
    SNAPSHOT,
    TRADE,
)
from crypto_quant.data_pipeline.storage import KINDS, flags

from .conftest import Reader, rows

T = 1_723_161_256_000_000_000
BOTH = EXCH | LOCAL


def events(*made: tuple[int, int, int, float, float]) -> NDArray[np.void]:
    """Return events of (ev, exch_ts, local_ts, px, qty); times are after T."""
    return np.array([(ev, T + e, T + r, px, qty, 0, 0, 0.0) for ev, e, r, px, qty in made], EVENT)


def packed(array: NDArray[np.void]) -> bytes:
    out = io.BytesIO()
    npz.write_npz(out, array)
    return out.getvalue()


BOOK = events(
    (CLEAR | BUY | BOTH, 0, 10, 100.0, 0.0),
    (CLEAR | SELL | BOTH, 0, 10, 102.0, 0.0),
    (SNAPSHOT | BUY | BOTH, 0, 10, 100.1, 1.5),
    (SNAPSHOT | SELL | BOTH, 0, 10, 101.9, 2.0),
    (DEPTH | BUY | BOTH, 1, 11, 100.2, 0.25),
    (DEPTH | BUY | BOTH, 1, 11, 100.1, 0.0),
    (TRADE | SELL | BOTH, 2, 12, 100.2, 0.125),
    (DEPTH | SELL | EXCH, 3, 20, 101.8, 1.0),
    (DEPTH | SELL | LOCAL, 3, 20, 101.8, 1.0),
)


def test_events_become_trades_and_frames_of_deltas(read: Reader) -> None:
    batches = read(packed(BOOK))
    book = rows(batches, "delta")
    assert book["px"] == [10_010, 10_190, 10_020, 10_010, 10_180]
    assert book["qty"] == [1_500, 2_000, 250, 0, 1_000]
    assert book["side"] == [1, -1, 1, 1, -1]
    both = flags.SNAPSHOT | flags.LAST
    assert book["flags"] == [flags.SNAPSHOT, both, 0, flags.LAST, flags.LAST]
    assert book["ts_event"] == [T, T, T + 1, T + 1, T + 3]
    assert book["ts_recv"] == [T + 10, T + 10, T + 11, T + 11, T + 20]
    printed = rows(batches, "trade")
    assert (printed["id"], printed["px"], printed["side"]) == ([1], [10_020], [-1])


def test_a_clear_without_snapshot_leaves_no_book(read: Reader) -> None:
    made = events((DEPTH | BUY | BOTH, 0, 1, 5.0, 1.0), (CLEAR | BUY | BOTH, 1, 2, 4.0, 0.0))
    book = rows(read(packed(made)), "delta")
    assert book["side"] == [1, 0]
    assert book["flags"][1] == flags.SNAPSHOT | flags.LAST


def test_frames_stay_whole_however_the_array_is_cut(
    read: Reader, monkeypatch: pytest.MonkeyPatch
) -> None:
    rng = np.random.default_rng(1)
    local = np.sort(rng.integers(0, 60, 300))
    made = events(
        *((DEPTH | BUY | BOTH, int(t), int(t), 5.0 + n, 1.0) for n, t in enumerate(local))
    )
    whole = rows(read(packed(made)), "delta")
    monkeypatch.setattr(npz, "_ROWS", 7)
    assert rows(read(packed(made)), "delta") == whole
    assert sum(mark == flags.LAST for mark in whole["flags"]) == len(set(local.tolist()))


def test_a_cut_array_is_refused(read: Reader, tmp_path: Path) -> None:
    out = io.BytesIO()
    np.lib.format.write_array(out, BOOK)
    path = tmp_path / "cut.npz"
    with zipfile.ZipFile(path, "w") as box:
        box.writestr("data.npy", out.getvalue()[:-70])
    with pytest.raises(DecodeError, match=r"cut\.npz: corrupt npz \(the array ends early\)"):
        read(path)


def _typed(**other: str) -> NDArray[np.void]:
    return np.zeros(3, [(name, other.get(name, kind)) for name, kind, *_ in EVENT.descr])


STRANGE: dict[str, NDArray[np.void]] = {
    "no dimension": np.zeros((), EVENT),
    "two dimensions": np.zeros((3, 2), EVENT),
    "float ev": _typed(ev="<f8"),
    "float local_ts": _typed(local_ts="<f8"),
    "signed order_id": _typed(order_id="<i8"),
    "other byte order": _typed(px=">f8"),
    "a field less": np.zeros(3, EVENT.descr[:-1]),
}


@pytest.mark.parametrize("case", STRANGE)
def test_an_array_of_another_type_or_shape_is_not_recognised(tmp_path: Path, case: str) -> None:
    path = tmp_path / "strange.npz"
    path.write_bytes(packed(STRANGE[case]))
    assert not npz.HftbacktestNpz().recognise(File.open(path))


def test_a_second_array_is_not_passed_over(read: Reader, tmp_path: Path) -> None:
    np.savez(tmp_path / "two.npz", day_1=BOOK, day_2=BOOK)
    with pytest.raises(DataError, match=r"expected one array, found day_1\.npy, day_2\.npy"):
        read(tmp_path / "two.npz")


@pytest.mark.parametrize(
    ("right", "wrong"), [(b"}", b" "), (b"(9,)", b"(09,"), (b"(9,)", b"(-9)"), (b"(9,)", b"-9,)")]
)
def test_a_broken_header_is_not_recognised(tmp_path: Path, right: bytes, wrong: bytes) -> None:
    """NumPy falls through to Python's tokenizer, which has errors of its own."""
    out = io.BytesIO()
    np.lib.format.write_array(out, BOOK)
    assert out.getvalue().count(right) == 1
    path = tmp_path / "broken.npz"
    with zipfile.ZipFile(path, "w") as box:
        box.writestr("data.npy", out.getvalue().replace(right, wrong))
    assert not npz.HftbacktestNpz().recognise(File.open(path))


def test_an_array_of_a_negative_length_is_not_recognised(tmp_path: Path) -> None:
    out = io.BytesIO()
    np.lib.format.write_array(out, np.concatenate([BOOK, BOOK[:1]]))
    path = tmp_path / "negative.npz"
    with zipfile.ZipFile(path, "w") as box:
        box.writestr("data.npy", out.getvalue().replace(b"(10,)", b"(-1,)"))
    assert not npz.HftbacktestNpz().recognise(File.open(path))


def _with(place: int, **changed: float) -> NDArray[np.void]:
    made = BOOK.copy()
    for name, value in changed.items():
        made[name][place] = value
    return made


RANGE = "expected ns of 2001 to 2128, was"
BAD: dict[str, tuple[NDArray[np.void], str]] = {
    "time of 1677": (
        _with(6, exch_ts=-(2**63) + 5),
        f"exch_ts: row 6: {RANGE} -9223372036854775803",
    ),
    "time in us": (_with(4, local_ts=T // 1000), f"local_ts: row 4: {RANGE} 1723161256000000"),
    "no time": (_with(8, exch_ts=0), f"exch_ts: row 8: {RANGE} 0"),
    "time beyond 2128": (_with(2, exch_ts=2**63 - 1), f"exch_ts: row 2: {RANGE} {2**63 - 1}"),
    "price NaN": (_with(6, px=np.nan), "px: row 6: expected a number of 64 bits, was nan"),
    "price infinite": (_with(2, px=-np.inf), "px: row 2: expected a number of 64 bits, was -inf"),
    "price too large": (_with(5, px=1e300), "px: row 5: expected a number of 64 bits, was 1e+300"),
    "quantity NaN": (_with(4, qty=np.nan), "qty: row 4: expected 0 or more in 64 bits, was nan"),
    "quantity infinite": (
        _with(4, qty=np.inf),
        "qty: row 4: expected 0 or more in 64 bits, was inf",
    ),
    "quantity negative": (
        _with(8, qty=-1.5),
        "qty: row 8: expected 0 or more in 64 bits, was -1.5",
    ),
    "no side of a level": (
        _with(4, ev=DEPTH | BOTH),
        "ev: row 4: expected BUY or SELL, was neither",
    ),
    "both sides of a level": (
        _with(3, ev=SNAPSHOT | BUY | SELL | BOTH),
        "ev: row 3: expected BUY or SELL, was both",
    ),
    "both sides of a trade": (
        _with(6, ev=TRADE | BUY | SELL | BOTH),
        "ev: row 6: expected BUY, SELL or neither, was both",
    ),
    "no event": (BOOK[:0], "no trade and no book event in local order"),
    "none in local order": (BOOK[7:8], "no trade and no book event in local order"),
}


@pytest.mark.parametrize("cut", [2, 1 << 18])
@pytest.mark.parametrize("case", BAD)
def test_what_is_no_event_is_refused_with_file_field_and_row(
    read: Reader, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, case: str, cut: int
) -> None:
    made, message = BAD[case]
    monkeypatch.setattr(npz, "_ROWS", cut)
    path = tmp_path / "bad.npz"
    path.write_bytes(packed(made))
    with pytest.raises(DataError, match=re.escape(f"bad.npz: {message}")):
        read(path)


def test_what_is_not_used_may_be_anything(read: Reader) -> None:
    """Prices of a clear, what only the exchange's order sees, and other kinds of events."""
    made = _with(0, px=np.nan, qty=np.nan)
    made["exch_ts"][7], made["px"][7] = 0, np.nan
    more = events((0 | BOTH, 4, 30, np.nan, -1.0), (99 | BOTH, 4, 30, np.nan, -1.0))
    more["exch_ts"] = 0
    batches = read(packed(np.concatenate([made, more])))
    assert rows(batches, "delta") == rows(read(packed(BOOK)), "delta")
    assert sum(b.findings.get("other_events", 0) for b in batches) == 2


def table(kind: str, **columns: list[int]) -> pa.Table:
    n = len(columns["px"])
    full = {"flags": [0] * n, "ts_recv": columns["ts_event"], **columns}
    schema = KINDS[kind].schema().with_metadata({"price_exp": "1", "qty_exp": "3"})
    arrays = [pa.array(full.get(f.name, [None] * n), f.type) for f in schema]
    return pa.table(arrays, schema=schema)


def orders(made: NDArray[np.void]) -> None:
    """Check what hftbacktest demands: both processors see their times in order."""
    for flag, stamp in ((EXCH, "exch_ts"), (LOCAL, "local_ts")):
        times = made[stamp][made["ev"] & flag != 0]
        assert (np.diff(times) >= 0).all()


def test_events_written_are_in_order_for_both_processors() -> None:
    rng = np.random.default_rng(7)
    n = 2_000
    event = T + np.sort(rng.integers(0, 10**6, n))
    recv = event + rng.integers(1, 5_000, n)
    order = np.argsort(recv, kind="stable")
    deltas = table(
        "delta",
        ts_event=event[order].tolist(),
        ts_recv=recv[order].tolist(),
        px=rng.integers(1, 10**6, n).tolist(),
        qty=rng.integers(0, 10**6, n).tolist(),
        side=rng.choice([-1, 1], n).tolist(),
        flags=[flags.LAST] * n,
    )
    trades = table("trade", ts_event=[T], px=[5], qty=[1], side=[1], id=[1], ts_recv=[T + 10**7])
    made = npz.to_events(deltas, trades)
    orders(made)
    for flag in (EXCH, LOCAL):
        assert (made["ev"] & flag != 0).sum() == n + 1
    local = made[(made["ev"] & LOCAL != 0) & (made["ev"] & 0xFF == DEPTH)]
    assert np.array_equal(local["px"], deltas.column("px").to_numpy() / 10)
    assert len(made) < 2 * n


def test_at_the_exchange_trades_come_before_the_levels_of_their_time() -> None:
    deltas = table(
        "delta", ts_event=[T, T + 9], ts_recv=[T + 10, T + 30], px=[7, 8], qty=[1, 1], side=[1, 1]
    )
    trades = table("trade", ts_event=[T + 9], ts_recv=[T + 40], px=[5], qty=[1], side=[1], id=[1])
    made = npz.to_events(deltas, trades)
    orders(made)
    kinds = [(made[made["ev"] & flag != 0]["ev"] & 0xFF).tolist() for flag in (EXCH, LOCAL)]
    assert kinds == [[DEPTH, TRADE, DEPTH], [DEPTH, DEPTH, TRADE]]


def test_a_snapshot_is_written_with_what_it_clears() -> None:
    snap = flags.SNAPSHOT
    deltas = table(
        "delta",
        ts_event=[T] * 4,
        ts_recv=[T + 1] * 4,
        px=[1_001, 999, 1_002, 1_010],
        qty=[5] * 4,
        side=[1, 1, -1, -1],
        flags=[snap, snap, snap, snap | flags.LAST],
    )
    made = npz.to_events(deltas, table("trade", ts_event=[], px=[], qty=[], side=[], id=[]))
    cleared = made[made["ev"] & 0xFF == CLEAR]
    assert cleared["px"].tolist() == [99.9, 101.0]
    assert (cleared["ev"] & (BUY | SELL)).tolist() == [BUY, SELL]
    assert (made["ev"][2:] & 0xFF == SNAPSHOT).all()


def test_trades_that_are_not_the_markets_stay_out_and_times_must_be_rebased() -> None:
    empty = table("delta", ts_event=[], px=[], qty=[], side=[])
    fund = table("trade", ts_event=[T], px=[5], qty=[1], side=[1], id=[1], flags=[flags.NOT_MARKET])
    assert len(npz.to_events(empty, fund)) == 0
    early = table("trade", ts_event=[T], ts_recv=[T - 1], px=[5], qty=[1], side=[1], id=[1])
    with pytest.raises(DataError, match="re-base"):
        npz.to_events(empty, early)
