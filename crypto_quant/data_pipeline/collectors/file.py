"""What a file shows of itself without being read whole: container, first bytes, columns."""

from __future__ import annotations

import csv
import gzip
import io
import zipfile
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Literal

import pyarrow as pa
import pyarrow.parquet as pq

from crypto_quant.core.errors import DataError, DecodeError
from crypto_quant.data_pipeline.collectors import feather
from crypto_quant.data_pipeline.storage.manifest import GENERATED

Container = Literal["parquet", "feather", "zip", "gzip", "zstd", "plain"]

_HEAD: Final = 1 << 16
_NAME: Final = 80
"""Longest cell that is taken for a column's name."""

_ENCRYPTED: Final = 1
_METHODS: Final = frozenset(
    {zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA}
)

_MAGIC: Final[tuple[tuple[bytes, Container], ...]] = (
    (b"PAR1", "parquet"),
    (b"ARROW1", "feather"),
    (b"FEA1", "feather"),
    (b"PK\x03\x04", "zip"),
    (b"\x1f\x8b", "gzip"),
    (b"\x28\xb5\x2f\xfd", "zstd"),
)


@dataclass(frozen=True, slots=True)
class File:
    """A file to import, as far as its layout is recognised from.

    ``head`` is the first 64 KiB of what the container holds (of its first member for a
    zip; empty for Parquet and Feather), ``members`` the names inside a zip, ``schema`` the
    Arrow schema of Parquet and Feather.
    """

    path: Path
    container: Container
    head: bytes = b""
    members: tuple[str, ...] = ()
    schema: pa.Schema | None = None

    @classmethod
    def open(cls, path: Path) -> File:
        """Look into a file.

        Raises
        ------
        DataError
            It is not there, not readable or empty.
        DecodeError
            It begins like a known container and is not one.
        """
        try:
            with path.open("rb") as stream:
                start = stream.read(_HEAD)
        except OSError as err:
            raise DataError(f"{path}: cannot be read ({err.strerror})") from err
        _something(path, start)
        container: Container = "plain"
        for magic, name in _MAGIC:
            if start.startswith(magic):
                container = name
        try:
            return cls._inside(path, container, start)
        except (OSError, EOFError, zlib.error, zipfile.BadZipFile, pa.ArrowException) as err:
            raise DecodeError(f"{path}: corrupt {container} file ({_short(err)})") from err

    @classmethod
    def _inside(cls, path: Path, container: Container, start: bytes) -> File:
        if container == "parquet":
            return cls(path, container, schema=pq.read_schema(path))
        if container == "feather":
            return cls(path, container, schema=feather.schema(path))
        if container == "zip":
            with zipfile.ZipFile(path) as archive:
                members = tuple(_member(path, i) for i in archive.infolist() if not i.is_dir())
                if not members:
                    raise DataError(f"{path}: the archive is empty")
                with archive.open(members[0]) as stream:
                    head = stream.read(_HEAD)
                if not head:
                    raise DataError(f"{path}: {members[0]} in it is empty")
                return cls(path, container, head, members)
        if container == "gzip":
            with gzip.open(path) as unpacked:
                return cls(path, container, _something(path, unpacked.read(_HEAD)))
        if container == "zstd":
            with pa.CompressedInputStream(str(path), "zstd") as unpacked:
                return cls(path, container, _something(path, unpacked.read(_HEAD)))
        return cls(path, container, start)

    @property
    def lines(self) -> list[str]:
        """The whole lines of ``head``; empty if it is not text."""
        try:
            text = self.head.decode("utf-8")
        except UnicodeDecodeError as err:
            if err.start < len(self.head) - 4:
                return []
            text = self.head[: err.start].decode("utf-8")
        if "\0" in text:
            return []
        lines = text.splitlines()
        return lines[:-1] if len(self.head) == _HEAD else lines

    @property
    def columns(self) -> tuple[str, ...]:
        """Column names of a table, without surrounding space; empty where there are none."""
        if self.schema is not None:
            return tuple(self.schema.names)
        first = self.row(0)
        if len(first) < 2 or any(_is_number(cell) or len(cell) > _NAME for cell in first):
            return ()
        if len(self.lines) > 1 and len(self.row(1)) != len(first):
            return ()  # prose with a comma in it
        return tuple(cell.strip("\ufeff ") for cell in first)

    @property
    def is_generated(self) -> bool:
        """Whether the file's columns, metadata or first frame say that no market made it."""
        first = self.head.partition(b"\n")[0]
        if first.rstrip().endswith(b"}") and f'"{GENERATED}"'.encode() in first:
            return True
        metadata = (self.schema.metadata if self.schema is not None else None) or {}
        return GENERATED in self.columns or GENERATED.encode() in metadata

    def row(self, number: int) -> list[str]:
        """Return the cells of a line of comma-separated text; empty if there is none."""
        lines = self.lines[: number + 1]
        if len(lines) <= number:
            return []
        try:
            return next(csv.reader(io.StringIO(lines[number])), [])
        except csv.Error:
            return []

    def numbers(self) -> list[str]:
        """Return the first row of cells that is no header."""
        return self.row(1 if self.columns else 0)


def _something(path: Path, head: bytes) -> bytes:
    if not head:
        raise DataError(f"{path}: the file is empty")
    return head


def _member(path: Path, info: zipfile.ZipInfo) -> str:
    """Return a member's name, if it can be unpacked."""
    if info.flag_bits & _ENCRYPTED:
        raise DataError(f"{path}: {info.filename} is encrypted; unpack the archive first")
    if info.compress_type not in _METHODS:
        raise DataError(
            f"{path}: {info.filename} is packed by method {info.compress_type}, which is not read "
            "here; unpack the archive first"
        )
    return info.filename


def _is_number(cell: str) -> bool:
    try:
        float(cell)
    except ValueError:
        return False
    return True


def _short(err: BaseException) -> str:
    return str(err).splitlines()[0].rstrip(". ") if str(err) else type(err).__name__
