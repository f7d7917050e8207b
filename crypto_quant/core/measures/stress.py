"""An equity path under losses that the data does not hold."""

from __future__ import annotations

from typing import Final, NamedTuple

import numpy as np

from crypto_quant.core.measures.arrays import DAY_NS, DAYS_PER_YEAR, Floats, Ints

VENUE_LOSS: Final = 0.10
PERIOD_YEARS: Final = 5
COST_FACTOR: Final = 2.0


class Stressed(NamedTuple):
    """A stressed path: ``growth`` of shape (n,), and the positions at which losses fell."""

    growth: Floats
    losses: Ints


def venue_losses(ts: Ints, balance: Floats) -> Ints:
    """Place one loss in each period of five years, a begun period counting whole.

    The loss falls on the mark at which the balance is highest: it costs the most money
    there and starts its drawdown from a peak. (What it takes from the return is the same on
    any date.) Spread evenly it would be 2 % a year and barely show as drawdown; drawn at
    random it might miss the window. No seed is needed.

    Parameters
    ----------
    ts : ndarray of shape (n,)
    balance : ndarray of shape (n,)
        Money, or growth, that stands on the venue.

    Returns
    -------
    ndarray of shape (n_periods,)
        Positions, ascending, never the first mark (nothing could be measured from it).
    """
    period = (ts - ts[0]) // (PERIOD_YEARS * DAYS_PER_YEAR * DAY_NS)
    rows = np.arange(1, ts.size)
    return np.array(
        [
            int(chosen[balance[chosen].argmax()])
            for chosen in (rows[period[1:] == p] for p in np.unique(period[1:]))
        ],
        dtype=np.int64,
    )


def stressed_path(
    index: Floats, costs: Floats, ts: Ints, share: Floats, loss: float = VENUE_LOSS
) -> Stressed:
    """Pay the costs twice and lose part of the venue's balance now and then.

    The trades stay as they were: nothing is decided anew, and nothing is earned on
    what was lost.

    Parameters
    ----------
    index : ndarray of shape (n,)
        Growth as measured.
    costs : ndarray of shape (n,)
        Cumulative costs already paid, as fractions of the equity in each step, ascending.
    ts : ndarray of shape (n,)
    share : ndarray of shape (n,)
        Part of the equity that stands on the venue, in [0, 1].
    loss : float
        Part of that balance which is lost.

    Returns
    -------
    Stressed
    """
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = np.where(index[:-1] > 0, index[1:] / index[:-1], 0.0)
    extra = (COST_FACTOR - 1.0) * np.diff(costs)
    factor = np.ones(index.shape)
    factor[1:] = np.maximum(steps - extra, 0.0)
    fallen = venue_losses(ts, np.cumprod(factor) * share)
    factor[fallen] *= 1.0 - loss * share[fallen]
    return Stressed(np.cumprod(factor).astype(np.float64), fallen)
