"""The demo, as a newcomer meets it."""

from __future__ import annotations

import hashlib
import json
import shutil
from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from crypto_quant.backtesting.validation.trials import TrialLog
from tests.e2e.conftest import run_cq, run_folder

pytestmark = pytest.mark.xdist_group("generated")

EXACT = ("fills.parquet", "equity.parquet", "orders.parquet", "decisions.jsonl", "report.html")


def digests(run: Path) -> dict[str, str]:
    return {name: hashlib.sha256((run / name).read_bytes()).hexdigest() for name in EXACT}


def test_with_nothing_at_hand_the_demo_ends_with_targets_and_says_generated(
    generated: Path,
) -> None:
    out = (generated / "stdout.txt").read_text()
    assert out.startswith("GENERATED DATA: not a real market.")
    for target in ("Annual return", "Sharpe", "drawdown", "win rate", "Profit / loss"):
        assert target in out
    run = run_folder(generated)
    assert str(run.relative_to(generated) / "report.html") in out
    page = (run / "report.html").read_text()
    assert "generated" in page.lower()
    assert "http://" not in page.replace("http://www.w3.org", "")
    assert "<script src" not in page
    assert "<link" not in page


def test_the_same_run_twice_gives_the_same_bytes(generated: Path, tmp_path: Path) -> None:
    run = run_folder(generated)
    first = digests(run)
    shutil.copytree(generated / "catalog", tmp_path / "catalog")
    done = run_cq(tmp_path, "demo")
    assert done.returncode == 0, done.stderr
    again = run_folder(tmp_path)
    assert again.name == run.name
    assert digests(again) == first


def test_books_add_up_to_the_last_digit_in_every_row(generated: Path) -> None:
    table = pq.read_table(run_folder(generated) / "equity.parquet")
    parts = ("price", "basis", "funding", "fees", "spread", "impact", "transfer")
    books = {name.split("/")[0] for name in table.column_names if name.endswith("/equity")}
    assert books == {"portfolio", "carry", "model"}
    rows = table.to_pylist()
    for book in books:
        begin = rows[0][f"{book}/equity"]
        for row in rows:
            total = begin + row[f"{book}/flow"] + sum(row[f"{book}/{part}"] for part in parts)
            assert row[f"{book}/equity"] == total
    for row in rows:
        assert row["portfolio/equity"] == row["carry/equity"] + row["model/equity"]


def test_every_trials_sharpe_ratios_are_logged_as_its_row_shows_them(generated: Path) -> None:
    run = run_folder(generated)
    trials = json.loads((run / "extra.json").read_text())["trials"]
    rows = json.loads((run / "metrics.json").read_text())["rows"]
    assert len(trials["sharpes"]) == len(trials["lowest"]) == trials["count"]
    main = rows[0]["scored"]
    per_day = [main["sharpe_daily"] / 365**0.5, main["sharpe_lowest"] / 365**0.5]
    assert [trials["sharpes"][0], trials["lowest"][0]] == pytest.approx(per_day, rel=1e-12)
    assert rows[0]["figures"]["dsr_lowest"] is not None


def test_what_two_rows_show_is_tried_and_run_once(generated: Path) -> None:
    count = TrialLog(generated / "runs" / "generated-trials.sqlite").count()
    run = run_folder(generated)
    table = pq.read_table(run / "variants.parquet")
    rows = set(table["row"].to_pylist())
    assert rows > {"carry_alone", "without_model", "perpetual"}
    # The portfolio has its own file, the perpetual is no configuration, one run has two rows.
    assert count.rows == count.trials == len(rows) + 1 - 1 - 1

    def of(key: str) -> dict[str, list[object]]:
        found: dict[str, list[object]] = table.filter(pc.equal(table["row"], key)).to_pydict()
        del found["row"]
        return found

    assert of("without_model") == of("carry_alone")


def test_every_fill_belongs_to_an_order_that_was_logged_before(generated: Path) -> None:
    run = run_folder(generated)
    fills = pq.read_table(run / "fills.parquet")
    orders = pq.read_table(run / "orders.parquet")
    assert fills.num_rows > 20
    ids = set(orders["order_id"].to_pylist())
    assert set(fills["order_id"].to_pylist()) <= ids
    sent = dict(zip(orders["order_id"].to_pylist(), orders["ts"].to_pylist(), strict=True))
    for row in fills.select(["order_id", "ts_event", "ts_recv"]).to_pylist():
        assert row["ts_event"] <= row["ts_recv"]
        # The venue closes what is open at the end of the tape without an order of ours.
        is_own = row["order_id"] < 2**60
        assert sent[row["order_id"]] < row["ts_event"] or not is_own
    logged = (run / "decisions.jsonl").read_text()
    own = pc.filter(orders["order_id"], pc.less(orders["order_id"], 2**60)).to_pylist()
    assert all(f'"id":{order},' in logged for order in own)


@pytest.mark.parametrize(
    ("env", "message"),
    [
        ({"CQ_DATA": "relative/path"}, "CQ_DATA: expected an absolute path"),
        ({"CQ_DATA": "/no/such/folder"}, "CQ_DATA: there is no folder"),
        ({"CQ__RISK__DAYLY_LOSS": "0.02"}, "unknown key 'risk.dayly_loss'"),
        ({"CQ__CAPITAL__AMOUNT": "-5"}, "capital.amount: Input should be greater than 0"),
    ],
)
def test_a_wrong_setting_is_one_line_and_exit_2(
    tmp_path: Path, env: dict[str, str], message: str
) -> None:
    done = run_cq(tmp_path, "demo", **env)
    assert done.returncode == 2
    assert message in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (tmp_path / "runs").exists()
