"""Commands that the line cannot take are errors with a name, never tracebacks."""

from __future__ import annotations

from decimal import Decimal

import pytest

from crypto_quant.core.errors import DataError, InvariantError
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
from crypto_quant.runtime.line import HOUR_NS, Deposit, LineSpec, RecordedLine
from crypto_quant.venues.rules import load_instruments

START = 1_700_000_000 * 10**9 // HOUR_NS * HOUR_NS


def woken() -> RecordedLine:
    """Return a line without data at its first timer, 100 in the spot wallet."""
    instruments = load_instruments()
    spec = LineSpec(
        instruments=(instruments["BTCUSDT-PERP.BINANCE"], instruments["BTCUSDT.BINANCE"]),
        sleeves=("carry", "model"),
        features=(),
        series=(),
        quote="USDT",
        grid_ns=HOUR_NS,
        start=START,
        end=START + 4 * HOUR_NS,
        sim={},
        leverage=2,
    )
    line = RecordedLine(spec, [Deposit(0, Wallet.SPOT, Decimal(100))])
    assert line.next() is Wake.TIMER
    return line


def test_cancelling_what_was_never_placed_is_a_data_error() -> None:
    with pytest.raises(DataError, match=rf"cancel at {START}: order_id: expected the id .* was 7"):
        woken().execute([Cancel(7, "gone")])


def test_moving_money_that_is_not_there_breaks_an_invariant() -> None:
    line = woken()
    line.execute([Transfer(START, 0, Wallet.SPOT, Decimal(60), "rest")])
    with pytest.raises(InvariantError, match=r"transfer at \d+: .*needs"):
        line.execute([Transfer(START, 0, Wallet.SPOT, Decimal(60), "rest")])
    assert line.native.sleeve_balance(0, int(Wallet.SPOT), "USDT") == 40


def test_crossing_parts_that_do_not_sum_to_zero_breaks_an_invariant() -> None:
    parts = (Allocation(0, 500), Allocation(1, -400))
    uneven = ApprovedCross(Cross(START, 0, 1_000_000, parts, "cancel out"), (), RISK_SEAL)
    with pytest.raises(InvariantError, match="exchange at"):
        woken().execute([Exchange(uneven)])
