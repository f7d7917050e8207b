"""The step on an inverse contract quotes and fills as the bare line does, on the COIN-M capture."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal

import numpy as np
import pytest

from benches.grid import RULE
from benches.grid_python import quote
from benches.grid_step import grid_state
from benches.session import AS_PEER, LATENCY_NS, STEP_NS, Recording, recording
from crypto_quant.backtesting.simulator import Deposit, Market, Simulator, Wallet
from crypto_quant.runtime.drive import recorded
from crypto_quant.runtime.line import RecordedLine
from crypto_quant.runtime.line_spec import LineSpec

from .tick_market import Sink

pytestmark = pytest.mark.data
COINS = [Deposit(0, Wallet.MARGIN, Decimal(10), asset="BTC", price=Decimal("61804.7"))]


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Recording:
    made = tmp_path_factory.mktemp("capture")
    found = recording(made, "hftbacktest/cm/btcusd_perp_20240808.gz", "BTCUSD-PERP.BINANCE")
    if found is None:
        pytest.skip("no capture")
    return found


def loaded(session: Recording, sim: Mapping[str, object]) -> RecordedLine:
    """Return a line that begins with ten coins and counts in dollars."""
    spec = LineSpec(
        instruments=(session.instrument,),
        sleeves=("none",),
        features=(),
        series=(),
        quote="USD",
        grid_ns=STEP_NS,
        start=session.tape.start,
        end=session.tape.end,
        sim={"entry_latency_ns": LATENCY_NS, "response_latency_ns": LATENCY_NS, **sim},
        leverage=10,
    )
    line = RecordedLine(spec, COINS)
    session.tape.put(line, 0)
    line.read_ahead()
    return line


@pytest.mark.parametrize("sim", [AS_PEER, {}], ids=["as_peer", "ours"])
def test_both_fill_alike(session: Recording, sim: Mapping[str, object]) -> None:
    bare = loaded(session, sim)
    quote(bare.native, session.tick, RULE)
    stepped, sink = loaded(session, sim), Sink()
    recorded(stepped, grid_state(session, RULE), sink)
    assert not [r for d in sink.decisions for r in d.refused]
    wanted = session.fills(bare)
    assert len(wanted) > 300
    np.testing.assert_array_equal(session.fills(stepped), wanted)
    # The bench's line counts in coin and has far more of them: quotes do not depend on it.
    counted = session.line(sim=sim)
    quote(counted.native, session.tick, RULE)
    np.testing.assert_array_equal(session.fills(counted), wanted)
    native = stepped.native
    parts = sum(native.attribution(0).values(), Decimal(0))
    assert native.equity() == 10 * Decimal("61804.7") + parts


@pytest.mark.parametrize("strategy", ["grid", "glft"])
def test_the_simulator_runs_rusts_market_makers_on_it(session: Recording, strategy: str) -> None:
    """What the account ends with is what its fills made, in coin to the eighth decimal."""
    tape = session.tape
    market = Market(session.instrument, tape.start, tape.end, tape.put)
    latency = {"entry_latency_ns": LATENCY_NS, "response_latency_ns": LATENCY_NS}
    made = Simulator([market], sim=latency, capital=COINS, leverage=10)
    shapes: dict[str, dict[str, float]] = {
        "grid": {"levels": 5, "gap": 1, "quantity": 10, "most": 200},
        "glft": {
            "gamma": 0.05,
            "window": 600,
            "refit": 50,
            "reach": 500,
            "quantity": 10,
            "most": 200,
        },
    }
    asked = made.run_native(strategy, shapes[strategy])
    assert asked > 1_000
    fills = made.fills()
    assert len(fills) > 10
    coins = Decimal(0)
    for fill in fills:
        dollars, price = Decimal(100 * fill.qty), Decimal(fill.price_tick) / 10
        coins += (dollars / price).quantize(Decimal("1e-8")) * fill.side
    state = made.state_values(0)
    assert state.position == 0
    line = made._line
    held = line.native.balance(line.accounts.wallet(Wallet.MARGIN), "BTC")
    assert held == 10 + coins - state.fee
