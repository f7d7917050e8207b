"""``cq data download``: files of the venue's public archive, verified, into the catalog."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

import click
from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from crypto_quant.cli.data import catalog_option, json_option
from crypto_quant.cli.ranges import Finite
from crypto_quant.core.clock import iso, now_ns
from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.collectors.archive import (
    Collected,
    Collector,
    Done,
    Fetcher,
    Outcome,
    Patience,
    Policy,
    Request,
    holdings,
)
from crypto_quant.data_pipeline.collectors.archive.download import Progress as OnDownload
from crypto_quant.data_pipeline.collectors.importer import Progress as OnImport
from crypto_quant.venues.rules import load_instruments

_NAMED = 3
"""Files that a line names before it only counts."""


@click.command("download")
@click.option(
    "--kind", required=True, help=f"One of {', '.join(holdings().kinds)}.", metavar="KIND"
)
@click.option("--symbol", required=True, help="As the venue writes it: BTCUSDT, BTCUSD_PERP.")
@click.option(
    "--market",
    default="um",
    show_default=True,
    help="spot, um (linear futures) or cm (coin-margined futures).",
)
@click.option("--interval", help="Length of candles: 1m, 1h, 1d …")
@click.option("--start", required=True, help="First month (2023-01) or day (2023-01-31), UTC.")
@click.option("--end", help="Last month or day, included; by default that of --start.")
@click.option(
    "--jobs", type=click.IntRange(1, 32), default=4, show_default=True, help="Files at a time."
)
@click.option(
    "--base",
    envvar="CQ_ARCHIVE",
    default=holdings().base,
    show_default=True,
    show_envvar=True,
    help="Address of the archive or of a mirror.",
)
@click.option(
    "--keep-files",
    "folder",
    type=click.Path(path_type=Path, file_okay=False),
    help="Download into this folder and leave the files there.",
)
@click.option("--no-import", is_flag=True, help="Only fetch the files; needs --keep-files.")
@click.option(
    "--timeout",
    type=Finite(0.1, 3600),
    default=30.0,
    show_default=True,
    help="Seconds without a byte, or with less than 1 KiB/s, after which a transfer is retried.",
)
@click.option(
    "--attempts",
    type=click.IntRange(1, 100),
    default=6,
    show_default=True,
    help="Attempts at a file.",
)
@catalog_option
@json_option
def download(
    kind: str,
    symbol: str,
    market: str,
    interval: str | None,
    start: str,
    end: str | None,
    jobs: int,
    base: str,
    folder: Path | None,
    no_import: bool,
    timeout: float,
    attempts: int,
    root: Path,
    as_json: bool,
) -> None:
    """Fetch files of the public archive, verify their checksums, and import them.

    Whole months come as one file, the rest as days. What was downloaded is kept until it is
    imported: after an interruption the same command goes on where it was.

    Example: cq data download --kind klines --symbol BTCUSDT --interval 1h --start 2023-01
    --end 2023-03
    """
    request = Request.of(kind, market, symbol, start, end or start, interval)
    if no_import and folder is None:
        raise DataError("--no-import: say where the files go with --keep-files DIR")
    fetcher = Fetcher(base, Policy(attempts=attempts, patience=Patience(timeout_s=timeout)))
    collector = Collector(
        catalog=root,
        instruments=load_instruments(),
        today=datetime.fromtimestamp(now_ns() // 10**9, UTC).date(),
        folder=folder,
        imports=not no_import,
        keeps_files=folder is not None,
        jobs=jobs,
    )
    try:
        with _progress() as show:
            (collected,) = collector.collect([request], fetcher, *show)
    except KeyboardInterrupt:
        raise DataError(
            "interrupted; nothing was imported, what was downloaded is kept: the same command "
            "goes on"
        ) from None
    if as_json:
        click.echo(json.dumps(_json(collected), indent=1))
    else:
        _tell(collected, root if collector.imports else None)
    refused = collected.of("refused")
    for outcome in refused:
        click.echo(f"cq: {outcome.note}", err=True)
    if refused:
        sys.exit(2)


def _tell(collected: Collected, root: Path | None) -> None:
    for note in collected.plan.notes:
        click.echo(note)
    for outcome in collected.outcomes:
        if outcome.note and outcome.state != "refused":
            click.echo(outcome.note)
    missing = collected.of("missing")
    if missing:
        click.echo(f"not in the archive: {_count(missing)}")
    click.echo(
        f"{collected.plan.request}: {len(collected.of('fetched'))} files fetched, "
        f"{len(collected.of('kept'))} were there, {len(collected.of('imported'))} imported before"
    )
    if collected.known:
        click.echo(f"already in the catalog: {len(collected.known)} files")
    if collected.parts and root is not None:
        parts = sorted(collected.parts, key=lambda part: part.start)
        rows = sum(part.rows for part in parts)
        last = iso(max(part.end for part in parts))
        click.echo(
            f"imported {rows:,} rows of {parts[0].kind} {parts[0].key}, "
            f"{iso(parts[0].start)} to {last}, into {root}"
        )


def _count(outcomes: list[Outcome]) -> str:
    names = ", ".join(outcome.remote.name for outcome in outcomes[:_NAMED])
    more = len(outcomes) - _NAMED
    return f"{len(outcomes)} files: {names}" + (f" and {more} more" if more > 0 else "")


def _json(collected: Collected) -> dict[str, object]:
    return {
        "request": str(collected.plan.request),
        "notes": list(collected.plan.notes),
        "files": [
            {
                "path": outcome.remote.path,
                "state": outcome.state,
                "sha256": outcome.sha256,
                "note": outcome.note,
                "is_replaced": outcome.is_replaced,
            }
            for outcome in collected.outcomes
        ],
        "known": [path.name for path in collected.known],
        "parts": [part.to_json() for part in collected.parts],
    }


class _Shown(NamedTuple):
    """What shows how far download and import are; nothing where there is no terminal."""

    download: OnDownload | None = None
    imported: OnImport | None = None


@contextmanager
def _progress() -> Iterator[_Shown]:
    """Show a bar on a terminal, nothing elsewhere."""
    if not sys.stderr.isatty():
        yield _Shown()
        return
    columns = (TextColumn("{task.description:48.48}"), BarColumn(), TimeElapsedColumn())
    with Progress(*columns, console=Console(stderr=True), transient=True) as bar:
        task = bar.add_task("", total=None)

        def on_download(done: Done) -> None:
            text = f"{done.files} of {done.of} files, {done.bytes / 1e6:,.1f} MB fetched"
            bar.update(task, description=text, completed=done.files, total=done.of)

        def on_import(name: str, rows: int, done: int, total: int) -> None:
            bar.update(
                task, description=f"{rows:,} rows {name}", completed=done, total=max(total, 1)
            )

        yield _Shown(on_download, on_import)
