"""A tape between two ticks is an error: a simulator shows whole ones only."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crypto_quant.backtesting.simulator import Market, Simulator, of_session
from crypto_quant.backtesting.simulator.on_tick import OnTick
from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.data_pipeline.storage.flags import LAST, SNAPSHOT
from tests.unit.backtesting.simulator.markets import BTC, LATENCY, MS, T0
from tests.unit.runtime.tick_market import PERP, book, keep, levels, snapshot, trades

# BTCUSDT-PERP in August 2024: a tick of 0.10 and a lot of 0.001.
TICK, LOT = 10 ** (BTC.price_exp - 1), 10 ** (BTC.qty_exp - 3)


def streams(kind: str = "", **off: int) -> dict[str, dict[str, np.ndarray[Any, Any]]]:
    """Return three rows of a book and of trades, the last one of ``kind`` off."""
    made = {}
    for name in ("delta", "trade"):
        made[name] = {
            "ts_event": T0 + np.arange(3) * MS,
            "ts_recv": T0 + np.arange(3) * MS + 2 * MS,
            "side": np.array([1, -1, 1], dtype=np.int8),
            "px": np.array([600_000, 600_001, 599_999]) * TICK,
            "qty": np.array([5, 6, 7]) * LOT,
        }
    made["delta"]["flags"] = np.array([SNAPSHOT, SNAPSHOT | LAST, LAST], dtype=np.uint32)
    made["trade"]["id"] = np.arange(3)
    for column, units in off.items():
        made[kind][column][-1] += units
    return made


@pytest.mark.parametrize("kind", ["delta", "trade"])
@pytest.mark.parametrize(
    ("off", "said"),
    [
        ({"px": 1}, "px, row 2: expected a multiple of the tick 0.1.*, was 59999.91"),
        ({"px": -1}, "px, row 2: expected a multiple of the tick 0.1.*, was 59999.89"),
        ({"px": TICK // 2}, "px, row 2: expected a multiple of the tick 0.1.*, was 59999.95"),
    ],
)
def test_rows_between_two_ticks_are_named(kind: str, off: dict[str, int], said: str) -> None:
    with pytest.raises(DataError, match=f"^BTCUSDT-PERP.BINANCE: {kind}, column {said}"):
        Market.of_columns(BTC, streams(kind, **off))


def test_a_quantity_between_two_lots_is_shown_rounded_down() -> None:
    """Orders of before a change of the lot rest in recorded books: half a lot of the best bid."""
    made = streams()
    for columns in made.values():
        columns["qty"] *= 10
    made["delta"]["qty"][0] += 5 * LOT
    simulator = Simulator([Market.of_columns(replace(BTC, qty_exp=BTC.qty_exp + 1), made)])
    assert simulator.elapse(3 * MS // 2)
    assert simulator.depth(0).touch() == (600_000, 5, 600_001, 6)


def test_whole_ticks_are_taken_and_marks_lie_anywhere() -> None:
    made = streams()
    stamps = {name: made["trade"][name] for name in ("ts_event", "ts_recv")}
    mark = {**stamps, "mark": made["trade"]["px"] + 1}
    assert Market.of_columns(BTC, {**made, "mark": mark}).start == T0 + 2 * MS


def test_a_recorded_row_between_two_ticks_is_named_when_it_is_read(tmp_path: Path) -> None:
    """A level of 1,000,000.7 ticks, alone in the frame after the snapshot."""
    frames = [snapshot(0, 1, levels(5, 6)), (100, 1, 2, [(1, 10_000_007, 7)], 0)]
    keep(tmp_path, "delta", book(frames, 2), "a", "")
    keep(tmp_path, "trade", trades([50, 60], 2), "b", "")
    (market,) = of_session(Catalog(tmp_path), [PERP])
    said = r"delta, column px, row 10: expected a multiple of the tick 0\.10, was 100000\.07"
    with pytest.raises(DataError, match=said):
        Simulator([market], sim=LATENCY)


def test_rows_are_counted_from_the_beginning_of_the_stream() -> None:
    whole, off = streams()["trade"], streams("trade", px=1)["trade"]
    parts = OnTick([whole, whole, off], BTC, "trade", T0)
    with pytest.raises(DataError, match="trade, column px, row 8: "):
        list(parts)
