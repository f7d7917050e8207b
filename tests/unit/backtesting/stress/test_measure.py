"""Figures of a stretch, on books that were made by hand."""

from __future__ import annotations

import math
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest

from crypto_quant.backtesting.engine.portfolio import Books
from crypto_quant.backtesting.stress.measure import (
    Coins,
    Figures,
    Market,
    measure,
    over_equity,
    value,
)
from crypto_quant.backtesting.stress.tape import DAY_NS, HOUR_NS, Worth
from crypto_quant.core.measures.arrays import Ints
from crypto_quant.runtime.segments import Span
from crypto_quant.strategy.risk_manager.config import RiskConfig
from tests.unit.backtesting.stress.tapes import SPOT, T0, instruments

NEVER = np.iinfo(np.int64).min
EQUITY = [100.0, 100.0, 90.0, 99.0, 110.0, 100.0]


def raw(values: list[float]) -> bytes:
    units = [int(Decimal(str(value)).scaleb(18)) for value in values]
    return b"".join(unit.to_bytes(16, "little", signed=True) for unit in units)


def books(equity: list[float], ratio: list[float] | None = None, perp: int = 0) -> Books:
    """Return hourly rows from ``T0``; one stop at 100 that sold at 99, one order refused."""
    ts = T0 + np.arange(len(equity), dtype=np.int64) * HOUR_NS
    held = np.full(len(equity), perp, dtype=np.int64)
    perpetual, spot = instruments()
    rows = {
        "ts": ts,
        "equity": raw(equity),
        f"position.{perpetual.id}": held,
        f"position.{spot.id}": np.zeros_like(held),
        "margin_ratio.margin.USDT": np.array(ratio or [0.01] * len(equity)),
        "margin_ratio.spot.USDT": np.full(len(equity), np.nan),
    }
    orders = {
        "order_id": np.array([1, 2]),
        "ts": np.array([T0, T0 + 3 * HOUR_NS]),
        "stop": np.array([10_000, NEVER]),
        "side": np.array([-1, 1]),
        "type": ["stop_market", "market"],
        "status": ["filled", "rejected"],
    }
    fills = {
        "order_id": np.array([1, 9]),
        "ts_event": np.array([T0 + 3 * HOUR_NS, T0 + 3 * HOUR_NS]),
        "px": np.array([9_900, 9_900]),
        "tag": ["", "adl"],
    }
    return Books(("carry",), rows, fills, orders, {}, {})


def price(n: int, ts: Ints) -> Ints:
    return np.full(ts.size, 10_000) + np.arange(ts.size) * (100 if n == SPOT else 0)


def figures(made: Books, worth: tuple[Worth, ...] = (), last: int = 5) -> Figures:
    market = Market(instruments(), price, worth)
    return measure(RiskConfig(), market, made, Span(T0 + 2 * HOUR_NS, T0 + last * HOUR_NS), 100.0)


def test_a_stretch_is_measured_from_the_last_row_before_it() -> None:
    found = figures(books(EQUITY))
    assert found.ret == pytest.approx(0.0)
    assert found.depth == pytest.approx(0.1)
    assert found.held == pytest.approx(0.04)
    assert not found.ruined
    assert figures(books(EQUITY), last=3).ret == pytest.approx(-0.01)


def test_before_the_first_row_a_stretch_is_measured_from_the_capital() -> None:
    """A gap in the first second of a session: its loss is in the first row already."""
    market = Market(instruments(), price, ())
    made = books([80.0] * 6, perp=-2_000)
    rows = {**made.equity, "ts": T0 + np.arange(1, 7) * HOUR_NS}
    span = Span(T0 + HOUR_NS // 2, T0 + 2 * HOUR_NS)
    found = measure(RiskConfig(), market, replace(made, equity=rows), span, 100.0)
    assert found.ret == pytest.approx(-0.2)
    assert found.depth == pytest.approx(0.2)
    assert not found.limits[0].held


def test_a_run_in_spot_has_no_margin_to_lose() -> None:
    (spot,) = (one for one in instruments() if one.contract == "spot")
    found = measure(
        RiskConfig(), Market((spot,), price, ()), books(EQUITY), Span(T0, T0 + HOUR_NS), 100.0
    )
    assert found.margin_ratio == 0.0
    assert not found.ruined


def test_results_are_in_dollars_where_the_quote_asset_is_not_worth_one() -> None:
    worth = Worth(Span(T0 + 3 * HOUR_NS, T0 + 4 * HOUR_NS), 0.95)
    found = figures(books([100.0] * 6), (worth,))
    assert found.ret == 0.0
    assert found.depth == pytest.approx(0.05)
    assert figures(books([100.0] * 6), (worth,), last=3).ret == pytest.approx(-0.05)


def test_an_inverse_contract_is_worth_its_dollars() -> None:
    """Five contracts of 100 dollars, at any price; the linear one is a quantity at a price."""
    perp, _ = instruments()
    inverse = replace(perp, contract="inverse", multiplier=Decimal(100), qty_exp=0)
    px = np.array([4_000_000, 5_000_000])
    assert value(inverse, px, np.array([5, -5])).tolist() == [500.0, -500.0]
    assert value(perp, px, np.array([5, -5])) == pytest.approx([200.0, -250.0])


def test_coins_of_the_start_are_unhedged_but_for_what_is_sold_short_of_them() -> None:
    """Of 3 coins 2 are sold short; 1 more is bought as spot, and 3 travel in the last row of it.

    Prices are 100 before the stretch, 101, 102 and 103 in it and 104 at its end. Where nothing
    is held, before and after, coins count for nothing.
    """
    perp, spot = instruments()
    lots = np.array([0, 0, 1, 1, 1, 0])
    held = {
        f"position.{perp.id}": -2_000 * lots,
        f"position.{spot.id}": 10**spot.qty_exp * lots,
        "balance.spot.BTC": raw([1.0, 1.0, 0.0, 0.0, 0.0, 0.0]),
        "balance.margin.BTC": raw([3.0, 9.0, 4.0, 4.0, 1.0, 9.0]),
        "in_flight.margin.BTC": raw([0.0, 0.0, 0.0, 0.0, 3.0, 0.0]),
    }
    made = books([300.0] * 6)
    rows = replace(made, equity={**made.equity, **held})
    span = Span(T0 + 2 * HOUR_NS, T0 + 5 * HOUR_NS)
    for coins, net in ((), -200.0 + 101.0), ((Coins("BTC", 3.0, SPOT),), -200.0 + 4 * 103.0):
        found = measure(RiskConfig(), Market((perp, spot), price, (), coins), rows, span, 300.0)
        assert found.unhedged == pytest.approx(abs(net) / 300.0)


def test_what_is_held_when_a_stretch_begins_counts_with_the_coins_of_then() -> None:
    """2 coins are held long beside 3 when a shock begins, and are gone at the next row."""
    perp, spot = instruments()
    made = books([300.0] * 6)
    held = {
        f"position.{perp.id}": np.array([0, 2_000, 0, 0, 0, 0]),
        "balance.margin.BTC": raw([3.0] * 6),
    }
    rows = replace(made, equity={**made.equity, **held})
    span = Span(T0 + 2 * HOUR_NS, T0 + 5 * HOUR_NS)
    market = Market((perp, spot), price, (), (Coins("BTC", 3.0, SPOT),))
    assert measure(RiskConfig(), market, rows, span, 300.0).unhedged == pytest.approx(500 / 300)


def test_cash_beside_coins_that_margin_inverse_contracts_is_no_coin() -> None:
    perp, _ = instruments()
    inverse = replace(perp, contract="inverse", multiplier=Decimal(100), qty_exp=0)
    made = books([300.0] * 6, perp=-2)
    rows = replace(made, equity={**made.equity, f"balance.margin.{perp.quote}": raw([100.0] * 6)})
    span = Span(T0 + 2 * HOUR_NS, T0 + 5 * HOUR_NS)
    market = Market((inverse,), price, (), (Coins("BTC", 2.0, 0),))
    assert measure(RiskConfig(), market, rows, span, 300.0).unhedged == pytest.approx(0.0)


def test_limits_say_what_was_seen_and_whether_they_held() -> None:
    # One contract unit is 0.001 of a coin: 2,000 units at 100 are a notional of 200.
    limits = {limit.name: limit for limit in figures(books(EQUITY, perp=-2_000)).limits}
    loss, margin, gross = (limits[n] for n in ("daily loss", "initial margin", "gross notional"))
    assert loss.seen == pytest.approx(0.1)
    assert not loss.held
    assert margin.seen == pytest.approx(200 / 90 / 5)
    assert not margin.held
    assert gross.seen == pytest.approx(200 / 90)
    assert gross.held
    assert figures(books(EQUITY, perp=-2_000)).unhedged == pytest.approx(200 / 90)


def test_a_day_begins_with_its_own_equity() -> None:
    made = books([100.0, 98.0, 96.0, 94.0])
    rows = {**made.equity, "ts": T0 + DAY_NS + np.array([-2, -1, 0, 1]) * HOUR_NS}
    market = Market(instruments(), price, ())
    span = Span(T0 + DAY_NS - HOUR_NS, T0 + 2 * DAY_NS)
    limits = measure(RiskConfig(), market, replace(made, equity=rows), span, 100.0).limits
    assert limits[0].seen == pytest.approx(1 - 94 / 96)


def test_a_stop_slips_by_what_it_filled_beyond_its_trigger() -> None:
    stops = figures(books(EQUITY)).stops
    assert stops.filled == 1
    assert [stops.mean_bps, stops.worst_bps] == pytest.approx([100.0, 100.0])
    none = figures(books(EQUITY), last=2).stops
    assert none.filled == 0
    assert math.isnan(none.worst_bps)


def test_what_happened_is_counted_within_the_stretch() -> None:
    found = figures(books(EQUITY))
    assert (found.fills, found.taken, found.rejected) == (2, 1, 1)
    early = figures(books(EQUITY), last=2)
    assert (early.fills, early.taken, early.rejected) == (0, 0, 0)


@pytest.mark.parametrize(
    ("equity", "ratio"),
    [
        (EQUITY, [0.1, 0.1, 1.0, 0.1, 0.1, 0.1]),
        (EQUITY, [0.1, 0.1, math.nan, 0.1, 0.1, 0.1]),
        ([100.0, 100.0, -1.0, 50.0, 50.0, 50.0], None),
    ],
)
def test_ruin_is_said(equity: list[float], ratio: list[float] | None) -> None:
    found = figures(books(equity, ratio, perp=-1))
    assert found.ruined
    assert not figures(books(EQUITY, [0.99] * 6)).ruined


def test_a_wallet_without_money_that_holds_nothing_is_not_ruined() -> None:
    """What was moved out of it, or never there, margins nothing: there is no ratio."""
    found = figures(books(EQUITY, [math.nan] * 6))
    assert found.margin_ratio == 0.0
    assert not found.ruined


def test_a_liquidation_between_two_rows_is_ruin() -> None:
    """Afterwards nothing is held, so no row shows the ratio at which it came."""
    made = books(EQUITY)
    late = replace(made, fills={**made.fills, "tag": ["", "liquidation"]})
    assert figures(late).margin_ratio == 1.0
    assert figures(late).ruined
    assert not figures(late, last=2).ruined


def test_the_margin_ratio_is_that_of_the_worst_account() -> None:
    """By venue: a wallet is asked for the contracts that are held there."""
    perp, spot = instruments()
    far = replace(perp, id="BTCUSDT-PERP.BYBIT", venue="bybit")
    made = books(EQUITY, perp=-1_000)
    flat = np.zeros(6, dtype=np.int64)
    rows = {
        **{k: v for k, v in made.equity.items() if not k.startswith("margin_ratio")},
        f"position.{far.id}": flat,
        "margin_ratio.margin.BINANCE.USDT": np.full(6, 0.2),
        "margin_ratio.margin.BYBIT.USDT": np.array([0.1, 0.1, 0.1, 0.6, math.nan, 0.1]),
    }
    market = Market((perp, spot, far), price, ())

    def worst(held: Ints) -> float:
        own = replace(made, equity={**rows, f"position.{far.id}": held})
        return measure(RiskConfig(), market, own, Span(T0, T0 + 5 * HOUR_NS), 100.0).margin_ratio

    assert worst(flat) == 0.6
    assert worst(np.where(np.arange(6) == 4, -5, 0)) == math.inf
    over = over_equity(market, replace(made, equity=rows), T0 + 2 * HOUR_NS, (-2_000, 1_000, 500))
    assert over == pytest.approx((-200 / 90, 100 / 90 * 1.0, 50 / 90), rel=1e-3)


def test_a_position_over_no_equity_breaks_every_limit() -> None:
    found = figures(books([100.0, 100.0, 0.0, 0.0, 0.0, 0.0], perp=-1_000))
    assert found.ruined
    assert found.unhedged == math.inf
    assert not any(limit.held for limit in found.limits)
