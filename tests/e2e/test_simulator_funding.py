"""The bare simulator pays the funding of a recorded session as ``cq backtest`` does."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from crypto_quant.backtesting.simulator import OrderType, Simulator, TimeInForce, of_session
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.venues.rules import load_instruments
from tests.e2e.conftest import run_cq
from tests.e2e.tick_run import run

pytestmark = [pytest.mark.data, pytest.mark.xdist_group("ticks")]

KEY = "BTCUSDT-PERP.BINANCE"
CAPTURE = "hftbacktest/usdm/btcusdt_20240808.gz"
"""It crosses 00:00, at which funding is settled."""
HOLD = f"""
strategy = "hold"
instrument = "{KEY}"
funding_jitter_s = 0
hold = {{ size = 1 }}
[risk]
require_stop = false
loss_at_stop = 0.9
"""


@pytest.mark.parametrize("is_known", [True, False])
def test_what_is_held_over_a_settlement_pays_the_same(
    tmp_path: Path, data_dir: Path, is_known: bool
) -> None:
    rates = sorted((data_dir / "binance_perp").glob("*funding-8h*")) if is_known else []
    done = run_cq(tmp_path, "data", "import", str(data_dir / CAPTURE), *map(str, rates))
    assert done.returncode == 0, done.stderr
    found, _ = run(tmp_path, "held", HOLD, "--single")
    (session,) = found["sessions"]
    (market,) = of_session(Catalog(tmp_path / "catalog"), [load_instruments()[KEY]])
    assert market.start == session["decisions_from_ns"]
    assert market.end == session["decisions_to_ns"]

    made = Simulator([market])
    assert made.elapse(10**9)
    made.submit_buy_order(0, 1, 0, 1_000, TimeInForce.GTC, OrderType.MARKET)
    while made.elapse(10**9):
        assert made.position(0) == 1_000
    funding = made._native.attribution(0)["funding"]
    assert (funding != 0) is is_known
    assert funding == Decimal(session["pnl"]["funding"])
