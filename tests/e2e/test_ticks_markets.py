"""Several markets in one ``cq backtest``, on recorded books.

The reference of a run on two venues is a run on each: the same orders, fills and money.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from crypto_quant.backtesting.engine.cells import Cell, CellJob, CellRun, Fitted
from crypto_quant.core.config import load_config
from crypto_quant.core.messages import Target
from crypto_quant.data_pipeline.storage import Catalog, SourceInfo
from crypto_quant.execution.quoting import Quoting
from crypto_quant.runtime import state
from crypto_quant.runtime.config import TickConfig
from crypto_quant.runtime.joined_stages import JoinedStages
from crypto_quant.runtime.sleeves import TermsMap, Wish
from crypto_quant.runtime.view import LineView
from crypto_quant.venues.rules import load_instruments
from tests.e2e.conftest import run_cq
from tests.e2e.pledge import PLEDGED, UNPLEDGED
from tests.e2e.tick_run import rows, run
from tests.e2e.two_venues import BINANCE, BYBIT, ETH, filed_twice

pytestmark = [pytest.mark.data, pytest.mark.xdist_group("ticks")]

SECOND = 10**9
SHORT = "BTCUSDT-PERP-SHORT.BINANCE"
FREE = """
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
LATE = """
model = "constant"
ms = { p50 = 60, p99 = 300 }
"""
SESSION = ("--session", "2023-04-04", "--single")
"""It crosses 00:00, at which funding is settled."""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Path:
    """Return a working folder with the captures, and Bitcoin's under a second venue's name."""
    return filed_twice(tmp_path_factory.mktemp("markets"), data_dir)


FILL = ("ts_event", "ts_recv", "quantity", "price", "fee", "spread", "liquidity", "reason")


def fills(made: Path, instrument: str) -> list[tuple[Any, ...]]:
    """Return the fills of an instrument without what numbers and names them."""
    own = (fill for fill in rows(made, "fills") if fill["instrument"] == instrument)
    return [tuple(fill[name] for name in FILL) for fill in own]


def total(sessions: Iterable[dict[str, Any]], part: str = "total") -> Decimal:
    return sum((Decimal(session["pnl"][part]) for session in sessions), Decimal(0))


def test_a_run_on_two_venues_is_a_run_on_each(folder: Path) -> None:
    both = f"""{FREE}
[markets.near]
instrument = "{BINANCE}"
capital = 60000
[markets.far]
instrument = "{BYBIT}"
capital = 40000
[venues.BYBIT]
queue_exponent = 3
[venues.BYBIT.latency]
{FAR}"""
    found, made = run(folder, "both", both, *SESSION)
    alone = {
        BINANCE: FREE.replace("strategy", f'instrument = "{BINANCE}"\ncapital = 60000\nstrategy'),
        BYBIT: FREE.replace("strategy", f'instrument = "{BYBIT}"\ncapital = 40000\nstrategy')
        + f"[venue]\nqueue_exponent = 3\n[venue.latency]\n{FAR}",
    }
    equity = Decimal(0)
    for instrument, name in ((BINANCE, "near"), (BYBIT, "far")):
        single, folder_of = run(folder, name, alone[instrument], *SESSION)
        assert len(fills(folder_of, instrument)) > 100
        assert fills(made, instrument) == fills(folder_of, instrument)
        own = [session["markets"][name] for session in found["sessions"]]
        for part in ("total", "fees", "funding", "price"):
            assert total(own, part) == total(single["sessions"], part)
        for mine, other in zip(own, single["sessions"], strict=True):
            for same in ("orders", "fills", "traded", "most_held", "markout_bps"):
                assert mine[same] == other[same]
        equity += rows(folder_of, "equity")[-1]["portfolio/equity"]
        venue = instrument.rpartition(".")[2]
        held = found["sessions"][-1]["venues"][venue]["balances"]["margin USDT"]
        assert Decimal(held) == rows(folder_of, "equity")[-1]["portfolio/equity"]
    last = rows(made, "equity")[-1]
    assert last["portfolio/equity"] == equity == last["near/equity"] + last["far/equity"]
    assert equity == 100_000 + total(found["sessions"])
    assert total(found["sessions"], "funding") != 0
    assert equity == sum(last[f"balance/margin.{venue}.USDT"] for venue in ("BINANCE", "BYBIT"))
    told = (made / "stdout.txt").read_text()
    assert "venues, session 2023-04-04T23:58:20Z" in told
    page = (made / "report.html").read_text()
    assert "venues, session 2023-04-04T23:58:20Z" in page


def test_a_venue_is_heard_as_late_as_its_own_feed_is(folder: Path) -> None:
    """The run on both ends with the recording that ends first, so it is compared until there."""
    both = f"""{FREE}
[markets.near]
instrument = "{BINANCE}"
capital = 60000
[markets.far]
instrument = "{BYBIT}"
capital = 40000
[venues.BYBIT.feed]
{LATE}"""
    found, made = run(folder, "late", both, *SESSION)
    text = FREE.replace("strategy", f'instrument = "{BYBIT}"\ncapital = 40000\nstrategy')
    _, alone = run(folder, "late-alone", f"{text}[venue.feed]\n{LATE}", *SESSION)
    end = found["sessions"][0]["decisions_to_ns"]
    each = [
        [f for f in fills(of, BYBIT) if f[0] < end and f[-1] != "data_end"] for of in (made, alone)
    ]
    assert len(each[0]) > 100
    assert each[0] == each[1]
    assert [f[:4] for f in each[0]] != [f[:4] for f in fills(made, BINANCE)][: len(each[0])]


def leg(side: str, capital: int) -> str:
    return f'[markets.{side}]\ninstrument = "{BINANCE}"\ncapital = {capital}\nside = "{side}"\n'


TAKER = """
strategy = "imbalance"
[signal]
enter = 0.5
persist = 1
"""


def test_a_leg_alone_in_hedge_mode_is_a_book_of_one_side(folder: Path) -> None:
    """Its entries open and its stops and closes only reduce, so the mode changes nothing."""
    for side, instrument in (("long", BINANCE), ("short", SHORT)):
        plain, first = run(folder, f"{side}-one", TAKER + leg(side, 100_000), "--single")
        text = TAKER + leg(side, 100_000) + "[venue]\nhedged = true"
        hedged, second = run(folder, f"{side}-hedged", text, "--single")
        assert len(fills(first, BINANCE)) > 50
        assert fills(first, BINANCE) == fills(second, instrument)
        for part in ("total", "fees", "funding"):
            assert total(plain["sessions"], part) == total(hedged["sessions"], part)
        modes = [found["sessions"][0]["venues"]["BINANCE"]["mode"] for found in (plain, hedged)]
        assert modes == ["one-way", "hedge"]
        sign = 1 if side == "long" else -1
        held = [row[f"position/{BINANCE}"] * sign for row in rows(first, "equity")]
        assert max(held) > 0 == min(held)
        kinds = {(o["type"], o["reduce_only"]) for o in rows(first, "orders")}
        assert ("stop_market", True) in kinds


def test_a_close_on_its_way_past_a_fill_is_refused_in_hedge_mode_alone(folder: Path) -> None:
    """Until the first such order a grid of one side does the same in both modes."""
    _, first = run(folder, "grid-one", FREE + leg("long", 100_000), *SESSION)
    text = FREE + leg("long", 100_000) + "[venue]\nhedged = true"
    _, second = run(folder, "grid-hedged", text, *SESSION)
    refused = [o for o in rows(second, "orders") if "reduce_only" in o["reason"]]
    assert refused
    assert all(o["side"] == "sell" and o["state"] == "rejected" for o in refused)
    assert not any("reduce_only" in o["reason"] for o in rows(first, "orders"))
    until = refused[0]["ts"]
    same = [[f for f in fills(made, BINANCE) if f[0] <= until] for made in (first, second)]
    assert len(same[0]) > 3
    assert same[0] == same[1]


def test_both_legs_are_held_at_one_time_and_add_up(folder: Path) -> None:
    text = FREE + leg("long", 60_000) + leg("short", 40_000) + "[venue]\nhedged = true"
    found, made = run(folder, "hedge", text, *SESSION)
    table = rows(made, "equity")
    long, short = (
        [row[f"position/{instrument}"] for row in table] for instrument in (BINANCE, SHORT)
    )
    assert min(long) == 0 == max(short)
    assert any(up and down for up, down in zip(long, short, strict=True))
    for row in table:
        assert row["portfolio/equity"] == row["long/equity"] + row["short/equity"]
    cash = -sum(fill["quantity"] * fill["price"] for fill in rows(made, "fills"))
    fees = sum(fill["fee"] for fill in rows(made, "fills"))
    assert total(found["sessions"]) == cash - fees + total(found["sessions"], "funding")
    for instrument in (BINANCE, SHORT):
        own = [f for f in rows(made, "fills") if f["instrument"] == instrument]
        assert len(own) > 50
        assert sum(f["quantity"] for f in own) == 0
    reasons = [order["reason"] for order in rows(made, "orders") if "rejected" in order["state"]]
    assert not any("position_side" in reason for reason in reasons)
    assert found["sessions"][0]["venues"]["BINANCE"]["mode"] == "hedge"


def test_two_contracts_trade_where_both_were_recorded(folder: Path) -> None:
    text = f"""{FREE}
[markets.btc]
instrument = "{BINANCE}"
capital = 60000
[markets.eth]
instrument = "{ETH}"
capital = 40000
[markets.eth.grid]
size = "0.2"
most = "1"
"""
    found, made = run(folder, "two", text, "--single")
    (session,) = found["sessions"]
    assert session["session"].startswith("2024-08-08T23:54:1")
    skipped = {row["session"]: row["reason"] for row in found["skipped"]}
    assert any(name.startswith("2023-04-0") for name in skipped)
    assert set(skipped.values()) == {f"of the run's instruments only {BINANCE} was recorded"}
    for name, instrument in (("btc", BINANCE), ("eth", ETH)):
        assert len(fills(made, instrument)) > 100
        own = [f for f in rows(made, "fills") if f["instrument"] == instrument]
        cash = -sum(f["quantity"] * f["price"] + f["fee"] for f in own)
        assert Decimal(session["markets"][name]["pnl"]["total"]) == cash
        assert {f["sleeve"] for f in own} == {name}
    last = rows(made, "equity")[-1]
    assert last["portfolio/equity"] == 100_000 + Decimal(session["pnl"]["total"])


MOVES = f"""{FREE}
[markets.near]
instrument = "{BINANCE}"
capital = 60000
[markets.far]
instrument = "{BYBIT}"
capital = 40000
[venue]
transfer_delay_ms = 30000
transfer_fees = {{ USDT = "1.5" }}
[venues.BYBIT]
transfer_delay_ms = 90000
[transfers.out]
book = "near"
to = "BYBIT"
amount = 1000
after_s = 10
every_s = 20
below = 41500
[transfers.back]
book = "far"
to = "BINANCE"
amount = 500
after_s = 20
[transfers.too_much]
book = "far"
amount = 50000
"""


def test_money_takes_its_time_between_venues_and_costs_its_fee(folder: Path) -> None:
    """Out at 10, 30 and 50 s; then 40,000 less 501.50 and 3,000 more is beyond 41,500."""
    found, made = run(folder, "moves", MOVES, *SESSION)
    still, other = run(folder, "still", MOVES[: MOVES.index("[transfers.out]")], *SESSION)
    for instrument in (BINANCE, BYBIT):
        assert fills(made, instrument) == fills(other, instrument)
    begin = found["sessions"][0]["decisions_from_ns"]
    first = -(-begin // (SECOND // 10)) * (SECOND // 10)
    told = found["sessions"][0]["venues"]
    seen = [
        (venue, (row["ts"] - first) // SECOND, row["amount"], row["status"])
        for venue, own in told.items()
        for row in own["transfers"]
    ]
    assert seen == [
        ("BINANCE", 10, "1000", "arrived"),
        ("BINANCE", 30, "1000", "arrived"),
        ("BINANCE", 50, "1000", "arrived"),
        ("BYBIT", 0, "50000", "refused"),
        ("BYBIT", 20, "500", "arrived"),
    ]
    for row, plain in zip(rows(made, "equity"), rows(other, "equity"), strict=True):
        since = (row["ts"] - first) / SECOND
        out, back = [at for at in (10, 30, 50) if at <= since], since >= 20
        assert row["near/transfer"] == -Decimal("1.5") * len(out)
        assert row["far/transfer"] == -Decimal("1.5") * back
        moved = {
            "BINANCE": Decimal("-1001.5") * len(out) + 500 * (since >= 110),
            "BYBIT": Decimal("-501.5") * back + 1000 * sum(at + 30 <= since for at in out),
        }
        for venue, amount in moved.items():
            name = f"balance/margin.{venue}.USDT"
            assert row[name] - plain[name] == amount
        paid = Decimal("1.5") * (len(out) + back)
        assert row["portfolio/equity"] == plain["portfolio/equity"] - paid  # on its way counts
    assert total(found["sessions"]) == total(still["sessions"]) - 6
    assert "1 refused (insufficient_balance), 1 arrived" in (made / "stdout.txt").read_text()


def test_coins_that_are_bought_and_moved_margin_a_contract(folder: Path) -> None:
    """Its own money is taken out of the margin wallet at once: only coins let it trade."""
    alone, without = run(folder, "no-coins", UNPLEDGED, "--single")
    found, made = run(folder, "coins", PLEDGED, "--single")
    assert fills(without, BINANCE) == []
    reasons = {o["reason"] for o in rows(without, "orders") if o["instrument"] == BINANCE}
    assert reasons == {"grid: insufficient_margin"}
    (session,) = found["sessions"]
    (coins,) = [t for t in session["venues"]["BINANCE"]["transfers"] if t["asset"] == "BTC"]
    assert coins["status"] == "arrived"
    times = [fill[0] for fill in fills(made, BINANCE)]
    assert len(times) > 50
    assert coins["arrives"] < min(times) < coins["arrives"] + 30 * SECOND
    held = session["venues"]["BINANCE"]["balances"]
    assert held["margin BTC"] == "0.9"
    assert Decimal(session["markets"]["coins"]["most_held"]) == 1
    assert alone["sessions"][0]["markets"]["coins"]["position_end"].strip("0.") == ""
    # Only what is in spot can be sold.
    assert Decimal(session["markets"]["coins"]["position_end"]) == Decimal("0.9")
    page = (made / "report.html").read_text()
    assert "<th>position at end</th><td>0.9 BTC</td><td>0 BTC</td>" in page
    # What fees, losses and funding made of nothing is a debt that coins stand for.
    made_of_nothing = Decimal(session["markets"]["maker"]["pnl"]["total"])
    assert Decimal(held["margin USDT"]) == made_of_nothing < 0


def test_coins_from_the_start_are_told_with_what_is_owed_beside_them(folder: Path) -> None:
    """One instrument, named without a market: the wallet has coins and a debt in USDT."""
    text = f"""{FREE}
[venue]
collateral = ["BTC"]
"""
    head = f'instrument = "{BINANCE}"\ncoins = {{ BTC = "1" }}\n'
    found, made = run(folder, "begun", head + text, "--session", "2024-08-08", "--single")
    (session,) = found["sessions"]
    own = [f for f in rows(made, "fills") if f["instrument"] == BINANCE]
    assert len(own) > 100
    cash = -sum(f["quantity"] * f["price"] + f["fee"] for f in own)
    owed = cash + total(found["sessions"], "funding")
    last = rows(made, "equity")[-1]
    assert last["balance/margin.USDT"] == owed
    assert last["balance/margin.BTC"] == 1
    assert session["venues"]["BINANCE"]["balances"] == {
        "margin USDT": f"{owed.normalize():f}",
        "margin BTC": "1",
    }
    for place in ("stdout.txt", "report.html"):
        told = (made / place).read_text()
        assert "margin USDT" in told
        assert "margin BTC" in told


class _Anew(JoinedStages):
    """Joins what is said anew at each wake-up."""

    def on_timer(self, view: LineView, terms: TermsMap) -> Wish:
        self._said = [(None, (), (), ())] * len(self.stages)
        return super().on_timer(view, terms)


def _never(quoting: Quoting, targets: tuple[Target, ...], *, is_timer: bool) -> bool:
    """Do not tell at sight that quotes rest: each wake-up takes the long way."""
    del quoting, targets, is_timer
    return False


def test_what_is_known_at_sight_changes_no_decision(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Grids and a taker on two venues, money that moves: the log is the same byte by byte."""
    (folder / "sight.toml").write_text(
        MOVES + '[markets.taker]\ninstrument = "ETHUSDT-PERP.BINANCE"\n'
        'strategy = "imbalance"\ncapital = 20000\n'
    )
    config = load_config(TickConfig, folder / "sight.toml", {})
    logs = []
    for n, (joins, rests) in enumerate(((JoinedStages, Quoting.rests), (_Anew, _never))):
        monkeypatch.setattr(state, "JoinedStages", joins)
        monkeypatch.setattr(Quoting, "rests", rests)
        job = CellJob(Cell("risk_averse", "p99"), Fitted(2.0, ""), folder / f"sight-{n}.jsonl")
        found = CellRun(config, Catalog(folder / "catalog"), load_instruments(), job).run()
        assert sum(s["fills"]["maker"] for s in found.sessions) > 20
        logs.append((folder / f"sight-{n}.jsonl").read_bytes())
    assert logs[0] == logs[1]
    assert logs[0].count(b"\n") > 100


@pytest.fixture(scope="module")
def holed(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Path:
    """Return a folder with two sessions of spot and contract, 16 months apart.

    No sample of 2023 has a snapshot of spot: the contract's book is filed as that of spot too.
    """
    made, data = tmp_path_factory.mktemp("holed"), data_dir / "hftbacktest"
    names = "usdm/btcusdt_20230404.dat.gz", "usdm/btcusdt_20240808.gz", "spot/btcusdt_20240808.gz"
    done = run_cq(made, "data", "import", *(str(data / name) for name in names))
    assert done.returncode == 0, done.stderr
    catalog = Catalog(made / "catalog")
    for kind in ("delta", "trade"):
        first = catalog.parts_of(kind, BINANCE)[0]
        source = SourceInfo(first.source.name, f"again {first.sha256}", 1, "test")
        rows = catalog.scan(kind, BINANCE, first.start, first.end + 1)
        exps = catalog.exps(kind, BINANCE)
        catalog.write(kind, "BTCUSDT.BINANCE", rows, source, exps, first.recv)
    return made


def test_coins_that_are_pledged_are_not_carried_over_a_hole(holed: Path) -> None:
    """Bought at 28,000 and pledged; at 61,000 they would have made what no trade did."""
    for name, amount in (("pledged", "0.9"), ("on-their-way", "0.25")):
        late = f"transfer_delay_ms = {10**9}\n" if name != "pledged" else ""
        text = PLEDGED.replace('"0.9"', f'"{amount}"') + late
        (holed / "run.toml").write_text(text)
        words = "backtest", "--config", "run.toml", "--single", "--runs", name
        done = run_cq(holed, *words)
        assert done.returncode == 2, done.stdout
        where = "on their way to" if late else "in"
        assert f"was {amount} BTC {where} the margin wallet" in done.stderr
        assert "sessions: expected no coins where 2023-04-04T23:58:20Z ends" in done.stderr
        assert "until 2024-08-08T23:54:16Z" in done.stderr
        assert len(done.stderr.strip().splitlines()) == 1
        assert not list((holed / name).glob("ticks-*"))
    for session in ("2023-04-04", "2024-08-08"):
        found, _ = run(holed, f"alone-{session}", PLEDGED, "--session", session)
        assert Decimal(found["sessions"][0]["markets"]["coins"]["position_end"]) == Decimal("0.9")


def test_a_position_whose_coins_went_for_a_fee_is_not_carried_over_a_hole(holed: Path) -> None:
    """Of 1 BTC 0.1 is paid each way: 0.8 are there to be sold at the end."""
    emptied = '[transfers.emptied]\nbook = "maker"\namount = 1000\n'
    back = (
        '[transfers.back]\nbook = "coins"\nasset = "BTC"\nsource = "margin"\namount = "0.7"\n'
        "after_s = 60\n"
    )
    text = PLEDGED.replace(emptied, back).replace("capital = 1000\n", "capital = 20000\n")
    text = text.replace('"0.9"', '"0.8"') + 'transfer_fees = { BTC = "0.1" }\n'
    (holed / "run.toml").write_text(text)
    words = "backtest", "--config", "run.toml", "--single", "--runs", "fee"
    done = run_cq(holed, *words)
    assert done.returncode == 2, done.stdout
    assert "ends, was 0.2 of BTCUSDT.BINANCE, whose coins went for a transfer's fee" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1


def test_coins_that_are_bought_are_sold_before_a_hole(holed: Path) -> None:
    """An odd size, of which nothing is left over: what is made is the cash of the fills."""
    text = """
strategy = "hold"
instrument = "BTCUSDT.BINANCE"
capital = 70000
hold = { size = "0.33333" }
[risk]
require_stop = false
loss_at_stop = 0.9
"""
    found, made = run(holed, "spot", text, "--single")
    assert len(found["sessions"]) == 2
    for session in found["sessions"]:
        start, end = session["decisions_from_ns"], session["decisions_to_ns"]
        own = [f for f in rows(made, "fills") if start <= f["ts_event"] <= end]
        assert [f["reason"] for f in own] == ["hold", "data_end"]
        assert sum(f["quantity"] for f in own) == 0
        cash = -sum(f["quantity"] * f["price"] + f["fee"] for f in own)
        assert Decimal(session["pnl"]["total"]) == cash
        assert Decimal(session["position_end"]) == 0


@pytest.mark.parametrize(
    ("heading", "options"), [("Hedge mode", SESSION), ("Coins as margin", ("--single",))]
)
def test_an_example_prints_what_its_page_says(
    folder: Path, heading: str, options: tuple[str, ...]
) -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "markets.md").read_text()
    part = page.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    (config,), (shown,) = (
        re.findall(rf"^```{kind}\n(.*?)^```$", part, re.M | re.S) for kind in ("toml", "text")
    )
    _, made = run(folder, f"page-{heading.split()[0]}", config, *options)
    printed = iter((made / "stdout.txt").read_text().splitlines())
    for line in shown.splitlines():
        assert line in printed


def test_an_asset_without_a_sourced_ratio_is_no_collateral(folder: Path) -> None:
    (folder / "late.toml").write_text(PLEDGED.replace('"BTC"]', '"ETH"]'))
    done = run_cq(folder, "backtest", "--config", "late.toml")
    assert done.returncode == 2
    assert "collateral: binance has no sourced ratio of ETH; known: USDT, BTC" in done.stderr


def test_what_fits_nothing_is_one_clear_line(folder: Path) -> None:
    (folder / "bad.toml").write_text(FREE + leg("long", 1_000))
    done = run_cq(folder, "backtest", "--config", "bad.toml", "--instrument", ETH)
    assert done.returncode == 2
    assert "the config's markets name the instruments: change them" in done.stderr
    (folder / "bad.toml").write_text(FREE + leg("long", 1_000) + '[venue]\nown_fills = "x.csv"')
    done = run_cq(folder, "backtest", "--config", "bad.toml")
    assert done.returncode == 2
    assert len(done.stderr.strip().splitlines()) == 1
