"""``cq report``: the page and the figures of a finished run."""

from __future__ import annotations

import json
from pathlib import Path

import click

from crypto_quant.backtesting.engine.folder import is_tick_run
from crypto_quant.backtesting.visualization import tick_text
from crypto_quant.core.errors import ConfigError


@click.command("report")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--runs",
    type=click.Path(path_type=Path),
    default=Path("runs"),
    show_default=True,
    help="Folder in which RUN is looked for when it is no path.",
)
@click.option("--json", "as_json", is_flag=True, help="Print metrics.json and nothing else.")
def report(run: Path, runs: Path, as_json: bool) -> None:
    """Rebuild report.html and metrics.json of RUN from what its folder holds.

    RUN is a run folder, or its name under --runs. Nothing is run again.

    Example: cq report runs/2024-01-demo
    """
    folder = run if run.is_dir() or len(run.parts) > 1 else runs / run
    try:
        from crypto_quant.backtesting.visualization.page import build_report
        from crypto_quant.backtesting.visualization.refusal_text import lines
        from crypto_quant.backtesting.visualization.tick_page import build_tick_report
        from crypto_quant.backtesting.visualization.verdict import terminal
    except ModuleNotFoundError as err:
        raise ConfigError(
            f"the report needs {err.name}: install crypto-quant with its 'report' extra"
        ) from err
    if is_tick_run(folder):
        page = build_tick_report(folder)
        metrics = (folder / "metrics.json").read_text("utf-8")
        click.echo(metrics if as_json else tick_text.page(json.loads(metrics)), nl=not as_json)
        if not as_json:
            click.echo(f"\nreport: {page}")
        return
    built = build_report(folder)
    if as_json:
        click.echo((folder / "metrics.json").read_text(), nl=False)
        return
    about = built.about
    click.echo(terminal(built.found, about.title, about.synthetic))
    for text in lines(about.refused, built.orders):
        click.echo(text)
    click.echo(f"\nreport: {folder / 'report.html'}")
