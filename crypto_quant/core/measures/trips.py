"""Winning and losing: closed round trips, days, and the ratios made of them."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from crypto_quant.core.measures.arrays import Bools, Floats, Ints, ratio


class Tally(NamedTuple):
    """Sums and counts of winners (> 0) and losers (< 0), per day or in all.

    Each of shape (...); ``lost`` is >= 0; ``flat`` counts results of exactly 0.
    """

    won: Floats
    lost: Floats
    winners: Floats
    losers: Floats
    flat: Floats

    def total(self) -> Tally:
        """Sum over the last axis."""
        return Tally(*(np.asarray(part.sum(axis=-1)) for part in self))


def tally(results: Floats) -> Tally:
    """Tally net results along the last axis: shape (..., n) to (...)."""
    up, down = results > 0, results < 0
    return Tally(
        np.asarray(np.where(up, results, 0.0).sum(axis=-1)),
        np.asarray(-np.where(down, results, 0.0).sum(axis=-1)),
        np.asarray(up.sum(axis=-1, dtype=np.float64)),
        np.asarray(down.sum(axis=-1, dtype=np.float64)),
        np.asarray((results == 0).sum(axis=-1, dtype=np.float64)),
    )


def tally_by_day(results: Floats, day: Ints, n_days: int) -> Tally:
    """Tally results on the days they were closed.

    Parameters
    ----------
    results : ndarray of shape (k,)
    day : ndarray of shape (k,)
        Day number in [0, n_days).

    Returns
    -------
    Tally
        Parts of shape (n_days,).
    """

    def add(chosen: Bools, weights: Floats) -> Floats:
        return np.bincount(day[chosen], weights[chosen], minlength=n_days).astype(np.float64)

    up, down, level = results > 0, results < 0, results == 0
    ones = np.ones(results.shape)
    return Tally(
        add(up, results), add(down, -results), add(up, ones), add(down, ones), add(level, ones)
    )


def payoff(total: Tally) -> Floats:
    """Mean winner over mean loser (profit/loss); NaN without winners or without losers."""
    return ratio(ratio(total.won, total.winners), ratio(total.lost, total.losers))


def profit_factor(total: Tally) -> Floats:
    """Money won over money lost; NaN without a loser."""
    return ratio(total.won, total.lost)


def expectancy(total: Tally) -> Floats:
    """Mean result, in the unit of the results; NaN without results."""
    return ratio(total.won - total.lost, total.winners + total.losers + total.flat)


def win_rate(pnl: Floats, exposed: Bools) -> Floats:
    """Days with P&L > 0 over days with exposure.

    Parameters
    ----------
    pnl : ndarray of shape (..., n)
    exposed : ndarray of shape (..., n)

    Returns
    -------
    ndarray of shape (...)
        NaN without a day of exposure.
    """
    won = ((pnl > 0) & exposed).sum(axis=-1)
    return ratio(won, exposed.sum(axis=-1))
