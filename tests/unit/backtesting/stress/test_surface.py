"""The parameter surface: axes that are refused, cells in order, and flatness by hand."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import cast

import pytest

from crypto_quant.backtesting.stress.surface import Axis, Cell, axis, flatness, grid, surface
from crypto_quant.backtesting.sweep import plan
from crypto_quant.backtesting.sweep.called import Failure
from crypto_quant.backtesting.sweep.cell_runs import Came, CellRuns
from crypto_quant.backtesting.sweep.figures import Figures
from crypto_quant.core.errors import ConfigError, StrategyError
from crypto_quant.runtime.config import RunConfig

CONFIG = RunConfig()


def test_the_runs_own_value_joins_an_axis_in_order() -> None:
    found = axis("carry.entry_margin=1, 0", CONFIG)
    assert found == Axis("carry.entry_margin", (0, 0.25, 1), 1)
    assert axis("carry.entry_margin=0.25,0.50", CONFIG) == Axis(
        "carry.entry_margin", (0.25, 0.5), 0
    )


def test_equal_values_are_one() -> None:
    found = axis("sim.cost_multiplier=1,1.0,2,2.0", CONFIG)
    assert len(found.values) == 2
    assert found.own == 0


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("carry.entry_margin", "expected section.key=value"),
        ("carry.entry_margin=", "expected section.key=value"),
        ("carry.entry_margn=1", "no such key; cq config show lists them"),
        ("carry=1", "it is no single value"),
        ("carry.entry_margin=0.25", "one value beside the run's own is needed"),
        ("carry.entry_margin=0.5,,1", "a value is empty"),
        ("market.tier=VIP1", "it changes the data or nothing"),
        ("model.training.split.train_days=90", "it changes the data or nothing"),
        ("beside=false", "it changes the data or nothing"),
    ],
)
def test_what_is_no_axis_is_refused(text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        axis(text, CONFIG)


def test_cells_are_configurations_row_by_row() -> None:
    x, y = axis("carry.entry_margin=0", CONFIG), axis("risk.daily_loss=0.01,0.02", CONFIG)
    found = [(one.carry.entry_margin, one.risk.daily_loss) for one in grid(CONFIG, x, y)]
    assert found == [(0, 0.01), (0.25, 0.01), (0, 0.02), (0.25, 0.02), (0, 0.03), (0.25, 0.03)]
    assert grid(CONFIG, x, y)[5] == CONFIG


def test_a_value_that_makes_no_configuration_is_named() -> None:
    x, y = axis("carry.entry_margin=0", CONFIG), axis("risk.daily_loss=7", CONFIG)
    with pytest.raises(ConfigError, match=r"risk.daily_loss = 7: risk.daily_loss: .* less than"):
        grid(CONFIG, x, y)
    low = axis("carry.margin_low=0.9", CONFIG)
    with pytest.raises(ConfigError, match="margin_stop < margin_low"):
        grid(CONFIG, x, low)


def test_a_surface_has_two_keys_and_not_too_many_cells() -> None:
    x = axis("carry.entry_margin=0", CONFIG)
    with pytest.raises(ConfigError, match="two different keys"):
        grid(CONFIG, x, x)
    many = axis("risk.daily_loss=" + ",".join(f"0.{n:03}" for n in range(1, 300)), CONFIG)
    with pytest.raises(ConfigError, match="at most 400"):
        grid(CONFIG, x, many)


def cells(values: list[list[float]], own: tuple[int, int], lowest: float = 1.0) -> list[Cell]:
    return [
        Cell(x, y, value, value * lowest, 0.1, 0.1, (x, y) == own)
        for y, row in enumerate(values)
        for x, value in enumerate(row)
    ]


GRID = [[1.0, 1.5, 3.0], [1.0, 2.0, 1.0], [0.5, 1.5, 0.0]]


def test_flatness_of_a_cell_amid_its_neighbours() -> None:
    found = flatness(cells(GRID, (1, 1)), 3)
    assert (found.by, found.own, found.best) == ("sharpe_lowest", 2.0, 3.0)
    assert found.kept_mean == pytest.approx((1 + 1.5 + 3 + 1 + 1 + 0.5 + 1.5 + 0) / 8 / 2)
    assert found.kept_least == 0.0
    assert found.rank == 7 / 8


@pytest.mark.parametrize(
    ("own", "near"),
    [
        ((0, 0), [1.5, 1.0, 2.0]),
        ((2, 0), [1.5, 2.0, 1.0]),
        ((0, 2), [1.0, 2.0, 1.5]),
        ((1, 0), [1.0, 3.0, 1.0, 2.0, 1.0]),
    ],
)
def test_flatness_at_the_edge_has_fewer_neighbours(own: tuple[int, int], near: list[float]) -> None:
    x, y = own
    found = flatness(cells(GRID, own), 3)
    assert found.own == GRID[y][x]
    assert found.kept_mean == pytest.approx(sum(near) / len(near) / found.own)
    assert found.kept_least == pytest.approx(min(near) / found.own)


def test_flatness_of_what_earns_nothing_is_unknown() -> None:
    found = flatness(cells(GRID, (2, 2)), 3)
    assert math.isnan(found.kept_mean)
    assert math.isnan(found.kept_least)


def test_where_a_lowest_ratio_is_unknown_the_daily_ones_are_compared() -> None:
    found = flatness(cells(GRID, (1, 1), lowest=math.nan), 3)
    assert (found.by, found.own) == ("sharpe_daily", 2.0)


class Ran:
    """Stands for ``CellRuns``: hands out what each cell came to, by its number."""

    def __init__(self, failed: frozenset[int]) -> None:
        self._failed = failed

    def run(self, cells: Sequence[plan.Cell[RunConfig]]) -> dict[int, Came]:
        names = ("sharpe_daily", "sharpe_lowest", "return", "max_drawdown")
        return {
            cell.number: Failure("liquidated", is_ours=False)
            if cell.number in self._failed
            else Figures(dict.fromkeys(names, float(cell.number)), {}, (), "")
            for cell in cells
        }


def test_a_surface_is_made_of_the_cells_of_a_sweep() -> None:
    x, y = axis("carry.entry_margin=0,1", CONFIG), axis("carry.horizon_h=360", CONFIG)
    found = surface(cast(CellRuns, Ran(frozenset())), CONFIG, x, y)
    assert [(c.x, c.y) for c in found.cells] == [(n % 3, n // 3) for n in range(6)]
    assert [c.sharpe_daily for c in found.cells] == [float(n) for n in range(6)]
    (own,) = [c for c in found.cells if c.is_own]
    assert (x.values[own.x], y.values[own.y]) == (0.25, 720.0)


def test_cells_that_failed_are_named_with_their_values() -> None:
    x, y = axis("carry.entry_margin=0,1", CONFIG), axis("carry.horizon_h=360", CONFIG)
    with pytest.raises(StrategyError) as told:
        surface(cast(CellRuns, Ran(frozenset({2, 3}))), CONFIG, x, y)
    assert str(told.value).splitlines() == [
        "2 of 6 cells failed:",
        "  cell 2: carry.entry_margin = 1, carry.horizon_h = 360: liquidated",
        "  cell 3: carry.entry_margin = 0, carry.horizon_h = 720.0: liquidated",
    ]
