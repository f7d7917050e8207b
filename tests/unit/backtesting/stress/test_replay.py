"""Where a stretch of a run begins, and what was held where its shock does."""

from __future__ import annotations

from typing import cast

import numpy as np
import pytest

from crypto_quant.backtesting.engine.variants import Variant
from crypto_quant.backtesting.metrics.schema import PORTFOLIO, column
from crypto_quant.backtesting.stress.replay import Exposure, Replay, stretch
from crypto_quant.backtesting.stress.tape import HOUR_NS
from crypto_quant.runtime.segments import Span
from tests.unit.backtesting.made_run import PERP, make_run


def test_a_stretch_knows_the_side_of_the_contract_alone() -> None:
    """A carry holds as much spot as it is short: only the contract can be deleveraged."""
    run = make_run(days=30, hole=False)
    exposure = Exposure.of(run, PERP)
    held = np.array(
        [float(v) for v in run.equity[f"{column(PORTFOLIO, 'notional')}/{PERP}"].to_pylist()]
    )
    row = int(np.argmax(np.abs(held)))
    assert np.sign(exposure.net[row]) == np.sign(held[row]) != 0
    equity = float(run.equity[column(PORTFOLIO, "equity")][row].as_py())
    assert exposure.net[row] == pytest.approx(held[row] / equity)
    at = int(exposure.ts[row])
    span = Span(at, at + HOUR_NS)
    job = Replay(cast(Variant, None), None, span, at, span, span, "deleveraging")
    whole = Span(int(exposure.ts[0]) - HOUR_NS, int(exposure.ts[-1]) + HOUR_NS)
    for side in (1, -1):
        turned = exposure._replace(net=side * np.abs(exposure.net))
        assert stretch(job, (whole,), turned, int(exposure.ts[0])).net == side * abs(
            exposure.net[row]
        )
