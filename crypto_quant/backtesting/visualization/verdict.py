"""Verdict: the five targets in words and numbers, for page and terminal alike."""

from __future__ import annotations

import math
import textwrap
from typing import NamedTuple

from crypto_quant.backtesting.metrics.description import Trials
from crypto_quant.backtesting.metrics.evaluation import Evaluation
from crypto_quant.backtesting.metrics.figures import Figures, Scored
from crypto_quant.backtesting.visualization.formats import day, number, percent, span
from crypto_quant.core.measures.targets import (
    DRAWDOWN_SHARE,
    LEAST_PAYOFF,
    LEAST_SHARPE,
    LEAST_WIN_RATE,
    RETURN_MULTIPLE,
)

NAMES = {
    "annual_return": "Annual return",
    "sharpe": "Sharpe ratio",
    "drawdown": "Max drawdown",
    "win_rate": "Daily win rate",
    "payoff": "Profit / loss",
}


class TargetLine(NamedTuple):
    """One target: what is asked, what was measured, the interval, and what stands beside."""

    name: str
    asked: str
    measured: str
    interval: str
    beside: str
    met: bool
    chance: str


def target_lines(found: Evaluation) -> list[TargetLine]:
    """Put the portfolio beside the five targets."""
    judged, figures = found.rows[0].scored, found.rows[0].figures
    values, often = found.intervals.values, found.intervals.met
    asked_return = RETURN_MULTIPLE * judged.held_cagr if judged.held_cagr > 0 else 0.0
    asked_depth = DRAWDOWN_SHARE * judged.held_max_drawdown
    rows = {
        "annual_return": (
            f"> {percent(asked_return)}",
            percent(judged.cagr),
            span(*values["cagr"], as_percent=True),
            _beside_return(judged),
        ),
        "sharpe": (
            f"> {number(LEAST_SHARPE)}",
            number(judged.sharpe_lowest),
            span(*values["sharpe_lowest"], as_percent=False, digits=2),
            _beside_sharpe(judged, figures),
        ),
        "drawdown": (
            f"< {percent(asked_depth)}",
            percent(judged.max_drawdown),
            span(*values["max_drawdown"], as_percent=True),
            _beside_drawdown(judged, figures),
        ),
        "win_rate": (
            f"> {percent(LEAST_WIN_RATE, 0)}",
            percent(judged.win_rate),
            span(*values["win_rate"], as_percent=True),
            f"of {figures.exposed_days} days with exposure; "
            f"{percent(figures.win_rate_with_holes)} with hole days in",
        ),
        "payoff": (
            f"> {number(LEAST_PAYOFF)}",
            number(judged.payoff),
            span(*values["payoff"], as_percent=False, digits=2),
            f"{figures.round_trips} round trips; of days {number(figures.day_payoff)}; profit "
            f"factor {number(figures.profit_factor)}; expectancy {number(figures.expectancy)}",
        ),
    }
    return [
        TargetLine(NAMES[name], *row, met=judged.met[name], chance=percent(often[name], 0))
        for name, row in rows.items()
    ]


def headline(found: Evaluation) -> str:
    """Say in one sentence whether the targets are met."""
    met = [_amid(NAMES[name]) for name, yes in found.rows[0].scored.met.items() if yes]
    if found.rows[0].scored.joint:
        return "All five targets are met on this path."
    if not met:
        return "None of the five targets is met."
    return f"{len(met)} of 5 targets met ({', '.join(met)}): the five are not met together."


def _amid(name: str) -> str:
    """Write a target's name as within a sentence; Sharpe is a person's."""
    return name if name.startswith("Sharpe") else name.lower()


def remarks(found: Evaluation, trials: Trials) -> list[str]:
    """Say what a reader should know before believing the table."""
    judged, figures, out = found.rows[0].scored, found.rows[0].figures, []
    if judged.held_cagr <= 0:
        out.append("Buy-and-hold lost over this window, so the return target asks only for a gain.")
    low, high = found.intervals.values["sharpe_lowest"]
    if math.isfinite(low):
        out.append(
            f"Drawn again in blocks of {found.intervals.block} days on average, the 90% interval "
            f"of the lowest Sharpe ratio runs from {number(low)} to {number(high)}; all five "
            f"targets were met together in {percent(found.intervals.met['joint'], 0)} of "
            f"{found.intervals.draws} histories. Blocks break the persistence that this ratio "
            f"counts and lift it, so drawn Sharpe ratios are mirrored at the measured ones, in "
            f"the interval and in the count."
        )
    out.append(_deflated(figures, trials))
    out += [
        f"{period.name[0].upper()}{period.name[1:]}: CAGR {percent(period.scored.cagr)} "
        f"(buy-and-hold {percent(period.scored.held_cagr)}), lowest Sharpe ratio "
        f"{number(period.scored.sharpe_lowest)}, drawdown {percent(period.scored.max_drawdown)}."
        for period in found.sides
    ]
    if found.hole_days:
        out.append(
            f"{found.hole_days} days have no data: they are flat, stay in equity and in "
            f"buy-and-hold, and are left out of Sharpe ratio and win rate."
        )
    if found.doubts:
        names = ", ".join(item.label for item in found.doubts)
        out.append(f"Too good to be true, and said why below: {names}.")
    if not found.attribution.exact:
        out.append("DEFECT: the attribution does not add up to equity; see the table.")
    return out


def _deflated(figures: Figures, trials: Trials) -> str:
    text = (
        f"{trials.count} configurations were evaluated, this one included. Deflated for them, the "
        f"probability that the true Sharpe ratio is above 0 is {percent(figures.dsr)}, and "
        f"{percent(figures.dsr_lowest)} on the lowest of the three ratios"
    )
    if trials.lowest_unknown:
        text += " (unknown: the trials' lowest ratios were not logged when this run was made)"
    return f"{text}."


def terminal(found: Evaluation, title: str, synthetic: bool) -> str:
    """Write the table of targets for a terminal, 80 columns wide."""
    head = textwrap.fill(f"{title}: {headline(found)}", 80)
    lines = ["GENERATED DATA: not a real market.", head] if synthetic else [head]
    lines.append(f"{'target':<16}{'asked':>10}{'measured':>11}  {'90% interval':<20} met")
    lines += [
        f"{line.name:<16}{line.asked:>10}{line.measured:>11}  {line.interval:<20} "
        f"{'yes' if line.met else 'no'}"
        for line in target_lines(found)
    ]
    return "\n".join(lines)


def _beside_return(judged: Scored) -> str:
    return (
        f"buy-and-hold {percent(judged.held_cagr)} a year; in all {percent(judged.total)} "
        f"against {percent(judged.held_total)}"
    )


def _beside_sharpe(judged: Scored, figures: Figures) -> str:
    text = (
        f"daily {number(judged.sharpe_daily)}, monthly {number(judged.sharpe_monthly)}, "
        f"Newey\u2013West {number(judged.sharpe_newey_west)}; "
        f"PSR {percent(figures.psr)}, DSR {percent(figures.dsr)}"
    )
    if math.isfinite(figures.sharpe_over_cash[0]):
        over = ", ".join(number(value) for value in figures.sharpe_over_cash)
        text += f"; over cash {over}"
    return text


def _beside_drawdown(judged: Scored, figures: Figures) -> str:
    back = figures.drawdown_recovered_ns
    return (
        f"buy-and-hold {percent(judged.held_max_drawdown)}; "
        f"{day(figures.drawdown_peak_ns)} to {day(figures.drawdown_trough_ns)}, "
        f"{'recovered ' + day(back) if back else 'not recovered'}; "
        f"longest {number(figures.longest_underwater_days, 0)} days"
    )
