"""``cq stress`` of runs on several markets, on recorded books, beside hand calculations."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crypto_quant.backtesting.engine.columns import money, texts, whole
from crypto_quant.backtesting.engine.portfolio import Books
from crypto_quant.backtesting.stress import session_run
from crypto_quant.backtesting.stress.measure import Figures, Market, measure
from crypto_quant.backtesting.stress.result import ShockRow
from crypto_quant.backtesting.stress.shocks import SHOCKS
from crypto_quant.backtesting.stress.shocks.mark import marking
from crypto_quant.backtesting.stress.shocks.rows import cut
from crypto_quant.backtesting.stress.tape import Changed, Parts, SessionTape, Way
from crypto_quant.backtesting.stress.tick_session import TickStress
from crypto_quant.runtime.segments import Span
from crypto_quant.runtime.tape import Columns
from crypto_quant.strategy.risk_manager.config import RiskConfig
from crypto_quant.venues.rules import load_instruments
from tests.e2e.conftest import run_cq
from tests.e2e.pledge import PLEDGED
from tests.e2e.two_venues import BINANCE, BYBIT, filed_twice

pytestmark = [pytest.mark.data, pytest.mark.xdist_group("stress_markets")]

SPOT, SHORT = "BTCUSDT.BINANCE", "BTCUSDT-PERP-SHORT.BINANCE"
SECOND = 10**9
KEPT = """
strategy = "hold"
[risk]
require_stop = false
loss_at_stop = 0.9
[hold]
size = "0.3"
"""


class Replays:
    """What each run of a stress left: without and with each shock, in order."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.runs: list[Books] = []
        self.markets: list[Market] = []

        def seen(
            risk: RiskConfig, market: Market, books: Books, span: Span, capital: float
        ) -> Figures:
            self.runs.append(books)
            self.markets.append(market)
            return measure(risk, market, books, span, capital)

        monkeypatch.setattr(session_run, "measure", seen)

    def made(self, at: int) -> Decimal:
        """Add up all cash that moved in a run: fills at their price, fees, and funding."""
        books, total = self.runs[at], Decimal(0)
        for _, _, n, side, px, qty in fills(books):
            one = self.markets[at].instruments[n]
            total -= Decimal(side * px * qty).scaleb(-one.price_exp - one.qty_exp)
        for sleeve in books.sleeves:
            total -= sum(money(books.fills, f"fee.{sleeve}").to_pylist())
            total += money(books.equity, f"funding.{sleeve}").to_pylist()[-1]
        return total


@pytest.fixture
def replays(monkeypatch: pytest.MonkeyPatch) -> Replays:
    return Replays(monkeypatch)


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Path:
    return filed_twice(tmp_path_factory.mktemp("stressed"), data_dir)


def run(folder: Path, name: str, text: str, *options: str) -> Path:
    """Run a config; return its folder."""
    (folder / f"{name}.toml").write_text(text)
    words = "backtest", "--config", f"{name}.toml", "--runs", name, "--single", *options
    done = run_cq(folder, *words)
    assert done.returncode == 0, done.stderr
    (made,) = (folder / name).glob("ticks-*")
    return made


def stressed(made: Path, *shocks: str) -> dict[str, ShockRow]:
    root = made.parents[1]
    tell = lambda what, done, total: None  # noqa: E731 - nobody is told
    trials = made.parent / "trials.sqlite"
    rows = TickStress(made, root / "catalog", load_instruments(), trials, shocks, tell).run().shocks
    return {row.key: row for row in rows}


def both(row: ShockRow) -> tuple[Figures, Figures]:
    assert row.plain is not None, row.why
    assert row.shocked is not None
    return row.plain, row.shocked


def fills(books: Books, venue: str = "") -> list[tuple[int, ...]]:
    """Return times, instrument, side, price and quantity of each fill, or of those at a venue."""
    names = "ts_event", "ts_recv", "instrument", "side", "px", "qty"
    rows = zip(*(whole(books.fills, name).tolist() for name in names), strict=True)
    return [row for row in rows if not venue or row[2] == (venue == "BYBIT")]


def lost(row: ShockRow) -> float:
    """Return what a shock takes off the return."""
    plain, shocked = both(row)
    return plain.ret - shocked.ret


CARRY = f"""{KEPT}
[markets.spot]
instrument = "{SPOT}"
capital = 30000
[markets.perp]
instrument = "{BINANCE}"
side = "short"
capital = 10000
"""


@pytest.fixture(scope="module")
def carry(folder: Path) -> Path:
    return run(folder, "carry", CARRY)


def test_a_carry_is_hedged_through_a_gap_and_bare_after_a_deleveraging(
    carry: Path, replays: Replays
) -> None:
    """0.3 BTC of spot, and short as much of the contract, of the capture without marks.

    By hand: both legs move by a fifth of what they are worth, and nearly cancel; a deleveraging
    takes the contract alone, at the last trade of before the fall less a tenth, free of charge, and
    the spot is sold at the end of the session. Money is conserved to the last digit.
    """
    rows = stressed(carry, "gap_up", "gap_down", "deleveraging")
    for row in rows.values():
        assert [name for name, _ in row.books] == ["spot", "perp"]
        (_, spot), (_, perp) = row.books
        assert row.held == pytest.approx(spot - perp)
        assert spot == pytest.approx(0.3 * 61_000 / 40_000, rel=0.02)
        assert perp == pytest.approx(-spot, rel=0.002)
    # The spot that is paid for as a fee is not held: what is unhedged is the rest.
    net, fees = spot + perp, 0.001 * spot - 0.0005 * perp  # of the closes, a fifth dearer too
    for key, size in (("gap_up", 0.2), ("gap_down", -0.2)):
        assert lost(rows[key]) == pytest.approx(size * (fees - net), abs=2e-5)
        plain, shocked = both(rows[key])
        assert shocked.unhedged == pytest.approx(plain.unhedged, abs=2e-4)  # no moment of one leg
        assert not shocked.ruined
    # 10,000 margin what was 0.3 BTC: 0.4 % of it is asked for, and a fifth of it is lost.
    contract = -perp * 40_000
    by_hand = 0.004 * 1.2 * contract / (10_000 - 0.2 * contract)
    assert both(rows["gap_up"])[1].margin_ratio == pytest.approx(by_hand, rel=0.02)
    adl = replays.runs[-1]
    row = rows["deleveraging"]
    assert row.label == "ADL of the winning short: perp"
    tags = texts(adl.fills, "tag")
    assert [tag for tag in tags if tag] == ["adl", "data_end"]
    taken = fills(adl)[tags.index("adl")]
    assert (taken[0], taken[2:4], taken[5]) == (row.start, (1, 1), 300)
    before = next(f for f in fills(replays.runs[0]) if f[2] == 1)[4]
    assert taken[4] == pytest.approx(0.9 * before, rel=1e-3)
    assert taken[4] % 10 == 0  # in whole ticks from a trade
    assert both(row)[1].taken == 1
    end = {name: whole(adl.equity, f"position.{name}")[-1] for name in (SPOT, BINANCE)}
    assert end == {SPOT: 0, BINANCE: 0}
    at = int(np.searchsorted(whole(adl.equity, "ts"), row.start + SECOND))
    assert whole(adl.equity, f"position.{SPOT}")[at] > 0
    assert whole(adl.equity, f"position.{BINANCE}")[at] == 0
    for at in (0, len(replays.runs) - 1):
        assert money(replays.runs[at].equity, "equity").to_pylist()[-1] == 40_000 + replays.made(at)


def test_a_carry_is_stressed_in_everything_else(carry: Path) -> None:
    """The row says which venue; a depeg takes a twentieth of the money, as both legs cancel."""
    rows = stressed(carry, "usdt_down", "venue_down", "index_outage", "mark_above", "depth_tenth")
    (_, spot), (_, perp) = rows["usdt_down"].books
    rise = 1 / 0.95 - 1
    expected = 0.95 * (1 + rise * (spot + perp)) - 1
    plain, shocked = both(rows["usdt_down"])
    assert (1 + shocked.ret) / (1 + plain.ret) - 1 == pytest.approx(expected, abs=1e-4)
    assert rows["venue_down"].label == "Venue down: BINANCE"
    for key in ("venue_down", "index_outage", "mark_above", "depth_tenth"):
        plain, shocked = both(rows[key])
        assert shocked.fills == plain.fills == 4 - 2  # the two closes; the rest was before
        assert shocked.taken == 0
    # 3 % of the contract, on the equity, while the mark stands away.
    plain, away = both(rows["mark_above"])
    assert away.depth - plain.depth == pytest.approx(0.03 * -perp, rel=0.15)
    assert away.ret == pytest.approx(plain.ret, abs=1e-9)


def test_a_gap_before_the_first_mark_moves_no_price_of_before_it(
    carry: Path, replays: Replays, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Marks begin ten seconds late: what is valued before the gap is as without the shock."""
    plain_tape = session_run.SessionRun._recorded

    def late(self: session_run.SessionRun, ways: dict[str, Way]) -> SessionTape:
        tape, first = plain_tape(self, ways), self._tape.start + 10 * SECOND

        def known(parts: Parts) -> Iterator[Columns]:
            return (cut(rows, np.flatnonzero(rows["ts_event"] >= first)) for rows in parts)

        return tape.changed({("mark", n): Changed(marking(tape, n), known) for n in (0, 1)})

    monkeypatch.setattr(session_run.SessionRun, "_recorded", late)
    now = replace(SHOCKS["gap_down"], from_first=frozenset({"ticks"}))
    monkeypatch.setitem(SHOCKS, "gap_down", now)
    start = stressed(carry, "gap_down")["gap_down"].start
    plain, laid = replays.markets
    for n in range(len(plain.instruments)):
        before, after = (
            [int(market.price(n, np.array([start + lag]))[0]) for market in (plain, laid)]
            for lag in (-1, 60 * SECOND)
        )
        assert before[0] == before[1]
        assert after[1] == pytest.approx(0.8 * after[0], rel=1e-3)


TWO = """
strategy = "grid"
[risk]
require_stop = false
loss_at_stop = 0.5
orders_per_minute = 1000000
orders_per_wake = 1000
[quoting]
messages = 1000000
[grid]
levels = 2
size = "0.01"
most = "0.05"
"""
FAR = """
entry_ms = { p50 = 80, p99 = 120 }
response_ms = { p50 = 70, p99 = 90 }
"""
SESSION = ("--session", "2023-04-04")
"""It crosses 00:00, at which funding is settled."""


def venue(name: str, instrument: str, capital: int) -> str:
    return f'[markets.{name}]\ninstrument = "{instrument}"\ncapital = {capital}\n'


@pytest.fixture(scope="module")
def two(folder: Path) -> Path:
    markets = venue("near", BINANCE, 60_000) + venue("far", BYBIT, 40_000)
    return run(folder, "two", f"{TWO}{markets}[venues.BYBIT.latency]\n{FAR}", *SESSION)


def test_a_venue_that_is_down_leaves_the_other_as_it_was(two: Path, replays: Replays) -> None:
    """The grids do not know of each other: at the venue that is up every fill is as recorded."""
    row = stressed(two, "venue_down")["venue_down"]
    far = row.label == "Venue down: BYBIT"
    assert far or row.label == "Venue down: BINANCE"
    assert "most was held" in row.claim
    held = dict(row.books)
    assert (abs(held["far"]) > abs(held["near"])) == far
    plain, shocked = replays.runs
    up, down = ("BINANCE", "BYBIT") if far else ("BYBIT", "BINANCE")
    assert fills(shocked, up) == fills(plain, up)
    assert len(fills(plain, up)) > 100
    outage = [f for f in fills(plain, down) if row.start <= f[0] < row.end]
    assert outage
    assert not [f for f in fills(shocked, down) if row.start <= f[0] < row.end]
    assert [f for f in fills(shocked, down) if f[0] >= row.end]


def test_what_begins_with_the_first_decision_is_that_of_each_venue_alone(
    folder: Path, two: Path
) -> None:
    """Returns add up by the money of each, without and with the shock; the worst margin counts."""
    keys = "latency_x50", "funding_longs_pay", "funding_shorts_pay"
    joint = stressed(two, *keys)
    alone: list[tuple[int, dict[str, ShockRow]]] = []
    for name, instrument, capital in (("near", BINANCE, 60_000), ("far", BYBIT, 40_000)):
        text = TWO + venue(name, instrument, capital)
        text += f"[venues.BYBIT.latency]\n{FAR}" if instrument == BYBIT else ""
        alone.append((capital, stressed(run(folder, name, text, *SESSION), *keys)))
    for key in keys:
        for part in (0, 1):
            whole_run = both(joint[key])[part]
            each = [(capital, both(rows[key])[part]) for capital, rows in alone]
            assert whole_run.ret * 100_000 == pytest.approx(sum(c * f.ret for c, f in each))
            assert whole_run.fills == sum(f.fills for _, f in each)
            assert whole_run.margin_ratio == pytest.approx(max(f.margin_ratio for _, f in each))


def leg(side: str, capital: int) -> str:
    return venue(side, BINANCE, capital) + f'side = "{side}"\n'


def test_of_two_legs_the_one_that_wins_is_taken(folder: Path, replays: Replays) -> None:
    """Long 0.2 and short 0.3 in one account in hedge mode: a fall takes the short, whole."""
    text = KEPT + leg("long", 60_000) + '[markets.long.hold]\nsize = "0.2"\n'
    text += leg("short", 40_000) + "[venue]\nhedged = true\n"
    made = run(folder, "hedge", text, *SESSION)
    rows = stressed(made, "deleveraging", "gap_up")
    row = rows["deleveraging"]
    assert row.label == "ADL of the winning short: short"
    (_, long), (_, short) = row.books
    assert short / long == pytest.approx(-1.5)
    assert lost(rows["gap_up"]) == pytest.approx(-0.2 * (long + short), abs=2e-5)
    adl = replays.runs[1]
    tags = texts(adl.fills, "tag")
    assert [tag for tag in tags if tag] == ["adl", "data_end"]
    (taken,) = (f for f, tag in zip(fills(adl), tags, strict=True) if tag == "adl")
    assert (taken[2:4], taken[5]) == ((1, 1), 300)
    at = int(np.searchsorted(whole(adl.equity, "ts"), row.start + SECOND))
    held = [whole(adl.equity, f"position.{name}")[at] for name in (BINANCE, SHORT)]
    assert held == [200, 0]
    end = money(adl.equity, "equity").to_pylist()[-1]
    cent = Decimal("1e-8")  # a recorded mark has more decimals than money
    assert end == 100_000 + replays.made(1).quantize(cent)


@pytest.fixture(scope="module")
def pledge(folder: Path) -> Path:
    return run(folder, "pledge", PLEDGED)


def test_trades_as_marks_leave_a_run_as_it_was(
    pledge: Path, replays: Replays, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The capture has no marks: with those of its trades every fill, row and margin is the same."""

    def with_marks(tape: SessionTape, span: Span) -> SessionTape:
        return tape.changed({("mark", n): marking(tape, n) for n in tape.of("trade")})

    monkeypatch.setitem(SHOCKS, "gap_up", replace(SHOCKS["gap_up"], ticks=with_marks))
    stressed(pledge, "gap_up")
    bare, marked = replays.runs
    assert len(fills(bare)) > 300
    assert fills(bare) == fills(marked)
    assert bare.equity.keys() == marked.equity.keys()
    for name, rows in bare.equity.items():
        other = marked.equity[name]
        if isinstance(rows, np.ndarray):
            np.testing.assert_array_equal(rows, np.asarray(other), err_msg=name)
        else:
            assert rows == other, name


def test_coins_that_margin_a_contract_fall_with_it(pledge: Path) -> None:
    """Nothing else margins it: what coins count for falls with the gap, and the ratio rises."""
    rows = stressed(pledge, "gap_down", "usdt_down")
    row = rows["gap_down"]
    held: dict[str, Any] = dict(row.books)
    assert held["coins"] == pytest.approx(61_700 / 71_000, rel=0.01)
    # What the maker pays in fees until the end is a fifth less too: 0.05 % of the money.
    assert lost(row) == pytest.approx(0.2 * (held["coins"] + held["maker"]), abs=6e-4)
    _, fallen = both(row)
    assert 0 < fallen.margin_ratio < 1
    assert not fallen.ruined  # the wallet is in coins alone, before them in nothing
    left = both(rows["usdt_down"])[1].ret - both(rows["usdt_down"])[0].ret
    rise = 1 / 0.95 - 1
    assert left == pytest.approx(0.95 * (1 + rise * held["coins"]) - 1, abs=2e-3)


def test_the_carry_of_the_page_prints_what_it_shows(folder: Path) -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "stress.md").read_text()
    part = page.partition("### Several markets\n")[2].partition("\n## ")[0]
    (config,), (shown,) = (
        re.findall(rf"^```{kind}\n(.*?)^```$", part, re.M | re.S) for kind in ("toml", "text")
    )
    made = run(folder, "page", config)
    done = run_cq(folder, "stress", str(made.relative_to(folder)))
    assert done.returncode == 0, done.stderr
    printed = iter(done.stdout.splitlines())
    for line in shown.splitlines():
        assert line in printed
    found = (made / "stress.html").read_text()
    for text in (
        "ADL of the winning short: perp",
        "Venue down: BINANCE",
        "spot 46.40%<br>perp ",
    ):
        assert text in found
