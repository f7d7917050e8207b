"""What cells came to: kept exactly, shown in tables, deflated by hand."""

from __future__ import annotations

import math
from decimal import Decimal
from pathlib import Path

import numpy as np
import pyarrow as pa
import pytest
from scipy import stats  # type: ignore[import-untyped]  # ships none

from crypto_quant.backtesting.sweep.called import Failure, Identity, outcome, require_same
from crypto_quant.backtesting.sweep.figures import Figures, digest
from crypto_quant.backtesting.sweep.plan import Axis, Cell, Scalar
from crypto_quant.backtesting.sweep.selection import select
from crypto_quant.backtesting.sweep.store import CellStore
from crypto_quant.backtesting.sweep.table import MOST_LINES, Found, lines, parquet_table
from crypto_quant.backtesting.validation.trials import TrialLog
from crypto_quant.core.errors import DataError, InvariantError
from crypto_quant.runtime.config import TickConfig

FIGURES = Figures(
    shown={"pnl": "-12.3400", "return": 0.1 + 0.2, "orders": 12_345, "sharpe_daily": None},
    logged={"sharpe_daily": 1 / 3, "sharpe_lowest": math.nan},
    returns=(0.1, -1e-17, 1 / 3),
    digest="ab12",
)
AXES = (Axis("capital", (100, 200)), Axis("tier", ("VIP0",)))


def cell(number: int) -> Cell[TickConfig]:
    return Cell(number, {"capital": 100 * (number + 1), "tier": "VIP0"}, TickConfig(), "")


def test_figures_are_kept_to_the_last_bit(tmp_path: Path) -> None:
    store = CellStore(tmp_path / "cells")
    assert store.find("x") is None
    store.keep("x", FIGURES)
    found = store.find("x")
    assert found is not None
    assert math.isnan(found.logged["sharpe_lowest"])
    assert found.dump() == FIGURES.dump()
    assert found.returns == FIGURES.returns


@pytest.mark.parametrize("text", ["", "{", "[]", '{"shown": {}}'])
def test_a_spoilt_file_is_no_cell(tmp_path: Path, text: str) -> None:
    (tmp_path / "x.json").write_text(text)
    assert CellStore(tmp_path).find("x") is None


def test_a_digest_is_of_rows_not_of_how_they_are_cut() -> None:
    whole = pa.table({"a": [1, 2, 3, 4]})
    parts = pa.concat_tables([whole.slice(0, 1), whole.slice(1)])
    assert digest(whole) == digest(parts)
    assert digest(whole) != digest(pa.table({"a": [1, 2, 3, 5]}))


def test_the_table_has_exact_money_and_the_reason_of_a_failure() -> None:
    table = parquet_table(
        [cell(0), cell(1)], AXES, {0: FIGURES, 1: Failure("it is broken", is_ours=False)}
    )
    first, second = table.to_pylist()
    assert (first["cell"], first["capital"], first["tier"]) == (0, 100, "VIP0")
    assert (first["pnl"], first["orders"], first["error"]) == (Decimal("-12.34"), 12_345, None)
    assert second["pnl"] is None
    assert second["error"] == "it is broken"


@pytest.mark.parametrize("values", [(1, 10**20), (1, "p99"), (2**63, -1)])
def test_values_of_no_one_type_of_arrow_are_text(values: tuple[Scalar, Scalar]) -> None:
    cells = [Cell(n, {"seed": value}, TickConfig(), "") for n, value in enumerate(values)]
    table = parquet_table(cells, [Axis("seed", values)], {0: FIGURES, 1: FIGURES})
    assert table["seed"].to_pylist() == [str(value) for value in values]


def test_lines_are_of_one_width_and_say_what_is_left_out() -> None:
    many = [cell(n) for n in range(MOST_LINES + 3)]
    found = dict.fromkeys(range(MOST_LINES + 3), FIGURES)
    shown = list(lines(many, AXES, found))
    assert shown[-1] == "… 3 more in cells.parquet"
    assert len({len(line) for line in shown[:-1]}) == 1
    assert shown[1].split() == ["0", "100", "VIP0", "-12.34", "0.3000", "12,345", "none"]


def test_small_ratios_keep_their_digits_and_a_failed_line_ends_with_what_it_says() -> None:
    figures = Figures({"pnl": "-19.2572", "return": -0.000192572, "days": 3}, {}, (), "")
    found: Found = {0: figures, 1: Failure("it is broken", is_ours=False)}
    _, ran, failed = lines([cell(0), cell(1)], AXES, found)
    assert ran.split() == ["0", "100", "VIP0", "-19.26", "-0.0001926", "3"]
    assert failed.endswith("VIP0  failed")


def test_an_error_is_a_value_and_says_whose_fault_it_is() -> None:
    def by_user() -> Figures:
        raise DataError("no book")

    def by_us() -> Figures:
        return Figures(**{})  # a defect

    assert outcome(by_user) == Failure("no book", is_ours=False)
    found = outcome(by_us)
    assert isinstance(found, Failure)
    assert found.is_ours
    assert found.text.startswith("TypeError at test_results.py:")


def test_a_worker_with_other_code_or_data_is_refused() -> None:
    with pytest.raises(InvariantError, match="a worker has other code"):
        require_same(Identity("d", "not this code"), "d")


def test_the_best_cell_is_deflated_by_every_trial_in_the_log(tmp_path: Path) -> None:
    rng = np.random.default_rng(5)
    log, n = TrialLog(tmp_path / "t.sqlite"), 400
    found, ratios = {}, []
    for number in range(7):
        returns = rng.normal(0.001 * (number == 4), 0.01, n)
        ratio = float(returns.mean() / returns.std(ddof=1))
        logged = {"sharpe_daily": ratio}
        log.record(log.append({"number": number}, "data", "code"), logged)
        ratios.append(ratio)
        found[number] = Figures({}, logged, tuple(returns.tolist()), "")
    log.append({"number": 99}, "data", "code")  # a run that failed is a trial too
    chosen = select(found, log, "data")
    assert chosen is not None
    assert (chosen.best, chosen.trials) == (4, 8)
    # Bailey and Lopez de Prado (2014), equations 5 and 6, by scipy.
    best, root = found[4], np.sqrt(np.var(ratios, ddof=1))
    euler, cut = 0.5772156649015329, 1 / 8
    expected = root * (
        (1 - euler) * stats.norm.ppf(1 - cut) + euler * stats.norm.ppf(1 - cut / math.e)
    )
    returns = np.array(best.returns)
    spread = (
        1
        - stats.skew(returns) * ratios[4]
        + (stats.kurtosis(returns, fisher=False) - 1) / 4 * ratios[4] ** 2
    )
    wanted = stats.norm.cdf((ratios[4] - expected) * np.sqrt((n - 1) / spread))
    assert chosen.dsr == pytest.approx(wanted, rel=1e-12)
    assert chosen.psr is not None
    assert chosen.dsr is not None
    assert chosen.psr > chosen.dsr


def test_without_a_sharpe_ratio_nothing_is_deflated(tmp_path: Path) -> None:
    found = {0: Figures({}, {"pnl": 1.0}, (), "")}
    assert select(found, TrialLog(tmp_path / "t.sqlite"), "data") is None
