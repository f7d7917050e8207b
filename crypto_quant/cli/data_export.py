"""``cq data export``: a part of the catalog as a file for other programs."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from pathlib import Path

import click

from crypto_quant.cli.data import GENERATED_LINE, catalog_option, json_option
from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.exporters import EXPORTERS
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.data_pipeline.storage.manifest import is_generated

_DAYS = click.DateTime(["%Y-%m-%d", "%Y-%m-%dT%H:%M", "%Y-%m-%dT%H:%M:%S"])


@click.command("export")
@click.argument("kind")
@click.argument("key")
@click.argument("path", type=click.Path(path_type=Path, dir_okay=False))
@click.option("--start", type=_DAYS, help="First time, UTC.")
@click.option("--end", type=_DAYS, help="Time before which to stop, UTC.")
@catalog_option
@json_option
def export(
    kind: str,
    key: str,
    path: Path,
    start: datetime | None,
    end: datetime | None,
    root: Path,
    as_json: bool,
) -> None:
    """Write rows of one KIND and KEY to PATH, whose ending chooses the format.

    Example: cq data export bar BTCUSDT-PERP.BINANCE/1h btc.parquet
    """
    exporter = EXPORTERS.get(path.suffix)
    if exporter is None:
        raise DataError(f"{path}: the ending is one of {', '.join(EXPORTERS)}")
    catalog = Catalog(root)
    rows = exporter(catalog, kind, key, path, _ns(start), _ns(end))
    has_label = is_generated(catalog.parts_of(kind, key))
    if as_json:
        click.echo(json.dumps({"path": str(path), "rows": rows, "is_generated": has_label}))
        return
    click.echo(f"{path}: {rows:,} rows of {kind} {key}")
    if has_label:
        click.echo(GENERATED_LINE)


def _ns(day: datetime | None) -> int | None:
    return None if day is None else int(day.replace(tzinfo=UTC).timestamp()) * 10**9
