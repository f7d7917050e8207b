"""Tick files that are recognised and named, but not decoded yet."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

from crypto_quant.core.errors import DataError
from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.collectors.facts import Facts
from crypto_quant.data_pipeline.collectors.file import File
from crypto_quant.data_pipeline.storage.kinds import Batch

_HYPERLIQUID: Final = re.compile(rb'\d{13,19} \s*\{\s*"channel"\s*:\s*"')


class HyperliquidFrames:
    """Recorded ``l2Book`` and ``trades`` messages."""

    kinds: frozenset[str] = frozenset()
    title = "capture of Hyperliquid websocket messages (its decoder comes with the feeds)"

    def recognise(self, file: File) -> bool:
        """Look for a local stamp and a message with a channel."""
        return bool(_HYPERLIQUID.match(file.head))

    def needs(self, file: File, facts: Facts) -> tuple[str, ...]:
        """Nothing: it is only named."""
        return ()

    def read(
        self, file: File, facts: Facts, instruments: Mapping[str, Instrument]
    ) -> Iterator[Batch]:
        """Refuse, in words."""
        raise DataError(f"{file.path}: {self.title}")
