"""``cq data``: what the catalog holds, and how it gets there."""

from __future__ import annotations

import json
import math
import os
import sys
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from crypto_quant.data_pipeline.collectors import importer
from crypto_quant.data_pipeline.collectors.facts import Facts
from crypto_quant.data_pipeline.storage import Catalog, Coverage, Part
from crypto_quant.data_pipeline.storage.manifest import is_generated
from crypto_quant.venues.rules import load_instruments


class NamedPath(click.Path):
    """A path that is not empty: an unset variable in quotes is not the current folder."""

    def convert(
        self,
        value: str | os.PathLike[str],
        param: click.Parameter | None,
        ctx: click.Context | None,
    ) -> str | bytes | os.PathLike[str]:
        """Refuse what names nothing.

        Raises
        ------
        click.BadParameter
            The text is empty.
        """
        if value == "":
            self.fail("a path is empty: is a variable unset?", param, ctx)
        return super().convert(value, param, ctx)


catalog_option = click.option(
    "--catalog",
    "root",
    type=NamedPath(path_type=Path, file_okay=False),
    default=Path("catalog"),
    envvar="CQ_CATALOG",
    show_default=True,
    show_envvar=True,
    help="The catalog's folder.",
)
GENERATED_LINE = "GENERATED DATA: not a real market."
"""Ends what is printed of a catalog with generated rows."""
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON instead.")


@click.group()
def data() -> None:
    """Market data: into the catalog, checked, out of it.

    Example: cq data import $CQ_DATA
    """


@data.command("import")
@click.argument("paths", nargs=-1, required=True, type=NamedPath(path_type=Path))
@click.option(
    "--as",
    "said",
    default="",
    metavar="KEY=VALUE,…",
    help="What the files do not say: venue, symbol, kind, interval, stamp=open|close, "
    "volume=base|quote|contracts, rate=fraction|percent, dataset, available_after, date, "
    "dates=mdy|dmy, drop.",
)
@click.option("--skip-known", is_flag=True, help="Pass over files that were imported before.")
@catalog_option
@json_option
def import_(
    paths: tuple[Path, ...], said: str, skip_known: bool, root: Path, as_json: bool
) -> None:
    """Import files or whole folders; all of it or nothing.

    The layout is recognised by the content. What a file does not say comes from --as, or
    from what is known of the data set; nothing is guessed.

    Example: cq data import btc.npz --as "venue=BINANCE,symbol=BTCUSDT-PERP"
    """
    given = Facts.parse(said)
    with _progress() as show:
        report = importer.import_files(
            Catalog(root), paths, given, load_instruments(), skip_known, show
        )
    if as_json:
        click.echo(json.dumps(_report_json(report), indent=1))
        return
    for part in report.parts:
        click.echo(_part_line(part))
    for line in _notice_lines(report):
        click.echo(line)
    sources = len({part.source.sha256 for part in report.parts})
    rows = sum(part.rows for part in report.parts)
    click.echo(f"imported {rows:,} rows of {sources} files into {root}")
    if is_generated(report.parts):
        click.echo(GENERATED_LINE)


@data.command("list")
@catalog_option
@json_option
def list_(root: Path, as_json: bool) -> None:
    """Show what the catalog holds: rows, days, coverage, holes.

    Times to the nanosecond, every hole, sources and findings are in --json.

    Example: cq data list --json
    """
    catalog = Catalog(root)
    keys = catalog.keys()
    rows = [(catalog.parts_of(kind, key), catalog.coverage(kind, key)) for kind, key in keys]
    if as_json:
        click.echo(json.dumps([_listed_json(parts, cover) for parts, cover in rows], indent=1))
    elif not rows:
        click.echo(f"{root} holds nothing yet: cq data import PATH")
    else:
        click.echo("\n".join(_listing(rows)))
        if catalog.is_generated:
            click.echo(GENERATED_LINE)


def _listing(rows: list[tuple[list[Part], Coverage]]) -> Iterator[str]:
    """Say it in 80 columns: a heading a kind, a line a key, a line for its holes."""
    keys = max(len(parts[0].key) for parts, _ in rows)
    yield f"{'':<{keys + 2}}{'rows':>12}  {'first':<10}  {'last':<10}  {'cover':>7}"
    kind = ""
    for parts, cover in rows:
        if parts[0].kind != kind:
            kind = parts[0].kind
            yield kind
        count = sum(part.rows for part in parts)
        first, last = _day(parts[0].start), _day(max(part.end for part in parts))
        yield f"  {parts[0].key:<{keys}}{count:>12,}  {first}  {last}  {_share(cover):>7}"
        if cover.holes:
            yield f"    {_holes(cover)}"


def _share(cover: Coverage) -> str:
    """Round down: 100 % is said only of what has no hole."""
    return f"{math.floor(cover.share * 10_000) / 100:.2f}%"


def _holes(cover: Coverage) -> str:
    longest = max(cover.holes, key=lambda hole: hole.end - hole.start)
    minutes = (longest.end - longest.start) // (60 * 10**9)
    length = f"{minutes} min" if minutes < 60 else f"{minutes / 60:,.1f} h"
    count = "1 hole:" if len(cover.holes) == 1 else f"{len(cover.holes):,} holes, longest"
    return f"{count} {length} from {_minute(longest.start)}"


def _listed_json(parts: list[Part], cover: Coverage) -> dict[str, object]:
    holes = sorted(cover.holes, key=lambda hole: hole.start - hole.end)
    return {
        "kind": parts[0].kind,
        "key": parts[0].key,
        "rows": sum(part.rows for part in parts),
        "first": parts[0].start,
        "last": max(part.end for part in parts),
        "coverage": cover.share,
        "segments": [segment._asdict() for segment in cover.segments],
        "holes": [hole._asdict() for hole in holes],
        "sources": [part.source.name for part in parts],
        "is_generated": is_generated(parts),
        "findings": dict(sum((Counter(part.findings) for part in parts), Counter())),
    }


def _report_json(report: importer.Report) -> dict[str, object]:
    return {
        "parts": [part.to_json() for part in report.parts],
        "skipped": [{"path": str(n.path), "reason": n.reason} for n in report.notices],
        "known": [str(path) for path in report.known],
    }


def _part_line(part: Part) -> str:
    found = "".join(f", {name.replace('_', ' ')}: {n:,}" for name, n in part.findings.items())
    return (
        f"{part.kind} {part.key}: {part.rows:,} rows, "
        f"{_minute(part.start)} to {_minute(part.end)}{found}  [{part.source.name}]"
    )


def _notice_lines(report: importer.Report) -> Iterator[str]:
    """One line per reason: a folder of three hundred fixtures is one line."""
    groups: dict[str, list[Path]] = {}
    for notice in report.notices:
        groups.setdefault(notice.reason, []).append(notice.path)
    for reason, paths in groups.items():
        names = ", ".join(path.name for path in paths[:4])
        more = f" and {len(paths) - 4} more" if len(paths) > 4 else ""
        yield f"not imported: {names}{more}: {reason}"
    if report.known:
        yield f"already in the catalog: {len(report.known)} files"


def _day(ts: int) -> str:
    return datetime.fromtimestamp(ts // 10**9, UTC).strftime("%Y-%m-%d")


def _minute(ts: int) -> str:
    return datetime.fromtimestamp(ts // 10**9, UTC).strftime("%Y-%m-%d %H:%M")


@contextmanager
def _progress() -> Iterator[importer.Progress | None]:
    """Show a bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield None
        return
    columns = (TextColumn("{task.description:60.60}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def show(name: str, rows: int, done: int, total: int) -> None:
            bar.update(task, description=f"{rows:>12,} rows {name}", completed=done, total=total)

        yield show
