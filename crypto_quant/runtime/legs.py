"""Contracts in hedge mode: a short position beside the long one, each an instrument."""

from __future__ import annotations

from collections.abc import Collection, Sequence
from dataclasses import replace
from typing import NamedTuple

from crypto_quant.core.errors import ConfigError
from crypto_quant.core.instruments import Instrument, venue_of

LONG, SHORT, BOTH = 1, -1, 0


class Legs(NamedTuple):
    """What a line trades with the accounts of some venues in hedge mode.

    ``instruments`` are those of the run, then the short leg of each contract in hedge mode; the
    contract itself is its long leg. ``pairs`` are the positions of both; ``sides`` has ``LONG``,
    ``SHORT`` or ``BOTH`` (one-way mode) for each instrument.
    """

    instruments: tuple[Instrument, ...]
    pairs: tuple[tuple[int, int], ...]
    sides: tuple[int, ...]

    def short(self, contract: int) -> int:
        """Return the position of a contract's short leg.

        Raises
        ------
        ConfigError
            The contract is not in hedge mode.
        """
        for long, short in self.pairs:
            if long == contract:
                return short
        raise ConfigError(f"{self.instruments[contract].id}: its account is in one-way mode")


def legs_of(instruments: Sequence[Instrument], hedged: Collection[str]) -> Legs:
    """Return the legs of a run whose accounts at the ``hedged`` venues are in hedge mode.

    Raises
    ------
    ConfigError
        No contract of the run trades at such a venue.
    """
    kinds = enumerate(instruments)
    both = [n for n, i in kinds if i.contract != "spot" and venue_of(i.id) in hedged]
    missing = set(hedged) - {venue_of(instruments[n].id) for n in both}
    if missing:
        known = ", ".join(sorted({venue_of(i.id) for i in instruments if i.contract != "spot"}))
        if not known:
            raise ConfigError(f"hedged: {min(missing)} trades no contract in this run")
        raise ConfigError(f"hedged: expected venues of {known}, was {min(missing)}")
    shorts = tuple(replace(instruments[n], id=short_id(instruments[n].id)) for n in both)
    pairs = tuple((n, len(instruments) + at) for at, n in enumerate(both))
    sides = [BOTH] * (len(instruments) + len(shorts))
    for long, short in pairs:
        sides[long], sides[short] = LONG, SHORT
    return Legs((*instruments, *shorts), pairs, tuple(sides))


def short_id(contract: str) -> str:
    """Return the id of a contract's short leg: ``BTCUSDT-PERP-SHORT.BINANCE``."""
    symbol, dot, venue = contract.rpartition(".")
    return f"{symbol}-SHORT.{venue}" if dot else f"{contract}-SHORT"
