"""The numbers of a session, worked out on paper."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from crypto_quant.backtesting.engine.markouts import HORIZONS_NS, pooled
from crypto_quant.backtesting.engine.tick_figures import (
    NOTHING,
    Ran,
    Standing,
    Watch,
    session_figures,
)
from crypto_quant.core.instruments import Instrument
from crypto_quant.runtime.config import TickConfig
from crypto_quant.runtime.decisions import NoLog
from crypto_quant.runtime.drive import recorded
from crypto_quant.runtime.markets import markets_of
from crypto_quant.runtime.middles import middles
from crypto_quant.runtime.order_latency import Travel
from crypto_quant.runtime.ticks import TickReader, TickTape
from crypto_quant.strategy.position_manager.imbalance import ImbalanceConfig
from tests.unit.runtime.one_market import compose_tick_state, joint, tick_capital, tick_line
from tests.unit.runtime.tick_market import MS, PERP, T0, book, keep, levels, snapshot, trades

CONFIG = TickConfig(size=ImbalanceConfig(hold_ms=3000, rest_ms=60_000))


INVERSE = replace(PERP, contract="inverse", settle="BTC", multiplier=Decimal(100_000))
"""Contracts of 100,000 USDT: the bet's hundredth of one is 1,000."""
PRICES = {"BTC": Decimal(10**5)}
IN_COIN = CONFIG.model_copy(update={"capital": Decimal(0), "coins": {"BTC": Decimal(1)}})


@pytest.fixture
def found(tmp_path: Path) -> tuple[dict[str, Any], Standing]:
    return one_bet(tmp_path, PERP, CONFIG)


def one_bet(
    tmp_path: Path, instrument: Instrument, config: TickConfig
) -> tuple[dict[str, Any], Standing]:
    """Run one bet: in at 100,000.10, the market moves up by 1.00, out at 100,001.00."""
    gone = [(-1, px, 0) for side, px, _ in levels(200, 20) if side < 0]
    updates = [
        snapshot(0, 5, levels(200, 20)),
        (1200, 5, 6, [*gone, *levels(200, 20, up=100)], 0),
        (9000, 6, 7, [(1, 9_000_000, 1)], 0),
    ]
    keep(tmp_path, "delta", book(updates, 3), "a", "vendor")
    times = list(range(10, 9000, 50))
    ids = [*range(len(times) - 1), len(times) + 1]
    reader = TickReader(keep(tmp_path, "trade", trades(times, 3, ids), "a", "vendor"), instrument)
    tape = reader.read(reader.sessions()[0])
    assert isinstance(tape, TickTape)
    line = tick_line(
        config, reader.instrument, tape, tick_capital(config, reader.instrument, PRICES)
    )
    watch = Watch(NoLog())
    recorded(line, compose_tick_state(config, reader.instrument), watch)
    way = Travel(5 * MS, 7 * MS, {}, "as the test says")
    markets = markets_of(config, (reader.instrument,))
    ran = Ran(line, markets, joint(tape), {"BINANCE": way}, (middles(tape, 10),))
    figures = session_figures(ran, NOTHING, watch)
    return figures, Standing.of(line, markets)


def test_counts_are_those_of_one_bet_with_its_stop(
    found: tuple[dict[str, Any], Standing],
) -> None:
    figures, standing = found
    assert figures["fills"] == {"taker": 2, "maker": 0, "at_data_end": 0, "liquidated": 0}
    assert figures["liquidations"] == []
    assert figures["orders"] == {"sent": 3, "market": 2, "stop_market": 1, "rejected": 0}
    assert (figures["missing_trade_ids"], figures["updates_of_no_book"]) == (2, 0)
    assert figures["events"] == {"delta": 26, "gap": 0, "trade": 180}
    assert (figures["decisions_from_ns"], figures["length_s"]) == (T0 + 3 * MS, 9.0)
    # 100 ms to 9,000 ms; the fill, and the fill with the end of the stop; the end.
    assert figures["wake_ups"] == {
        "timer": 90,
        "account": 2,
        "gap": 0,
        "data_end": 1,
        "alarm": 0,
    }
    assert Decimal(figures["position_end"]) == 0
    assert Decimal(figures["most_held"]) == Decimal("0.01")
    assert (standing.fills, standing.orders, standing.rows) == (2, 3, 10)


def test_money_is_that_of_the_two_fills(found: tuple[dict[str, Any], Standing]) -> None:
    figures, _ = found
    pnl = {name: float(text) for name, text in figures["pnl"].items()}
    assert Decimal(figures["traded"]) == Decimal("2000.0110")
    assert pnl["price"] == 0.01  # middle to middle: 100,000.05 to 100,001.05
    assert pnl["spread"] == -0.001  # half of ten cents, twice
    fee = float(PERP.fees["VIP0"].at(T0)[0].taker)
    assert pnl["fees"] == pytest.approx(-fee * float(figures["traded"]), abs=1e-8)
    assert pnl["total"] == pytest.approx(0.009 + pnl["fees"], abs=1e-12)
    assert pnl["impact"] == pnl["funding"] == pnl["basis"] == pnl["transfer_fees"] == 0.0


def test_an_inverse_contract_has_its_fills_in_dollars_and_its_money_in_coin(
    tmp_path: Path, found: tuple[dict[str, Any], Standing]
) -> None:
    """Bought for 1,000 USDT at 100,000.10 and sold for as much at 100,001.00."""
    figures, standing = one_bet(tmp_path / "coin", INVERSE, IN_COIN)
    plain, _ = found
    for name in ("fills", "orders", "wake_ups", "markout_bps"):
        assert figures[name] == plain[name]
    assert Decimal(figures["traded"]) == 2_000
    assert Decimal(figures["most_held"]) == Decimal("0.01")  # contracts
    digits, fee = Decimal("1e-8"), PERP.fees["VIP0"].at(T0)[0].taker
    bought, sold = (Decimal(1_000) / Decimal(px) for px in ("100000.1", "100001"))
    paid = (bought * fee).quantize(digits) + (sold * fee).quantize(digits)
    end = 1 + bought.quantize(digits) - sold.quantize(digits) - paid
    coin = {name: Decimal(figures["coin"][name]) for name in ("begin", "end", "fees")}
    assert coin == {"begin": Decimal(1), "end": end, "fees": paid}
    assert standing.coins == (end,)
    assert "coin" not in plain


def test_markouts_are_from_the_fill_to_the_middle_at_the_venue_later(
    found: tuple[dict[str, Any], Standing],
) -> None:
    markouts = found[0]["markout_bps"]
    # In at 305 ms at 100,000.10, where the middle is 100,000.05; from 1,200 ms on it is
    # 100,001.05. Out at 100,001.00.
    low, up = round(-0.05 / 100_000.10 * 1e4, 4), round(0.95 / 100_000.10 * 1e4, 4)
    back = round(-0.05 / 100_001.00 * 1e4, 4)
    one = {"fills": 1, "quantity": 10}
    none = {"bps": None, "fills": 0, "quantity": 0}
    assert markouts["taker"]["entry"] == {
        "0.1s": {"bps": low, **one},
        "1s": {"bps": up, **one},
        "5s": {"bps": up, **one},
        "60s": none,
    }
    assert markouts["taker"]["exit"]["1s"] == {"bps": back, **one}
    assert set(markouts["taker"]["exit"]) == {"0.1s", "1s", "5s", "60s"}
    assert all(cell == none for kind in markouts["maker"].values() for cell in kind.values())


def test_pooled_markouts_weigh_sessions_by_what_they_traded() -> None:
    def session(bps: float | None, fills: int, quantity: int) -> dict[str, Any]:
        cell = {"bps": bps, "fills": fills, "quantity": quantity}
        none = {"bps": None, "fills": 0, "quantity": 0}
        rows = {h: (cell if h == "1s" else none) for h in HORIZONS_NS}
        return {
            "markout_bps": {
                "maker": {"entry": rows, "exit": rows},
                "taker": {"entry": rows, "exit": rows},
            }
        }

    found = pooled([session(1.0, 2, 30), session(-3.0, 1, 10), session(None, 0, 0)])
    # (1 x 30 - 3 x 10) / 40
    assert found["maker"]["entry"]["1s"] == {"bps": 0.0, "fills": 3, "quantity": 40}
    assert found["taker"]["exit"]["60s"] == {"bps": None, "fills": 0, "quantity": 0}


def test_latency_is_said_in_ms(found: tuple[dict[str, Any], Standing]) -> None:
    said = {"entry_ms": 5.0, "response_ms": 7.0, "source": "as the test says"}
    assert found[0]["latency"] == said
