"""``cq backtest`` on the recorded COIN-M capture: contracts of 100 USD, money in coin.

The reference of its money is the fills' own: what a contract bought at p1 and sold at p2 makes is
``100 (1 / p1 - 1 / p2)`` of a coin, less the fees.
"""

from __future__ import annotations

import json
import re
from decimal import Decimal
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from crypto_quant.data_pipeline.storage import Catalog, SourceInfo
from tests.e2e.conftest import run_cq
from tests.e2e.frame_book import FrameBook, operations
from tests.e2e.tick_run import rows, run

pytestmark = [pytest.mark.data, pytest.mark.xdist_group("ticks")]

COIN, LINEAR = "BTCUSD-PERP.BINANCE", "BTCUSDT-PERP.BINANCE"
CAPTURE = "hftbacktest/cm/btcusd_perp_20240808.gz"
CONTRACT = Decimal(100)
RATES = {"maker": Decimal("0.0001"), "taker": Decimal("0.0005")}
FREE = """
[risk]
require_stop = false
loss_at_stop = 1.0
orders_per_minute = 1000000
orders_per_wake = 1000
[quoting]
messages = 1000000
[grid]
levels = 2
size = "10"
most = "50"
"""
GRID = f"""
strategy = "grid"
instrument = "{COIN}"
coins = {{ BTC = "1.5" }}
{FREE}
"""
CASH = f"""
strategy = "hold"
funding_jitter_s = 0
[markets.cash]
instrument = "{COIN}"
side = "short"
coins = {{ BTC = "1.5" }}
hold = {{ size = 927 }}
{FREE}
"""
"""1.5 BTC at 61,804.7 are 92,707.05: all of it but 7.05 is sold short."""
HEDGED = f"""
strategy = "grid"
[venues.BINANCE]
hedged = true
[markets.up]
instrument = "{COIN}"
side = "long"
coins = {{ BTC = "1" }}
[markets.down]
instrument = "{COIN}"
side = "short"
coins = {{ BTC = "0.5" }}
{FREE}
"""


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> Path:
    """Return a working folder with the capture in its catalog."""
    if not (data_dir / CAPTURE).is_file():
        pytest.skip(f"no {CAPTURE}")
    made = tmp_path_factory.mktemp("inverse")
    done = run_cq(made, "data", "import", str(data_dir / CAPTURE))
    assert done.returncode == 0, done.stderr
    return made


def coins_of(fills: list[dict[str, Any]]) -> tuple[Decimal, Decimal]:
    """Return what fills that end flat made in coin before fees, and the fees.

    To the eighth decimal at each booking, as the venue's wallets have.
    """
    made = paid = held = Decimal(0)
    for fill in fills:
        value = CONTRACT * fill["quantity"] / fill["price"]
        made += value.quantize(Decimal("1e-8"))
        fee = (abs(value) * RATES[fill["liquidity"]]).quantize(Decimal("1e-8"))
        assert fill["fee"] == fee
        paid += fee
        held += fill["quantity"]
    assert held == 0
    return made, paid


@pytest.fixture(scope="module")
def grid(folder: Path) -> tuple[dict[str, Any], Path]:
    return run(folder, "grid", GRID)


def test_the_money_is_that_of_the_fills_in_coin(grid: tuple[dict[str, Any], Path]) -> None:
    found, made = grid
    fills, equity = rows(made, "fills"), rows(made, "equity")
    assert len(fills) > 200
    gained, paid = coins_of(fills)
    (session,) = found["sessions"]
    end = Decimal("1.5") + gained - paid
    coin = session["coin"]
    assert [Decimal(coin[key]) for key in ("begin", "end", "fees")] == [Decimal("1.5"), end, paid]
    assert coin["asset"] == "BTC"
    last = equity[-1]
    assert last["balance/margin.BTC"] == end
    # In the report's currency all is counted at the mark: here the last price of the tape.
    mark = last["grid/equity"] / end
    assert mark == mark.quantize(Decimal("0.1"))
    total = sum(Decimal(v) for k, v in session["pnl"].items() if k != "total")
    assert Decimal(found["capital"]) + total == last["grid/equity"]
    traded = sum(abs(fill["quantity"]) for fill in fills)
    assert Decimal(session["traded"]) == traded * CONTRACT
    assert session["position_end"] == "0"
    held = np.cumsum([int(fill["quantity"]) for fill in fills])
    assert int(session["most_held"]) == np.abs(held).max() <= 70


def test_the_mark_of_the_end_is_the_last_recorded_trade(
    grid: tuple[dict[str, Any], Path], folder: Path
) -> None:
    found, made = grid
    (session,) = found["sessions"]
    catalog = Catalog(folder / "catalog")
    until = session["decisions_to_ns"]
    trades = catalog.scan("trade", COIN, session["decisions_from_ns"], until + 10**12)
    shift = session["recv_shift_ns"]
    known = trades["ts_recv"].to_numpy() + shift <= until
    price = Decimal(int(trades["px"].to_numpy()[known][-1])).scaleb(
        -catalog.exps("trade", COIN).price
    )
    last = rows(made, "equity")[-1]
    assert last["grid/equity"] == last["balance/margin.BTC"] * price


def test_it_begins_with_the_coins_at_the_first_middle_of_the_book(
    grid: tuple[dict[str, Any], Path], data_dir: Path
) -> None:
    found, made = grid
    ops = operations([data_dir / CAPTURE])
    book = FrameBook(ops)
    book.until(ops[0][0], inclusive=True)
    ((ask, _),), ((bid, _),) = book.walk(1, Decimal(1)), book.walk(-1, Decimal(1))
    price = Decimal(found["prices"]["BTC"])
    assert 0 <= (bid + ask) / 2 - price < Decimal("0.1")
    assert Decimal(found["capital"]) == Decimal("1.5") * price
    (market,) = found["markets"]
    assert (market["coins"], market["counted_in"]) == ({"BTC": "1.5"}, "contracts")
    text = (made / "stdout.txt").read_text()
    page = (made / "report.html").read_text()
    for said in (f"(1.5 BTC at {price:,})", "margin at end", "0 contracts", "fees in coin"):
        assert said in text
        assert said in page
    assert f"1.5 BTC count as {Decimal(found['capital']):,f} USD at first" in page


def test_the_same_run_from_its_own_config_gives_the_same_bytes(
    grid: tuple[dict[str, Any], Path], folder: Path
) -> None:
    _, made = grid
    _, again = run(folder, "again", (made / "config.toml").read_text())
    for name in ("fills.parquet", "equity.parquet", "metrics.json", "decisions.jsonl"):
        assert (again / name).read_bytes() == (made / name).read_bytes()


def test_a_short_of_all_coins_is_cash(folder: Path) -> None:
    """Only what is not sold short, 7 of 92,707 USD, moves with the price; and the fee in coin."""
    _, made = run(folder, "cash", CASH, "--single")
    entries = [fill for fill in rows(made, "fills") if fill["quantity"] < 0]
    sold = -sum(fill["quantity"] for fill in entries)
    assert sold == 927
    cost = sum(CONTRACT * -fill["quantity"] / fill["price"] for fill in entries)
    fee = sum(fill["fee"] for fill in entries)
    rest = Decimal("1.5") - cost - fee
    open_rows = [r for r in rows(made, "equity") if r[f"position/{COIN}"] == -927]
    assert len(open_rows) > 300
    for row in open_rows:
        # what is left over of the coins at a price within 2 % of the first one
        assert abs(row["cash/equity"] - 92_700 - rest * 61_000) < abs(rest) * 1_250 + Decimal(
            "0.01"
        )
    worth = [row["cash/equity"] for row in open_rows]
    assert max(worth) - min(worth) < 1
    first, last = rows(made, "equity")[0], rows(made, "equity")[-1]
    assert abs(first["cash/equity"] - last["cash/equity"]) < 3 * fee * 61_804
    _, grids = run(folder, "unhedged", GRID.replace('most = "50"', 'most = "10"'), "--single")
    moved = [row["grid/equity"] for row in rows(grids, "equity")]
    assert max(moved) - min(moved) > 100  # the coins themselves fell by as much


def test_funding_is_received_in_coin_by_the_short(folder: Path, data_dir: Path) -> None:
    """The rate that USD-M settled at 00:00, filed for this contract: no sample has its own."""
    paths = [*sorted((data_dir / "binance_perp").glob("*funding-8h*"))]
    if not paths:
        pytest.skip("no settled funding")
    plain, _ = run(folder, "unpaid", CASH, "--single")
    done = run_cq(folder, "data", "import", *map(str, paths), "--catalog", "paid")
    assert done.returncode == 0, done.stderr
    done = run_cq(folder, "data", "import", str(data_dir / CAPTURE), "--catalog", "paid")
    assert done.returncode == 0, done.stderr
    catalog = Catalog(folder / "paid")
    for part in catalog.parts_of("funding", LINEAR):
        source = SourceInfo(part.source.name, f"again {part.sha256}", 1, "test")
        table = catalog.scan("funding", LINEAR, part.start, part.end + 1)
        catalog.write("funding", COIN, table, source, catalog.exps("funding", LINEAR), part.recv)
    found, made = run(folder, "paid-run", CASH, "--single", "--catalog", "paid")
    (session,), (before,) = found["sessions"], plain["sessions"]
    assert session["decisions_to_ns"] > 1_723_161_600 * 10**9 > before["decisions_to_ns"]
    settled = catalog.scan("funding", LINEAR, 1_723_161_599 * 10**9, 1_723_161_601 * 10**9)
    rate = Decimal(int(settled["rate"].to_numpy()[0])).scaleb(-catalog.exps("funding", LINEAR).rate)
    assert rate != 0
    gained, paid = coins_of(rows(made, "fills"))
    coin = session["markets"]["cash"]["coin"]
    received = Decimal(coin["end"]) - Decimal("1.5") - gained + paid
    dollars = Decimal(session["markets"]["cash"]["pnl"]["funding"])
    mark = dollars / received
    assert mark == mark.quantize(Decimal("0.1"))
    assert received == (92_700 / mark * rate).quantize(Decimal("1e-8"))


def test_two_legs_in_hedge_mode_add_up_in_coin(folder: Path) -> None:
    found, made = run(folder, "hedged", HEDGED, "--single")
    (session,) = found["sessions"]
    fills, end = rows(made, "fills"), Decimal(0)
    for name, coins in (("up", Decimal(1)), ("down", Decimal("0.5"))):
        own = [fill for fill in fills if fill["sleeve"] == name]
        assert len(own) > 20
        gained, paid = coins_of(own)
        book = session["markets"][name]
        assert Decimal(book["coin"]["end"]) == coins + gained - paid
        assert Decimal(book["coin"]["fees"]) == paid
        held = np.cumsum([int(fill["quantity"]) for fill in own])
        assert (held * (1 if name == "up" else -1) >= 0).all()
        end += coins + gained - paid
    last = rows(made, "equity")[-1]
    assert last["balance/margin.BTC"] == end
    assert last["portfolio/equity"] == last["up/equity"] + last["down/equity"]
    assert Decimal(session["venues"]["BINANCE"]["balances"]["margin BTC"]) == end
    assert found["capital"] == "92707.05"


@pytest.mark.parametrize("heading", ["A grid on coins", "A short of all coins is cash"])
def test_an_example_prints_what_its_page_says(folder: Path, heading: str) -> None:
    page = (Path(__file__).parents[2] / "docs" / "how-to" / "inverse.md").read_text()
    part = page.partition(f"## {heading}\n")[2].partition("\n## ")[0]
    (config,), (shown,) = (
        re.findall(rf"^```{kind}\n(.*?)^```$", part, re.M | re.S) for kind in ("toml", "text")
    )
    _, made = run(folder, f"page {heading}", config, "--single")
    printed = (made / "stdout.txt").read_text().splitlines()
    for line in shown.splitlines():
        assert line in printed


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (f'instrument = "{COIN}"', f"coins: {COIN} is margined in BTC, not USD: expected coins ="),
        (
            f'instrument = "{COIN}"\ncapital = 5\ncoins = {{ BTC = 1 }}',
            f"coins: {COIN} is margined in BTC, not USD: expected coins = {{ BTC = … }} and no cap",
        ),
        (
            f'instrument = "{COIN}"\ncoins = {{ BTC = 1, ETH = 1 }}',
            f"coins: expected what margins {COIN} (BTC), was ETH",
        ),
        (
            f'instrument = "{COIN}"\ncoins = {{ BTC = -1 }}',
            "coins.BTC: Input should be greater tha",
        ),
    ],
)
def test_money_that_cannot_be_is_one_line(folder: Path, text: str, said: str) -> None:
    (folder / "wrong.toml").write_text(text)
    done = run_cq(folder, "backtest", "--config", "wrong.toml", "--runs", "never", "--single")
    assert done.returncode == 2, done.stdout
    assert said in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
    assert not (folder / "never").exists()


def _shocks(folder: Path, made: Path, *names: str) -> dict[str, dict[str, Any]]:
    done = run_cq(folder, "stress", str(made), *(f"--shock={name}" for name in names))
    assert done.returncode == 0, done.stderr
    rows = json.loads((made / "stress.json").read_text())["shocks"]
    return {row["key"]: row for row in rows}


def test_a_gap_takes_a_fifth_of_the_coins_and_of_what_is_long(
    grid: tuple[dict[str, Any], Path], folder: Path
) -> None:
    """At 0.8 of a price the coins are worth 0.8, and each dollar of a long has lost 0.2."""
    rows = _shocks(folder, grid[1], "gap_down", "usdt_down")
    gap = rows["gap_down"]
    held = gap["held"]
    assert 0.01 < held < 0.2
    after = gap["shocked"]["ret"]
    assert gap["plain"]["unhedged"] == pytest.approx(1 + held, abs=0.02)
    assert after == pytest.approx(-0.2 * (1 + held) + gap["plain"]["ret"], abs=0.001)
    assert 0.0 < gap["shocked"]["margin_ratio"] < 0.01
    assert "prices are in dollars" in json.dumps(rows["usdt_down"])


def test_a_short_of_all_coins_stays_cash_through_a_gap(folder: Path) -> None:
    _, made = run(folder, "cash under shocks", CASH, "--single")
    entries = [fill for fill in rows(made, "fills") if fill["quantity"] < 0]
    sold = sum(CONTRACT * -fill["quantity"] / fill["price"] + fill["fee"] for fill in entries)
    rest = float(abs(Decimal("1.5") - sold))
    for name, row in _shocks(folder, made, "gap_down", "gap_up").items():
        assert row["shocked"]["ret"] == pytest.approx(row["plain"]["ret"], abs=0.001), name
        assert not row["shocked"]["ruined"], name
        # What the short leaves of the coins, at no more than a fifth above where they began.
        assert 0 < row["shocked"]["unhedged"] < rest * 61_804.7 * 1.21 / 92_600, name


def test_coins_are_not_carried_over_a_hole(folder: Path, data_dir: Path) -> None:
    """Two sessions of the linear contract, 16 months apart: the price of the coin has doubled."""
    config = """
strategy = "grid"
[venue]
collateral = ["BTC"]
[markets.maker]
instrument = "BTCUSDT-PERP.BINANCE"
coins = { BTC = "1" }
"""
    place = folder / "hole"
    place.mkdir()
    (place / "run.toml").write_text(config)
    assert run_cq(place, "data", "import", str(data_dir / "hftbacktest" / "usdm")).returncode == 0
    done = run_cq(place, "backtest", "--config", "run.toml", "--single")
    assert done.returncode == 2
    assert "coins: expected one session, was" in done.stderr
    assert len(done.stderr.strip().splitlines()) == 1
