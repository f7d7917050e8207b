"""The native line in Python's hands: commands in, wake-ups out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any, Final, NamedTuple, TypeVar

import numpy as np
from numpy.typing import NDArray

from crypto_quant import _native
from crypto_quant.core.errors import ConfigError, DataError, InvariantError
from crypto_quant.core.messages import (
    Alarm,
    Amend,
    Cancel,
    Command,
    Exchange,
    Order,
    Place,
    Side,
    Transfer,
    Wake,
    Wallet,
)
from crypto_quant.runtime.accounts import Accounts
from crypto_quant.runtime.legs import LONG, legs_of
from crypto_quant.runtime.line_spec import (
    Deposit,
    LineSpec,
    check_transfer_fees,
    prices_of,
    settings_of,
)
from crypto_quant.runtime.placing import TYPE_CODE, place_own
from crypto_quant.runtime.where import where
from crypto_quant.venues.rules.collateral import multi_assets

WAKES: Final = (None, Wake.TIMER, Wake.ACCOUNT, Wake.GAP, Wake.DATA_END, Wake.ALARM)
_WANTS_DATA: Final = 6
BUY: Final = Side.BUY
R = TypeVar("R")
Part = Mapping[str, NDArray[Any]]
"""Columns of a stream's next rows by name, each (n,)."""


class _Feed(NamedTuple):
    """A stream that is on the line in part: whose it is, how it is added, and what is left."""

    name: str
    add: Callable[..., int]
    instrument: int
    rest: Iterator[Part]


class RecordedLine:
    """One segment of the recorded line.

    Raises
    ------
    ConfigError
        The parts do not fit together.
    """

    def __init__(self, spec: LineSpec, capital: Sequence[Deposit]) -> None:
        self.spec = spec
        self._feeds: dict[int, _Feed] = {}
        self.legs = legs_of(spec.instruments, spec.hedged)
        """The instruments with the short legs of contracts in hedge mode."""
        instruments = self.legs.instruments
        self.accounts = Accounts(instruments, spec.quote, spec.collateral)
        sim, venues = settings_of(spec.sim, self.accounts.venues)
        wallet = self.accounts.wallet
        wallets = self.accounts.wallets()
        known = {asset for _, own, _ in wallets for asset in own}
        check_transfer_fees(sim or {}, known, "sim")
        for venue, own in venues.items():
            check_transfer_fees(own, known, f"sim.{venue}")
        if spec.collateral and spec.sim is not None:
            name, assets, _ = wallets[wallet(Wallet.MARGIN)]
            venue = self.accounts.venues[0]
            mode = multi_assets(venue.lower(), name, assets, spec.start)
            (venues[venue] if sim is None else sim)["multi_assets"] = mode
        named = [wallets[wallet(d.wallet, d.venue)][0] for d in capital]
        try:
            self.native = _native.Line(
                [i.native(spec.tier) for i in instruments],
                list(spec.sleeves),
                list(spec.features),
                list(spec.series),
                grid_ns=spec.grid_ns,
                start=spec.start,
                end=spec.end,
                sim=sim,
                venues=venues,
                wallets=wallets,
                capital=[
                    (d.sleeve, name, d.asset or spec.quote, d.amount)
                    for d, name in zip(capital, named, strict=True)
                ],
                valuation=spec.quote,
                sample_ns=spec.sample_ns,
                hedged=self.legs.pairs,
                prices=prices_of(capital, spec.quote),
            )
            for n, instrument in enumerate(instruments):
                if instrument.contract != "spot":
                    self.native.set_leverage(n, spec.leverage)
        except (ValueError, RuntimeError, OverflowError, TypeError) as err:
            # The last three: capital that no ledger holds, a number or a type that no setting has.
            raise ConfigError(str(err)) from err

    def stream(self, name: str, add: Callable[..., int], index: int, parts: Iterable[Part]) -> None:
        """Put a stream on the tape, whose parts are read when the line has come to them.

        Parameters
        ----------
        name, index
            Whose it is, and of which instrument of the line.
        add
            The native line's call for its kind.
        parts
            Its rows in order; a stream without any is not put there.

        Raises
        ------
        DataError
            The first rows cannot be what they say.
        """
        rest = iter(parts)
        first = next((part for part in rest if len(part["ts_recv"])), None)
        if first is not None:
            number = self.load(name, add, index, **first, more=True)
            self._feeds[number] = _Feed(name, add, index, rest)

    def read_ahead(self) -> None:
        """Read all parts of all streams now, so that nothing is read while the line runs."""
        for number, feed in self._feeds.items():
            for part in feed.rest:
                self.load(feed.name, feed.add, feed.instrument, **part, stream=number, more=True)
            self.native.complete(number)
        self._feeds.clear()

    def load(self, name: str, add: Callable[..., int], *columns: object, **named: object) -> int:
        """Put columns on the tape by one of the native line's calls; ``name`` is whose they are.

        Returns
        -------
        int
            The stream's number.

        Raises
        ------
        DataError
            They cannot be what they say.
        """
        try:
            return add(*columns, **named)
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
            code = self.native.next()
            while code == _WANTS_DATA:
                self._feed()
                code = self.native.next()
        except ValueError as err:
            raise DataError(self._told(err)) from err
        except RuntimeError as err:
            raise InvariantError(self._told(err)) from err
        return WAKES[code]

    def run(self, strategy: str, parameters: Mapping[str, float]) -> int:
        """Run to the end with a strategy in Rust; how often it was asked.

        Parameters
        ----------
        strategy, parameters
            See ``_native.Line.run``.

        Raises
        ------
        ConfigError
            There is no such strategy, or a parameter is missing or out of range.
        DataError
            The tape cannot be what it says.
        InvariantError
            The books no longer add up.
        """
        given = dict(parameters)
        try:
            asked = self.native.run(strategy, given)
        except ValueError as err:
            raise ConfigError(str(err)) from err
        except RuntimeError as err:
            raise InvariantError(self._told(err)) from err
        if asked is None:
            self._feed()
            asked = self._pass(lambda: self.native.run(strategy, given))
        return asked

    def research(self) -> tuple[NDArray[np.int64], NDArray[np.float64]]:
        """Run all timers without a step: times (n,) and features (n, n_features).

        Raises
        ------
        DataError
            The tape cannot be what it says.
        InvariantError
            The books no longer add up.
        """
        parts = [self._pass(self.native.research)]
        while self.native.wants is not None:
            self._feed()
            parts.append(self._pass(self.native.research))
        return np.concatenate([ts for ts, _ in parts]), np.concatenate([x for _, x in parts])

    def _feed(self) -> None:
        """Add the next part of the stream that the line waits for."""
        number = self.native.wants
        if number is None:
            raise InvariantError("the line waits for no stream")
        feed = self._feeds[number]
        part = next(feed.rest, None)
        if part is None:
            self.native.complete(number)
        else:
            self.load(feed.name, feed.add, feed.instrument, **part, stream=number, more=True)

    def elapse(self, duration: int) -> bool:
        """Let time pass, ns, without a wake-up; return whether the tape goes on.

        Raises
        ------
        DataError
            The tape cannot be what it says, or ``duration`` is not positive.
        InvariantError
            The books no longer add up.
        """
        until = self.native.now + duration
        return self._pass(lambda: self.native.pass_to(until))

    def wait_for(self, order_id: int, timeout: int) -> bool:
        """Let time pass, at most ``timeout`` ns, to the next answer to an order; whether it came.

        Raises
        ------
        DataError
            The tape cannot be what it says, the order is unknown, or ``timeout`` not positive.
        InvariantError
            The books no longer add up.
        """
        native = self.native
        try:
            before, until = native.answered(order_id), native.now + timeout
        except ValueError as err:
            raise DataError(str(err)) from err
        return self._pass(lambda: native.wait_for(order_id, before, until))

    def _pass(self, call: Callable[[], R | None]) -> R:
        """Make a call of the native line again until it wants no more data."""
        try:
            while (passed := call()) is None:
                self._feed()
        except ValueError as err:
            raise DataError(self._told(err)) from err
        except RuntimeError as err:
            raise InvariantError(self._told(err)) from err
        return passed

    def _told(self, err: Exception) -> str:
        """Return what was wrong, and where on the tape if any of it has been read."""
        return f"{err} {where(self.native)}" if self.native.seq else str(err)

    def execute(self, commands: Sequence[Command]) -> None:
        """Send commands to the simulated venue and the ledger, in order.

        Raises
        ------
        DataError
            A command that cannot be one: an order id used twice, parts that do not add up.
        InvariantError
            The ledger refuses a booking.
        """
        commands, at = tuple(commands), 0
        try:
            while (at := self.native.send(commands, at)) < len(commands):
                self._execute(commands[at])
                at += 1
        except ValueError as err:
            raise DataError(self._told(err)) from err
        except RuntimeError as err:
            raise InvariantError(self._told(err)) from err

    def _execute(self, command: Command) -> None:
        name = type(command).__name__.lower()
        try:
            self._send(command)
        except ValueError as err:
            raise DataError(f"{name}: {self._told(err)}") from err
        except RuntimeError as err:
            raise InvariantError(f"{name}: {self._told(err)}") from err

    def _send(self, command: Command) -> None:
        native = self.native
        match command:
            case Place(approved):
                self._place(approved.order)
            case Cancel(number, _):
                native.cancel(number)
            case Amend(approved):
                order = approved.order
                native.amend(order.id, order.price, order.quantity, order.stop)
            case Exchange(approved):
                cross = approved.cross
                native.internal_cross(cross.instrument, cross.px, list(cross.allocations))
            case Alarm(_, due, _):
                native.wake_at(due)
            case Transfer(_, sleeve, source, amount, _, venue, to, fee, asset):
                other = Wallet.MARGIN if source is Wallet.SPOT else Wallet.SPOT
                wallet = self.accounts.wallet
                target = wallet(source, to) if to else wallet(other, venue)
                source_at, asset = wallet(source, venue), asset or self.spec.quote
                native.transfer(sleeve, source_at, target, asset, amount, fee)

    def _place(self, order: Order) -> None:
        _, number, instrument, side, quantity, kind, px, stop, reduces, parts, _, _, own = order
        code, buys = TYPE_CODE[kind], side is BUY
        leg = self.legs.sides[instrument]
        if own is not None:
            place_own(self.native, order, leg)
            return
        if not leg:
            self.native.place(number, instrument, buys, quantity, code, px, stop, reduces, parts)
            return
        if reduces and buys == (leg == LONG):
            position = "long" if leg == LONG else "short"
            raise ValueError(f"order {number}: a {position} leg is opened by it, not reduced")
        # In hedge mode the position side says whether an order only reduces.
        self.native.place(
            number, instrument, buys, quantity, code, px, stop, False, parts, position_side=leg
        )
