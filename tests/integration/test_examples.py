"""The examples run, on a made-up market and on a capture, and say the same as hftbacktest."""

from __future__ import annotations

import os
import re
import runpy
import subprocess
import sys
from decimal import Decimal
from importlib import import_module
from pathlib import Path

import numpy as np
import pytest

from crypto_quant.backtesting.simulator import (
    AS_HFTBACKTEST,
    Market,
    Simulator,
    StateValues,
    of_session,
)
from crypto_quant.data_pipeline.collectors.facts import Facts
from crypto_quant.data_pipeline.collectors.importer import import_files
from crypto_quant.data_pipeline.exporters.hftbacktest import to_npz
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.venues.rules import load_instruments
from examples.grid_market_maker import LEVELS, MOST, QTY
from examples.made_up import made_up
from examples.tape import CAPTURE, KEY, LATENCY

ROOT = Path(__file__).resolve().parents[2]
FILES = sorted((ROOT / "examples").rglob("*.py"))
EXAMPLES = [f for f in FILES if "__main__" in f.read_text() and f.stem != "theirs"]
SIDE_BY_SIDE = ("high_frequency_grid", "order_book_imbalance", "queue_based")
PEERS = os.environ.get("CQ_PEERS")


@pytest.mark.parametrize("path", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_trades_on_a_made_up_market(
    path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.delenv("CQ_DATA", raising=False)
    runpy.run_path(str(path), run_name="__main__")
    printed = capsys.readouterr().out
    fills = re.search(r"^(\d+) fills", printed, re.MULTILINE)
    assert fills is not None, printed
    assert int(fills[1]) > 10, printed


def test_an_example_runs_from_the_folder_of_the_repository() -> None:
    clean = {key: value for key, value in os.environ.items() if not key.startswith("CQ_")}
    done = subprocess.run(
        [sys.executable, "-m", "examples.twap"],
        cwd=ROOT,
        env=clean,
        capture_output=True,
        text=True,
        timeout=300,
        check=False,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.startswith("bought 600 lots of 600\n")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_an_example_is_short(path: Path) -> None:
    is_peer = path.stem == "theirs"  # holds three
    assert len(path.read_text().splitlines()) < (160 if is_peer else 120)


def rows(simulator: Simulator) -> np.ndarray[tuple[int, int], np.dtype[np.int64]]:
    """Return order, venue time, tick, lots and side of each fill but the last close."""
    fills = [
        (fill.order_id, fill.exch_timestamp, fill.price_tick, fill.qty, fill.side)
        for fill in simulator.fills()
        if not fill.tag
    ]
    return np.array(sorted(fills, key=lambda fill: (fill[1], fill[0])), dtype=np.int64)


def test_the_grid_makes_the_same_fills_by_calls_by_wake_ups_and_in_rust() -> None:
    market = made_up(load_instruments()[KEY])
    made = []
    for name in ("grid_market_maker", "grid_wake_ups"):
        simulator = Simulator([market], sim=LATENCY)
        simulator.run(import_module(f"examples.{name}").strategy)
        made.append(rows(simulator))
    native = Simulator([market], sim=LATENCY)
    parameters = {"levels": LEVELS, "gap": 1, "quantity": QTY, "most": MOST}
    native.run_native("grid", parameters)
    made.append(rows(native))
    assert len(made[0]) > 100
    assert np.array_equal(made[0], made[1])
    assert np.array_equal(made[0], made[2])


def test_of_a_brackets_exits_one_ends_the_trade() -> None:
    """Each entry is closed once: the other exit never opens a short."""
    simulator = Simulator([made_up(load_instruments()[KEY])], sim=LATENCY)
    simulator.run(import_module("examples.bracket").strategy)
    held, kinds = 0, set()
    for fill in simulator.fills():
        held += fill.side * fill.qty
        assert 0 <= held <= 10
        kinds.add((fill.side, fill.is_taker))
    assert held == 0
    assert kinds == {(1, True), (-1, True), (-1, False)}


class Noting(Simulator):
    """Keeps the state values of the last step."""

    last: StateValues | None = None

    def elapse(self, duration: int) -> bool:
        goes_on = super().elapse(duration)
        if goes_on:
            self.last = self.state_values(0)
        return goes_on


@pytest.fixture(scope="module")
def capture(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> tuple[Market, Path]:
    """Return the capture as a market, and as hftbacktest's events."""
    folder = tmp_path_factory.mktemp("capture")
    import_files(Catalog(folder / "catalog"), [data_dir / CAPTURE], Facts(), load_instruments())
    catalog = Catalog(folder / "catalog")
    to_npz(catalog, "delta", KEY, folder / "events.npz", None, None)
    (market,) = of_session(catalog, [load_instruments()[KEY]], funding="none")
    return market, folder / "events.npz"


@pytest.fixture(scope="module")
def theirs(capture: tuple[Market, Path]) -> Path | None:
    """Return the folder with hftbacktest's fills, where it is installed."""
    if PEERS is None:
        return None
    script, events = ROOT / "examples/from_hftbacktest/theirs.py", capture[1]
    command = [PEERS, str(script), str(events), str(events.parent)]
    done = subprocess.run(  # noqa: S603 - our own script
        command, capture_output=True, text=True, timeout=600, check=False
    )
    assert done.returncode == 0, done.stderr
    return events.parent


@pytest.mark.data
@pytest.mark.parametrize("name", SIDE_BY_SIDE)
def test_hftbacktest_makes_the_same_fills(
    name: str, capture: tuple[Market, Path], theirs: Path | None
) -> None:
    simulator = Noting([capture[0]], sim={**LATENCY, **AS_HFTBACKTEST})
    simulator.run(import_module(f"examples.from_hftbacktest.{name}").strategy)
    ours = rows(simulator)
    assert len(ours) > 100
    if theirs is None:
        pytest.skip("CQ_PEERS names no interpreter that has hftbacktest 2.4.4")
    with np.load(theirs / f"{name}.npz") as made:
        found, state = made["fills"], made["state"]
    assert np.array_equal(ours[: len(found)], found[np.lexsort((found[:, 0], found[:, 1]))])
    assert simulator.last is not None
    sums = simulator.last
    assert len(found) == sums.num_trades == state[3]
    lot = Decimal("0.001")
    exact = (sums.position * lot, sums.balance, sums.fee, sums.trading_volume * lot)
    # Theirs are sums of floats: of a thousand fills the last digits have been rounded.
    near = [round(Decimal(float(value)), 8) for value in state[[0, 1, 2, 4]]]
    assert [round(value, 8) for value in exact] == near
    assert round(sums.trading_value, 6) == round(Decimal(float(state[5])), 6)
