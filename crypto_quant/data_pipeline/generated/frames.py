"""Days of a made-up market as a recorder of the venue's streams would have written them."""

from __future__ import annotations

import re
import zlib
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final, NamedTuple

import pyarrow as pa
import pyarrow.parquet as pq

from crypto_quant.core.errors import InvariantError
from crypto_quant.core.files import whole
from crypto_quant.data_pipeline.collectors.ticks.reader import ahead
from crypto_quant.data_pipeline.generated.label import labelled
from crypto_quant.data_pipeline.generated.recorder import START_NS, pieces, recorder

FOLDER: Final = "generated_usdm"
"""Folder of the files: ``collectors/datasets/generated_usdm.toml`` knows what they are."""

SETTLED: Final = "BTCUSDT-perp-funding-8h_generated.parquet"
"""File of settled funding rates, where the length reaches a settlement."""

_SECOND: Final = 10**9
_FUNDING_NS: Final = 8 * 3_600 * _SECOND
_RATE: Final = re.compile(rb'"r":"([^"]+)","T":(\d+)')
"""Estimated rate and next settlement, ms, of a frame of mark prices."""
_LEVEL: Final = 1
"""Packs a third less than the tightest, ten times faster."""

Progress = Callable[[int, int], None]
"""Called with the seconds recorded and the seconds there will be."""


class Written(NamedTuple):
    """What was written: the files, and the level changes, trades and quotes in them."""

    files: tuple[Path, ...]
    events: int


def write_frames(
    folder: Path,
    parameters: Mapping[str, Any],
    *,
    length_ns: int,
    seed: int,
    with_quotes: bool = True,
    progress: Progress | None = None,
) -> Written:
    """Write a file a day: the label, a snapshot, book updates, trades, quotes, marks.

    Beside them a table of the settled funding rates: the last estimate before each settlement.

    Parameters
    ----------
    folder
        ``FOLDER`` is made in it. Each file is there whole or not at all; memory does not
        grow with the length.
    parameters
        From ``load_parameters``.
    length_ns
        How much is recorded, ns, from 2023-01-01.
    seed
        Same seed and parameters, same bytes.
    with_quotes
        Whether ``bookTicker`` is recorded: two of three lines.
    progress
        See ``Progress``.
    """
    native = recorder(parameters, seed, START_NS, with_quotes)
    end = START_NS + length_ns
    files, settled = [], dict[int, float]()
    (folder / FOLDER).mkdir(parents=True, exist_ok=True)
    while native.now < end:
        day = datetime.fromtimestamp(native.now // _SECOND, UTC)
        path = folder / FOLDER / f"btcusdt_{day:%Y%m%d}.gz"
        packer = zlib.compressobj(_LEVEL, zlib.DEFLATED, 16 + zlib.MAX_WBITS)
        with whole(path) as part, part.open("wb") as file:
            # The recorder works ahead in a thread of its own: only there is it asked.
            for text, now in ahead((text, native.now) for text in pieces(native, end)):
                file.write(packer.compress(text))
                if now % _FUNDING_NS == 0:
                    settled[now] = _settled(text, now)
                if progress is not None:
                    progress((now - START_NS) // _SECOND, length_ns // _SECOND)
            file.write(packer.flush())
        files.append(path)
    if settled:
        path = folder / FOLDER / SETTLED
        times = pa.array(list(settled)).cast(pa.timestamp("ns")).cast(pa.timestamp("us"))
        table = pa.table({"timestamp": times, "rate": list(settled.values())})
        with whole(path) as part:
            pq.write_table(labelled(table), part)
        files.append(path)
    return Written(tuple(files), native.events)


def _settled(text: bytes, due: int) -> float:
    """Return the last rate that frames before a settlement estimated for it."""
    rates = [rate for rate, ms in _RATE.findall(text) if int(ms) * 10**6 == due]
    if not rates:
        raise InvariantError(f"generated frames: no rate was estimated for the settlement at {due}")
    return float(rates[-1])
