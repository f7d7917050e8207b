"""Which files a catalog has already: by their content, whatever they are called."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Final

from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.collectors import dataset
from crypto_quant.data_pipeline.collectors.facts import Facts
from crypto_quant.data_pipeline.storage import Part
from crypto_quant.data_pipeline.storage.manifest import is_whole, sha256


class Known:
    """The sources of a catalog's parts.

    Parameters
    ----------
    root : Path
        The catalog's folder.
    parts : Sequence[Part]
        What it holds.
    """

    def __init__(self, root: Path, parts: Sequence[Part]) -> None:
        self._root: Final = root
        self._parts: Final = parts
        self._sizes: Final = frozenset(part.source.bytes for part in parts)

    def has(self, path: Path, given: Facts) -> bool:
        """Say whether a file's content was imported before and what it became is whole.

        Sizes spare most files the reading.

        Raises
        ------
        DataError
            It was, as something else than ``given`` or the data sets say.
        """
        try:
            if path.stat().st_size not in self._sizes:
                return False
            digest = sha256(path)
        except OSError:
            return False  # who opens it to import it says why it cannot be read
        came = [part for part in self._parts if part.source.sha256 == digest]
        if not all(is_whole(self._root, part) for part in came):
            return False  # importing it again replaces what is damaged
        return is_known(came, path, given.over(dataset.look_up(path).facts))


def is_known(parts: Sequence[Part], path: Path, facts: Facts) -> bool:
    """Say whether there are parts of a file's content, and that they are what ``facts`` say.

    Raises
    ------
    DataError
        They are something else: passing over the file would drop what it was to become.
    """
    if not parts or any(_is_of(part, facts) for part in parts):
        return bool(parts)
    part = parts[0]
    words = " ".join(filter(None, (facts.kind, *_names(facts))))
    raise DataError(
        f"{path}: its content is in the catalog as {part.kind}/{part.key} (from "
        f"{part.source.name}), not as {words}; name it as it is there, or leave it out"
    )


def _is_of(part: Part, facts: Facts) -> bool:
    names = _names(facts)
    is_named = not names or part.key.partition("/")[0] in names
    return is_named and facts.kind in (None, part.kind)


def _names(facts: Facts) -> list[str]:
    instrument = [facts.instrument] if facts.symbol and facts.venue else []
    return instrument + ([facts.dataset] if facts.dataset else [])
