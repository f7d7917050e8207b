"""``cq walk-forward`` and ``cq demo``: the main run, and the page it ends with."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import click

from crypto_quant.backtesting.engine.checked import checked
from crypto_quant.backtesting.engine.sources import Found, find_data
from crypto_quant.backtesting.engine.walk_forward import WalkForward
from crypto_quant.backtesting.engine.workspace import Workspace
from crypto_quant.backtesting.validation.trials import DEFAULT_PATH
from crypto_quant.cli.data import catalog_option, json_option
from crypto_quant.cli.progress import stages
from crypto_quant.core.clock import monotonic_s
from crypto_quant.core.config import load_config
from crypto_quant.core.errors import ConfigError
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.runtime.config import RunConfig
from crypto_quant.venues.rules import load_instruments

config_option = click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="TOML file; without it the defaults are used. See cq config show.",
)
runs_option = click.option(
    "--runs",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("runs"),
    envvar="CQ_RUNS",
    show_default=True,
    show_envvar=True,
    help="Folder of run folders and of trained models.",
)
trials_option = click.option(
    "--trials",
    type=click.Path(path_type=Path, dir_okay=False),
    default=DEFAULT_PATH,
    envvar="CQ_TRIALS",
    show_default=True,
    show_envvar=True,
    help="The trial log: one for all that is tried, wherever the runs go.",
)


@click.command("walk-forward")
@config_option
@catalog_option
@runs_option
@trials_option
@json_option
def walk_forward(
    config_path: Path | None, root: Path, runs: Path, trials: Path, as_json: bool
) -> None:
    """Train and trade week by week on the catalog, after all costs; write a run folder.

    The portfolio is run with the rows it is compared with, each logged as a trial before
    its result can be read. It ends with the table of targets and the report's path.

    Example: cq walk-forward --config my.toml
    """
    catalog = Catalog(root)
    found = Found(catalog, f"the catalog {root}", catalog.is_generated)
    _run(config_path, runs, trials, as_json, lambda config, tell: found)


@click.command("demo")
@config_option
@catalog_option
@runs_option
@trials_option
@json_option
def demo(config_path: Path | None, root: Path, runs: Path, trials: Path, as_json: bool) -> None:
    """Find data, run the walk-forward, and print the five targets.

    Looks for the folder that CQ_DATA names, then the catalog, then the public archive, and
    with nothing at hand generates a small seeded market, which every output then says.

    Example: cq demo
    """

    def find(config: RunConfig, tell: Callable[[str], None]) -> Found:
        return find_data(config, root, os.environ, load_instruments(), tell)

    _run(config_path, runs, trials, as_json, find)


def _run(
    config_path: Path | None,
    runs: Path,
    trials: Path,
    as_json: bool,
    find: Callable[[RunConfig, Callable[[str], None]], Found],
) -> None:
    started = monotonic_s()
    config = load_config(RunConfig, config_path, os.environ)
    try:
        from crypto_quant.backtesting.visualization.page import build_report
        from crypto_quant.backtesting.visualization.refusal_text import lines
        from crypto_quant.backtesting.visualization.verdict import terminal
    except ModuleNotFoundError as err:
        raise ConfigError(
            f"the report needs {err.name}: install crypto-quant with its 'report' extra"
        ) from err
    found = find(config, lambda text: click.echo(text, err=True))
    click.echo(f"data: {found.origin}", err=True)
    with stages() as show:
        known = load_instruments()
        log = trials.with_name(f"generated-{trials.name}") if found.is_generated else trials
        run = WalkForward(config, Workspace(found.catalog, known, runs, log, show))
        show("data check", 0, 1)
        findings = checked(config, found.catalog, known)
        show("data check", 1, 1)
        folder = run.run(findings, synthetic=found.is_generated)
        show("report", 0, 1)
        built = build_report(folder)
        show("report", 1, 1)
    if as_json:
        click.echo((folder / "metrics.json").read_text(), nl=False)
        return
    about = built.about
    click.echo(terminal(built.found, about.title, about.synthetic))
    for text in lines(about.refused, built.orders):
        click.echo(text)
    click.echo(f"\n{monotonic_s() - started:.0f} s; report: {folder / 'report.html'}")
