"""Sweep files: what is read, in which order cells come, and what is refused."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest

from crypto_quant.backtesting.sweep.plan import cells, read_plan
from crypto_quant.core.errors import ConfigError
from crypto_quant.runtime.config import RunConfig, TickConfig


def write(folder: Path, text: str) -> Path:
    path = folder / "sweep.toml"
    path.write_text(text)
    return path


def test_axes_may_be_dotted_or_quoted_and_the_last_one_changes_first(tmp_path: Path) -> None:
    text = 'axes."signal.enter" = [0.5, 0.7]\naxes.size.size = ["0.01", "0.02", "0.03"]\n'
    plan = read_plan(write(tmp_path, text), {}, None, None)
    found = cells(plan.base, plan.axes)
    assert [(tuple(c.values.values()), c.number) for c in found] == [
        ((0.5, "0.01"), 0),
        ((0.5, "0.02"), 1),
        ((0.5, "0.03"), 2),
        ((0.7, "0.01"), 3),
        ((0.7, "0.02"), 4),
        ((0.7, "0.03"), 5),
    ]
    last, base = found[-1].config, plan.base
    assert isinstance(last, TickConfig)
    assert isinstance(base, TickConfig)
    assert (last.signal.enter, last.size.size) == (0.7, Decimal("0.03"))
    assert last.model_copy(update={"signal": base.signal, "size": base.size}) == base


def test_the_configuration_is_a_table_or_a_file_under_the_environment(tmp_path: Path) -> None:
    (tmp_path / "base.toml").write_text("grid_ms = 250\ncapital = 5000\n")
    env = {"CQ__GRID_MS": "500"}
    by_file = 'config = "base.toml"\naxes.tier = ["VIP0", "VIP1"]\n'
    by_table = 'axes.tier = ["VIP0", "VIP1"]\n[config]\ngrid_ms = 250\ncapital = 5000\n'
    for text in (by_file, by_table):
        base = read_plan(write(tmp_path, text), env, None, None).base
        assert isinstance(base, TickConfig)
        assert (base.grid_ms, base.capital) == (500, Decimal(5000))


def test_the_command_line_replaces_executor_and_workers(tmp_path: Path) -> None:
    path = write(tmp_path, 'executor = "inline"\nworkers = 3\naxes.capital = [1000]\n')
    plan = read_plan(path, {}, None, None)
    assert (plan.executor, plan.workers) == ("inline", 3)
    plan = read_plan(path, {}, "ray://head:10001", 8)
    assert (plan.executor, plan.workers) == ("ray://head:10001", 8)


def test_a_combination_that_is_no_configuration_is_a_cell_with_a_reason(tmp_path: Path) -> None:
    text = 'kind = "bars"\naxes.risk.pair_loss = [0.0001, 0.5]\naxes.carry.spread_loss = [0.005]\n'
    plan = read_plan(write(tmp_path, text), {}, None, None)
    assert isinstance(plan.base, RunConfig)
    bad, good = cells(plan.base, plan.axes)
    assert bad.config is None
    assert "risk.pair_loss = 0.0001, carry.spread_loss = 0.005" in bad.why
    assert good.config is not None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("workers = 2\n[axes]\n", "axes: expected a list of values for at least one key"),
        ("axes.grid_mss = [1]\n", "axes.grid_mss: no such key; cq config show lists them"),
        ("axes.grid.gap = 1\n", "axes.grid.gap: expected a list of values, was 1"),
        ("axes.grid.gap = []\n", r"axes.grid.gap: expected a list of values, was \[\]"),
        ("axes.grid.gap = [[1]]\n", r"axes.grid.gap: expected single values, was \[1\]"),
        ("axes.grid_ms = [1, 1.0]\n", "axes.grid_ms: a value is there twice"),
        ('axes.capital = [10, "1e1"]\n', "axes.capital: a value is there twice"),
        ("axes.signal.enter = [nan, 0.5]\n", "axes.signal.enter: expected finite numbers"),
        ('axes.grid.gap = [1]\naxes."grid.gap" = [2]\n', "axes.grid.gap: it is there twice"),
        ('axes.instrument = ["X"]\n', "axes.instrument: it changes the data or nothing"),
        ('axes.venue.own_fills = ["a.csv"]\n', "venue.own_fills: it changes the data or nothing"),
        ('axes.venue.latency.rows = ["a"]\n', "latency.rows: it changes the data or nothing"),
        ('axes.venue.feed.rows = ["a"]\n', "feed.rows: it changes the data or nothing"),
        ('kind = "bars"\naxes.market.tier = ["VIP1"]\n', "it changes the data or nothing"),
        ('kind = "days"\naxes.capital = [1]\n', "kind: Input should be 'ticks' or 'bars'"),
        ('executor = "rays"\naxes.capital = [1]\n', "executor: expected inline, pool, ray"),
        ("workers = 0\naxes.capital = [1]\n", "workers: Input should be greater than"),
        ('config = "none.toml"\naxes.capital = [1]\n', "none.toml: cannot read the config"),
        ("axes.capital = [1]\n[config]\ngridms = 3\n", "config: unknown key 'gridms'"),
        (f"axes.grid_ms = {list(range(1, 201))}\naxes.capital = {list(range(1, 102))}\n", "20,200"),
    ],
)
def test_what_is_wrong_is_said_with_its_key(tmp_path: Path, text: str, said: str) -> None:
    with pytest.raises(ConfigError, match=said):
        read_plan(write(tmp_path, text), {}, None, None)


def test_a_sweep_of_which_no_cell_can_be_run_is_refused(tmp_path: Path) -> None:
    plan = read_plan(write(tmp_path, "axes.capital = [0, -1]\n"), {}, None, None)
    with pytest.raises(ConfigError, match="no cell is a configuration; the first: capital = 0"):
        cells(plan.base, plan.axes)
