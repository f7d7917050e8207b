"""The rows beside the portfolio: what two of them share is run once."""

from __future__ import annotations

from decimal import Decimal

import pyarrow as pa

from crypto_quant.backtesting.engine.variants import MAIN, Variant, distinct, plan
from crypto_quant.backtesting.engine.workers import Outcome, Whole
from crypto_quant.backtesting.metrics.description import Row, RowKind
from crypto_quant.backtesting.metrics.trial_sharpe import TrialSharpe
from crypto_quant.runtime.config import CapitalConfig, RunConfig


def _all(config: RunConfig) -> dict[str, str]:
    """Return the keys of all variants with the key under which each is run."""
    row = Row(key=MAIN, label="Portfolio", kind=RowKind.CAPACITY, capital=Decimal(1))
    variants = (Variant(row, config, tuple(config.capital.shares)), *plan(config))
    first = distinct(variants)
    return {v.row.key: variants[n].row.key for v, n in zip(variants, first, strict=True)}


def test_of_two_sleeves_one_alone_is_the_portfolio_without_the_other() -> None:
    shared = {key: run for key, run in _all(RunConfig()).items() if key != run}
    assert shared == {"without_model": "carry_alone"}


def test_a_sleeve_that_is_the_portfolio_is_not_run_beside_it() -> None:
    capital = CapitalConfig(amount=Decimal(1_000_000), shares={"carry": Decimal(1)})
    shared = {key: run for key, run in _all(RunConfig(capital=capital)).items() if key != run}
    assert shared == {"carry_alone": MAIN, "capital_1000000": MAIN}


def test_an_outcome_shown_as_another_differs_in_the_name_of_its_row_alone() -> None:
    row = pa.table({"row": ["a", "a"], "ts": [1, 2]})
    trips = pa.table({"row": ["a"], "pnl": [Decimal("1.5")]})
    seen = Outcome(row, trips, TrialSharpe(0.25, 0.125), Whole(row, row, row, ())).shown_as("b")
    assert seen.row == pa.table({"row": ["b", "b"], "ts": [1, 2]})
    assert seen.trips == pa.table({"row": ["b"], "pnl": [Decimal("1.5")]})
    assert (seen.sharpe, seen.whole) == (TrialSharpe(0.25, 0.125), None)
