"""Funding in the simulator: what is settled is paid, what is due and unknown is no market."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pytest

from crypto_quant.backtesting.simulator import (
    Market,
    OrderType,
    Settlements,
    Simulator,
    TimeInForce,
    of_session,
)
from crypto_quant.core.errors import ConfigError, CryptoQuantError, DataError
from crypto_quant.data_pipeline.storage import Catalog, Exps
from crypto_quant.data_pipeline.storage.flags import LAST, SNAPSHOT
from crypto_quant.venues.rules import load_instruments
from tests.unit.backtesting.simulator.markets import BTC, ETH, LATENCY, MS
from tests.unit.runtime.tick_market import (
    ASK,
    PERP,
    T0,
    book,
    keep,
    levels,
    snapshot,
    table,
    trades,
)

SECOND = 1_000 * MS
DUE = 1_722_499_200 * SECOND
"""2024-08-01 08:00, four seconds into the market of columns."""
TICK, LOT = 10 ** (BTC.price_exp - 1), 10 ** (BTC.qty_exp - 3)
Given = Settlements | Literal["none"] | None


def ints(*values: int) -> np.ndarray[Any, np.dtype[np.int64]]:
    return np.array(values, dtype=np.int64)


def settled(*rows: tuple[int, int], exp: int = 8) -> Settlements:
    """Return settlements of ns after ``DUE`` and a rate."""
    ts = ints(*(DUE + late for late, _ in rows))
    return Settlements({"ts_event": ts, "ts_recv": ts, "rate": ints(*(r for _, r in rows))}, exp)


def columns(funding: Given = None, mark: int = 610_000) -> Market:
    """Return a book of 600,000 and 600,001 ticks for ten seconds, and a mark of before ``DUE``."""
    start = DUE - 4 * SECOND
    ts = start + ints(0, 0, 10_000) * MS
    delta = {
        "ts_event": ts,
        "ts_recv": ts + 2 * MS,
        "side": np.array([1, -1, 1], dtype=np.int8),
        "px": ints(600_000, 600_001, 500_000) * TICK,
        "qty": ints(500, 500, 1) * LOT,
        "flags": np.array([SNAPSHOT, SNAPSHOT | LAST, LAST], dtype=np.uint32),
    }
    seen = ints(start + 3_000 * MS)
    marks = {"ts_event": seen, "ts_recv": seen + MS, "mark": ints(mark * TICK)}
    return Market.of_columns(BTC, {"delta": delta, "mark": marks}, funding)


def paid(*markets: Market, lots: int = 100) -> tuple[Decimal, int]:
    """Return the funding of a position that is taken at once and held, and when that ended."""
    made = Simulator(markets, sim=LATENCY)
    assert made.elapse(10 * MS)
    submit = made.submit_buy_order if lots > 0 else made.submit_sell_order
    submit(0, 1, 0, abs(lots), TimeInForce.GTC, OrderType.MARKET)
    last = 0
    while made.elapse(100 * MS):
        last = made.current_timestamp
        assert last < markets[0].start + SECOND or made.position(0) == lots
    assert [f.tag for f in made.fills()] == ["", "data_end"]
    return made._native.attribution(0)["funding"], last


@pytest.mark.parametrize(("lots", "rate"), [(100, 10_000), (-100, 10_000), (100, -25_000)])
def test_a_position_pays_what_is_settled_at_the_mark(lots: int, rate: int) -> None:
    """0.1 BTC at a mark of 61,000: a long pays a positive rate."""
    made, _ = paid(columns(settled((6 * MS, rate))), lots=lots)
    assert made == -Decimal(lots) / 1_000 * 61_000 * Decimal(rate).scaleb(-8)


def test_settlements_of_other_times_are_not_paid() -> None:
    hours = 8 * 3_600 * SECOND
    made, _ = paid(columns(settled((-hours, 70), (0, 10), (hours, 500), exp=5)))
    assert made == Decimal("-0.61")


def test_it_is_left_out_where_that_is_said() -> None:
    assert paid(columns("none"))[0] == 0


WHOLE = settled((0, 10_000))


@pytest.mark.parametrize(
    ("given", "said"),
    [
        (None, 'funding is due at 2024-08-01 08:00 and no rate .* is paid \\(funding="none"\\)'),
        (settled((-8 * 3_600 * SECOND, 1)), "funding is due at 2024-08-01 08:00 and no rate"),
        (settled((0, 1), (5, 1)), "row 1: funding is settled at this time already"),
        (WHOLE._replace(columns={"ts_event": ints(DUE)}), "was without ts_recv, without rate"),
        (WHOLE._replace(exp=-1), "expected rates of 0 to 28 decimals, was -1"),
        (WHOLE._replace(exp=29), "expected rates of 0 to 28 decimals, was 29"),
        (WHOLE.columns, 'expected Settlements, "none" or nothing, was dict'),
        ("nothing", "expected Settlements, \"none\" or nothing, was 'nothing'"),
        (
            WHOLE._replace(columns={**WHOLE.columns, "ts_event": np.array([1.0])}),
            "column ts_event: expected 1 values of int64, was 1 of float64",
        ),
        (
            WHOLE._replace(columns={**WHOLE.columns, "rate": np.array([1e-4])}),
            "column rate: expected 1 values of int64, was 1 of float64",
        ),
    ],
)
def test_what_is_not_all_that_was_settled_is_named(given: Given, said: str) -> None:
    with pytest.raises(CryptoQuantError, match=rf"^BTCUSDT-PERP\.BINANCE: .*{said}"):
        Simulator([columns(given)], sim=LATENCY)


def test_spot_has_none() -> None:
    spot = replace(load_instruments()["BTCUSDT.BINANCE"], price_exp=BTC.price_exp)
    ts = DUE + ints(-1, -1, 1) * SECOND
    delta = {"ts_event": ts, "ts_recv": ts, "px": ints(600_000, 600_100, 600_000) * TICK}
    delta |= {"side": np.array([1, -1, 1], dtype=np.int8), "qty": ints(1, 1, 1) * LOT}
    flags = np.array([SNAPSHOT, SNAPSHOT | LAST, LAST], dtype=np.uint32)
    streams = {"delta": {**delta, "flags": flags}}
    assert Market.of_columns(spot, streams).end == ts[-1]
    with pytest.raises(ConfigError, match="funding: expected nothing, as spot has none"):
        Market.of_columns(spot, streams, WHOLE)


NIGHT = 1_700_006_400 * SECOND
"""00:00, ten seconds into the recording."""


def recording(root: Path, rate: int | None) -> Catalog:
    """Return twenty seconds of a still book and its trades, with what was settled at 00:00."""
    first = (NIGHT - T0) // MS - 10_000
    frames = [snapshot(first, 5, levels(200, 200))]
    frames += [(first + n * 1_000, 4 + n, 5 + n, [(1, 9_999_000, n)], 0) for n in range(1, 21)]
    keep(root, "delta", book(frames, 3), "a", "")
    keep(root, "trade", trades(range(first + 10, first + 20_000, 50), 3), "a", "")
    if rate is not None:
        late = NIGHT + 6 * MS
        rows = table("funding", [(late, late, rate, 8, 0)])
        keep(root, "funding", rows, "f", "given", Exps(rate=8))
    return Catalog(root)


def test_a_session_pays_what_the_catalog_has(tmp_path: Path) -> None:
    """0.1 BTC at the last trade, 100,000.10; a basis point."""
    (market,) = of_session(recording(tmp_path, 10_000), [PERP])
    made, last = paid(market)
    assert made == -Decimal("0.1") * Decimal(ASK).scaleb(-2) / 10_000
    assert last > NIGHT + 9 * SECOND


def test_a_session_ends_before_what_the_catalog_lacks(tmp_path: Path) -> None:
    catalog = recording(tmp_path, None)
    (market,) = of_session(catalog, [PERP])
    made, last = paid(market)
    assert made == 0
    assert market.end == NIGHT - 1
    assert NIGHT - SECOND < last < NIGHT
    (whole,) = of_session(catalog, [PERP], funding="none")
    made, last = paid(whole)
    assert made == 0
    assert last > NIGHT + 9 * SECOND


def test_what_one_lacks_ends_all_that_are_read_beside_it(tmp_path: Path) -> None:
    recording(tmp_path, 10_000)
    catalog = Catalog(tmp_path)
    for kind in ("delta", "trade"):
        for part in tuple(catalog.parts_of(kind, PERP.id)):
            rows = catalog.scan(kind, PERP.id, part.start, part.end + 1)
            source = part.source._replace(sha256=f"again {kind}")
            catalog.write(kind, ETH.id, rows, source, catalog.exps(kind, PERP.id), part.recv)
    markets = of_session(Catalog(tmp_path), [PERP, ETH])
    assert [m.end for m in markets] == [NIGHT - 1, NIGHT - 1]
    (alone,) = of_session(Catalog(tmp_path), [PERP])
    assert alone.end > NIGHT


def test_a_market_that_is_held_beyond_what_is_known_is_an_error(tmp_path: Path) -> None:
    """One whose end somebody moved: the position would have paid nobody knows what."""
    (market,) = of_session(recording(tmp_path, None), [PERP])
    with pytest.raises(DataError, match="is due and a position is held"):
        paid(replace(market, end=NIGHT + SECOND))


def test_another_word_is_refused(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="funding: expected recorded or none, was 'some'"):
        of_session(recording(tmp_path, None), [PERP], funding="some")  # type: ignore[arg-type]
