"""The same fills as hftbacktest, on every recorded session with a snapshot, by every queue model.

The grid market maker trades each session in both engines, ours with the peer's matching rules
(``AS_PEER``); any difference in order, venue time, price, quantity or side ends the run. Where
orders trade at one venue time the lower order id counts as the earlier one on both sides.

``python -m benches.parity FILE`` also writes what the peer did down, for the tests that run
where it is not installed.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from benches import Result
from benches.session import AS_PEER, QUEUES, Recording, Rows, hear, ordered, peer, recording, same

PEER = "hftbacktest 2.4.4"


class Case(NamedTuple):
    """A session, and the grid that trades it: ticks apart, lots a quote, most lots held."""

    capture: str
    key: str
    gap: int
    lots: int
    most: int


CASES: Final = (
    Case("hftbacktest/usdm/btcusdt_20240808.gz", "BTCUSDT-PERP.BINANCE", 1, 10, 200),
    Case("hftbacktest/usdm/ethusdt_20240808.gz", "ETHUSDT-PERP.BINANCE", 1, 50, 1000),
    Case("hftbacktest/usdm/btcusdt_20230404.dat.gz", "BTCUSDT-PERP.BINANCE", 1, 10, 200),
    Case("hftbacktest/cm/btcusd_perp_20240808.gz", "BTCUSD-PERP.BINANCE", 1, 5, 100),
    Case("hftbacktest/spot/btcusdt_20240808.gz", "BTCUSDT.BINANCE", 1, 1000, 20000),
)


def rule(case: Case, session: Recording) -> dict[str, int]:
    """Return the grid of a case, in grid units."""
    lot = session.lot
    return {"levels": 5, "gap": case.gap, "quantity": case.lots * lot, "most": case.most * lot}


def ours(case: Case, session: Recording, queue: str) -> Rows:
    """Trade a session in our engine, as a contract that may be held short."""
    line = session.line(sim={**AS_PEER, "queue": queue})
    line.native.run("grid", rule(case, session))
    return session.fills(line)


def digest(fills: Rows) -> str:
    """Return the SHA-256 of sorted fills as little-endian int64."""
    return hashlib.sha256(np.ascontiguousarray(fills, dtype="<i8").tobytes()).hexdigest()


def _compared() -> Iterator[tuple[Case, str, Rows]]:
    for case in CASES:
        with tempfile.TemporaryDirectory() as name:
            session = recording(Path(name), case.capture, case.key)
            if session is None:
                return
            for queue in QUEUES:
                out = Path(name) / "fills.npy"
                with peer("grid_peer.py", session.as_peer(out, rule(case, session), queue)) as it:
                    if it is None:
                        return
                    hear(it)
                theirs = ordered(np.load(out))
                same(ours(case, session, queue), theirs)
                yield case, queue, theirs


def run() -> list[Result]:
    """Compare all sessions and queue models."""
    found: list[Result] = []
    for case, queue, theirs in _compared():
        count = float(len(theirs))
        label = f"{case.capture}, {queue}"
        found.append(
            Result("parity", "same fills", label, count, count, PEER, 1.0, ((count, count),))
        )
    return found


if __name__ == "__main__":
    rows = [
        {"capture": c.capture, "queue": q, "fills": len(f), "sha256": digest(f)}
        for c, q, f in _compared()
    ]
    Path(sys.argv[1]).write_text(json.dumps({"peer": PEER, "runs": rows}, indent=1) + "\n", "utf-8")
