"""A strategy in Rust and a research run do on streams in parts what they do on whole ones."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from decimal import Decimal
from types import SimpleNamespace
from typing import Any, cast

import numpy as np
import pytest
from numpy.typing import NDArray

from crypto_quant.core.errors import ConfigError, DataError
from crypto_quant.core.messages import Wallet
from crypto_quant.feature_engineering.catalog import default_tick_set
from crypto_quant.runtime.line import WAKES, RecordedLine
from crypto_quant.runtime.line_spec import Deposit, LineSpec
from crypto_quant.venues.rules import load_instruments
from examples.made_up import made_up

MS = 10**6
BTC = load_instruments()["BTCUSDT-PERP.BINANCE"]
RULE = {"levels": 3, "gap": 1, "quantity": 10, "most": 100}
Columns = dict[str, NDArray[Any]]


class Caught:
    """Takes what a market puts on a line."""

    def __init__(self) -> None:
        self.native = SimpleNamespace(add_deltas="delta", add_trades="trade")
        self.streams: dict[str, Columns] = {}

    def load(self, name: str, kind: str, index: int, **columns: NDArray[Any]) -> None:
        del name, index
        self.streams[kind] = columns


MARKET = made_up(BTC)


def walk() -> dict[str, Columns]:
    """Return a made-up book and its trades."""
    caught = Caught()
    MARKET.put(cast(RecordedLine, caught), 0)
    return caught.streams


def parts(columns: Columns, length: int) -> Iterator[Columns]:
    for start in range(0, len(columns["ts_recv"]), length):
        yield {name: values[start : start + length] for name, values in columns.items()}


def line(length: int, sim: dict[str, object] | None) -> RecordedLine:
    """Return a line whose streams come in parts of so many rows; 0: as wholes."""
    streams = walk()
    spec = LineSpec(
        instruments=(BTC,),
        sleeves=("one",),
        features=tuple((f.name, f.params) for f in default_tick_set(BTC.id)),
        series=(),
        quote="USDT",
        grid_ns=100 * MS,
        start=MARKET.start,
        end=MARKET.end,
        sim=sim,
        leverage=10,
        sample_ns=1_000 * MS,
    )
    capital = [] if sim is None else [Deposit(0, Wallet.MARGIN, Decimal(100_000))]
    made = RecordedLine(spec, capital)
    adders: dict[str, Callable[..., int]] = {
        "delta": made.native.add_deltas,
        "trade": made.native.add_trades,
    }
    for kind, columns in streams.items():
        rows = len(columns["ts_recv"])
        made.stream(BTC.id, adders[kind], 0, parts(columns, length or rows))
    if not length:
        made.read_ahead()
    return made


@pytest.mark.parametrize("length", [1, 37, 1_000])
def test_a_strategy_in_rust_does_the_same_however_streams_are_cut(length: int) -> None:
    whole, cut = line(0, {}), line(length, {})
    asked = whole.run("grid", RULE)
    assert asked > 900
    assert cut.run("grid", RULE) == asked
    for table in ("fills", "orders", "equity_rows"):
        expected, found = getattr(whole.native, table)(), getattr(cut.native, table)()
        assert len(expected["ts" if "ts" in expected else "ts_event"]) > 50
        for name, values in expected.items():
            np.testing.assert_array_equal(found[name], values)


@pytest.mark.parametrize("length", [1, 37, 1_000])
def test_a_research_table_is_the_same_however_streams_are_cut(length: int) -> None:
    times, rows = line(0, None).research()
    found = line(length, None).research()
    assert len(times) > 900
    assert np.isfinite(rows).any(axis=0).any()
    np.testing.assert_array_equal(found[0], times)
    np.testing.assert_array_equal(found[1], rows)


def test_the_native_line_says_what_it_waits_for_and_goes_on() -> None:
    made = line(1_000, {})
    assert made.native.run("grid", RULE) is None
    assert made.native.wants is not None
    before = made.native.now
    assert made.run("grid", RULE) > 900
    assert made.native.now > before
    assert WAKES[made.native.next()] is None


def test_a_strategy_that_is_none_is_refused_before_anything_is_run() -> None:
    made = line(1_000, {})
    with pytest.raises(ConfigError, match="expected one of glft, grid, imbalance, twap"):
        made.run("grit", {})
    assert made.run("grid", RULE) > 900


def test_a_part_that_goes_back_in_time_is_an_error_of_the_data() -> None:
    made = line(0, {})
    streams = walk()

    def wrong() -> Iterator[Columns]:
        yield from list(parts(streams["trade"], 1_000))[:2]
        yield next(parts(streams["trade"], 10))

    made = line(1_000, {})
    made.stream("odd", made.native.add_trades, 0, wrong())
    with pytest.raises(DataError, match="odd: "):
        made.run("grid", RULE)
