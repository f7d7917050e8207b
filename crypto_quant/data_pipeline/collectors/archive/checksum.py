"""The archive's ``.CHECKSUM`` files: ``<sha256>  <file>``, as ``sha256sum -c`` reads them."""

from __future__ import annotations

import hashlib
import re
from pathlib import Path
from typing import Final

from crypto_quant.core.errors import DecodeError

SUFFIX: Final = ".CHECKSUM"


def parse(text: str, name: str) -> str:
    """Return the hash that a checksum file states for ``name``.

    Raises
    ------
    DecodeError
        It is no checksum file, or one of another file.
    """
    found = re.fullmatch(r"([0-9a-fA-F]{64})[ \t]+\*?(\S+)\s*", text)
    if found is None:
        raise DecodeError(f"{name}{SUFFIX}: expected '<sha256>  {name}', found {text[:80]!r}")
    if found[2] != name:
        raise DecodeError(f"{name}{SUFFIX}: is about another file, {found[2]}")
    return found[1].lower()


def sha256(path: Path) -> str:
    """Return the hash of a file, read in pieces."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def save(path: Path, digest: str) -> None:
    """Note the hash that a file was fetched with beside it."""
    path.with_name(path.name + SUFFIX).write_text(f"{digest}  {path.name}\n", "utf-8")


def saved(path: Path) -> str | None:
    """Return the hash noted beside a file; ``None`` where there is no usable note."""
    try:
        return parse(path.with_name(path.name + SUFFIX).read_text("utf-8"), path.name)
    except (OSError, UnicodeDecodeError, DecodeError):
        return None
