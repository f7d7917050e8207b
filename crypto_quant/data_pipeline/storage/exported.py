"""What an exported file says of itself: enough to make the same catalog of it again."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.storage.kinds import KINDS, Exps, Grid

KEY: Final = "cq_export"
"""Key of a file's metadata under which it stands, as JSON."""

TIMES: Final = ("ts_event", "ts_recv", "next_funding")
"""Columns that are int64 in the catalog and timestamps in the file."""

_VERSION: Final = 1
_UNITS: Final[dict[Grid, str]] = {
    "price": "quote asset",
    "qty": "coins, or contracts where the instrument has them",
    "quote": "settlement asset",
    "rate": "fraction per interval",
}


class ExportedPart(NamedTuple):
    """Rows that follow one another in the file and were one part of the catalog.

    ``findings`` are empty where only some rows of the part were exported: counts say
    nothing about some of the rows.
    """

    rows: int
    interval: int | None
    recv: str
    findings: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Exported:
    """The rows of one kind and key: their grids, and the parts they were."""

    kind: str
    key: str
    exps: Exps
    parts: Sequence[ExportedPart]

    def facts(self) -> dict[str, str]:
        """Return what an import would else have to be told, by the names of ``Facts``."""
        name, _, period = self.key.partition("/")
        symbol, _, venue = name.rpartition(".")
        stated = {"kind": self.kind}
        if self.kind == "series":
            return {**stated, "dataset": self.key}
        stated |= {"venue": venue, "symbol": symbol}
        if period:
            stated["interval"] = period
        if self.kind.endswith("bar"):
            stated["stamp"] = "open"
        if "rate" in KINDS[self.kind].grids():
            stated["rate"] = "fraction"
        return stated

    def metadata(self) -> dict[str, str]:
        """Return the entry for a file's metadata; ``read`` takes all but ``units`` back."""
        plain = {
            "version": _VERSION,
            **self.facts(),
            "key": self.key,
            "units": {name: _UNITS[grid] for name, grid in KINDS[self.kind].grids().items()},
            "decimals": self.exps._asdict(),
            "parts": [part._asdict() for part in self.parts],
        }
        return {KEY: json.dumps(plain)}


def read(metadata: Mapping[bytes, bytes], where: str) -> Exported:
    """Read what a file says of itself.

    Parameters
    ----------
    metadata : Mapping[bytes, bytes]
        The file's metadata; it has ``KEY``.
    where : str
        The file, for the error.

    Raises
    ------
    DataError
        It was written by another version, or is not what ``Exported.metadata`` writes.
    """
    try:
        plain = json.loads(metadata[KEY.encode()])
        if plain["version"] != _VERSION:
            raise DataError(
                f"{where}: an export of version {plain['version']}, this program reads {_VERSION}"
            )
        return _read(plain)
    except (ValueError, KeyError, TypeError, AttributeError) as err:
        words = f"{type(err).__name__}: {err}"
        raise DataError(
            f"{where}: {KEY} of its metadata is damaged ({words}); export anew"
        ) from err


def _read(plain: dict[str, Any]) -> Exported:
    parts = [ExportedPart(**part) for part in plain["parts"]]
    for part in parts:
        numbers = [part.rows, part.interval or 0, *part.findings.values()]
        if not all(isinstance(number, int) and number >= 0 for number in numbers):
            raise ValueError(f"parts: no counts: {numbers}")
        if not isinstance(part.recv, str):
            raise TypeError("parts: recv is no text")
    found = Exported(plain["kind"], plain["key"], Exps(**plain["decimals"]), parts)
    if not all(isinstance(exp, int) and exp >= 0 for exp in found.exps):
        raise ValueError(f"decimals: no counts: {tuple(found.exps)}")
    for name, value in found.facts().items():
        if plain.get(name) != value:
            raise ValueError(f"{name} is {plain.get(name)!r}, the key says {value!r}")
    return found
