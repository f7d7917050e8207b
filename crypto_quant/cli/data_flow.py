"""``cq data fit-flow`` and ``judge-flow``: the made-up market beside a recorded session."""

from __future__ import annotations

import json
from pathlib import Path

import click

from crypto_quant.cli.data import NamedPath, json_option
from crypto_quant.data_pipeline.generated.coarse import measure_coarse
from crypto_quant.data_pipeline.generated.distances import LIMIT, Judged, judge
from crypto_quant.data_pipeline.generated.fit import fit
from crypto_quant.data_pipeline.generated.observed import read_frames
from crypto_quant.data_pipeline.generated.parameters import load_parameters, to_toml

captures = click.argument(
    "captures", metavar="CAPTURE...", nargs=-1, required=True, type=NamedPath(path_type=Path)
)


@click.command("fit-flow")
@captures
def fit_flow(captures: tuple[Path, ...]) -> None:
    """Fit the order flow of the made-up market on a recorded session; print it as TOML.

    The captures are the session's files of frames, in order, of the BTCUSDT perpetual, with
    book updates, a snapshot, trades and bookTicker. What a session of minutes does not show,
    the series that move over hours and days, is taken over from the parameters that are there.

    Example: cq data fit-flow btcusdt_20240808.gz > flow.toml
    """
    parameters = fit(read_frames(captures))
    made = {**parameters, "slow": load_parameters()["slow"], "coarse": measure_coarse(parameters)}
    names = ", ".join(path.name for path in captures)
    source = f"Fitted by cq data fit-flow on {names}; slow is set, not fitted."
    click.echo(to_toml(made, source), nl=False)


@click.command("judge-flow")
@captures
@click.option(
    "--parameters",
    "path",
    type=NamedPath(path_type=Path),
    help="What fit-flow printed, instead of what is shipped.",
)
@click.option(
    "--seeds",
    type=click.IntRange(1, 1000),
    default=5,
    show_default=True,
    help="How many sessions are generated.",
)
@json_option
def judge_flow(captures: tuple[Path, ...], path: Path | None, seeds: int, as_json: bool) -> None:
    """Compare generated sessions with a recorded one, beside how far its halves are apart.

    A distance holds if its median over the seeds is at most twice that between the halves.

    Example: cq data judge-flow btcusdt_20240808.gz
    """
    judged = judge(read_frames(captures), load_parameters(path), range(1, seeds + 1))
    if as_json:
        click.echo(json.dumps([line.to_json() for line in judged], indent=1))
        return
    click.echo(
        f"{'distance':<18}{'to real':>9}{'halves':>9}{'ratio':>8}{'worst':>8}  at most {LIMIT:g}"
    )
    for line in judged:
        click.echo(_line(line))


def _line(line: Judged) -> str:
    held = "holds" if line.holds else "MISSED"
    numbers = f"{line.to_real:>9.4f}{line.between_halves:>9.4f}{line.ratio:>8.2f}{line.worst:>8.2f}"
    return f"{line.name:<18}{numbers}  {held}"
