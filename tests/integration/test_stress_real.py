"""Shocks, extremes and replays on real data: a crash month of bars, and a recorded book."""

from __future__ import annotations

import json
import shutil
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from crypto_quant.backtesting.engine.columns import money, texts, whole
from crypto_quant.backtesting.engine.inputs import Inputs, read_inputs
from crypto_quant.backtesting.engine.portfolio import Books, run_portfolio
from crypto_quant.backtesting.metrics.schema import PORTFOLIO, column
from crypto_quant.backtesting.stress import session_run
from crypto_quant.backtesting.stress.extremes import Extreme, extremes
from crypto_quant.backtesting.stress.laid import LaidInputs, laid
from crypto_quant.backtesting.stress.measure import Figures, Market, measure
from crypto_quant.backtesting.stress.result import ShockRow
from crypto_quant.backtesting.stress.shocks import SHOCKS
from crypto_quant.backtesting.stress.shocks.mark import marks_of_bars
from crypto_quant.backtesting.stress.tape import DAY_NS, HOUR_NS, MINUTE_NS, BarTape, Shock
from crypto_quant.backtesting.stress.tick_session import TickStress
from crypto_quant.backtesting.visualization.page import build_stress_page
from crypto_quant.data_pipeline.collectors import importer
from crypto_quant.data_pipeline.collectors.facts import Facts
from crypto_quant.data_pipeline.storage import KINDS, Catalog, Exps, SourceInfo
from crypto_quant.runtime.config import RunConfig
from crypto_quant.runtime.segments import Span
from crypto_quant.runtime.ticks import TickReader, TickTape
from crypto_quant.strategy.risk_manager.config import RiskConfig
from crypto_quant.venues.rules import load_instruments
from tests.e2e.conftest import run_cq

pytestmark = [pytest.mark.data, pytest.mark.xdist_group("stress")]

FILES = (
    "binance_perp/BTCUSDT-perp-1h_2019-09_2022-11.parquet",
    "binance_perp/BTCUSDT-perp-funding-8h_2019-09_2022-11.parquet",
    "binance_spot_1m/BTCUSDT-spot-1m-2020.parquet",
)
PERP = 0
CONFIG = RunConfig.model_validate({"capital": {"shares": {"carry": 1}}})


def ns(text: str) -> int:
    return int(np.datetime64(text, "ns").astype(np.int64))


LINE = Span(ns("2020-01-15"), ns("2020-03-20"))
BEGIN = ns("2020-02-10")
AT = ns("2020-03-12T10:00")
"""The hour in which the perpetual lost a fifth."""


@pytest.fixture(scope="module")
def inputs(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Inputs:
    root = tmp_path_factory.mktemp("bars") / "catalog"
    known = load_instruments()
    importer.import_files(Catalog(root), [data_dir / name for name in FILES], Facts(), known)
    return read_inputs(CONFIG, Catalog(root), known)


def run(inputs: Inputs, shock: Shock | None) -> tuple[Books, LaidInputs]:
    lasts = shock.bars_ns if shock and shock.bars_ns else LINE.end - AT
    config, own = laid(CONFIG, inputs, LINE, shock, Span(AT, AT + lasts))
    return run_portfolio(config, own, BEGIN, ("carry",), None), own


def equity(books: Books) -> list[Decimal]:
    values: list[Decimal] = money(books.equity, "equity").to_pylist()
    return values


@pytest.fixture(scope="module")
def plain(inputs: Inputs) -> Books:
    return run(inputs, None)[0]


def test_the_pair_is_held_when_the_shocks_come(plain: Books) -> None:
    ts = whole(plain.equity, "ts")
    held = whole(plain.equity, "position.BTCUSDT-PERP.BINANCE")[ts <= AT][-1]
    assert held < 0


@pytest.mark.parametrize("key", [k for k, s in SHOCKS.items() if not isinstance(s.bars, str)])
def test_no_decision_or_mark_before_a_shock_knows_of_it(
    inputs: Inputs, plain: Books, key: str
) -> None:
    books, _ = run(inputs, SHOCKS[key])
    before = whole(plain.equity, "ts") < AT
    if "bars" not in SHOCKS[key].from_first:
        rows = [np.array(equity(one))[: int(before.sum())] for one in (plain, books)]
        assert (rows[0] == rows[1]).all()
        fills = [
            whole(one.fills, "px")[whole(one.fills, "ts_event") < AT] for one in (plain, books)
        ]
        assert fills[0].tolist() == fills[1].tolist()
    assert equity(books) != equity(plain)


def test_marks_of_bars_leave_a_run_as_it_was(inputs: Inputs, plain: Books) -> None:
    def with_marks(tape: BarTape, span: Span) -> BarTape:
        marks = marks_of_bars(tape.streams["bar", PERP], HOUR_NS)
        return tape.changed({("mark", PERP): marks})

    books, own = run(inputs, replace(SHOCKS["index_outage"], bars=with_marks))
    assert own.tape.of("mark") == [PERP]
    assert equity(books) == equity(plain)
    assert books.equity["margin_ratio.margin.USDT"] == pytest.approx(
        plain.equity["margin_ratio.margin.USDT"], nan_ok=True
    )


def test_the_venue_takes_the_short_at_the_mark_of_the_fall(inputs: Inputs, plain: Books) -> None:
    books, own = run(inputs, SHOCKS["deleveraging"])
    tags = texts(books.fills, "tag")
    [row] = [n for n, tag in enumerate(tags) if tag == "adl"]
    assert whole(books.fills, "ts_event")[row] == AT
    bars = own.tape.streams["bar", PERP]
    assert whole(books.fills, "px")[row] == bars["open"][bars["ts_event"] == AT][0]
    ts = whole(plain.equity, "ts")
    held = whole(plain.equity, "position.BTCUSDT-PERP.BINANCE")[ts < AT][-1]
    assert whole(books.fills, "qty")[row] == -held


def test_a_venue_that_is_down_fills_nothing(inputs: Inputs) -> None:
    shock = SHOCKS["venue_down"]
    books, _ = run(inputs, shock)
    at = whole(books.fills, "ts_event")
    assert not ((at >= AT) & (at < AT + shock.bars_ns)).any()


def test_a_short_pays_the_cap_at_each_settlement(inputs: Inputs) -> None:
    """The cap of then: 0.75 of the lowest bracket's 0.4 %, on the position's worth at the mark."""
    shock = SHOCKS["funding_shorts_pay"]
    books, own = run(inputs, shock)
    ts = whole(books.equity, "ts")
    held = whole(books.equity, "position.BTCUSDT-PERP.BINANCE")
    paid = money(books.equity, "funding.carry").to_pylist()
    bars = own.tape.streams["bar", PERP]
    settled = [t for t in range(ns("2020-03-12T16:00"), AT + shock.bars_ns, 8 * HOUR_NS)]
    assert len(settled) == 9
    perp = inputs.instruments[PERP]
    for t in settled:
        row = int(np.searchsorted(ts, t))
        mark = Decimal(int(bars["open"][bars["ts_event"] == t][0])).scaleb(-perp.price_exp)
        worth = Decimal(int(held[row])).scaleb(-perp.qty_exp) * mark
        assert paid[row] - paid[row - 1] == (worth * Decimal("0.003")).quantize(Decimal("1e-8"))
    assert held[int(np.searchsorted(ts, settled[0]))] < 0


def test_the_worst_moments_are_those_that_history_remembers(inputs: Inputs) -> None:
    found: dict[str, Extreme] = {one.key: one for one in extremes(inputs, ns("2020-01-20"))}
    assert found["worst_hour"].span.start == ns("2020-03-12T10:00")
    assert found["worst_hour"].value == pytest.approx(-0.187, abs=0.001)
    assert found["worst_day"].span == Span(ns("2020-03-12"), ns("2020-03-13"))
    assert found["worst_day"].value == pytest.approx(-0.40, abs=0.005)
    assert found["volatility"].span.start == ns("2020-03-13")
    # Binance's unscheduled maintenance of 2020-02-19.
    assert found["halt"].span.start == ns("2020-02-19T11:36")
    assert found["halt"].value == pytest.approx(5.9)
    assert ns("2020-03-12") <= found["basis"].span.start < ns("2020-03-14")
    assert ns("2020-03-12") <= found["funding_low"].span.start < ns("2020-03-15")
    assert found["funding_low"].value < 0 < found["funding_high"].value


def test_no_extreme_is_from_before_the_start_or_beyond_a_hole(inputs: Inputs) -> None:
    start = ns("2020-06-01")
    for one in extremes(inputs, start):
        assert one.span.start - HOUR_NS >= start
        assert any(s.start < one.span.start and one.span.end <= s.end for s in inputs.segments)
        assert one.span.end - one.span.start <= 3 * DAY_NS


FUNDING = "binance_perp/BTCUSDT-perp-funding-8h_2023-01_2026-04.parquet"
SETTLED = ns("2023-04-05T00:00")
LOT = Decimal("0.001")
SIZE = 10 * LOT
CAPITAL = 100_000


def captured(data_dir: Path, folder: Path, *more: str, **settings: str) -> Path:
    """Run the book strategy over the capture of 2023-04-04; return the run's folder."""
    files = [str(data_dir / name) for name in more]
    captures = sorted(map(str, (data_dir / "hftbacktest").glob("usdm/btcusdt_2023*.gz")))
    done = run_cq(folder, "data", "import", *captures, *files)
    assert done.returncode == 0, done.stderr
    way = "{p50 = 5, p99 = 5}"
    latency = {f"CQ__VENUE__LATENCY__{leg}_MS": way for leg in ("ENTRY", "RESPONSE")}
    words = "backtest", "--single", "--session", "2023-04-04"
    done = run_cq(folder, *words, **latency, **settings)
    assert done.returncode == 0, done.stderr
    [run_folder] = (folder / "runs").glob("ticks-*")
    return run_folder


def stressed(run_folder: Path, *shocks: str) -> dict[str, ShockRow]:
    root = run_folder.parents[1]
    trials, known = root / "runs" / "trials.sqlite", load_instruments()
    tell = lambda what, done, total: None  # noqa: E731 - nobody is told
    stress = TickStress(run_folder, root / "catalog", known, trials, shocks, tell)
    return {row.key: row for row in stress.run().shocks}


def session_of(root: Path) -> tuple[TickReader, TickTape]:
    reader = TickReader(Catalog(root), load_instruments()["BTCUSDT-PERP.BINANCE"])
    [session] = reader.sessions()
    tape = reader.read(session)
    assert isinstance(tape, TickTape)
    return reader, tape


def mark_at(root: Path, ts: int) -> Decimal:
    """Return the recorded mark that stands at a time."""
    reader, tape = session_of(root)
    marks = [part for part in tape.streams["mark"]]
    at, px = (np.concatenate([part[name] for part in marks]) for name in ("ts_event", "mark"))
    return Decimal(int(px[at <= ts][-1])).scaleb(-reader.instrument.price_exp)


def both(row: ShockRow) -> tuple[Figures, Figures]:
    assert row.plain is not None
    assert row.shocked is not None
    return row.plain, row.shocked


@pytest.fixture(scope="module")
def book_run(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return captured(data_dir, tmp_path_factory.mktemp("book"))


@pytest.fixture(scope="module")
def rows(book_run: Path) -> dict[str, ShockRow]:
    return stressed(book_run, *SHOCKS)


def test_a_shock_of_a_session_begins_when_most_was_held(
    book_run: Path, rows: dict[str, ShockRow]
) -> None:
    """The first fill of the run's own file, once it is known: no later position is larger."""
    fills = pq.read_table(book_run / "fills.parquet")
    first = fills["ts_recv"][0].as_py()
    mark = mark_at(book_run.parents[1] / "catalog", first)
    assert fills["quantity"][0].as_py() == -SIZE
    assert max(np.abs(np.cumsum(fills["quantity"].to_pylist()))) == SIZE
    for key, row in rows.items():
        if "ticks" in SHOCKS[key].from_first:
            assert row.held is None
            continue
        assert row.start == first + 1
        assert row.held == pytest.approx(-float(SIZE * mark) / CAPITAL, rel=1e-6)
        assert not row.is_idle


def test_a_gap_against_the_position_takes_it_and_its_stop_fills_beyond_the_gap(
    rows: dict[str, ShockRow],
) -> None:
    """Short 0.01 BTC when a fifth is added to the price. The stop stands 10 bps from the entry.

    By hand: it fills at 1.2 / 1.001 of its trigger, and a fifth of the position is lost; the
    gap the other way gains as much and meets no stop.
    """
    plain, against = both(rows["gap_up"])
    _, along = both(rows["gap_down"])
    assert rows["gap_up"].held == pytest.approx(-0.00281, abs=1e-5)
    assert against.held == pytest.approx(0.2, abs=0.005)
    assert against.stops.filled == 1
    assert against.stops.worst_bps == pytest.approx((1.2 / 1.001 - 1) * 1e4, abs=2)
    assert plain.rejected == against.rejected == 0
    lost = 0.2 * 0.00281
    assert against.ret - plain.ret == pytest.approx(-lost, abs=0.02 * lost)
    assert along.ret - plain.ret == pytest.approx(lost, abs=0.02 * lost)
    assert along.stops.filled == 0


def test_a_session_is_stressed_as_it_was_run(book_run: Path, rows: dict[str, ShockRow]) -> None:
    """It ends before funding that the catalog lacks; without a shock it earns what the run did."""
    assert {row.to for row in rows.values()} == {SETTLED - 1}
    equity = pq.read_table(book_run / "equity.parquet")[column(PORTFOLIO, "equity")].to_pylist()
    plain, _ = both(rows["latency_x50"])
    assert plain.ret == pytest.approx(float(equity[-1]) / CAPITAL - 1, rel=1e-9)
    for key in ("funding_longs_pay", "funding_shorts_pay"):
        assert rows[key].why == "no funding is settled in this session"


def test_what_makes_trading_dearer_costs(rows: dict[str, ShockRow]) -> None:
    plain, shocked = both(rows["spread_x10"])
    assert shocked.ret < plain.ret
    assert not shocked.ruined


def test_the_venue_takes_the_short_at_the_mark_of_the_fall_of_a_session(
    rows: dict[str, ShockRow],
) -> None:
    """Short 0.01 BTC when a tenth is taken off the price: that is what it wins, and no more."""
    plain, adl = both(rows["deleveraging"])
    assert rows["deleveraging"].label == "ADL of the winning short"
    assert adl.taken == 1
    assert adl.ret - plain.ret == pytest.approx(0.1 * 0.00281, abs=0.1 * 0.000281)


def test_the_venue_takes_a_long_in_a_rise(data_dir: Path, tmp_path: Path) -> None:
    """Long 0.01 BTC when a tenth is added to the price: a long that lost would not be taken."""
    folder = captured(
        data_dir,
        tmp_path,
        CQ__STRATEGY="hold",
        CQ__RISK__REQUIRE_STOP="false",
        CQ__RISK__LOSS_AT_STOP="0.5",
    )
    row = stressed(folder, "deleveraging")["deleveraging"]
    plain, adl = both(row)
    assert row.held is not None
    assert row.held == pytest.approx(0.00281, abs=2e-5)
    assert row.label == "ADL of the winning long"
    assert "rise by 10%" in row.claim
    assert adl.taken == 1
    assert adl.ret - plain.ret == pytest.approx(0.1 * row.held, abs=0.01 * row.held)


def test_the_cap_is_charged_where_the_session_settles_funding(
    data_dir: Path, tmp_path: Path
) -> None:
    """Funding of 2023-04-05 00:00, with the minute on either side that may count as held then.

    By hand: the run was long and short 0.01 BTC within it, and the side that pays is charged, at
    the mark of then: 0.3 % where the shock has it, the settled rate where not.
    """
    folder = captured(data_dir, tmp_path, FUNDING)
    rows = stressed(folder, "funding_longs_pay", "funding_shorts_pay")
    reader, tape = session_of(tmp_path / "catalog")
    mark = mark_at(tmp_path / "catalog", SETTLED)
    settled = reader.settlements(tape)
    assert settled is not None
    [rate] = settled.columns["rate"].tolist()
    recorded = abs(Decimal(rate).scaleb(-settled.exp))
    for row in rows.values():
        plain, shocked = both(row)
        assert row.to > SETTLED
        dearer = SIZE * mark * (Decimal("0.003") - recorded) / CAPITAL
        assert plain.ret - shocked.ret == pytest.approx(float(dearer), abs=2e-12)
        assert plain.fills == shocked.fills


HOLD = """strategy = "hold"
sessions = ["2023-04-04"]
[risk]
require_stop = false
loss_at_stop = 0.5
"""
AT_VENUE = """model = "constant"
ms = { p50 = 60, p99 = 300 }
"""
SLOW = """entry_ms = { p50 = 80, p99 = 120 }
response_ms = { p50 = 70, p99 = 90 }
"""


@pytest.fixture(scope="module")
def kept(data_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a folder with the capture of 2023-04-04, and one settlement in it."""
    made = tmp_path_factory.mktemp("kept")
    captures = sorted(map(str, (data_dir / "hftbacktest").glob("usdm/btcusdt_2023*.gz")))
    done = run_cq(made, "data", "import", *captures)
    assert done.returncode == 0, done.stderr
    settle(Catalog(made / "catalog"), SETTLED, Decimal("0.0001"))
    return made


def settle(catalog: Catalog, ts: int, rate: Decimal) -> None:
    """Add a settlement of funding."""
    row = {"ts_event": ts, "ts_recv": ts, "rate": int(rate.scaleb(8)), "interval_h": 8, "flags": 0}
    table = pa.Table.from_pylist([row], schema=KINDS["funding"].schema())
    source = SourceInfo(f"settled {ts}", f"settled {ts}", 1, "test")
    catalog.write("funding", "BTCUSDT-PERP.BINANCE", table, source, Exps(rate=8), "given")


def kept_run(kept: Path, name: str, text: str) -> Path:
    """Run a config over it; return the run's folder."""
    (kept / name).mkdir()
    (kept / f"{name}.toml").write_text(text)
    words = "backtest", "--single", "--config", f"{name}.toml", "--runs", f"{name}/runs"
    done = run_cq(kept, *words)
    assert done.returncode == 0, done.stderr
    shutil.copytree(kept / "catalog", kept / name / "catalog")
    [run_folder] = (kept / name / "runs").glob("ticks-*")
    return run_folder


def test_a_slow_feed_moves_no_end_and_no_funding_is_paid_after_it(
    kept: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A position that is kept: bought once, and sold by the close at the end of the session.

    By hand: both columns sell at one moment in one book, so both have two fills, and what differs
    is what was paid at first. Funding of forty minutes later is nobody's: neither column changes.
    """
    folder = kept_run(kept, "hold", HOLD)
    fills = pq.read_table(folder / "fills.parquet").to_pylist()
    assert [fill["reason"] for fill in fills] == ["hold", "data_end"]
    shocks, runs = ("latency_x50", "funding_longs_pay"), []

    def seen(risk: RiskConfig, market: Market, books: Books, span: Span, capital: float) -> Figures:
        paid = money(books.equity, "funding.hold").to_pylist()
        runs.append((int(whole(books.equity, "ts")[-1]), paid[-1]))
        return measure(risk, market, books, span, capital)

    monkeypatch.setattr(session_run, "measure", seen)
    before = stressed(folder, *shocks)
    plain, slow = both(before["latency_x50"])
    equity = pq.read_table(folder / "equity.parquet")[column(PORTFOLIO, "equity")].to_pylist()
    assert plain.ret == pytest.approx(float(equity[-1]) / CAPITAL - 1, rel=1e-9)
    assert plain.fills == slow.fills == 2

    page = build_stress_page(folder).read_text()
    assert "With the shock and without it the run ends at that same moment" in page

    end = before["latency_x50"].to
    assert end > SETTLED
    settle(Catalog(folder.parents[1] / "catalog"), end + 40 * MINUTE_NS, Decimal("0.01"))
    first = list(runs)
    runs.clear()
    after = stressed(folder, *shocks)
    assert runs == first
    assert [ended for ended, _ in runs] == [end] * 4
    assert len({paid for _, paid in runs[:3]}) == 1
    assert runs[3][1] < runs[0][1] < 0
    assert repr(after) == repr(before)  # an absent stop has no slip: NaN equals nothing


def test_a_run_of_one_market_is_stressed_as_without_the_section(kept: Path) -> None:
    """What its venue has otherwise is taken where it stands, under ``[venues]``."""
    plain = kept_run(
        kept,
        "plain",
        f"{HOLD}[venue]\nqueue_exponent = 3\n[venue.feed]\n{AT_VENUE}[venue.latency]\n{SLOW}",
    )
    market = kept_run(
        kept,
        "market",
        f"{HOLD}[markets.only]\ninstrument = 'BTCUSDT-PERP.BINANCE'\n"
        f"capital = {CAPITAL}\n[venues.BINANCE]\nqueue_exponent = 3\n"
        f"[venues.BINANCE.feed]\n{AT_VENUE}[venues.BINANCE.latency]\n{SLOW}",
    )
    shocks = "gap_down", "latency_x50"
    found = stressed(market, *shocks)
    assert repr(found) == repr(stressed(plain, *shocks))
    figures, slow = both(found["latency_x50"])
    assert figures.fills == slow.fills == 2
    assert found["gap_down"].held is not None
    assert found["gap_down"].held > 0


def test_a_run_that_never_held_anything_is_told_so(data_dir: Path, tmp_path: Path) -> None:
    never = {"CQ__SIGNAL__PERSIST": "1000000"}
    folder = captured(data_dir, tmp_path, **never)
    done = run_cq(tmp_path, "stress", str(folder), "--shock", "gap_up", "--shock", "latency_x50")
    assert done.returncode == 0, done.stderr
    assert done.stdout.count("nothing was held: this shows nothing of any shock here") == 2
    page = (folder / "stress.html").read_text()
    assert page.count("nothing was held: this shows nothing") == 2
    assert "such a row says nothing about the strategy" in page
    [row, slow] = json.loads((folder / "stress.json").read_text())["shocks"]
    assert row["is_idle"]
    assert slow["is_idle"]
    assert row["held"] == 0
