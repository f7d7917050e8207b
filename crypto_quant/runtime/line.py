"""The native line in Python's hands: commands in, wake-ups out."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from crypto_quant import _native
from crypto_quant.core.errors import ConfigError, DataError, InvariantError
from crypto_quant.core.instruments import Instrument
from crypto_quant.core.messages import (
    Alarm,
    Amend,
    Cancel,
    Command,
    Exchange,
    Order,
    OrderType,
    Place,
    Side,
    Transfer,
    Wake,
    Wallet,
)

WAKES: Final = (None, Wake.TIMER, Wake.ACCOUNT, Wake.GAP, Wake.DATA_END, Wake.ALARM)
_TYPE_CODE: Final = {
    OrderType.MARKET: 0,
    OrderType.LIMIT: 1,
    OrderType.POST_ONLY: 2,
    OrderType.STOP_MARKET: 3,
}
HOUR_NS: Final = 3_600 * 10**9
BUY: Final = Side.BUY


@dataclass(frozen=True, slots=True)
class Deposit:
    """Money that a sleeve begins with, in the quote asset of a wallet."""

    sleeve: int
    wallet: Wallet
    amount: Decimal


@dataclass(frozen=True, slots=True)
class LineSpec:
    """What a line is made of; see ``_native.Line``.

    ``sim`` holds the simulated venue's settings, ``None`` for research. ``wallets`` are the
    spot and the margin wallet with the instruments that settle in each; the margin wallet
    holds the coins of inverse contracts too.
    """

    instruments: tuple[Instrument, ...]
    sleeves: tuple[str, ...]
    features: tuple[tuple[str, Mapping[str, str | float]], ...]
    series: tuple[str, ...]
    quote: str
    grid_ns: int
    start: int
    end: int
    sim: Mapping[str, object] | None
    leverage: int
    tier: str = "VIP0"
    sample_ns: int = HOUR_NS


class RecordedLine:
    """One segment of the recorded line.

    Raises
    ------
    ConfigError
        The parts do not fit together.
    """

    def __init__(self, spec: LineSpec, capital: Sequence[Deposit]) -> None:
        self.spec = spec
        spot = [n for n, i in enumerate(spec.instruments) if i.contract == "spot"]
        contracts = [n for n, i in enumerate(spec.instruments) if i.contract != "spot"]
        bases = sorted({spec.instruments[n].base for n in spot})
        coins = sorted({spec.instruments[n].settle for n in contracts} - {spec.quote})
        wallets = [
            (Wallet.SPOT.name.lower(), [spec.quote, *bases], spot),
            (Wallet.MARGIN.name.lower(), [spec.quote, *coins], contracts),
        ]
        try:
            self.native = _native.Line(
                [i.native(spec.tier) for i in spec.instruments],
                list(spec.sleeves),
                list(spec.features),
                list(spec.series),
                grid_ns=spec.grid_ns,
                start=spec.start,
                end=spec.end,
                sim=None if spec.sim is None else dict(spec.sim),
                wallets=wallets,
                capital=[(d.sleeve, d.wallet.name.lower(), spec.quote, d.amount) for d in capital],
                valuation=spec.quote,
                sample_ns=spec.sample_ns,
            )
            for n in contracts:
                self.native.set_leverage(n, spec.leverage)
        except ValueError as err:
            raise ConfigError(str(err)) from err

    def load(self, name: str, add: Callable[..., None], *columns: object, **named: object) -> None:
        """Put columns on the tape by one of the native line's calls; ``name`` is whose they are.

        Raises
        ------
        DataError
            They cannot be what they say.
        """
        try:
            add(*columns, **named)
        except ValueError as err:
            raise DataError(f"{name}: {err} (cq data validate finds all such rows)") from err

    def next(self) -> Wake | None:
        """Run to the next wake-up; ``None`` after the end.

        Raises
        ------
        DataError
            The tape cannot be what it says.
        InvariantError
            The books no longer add up.
        """
        try:
            return WAKES[self.native.next()]
        except ValueError as err:
            raise DataError(str(err)) from err
        except RuntimeError as err:
            raise InvariantError(str(err)) from err

    def execute(self, commands: Sequence[Command]) -> None:
        """Send commands to the simulated venue and the ledger, in order.

        Raises
        ------
        DataError
            A command that cannot be one: an order id used twice, parts that do not add up.
        InvariantError
            The ledger refuses a booking.
        """
        command: Command | None = None
        try:
            for command in commands:
                if isinstance(command, Place):  # what a market maker sends most
                    self._place(command.approved[0])
                elif isinstance(command, Cancel):
                    self.native.cancel(command.order_id)
                else:
                    self._execute(command)
        except ValueError as err:
            raise DataError(f"{_name(command)} at {self.native.now}: {err}") from err
        except RuntimeError as err:
            raise InvariantError(f"{_name(command)} {err}") from err

    def _execute(self, command: Amend | Exchange | Transfer | Alarm) -> None:
        native = self.native
        match command:
            case Amend(approved):
                order = approved.order
                native.amend(order.id, order.price, order.quantity)
            case Exchange(approved):
                cross = approved.cross
                native.internal_cross(cross.instrument, cross.px, list(cross.allocations))
            case Alarm(_, due, _):
                native.wake_at(due)
            case Transfer(_, sleeve, source, amount, _):
                target = Wallet.MARGIN if source is Wallet.SPOT else Wallet.SPOT
                native.transfer(sleeve, int(source), int(target), self.spec.quote, amount)

    def _place(self, order: Order) -> None:
        _, number, instrument, side, quantity, kind, px, stop, reduces, parts, _, _ = order
        code = _TYPE_CODE[kind]
        self.native.place(number, instrument, side is BUY, quantity, code, px, stop, reduces, parts)


def _name(command: Command | None) -> str:
    return type(command).__name__.lower()
