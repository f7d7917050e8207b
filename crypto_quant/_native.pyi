from collections.abc import Sequence
from decimal import Decimal

__all__ = ["Instrument"]

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
