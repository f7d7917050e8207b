"""``cq data generate``: a seeded made-up market, as bars or as the venue's frames."""

from __future__ import annotations

import json
import os
from functools import partial
from pathlib import Path
from typing import Final

import click

from crypto_quant.cli.data import NamedPath, json_option
from crypto_quant.cli.progress import stages
from crypto_quant.core.clock import monotonic_s
from crypto_quant.core.errors import ConfigError, DataError
from crypto_quant.data_pipeline.generated.frames import FOLDER, write_frames
from crypto_quant.data_pipeline.generated.market import generate_market
from crypto_quant.data_pipeline.generated.parameters import load_parameters

BAR_DAYS: Final = 210
FRAME_DAYS: Final = 90
_DAY_NS: Final = 86_400 * 10**9
_MINUTE_NS: Final = 60 * 10**9


@click.command("generate")
@click.argument("folder", metavar="DIR", type=NamedPath(path_type=Path))
@click.option(
    "--days",
    type=click.IntRange(1, 3650),
    help=f"Length; {BAR_DAYS} days of bars or 1 of frames if not said.",
)
@click.option("--frames", "as_frames", is_flag=True, help="Order book and trades, as frames.")
@click.option(
    "--minutes", type=click.IntRange(1, 1440), help="Length of frames, instead of --days."
)
@click.option(
    "--seed",
    type=click.IntRange(0, 2**64 - 1),
    default=20_231,
    show_default=True,
    help="Same seed and length, same bytes.",
)
@json_option
def generate(
    folder: Path, days: int | None, as_frames: bool, minutes: int | None, seed: int, as_json: bool
) -> None:
    """Write a made-up market to DIR, as files that cq data import reads.

    Bars: spot minutes, perpetual hours and funding of BTCUSDT. With --frames: its perpetual's
    book updates, trades, best prices and mark prices in Binance's wire format, a file a day,
    about 0.8 GB each. Both begin at 2023-01-01. Every output that is made of them says so: they
    tell nothing about any market.

    Example: cq data generate market --frames --minutes 10 --seed 7
    """
    if minutes is not None and (days is not None or not as_frames):
        raise ConfigError("--minutes is the length of --frames, instead of --days")
    if as_frames and (days or 1) > FRAME_DAYS:
        raise ConfigError(
            f"--frames: at most {FRAME_DAYS} days: their price walks by ticks; take several seeds"
        )
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise DataError(f"{folder}: is there already; name a new or an empty folder")
    started = monotonic_s()
    try:
        if as_frames:
            length = minutes * _MINUTE_NS if minutes else (days or 1) * _DAY_NS
            with stages() as show:
                found = write_frames(
                    folder,
                    load_parameters(),
                    length_ns=length,
                    seed=seed,
                    progress=partial(show, "recording"),
                )
            files, events = found.files, found.events
            words = f"{length // _MINUTE_NS:,} generated minutes, {events:,} events,"
        else:
            generate_market(folder, days=days or BAR_DAYS, seed=seed)
            files, events = tuple(sorted(folder.rglob("*.parquet"))), 0
            words = f"{days or BAR_DAYS} generated days"
    except OSError as err:
        raise DataError(f"{folder}: cannot be written ({os.strerror(err.errno or 0)})") from err
    if as_json:
        plain = {
            "files": [str(path) for path in files],
            "events": events,
            "seconds": round(monotonic_s() - started, 3),
            "is_generated": True,
        }
        click.echo(json.dumps(plain, indent=1))
        return
    name = folder / FOLDER if as_frames else folder
    click.echo(
        f"{len(files)} {'files' if len(files) > 1 else 'file'} of {words} in {folder}: ", nl=False
    )
    click.echo(f"cq data import {name}")
