"""What a trial's Sharpe ratios are: the same figures that its row shows."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from crypto_quant.backtesting.metrics.schema import PORTFOLIO, Table, column
from crypto_quant.backtesting.metrics.tracks import floats
from crypto_quant.core.measures.arrays import DAYS_PER_YEAR
from crypto_quant.core.measures.days import Days, Marks, cut_days
from crypto_quant.core.measures.growth import growth_index
from crypto_quant.core.measures.sharpe import sharpe_three_ways


class TrialSharpe(NamedTuple):
    """Daily and lowest Sharpe ratio per day, not annualised; hole days are left out."""

    daily: float
    lowest: float


def trial_sharpe(equity: Table) -> TrialSharpe:
    """Measure a run's portfolio as its row in a report is measured.

    Parameters
    ----------
    equity : Table
        The marked path, see ``result.check_equity``.

    Returns
    -------
    TrialSharpe
        NaN where undefined.
    """
    seen = scored_days(equity)
    three = sharpe_three_ways(seen.ours.ret, seen.month)
    root = np.sqrt(DAYS_PER_YEAR)
    return TrialSharpe(float(three.daily / root), float(three.lowest / root))


def scored_days(equity: Table) -> Days:
    """Return the days of a run's portfolio that its Sharpe ratio is of: those without a hole.

    Parameters
    ----------
    equity : Table
        The marked path, see ``result.check_equity``.
    """
    worth = floats(equity, column(PORTFOLIO, "equity"))
    flow = floats(equity, column(PORTFOLIO, "flow"))
    growth = growth_index(worth, flow)
    marks = Marks(
        ts=equity["ts"].to_numpy(),
        growth=growth,
        held=np.ones(growth.shape),
        gained=worth - flow,
        notional=np.zeros(growth.shape),
        hole=equity["hole"].to_numpy(zero_copy_only=False),
    )
    days = cut_days(marks, np.array([], dtype=np.int64), np.array([]))
    return days.at(~days.hole)
