"""``cq backtest`` on recorded captures, against the frames themselves."""

from __future__ import annotations

import json
import sqlite3
from collections.abc import Sequence
from decimal import Decimal
from itertools import groupby, pairwise
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd  # type: ignore[import-untyped]  # ships no types
import pyarrow.parquet as pq
import pytest

from tests.e2e.conftest import run_cq
from tests.e2e.frame_book import FrameBook, Op, operations

pytestmark = [pytest.mark.data, pytest.mark.xdist_group("ticks")]

CAPTURES = {
    "BTCUSDT-PERP.BINANCE": "usdm/btcusdt_*.gz",
    "ETHUSDT-PERP.BINANCE": "usdm/ethusdt_*.gz",
    "BTCUSDT.BINANCE": "spot/btcusdt_*.gz",
}
INVERSE, INVERSE_FILES = "BTCUSD-PERP.BINANCE", "cm/btcusd_perp_*.gz"
PARTS = ("price", "basis", "funding", "fees", "spread", "impact", "transfer")
SECOND = 10**9
QUEUES, LATENCIES = ("risk_averse", "fitted", "optimistic"), ("p50", "p99")
HORIZONS = {"0.1s": SECOND // 10, "1s": SECOND, "5s": 5 * SECOND, "60s": 60 * SECOND}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Path:
    """Return a working folder with all captures, and settled funding, in its catalog."""
    made = tmp_path_factory.mktemp("ticks")
    paths = [data_dir / "hftbacktest", *sorted((data_dir / "binance_perp").glob("*funding-8h*"))]
    done = run_cq(made, "data", "import", *map(str, paths))
    assert done.returncode == 0, done.stderr
    return made


@pytest.fixture(scope="module", params=list(CAPTURES))
def ran(request: pytest.FixtureRequest, folder: Path, data_dir: Path) -> tuple[str, Path]:
    """Return an instrument and the folder of its run."""
    instrument: str = request.param
    if not list((data_dir / "hftbacktest").glob(CAPTURES[instrument])):
        pytest.skip(f"no capture of {instrument}")
    before = set((folder / "runs").glob("ticks-*"))
    done = run_cq(folder, "backtest", "--instrument", instrument)
    assert done.returncode == 0, done.stderr
    (run,) = set((folder / "runs").glob("ticks-*")) - before
    (run / "stdout.txt").write_text(done.stdout)
    return instrument, run


def rows(run: Path, name: str) -> list[dict[str, Any]]:
    table: list[dict[str, Any]] = pq.read_table(run / f"{name}.parquet").to_pylist()
    return table


def metrics(run: Path) -> dict[str, Any]:
    found: dict[str, Any] = json.loads((run / "metrics.json").read_text())
    return found


def test_every_fill_is_a_walk_of_the_recorded_book_at_its_arrival(
    ran: tuple[str, Path], data_dir: Path
) -> None:
    instrument, run = ran
    files = sorted((data_dir / "hftbacktest").glob(CAPTURES[instrument]))
    kinds = {order["order_id"]: order["type"] for order in rows(run, "orders")}
    book = FrameBook(operations(files))
    fills = rows(run, "fills")
    assert len(fills) > 10
    for (order, ts), group in groupby(fills, key=lambda f: (f["order_id"], f["ts_event"])):
        parts = list(group)
        side = 1 if parts[0]["quantity"] > 0 else -1
        assert {part["liquidity"] for part in parts} == {"taker"}
        # A stop is triggered by a trade, which comes before the changes of the same time.
        book.until(ts, inclusive=kinds[order] != "stop_market")
        wanted = book.walk(side, sum(abs(part["quantity"]) for part in parts))
        if parts[0]["reason"] == "data_end":
            assert parts[0]["price"] == wanted[-1][0]
        else:
            assert [(part["price"], abs(part["quantity"])) for part in parts] == wanted


def test_equity_is_the_capital_and_its_parts_in_every_row(ran: tuple[str, Path]) -> None:
    _, run = ran
    table, capital = rows(run, "equity"), Decimal(metrics(run)["capital"])
    for row in table:
        total = row["imbalance/flow"] + sum(row[f"imbalance/{part}"] for part in PARTS)
        assert row["imbalance/equity"] == capital + total
        assert row["portfolio/equity"] == row["imbalance/equity"]
    for _, group in groupby(table, key=lambda row: row["session"]):
        times = [row["ts"] for row in group]
        assert {b - a for a, b in pairwise(times[:-1])} == {SECOND}


def test_profit_is_the_cash_that_came_back_less_fees(ran: tuple[str, Path]) -> None:
    _, run = ran
    found = metrics(run)
    fills = rows(run, "fills")
    assert sum(fill["quantity"] for fill in fills) == 0
    cash = -sum(fill["quantity"] * fill["price"] for fill in fills)
    fees = sum(fill["fee"] for fill in fills)
    said = {name: Decimal(0) for name in ("total", "fees", "funding")}
    for session in found["sessions"]:
        for name in said:
            said[name] += Decimal(session["pnl"][name])
    assert said["fees"] == -fees
    assert said["total"] == cash - fees + said["funding"]
    last = rows(run, "equity")[-1]["imbalance/equity"]
    assert last == Decimal(found["capital"]) + said["total"]


def test_sessions_end_flat_and_trade_within_their_bounds(ran: tuple[str, Path]) -> None:
    instrument, run = ran
    spans = []
    for session in metrics(run)["sessions"]:
        assert Decimal(session["position_end"]) == 0
        assert session["fills"]["taker"] > 0
        assert session["wake_ups"]["data_end"] == 1
        spans.append((session["decisions_from_ns"], session["decisions_to_ns"]))
    for fill in rows(run, "fills"):
        assert sum(start < fill["ts_event"] <= end for start, end in spans) == 1
    ends = {row["session"]: row[f"position/{instrument}"] for row in rows(run, "equity")}
    assert set(ends.values()) == {0}


def test_orders_meet_the_market_their_latency_after_the_decision(ran: tuple[str, Path]) -> None:
    _, run = ran
    ways = [session["latency"] for session in metrics(run)["sessions"]]
    ends = [session["decisions_to_ns"] for session in metrics(run)["sessions"]]
    orders = {order["order_id"]: order for order in rows(run, "orders")}
    logged = (run / "decisions.jsonl").read_text()
    for fill in rows(run, "fills"):
        order = orders[fill["order_id"]]
        if fill["reason"] == "data_end":
            continue
        assert f'"id":{fill["order_id"]},' in logged
        way = next(way for way, end in zip(ways, ends, strict=True) if fill["ts_event"] <= end)
        entry, response = (round(way[f"{leg}_ms"] * 10**6) for leg in ("entry", "response"))
        assert entry > 10**6  # by the re-based feed, which takes 1 ms at least
        assert fill["ts_recv"] == fill["ts_event"] + response
        if order["type"] == "market":
            assert fill["ts_event"] == order["ts"] + entry
        else:
            assert fill["ts_event"] >= order["ts"] + entry


def test_the_page_shows_each_session_and_annualises_nothing(ran: tuple[str, Path]) -> None:
    _, run = ran
    page = (run / "stdout.txt").read_text()
    for session in metrics(run)["sessions"]:
        assert session["session"] in page
        assert f"{Decimal(session['pnl']['total']):+,.4f}" in page
    for left_out in metrics(run)["skipped"]:
        assert left_out["reason"].startswith("no snapshot")
        assert f"skipped {left_out['session']}: {left_out['reason']}" in page
    assert "No figure is annualised" in page
    assert "sharpe" not in page.lower()
    assert str(run.relative_to(run.parents[1])) in page


def test_the_same_run_from_its_own_config_gives_the_same_bytes(
    ran: tuple[str, Path], folder: Path, tmp_path: Path
) -> None:
    instrument, run = ran
    last = metrics(run)["sessions"][-1]["session"]
    words, trials = ["--instrument", instrument, "--session", last], tmp_path / "trials.sqlite"
    runs: list[Path] = []
    for name in ("first", "second"):
        out = ["--runs", str(tmp_path / name), "--trials", str(trials)]
        done = run_cq(folder, "backtest", *out, *words)
        assert done.returncode == 0, done.stderr
        runs += (tmp_path / name).glob("ticks-*")
        words = ["--config", str(runs[0] / "config.toml"), "--workers", "1"]
    first, second = ({p.name: p.read_bytes() for p in run.iterdir()} for run in runs)
    assert runs[0].name == runs[1].name
    assert len(first) == 9
    assert first == second
    with sqlite3.connect(trials) as log:
        assert log.execute("SELECT repeat FROM trials ORDER BY id").fetchall() == [(0,), (1,)]


def test_the_band_is_judged_at_the_cell_that_made_least(ran: tuple[str, Path]) -> None:
    _, run = ran
    found = metrics(run)
    band = found["band"]
    cells = {(cell["queue"], cell["latency"]): Decimal(cell["pnl"]) for cell in band["cells"]}
    assert set(cells) == {(queue, lag) for queue in QUEUES for lag in LATENCIES}
    judged = (band["judged"]["queue"], band["judged"]["latency"])
    assert cells[judged] == min(cells.values()) == Decimal(band["pnl"]["worst"])
    assert Decimal(band["pnl"]["best"]) == max(cells.values())
    own = next(c for c in band["cells"] if (c["queue"], c["latency"]) == judged)
    assert own["sessions"] == found["sessions"]
    assert sum(Decimal(s["pnl"]["total"]) for s in own["sessions"]) == cells[judged]
    # A taker's orders wait in no queue.
    assert band["rests"] is False
    for lag in LATENCIES:
        assert len({cells[queue, lag] for queue in QUEUES}) == 1
    page = (run / "stdout.txt").read_text()
    assert "any queue (no order ever rested)" in page
    assert page.index("at the pessimistic end") < page.index("over the band")
    ends = [f"{end(cells.values()):+,.2f}" for end in (min, max)]
    reach = " to ".join(ends) if len(set(ends)) > 1 else "the same"
    assert f"\n{reach} over the band\n" in page


def middles_at(ops: Sequence[Op], times: Sequence[int]) -> dict[int, float]:
    """Return the middle of the recorded book at each of the ascending times."""
    sides: dict[int, dict[str, float]] = {1: {}, -1: {}}
    found: dict[int, float] = {}
    waiting = list(reversed(times))
    for ts, side, px, qty in [*ops, (2**63, 0, "", "")]:
        while waiting and waiting[-1] < ts:
            best = [max(map(float, sides[1]), default=0), min(map(float, sides[-1]), default=0)]
            found[waiting.pop()] = sum(best) / 2
        if side == 0:
            sides = {1: {}, -1: {}}
        elif float(qty):
            sides[side][px] = float(qty)
        else:
            sides[side].pop(px, None)
    return found


def test_markouts_are_those_of_the_raw_frames(ran: tuple[str, Path], data_dir: Path) -> None:
    instrument, run = ran
    session = metrics(run)["sessions"][-1]
    files = sorted((data_dir / "hftbacktest").glob(CAPTURES[instrument]))
    start, end = session["decisions_from_ns"], session["decisions_to_ns"]
    fills = pd.read_parquet(run / "fills.parquet")
    fills = fills[(fills["ts_event"] > start) & (fills["ts_event"] <= end)]
    fills["held"] = (fills["quantity"].cumsum() - fills["quantity"]).astype(float)
    fills[["quantity", "price"]] = fills[["quantity", "price"]].astype(float)
    fills = fills[fills["reason"] != "data_end"]
    is_entry = fills["held"] * fills["quantity"] >= 0
    whens = {ts + ns for ts in fills["ts_event"] for ns in HORIZONS.values()}
    middle = middles_at(operations(files), sorted(whens))
    for horizon, ns in HORIZONS.items():
        for kind in ("entry", "exit"):
            of_kind = is_entry == (kind == "entry")
            chosen = fills[of_kind & (fills["ts_event"] + ns <= end)]
            said = session["markout_bps"]["taker"][kind][horizon]
            assert said["fills"] == len(chosen)
            if not len(chosen):
                assert said["bps"] is None
                continue
            later = np.array([middle[ts + ns] for ts in chosen["ts_event"]])
            gain = np.sign(chosen["quantity"]) * (later / chosen["price"] - 1) * 10_000
            mean = np.average(gain, weights=chosen["quantity"].abs())
            assert mean == pytest.approx(said["bps"], abs=1e-4)


def test_one_session_alone_makes_the_same_fills(ran: tuple[str, Path], folder: Path) -> None:
    instrument, run = ran
    last = metrics(run)["sessions"][-1]
    done = run_cq(
        folder, "backtest", "--instrument", instrument, "--session", last["session"], "--json"
    )
    assert done.returncode == 0, done.stderr
    (alone,) = json.loads(done.stdout)["sessions"]
    for name in ("fills", "traded", "markout_bps", "wake_ups"):
        assert alone[name] == last[name]


@pytest.mark.parametrize(
    ("words", "env", "message"),
    [
        (("--session", "1999"), {}, "sessions: none begins with '1999'; the catalog has 2"),
        (("--instrument", "XYZ"), {}, "instrument: no rules for 'XYZ'; known: BTCUSDT-PERP"),
        (("--catalog", "nowhere"), {}, "has no order book of BTCUSDT-PERP.BINANCE: import"),
        ((), {"CQ__FEATURE": "rsi"}, "feature: 'rsi' is not in the tick set"),
        ((), {"CQ__GRIDS": "5"}, "unknown key 'grids'"),
        (("--config", "none.toml"), {}, "none.toml: cannot read the config"),
    ],
)
def test_a_wrong_setting_is_one_line_and_exit_2(
    folder: Path, words: tuple[str, ...], env: dict[str, str], message: str
) -> None:
    refused(folder, message, *words, **env)


def test_an_inverse_contract_without_coins_is_refused_in_one_line(
    folder: Path, data_dir: Path
) -> None:
    if not list((data_dir / "hftbacktest").glob(INVERSE_FILES)):
        pytest.skip(f"no capture of {INVERSE}")
    message = f"coins: {INVERSE} is margined in BTC, not USD"
    refused(folder, message, "--instrument", INVERSE)


def refused(folder: Path, message: str, *words: str, **env: str) -> None:
    runs = folder / "never"
    done = run_cq(folder, "backtest", "--runs", str(runs), *words, **env)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not runs.exists()
