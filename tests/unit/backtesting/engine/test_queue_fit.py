"""The fitted queue: what own orders tell, on a recorded book where the answer is known."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crypto_quant.backtesting.engine import queue_fit
from crypto_quant.backtesting.engine.own_orders import OwnOrders, read_own_orders
from crypto_quant.backtesting.engine.queue_fit import Fit, fitted_queue, replay
from crypto_quant.core.config import with_values
from crypto_quant.core.errors import ConfigError
from crypto_quant.data_pipeline.collectors.facts import Facts
from crypto_quant.data_pipeline.collectors.importer import import_files
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.runtime.config import TickConfig
from crypto_quant.runtime.middles import middles
from crypto_quant.runtime.ticks import TickReader, TickTape
from crypto_quant.runtime.venue_config import BandSection
from crypto_quant.venues.rules import load_instruments
from tests.unit.runtime.tick_market import T0, book, keep, levels, snapshot

SECOND = 10**9
KEY = "BTCUSDT-PERP.BINANCE"
CONFIG = TickConfig()
PERP = load_instruments()[KEY]


def own_orders(tape: TickTape, tick: int, every_ms: int) -> OwnOrders:
    """Return orders joined to the best prices, now a bid, now an ask, each for 8 s."""
    path = middles(tape, tick)
    placed = np.arange(tape.start + SECOND, tape.end - 9 * SECOND, every_ms * 10**6)
    side = np.where(np.arange(len(placed)) % 2, -1, 1)
    # The touch of a book one tick wide, and a tick behind it of a wider one.
    half = path.at(placed) - side * tick / 2
    price = np.where(side > 0, np.floor(half / tick), np.ceil(half / tick)).astype(np.int64) * tick
    none = np.zeros(len(placed), dtype=np.int64)
    return OwnOrders(placed, placed + 8 * SECOND, none, side, price, none + 20, none)


@pytest.mark.data
@pytest.mark.parametrize(
    ("key", "capture", "known"),
    [
        (KEY, "usdm/btcusdt_2024*.gz", 0.7),
        (KEY, "usdm/btcusdt_2024*.gz", 3.0),
        ("BTCUSD-PERP.BINANCE", "cm/btcusd_perp_*.gz", 2.0),
    ],
)
def test_the_exponent_under_which_orders_fared_is_found_again(
    tmp_path: Path, data_dir: Path, key: str, capture: str, known: float
) -> None:
    files = sorted((data_dir / "hftbacktest").glob(capture))
    if not files:
        pytest.skip(f"no capture of {key}")
    reader = reader_of(tmp_path, files, key)
    (session,) = reader.sessions()
    tape = reader.read(session)
    assert isinstance(tape, TickTape)
    instrument = reader.instrument
    tick = 10 ** (instrument.price_exp - 1)
    asked = own_orders(tape, tick, 700)
    filled, at = replay(CONFIG, instrument, tape, asked, known)
    assert 0.2 < (filled > 0).mean() < 0.95
    rows = tmp_path / "own.parquet"
    unit, lot = Decimal(1).scaleb(-instrument.price_exp), Decimal(1).scaleb(-instrument.qty_exp)
    columns: dict[str, Any] = {
        "placed": asked.placed,
        "ended": np.where(filled == asked.quantity, at, asked.ended),
        "filled_at": at,
        "side": asked.side,
        "price": [int(px) * unit for px in asked.price],
        "quantity": [int(qty) * lot for qty in asked.quantity],
        "filled": [int(qty) * lot for qty in filled],
    }
    pq.write_table(pa.table({name: pa.array(c) for name, c in columns.items()}), rows)
    coins = {"instrument": key, "coins": {"BTC": 1}} if key != KEY else {}
    config = TickConfig.model_validate({"venue": {"own_fills": str(rows)}, **coins})
    found = fitted_queue(config, reader, reader.sessions())
    assert found.exponent == pytest.approx(known, rel=0.15)
    assert f"fitted on {len(filled)} own orders, 100% of which it reproduces" in found.basis


def reader_of(root: Path, files: list[Path], key: str) -> TickReader:
    known = load_instruments()
    import_files(Catalog(root / "catalog"), files, Facts(), known)
    return TickReader(Catalog(root / "catalog"), known[key])


def test_without_own_fills_fitted_is_a_prior_and_says_so(tmp_path: Path) -> None:
    catalog = keep(tmp_path, "delta", book([snapshot(0, 5, levels(1, 1))], 2), "a", "vendor")
    found = fitted_queue(CONFIG, TickReader(catalog, PERP), ())
    assert found.exponent == CONFIG.venue.queue_exponent
    assert found.basis.startswith("a prior")


def test_orders_that_tell_nothing_leave_the_prior(tmp_path: Path) -> None:
    config, reader = asked(tmp_path)
    found = fitted_queue(config, reader, reader.sessions())
    assert found.exponent == config.venue.queue_exponent
    assert found.basis.startswith("a prior: 30 own orders fare alike under every exponent")


def asked(root: Path) -> tuple[TickConfig, TickReader]:
    """Return a config with own orders, and a made-up book in which they rest."""
    updates = [snapshot(0, 5, levels(9, 9)), (9_000, 5, 6, levels(9, 9), 0)]
    catalog = keep(root / "catalog", "delta", book(updates, 2), "a", "vendor")
    own = [f"{T0 + n * 10**8},{T0 + n * 10**8 + 5},0,1,100000.0,0.001,0" for n in range(1, 31)]
    rows = root / "own.csv"
    rows.write_text("\n".join(["placed,ended,filled_at,side,price,quantity,filled", *own]) + "\n")
    config = TickConfig.model_validate({"venue": {"own_fills": str(rows)}})
    return config, TickReader(catalog, PERP)


@pytest.fixture
def fits(monkeypatch: pytest.MonkeyPatch) -> list[TickConfig]:
    """Return the configs that are fitted for, from here on."""
    found: list[TickConfig] = []

    def counted(config: TickConfig, *others: object) -> Fit:
        del others
        found.append(config)
        return Fit(3.0, 2.0, 4.0, 1.0)

    monkeypatch.setattr(queue_fit, "fit", counted)
    queue_fit._fitted.cache_clear()
    return found


def test_nothing_is_fitted_where_no_cell_is(tmp_path: Path, fits: list[TickConfig]) -> None:
    config, reader = asked(tmp_path)
    band = BandSection(queues=("risk_averse", "optimistic"))
    found = fitted_queue(config.model_copy(update={"band": band}), reader, reader.sessions())
    assert (found.basis, fits) == ("nothing: no cell of the band is fitted", [])


def test_a_fit_is_made_once_for_all_that_it_does_not_depend_on(
    tmp_path: Path, fits: list[TickConfig]
) -> None:
    config, reader = asked(tmp_path)
    first = fitted_queue(config, reader, reader.sessions())
    assert first.basis.startswith("fitted on 30 own orders, 100%")
    catalog = Catalog(tmp_path / "catalog")
    for key, value in (
        ("capital", 7),
        ("signal.enter", 0.9),
        ("venue.max_orders", 7),
        ("venue.late_trades", False),
    ):
        again = with_values(config, {key: value})
        assert fitted_queue(again, TickReader(catalog, PERP), reader.sessions()) == first
    assert [each.venue.late_trades for each in fits] == [True, False]
    rows = Path(config.venue.own_fills)
    rows.write_text(rows.read_text().replace("0.001,0", "0.002,0"))
    fitted_queue(config, reader, reader.sessions())
    assert len(fits) == 3


GOOD = "1,9,0,1,100.1,0.001,0"


@pytest.mark.parametrize(
    ("row", "said"),
    [
        ("1,9,0,1,100.123456789,0.001,0", r"column price: 100\.123456789 in row 1 is off the grid"),
        ("1,9,0,1,,0.001,0", "column price: None in row 1 is no number"),
        ("1,9,0,1,1e300,0.001,0", r"column price: 1e\+300 in row 1 is too large"),
        ("1,9,0,1,inf,0.001,0", "column price: inf in row 1 is too large"),
        ("1,9,0,buy,100.1,0.001,0", "column side: 'buy' in row 1 is no number"),
        ("1,,0,1,100.1,0.001,0", "column ended: a value is missing"),
        ("1,9,0,0,100.1,0.001,0", "row 1: expected a side of 1 or -1"),
        ("9,9,0,1,100.1,0.001,0", "row 1: expected placed before ended"),
        ("1,9,0,1,-100.1,0.001,0", "row 1: expected a price above 0"),
        ("1,9,0,1,100.1,0,0", "row 1: expected a quantity above 0"),
        ("1,9,5,1,100.1,0.001,0.002", "row 1: expected filled from 0 to quantity"),
        ("1,9,0,1,100.1,0.001,-0.001", "row 1: expected filled from 0 to quantity"),
        ("1,9,10,1,100.1,0.001,0.001", "row 1: expected filled_at from placed to ended"),
        ("1,9,0,1,100.1,0.001,0.001", "row 1: expected filled_at from placed to ended"),
    ],
)
def test_own_orders_that_are_none_are_one_error(tmp_path: Path, row: str, said: str) -> None:
    rows = tmp_path / "own.csv"
    rows.write_text(f"placed,ended,filled_at,side,price,quantity,filled\n{GOOD}\n{row}\n")
    with pytest.raises(ConfigError, match=rf"venue\.own_fills: .*own\.csv, {said}"):
        read_own_orders(str(rows), PERP)


def test_own_orders_are_read_in_the_order_they_were_placed(tmp_path: Path) -> None:
    rows = tmp_path / "own.csv"
    later = "3,9,5,-1,100.1,0.002,0.001"
    rows.write_text(f"placed,ended,filled_at,side,price,quantity,filled\n{later}\n{GOOD}\n")
    found = read_own_orders(str(rows), PERP)
    assert [found.placed.tolist(), found.side.tolist()] == [[1, 3], [1, -1]]
    lot = 10**PERP.qty_exp // 1000
    assert [found.quantity.tolist(), found.filled.tolist()] == [[lot, 2 * lot], [0, lot]]
