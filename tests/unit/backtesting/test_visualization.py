"""The page's words, colours and charts."""

from __future__ import annotations

import re
from dataclasses import replace
from decimal import Decimal
from math import nan

import pytest

from crypto_quant.backtesting.metrics.description import Trials
from crypto_quant.backtesting.metrics.evaluation import Evaluation, evaluate
from crypto_quant.backtesting.metrics.figures import Scored
from crypto_quant.backtesting.metrics.periods import Month
from crypto_quant.backtesting.metrics.result import RunResult
from crypto_quant.backtesting.visualization import (
    canvas,
    details,
    formats,
    heat,
    path_charts,
    verdict,
)
from crypto_quant.backtesting.visualization.page import render

NAN = float("nan")


def with_score(found: Evaluation, scored: Scored) -> Evaluation:
    return found._replace(rows=(found.rows[0]._replace(scored=scored), *found.rows[1:]))


@pytest.mark.parametrize(
    ("written", "expected"),
    [
        (formats.percent(0.1234), "12.3%"),
        (formats.percent(-0.0004), "0.0%"),
        (formats.percent(-0.5, 0), "\u221250%"),
        (formats.percent(NAN), "\u2013"),
        (formats.number(-1234.5, 1), "\u22121,234.5"),
        (formats.number(float("inf")), "\u2013"),
        (formats.exact(Decimal("-1234567.00000001")), "\u22121,234,567.00000001"),
        (formats.exact(Decimal("-0E-8")), "0.00000000"),
        (formats.exact(Decimal("-0.00000001")), "\u22120.00000001"),
        (formats.span(NAN, 1.0, as_percent=True), "\u2013"),
        (formats.span(-0.1, 0.2, as_percent=True), "\u221210.0% \u2026 20.0%"),
        (formats.day(None), "\u2013"),
        (formats.day(1_704_067_200_000_000_000), "2024-01-01"),
    ],
)
def test_formats_read_well(written: str, expected: str) -> None:
    assert written == expected


def test_headline_counts_what_is_met(found: Evaluation) -> None:
    scored = found.rows[0].scored
    names = scored.met
    every = with_score(found, scored._replace(met=dict.fromkeys(names, True), joint=True))
    none = with_score(found, scored._replace(met=dict.fromkeys(names, False), joint=False))
    one = with_score(found, scored._replace(met={**dict.fromkeys(names, False), "payoff": True}))
    sharpe = with_score(found, scored._replace(met={**dict.fromkeys(names, False), "sharpe": True}))
    assert verdict.headline(every) == "All five targets are met on this path."
    assert verdict.headline(none) == "None of the five targets is met."
    assert verdict.headline(one).startswith("1 of 5 targets met (profit / loss)")
    assert verdict.headline(sharpe).startswith("1 of 5 targets met (Sharpe ratio)")


def test_sharpe_over_cash_is_a_line_only_where_a_yield_is_known(found: Evaluation) -> None:
    unknown = tuple(
        row._replace(figures=row.figures._replace(sharpe_over_cash=(nan, nan, nan)))
        for row in found.rows
    )
    for rows, is_there in ((found.rows, True), (unknown, False)):
        groups = details.groups(found._replace(rows=rows))
        labels = {line.label for group in groups for line in group.lines}
        assert ("The three over cash" in labels) is is_there


def test_target_lines_ask_twice_buy_and_hold_or_any_gain(found: Evaluation) -> None:
    scored = found.rows[0].scored
    rising = with_score(found, scored._replace(held_cagr=0.2, held_max_drawdown=0.5))
    falling = with_score(found, scored._replace(held_cagr=-0.2))
    trials = Trials(count=3)
    up, down = verdict.target_lines(rising), verdict.target_lines(falling)
    assert up[0].asked == "> 40.0%"
    assert up[2].asked == "< 15.0%"
    assert down[0].asked == "> 0.0%"
    assert any("asks only for a gain" in text for text in verdict.remarks(falling, trials))
    assert not any("asks only for a gain" in text for text in verdict.remarks(rising, trials))


def test_remarks_say_what_is_done_to_drawn_sharpe_ratios(found: Evaluation) -> None:
    (said,) = [text for text in verdict.remarks(found, Trials(count=3)) if "Drawn again" in text]
    low, high = found.intervals.values["sharpe_lowest"]
    assert f"runs from {low:.2f} to {high:.2f}".replace("-", "\u2212") in said
    assert "mirrored at the measured ones" in said


def test_terminal_fits_eighty_columns_and_labels_generated_data(found: Evaluation) -> None:
    text = verdict.terminal(found, "BTCUSDT on Binance: a long enough title", synthetic=True)
    assert text.startswith("GENERATED DATA")
    assert [line.split()[0] for line in text.splitlines()[-6:]] == [
        "target",
        "Annual",
        "Sharpe",
        "Max",
        "Daily",
        "Profit",
    ]
    assert max(map(len, text.splitlines())) <= 80
    assert "GENERATED" not in verdict.terminal(found, "BTC", synthetic=False)


def test_heat_signs_have_their_colour_and_missing_months_none() -> None:
    months = (
        Month(2024, 1, 0.10, 0.7, 0),
        Month(2024, 2, -0.10, 0.4, 5),
        Month(2024, 3, NAN, NAN, 31),
    )
    (row,) = heat.returns(months)
    up, down, gone, absent = row.cells[:4]
    assert up.text == "10.0%"
    assert down.text == "\u221210.0%*"
    assert down.title == "5 days without data"
    red_up, _, blue_up = map(int, re.findall(r"\d+", up.background))
    red_down, _, blue_down = map(int, re.findall(r"\d+", down.background))
    assert blue_up > red_up
    assert red_down > blue_down
    assert gone.text == "\u2013"
    assert absent.text == ""
    assert row.total == "\u22121.0%"
    (wins,) = heat.win_rates(months)
    assert [cell.text for cell in wins.cells[:3]] == ["70%", "40%*", "\u2013"]


def test_chart_same_data_same_bytes_and_no_dangling_reference(found: Evaluation) -> None:
    main, held = found.tracks["portfolio"], found.tracks["buy_and_hold"]
    with canvas.style():
        first, again = (path_charts.underwater(main, held, None) for _ in range(2))
    assert first == again
    ids = set(re.findall(r' id="([^"]+)"', first))
    used = set(re.findall(r'(?:url\(#|href="#)([^)"]+)', first))
    assert ids == used
    assert 'aria-label="Drawdown' in first
    assert "<metadata" not in first
    assert len(first) < 100_000


def test_rolling_sharpe_short_run_draws_nothing(found: Evaluation) -> None:
    main = found.tracks["portfolio"]
    short = main._replace(days=main.days.window(0, 300))
    with canvas.style():
        assert path_charts.rolling_sharpe(short, main, None) == ""


def test_render_bare_short_run_says_what_is_missing(run: RunResult) -> None:
    described = run.description.model_copy(
        update={
            "rows": (),
            "chosen_before_ns": None,
            "assumptions": (),
            "findings": (),
            "synthetic": False,
            "sleeves": run.description.sleeves[:1],
        }
    )
    empty = {
        name: getattr(run, name).slice(0, 0)
        for name in ("fills", "orders", "trips", "variants", "folds", "market")
    }
    bare = replace(run, description=described, equity=run.equity.slice(0, 24 * 15), **empty)
    page = render(bare, evaluate(bare), "bare")
    for words in (
        "No round trip was closed",
        "No model was trained",
        "shorter than a year",
        "The data checks found nothing",
        "not known yet",
        "The books do not add up",  # one of three sleeves is shown: the rest is unexplained
    ):
        assert words in page, words
    assert "Generated data" not in page
