"""``cq stress``: a finished run under shocks, in extreme windows, redrawn, at other parameters."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import click
import numpy as np

from crypto_quant.backtesting.engine.folder import is_tick_run
from crypto_quant.backtesting.stress.monte_carlo import DRAWS, RUIN, Drawn
from crypto_quant.backtesting.stress.result import NAME, Stressed, WindowRow
from crypto_quant.backtesting.stress.session import Asked, StressSession
from crypto_quant.backtesting.stress.shocks import SHOCKS
from crypto_quant.backtesting.stress.tick_session import TickStress
from crypto_quant.backtesting.sweep.cell_runs import Where
from crypto_quant.cli.data import GENERATED_LINE, catalog_option, json_option
from crypto_quant.cli.progress import stages
from crypto_quant.cli.ranges import Finite
from crypto_quant.cli.shock_lines import figures, shock_lines
from crypto_quant.cli.walk_forward import trials_option
from crypto_quant.core.clock import monotonic_s
from crypto_quant.core.errors import ConfigError
from crypto_quant.venues.rules import load_instruments

_PARTS = ("shocks", "windows", "draws")


@click.command("stress")
@click.argument("run", type=click.Path(path_type=Path))
@click.option(
    "--runs",
    type=click.Path(path_type=Path),
    default=Path("runs"),
    envvar="CQ_RUNS",
    show_default=True,
    show_envvar=True,
    help="Folder in which RUN is looked for when it is no path.",
)
@catalog_option
@trials_option
@click.option(
    "--shock",
    "shocks",
    multiple=True,
    metavar="NAME",
    help=f"Lay only this shock; may be repeated. One of {', '.join(SHOCKS)}.",
)
@click.option(
    "--grid",
    "axes",
    multiple=True,
    metavar="KEY=V,V…",
    help="Run a surface over this key of the configuration; given twice. Each cell is a trial.",
)
@click.option(
    "--executor",
    metavar="NAME",
    help="Where the cells of --grid run: inline, pool, ray, or ray://HOST:PORT.  [default: pool]",
)
@click.option(
    "--workers",
    type=click.IntRange(1, 1_024),
    help="Cells of --grid beside one another.  [default: 2]",
)
@click.option("--skip", multiple=True, type=click.Choice(_PARTS), help="Leave a part out.")
@click.option(
    "--draws",
    type=click.IntRange(100, 100_000),
    default=DRAWS,
    show_default=True,
    help="Histories to draw.",
)
@click.option(
    "--ruin",
    type=Finite(0, 1, min_open=True, max_open=True),
    default=RUIN,
    show_default=True,
    help="Share of the starting capital at which a history is ruined.",
)
@click.option("--seed", type=click.IntRange(0), help="Seed of the draws; else the run's.")
@json_option
def stress(
    run: Path,
    runs: Path,
    root: Path,
    trials: Path,
    shocks: tuple[str, ...],
    axes: tuple[str, ...],
    executor: str | None,
    workers: int | None,
    skip: tuple[str, ...],
    draws: int,
    ruin: float,
    seed: int | None,
    as_json: bool,
) -> None:
    """Stress RUN, a finished run; write stress.json and a section of its report.

    RUN is a run folder, or its name under --runs. Its own configuration is run again over
    extreme windows of its data and under shocks, its days and round trips are drawn again,
    and with --grid two keys are varied, out of sample. A run of cq backtest has shocks only,
    and a page of its own.

    Example: cq stress runs/walk-forward-20250601-1a2b3c4d --skip windows
    """
    started = monotonic_s()
    try:
        from crypto_quant.backtesting.visualization.page import build_report, build_stress_page
    except ModuleNotFoundError as err:
        raise ConfigError(
            f"the report needs {err.name}: install crypto-quant with its 'report' extra"
        ) from err
    folder = run if run.is_dir() or len(run.parts) > 1 else runs / run
    chosen = () if "shocks" in skip else shocks or tuple(SHOCKS)
    asked = Asked(
        shocks=chosen,
        windows="windows" not in skip,
        axes=axes,
        draws=0 if "draws" in skip else draws,
        ruin=ruin,
        seed=seed,
        where=Where(executor or Where().executor, workers or Where().workers),
    )
    if not axes and (executor or workers):
        raise ConfigError("--executor, --workers: they are of --grid, which is not there")
    known = load_instruments()
    with stages() as show:
        if is_tick_run(folder):
            if axes:
                raise ConfigError(
                    "--grid: a surface is run over a walk-forward run, not over ticks"
                )
            found = TickStress(folder, root, known, trials, chosen, show).run()
            page = build_stress_page(folder)
        else:
            found = StressSession(folder, root, known, trials, asked, show).run()
            show("report", 0, 1)
            build_report(folder)
            page = folder / "report.html"
            show("report", 1, 1)
    if as_json:
        click.echo((folder / NAME).read_text("utf-8"), nl=False)
        return
    click.echo("\n".join(_lines(found)))
    click.echo(f"\n{monotonic_s() - started:.0f} s; report: {page}")


def _lines(found: Stressed) -> Iterator[str]:
    """Yield the tables."""
    if found.synthetic:
        yield GENERATED_LINE
    if found.shocks:
        yield from shock_lines(found)
    if found.windows:
        yield ""
        wide = found.digits + 6
        yield (
            f"{'extreme window':<47}{'by':>{wide}}{'return':>{wide}}{'fall':>{wide}}"
            f"{'margin':>8}{'stops':>13}  limits"
        )
        for one in found.windows:
            name = f"{str(np.datetime64(one.start, 'ns'))[:10]}  {one.label}"
            yield f"{name:<47}{_extreme(one):>{wide}}{figures(one.figures, found.digits)}"
    if found.drawn:
        yield ""
        yield f"{'drawn again':<34}{'5%':>8}{'median':>9}{'95%':>8}{'ruin':>8}"
        for drawn in found.drawn:
            yield from _drawn(drawn)
    if found.surface is not None:
        flat = found.surface.flatness
        yield ""
        yield (
            f"surface: {len(found.surface.cells)} cells; own Sharpe ratio {flat.own:z.2f}, best "
            f"{flat.best:z.2f}; neighbours keep"
        )
        yield (
            f"  {flat.kept_mean:.0%} of it on average, {flat.kept_least:.0%} at least; "
            f"{found.trials} configurations in the trial log"
        )


def _extreme(one: WindowRow) -> str:
    """Return what makes a window one: hours of a halt, else a fraction."""
    if one.key.startswith("halt"):
        return f"{one.value:.1f} h"
    return f"{one.value:.{2 if one.key.startswith('funding') else 1}%}"


def _drawn(drawn: Drawn) -> Iterator[str]:
    low, median, high = (drawn.total.quantiles[n] for n in (1, 3, 5))
    yield f"{drawn.label:<34}{low:>8.1%}{median:>9.1%}{high:>8.1%}{drawn.ruin:>8.1%}"
    low, median, high = (drawn.depth.quantiles[n] for n in (1, 3, 5))
    yield f"{'  max drawdown':<34}{low:>8.1%}{median:>9.1%}{high:>8.1%}"
