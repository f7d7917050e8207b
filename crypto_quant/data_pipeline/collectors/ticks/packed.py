"""The text of a file in bounded pieces, whatever it is packed in."""

from __future__ import annotations

import struct
import zipfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Final

from crypto_quant import _native
from crypto_quant.data_pipeline.collectors.file import File

_PACKED: Final = 1 << 18
"""Compressed bytes per read; they unpack to a mebibyte or two of text."""
_PLAIN: Final = 1 << 20
"""Text per read: columns of that many rows stay in the processor's cache."""
_LOCAL: Final = struct.Struct("<26xHH")
"""A zip member's own header: the lengths of its name and of its extra field."""


def texts(file: File, member: str) -> Iterator[bytes]:
    """Yield the text of a file, or of one member of a zip, in order.

    Parameters
    ----------
    file : File
        Plain, gzip or zip.
    member : str
        Name inside the zip; not looked at otherwise.

    Raises
    ------
    ValueError, OSError, EOFError, zlib.error, zipfile.BadZipFile
        What it is packed in is corrupt or cut short.
    """
    if file.container == "zip":
        yield from _member(file.path, member)
        return
    with file.path.open("rb") as stream:
        if file.container == "gzip":
            yield from _inflated(_pieces(stream, _PACKED), _native.Inflater())
        else:
            yield from _pieces(stream, _PLAIN)


def _member(path: Path, name: str) -> Iterator[bytes]:
    with zipfile.ZipFile(path) as archive:
        info = archive.getinfo(name)
        with archive.open(info) as stream:  # checks the member's own header
            if info.compress_type != zipfile.ZIP_DEFLATED:
                yield from _pieces(stream, _PLAIN)
                return
    with path.open("rb") as raw:
        raw.seek(info.header_offset)
        raw.seek(sum(_LOCAL.unpack(raw.read(_LOCAL.size))), 1)
        inflater = _native.Inflater((info.CRC, info.file_size))
        yield from _inflated(_pieces(raw, _PACKED, info.compress_size), inflater)


def _pieces(stream: IO[bytes], step: int, most: int = 2**63) -> Iterator[bytes]:
    """Yield what ``read`` gives until its end, or until ``most`` bytes."""
    while most > 0 and (piece := stream.read(min(step, most))):
        most -= len(piece)
        yield piece


def _inflated(packed: Iterator[bytes], inflater: _native.Inflater) -> Iterator[bytes]:
    for piece in packed:
        inflater.feed(piece)
        while text := inflater.text():
            yield text
    inflater.finish()
