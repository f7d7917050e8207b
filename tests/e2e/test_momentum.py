"""The plain-momentum row on real data trades from the first hour that is out of sample."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray

from crypto_quant.backtesting.engine.inputs import PERP, Inputs
from crypto_quant.backtesting.engine.portfolio import Books, run_portfolio
from crypto_quant.backtesting.engine.research import first_test
from crypto_quant.backtesting.engine.variants import plan
from crypto_quant.runtime.config import RunConfig

pytestmark = [pytest.mark.data, pytest.mark.xdist_group("real")]

HOUR = 3_600 * 10**9
DAY = 24 * HOUR


@pytest.fixture(scope="module")
def books(real_inputs: Inputs) -> Books:
    (row,) = (v for v in plan(RunConfig()) if v.row.key == "momentum")
    start = first_test(row.config, real_inputs)
    return run_portfolio(row.config, real_inputs, start, row.sleeves, None)


def _column(table: object, name: str) -> NDArray[np.int64]:
    assert isinstance(table, dict)
    return np.asarray(table[name], dtype=np.int64)


def test_momentum_trades_from_the_first_hour_out_of_sample(
    real_inputs: Inputs, books: Books
) -> None:
    start = first_test(RunConfig(), real_inputs)
    sent = _column(books.orders, "ts")
    assert start <= sent[0] < start + HOUR
    # Nothing is known from before the hole: the look-back fills again, in 30 days.
    again = real_inputs.segments[1].start
    later = sent[sent >= again]
    assert again + 30 * DAY <= later[0] < again + 31 * DAY + HOUR


def test_first_positions_have_the_sign_of_the_30_days_before(
    real_inputs: Inputs, books: Books
) -> None:
    """Each day at 02:00 of the first five weeks, from closes read here from the bars alone."""
    perp = real_inputs.instruments[PERP].id
    bars = real_inputs.catalog.scan("bar", f"{perp}/1h")
    closes = dict(
        zip((bars["ts_event"].to_numpy() + HOUR).tolist(), bars["close"].to_pylist(), strict=True)
    )
    held = dict(
        zip(
            _column(books.equity, "ts").tolist(),
            _column(books.equity, f"position.momentum.{perp}").tolist(),
            strict=True,
        )
    )
    start = first_test(RunConfig(), real_inputs)
    days = [start + n * DAY for n in range(35)]
    wanted = [np.sign(closes[day] - closes[day - 30 * DAY]) for day in days]
    assert {-1, 1} <= set(wanted)
    assert [np.sign(held[day + 2 * HOUR]) for day in days] == wanted
