"""Deflated Sharpe ratios: each ratio is held against the trials' ratios of its own kind."""

from __future__ import annotations

import json
import math

import numpy as np
import pytest
from scipy import stats  # type: ignore[import-untyped]  # scipy ships no types

from crypto_quant.backtesting.metrics.description import Trials
from crypto_quant.backtesting.metrics.evaluation import Evaluation, to_json
from crypto_quant.backtesting.metrics.figures import RowFigures, row_figures
from crypto_quant.backtesting.metrics.result import RunResult
from crypto_quant.backtesting.metrics.tracks import portfolio_track
from crypto_quant.backtesting.metrics.trial_sharpe import trial_sharpe
from crypto_quant.backtesting.visualization.details import groups
from crypto_quant.backtesting.visualization.verdict import remarks
from crypto_quant.core.measures.arrays import Floats

DAILY = (0.359, 0.464, -0.032, 0.154, 0.266, 0.038, 0.312, 0.361, 0.346, 0.332)
LOWEST = (0.100, 0.115, -0.040, 0.061, 0.080, 0.034, 0.091, 0.102, 0.098, 0.095)


def _row(run: RunResult, trials: Trials) -> tuple[RowFigures, Floats]:
    """Measure the portfolio; return its daily returns beside its row."""
    track = portfolio_track(run)
    days = track.days
    return row_figures(track, trials, np.full(days.start.size, np.nan)), days.ours.ret[~days.hole]


def _with(run: RunResult, found: Evaluation, trials: Trials) -> Evaluation:
    return found._replace(rows=(_row(run, trials)[0], *found.rows[1:]))


def _papers(ratio: float, r: Floats, count: int, ratios: tuple[float, ...]) -> float:
    """Bailey and Lopez de Prado (2014), equations 1 and 2, written anew on scipy."""
    euler, normal = float(np.euler_gamma), stats.norm
    best = np.std(ratios, ddof=1) * (
        (1 - euler) * normal.ppf(1 - 1 / count) + euler * normal.ppf(1 - 1 / (count * np.e))
    )
    skew, kurt = stats.skew(r), stats.kurtosis(r, fisher=False)
    error = np.sqrt((1 - skew * ratio + (kurt - 1) / 4 * ratio**2) / (r.size - 1))
    return float(normal.cdf((ratio - best) / error))


def test_each_ratio_is_deflated_by_the_trials_ratios_of_its_kind(run: RunResult) -> None:
    row, r = _row(run, Trials(count=37, sharpes=DAILY, lowest=LOWEST))
    daily, lowest = row.scored.sharpe_daily / 365**0.5, row.scored.sharpe_lowest / 365**0.5
    assert lowest < daily
    assert row.figures.dsr == pytest.approx(_papers(daily, r, 37, DAILY), rel=1e-9)
    assert row.figures.dsr_lowest == pytest.approx(_papers(lowest, r, 37, LOWEST), rel=1e-9)
    assert row.figures.dsr_lowest != pytest.approx(_papers(lowest, r, 37, DAILY), rel=0.1)


def test_a_trials_ratios_are_those_of_its_row(run: RunResult, found: Evaluation) -> None:
    # Hole days are in neither, and the lowest is of the same three.
    logged, row = trial_sharpe(run.equity), found.rows[0]
    assert found.hole_days > 0
    assert logged.daily * 365**0.5 == pytest.approx(row.scored.sharpe_daily, rel=1e-12)
    assert logged.lowest * 365**0.5 == pytest.approx(row.scored.sharpe_lowest, rel=1e-12)


def test_ratios_of_a_run_too_short_for_three_are_undefined(run: RunResult) -> None:
    short = trial_sharpe(run.equity.slice(0, 24 * 20))
    assert math.isfinite(short.daily)
    assert math.isnan(short.lowest)


def test_unlogged_lowest_ratios_leave_a_dash_and_a_word(run: RunResult, found: Evaluation) -> None:
    # A run folder of before the log kept them says so; daily stays as it was.
    trials = Trials.model_validate_json(json.dumps({"count": 37, "sharpes": DAILY}))
    seen = _with(run, found, trials)
    assert math.isfinite(seen.rows[0].figures.dsr)
    assert math.isnan(seen.rows[0].figures.dsr_lowest)
    assert json.loads(to_json(seen))["rows"][0]["figures"]["dsr_lowest"] is None
    lines = {line.label: line.cells[0] for group in groups(seen) for line in group.lines}
    assert lines["DSR on the lowest"] == "\u2013"
    (said,) = [remark for remark in remarks(seen, trials) if "Deflated for them" in remark]
    assert "unknown" in said
    assert "\u2013 on the lowest" in said


def test_logged_lowest_ratios_need_no_such_word(run: RunResult, found: Evaluation) -> None:
    trials = Trials(count=37, sharpes=DAILY, lowest=LOWEST)
    seen = _with(run, found, trials)
    (said,) = [remark for remark in remarks(seen, trials) if "Deflated for them" in remark]
    assert "unknown" not in said


def test_variance_under_the_null_where_no_trial_is_known(run: RunResult) -> None:
    row, r = _row(run, Trials(count=37))
    spread = 1 / r.size**0.5  # two ratios this far from their mean have the variance 1 / n
    two = (-spread / 2**0.5, spread / 2**0.5)
    lowest = row.scored.sharpe_lowest / 365**0.5
    assert row.figures.dsr_lowest == pytest.approx(_papers(lowest, r, 37, two), rel=1e-9)
