"""Invariants of the native decoder, on generated frames and rows."""

from __future__ import annotations

import contextlib
import gzip
import json
from decimal import Decimal

from hypothesis import given
from hypothesis import strategies as st

from crypto_quant._native import Inflater, TickDecoder

LOCAL = 1_723_161_255_030_314_667
PRICES = st.decimals("0.01", "999999.99", places=2)
QUANTITIES = st.decimals("0", "99999.999", places=3)
LEVELS = st.lists(st.tuples(PRICES, QUANTITIES), max_size=6)
IDS = st.integers(1, 10**15)


def plain(value: Decimal) -> str:
    return format(value, "f")


@st.composite
def depth_frames(draw: st.DrawFn) -> dict[str, object]:
    sides = {name: [[plain(px), plain(qty)] for px, qty in draw(LEVELS)] for name in ("b", "a")}
    fields: dict[str, object] = {
        "e": "depthUpdate",
        "E": 1_723_161_256_299,
        "T": 1_723_161_256_298,
        "s": "BTCUSDT",
        "U": draw(IDS),
        "u": draw(IDS),
        "pu": draw(IDS),
        "new": draw(st.recursive(st.none() | st.text(), st.lists, max_leaves=4)),
        **sides,
    }
    order = draw(st.permutations(sorted(fields)))
    return {name: fields[name] for name in order}


@given(st.lists(depth_frames(), min_size=1, max_size=5), st.integers(1, 64), st.booleans())
def test_depth_frames_equal_their_decimals_however_written_and_cut(
    frames: list[dict[str, object]], step: int, is_packed: bool
) -> None:
    text = b"".join(
        f"{LOCAL} {json.dumps({'stream': 'x', 'data': frame})}\n".encode() for frame in frames
    )
    data = gzip.compress(text) if is_packed else text
    decoder, inflater = TickDecoder("frames", "BTCUSDT", 2, 3), Inflater()
    have: list[tuple[int, ...]] = []

    def take() -> None:
        for _, _, columns in decoder.take():
            names = ("first_id", "last_id", "prev_id", "side", "px", "qty")
            have.extend(zip(*(columns[name].tolist() for name in names), strict=True))

    for at in range(0, len(data), step):
        piece = data[at : at + step]
        if is_packed:
            inflater.feed(piece)
            piece = inflater.text()
        decoder.feed(piece)
        take()
    decoder.finish()
    take()
    want = []
    for frame in frames:
        ids = (frame["U"], frame["u"], frame["pu"])
        rows: list[tuple[object, ...]] = []
        for key in frame:
            if key in ("a", "b"):
                sign = 1 if key == "b" else -1
                rows += [
                    (*ids, sign, int(Decimal(px) * 100), int(Decimal(qty) * 1000))
                    for px, qty in frame[key]  # type: ignore[attr-defined]  # a list of levels
                ]
        want += rows or [(*ids, 0, 0, 0)]
    assert have == want
    assert decoder.stats()["depth"] == len(frames)


@given(st.binary(max_size=300), st.sampled_from(["frames", "trades", "agg_trades", "book_ticker"]))
def test_no_bytes_do_more_than_raise_value_error(data: bytes, layout: str) -> None:
    decoder = TickDecoder(layout, "BTCUSDT", 2, 3)
    message = ""
    try:
        decoder.feed(data)
        decoder.finish()
    except ValueError as err:
        message = str(err)
    assert not message or message.startswith("line ")


@given(st.binary(max_size=300), st.none() | st.tuples(st.integers(0, 2**32 - 1), st.integers(0, 9)))
def test_no_packed_bytes_do_more_than_raise_value_error(
    data: bytes, member: tuple[int, int] | None
) -> None:
    inflater = Inflater(member)
    with contextlib.suppress(ValueError):
        inflater.feed(data)
        while inflater.text():
            pass
        inflater.finish()


@given(st.lists(st.tuples(IDS, PRICES, QUANTITIES, st.booleans()), min_size=1, max_size=20))
def test_archive_trades_equal_their_decimals(
    trades: list[tuple[int, Decimal, Decimal, bool]],
) -> None:
    lines = [
        f"{number},{plain(px)},{plain(qty)},0,1723161256298,{str(maker).lower()}"
        for number, px, qty, maker in trades
    ]
    decoder = TickDecoder("trades", "", 2, 3)
    decoder.feed("\n".join(lines).encode())
    decoder.finish()
    ((kind, _, made),) = decoder.take()
    assert kind == "trade"
    assert made["id"].tolist() == [number for number, *_ in trades]
    assert made["px"].tolist() == [int(px * 100) for _, px, *_ in trades]
    assert made["qty"].tolist() == [int(qty * 1000) for *_, qty, _ in trades]
    assert made["side"].tolist() == [-1 if maker else 1 for *_, maker in trades]
