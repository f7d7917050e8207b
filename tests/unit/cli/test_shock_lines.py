"""The terminal's table of shocks: what began where, what stops did, and what shows nothing."""

from __future__ import annotations

from crypto_quant.backtesting.stress.measure import Figures, Limit, Stops
from crypto_quant.backtesting.stress.result import ShockRow, Stressed
from crypto_quant.cli.shock_lines import shock_lines

NAN = float("nan")
START = 1_680_652_702_110_000_001
"""2023-04-04T23:58:22.110000001Z."""
TRADED = Figures(
    ret=-0.0608,
    depth=0.0608,
    held=0.2,
    unhedged=0.003,
    margin_ratio=0.01,
    stops=Stops(2, 900.0, 1988.06),
    fills=3,
    rejected=0,
    taken=0,
    limits=(Limit("daily loss", 0.03, 0.0608, False), Limit("gross notional", 3.0, 0.1, True)),
    ruined=False,
)
STILL = TRADED._replace(
    ret=0.0, depth=0.0, stops=Stops(0, NAN, NAN), fills=0, limits=(Limit("daily loss", 1, 0, True),)
)


def row(
    label: str, place: str = "one", start: int = START, held: float | None = -0.0028
) -> ShockRow:
    return ShockRow(label, label, "", place, start, start, start, held, None, None)


def lines(digits: int, *rows: ShockRow) -> list[str]:
    found = Stressed(digits, (), rows, (), 0.5, None, "USDT", synthetic=False, trials=1)
    return list(shock_lines(found))


def test_rows_stand_under_the_moment_that_they_begin_at() -> None:
    up = row("Gap up").seen(STILL._replace(fills=1), TRADED, takes=False)
    slow = row("Latency", held=None).seen(TRADED, TRADED._replace(ruined=True), takes=False)
    gone = row("Funding", held=None)._replace(why="no funding is settled")
    other = row("Gap up", "two", START + 10**9, 0.001).seen(STILL, TRADED, takes=False)
    assert lines(4, up, slow, other, gone, row("Cap")._replace(why="no funding is settled")) == [
        "shock                                 plain    return      fall  margin        stops"
        "  limits",
        "one, from 23:58:22.110 on, position -0.28% of equity",
        "  Gap up                            0.0000%  -6.0800%   6.0800%    1.0%  2 · 1988 bp"
        "  daily loss broken",
        "one, from the first decision on",
        "  Latency                          -6.0800%  -6.0800%   6.0800%    1.0%  2 · 1988 bp"
        "  RUINED",
        "two, from 23:58:23.110 on, position 0.10% of equity",
        "  Gap up                            0.0000%  -6.0800%   6.0800%    1.0%  2 · 1988 bp"
        "  daily loss broken",
        "Funding; Cap, one: does not apply: no funding is settled",
    ]


def test_where_nothing_was_held_no_figure_is_shown() -> None:
    idle = row("Gap up", held=0.0).seen(STILL, STILL, takes=True)
    slow = row("Latency", held=None).seen(STILL, STILL, takes=False)
    assert idle.is_idle
    assert slow.is_idle
    said = "  nothing was held: this shows nothing of any shock here"
    assert [line for line in lines(4, idle, slow) if not line.startswith("one")][1:] == [said, said]
    busy = row("Spread", held=0.0).seen(STILL, TRADED, takes=False)
    assert not busy.is_idle
    _, _, first, second = lines(4, idle, busy)
    assert first.startswith("  Gap up  ")
    assert first.endswith("  nothing was held: this shows nothing")
    assert "%" not in first
    assert "daily loss broken" in second


def test_a_shock_that_takes_says_so_where_it_took_nothing() -> None:
    late = row("ADL").seen(TRADED, TRADED, takes=True)
    assert (late.plain, late.shocked) == (None, None)
    assert lines(4, late)[1:] == [
        "ADL, one: does not apply: the venue found no position of ours to take then"
    ]
    taken = row("ADL").seen(TRADED, TRADED._replace(taken=1), takes=True)
    assert taken.shocked is not None


def test_bars_are_told_by_date_and_place() -> None:
    held = row("Gap up", "largest position", held=1.6326).seen(STILL, STILL, takes=False)
    first = row("Spread", "from the first decision", held=None).seen(TRADED, TRADED, takes=False)
    found = lines(2, held, first, row("Latency")._replace(why="it does not show on bars"))
    assert found[1] == "largest position, from 2023-04-04 23:58 on, position 163.26% of equity"
    assert found[3] == "from the first decision on, 2023-04-04 23:58"
    assert found[-1] == "Latency: does not apply: it does not show on bars"
