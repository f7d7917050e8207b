"""The journal of a commit: by it the next import undoes, or ends, one that was cut off.

A commit counts once the manifest is another one. The journal has the hash of the one before:
while the manifest is still that, what the commit changed is put back; after that it stays.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Final, NamedTuple

from crypto_quant.core.errors import DataError
from crypto_quant.core.files import UNFINISHED
from crypto_quant.data_pipeline.storage import manifest, paths
from crypto_quant.data_pipeline.storage.kinds import KINDS
from crypto_quant.data_pipeline.storage.part import TEMPORARY

_NAME: Final = ".pending.json"
REPAIRS: Final = "repairs.jsonl"
"""The log of repairs, which changes with the manifest."""
_WHOLE: Final = (manifest.NAME, REPAIRS, _NAME)
"""Files in a catalog's folder that are written whole; others in it may be anybody's."""


class _Begun(NamedTuple):
    """A commit under way.

    ``parts`` get their names before the manifest names them; ``beside`` has what the files
    beside the manifest held (``None``: there was none); ``manifest`` is its hash before.
    """

    parts: list[str]
    beside: dict[str, str | None]
    manifest: str


def begin(root: Path, parts: Iterable[str], beside: Iterable[str]) -> None:
    """Note what is about to change, before anything does.

    Parameters
    ----------
    root : Path
        The catalog.
    parts : Iterable[str]
        Files that get their names before the manifest names them.
    beside : Iterable[str]
        Names of text files in the catalog's folder that change with the manifest.
    """
    held = {name: _text(root / name) for name in beside}
    begun = _Begun(list(parts), held, manifest.digest(root))
    manifest.replace(root / _NAME, json.dumps(begun._asdict()).encode())


def end(root: Path) -> None:
    """Note that the commit is done."""
    (root / _NAME).unlink()


def recover(root: Path) -> None:
    """Undo what a commit left that was cut off; call it only with the lock held.

    Raises
    ------
    DataError
        The journal or the manifest is damaged; nothing was changed.
    """
    if (root / _NAME).exists():
        begun, named = _read(root), {part.path for part in manifest.load(root)}
        if begun.manifest == manifest.digest(root):
            _put_back(root, begun.beside)
        _unlink(root / name for name in begun.parts if name not in named)
        end(root)
    _unlink(left for kind in KINDS for left in (root / kind).rglob(f".part-*{TEMPORARY}"))
    _unlink(left for name in _WHOLE for left in root.glob(f".{name}.*-*{UNFINISHED}"))


def _read(root: Path) -> _Begun:
    path = root / _NAME
    try:
        begun = _Begun(**json.loads(path.read_bytes()))
        if any("/" in name for name in begun.beside):
            raise ValueError("a file that is not beside the manifest")
        paths.check(root, begun.parts, path)
    except (ValueError, TypeError, AttributeError) as err:
        raise DataError(
            f"{path}: damaged ({err}); delete it if no import is running, then import anew"
        ) from err
    return begun


def _text(path: Path) -> str | None:
    return path.read_text("utf-8") if path.exists() else None


def _put_back(root: Path, beside: Mapping[str, str | None]) -> None:
    for name, held in beside.items():
        if held is None:
            (root / name).unlink(missing_ok=True)
        else:
            manifest.replace(root / name, held.encode())


def _unlink(files: Iterable[Path]) -> None:
    for path in files:
        path.unlink(missing_ok=True)
