"""Shocks, extremes and replays on real data: a crash month of bars, and a recorded book."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from crypto_quant.backtesting.engine.columns import money, texts, whole
from crypto_quant.backtesting.engine.inputs import Inputs, read_inputs
from crypto_quant.backtesting.engine.portfolio import Books, run_portfolio
from crypto_quant.backtesting.stress.extremes import Extreme, extremes
from crypto_quant.backtesting.stress.laid import LaidInputs, laid
from crypto_quant.backtesting.stress.shocks import SHOCKS
from crypto_quant.backtesting.stress.shocks.mark import marks_of_bars
from crypto_quant.backtesting.stress.tape import DAY_NS, HOUR_NS, BarTape, Shock
from crypto_quant.backtesting.stress.tick_session import TickStress
from crypto_quant.data_pipeline.collectors import importer
from crypto_quant.data_pipeline.collectors.facts import Facts
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.runtime.config import RunConfig
from crypto_quant.runtime.segments import Span
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


def test_a_recorded_book_under_every_shock(data_dir: Path, tmp_path: Path) -> None:
    """A price gap leaves a stop beyond the venue's bound; what cannot apply says why."""
    captures = sorted((data_dir / "hftbacktest").glob("usdm/btcusdt_2023*.gz"))
    done = run_cq(tmp_path, "data", "import", *map(str, captures))
    assert done.returncode == 0, done.stderr
    way = "{p50 = 5, p99 = 5}"  # so that a stop is in place when the price gaps
    latency = {f"CQ__VENUE__LATENCY__{leg}_MS": way for leg in ("ENTRY", "RESPONSE")}
    done = run_cq(tmp_path, "backtest", "--single", "--session", "2023-04-04", **latency)
    assert done.returncode == 0, done.stderr
    [folder] = (tmp_path / "runs").glob("ticks-*")
    stress = TickStress(
        folder,
        tmp_path / "catalog",
        load_instruments(),
        tmp_path / "runs" / "trials.sqlite",
        ("gap_down", "spread_x10", "latency_x50", "funding_longs_pay", "deleveraging"),
        lambda what, done, total: None,
    )
    rows = {row.key: row for row in stress.run().shocks}
    plain, gap = rows["gap_down"].plain, rows["gap_down"].shocked
    assert plain is not None
    assert gap is not None
    assert gap.held == pytest.approx(-0.2, abs=0.005)
    # The venue takes no market order further than 5 % from the mark, which a second later follows.
    assert gap.stops.filled == 0
    assert plain.rejected == 0 < gap.rejected
    assert rows["funding_longs_pay"].why.startswith("a session of minutes")
    for key in ("spread_x10", "latency_x50"):
        plain, shocked = rows[key].plain, rows[key].shocked
        assert plain is not None
        assert shocked is not None
        assert shocked.ret < plain.ret
        assert not shocked.ruined
