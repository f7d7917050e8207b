"""Figures: every number printed for a row, as plain floats."""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from crypto_quant.backtesting.metrics.description import Trials
from crypto_quant.backtesting.metrics.tracks import Track
from crypto_quant.core.measures.arrays import DAY_NS, DAYS_PER_YEAR, Floats
from crypto_quant.core.measures.days import Days
from crypto_quant.core.measures.dispersion import calmar, kurtosis, skewness, sortino, volatility
from crypto_quant.core.measures.drawdown import longest_underwater, max_drawdown
from crypto_quant.core.measures.selection import (
    deflated_sharpe,
    minimum_track_record,
    probabilistic_sharpe,
)
from crypto_quant.core.measures.sharpe import sharpe_three_ways
from crypto_quant.core.measures.tails import expected_shortfall, value_at_risk
from crypto_quant.core.measures.targets import Score, judge, score
from crypto_quant.core.measures.trips import expectancy, payoff, profit_factor, tally


class Scored(NamedTuple):
    """A choice of days against the five targets; fractions, annual Sharpe, NaN undefined."""

    days: int
    cagr: float
    held_cagr: float
    total: float
    held_total: float
    sharpe_daily: float
    sharpe_monthly: float
    sharpe_newey_west: float
    sharpe_lowest: float
    max_drawdown: float
    held_max_drawdown: float
    win_rate: float
    payoff: float
    met: dict[str, bool]
    joint: bool


class Figures(NamedTuple):
    """What else is printed for a row; fractions unless said, NaN undefined."""

    years: float
    exposed_days: int
    volatility: float
    sortino: float
    calmar: float
    skew: float
    kurtosis: float
    var_95: float
    shortfall_95: float
    best_day: float
    worst_day: float
    drawdown_peak_ns: int | None
    drawdown_trough_ns: int | None
    drawdown_recovered_ns: int | None
    longest_underwater_days: float
    round_trips: int
    losing_trips: int
    profit_factor: float
    expectancy: float
    """Money per closed round trip."""
    day_payoff: float
    day_profit_factor: float
    sharpe_with_holes: tuple[float, float, float]
    win_rate_with_holes: float
    psr: float
    dsr: float
    psr_lowest: float
    """As ``psr``, on the lowest of the three Sharpe ratios: what autocorrelation leaves."""
    dsr_lowest: float
    """As ``dsr``, by the trials' own lowest ratios; NaN where the log lacks them."""
    min_track_record_years: float
    costs_per_year: float
    sharpe_over_cash: tuple[float, float, float]


class RowFigures(NamedTuple):
    """A row of the report."""

    key: str
    label: str
    kind: str
    note: str
    capital: float
    scored: Scored
    figures: Figures


def scored(days: Days, with_holes: bool = False) -> Scored:
    """Measure and judge a choice of days of one path."""
    return plain(score(days, with_holes), days.start.size)


def plain(measured: Score, n: int) -> Scored:
    """Turn a score of 0-d arrays into floats, with its verdict."""
    verdict = judge(measured)
    return Scored(
        days=n,
        cagr=float(measured.cagr),
        held_cagr=float(measured.held_cagr),
        total=float(measured.total),
        held_total=float(measured.held_total),
        sharpe_daily=float(measured.sharpe.daily),
        sharpe_monthly=float(measured.sharpe.monthly),
        sharpe_newey_west=float(measured.sharpe.newey_west),
        sharpe_lowest=float(measured.sharpe.lowest),
        max_drawdown=float(measured.depth),
        held_max_drawdown=float(measured.held_depth),
        win_rate=float(measured.win_rate),
        payoff=float(measured.payoff),
        met={name: bool(met) for name, met in verdict._asdict().items()},
        joint=bool(verdict.joint),
    )


def row_figures(track: Track, trials: Trials, cash: Floats) -> RowFigures:
    """Measure a track.

    Parameters
    ----------
    trials : Trials
        From the trial log, for the deflated Sharpe ratio.
    cash : ndarray of shape (n_days,)
        Daily yield of cash, NaN where the data holds none.
    """
    judged = scored(track.days)
    return RowFigures(
        track.key,
        track.label,
        track.kind,
        track.note,
        track.capital,
        judged,
        _figures(track, judged, trials, cash),
    )


def _figures(track: Track, judged: Scored, trials: Trials, cash: Floats) -> Figures:
    days, marks = track.days, track.marks
    seen = days.at(~days.hole)
    r = seen.ours.ret
    fall = max_drawdown(marks.growth, marks.ts)
    trips, by_day = days.trips.total(), tally(seen.pnl[seen.exposed])
    kept = scored(days, with_holes=True)
    sure = _certainty(r, judged, trials)
    years = float(days.length.sum()) / DAYS_PER_YEAR
    return Figures(
        years=years,
        exposed_days=int(days.exposed.sum()),
        volatility=float(volatility(r)),
        sortino=float(sortino(r)),
        calmar=float(calmar(judged.cagr, judged.max_drawdown)),
        skew=float(skewness(r)),
        kurtosis=float(kurtosis(r)),
        var_95=float(value_at_risk(r)),
        shortfall_95=float(expected_shortfall(r)),
        best_day=float(r.max()) if r.size else float("nan"),
        worst_day=float(r.min()) if r.size else float("nan"),
        drawdown_peak_ns=fall.peak,
        drawdown_trough_ns=fall.trough,
        drawdown_recovered_ns=fall.recovered,
        longest_underwater_days=(
            longest_underwater(marks.growth, marks.ts) / DAY_NS
            if np.isfinite(fall.depth)
            else float("nan")
        ),
        round_trips=int(trips.winners + trips.losers + trips.flat),
        losing_trips=int(trips.losers),
        profit_factor=float(profit_factor(trips)),
        expectancy=float(expectancy(trips)),
        day_payoff=float(payoff(by_day)),
        day_profit_factor=float(profit_factor(by_day)),
        sharpe_with_holes=(kept.sharpe_daily, kept.sharpe_monthly, kept.sharpe_newey_west),
        win_rate_with_holes=kept.win_rate,
        psr=sure[0],
        dsr=sure[1],
        psr_lowest=sure[2],
        dsr_lowest=sure[3],
        min_track_record_years=sure[4],
        costs_per_year=float(track.costs[-1]) / years,
        sharpe_over_cash=_over_cash(days, cash),
    )


def _certainty(
    r: Floats, judged: Scored, trials: Trials
) -> tuple[float, float, float, float, float]:
    """Return PSR and DSR of the daily and of the lowest Sharpe, and MinTRL in years."""
    n, skew, kurt = r.size, float(skewness(r)), float(kurtosis(r))
    over_daily = _variance(trials.sharpes, n)
    # The lowest ratios lie closer together than the daily ones, which cannot stand in for them.
    over_lowest = float("nan") if trials.lowest_unknown else _variance(trials.lowest, n)
    root = np.sqrt(DAYS_PER_YEAR)
    daily, lowest = judged.sharpe_daily / root, judged.sharpe_lowest / root
    return (
        probabilistic_sharpe(daily, n, skew, kurt),
        deflated_sharpe(daily, n, skew, kurt, trials.count, over_daily),
        probabilistic_sharpe(lowest, n, skew, kurt),
        deflated_sharpe(lowest, n, skew, kurt, trials.count, over_lowest),
        minimum_track_record(lowest, skew, kurt) / DAYS_PER_YEAR,
    )


def _variance(ratios: tuple[float, ...], n: int) -> float:
    """Return the variance of the trials' ratios per day; under the null where unknown."""
    return float(np.var(ratios, ddof=1)) if len(ratios) > 1 else 1.0 / max(n, 1)


def _over_cash(days: Days, cash: Floats) -> tuple[float, float, float]:
    known = ~days.hole & np.isfinite(cash)
    if not known.any():
        return (float("nan"),) * 3
    chosen = days.at(known)
    three = sharpe_three_ways(chosen.ours.ret - cash[known], chosen.month)
    return float(three.daily), float(three.monthly), float(three.newey_west)
