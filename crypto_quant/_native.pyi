from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import final

import numpy as np
from numpy.typing import NDArray

__all__ = ["FeatureSet", "Instrument", "TickDecoder", "plan_book"]

class Instrument:
    """A contract and its dated rules; ``core.instruments.Instrument.native`` builds it."""

    def __new__(
        cls,
        id: str,
        contract: str,
        base: str,
        quote: str,
        settle: str,
        multiplier: Decimal,
        price_exp: int,
        qty_exp: int,
        tick: Sequence[tuple[int, Decimal]],
        lot: Sequence[tuple[int, Decimal]],
        min_notional: Sequence[tuple[int, Decimal]],
        fees: Sequence[tuple[int, tuple[Decimal, Decimal]]],
        brackets: Sequence[tuple[int, Sequence[tuple[Decimal | None, Decimal, int, Decimal]]]]
        | None = None,
        valid_from: int | None = None,
        valid_to: int | None = None,
    ) -> Instrument: ...
    @property
    def id(self) -> str: ...
    def maintenance_margin(self, notional: Decimal, ts: int) -> Decimal: ...
    def notional(self, px: int, qty: int) -> Decimal: ...

class TickDecoder:
    """Streaming decoder of one tick file; ``data_pipeline.collectors.ticks`` feeds it."""

    def __new__(
        cls, layout: str, codec: str, symbol: str, price_exp: int, qty_exp: int
    ) -> TickDecoder: ...
    def feed(self, data: bytes) -> int: ...
    def finish(self) -> None: ...
    def take(self) -> dict[str, dict[str, NDArray[np.int64 | np.int8 | np.uint32]]]: ...
    def stats(self) -> dict[str, int]: ...

def plan_book(
    first_id: NDArray[np.int64],
    last_id: NDArray[np.int64],
    prev_id: NDArray[np.int64],
    side: NDArray[np.int8],
    flags: NDArray[np.uint32],
) -> tuple[NDArray[np.uint64], NDArray[np.uint64]]: ...

@final
class FeatureSet:
    """Streaming features; ``feature_engineering.stream.FeatureStream`` wraps it."""

    def __new__(
        cls,
        specs: Sequence[tuple[str, Mapping[str, str | float]]],
        instruments: Sequence[Instrument],
        series: Sequence[str],
    ) -> FeatureSet: ...
    @property
    def names(self) -> list[str]: ...
    @property
    def bridged(self) -> int: ...
    @property
    def refused(self) -> int: ...
    @property
    def state_words(self) -> int: ...
    def table(
        self,
        head: NDArray[np.int64],
        body: NDArray[np.int64],
        values: NDArray[np.float64],
        grid: NDArray[np.int64],
    ) -> NDArray[np.float64]: ...
    def write(self, now: int) -> NDArray[np.float64]: ...
    def __reduce__(self) -> tuple[object, tuple[object, ...]]: ...
    @staticmethod
    def restore(
        specs: Sequence[tuple[str, Mapping[str, str | float]]],
        sources: Sequence[tuple[str, int, int]],
        series: Sequence[str],
        state: Sequence[int],
        levels: Sequence[Sequence[tuple[bool, int, int]] | None],
    ) -> FeatureSet: ...
