"""Markets of a catalog: which session, and what was recorded beside it."""

from __future__ import annotations

from pathlib import Path

import pytest

from crypto_quant.backtesting.simulator import Simulator, of_session
from crypto_quant.core.errors import ConfigError, DataError
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.runtime.feed_latency import feed_model
from crypto_quant.runtime.venue_config import FeedSection, Levels
from crypto_quant.venues.rules import load_instruments
from tests.unit.backtesting.simulator.markets import LATENCY, MS
from tests.unit.runtime.tick_market import PERP, T0, book, keep, levels, snapshot, trades

ETH = load_instruments()["ETHUSDT-PERP.BINANCE"]


def recorded(root: Path) -> Catalog:
    """Return a session with a book, and an hour later one without a snapshot."""
    first = [snapshot(0, 1, levels(5, 6)), (100, 1, 2, [(1, 10_000_000, 7)], 0)]
    first += [(n * 100, n, n + 1, [(1, 10_000_000, 7 + n)], 0) for n in range(2, 30)]
    later = [(3_600_000 + n, n, n + 1, [(1, 10_000_000, 1)], 0) for n in range(5)]
    keep(root, "delta", book(first, 2), "a", "")
    keep(root, "trade", trades([50, 60], 2), "b", "")
    keep(root, "delta", book(later, 2), "c", "")
    return Catalog(root)


def test_a_session_runs_from_its_first_book_to_its_last_row(tmp_path: Path) -> None:
    (market,) = of_session(recorded(tmp_path), [PERP])
    assert (market.start, market.end) == (T0 + 2 * MS, T0 + 2_902 * MS)
    made = Simulator([market], sim=LATENCY)
    assert made.elapse(98 * MS)
    assert made.depth(0).touch() == (1_000_000, 5, 1_000_001, 6)
    assert len(made.last_trades(0)) == 2
    made.elapse(5 * MS)
    assert made.depth(0).best_bid_qty == 7


def test_a_modelled_feed_is_seen_later(tmp_path: Path) -> None:
    """Rows that say 2 ms are known after 40: the change of 100 ms at 140."""
    model = feed_model(FeedSection(model="constant", ms=Levels(p50=40, p99=40)), "p50")
    (market,) = of_session(recorded(tmp_path), [PERP], feed=model)
    assert market.start == T0 + 40 * MS
    made = Simulator([market], sim=LATENCY)
    made.elapse(99 * MS)
    assert made.depth(0).best_bid_qty == 5
    made.elapse(2 * MS)
    assert made.depth(0).best_bid_qty == 7


def test_a_session_that_is_not_there_or_has_no_book_is_named(tmp_path: Path) -> None:
    catalog = recorded(tmp_path)
    with pytest.raises(ConfigError, match="session: none begins with '2020'; the catalog has 2023"):
        of_session(catalog, [PERP], "2020")
    with pytest.raises(DataError, match=r"2023-11-14T23:13:20Z: no snapshot: 5 updates"):
        of_session(catalog, [PERP], "2023-11-14T23:13")
    with pytest.raises(DataError, match=r"no order book of ETHUSDT-PERP\.BINANCE"):
        of_session(catalog, [PERP, ETH])
    with pytest.raises(ConfigError, match="instruments: expected at least one"):
        of_session(catalog, [])
