"""Protocols through which the rooms are handed what they do not own."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from decimal import Decimal
from types import TracebackType
from typing import Protocol, Self, TypeVar

from crypto_quant.core.messages import Wallet
from crypto_quant.core.tickets import OrderReport

R = TypeVar("R")


class Executor(Protocol):
    """Runs calls of functions somewhere; a context manager, whose exit ends what still runs.

    What a call returns must not depend on where it ran, nor on what ran beside it.
    """

    @property
    def at_once(self) -> int:
        """How many calls it is busy with, beside the one that submits."""
        ...

    def submit(self, work: Callable[..., R], /, *arguments: object) -> Future[R]:
        """Queue a call of a module's function; calls begin in the order in which they came.

        The future fails with what the function raised, or with ``WorkerDiedError``.
        """
        ...

    def __enter__(self) -> Self:
        """Start it."""
        ...

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        """End what runs and what is queued."""
        ...


class AccountView(Protocol):
    """What the decision stages read of market and account at one wake-up; nothing is a copy.

    Floats are approximations for sizing, in the quote asset. Quantities and prices are
    integers on the instrument's grid, positions signed (long > 0). Sleeves and instruments
    are positions in the run's lists.
    """

    @property
    def now(self) -> int:
        """Time of the wake-up, ns UTC."""
        ...

    @property
    def equity(self) -> float:
        """Equity of the whole account."""
        ...

    @property
    def day_start_equity(self) -> float:
        """Equity of the account at the last 00:00 UTC (at the start, of the first day)."""
        ...

    def px(self, instrument: int) -> int:
        """Return the last known price; 0 when there is none."""
        ...

    def price_age(self, instrument: int) -> int | None:
        """Return how long ago the instrument was last traded, ns; ``None`` if not known to be."""
        ...

    def day_volume(self, instrument: int) -> int:
        """Return the known volume of the last 24 hours, of the shortest bars; 0 without bars."""
        ...

    def top(self, instrument: int) -> tuple[int, int, int, int] | None:
        """Return best bid, its quantity, best ask, its quantity; ``None`` without a valid book."""
        ...

    def bid_px(self, instrument: int) -> int:
        """Return the best bid; 0 when no valid book is known."""
        ...

    def ask_px(self, instrument: int) -> int:
        """Return the best ask; 0 when no valid book is known."""
        ...

    def position(self, sleeve: int, instrument: int) -> int:
        """Return a sleeve's position; spot holdings count as a position."""
        ...

    def entry_price(self, sleeve: int, instrument: int) -> float:
        """Return the average price of a sleeve's position, in the quote asset; NaN if flat."""
        ...

    def working(self, sleeve: int, instrument: int) -> int:
        """Return what a sleeve's live orders may still trade, signed.

        Without its stops and its ``exits``.
        """
        ...

    @property
    def exits(self) -> Mapping[tuple[int, int], tuple[int, int]]:
        """What sleeves' own orders that only reduce may still (buy, sell), unsigned.

        By (sleeve, instrument), where it is not nothing.
        """
        ...

    @property
    def openings(self) -> Mapping[tuple[int, int], Sequence[tuple[int, int]]]:
        """What sleeves' own orders that may open may still trade, each at its own price.

        (Signed quantity, limit else trigger) by (sleeve, instrument), of those that have a price.
        """
        ...

    def order(self, sleeve: int, name: str) -> OrderReport | None:
        """Return what is known of the last order that a sleeve sent itself under a name."""
        ...

    def selling(self, sleeve: int, instrument: int) -> int:
        """Return what of ``working`` is to be sold, not positive; the rest of it is bought."""
        ...

    def stop_px(self, sleeve: int, instrument: int) -> int | None:
        """Return the stop in force of a sleeve's position; ``None`` where it has none."""
        ...

    def sleeve_equity(self, sleeve: int) -> float:
        """Return the equity of a sleeve's virtual book."""
        ...

    def cash(self, sleeve: int, wallet: Wallet, venue: str = "") -> float:
        """Return the quote asset that a sleeve may spend from or move out of a wallet.

        ``venue`` may be left out where the account has one.
        """
        ...

    def margin_balance(self, sleeve: int, venue: str = "") -> float:
        """Return balance plus unrealised P&L of a sleeve's contracts in the margin wallet."""
        ...

    def coming(self, venue: str = "") -> float:
        """Return the quote asset that is on its way to a venue's wallets, of all sleeves."""
        ...

    def transfer_fee(self, venue: str = "") -> float:
        """Return what a transfer of the quote asset out of a venue's wallet costs."""
        ...

    def exact_equity(self) -> Decimal:
        """Return the equity of the whole account, exact."""
        ...

    def exact_cash(self, sleeve: int, wallet: Wallet, venue: str = "") -> Decimal:
        """Return the spendable quote asset of a sleeve in a wallet, exact."""
        ...
