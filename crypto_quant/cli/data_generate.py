"""``cq data generate``: a small seeded market, for a first try without data."""

from __future__ import annotations

import os
from pathlib import Path

import click

from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.collectors.generated import generate_market


@click.command("generate")
@click.argument("folder", metavar="DIR", type=click.Path(path_type=Path))
@click.option(
    "--days", type=click.IntRange(1, 3650), default=210, show_default=True, help="Length."
)
@click.option(
    "--seed",
    type=click.IntRange(0),
    default=20_231,
    show_default=True,
    help="Same seed and length, same bytes.",
)
def generate(folder: Path, days: int, seed: int) -> None:
    """Write a small made-up market to DIR, as files that cq data import reads.

    Spot minutes, perpetual hours and funding of BTCUSDT from 2023-01-01. Every output that
    is made of them says so: they tell nothing about any market.

    Example: cq data generate market --days 120
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"{folder}: is there already; name a new or an empty folder")
    try:
        generate_market(folder, days=days, seed=seed)
    except OSError as err:
        raise DataError(f"{folder}: cannot be written ({os.strerror(err.errno or 0)})") from err
    files = sum(1 for path in folder.rglob("*.parquet"))
    click.echo(f"{files} files of {days} generated days in {folder}: cq data import {folder}")
