"""Files that are recognised and named, and whose decoder comes with a later part."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from crypto_quant.core.errors import DataError
from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.collectors.facts import Facts
from crypto_quant.data_pipeline.collectors.file import File
from crypto_quant.data_pipeline.storage.kinds import Batch

_LEGACY: Final = re.compile(rb"(wss?|https?)://\S+ <?->? \d{10}\.\d+|\d{10}\.\d+: [\[{]")


@dataclass(frozen=True, slots=True)
class Later:
    """A layout that can be told from others and cannot be read yet."""

    title: str
    test: Callable[[File], bool]
    kinds: frozenset[str] = frozenset()

    def recognise(self, file: File) -> bool:
        """Apply the test."""
        return self.test(file)

    def needs(self, file: File, facts: Facts) -> tuple[str, ...]:
        """Ask for nothing."""
        return ()

    def read(
        self, file: File, facts: Facts, instruments: Mapping[str, Instrument]
    ) -> Iterator[Batch]:
        """Refuse: there is no decoder."""
        raise DataError(f"{file.path}: {self.title}")


def is_wire_capture(file: File) -> bool:
    """Recognise connection recordings: JSON lines that begin with a header record."""
    first = _json(file.lines[0]) if file.lines else None
    return isinstance(first, dict) and first.get("t") == "header"


def is_legacy_capture(file: File) -> bool:
    """Recognise the older recordings: ``<epoch>: <json>`` or ``<url> -> <epoch>: <json>``."""
    return _LEGACY.match(file.head) is not None


def is_option_chain(file: File) -> bool:
    """Recognise a snapshot of options: strikes with a price and an implied volatility."""
    columns = {name.lower() for name in file.columns}
    strike = any("strike" in name for name in columns)
    return strike and any("iv" in name or "volatility" in name for name in columns)


def is_book_rows(file: File) -> bool:
    """Recognise tables that hold frames or books as JSON text, a row each."""
    return {"kind", "bids_json", "asks_json"} <= set(file.columns)


def is_message(file: File) -> bool:
    """Recognise a single JSON message."""
    if file.container != "plain" or file.head[:1] not in (b"{", b"["):
        return False
    try:
        json.loads(file.head)
    except ValueError:
        return len(file.head) == 1 << 16 and not file.lines
    return True


def _json(line: str) -> Any:  # noqa: ANN401 - whatever the text holds
    try:
        return json.loads(line)
    except ValueError:
        return None
