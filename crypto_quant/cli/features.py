"""``cq features``: what the system computes from the tape."""

from __future__ import annotations

import dataclasses
import json

import click
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from crypto_quant.feature_engineering.catalog import CATALOG


@click.group("features")
def features() -> None:
    """Look at the features that models and strategies read.

    Example: cq features list --group market_structure
    """


@features.command("list")
@click.option("--group", help="Only features of this group.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON document.")
def list_features(group: str | None, as_json: bool) -> None:
    """Show every feature with its inputs, unit, warm-up and source.

    Example: cq features list --json
    """
    groups = sorted({info.group for info in CATALOG.values()})
    if group is not None and group not in groups:
        raise click.BadParameter(f"expected one of {', '.join(groups)}", param_hint="--group")
    rows = [info for info in CATALOG.values() if group in (None, info.group)]
    if as_json:
        click.echo(json.dumps([dataclasses.asdict(info) for info in rows], indent=1))
        return
    table = Table(box=None, header_style="bold", pad_edge=False)
    for name in ("feature", "warm-up", "gap"):
        table.add_column(name, no_wrap=True)
    table.add_column("unit and sign")
    for title in groups:
        listed = [info for info in rows if info.group == title]
        if listed:
            table.add_row(f"[bold]{title}")
        for info in listed:
            warm = "-" if info.warm_up_s is None else _duration(info.warm_up_s)
            table.add_row(f"  {info.name}", warm, info.gap, escape(info.unit))
    console = Console(highlight=False)
    console.print(table)
    console.print(f"{len(rows)} features")


def _duration(seconds: int) -> str:
    for size, unit in ((86_400, "d"), (3_600, "h"), (60, "min")):
        if seconds >= size:
            return f"{seconds / size:.3g} {unit}"
    return f"{seconds} s"
