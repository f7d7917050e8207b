"""The only vocabulary between stages: immutable values, one way down the line.

``FeatureVector`` → ``Prediction`` → ``Signal`` → ``Target`` → ``Order`` | ``Cross`` →
``Approved`` | ``ApprovedCross`` | ``Refused``. Named tuples: a wake-up builds several, and a frozen
dataclass costs four times as much to make.

Times are int64 ns UTC, prices and quantities are integers on the instrument's grid
(``core.instruments``), quantities of positions and targets are signed (long > 0).
"""

from __future__ import annotations

from collections.abc import Iterable
from decimal import Decimal
from enum import IntEnum, StrEnum
from itertools import repeat
from typing import Final, NamedTuple, Self, TypeAlias

import numpy as np
from numpy.typing import NDArray

from crypto_quant.core.errors import InvariantError


class Side(StrEnum):
    """Direction of an order."""

    BUY = "buy"
    SELL = "sell"


class OrderType(StrEnum):
    """How an order meets the market.

    Stops, take-profits and trailing stops wait for their trigger; then they are market or limit
    orders.
    """

    MARKET = "market"
    LIMIT = "limit"
    POST_ONLY = "post_only"
    STOP_MARKET = "stop_market"
    STOP_LIMIT = "stop_limit"
    TAKE_PROFIT_MARKET = "take_profit_market"
    TAKE_PROFIT_LIMIT = "take_profit_limit"
    TRAILING_STOP_MARKET = "trailing_stop_market"


class TimeInForce(StrEnum):
    """How long an order works: until cancelled, not at all, whole or not at all, as a maker."""

    GTC = "gtc"
    IOC = "ioc"
    FOK = "fok"
    GTX = "gtx"


class TriggerBy(StrEnum):
    """The price that a trigger looks at."""

    LAST = "last"
    MARK = "mark"


class OrderStatus(StrEnum):
    """Life of an order, as far as we know.

    ``EXPIRED``: the venue ended it, and nobody had asked for that. ``TRIGGERED``: it waited for
    its trigger and is a limit order now.
    """

    NEW = "new"
    WORKING = "working"
    TRIGGERED = "triggered"
    PARTIAL = "partially_filled"
    FILLED = "filled"
    CANCELLED = "cancelled"
    EXPIRED = "expired"
    REJECTED = "rejected"


class Wake(StrEnum):
    """Why the line woke the step."""

    TIMER = "timer"
    ACCOUNT = "account"
    ALARM = "alarm"
    GAP = "gap"
    DATA_END = "data_end"
    CONTROL = "control"


class Wallet(IntEnum):
    """Place that holds money: coins and their quote asset, or the margin of contracts.

    Each venue has both. Where an account has several venues, a wallet is named with its venue.
    """

    SPOT = 0
    MARGIN = 1


class FeatureVector(NamedTuple):
    """Feature values knowable at ``ts``.

    ``values`` has shape (n_features,), float64, NaN where not yet warm; it is a
    read-only view that the next wake-up rewrites.
    """

    ts: int
    values: NDArray[np.float64]


class Prediction(NamedTuple):
    """What a model expects: probability of each barrier, and the model's id."""

    ts: int
    p_up: float
    p_down: float
    model: str


class Signal(NamedTuple):
    """Direction (+1, 0, -1) with a strength in [0, 1], and the reason in words."""

    ts: int
    sleeve: str
    direction: int
    strength: float
    reason: str


class Quote(NamedTuple):
    """An order that a sleeve wants to rest at a price; ``quantity`` is positive."""

    side: Side
    px: int
    quantity: int


class Target(NamedTuple):
    """What a sleeve wants in an instrument, first said at ``ts``: a position, or quotes.

    With ``quotes`` the position is left to them: nothing is taken, and ``quantity`` is what the
    sleeve holds; an empty tuple takes all quotes back and leaves the position as it is. Without
    (``None``) the position is brought to ``quantity``, and quotes of before are taken back.
    Quotes come in the order in which they are to be sent. Those of one target never cross one
    another, and no two have one price (the risk manager checks it).
    """

    ts: int
    sleeve: str
    instrument: int
    quantity: int
    stop: int | None
    reason: str
    quotes: tuple[Quote, ...] | None = None


class Allocation(NamedTuple):
    """Signed part of an order's quantity that belongs to a sleeve."""

    sleeve: int
    quantity: int


class Conditions(NamedTuple):
    """What binds an order that a sleeve sends itself (``core.tickets``), and its name for it.

    ``callback_ppm`` is a trailing stop's distance, millionths of the best price.
    ``close_position``: once triggered it takes what is held, at most its quantity. ``protect`` is
    the protective stop of a position that it opens.
    """

    ticket: str
    time_in_force: TimeInForce = TimeInForce.GTC
    trigger_by: TriggerBy = TriggerBy.LAST
    callback_ppm: int = 0
    close_position: bool = False
    protect: int | None = None


class Order(NamedTuple):
    """A wish to trade; nothing leaves before it is ``Approved``.

    ``stop`` is a trigger, of a trailing stop the price that activates it. ``is_quote`` tells that
    it is one of a sleeve's quotes, which stand each for itself. ``conditions`` has what a sleeve
    sends itself; with ``None`` it comes from targets and is good until cancelled, its trigger by
    the last trade.
    """

    ts: int
    id: int
    instrument: int
    side: Side
    quantity: int
    type: OrderType
    price: int | None
    stop: int | None
    reduce_only: bool
    allocations: tuple[Allocation, ...]
    reason: str
    is_quote: bool = False
    conditions: Conditions | None = None

    @property
    def only_reduces(self) -> bool:
        """Whether the venue lets it shrink the account's position only."""
        return self.reduce_only or (self.conditions is not None and self.conditions.close_position)

    def sized(self, quantity: int) -> Order:
        """Return the order of one sleeve with another quantity, all of it that sleeve's."""
        (part,) = self.allocations
        signed = quantity if self.side is Side.BUY else -quantity
        return self._replace(quantity=quantity, allocations=(part._replace(quantity=signed),))


class Cross(NamedTuple):
    """A wish that sleeves trade with one another at ``px``; allocations add up to zero.

    Nothing is sent, but a sleeve may grow by it: it is ``ApprovedCross`` before it is booked.
    """

    ts: int
    instrument: int
    px: int
    allocations: tuple[Allocation, ...]
    reason: str


RISK_SEAL: Final = object()
"""What proves that the risk manager approves; no other module may name it (a test scans)."""


class Approved(tuple[Order, tuple[str, ...]]):
    """An order that the risk manager let through, and the checks it passed."""

    __slots__ = ()

    def __new__(cls, order: Order, checks: tuple[str, ...], seal: object) -> Self:
        """Build one; only the holder of the seal can."""
        _demand_seal(seal, "an order")
        return super().__new__(cls, (order, checks))

    @property
    def order(self) -> Order:
        """The order that may leave."""
        return self[0]

    @property
    def checks(self) -> tuple[str, ...]:
        """Names of the checks that it passed."""
        return self[1]


def approve(orders: Iterable[Order], checks: tuple[str, ...], seal: object) -> tuple[Approved, ...]:
    """Build many that passed the same checks; only the holder of the seal can."""
    _demand_seal(seal, "an order")
    # the seal is shown once for all
    return tuple(map(tuple.__new__, repeat(Approved), zip(orders, repeat(checks))))


class ApprovedCross(tuple[Cross, tuple[str, ...]]):
    """A cross that the risk manager let through, and the checks it passed."""

    __slots__ = ()

    def __new__(cls, cross: Cross, checks: tuple[str, ...], seal: object) -> Self:
        """Build one; only the holder of the seal can."""
        _demand_seal(seal, "a cross")
        return super().__new__(cls, (cross, checks))

    @property
    def cross(self) -> Cross:
        """The cross that may be booked."""
        return self[0]

    @property
    def checks(self) -> tuple[str, ...]:
        """Names of the checks that it passed."""
        return self[1]


def _demand_seal(seal: object, what: str) -> None:
    if seal is not RISK_SEAL:
        raise InvariantError(f"{what} was approved by something else than the risk manager")


class Refused(NamedTuple):
    """An order or a cross that the risk manager stopped, and why."""

    order: Order | Cross
    reason: str


class Place(NamedTuple):
    """Send an approved order."""

    approved: Approved


class Amend(NamedTuple):
    """Change a working order: ``approved`` is it with its new price, trigger and whole quantity."""

    approved: Approved


class Cancel(NamedTuple):
    """Take a resting order back; never refused."""

    order_id: int
    reason: str


class Exchange(NamedTuple):
    """Let sleeves trade with one another, as approved."""

    approved: ApprovedCross


class Transfer(NamedTuple):
    """Move a sleeve's own money from one wallet to the other; never an order.

    Where an account has several venues, ``venue`` is that of the source. With ``to`` the money
    goes to the wallet of the same kind at that other venue. ``fee`` is taken beside it; ``None``:
    what the venue's terms say. ``asset`` is the quote asset where it is left out.
    """

    ts: int
    sleeve: int
    source: Wallet
    amount: Decimal
    reason: str
    venue: str = ""
    to: str = ""
    fee: Decimal | None = None
    asset: str = ""


class Alarm(NamedTuple):
    """Be woken at ``due`` (ns UTC), between two wake-ups of the clock."""

    ts: int
    due: int
    reason: str


Command: TypeAlias = Place | Amend | Cancel | Exchange | Transfer | Alarm


class Decision(NamedTuple):
    """Everything one step made, in order; written before its commands leave."""

    ts: int
    wake: Wake
    prediction: Prediction | None
    signals: tuple[Signal, ...]
    targets: tuple[Target, ...]
    refused: tuple[Refused, ...]
    commands: tuple[Command, ...]


NO_COMMANDS: Final[tuple[Command, ...]] = ()
