"""A pair across two venues on recorded hours: Binance sold, Bybit bought, one portfolio.

The reference reads the same files and adds up by hand: fills at the open of the hour that the
order meets, the venues' taker fees, and the funding that Binance settled. Bybit's settled rates
of these months are not recorded, so its leg pays none.
"""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pyarrow.parquet as pq
import pytest

from crypto_quant.core.instruments import Instrument
from crypto_quant.core.messages import (
    RISK_SEAL,
    Allocation,
    Approved,
    Order,
    OrderType,
    Place,
    Side,
    Transfer,
    Wake,
    Wallet,
)
from crypto_quant.core.terms import terms_at
from crypto_quant.runtime.line import RecordedLine
from crypto_quant.runtime.line_spec import HOUR_NS, Deposit, LineSpec
from crypto_quant.venues.rules import load_instruments

pytestmark = pytest.mark.data

BINANCE, BYBIT = "BTCUSDT-PERP.BINANCE", "BTCUSDT-PERP.BYBIT"
FILES = {
    BINANCE: "binance_perp/BTCUSDT-perp-1h_2023-01_2026-04.parquet",
    BYBIT: "bybit_perp/BTCUSDT-perp-1h.parquet",
}
START = int(np.datetime64("2024-08-03", "ns").astype(np.int64))
END = int(np.datetime64("2024-08-08", "ns").astype(np.int64))
SIZE = Decimal(2)
FREE = {"slippage_floor_bps": 0, "impact_y": 0.0, "max_participation": 1}
ASKED = 6
"""The timer, counted from 0, at which the pair is opened."""


class Hours(NamedTuple):
    """Recorded hours of an instrument: opens (n,) ns, prices and volumes as recorded."""

    opens: np.ndarray[Any, np.dtype[np.int64]]
    prices: dict[str, list[Decimal]]
    volume: list[Decimal]


def hours(data_dir: Path, name: str) -> Hours:
    """Read the hours of the session from the file itself."""
    table = pq.read_table(data_dir / FILES[name])
    column = "timestamp" if "timestamp" in table.column_names else "date"
    opens = np.asarray(table[column].to_numpy()).astype("datetime64[ns]").astype(np.int64)
    inside = (opens >= START) & (opens < END)
    assert inside.sum() == (END - START) // HOUR_NS

    def exact(key: str) -> list[Decimal]:
        return [Decimal(str(value)) for value in np.asarray(table[key])[inside]]

    prices = {key: exact(key) for key in ("open", "high", "low", "close")}
    return Hours(opens[inside], prices, exact("volume"))


def funding(data_dir: Path) -> dict[int, Decimal]:
    """Read what Binance settled in the session, by its scheduled hour."""
    table = pq.read_table(data_dir / "binance_perp/BTCUSDT-perp-funding-8h_2023-01_2026-04.parquet")
    rates = {}
    for row in table.to_pylist():
        at = int(np.datetime64(row["timestamp"], "ns").astype(np.int64))
        at = (at + HOUR_NS // 2) // HOUR_NS * HOUR_NS
        if START < at < END:
            rates[at] = Decimal(str(row["rate"]))
    assert len(rates) == 14
    return rates


def line(
    data_dir: Path,
    names: tuple[str, ...],
    capital: Mapping[str, Decimal],
    sim: Mapping[str, Mapping[str, object]],
) -> RecordedLine:
    """Put the recorded hours of instruments on one tape."""
    traded = tuple(map(load_instruments().__getitem__, names))
    spec = LineSpec(
        instruments=traded,
        sleeves=("pair", "idle"),
        features=(),
        series=(),
        quote="USDT",
        grid_ns=HOUR_NS,
        start=START,
        end=END,
        sim={name: own for name, own in sim.items() if name in capital},
        leverage=10,
    )
    out = RecordedLine(
        spec, [Deposit(0, Wallet.MARGIN, money, at) for at, money in capital.items()]
    )
    for index, instrument in enumerate(traded):
        read = hours(data_dir, instrument.id)
        price, size = 10**instrument.price_exp, 10**instrument.qty_exp
        columns = [[int(px * price) for px in own] for own in read.prices.values()]
        opened, high, low, close = map(np.array, columns)
        volume = np.array([int(amount * size) for amount in read.volume])
        known = read.opens + HOUR_NS
        out.native.add_bars(index, HOUR_NS, read.opens, known, opened, high, low, close, volume)
        if instrument.id == BINANCE:
            rates = funding(data_dir)
            times = np.array(sorted(rates))
            exact = np.array([int(rates[int(at)].scaleb(10)) for at in times])
            out.native.add_funding(index, times, times, exact, rate_exp=10)
    return out


def order(number: int, index: int, instrument: Instrument, side: Side) -> Place:
    """Return the market order for one leg."""
    quantity = int(SIZE.scaleb(instrument.qty_exp))
    parts = (Allocation(0, quantity if side is Side.BUY else -quantity),)
    leg = Order(
        0, number, index, side, quantity, OrderType.MARKET, None, None, False, parts, "pair"
    )
    return Place(Approved(leg, (), RISK_SEAL))


def run(tape: RecordedLine, sides: Mapping[str, Side]) -> None:
    """Open the legs at one timer and live through the rest."""
    timers = 0
    while (wake := tape.next()) is not None:
        if wake is Wake.TIMER:
            if timers == ASKED:
                traded = enumerate(tape.spec.instruments)
                tape.execute([order(n + 1, n, i, sides[i.id]) for n, i in traded])
            timers += 1


def by_hand(data_dir: Path, name: str, side: int, capital: Decimal) -> Decimal:
    """Return what a leg leaves in its wallet, from the recorded files alone."""
    read = hours(data_dir, name)
    fee = Decimal(str(terms_at(load_instruments()[name], START).taker))
    opened, closed = read.prices["open"][ASKED], read.prices["close"][-1]
    money = capital + side * SIZE * (closed - opened) - SIZE * (opened + closed) * fee
    if name == BINANCE:
        entered = START + ASKED * HOUR_NS
        for at, rate in funding(data_dir).items():
            if at > entered:
                mark = read.prices["open"][(at - START) // HOUR_NS]
                money -= round(side * SIZE * mark * rate, 8)
    return money


SIDES = {BINANCE: Side.SELL, BYBIT: Side.BUY}
SIM: Mapping[str, Mapping[str, object]] = {
    "BINANCE": {**FREE, "entry_latency_ns": 5_000_000},
    "BYBIT": {**FREE, "entry_latency_ns": 90_000_000, "response_latency_ns": 80_000_000},
}


def test_a_pair_across_venues_is_worth_what_its_files_say(data_dir: Path) -> None:
    capital = {"BINANCE": Decimal(30_000), "BYBIT": Decimal(40_000)}
    tape = line(data_dir, (BINANCE, BYBIT), capital, SIM)
    run(tape, SIDES)
    native = tape.native
    fills = native.fills()
    sent = START + ASKED * HOUR_NS
    assert list(fills["ts_event"])[:2] == [sent + 5_000_000, sent + 90_000_000]
    assert list(fills["ts_recv"])[:2] == [sent + 55_000_000, sent + 170_000_000]
    short = by_hand(data_dir, BINANCE, -1, capital["BINANCE"])
    long = by_hand(data_dir, BYBIT, 1, capital["BYBIT"])
    wallet = tape.accounts.wallet
    held = [native.sleeve_balance(0, wallet(Wallet.MARGIN, at), "USDT") for at in capital]
    assert held == [short, long]
    assert native.equity() == native.sleeve_equity(0) == short + long
    assert native.sleeve_equity(1) == 0


def test_a_ruin_at_one_venue_leaves_the_other_as_if_it_were_alone(data_dir: Path) -> None:
    # Two bought at about 61 700 with 15 000 cannot live through the fall to 49 000 of 5 August.
    capital = {"BINANCE": Decimal(30_000), "BYBIT": Decimal(15_000)}
    both = line(data_dir, (BINANCE, BYBIT), capital, SIM)
    run(both, SIDES)
    ruined = both.native.liquidations()
    assert set(ruined["instrument"]) == {1}
    alone = line(data_dir, (BINANCE,), {"BINANCE": capital["BINANCE"]}, SIM)
    run(alone, SIDES)
    assert len(alone.native.liquidations()["order_id"]) == 0
    at = both.accounts.wallet(Wallet.MARGIN, "BINANCE")
    left = alone.native.sleeve_balance(0, int(Wallet.MARGIN), "USDT")
    assert both.native.sleeve_balance(0, at, "USDT") == left
    gone = both.accounts.wallet(Wallet.MARGIN, "BYBIT")
    assert both.native.sleeve_balance(0, gone, "USDT") == 0
    assert both.native.equity() == left


def test_money_that_is_moved_in_time_keeps_the_pair_whole(data_dir: Path) -> None:
    capital = {"BINANCE": Decimal(30_000), "BYBIT": Decimal(15_000)}
    pair = line(data_dir, (BINANCE, BYBIT), capital, SIM)
    view = 0
    while (wake := pair.next()) is not None:
        if wake is not Wake.TIMER:
            continue
        if view == ASKED:
            legs = enumerate(pair.spec.instruments)
            pair.execute([order(n + 1, n, i, SIDES[i.id]) for n, i in legs])
        if view == 30:
            move = Transfer(
                0,
                0,
                Wallet.MARGIN,
                Decimal(12_000),
                "to the losing leg",
                "BINANCE",
                "BYBIT",
                Decimal(1),
            )
            pair.execute([move])
        view += 1
    assert len(pair.native.liquidations()["order_id"]) == 0
    short = by_hand(data_dir, BINANCE, -1, capital["BINANCE"])
    long = by_hand(data_dir, BYBIT, 1, capital["BYBIT"])
    assert pair.native.equity() == short + long - 1
