"""The ledger: money and positions of the account and of its sleeves, never a float.

Rust owns the books (crate ``cq-ledger``); this wraps them for Python. Prices and
quantities are integers on the instrument's grid; wallets, sleeves and instruments are
named by their position in the lists that the ledger was made with.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from decimal import Decimal
from typing import NamedTuple

from crypto_quant import _native
from crypto_quant.core.errors import ConfigError, CryptoQuantError, InvariantError
from crypto_quant.core.instruments import Instrument
from crypto_quant.core.messages import Allocation


class Wallet(NamedTuple):
    """A place that holds assets, and the instruments that settle in it."""

    name: str
    assets: tuple[str, ...]
    instruments: tuple[int, ...]


class Attribution(NamedTuple):
    """Signed effects on a sleeve's equity; they sum to equity minus deposits exactly."""

    price: Decimal
    funding: Decimal
    basis: Decimal
    fees: Decimal
    spread: Decimal
    impact: Decimal
    transfer_fees: Decimal


class Position(NamedTuple):
    """Signed quantity (grid) and the signed value at which it was taken."""

    qty: int
    cost: Decimal


class Margin(NamedTuple):
    """Margin of the contracts that settle in one asset of one wallet."""

    balance: Decimal
    unrealised: Decimal
    margin_balance: Decimal
    initial: Decimal
    maintenance: Decimal
    available: Decimal


class Leg(NamedTuple):
    """What one instrument contributed to a round trip; ``qty`` has the sign of its opening."""

    instrument: int
    qty: int
    entry_price: Decimal
    exit_price: Decimal


class Outcome(NamedTuple):
    """P&L net of the costs beside it; what is paid is negative."""

    pnl: Decimal
    fees: Decimal
    funding: Decimal
    spread: Decimal
    impact: Decimal


class RoundTrip(NamedTuple):
    """A sleeve's way from flat to flat in all instruments of one base asset."""

    sleeve: int
    base: str
    entry_ts: int
    exit_ts: int
    legs: tuple[Leg, ...]
    outcome: Outcome


class Flow(NamedTuple):
    """Money from outside (negative if it left), and its value then."""

    ts: int
    sleeve: int
    wallet: int
    asset: str
    amount: Decimal
    value: Decimal


class Fill(NamedTuple):
    """One fill of the account: bought > 0; ``impact`` is in price units, > 0 if it cost."""

    ts: int
    instrument: int
    px: int
    qty: int
    fee: Decimal
    reference: int
    impact: Decimal


@contextmanager
def _as(kind: type[CryptoQuantError]) -> Iterator[None]:
    try:
        yield
    except (ValueError, OverflowError) as error:
        raise kind(f"ledger: {error}") from None


def prorate(order: Sequence[Allocation], filled: int, quantity: int) -> list[tuple[int, int]]:
    """Return (sleeve, signed quantity) of one fill, as the ledger books it.

    Each sleeve has its fair share of what is filled in total, by Webster's method, and never
    less of it than before.

    Parameters
    ----------
    order
        Signed parts of the whole order.
    filled, quantity
        What was filled before, and is now; unsigned, together at most the net of the parts.

    Raises
    ------
    InvariantError
        The order nets to nothing, or more would be filled than it asked for.
    """
    try:  # not `_as`: once a fill, three quarters of the time would be the context's
        return _native.prorate(order, filled, quantity)
    except (ValueError, OverflowError) as error:
        raise InvariantError(f"ledger: {error}") from None


class Ledger:
    """Account and sleeves.

    Parameters
    ----------
    instruments
        The run's instruments; positions in this list name them.
    sleeves
        Names of the virtual books.
    wallets
        Where assets are held and instruments settle.
    asset, at_par
        What equity is counted in, and which assets are counted one for one with it.
    tier
        Fee tier of :meth:`fee`.

    Raises
    ------
    ConfigError
        When the parts do not fit together.

    Notes
    -----
    Every booking takes effect whole or raises :class:`InvariantError` and leaves the
    ledger as it was. Amounts are booked half-even to 8 decimals.
    """

    def __init__(
        self,
        instruments: Sequence[Instrument],
        sleeves: Sequence[str],
        wallets: Sequence[Wallet],
        asset: str = "USDT",
        at_par: Sequence[str] = (),
        tier: str = "VIP0",
    ) -> None:
        natives = [instrument.native(tier) for instrument in instruments]
        with _as(ConfigError):
            self._native = _native.Ledger(natives, sleeves, wallets, asset, at_par)

    def set_leverage(self, instrument: int, leverage: int) -> None:
        """Choose the leverage (1 to 10) that sets an instrument's initial margin."""
        with _as(ConfigError):
            self._native.set_leverage(instrument, leverage)

    def deposit(self, ts: int, sleeve: int, wallet: int, asset: str, amount: Decimal) -> None:
        """Book money from outside; it is no P&L."""
        with _as(InvariantError):
            self._native.deposit(ts, sleeve, wallet, asset, amount)

    def withdraw(self, ts: int, sleeve: int, wallet: int, asset: str, amount: Decimal) -> None:
        """Book money that left."""
        with _as(InvariantError):
            self._native.withdraw(ts, sleeve, wallet, asset, amount)

    def transfer(
        self, sleeve: int, source: int, target: int, asset: str, amount: Decimal, fee: Decimal
    ) -> None:
        """Move ``amount`` between two wallets; ``source`` pays the fee on top."""
        with _as(InvariantError):
            self._native.transfer(sleeve, source, target, asset, amount, fee)

    def apply_fill(self, fill: Fill, parts: Sequence[Allocation]) -> None:
        """Book a fill; the sleeves' signed parts sum to its quantity."""
        with _as(InvariantError):
            self._native.apply_fill(*fill, parts)

    def internal_cross(
        self, ts: int, instrument: int, px: int, parts: Sequence[Allocation]
    ) -> None:
        """Book a trade of the sleeves with each other; their parts sum to zero."""
        with _as(InvariantError):
            self._native.internal_cross(ts, instrument, px, parts)

    def apply_funding(self, ts: int, instrument: int, rate: Decimal, mark: int) -> Decimal:
        """Book funding of the position held just before ``ts``; return what was received."""
        with _as(InvariantError):
            return self._native.apply_funding(ts, instrument, rate, mark)

    def book_funding(self, ts: int, instrument: int, amount: Decimal, rate: Decimal) -> None:
        """Book the amount that the venue stated, positive if received."""
        with _as(InvariantError):
            self._native.book_funding(ts, instrument, amount, rate)

    def mark(self, instrument: int, px: int) -> None:
        """Take note of a mark price."""
        with _as(InvariantError):
            self._native.mark(instrument, px)

    def fee(self, instrument: int, px: int, qty: int, is_taker: bool, ts: int) -> Decimal:
        """Return a fill's fee in the settle asset, negative if a rebate."""
        with _as(InvariantError):
            return self._native.fee(instrument, px, qty, is_taker, ts)

    def equity(self) -> Decimal:
        """Return the account's equity at the marks; the sleeves' equities sum to it."""
        with _as(InvariantError):
            return self._native.equity()

    def sleeve_equity(self, sleeve: int) -> Decimal:
        """Return a sleeve's equity at the marks."""
        with _as(InvariantError):
            return self._native.sleeve_equity(sleeve)

    def deposits(self, sleeve: int) -> Decimal:
        """Return a sleeve's external cash flows, each at its value then."""
        with _as(InvariantError):
            return self._native.deposits(sleeve)

    def attribution(self, sleeve: int) -> Attribution:
        """Return where a sleeve's equity came from."""
        with _as(InvariantError):
            return Attribution(*self._native.attribution(sleeve))

    def position(self, instrument: int) -> Position:
        """Return the account's net position: the sum of its fills."""
        return Position(*self._native.position(instrument))

    def sleeve_position(self, sleeve: int, instrument: int) -> Position:
        """Return a sleeve's position: the sum of its parts of the fills."""
        return Position(*self._native.sleeve_position(sleeve, instrument))

    def balance(self, wallet: int, asset: str) -> Decimal:
        """Return a balance of the account, without unrealised P&L."""
        with _as(InvariantError):
            return self._native.balance(wallet, asset)

    def sleeve_balance(self, sleeve: int, wallet: int, asset: str) -> Decimal:
        """Return a virtual balance of a sleeve."""
        with _as(InvariantError):
            return self._native.sleeve_balance(sleeve, wallet, asset)

    def margin(self, wallet: int, asset: str, ts: int) -> Margin:
        """Return the account's margin with the brackets in force at ``ts``."""
        with _as(InvariantError):
            return Margin(*self._native.margin(wallet, asset, ts))

    def round_trips(self) -> tuple[RoundTrip, ...]:
        """Return the closed round trips, in the order of their ends."""
        return tuple(
            RoundTrip(
                sleeve, base, entry, exit_, tuple(Leg(*leg) for leg in legs), Outcome(*outcome)
            )
            for sleeve, base, entry, exit_, legs, outcome in self._native.round_trips()
        )

    def flows(self) -> tuple[Flow, ...]:
        """Return external cash flows, in the order in which they were booked."""
        return tuple(Flow(*row) for row in self._native.flows())
