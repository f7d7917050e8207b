"""Sizes: the growth-optimal fraction of a barrier bet, and the volatility target."""

from __future__ import annotations

import math


def kelly_leverage(p_win: float, p_loss: float, barrier: float, cost: float) -> float:
    """Return the leverage that maximises expected log growth of one barrier bet; never negative.

    A bet on a leverage ``f`` ends at ``1 + f (barrier - cost)`` with ``p_win``, at
    ``1 - f (barrier + cost)`` with ``p_loss``, else (time ran out) at ``1 - f cost``. The
    derivative of the expected log is zero where ``A f^2 - B f + C = 0``; the smaller root
    is the maximum. Without costs and time-outs this is ``(p_win - p_loss) / barrier``.

    Parameters
    ----------
    p_win, p_loss
        Probabilities that the barrier in favour, or against, is touched first.
    barrier
        Distance of both barriers, a fraction of the price, above 0.
    cost
        Round trip of fees and spread, a fraction of the notional, not negative.

    Returns
    -------
    float
        Notional over capital; 0 where the bet is not worth its cost or an input is NaN.

    References
    ----------
    J. L. Kelly, "A new interpretation of information rate", Bell System Technical Journal
    35 (1956); E. O. Thorp, "The Kelly criterion in blackjack, sports betting and the stock
    market" (2006), section 2.
    """
    win, loss = barrier - cost, barrier + cost
    p_rest = max(0.0, 1.0 - p_win - p_loss)
    edge = p_win * win - p_rest * cost - p_loss * loss
    if not (win > 0.0 and edge > 0.0):
        return 0.0
    if p_loss <= 0.0:  # only the cost can be lost
        at_risk = win * cost * (p_win + p_rest)
        return edge / at_risk if p_rest * cost > 0.0 else math.inf
    a = win * cost * loss * (p_win + p_rest + p_loss)
    b = p_win * win * (cost + loss) + p_rest * cost * (win - loss) + p_loss * loss * (win - cost)
    return 2.0 * edge / (b + math.sqrt(b * b - 4.0 * a * edge))


def vol_target_leverage(target: float, vol: float) -> float:
    """Return the leverage at which a position has the target volatility.

    ``target`` and ``vol`` are annualised deviations of returns; 0 where ``vol`` is NaN or
    not positive: an unknown risk is not taken.

    References
    ----------
    Moreira, Muir, "Volatility-managed portfolios", Journal of Finance 72 (2017).
    """
    return target / vol if vol > 0.0 else 0.0
