"""The manifest: what the catalog holds, from where, with which hashes."""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Iterable
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, Final, NamedTuple

from crypto_quant.core.errors import DataError
from crypto_quant.core.files import whole
from crypto_quant.data_pipeline.storage import paths
from crypto_quant.data_pipeline.storage.kinds import Exps

NAME: Final = "manifest.json"
VERSION: Final = 1

GENERATED: Final = "cq_generated"
"""Column of a table, or key of a file's metadata, that says: no market made these rows."""

_OLD_NAME: Final = "generated.parquet"
"""Catalogs made before the label was in the files knew generated ones by this ending."""


class SourceInfo(NamedTuple):
    """A file that was imported: its name, size, content hash, and the layout that read it.

    ``is_generated``: the file says of itself that no market made its rows.
    """

    name: str
    sha256: str
    bytes: int
    layout: str
    is_generated: bool = False

    @classmethod
    def of(cls, path: Path, layout: str, is_generated: bool = False) -> SourceInfo:
        """Hash a file."""
        return cls(path.name, sha256(path), path.stat().st_size, layout, is_generated)

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> SourceInfo:
        """Read a manifest's entry, also one made before generated data was labelled."""
        return cls(**{"is_generated": plain["name"].endswith(_OLD_NAME), **plain})


@dataclass(frozen=True, slots=True)
class Part:
    """One immutable Parquet file of the catalog.

    ``start`` and ``end`` are the first and last ``ts_event`` (ns UTC, inclusive);
    ``interval`` is the period of a row in ns (``None``: ticks); ``findings`` counts what
    was seen at import and left as it was.
    """

    kind: str
    key: str
    path: str
    start: int
    end: int
    rows: int
    sha256: str
    bytes: int
    exps: Exps
    interval: int | None
    recv: str
    importer: str
    source: SourceInfo
    findings: dict[str, int] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return plain values, grids and source by name."""
        plain = asdict(self)
        plain["exps"] = self.exps._asdict()
        plain["source"] = self.source._asdict()
        return plain

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Part:
        """Read what ``to_json`` wrote."""
        source = SourceInfo.from_json(plain["source"])
        return cls(**{**plain, "exps": Exps(**plain["exps"]), "source": source})


def is_generated(parts: Iterable[Part]) -> bool:
    """Tell whether any of the parts came from data that no market made."""
    return any(part.source.is_generated for part in parts)


def load(root: Path) -> tuple[Part, ...]:
    """Read the manifest of a catalog; no manifest is an empty catalog."""
    path = root / NAME
    try:
        plain = json.loads(path.read_bytes())
        if plain["version"] != VERSION:
            raise DataError(f"{path}: version {plain['version']}, this program reads {VERSION}")
        parts = tuple(Part.from_json(part) for part in plain["parts"])
    except FileNotFoundError:
        return ()
    except OSError as err:
        raise DataError(f"{root}: cannot be read as a catalog ({err.strerror})") from err
    except (ValueError, KeyError, TypeError) as err:
        raise DataError(
            f"{path}: not a catalog manifest ({err}); restore it or import anew"
        ) from err
    paths.check(root, (part.path for part in parts), path)
    return parts


def is_whole(root: Path, part: Part) -> bool:
    """Tell whether the file of a part is there as it was written."""
    path = root / part.path
    return path.is_file() and sha256(path) == part.sha256


def digest(root: Path) -> str:
    """Return the hash of the manifest; empty, if there is none."""
    path = root / NAME
    return sha256(path) if path.exists() else ""


def save(root: Path, parts: Iterable[Part]) -> None:
    """Replace the manifest in one step; the same parts give the same bytes."""
    ordered = sorted(parts, key=lambda part: (part.kind, part.key, part.start, part.end))
    plain = {"version": VERSION, "parts": [part.to_json() for part in ordered]}
    replace(root / NAME, (json.dumps(plain, indent=1, sort_keys=True) + "\n").encode())


def replace(path: Path, content: bytes) -> None:
    """Write a small file so that a crash leaves the old or the new one, never a mixture."""
    with whole(path) as part, part.open("wb") as file:
        file.write(content)
        file.flush()
        os.fsync(file.fileno())
    sync_folder(path.parent)


def sync_folder(folder: Path) -> None:
    """Make renames in a folder durable."""
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def sha256(path: Path) -> str:
    """Return the content hash of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
