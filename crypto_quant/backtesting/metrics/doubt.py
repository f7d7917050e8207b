"""Doubt: what looks too good to be true is said so, with the reasons."""

from __future__ import annotations

import math
from typing import Final, NamedTuple

from crypto_quant.backtesting.metrics.figures import RowFigures

SHARPE: Final = 3.0
WIN_RATE: Final = 0.65
PROFIT_FACTOR: Final = 3.0
FEW_TRIPS: Final = 30


class Doubt(NamedTuple):
    """A row with figures above what is believable, and why they may not last."""

    key: str
    label: str
    signs: tuple[str, ...]
    reasons: tuple[str, ...]


def doubt(row: RowFigures, risks: tuple[str, ...]) -> Doubt | None:
    """Look for figures that are too good to be true.

    Parameters
    ----------
    row : RowFigures
    risks : tuple of str
        What can hurt this row and is not in the data.
    """
    signs = _signs(row)
    if not signs:
        return None
    return Doubt(row.key, row.label, tuple(signs), (*_reasons(row), *risks))


def _signs(row: RowFigures) -> list[str]:
    judged, figures, signs = row.scored, row.figures, []
    ways = {
        "daily": judged.sharpe_daily,
        "monthly": judged.sharpe_monthly,
        "Newey\u2013West": judged.sharpe_newey_west,
    }
    high = [f"{name} {value:.2f}" for name, value in ways.items() if value > SHARPE]
    if high:
        signs.append(f"Sharpe above {SHARPE:g}: {', '.join(high)}")
    if judged.win_rate > WIN_RATE:
        signs.append(f"{judged.win_rate:.1%} of its days win (above {WIN_RATE:.0%})")
    if figures.profit_factor > PROFIT_FACTOR:
        signs.append(f"profit factor {figures.profit_factor:.2f} (above {PROFIT_FACTOR:g})")
    if figures.round_trips and not figures.losing_trips:
        signs.append(f"none of its {figures.round_trips} round trips lost")
    return signs


def _reasons(row: RowFigures) -> list[str]:
    judged, figures, reasons = row.scored, row.figures, []
    daily, slow = judged.sharpe_daily, judged.sharpe_newey_west
    if math.isfinite(slow) and daily > 1.5 * slow:
        reasons.append(
            f"Its days are not independent: allowing for 60 days of autocorrelation takes the "
            f"Sharpe ratio from {daily:.2f} to {slow:.2f}."
        )
    if 0 < figures.round_trips < FEW_TRIPS:
        reasons.append(
            f"It closed {figures.round_trips} round trips: too few to tell skill from luck."
        )
    if figures.kurtosis > 6 or figures.skew < -1:
        reasons.append(
            f"Its days have skew {figures.skew:.1f} and kurtosis {figures.kurtosis:.0f}: the "
            f"average day says little about the worst."
        )
    reasons.append(
        "Fills are simulated from bars: every order was accepted, none got stuck, and the "
        "venue was always there."
    )
    return reasons
