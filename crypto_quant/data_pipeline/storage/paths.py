"""Where parts are: ``<kind>/<key>/<name>.parquet`` below the catalog's folder, and nowhere else."""

from __future__ import annotations

import os
from collections.abc import Iterable
from pathlib import Path
from typing import Final

from crypto_quant.core.errors import DataError

SUFFIX: Final = ".parquet"


def is_key(key: str) -> bool:
    """Tell whether a text can be the folder of a key: visible names, none of them ``..``."""
    words = key.split("/")
    return all(words) and key.isprintable() and not any(map(_is_odd, words))


def check(root: Path, names: Iterable[object], said_by: Path) -> None:
    """Check that a file says of parts only where parts can be.

    Whoever damaged or made up such a file could otherwise have any file read, or removed.
    Links that lead out of the catalog's folder count as what they lead to.

    Raises
    ------
    DataError
        The first name that is none.
    """
    inside = os.path.join(os.path.realpath(root), "")
    seen: dict[str, bool] = {}
    for name in names:
        folder = _folder(name)
        if folder not in seen:
            seen[folder] = bool(folder) and os.path.realpath(root / folder).startswith(inside)
        if not seen[folder] or (root / str(name)).is_symlink():
            raise DataError(
                f"{said_by}: {name!r} is no part of a catalog; restore the file from a copy"
            )


def _folder(name: object) -> str:
    """Return the folder of a part's name; empty, if it is no part's name."""
    if not isinstance(name, str):
        return ""
    folder, _, file = name.rpartition("/")
    is_part = "/" in folder and is_key(folder) and file.endswith(SUFFIX) and is_key(file)
    return folder if is_part else ""


def _is_odd(word: str) -> bool:
    return word.startswith(".") or "\\" in word
