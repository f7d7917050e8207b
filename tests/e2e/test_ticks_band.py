"""The band of ``cq backtest`` where orders rest, and every model that a config can ask for."""

from __future__ import annotations

import json
from decimal import Decimal
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from tests.e2e.conftest import run_cq

pytestmark = [pytest.mark.data, pytest.mark.xdist_group("ticks-band")]

GRID = """
strategy = "grid"
sessions = ["2024-08-08"]

[risk]
require_stop = false
loss_at_stop = 0.15
orders_per_minute = 2000
"""
MS = 10**6


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Path:
    """Return a working folder with one capture in its catalog, and the grid's config."""
    files = sorted((data_dir / "hftbacktest" / "usdm").glob("btcusdt_2024*.gz"))
    if not files:
        pytest.skip("no capture of BTCUSDT")
    made = tmp_path_factory.mktemp("band")
    done = run_cq(made, "data", "import", *map(str, files))
    assert done.returncode == 0, done.stderr
    (made / "grid.toml").write_text(GRID)
    return made


@pytest.fixture(scope="module")
def banded(folder: Path) -> tuple[dict[str, Any], Path, str]:
    """Return metrics, run folder and page of the grid over its band."""
    done = run_cq(folder, "backtest", "--config", "grid.toml")
    assert done.returncode == 0, done.stderr
    (run,) = (folder / "runs").glob("ticks-*")
    return json.loads((run / "metrics.json").read_text()), run, done.stdout


def backtest(folder: Path, config: str, *words: str) -> dict[str, Any]:
    done = run_cq(folder, "backtest", "--config", config, *words, "--json")
    assert done.returncode == 0, done.stderr
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def test_queues_make_a_difference_and_the_least_is_judged(
    banded: tuple[dict[str, Any], Path, str],
) -> None:
    found, run, page = banded
    band = found["band"]
    pnl = {(cell["queue"], cell["latency"]): Decimal(cell["pnl"]) for cell in band["cells"]}
    assert band["rests"] is True
    assert len(pnl) == len(set(pnl.values())) == 6
    judged = (band["judged"]["queue"], band["judged"]["latency"])
    assert pnl[judged] == min(pnl.values())
    assert band["fitted"] == {
        "exponent": 2.0,
        "basis": "a prior: there are no own fills to fit on",
    }
    for queue in ("risk-averse", "fitted: n = 2", "optimistic"):
        assert f"\n{queue} " in page
    assert "Fitted means power with n = 2: a prior" in " ".join(page.split())
    assert "maker entry" in page
    html = (run / "report.html").read_text()
    assert f"P&amp;L {min(pnl.values()):+,.2f} at the pessimistic end" in html
    assert "http://" not in html.replace("http://www.w3.org", "")
    makers = [sum(s["fills"]["maker"] for s in cell["sessions"]) for cell in band["cells"]]
    assert max(makers) > min(makers) > 100


def test_a_cell_alone_is_that_of_the_band(
    folder: Path, banded: tuple[dict[str, Any], Path, str]
) -> None:
    alone = backtest(folder, "grid.toml", "--single")["band"]
    assert [(c["queue"], c["latency"]) for c in alone["cells"]] == [("risk_averse", "p99")]
    (same,) = [
        cell
        for cell in banded[0]["band"]["cells"]
        if (cell["queue"], cell["latency"]) == ("risk_averse", "p99")
    ]
    assert alone["cells"] == [same]


def test_a_report_is_written_again_byte_by_byte(
    folder: Path, banded: tuple[dict[str, Any], Path, str]
) -> None:
    _, run, _ = banded
    before = (run / "report.html").read_bytes()
    done = run_cq(folder, "report", run.name)
    assert done.returncode == 0, done.stderr
    assert "at the pessimistic end" in done.stdout
    assert (run / "report.html").read_bytes() == before


def test_recorded_latencies_a_drawn_feed_and_own_impact_run(
    folder: Path, banded: tuple[dict[str, Any], Path, str]
) -> None:
    (session,) = banded[0]["sessions"]
    start, end = session["decisions_from_ns"], session["decisions_to_ns"]
    sent = list(range(start + 10**9, end, 5 * 10**9))
    ways = [3 * MS + n % 7 * MS for n in range(len(sent))]
    venue = [ts + way for ts, way in zip(sent, ways, strict=True)]
    answered = [ts + 2 * way for ts, way in zip(venue, ways, strict=True)]
    rows = pa.table({"sent": sent, "venue": venue, "answered": answered})
    pq.write_table(rows, folder / "orders.parquet")
    feed = pa.table({"ts_event": sent, "ts_recv": [ts + 60 * MS for ts in sent]})
    pq.write_table(feed, folder / "feed.parquet")
    (folder / "models.toml").write_text(
        GRID
        + """
[band]
queues = ["log"]
latencies = ["p50", "interpolated", "sampled"]

[venue]
tick_impact_y = 1.0
self_trade = "expire_both"
max_order_rate = [[300, 10000000000], [1200, 60000000000]]

[venue.latency]
rows = "orders.parquet"

[venue.feed]
model = "sampled"
rows = "feed.parquet"
"""
    )
    found = backtest(folder, "models.toml")
    cells = found["band"]["cells"]
    sources = [cell["sessions"][0]["latency"]["source"] for cell in cells]
    assert sources == [
        f"p50 of {len(sent)} recorded orders",
        f"interpolated between {len(sent)} recorded orders",
        f"drawn from {len(sent)} recorded orders",
    ]
    assert cells[0]["sessions"][0]["latency"]["entry_ms"] == 6.0
    assert cells[0]["sessions"][0]["latency"]["response_ms"] == 12.0
    assert len({cell["pnl"] for cell in cells}) == 3
    # The snapshot is known 60 ms after its venue's whole ms, which is later than it was.
    begun = found["sessions"][0]["decisions_from_ns"]
    assert begun > start
    assert begun % MS == 0
    said = " ".join(a["text"] for a in found["assumptions"])
    assert "the square-root law, Y = 1" in said
    assert "drawn from recorded ones" in said


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ('[venue]\nown_fills = "none.parquet"', "none.parquet: cannot be read"),
        ('[venue.latency]\nrows = "none.csv"', "venue.latency.rows: none.csv is no"),
        ('[venue.feed]\nmodel = "sampled"\nrows = "none.csv"', "venue.feed.rows: none.csv is no"),
        ('[band]\nlatencies = ["sampled"]', "needs recorded orders of session 2024"),
        ('[band]\nqueues = ["fifo"]', "band.queues.0: Input should be 'risk_averse'"),
        ("[venue]\ntick_impact_y = -1", "venue.tick_impact_y: Input should be greater"),
    ],
)
def test_a_wrong_model_is_one_line_and_exit_2(folder: Path, settings: str, message: str) -> None:
    (folder / "wrong.toml").write_text(GRID + settings)
    done = run_cq(folder, "backtest", "--config", "wrong.toml", "--runs", "never")
    assert done.returncode == 2, done.stderr
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not list((folder / "never").glob("*/*"))
