"""When money is moved, whose, how much, and where to."""

from __future__ import annotations

from decimal import Decimal
from typing import Final, Literal

from pydantic import Field, field_validator

from crypto_quant.core.config import Section

_SHORTEST_S: Final = 0.001


class TransferRule(Section):
    """One rule.

    ``book``: whose money, at its venue. ``to``: the venue whose wallet of the same kind it goes
    to; empty: it goes from one wallet to the other at its own venue. ``source``: the wallet that
    pays; empty: the one in which the book's instrument settles. ``asset``: empty: the quote asset.
    ``after_s``: since decisions of a session began; ``every_s``: again at this distance, at least
    a millisecond, 0: once a session. ``below``: only while the wallet that receives has less than
    this of the quote asset, of all books, with open P&L and what is on its way.
    """

    book: str
    amount: Decimal = Field(gt=0, le=10**11, decimal_places=8)
    to: str = ""
    source: Literal["", "spot", "margin"] = ""
    asset: str = ""
    after_s: float = Field(default=0.0, ge=0, le=10**6)
    every_s: float = Field(default=0.0, ge=0, le=10**6)
    below: Decimal | None = Field(default=None, gt=0, le=10**11)

    @field_validator("every_s")
    @classmethod
    def _comes_again(cls, value: float) -> float:
        if 0 < value < _SHORTEST_S:
            raise ValueError(f"expected 0 or at least {_SHORTEST_S}, was {value}")
        return value
