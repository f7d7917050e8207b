"""``cq backtest``: one strategy on recorded order books, session by session."""

from __future__ import annotations

import os
from pathlib import Path

import click

from crypto_quant.backtesting.engine.ticks import TickBacktest
from crypto_quant.backtesting.engine.workers import WORKERS
from crypto_quant.backtesting.engine.workspace import Workspace
from crypto_quant.backtesting.visualization import tick_text
from crypto_quant.cli.data import GENERATED_LINE, catalog_option, json_option
from crypto_quant.cli.progress import stages
from crypto_quant.cli.walk_forward import config_option, runs_option, trials_option
from crypto_quant.core.clock import monotonic_s
from crypto_quant.core.config import load_config
from crypto_quant.core.errors import ConfigError
from crypto_quant.core.executors import Pool
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.runtime.config import TickConfig
from crypto_quant.venues.rules import load_instruments


@click.command("backtest")
@config_option
@catalog_option
@runs_option
@trials_option
@click.option("--instrument", help="Instrument id; replaces the config's.")
@click.option(
    "--session",
    "names",
    multiple=True,
    help="Run only sessions whose name (UTC time of the first row) begins so; may be repeated.",
)
@click.option(
    "--single",
    is_flag=True,
    help="Run one cell of the band: the risk-averse queue at the slower latency.",
)
@click.option(
    "--workers",
    type=click.IntRange(1),
    default=WORKERS,
    show_default=True,
    help="Processes that run cells beside one another; results do not depend on it.",
)
@json_option
def backtest(
    config_path: Path | None,
    root: Path,
    runs: Path,
    trials: Path,
    instrument: str | None,
    names: tuple[str, ...],
    single: bool,
    workers: int,
    as_json: bool,
) -> None:
    """Run a strategy on recorded books and trades; write a run folder.

    The config's key strategy chooses it: imbalance (the default), or grid, a market maker.

    Every session of the instrument that has a book is run through the step that trades, over
    a band: risk-averse, fitted and optimistic queue, at the median and the 99th percentile of
    latency. The run is judged at the pessimistic end. It is logged as a trial first.

    Example: cq backtest --session 2024-08-08
    """
    started = monotonic_s()
    config = load_config(TickConfig, config_path, os.environ)
    changes: dict[str, object] = {}
    if instrument is not None:
        if config.markets:
            raise ConfigError(
                f"--instrument {instrument}: the config's markets name the instruments: change them"
            )
        changes["instrument"] = instrument
    if names:
        changes["sessions"] = names
    if single:
        changes["band"] = config.band.single()
    config = config.model_copy(update=changes)
    catalog = Catalog(root)
    pool = Pool(workers)
    with stages() as show:
        space = Workspace(catalog, load_instruments(), runs, trials, show)
        run = TickBacktest(config, space, pool).run()
        page = _report(run.folder)
    if as_json:
        click.echo((run.folder / "metrics.json").read_text(), nl=False)
        return
    click.echo(tick_text.page(run.metrics))
    if catalog.is_generated:
        click.echo(GENERATED_LINE)
    took = monotonic_s() - started
    cells = run.metrics["band"]["cells"]
    events = sum(sum(s["events"].values()) for cell in cells for s in cell["sessions"])
    click.echo(f"Configurations in the trial log: {run.trials}.")
    click.echo(f"\n{took:.1f} s, {events / took:,.0f} events/s with reading; {page or run.folder}")


def _report(folder: Path) -> str:
    """Write the page; nothing where what draws it is not installed."""
    try:
        from crypto_quant.backtesting.visualization.tick_page import build_tick_report
    except ModuleNotFoundError:
        return ""
    return f"report: {build_tick_report(folder)}"
