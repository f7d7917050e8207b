"""The five targets: what is measured, what is asked, and whether it is met.

A target that cannot be measured is not met. All five are judged on the same days.
"""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from crypto_quant.core.measures.arrays import DAYS_PER_YEAR, Bools, Floats
from crypto_quant.core.measures.days import Days
from crypto_quant.core.measures.growth import cagr, total_return
from crypto_quant.core.measures.sharpe import Sharpe, sharpe_three_ways
from crypto_quant.core.measures.trips import payoff, win_rate

RETURN_MULTIPLE: Final = 2.0
LEAST_SHARPE: Final = 2.0
DRAWDOWN_SHARE: Final = 0.30
LEAST_WIN_RATE: Final = 0.55
LEAST_PAYOFF: Final = 1.5


class Score(NamedTuple):
    """What the targets are judged on; each of shape (...), fractions, Sharpe annual."""

    cagr: Floats
    held_cagr: Floats
    total: Floats
    held_total: Floats
    sharpe: Sharpe
    depth: Floats
    held_depth: Floats
    win_rate: Floats
    payoff: Floats


class Verdict(NamedTuple):
    """Which targets are met; each of shape (...)."""

    annual_return: Bools
    sharpe: Bools
    drawdown: Bools
    win_rate: Bools
    payoff: Bools

    @property
    def joint(self) -> Bools:
        """All five are met."""
        return np.asarray(np.logical_and.reduce(self))


def score(days: Days, with_holes: bool = False) -> Score:
    """Measure a choice of days.

    Parameters
    ----------
    days : Days
        Of one path, or resampled ones whose days are all without holes.
    with_holes : bool
        Keep hole days in Sharpe and win rate, as flat days. Return and drawdown always
        contain them, and buy-and-hold's move through them.

    Returns
    -------
    Score
        NaN where undefined.
    """
    years = float(days.length.sum()) / DAYS_PER_YEAR
    total, held = total_return(days.ours.ret), total_return(days.theirs.ret)
    counted, exposed = days, days.exposed
    if with_holes:
        exposed = days.exposed | days.hole
    elif days.hole.ndim == 1:
        counted = days.at(~days.hole)
        exposed = counted.exposed
    return Score(
        cagr=cagr(total, years),
        held_cagr=cagr(held, years),
        total=total,
        held_total=held,
        sharpe=sharpe_three_ways(counted.ours.ret, counted.month),
        depth=days.ours.depth(),
        held_depth=days.theirs.depth(),
        win_rate=win_rate(counted.pnl, exposed),
        payoff=payoff(days.trips.total()),
    )


def judge(measured: Score) -> Verdict:
    """Compare a score with the targets; NaN never meets one."""
    asked = np.where(measured.held_cagr > 0, RETURN_MULTIPLE * measured.held_cagr, 0.0)
    asked = np.where(np.isnan(measured.held_cagr), np.nan, asked)
    return Verdict(
        annual_return=np.asarray(measured.cagr > asked),
        sharpe=np.asarray(measured.sharpe.lowest > LEAST_SHARPE),
        drawdown=np.asarray(measured.depth < DRAWDOWN_SHARE * measured.held_depth),
        win_rate=np.asarray(measured.win_rate > LEAST_WIN_RATE),
        payoff=np.asarray(measured.payoff > LEAST_PAYOFF),
    )
