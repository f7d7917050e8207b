"""Sends money when its rules say so; how long it takes and what it costs is the venue's."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple, Protocol

from crypto_quant.core.messages import Transfer, Wallet
from crypto_quant.strategy.transfers.config import TransferRule

SECOND_NS: Final = 10**9
NEVER: Final = 2**63 - 1
NOTHING: Final[tuple[Transfer, ...]] = ()


class Purse(Protocol):
    """What a schedule reads of the account."""

    @property
    def now(self) -> int:
        """Time of the wake-up, ns UTC."""
        ...

    def worth(self, wallet: Wallet, venue: str) -> float:
        """Return what a wallet has at the mark with what is on its way to it, quote asset."""
        ...


class Route(NamedTuple):
    """A rule with its places: whose money (``sleeve``), and from where to where."""

    name: str
    rule: TransferRule
    sleeve: int
    source: Wallet
    venue: str
    asset: str

    @property
    def target(self) -> tuple[Wallet, str]:
        """The wallet that receives, and its venue."""
        if self.rule.to:
            return self.source, self.rule.to
        other = Wallet.MARGIN if self.source is Wallet.SPOT else Wallet.SPOT
        return other, self.venue


class Schedule:
    """Follows its routes through a session."""

    __slots__ = ("_due", "_routes")

    def __init__(self, routes: Sequence[Route]) -> None:
        self._routes = tuple(routes)
        self.reset()

    def reset(self) -> None:
        """Begin anew: another session."""
        self._due: list[int] | None = None

    def on_timer(self, purse: Purse) -> tuple[Transfer, ...]:
        """Return what is sent at a wake-up of the clock."""
        now = purse.now
        if self._due is None:
            self._due = [now + round(r.rule.after_s * SECOND_NS) for r in self._routes]
        if now < min(self._due):
            return NOTHING
        sent = []
        for n, route in enumerate(self._routes):
            if now < self._due[n]:
                continue
            every = round(route.rule.every_s * SECOND_NS)
            late = now - self._due[n]
            self._due[n] = now - late % every + every if every else NEVER
            if _is_wanted(route, purse):
                sent.append(_transfer(route, now))
        return tuple(sent)


def _is_wanted(route: Route, purse: Purse) -> bool:
    below = route.rule.below
    return below is None or purse.worth(*route.target) < below


def _transfer(route: Route, now: int) -> Transfer:
    rule = route.rule
    return Transfer(
        now,
        route.sleeve,
        route.source,
        rule.amount,
        route.name,
        route.venue,
        rule.to,
        asset=route.asset,
    )
