"""What the carry sleeve remembers between wake-ups, and what it hands on."""

from __future__ import annotations

from enum import StrEnum
from typing import Final, NamedTuple

from crypto_quant.core.messages import Alarm, Target, Transfer


class Phase(StrEnum):
    """Where the pair stands."""

    FLAT = "flat"
    OPENING = "opening"
    OPEN = "open"
    CLOSING = "closing"


class CarryState:
    """Memory of the sleeve; positions and money are the ledger's and not repeated here.

    ``deadline`` (ns UTC): when an unfilled leg has waited too long. ``rest_until``: no new
    pair and no growth before it. ``tries``: orders since the last wake-up of the clock.
    ``held``: the matched positions of an open pair (grid units), to notice when a leg is gone;
    ``entry``: the prices at which they were entered (quote asset), which a leg that was for a
    moment ahead or gone leaves as they were: what it lost or gained then is not the basis's.
    ``goal``: the size (base asset) that an open pair is taken to, step by step.
    ``why``: what made the pair close, for its later steps too.
    """

    __slots__ = ("deadline", "entry", "goal", "held", "phase", "rest_until", "tries", "why")

    def __init__(self) -> None:
        self.reset()

    def reset(self) -> None:
        """Be as new: flat and rested."""
        self.phase = Phase.FLAT
        self.deadline = 0
        self.rest_until = -(2**63)
        self.tries = 0
        self.held = (0, 0)
        self.entry = (0.0, 0.0)
        self.goal: float | None = None
        self.why = ""


class Exit(NamedTuple):
    """Why a pair is closed; ``is_urgent``: liquidation is near, so in the largest steps."""

    reason: str
    is_urgent: bool


class Moves(NamedTuple):
    """Both legs' targets; money to move between the sleeve's wallets, and when to look again."""

    targets: tuple[Target, ...]
    commands: tuple[Transfer | Alarm, ...]


NOTHING: Final = Moves((), ())
