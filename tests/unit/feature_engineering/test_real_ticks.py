"""Features on a real capture, whose frames are read here without the package's decoder."""

from __future__ import annotations

import gzip
import json
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import numpy as np
import pytest

from crypto_quant.feature_engineering.events import Events, Kind
from tests.conformance import feature_worlds as fw
from tests.conformance.tick_oracles import TICK_ORACLES, replay

pytestmark = pytest.mark.data
_SECONDS: Final = 60
_LAST: Final = 2
_SNAPSHOT: Final = 1


class _Reader:
    """Rows of one futures capture from its snapshot on."""

    def __init__(self) -> None:
        self.rows: list[tuple[list[int], list[int]]] = []
        self.early: list[dict[str, Any]] = []
        self.update_id: int | None = None

    def add(self, kind: Kind, ts: int, body: list[int], flags: int = 0) -> None:
        self.rows.append(([int(kind), 0, ts, ts, flags], body + [0] * (8 - len(body))))

    def levels(self, ts: int, bids: list[list[str]], asks: list[list[str]], flags: int) -> None:
        both = [(1, level) for level in bids] + [(-1, level) for level in asks]
        for index, (side, (px, qty)) in enumerate(both):
            last = _LAST if index + 1 == len(both) else 0
            self.add(Kind.DELTA, ts, [side, _units(px, 2), _units(qty, 5)], flags | last)

    def snapshot(self, ts: int, frame: dict[str, Any]) -> None:
        self.update_id = frame["lastUpdateId"]
        self.levels(ts, frame["bids"], frame["asks"], _SNAPSHOT)
        for data in self.early:
            self.depth(ts, data)

    def depth(self, ts: int, data: dict[str, Any]) -> None:
        if self.update_id is None:
            self.early.append(data)
        elif data["u"] > self.update_id:
            self.levels(ts, data["b"], data["a"], 0)

    def line(self, text: str) -> int:
        stamp, _, payload = text.partition(" ")
        ts, frame = int(stamp), json.loads(payload)
        if "lastUpdateId" in frame:
            self.snapshot(ts, frame)
            return ts
        data = frame["data"]
        if data["e"] == "depthUpdate":
            self.depth(ts, data)
        elif self.update_id is not None and data["e"] == "bookTicker":
            top = [_units(data["b"], 2), _units(data["B"], 5)]
            top += [_units(data["a"], 2), _units(data["A"], 5)]
            self.add(Kind.QUOTE, ts, top)
        elif self.update_id is not None and data["e"] == "trade":
            side = -1 if data["m"] else 1
            trade = [data["t"], _units(data["p"], 2), _units(data["q"], 5), side]
            self.add(Kind.TRADE, ts, trade, 0 if data["X"] == "MARKET" else 64)
        return ts


def _units(text: str, exp: int) -> int:
    return int(Decimal(text).scaleb(exp))


def _capture(data_dir: Path) -> Events:
    """Return the first minute after the snapshot of the newest futures capture with ns stamps."""
    path = sorted((data_dir / "hftbacktest" / "usdm").glob("btcusdt_*[0-9].gz"))[-1]
    reader = _Reader()
    with gzip.open(path, "rt") as lines:
        for text in lines:
            ts = reader.line(text)
            if reader.rows and ts > reader.rows[0][0][3] + _SECONDS * fw.S:
                break
    head = np.array([row[0] for row in reader.rows], dtype=np.int64)
    body = np.array([row[1] for row in reader.rows], dtype=np.int64)
    return Events(head, body, np.zeros(len(head)))


def test_every_tick_feature_on_a_real_capture_equals_its_oracle(data_dir: Path) -> None:
    tape = _capture(data_dir)
    grid = tape.ts_recv[0] + np.array([31, 44, 59], dtype=np.int64) * fw.S
    values = fw.stream(fw.TICK_ROWS).table(tape, grid)
    assert np.isfinite(values).any(axis=0).all()
    for now, row in zip(grid, values, strict=True):
        seen = replay(tape, int(now))
        for info, found in zip(fw.TICK_ROWS, row, strict=True):
            if np.isnan(found):
                assert info.name in {"microprice_l1", "trade_flow_1s"}, info.name
                continue
            expected = TICK_ORACLES[info.name](seen)
            np.testing.assert_allclose(found, expected, rtol=1e-9, atol=1e-8, err_msg=info.name)
