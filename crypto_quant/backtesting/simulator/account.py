"""What the account of a simulator is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final, Literal, NamedTuple, SupportsIndex, TypeAlias

from crypto_quant.backtesting.simulator.recorded import Market
from crypto_quant.core.errors import ConfigError
from crypto_quant.core.instruments import Instrument, venue_of
from crypto_quant.core.messages import Wallet
from crypto_quant.core.terms import terms_at
from crypto_quant.runtime.line_spec import Deposit
from crypto_quant.runtime.opening import margined_in_coin

Capital: TypeAlias = Decimal | Mapping[str, Decimal] | Sequence[Deposit]
_DIGITS: Final = 28


class Units(NamedTuple):
    """Grid units in a tick and in a lot, and what these are worth.

    In the quote and the base asset; a lot of an inverse contract in contracts.
    """

    tick: int
    lot: int
    tick_size: Decimal
    lot_size: Decimal


def units_of(instrument: Instrument, start: int, end: int, tier: str) -> Units:
    """Return tick and lot of an instrument over a time, ns UTC.

    Raises
    ------
    ConfigError
        It cannot be traded, or one of them changes in that time.
    """
    first, last = terms_at(instrument, start, tier), terms_at(instrument, end, tier)
    if (first.tick, first.lot) != (last.tick, last.lot):
        raise ConfigError(f"{instrument.id}: its tick or lot changes in the session")
    tick_size = Decimal(first.tick).scaleb(-instrument.price_exp)
    lot_size = Decimal(first.lot).scaleb(-instrument.qty_exp)
    return Units(first.tick, first.lot, tick_size, lot_size)


def check_markets(markets: Sequence[Market]) -> None:
    """Check that no instrument is given twice: each has one book and one position.

    Raises
    ------
    ConfigError
        One is, or what is given is no list of markets.
    """
    given = markets if isinstance(markets, Sequence) else (None,)
    strange = next((type(one).__name__ for one in given if not isinstance(one, Market)), None)
    if strange is not None:
        was = strange if given is markets else type(markets).__name__
        raise ConfigError(f"markets: expected a list of Market, was {was}")
    ids = [market.instrument.id for market in markets]
    twice = next((name for name in ids if ids.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(f"markets: expected each instrument once, was {twice} twice")


def check_settings(sim: object, **names: object) -> None:
    """Check that settings are a mapping, and each of the rest a list of names.

    Raises
    ------
    ConfigError
        One is not.
    """
    if sim is not None and not isinstance(sim, Mapping):
        raise ConfigError(f"sim: expected a mapping of settings, was {sim!r}")
    for what, given in names.items():
        if (
            isinstance(given, str)
            or not isinstance(given, Sequence)
            or not all(isinstance(name, str) for name in given)
        ):
            raise ConfigError(f"{what}: expected a list of names, was {given!r}")


def check_whole(what: str, value: object, most: int) -> None:
    """Check that a number is whole, from 1 to ``most``.

    Raises
    ------
    ConfigError
        It is not.
    """
    is_whole = isinstance(value, SupportsIndex) and not isinstance(value, bool)
    if not is_whole or not 1 <= int(value) <= most:  # type: ignore[call-overload]
        raise ConfigError(f"{what}: expected a whole number from 1 to {most}, was {value!r}")


def money(what: str, amount: object, kind: Literal["amount", "price"] = "amount") -> Decimal:
    """Return an amount of money, or a price, that is exact: a float never is.

    Raises
    ------
    ConfigError
        It is no ``Decimal`` or whole number, negative, or has more digits than can be kept.
    """
    if isinstance(amount, bool) or not isinstance(amount, Decimal | int):
        raise ConfigError(f"{what}: expected a Decimal, was {amount!r}")
    exact = Decimal(amount)
    _, digits, exponent = exact.as_tuple()
    if (
        not isinstance(exponent, int)
        or exact < 0
        or max(len(digits), exact.adjusted(), -exponent) > _DIGITS
    ):
        least = "an amount of 0 or more" if kind == "amount" else "a price above 0"
        raise ConfigError(f"{what}: expected {least} with at most {_DIGITS} digits, was {amount}")
    return exact


def wallet_of(what: str, wallet: object) -> Wallet:
    """Return a wallet.

    Raises
    ------
    ConfigError
        It is none.
    """
    if not isinstance(wallet, int) or wallet not in tuple(Wallet):
        known = ", ".join(f"Wallet.{one.name}" for one in Wallet)
        raise ConfigError(f"{what}: expected one of {known}, was {wallet!r}")
    return Wallet(wallet)


def quote_of(instruments: Sequence[Instrument]) -> str:
    """Return the asset that all instruments are quoted in.

    Raises
    ------
    ConfigError
        There are none, or several such assets.
    """
    quotes = sorted({instrument.quote for instrument in instruments})
    if len(quotes) != 1:
        raise ConfigError(f"markets: expected one quote asset, was {', '.join(quotes) or 'none'}")
    return quotes[0]


def deposits(instruments: Sequence[Instrument], capital: Capital) -> list[Deposit]:
    """Return the starting money: in the margin wallet, or where all is spot in that one.

    Parameters
    ----------
    instruments
        What is traded.
    capital
        The money, at each venue where there are several; a list of deposits is taken as it is.

    Raises
    ------
    ConfigError
        Spot beside contracts at a venue, whose wallets differ, money that is not said to
        be at which venue or that margins nothing there, or an amount that is none.
    """
    if isinstance(capital, list | tuple):
        return [_checked(deposit, instruments) for deposit in capital]
    kinds: dict[str, set[bool]] = {}
    for instrument in instruments:
        kinds.setdefault(venue_of(instrument.id), set()).add(instrument.contract == "spot")
    known = ", ".join(kinds)
    if not isinstance(capital, Mapping):
        if len(kinds) > 1:
            raise ConfigError(f"capital: expected an amount for each of {known}, was {capital}")
        capital = money("capital", capital)
        capital = dict.fromkeys(kinds, capital)
    if set(capital) != set(kinds):
        raise ConfigError(f"capital: expected venues {known}, was {', '.join(capital)}")
    if any(len(own) > 1 for own in kinds.values()):
        raise ConfigError(
            "markets: expected spot only or contracts only, as one wallet pays; or capital as "
            "deposits, which name theirs"
        )
    wallets = {
        venue: Wallet.SPOT if own == {True} else Wallet.MARGIN for venue, own in kinds.items()
    }
    for venue in kinds:
        _check_margins(instruments, venue)
    given = {venue: money(f"capital of {venue}", amount) for venue, amount in capital.items()}
    return [Deposit(0, wallets[venue], amount, venue) for venue, amount in given.items() if amount]


def _check_margins(instruments: Sequence[Instrument], venue: str) -> None:
    """Check that money in the quote asset margins something at a venue, or pays for it."""
    own = [i for i in instruments if venue in ("", venue_of(i.id))]
    if unpaid := margined_in_coin(own):
        raise ConfigError(
            f"capital: {unpaid}: expected Deposits of {own[0].settle} with their price"
        )


def _checked(deposit: object, instruments: Sequence[Instrument]) -> Deposit:
    if not isinstance(deposit, Deposit):
        raise ConfigError(f"capital: expected an amount or a list of Deposit, was {deposit!r}")
    if deposit.sleeve != 0:
        raise ConfigError(f"capital: expected deposits of sleeve 0, was {deposit.sleeve!r}")
    wallet, amount = wallet_of("capital", deposit.wallet), money("capital", deposit.amount)
    price = deposit.price
    if price is not None:
        price = money(f"capital: price of {deposit.asset or quote_of(instruments)}", price, "price")
    if amount and deposit.asset in ("", quote_of(instruments)):
        _check_margins(instruments, deposit.venue)
    return replace(deposit, wallet=wallet, amount=amount, price=price)
