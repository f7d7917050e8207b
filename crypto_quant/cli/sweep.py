"""``cq sweep``: every combination of values of a sweep file, beside one another."""

from __future__ import annotations

import os
import textwrap
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import click

from crypto_quant.backtesting.engine.workspace import Workspace
from crypto_quant.backtesting.sweep.cell_runs import raise_failures
from crypto_quant.backtesting.sweep.plan import read_plan
from crypto_quant.backtesting.sweep.selection import Selection
from crypto_quant.backtesting.sweep.sweep import Sweep, SweepRun
from crypto_quant.backtesting.sweep.table import lines
from crypto_quant.cli.data import GENERATED_LINE, NamedPath, catalog_option, json_option
from crypto_quant.cli.progress import stages
from crypto_quant.cli.walk_forward import runs_option, trials_option
from crypto_quant.core.clock import monotonic_s
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.venues.rules import load_instruments

_WIDTH: Final = 90


@click.command("sweep")
@click.argument("plan", metavar="FILE", type=NamedPath(path_type=Path, dir_okay=False))
@click.option(
    "--executor",
    metavar="NAME",
    help="Where cells run, instead of the file's: inline, pool, ray, or ray://HOST:PORT.",
)
@click.option(
    "--workers", type=click.IntRange(1, 1_024), help="Cells beside one another, as above."
)
@catalog_option
@runs_option
@trials_option
@json_option
def sweep(
    plan: Path,
    executor: str | None,
    workers: int | None,
    root: Path,
    runs: Path,
    trials: Path,
    as_json: bool,
) -> None:
    """Run every combination of the values in FILE, each logged as a trial; write a table.

    FILE is TOML: a configuration of cq backtest or cq walk-forward, and axes of values. Cells
    that were run before, with the same data and code, are not run again. Where they run
    changes no byte of the result.

    Example: cq sweep grid.toml --executor pool --workers 2
    """
    started = monotonic_s()
    asked = read_plan(plan, os.environ, executor, workers)
    catalog = Catalog(root)
    log = trials
    if asked.kind == "bars" and catalog.is_generated:  # as cq walk-forward keeps them apart
        log = trials.with_name(f"generated-{trials.name}")
    with stages() as show:
        done = Sweep(asked, Workspace(catalog, load_instruments(), runs, log, show)).run()
    if as_json:
        click.echo((done.folder / "sweep.json").read_text("utf-8"), nl=False)
    else:
        click.echo("\n".join(lines(done.cells, asked.axes, done.found)))
        click.echo("\n".join(_closing(done, is_generated=catalog.is_generated)))
        click.echo(f"\n{monotonic_s() - started:.1f} s; sweep: {done.folder}")
    raise_failures(done.cells, done.found, "sweep.json")


def _closing(done: SweepRun, *, is_generated: bool) -> Iterator[str]:
    """Yield what is said below the table."""
    yield ""
    if done.reused:
        yield f"{done.reused} of {len(done.cells)} cells were run before."
    best = done.selection
    said = f"Not deflated: {done.not_deflated}." if best is None else _chosen(best)
    yield textwrap.fill(said, _WIDTH)
    yield f"Configurations in the trial log: {done.trials}."
    if is_generated:
        yield GENERATED_LINE


def _chosen(best: Selection) -> str:
    psr, dsr, luck = (_share(value) for value in (best.psr, best.dsr, best.overfitting))
    return (
        f"Best cell: {best.best}, daily Sharpe ratio {best.sharpe:z.2f}; above 0 with probability "
        f"{psr} as the only trial, {dsr} as the best of {best.trials}; overfitted with "
        f"probability {luck}."
    )


def _share(value: float | None) -> str:
    return "unknown" if value is None else f"{value:.0%}"
