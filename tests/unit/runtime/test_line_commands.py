"""Commands that the line cannot take are errors with a name, never tracebacks."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from crypto_quant.core.errors import ConfigError, DataError, InvariantError
from crypto_quant.core.messages import (
    RISK_SEAL,
    Allocation,
    ApprovedCross,
    Cancel,
    Cross,
    Exchange,
    Transfer,
    Wake,
    Wallet,
)
from crypto_quant.runtime.line import RecordedLine
from crypto_quant.runtime.line_spec import HOUR_NS, Deposit, LineSpec
from crypto_quant.venues.rules import load_instruments

START = 1_700_000_000 * 10**9 // HOUR_NS * HOUR_NS


def woken(
    start: int = START, collateral: tuple[str, ...] = (), capital: str = "100", **sim: object
) -> RecordedLine:
    """Return a line without data at its first timer, 100 in the spot wallet."""
    line = begun(start, collateral, capital, **sim)
    assert line.next() is Wake.TIMER
    return line


def begun(start: int, collateral: tuple[str, ...], capital: str, **sim: object) -> RecordedLine:
    """Return it before that."""
    instruments = load_instruments()
    spec = LineSpec(
        instruments=(instruments["BTCUSDT-PERP.BINANCE"], instruments["BTCUSDT.BINANCE"]),
        sleeves=("carry", "model"),
        features=(),
        series=(),
        quote="USDT",
        grid_ns=HOUR_NS,
        start=start,
        end=start + 4 * HOUR_NS,
        sim=sim,
        leverage=2,
        collateral=collateral,
    )
    return RecordedLine(spec, [Deposit(0, Wallet.SPOT, Decimal(capital))])


def test_cancelling_what_was_never_placed_is_a_data_error() -> None:
    with pytest.raises(DataError, match=r"^cancel: order_id: expected the id .* was 7"):
        woken().execute([Cancel(7, "gone")])


def test_an_error_after_the_first_datum_says_where_on_the_tape_it_is() -> None:
    line = begun(START, (), "100")
    at = np.array([START + 1_500_000_000], dtype=np.int64)
    line.load("gap", line.native.add_gaps, 0, at, at)
    assert [line.next(), line.next()] == [Wake.TIMER, Wake.GAP]
    said = r"^cancel: order_id: expected .* \(at 2023-11-14T22:00:01\.500000000Z, event 1\)$"
    with pytest.raises(DataError, match=said):
        line.execute([Cancel(7, "gone")])


def test_moving_money_that_is_not_there_is_refused_by_an_answer() -> None:
    line = woken()
    line.execute([Transfer(START, 0, Wallet.SPOT, Decimal(60), "rest")] * 2)
    assert line.native.sleeve_balance(0, int(Wallet.SPOT), "USDT") == 40
    (arrived, refused) = line.native.answers()
    assert (arrived[0], arrived[3], arrived[9]) == ("transferred", 1, Decimal(60))
    assert (refused[0], refused[3], refused[10]) == ("transfer_refused", 2, "insufficient_balance")
    rows = line.native.transfers()
    assert (rows["status"], rows["source"]) == (["arrived", "refused"], ["spot", "spot"])


def test_money_on_its_way_belongs_to_nobody_until_it_is_there() -> None:
    line = woken(transfer_delay_ns=HOUR_NS // 2, transfer_fees=[("USDT", Decimal("0.5"))])
    line.execute([Transfer(START, 0, Wallet.SPOT, Decimal(60), "rest")])
    native, margin = line.native, int(Wallet.MARGIN)
    assert native.in_flight(margin, "USDT") == 60
    assert native.balance(margin, "USDT") == 0
    assert native.equity() == Decimal("99.5")
    assert line.next() is Wake.ACCOUNT
    assert (native.now, native.balance(margin, "USDT")) == (START + HOUR_NS // 2, Decimal(60))


def test_coins_are_collateral_where_the_run_says_so_and_the_venue_did() -> None:
    line = woken(collateral=("BTC",))
    assert line.accounts.wallets()[1] == ("margin", ["USDT", "BTC"], [0])
    with pytest.raises(ConfigError, match="collateral: USDT counts as margin at binance from 2021"):
        woken(1_600_000_000 * 10**9, collateral=("BTC",))
    with pytest.raises(ConfigError, match=r"sim.multi_assets: expected margin = .cross."):
        woken(collateral=("BTC",), margin="isolated")
    assert line.native.conversions()["asset"] == []
    with pytest.raises(ConfigError, match=r"sim.multi_assets: expected margin = .cross."):
        woken(collateral=("BTC",), BINANCE={"margin": "isolated"})


@pytest.mark.parametrize(
    ("capital", "said"), [("1e12", "too large"), ("-1", "out of range"), ("1e-9", "out of range")]
)
def test_capital_that_no_ledger_holds_is_a_config_error(capital: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        woken(capital=capital)


@pytest.mark.parametrize(
    ("key", "value"), [("transfer_fees", {"USDT": 1}), ("latency_seed", -1), ("multi_assets", {})]
)
def test_a_setting_of_another_shape_is_a_config_error(key: str, value: object) -> None:
    sim = {key: value}
    with pytest.raises(ConfigError):
        woken(START, (), "100", **sim)


@pytest.mark.parametrize(
    ("amount", "asset", "said"),
    [("1", "ETH", "wallet spot does not hold ETH"), ("-1", "USDT", "transfer -1 is out of range")],
)
def test_a_transfer_that_cannot_be_one_is_a_data_error(amount: str, asset: str, said: str) -> None:
    made = Transfer(START, 0, Wallet.SPOT, Decimal(amount), "x", asset=asset)
    with pytest.raises(DataError, match=said):
        woken().execute([made])


def test_crossing_parts_that_do_not_sum_to_zero_breaks_an_invariant() -> None:
    parts = (Allocation(0, 500), Allocation(1, -400))
    uneven = ApprovedCross(Cross(START, 0, 1_000_000, parts, "cancel out"), (), RISK_SEAL)
    with pytest.raises(InvariantError, match=r"^exchange: allocations"):
        woken().execute([Exchange(uneven)])
