"""What the account of a simulator is made of."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import NamedTuple, TypeAlias

from crypto_quant.backtesting.simulator.recorded import Market
from crypto_quant.core.errors import ConfigError
from crypto_quant.core.instruments import Instrument, venue_of
from crypto_quant.core.messages import Wallet
from crypto_quant.core.terms import terms_at
from crypto_quant.runtime.line_spec import Deposit

Capital: TypeAlias = Decimal | Mapping[str, Decimal] | Sequence[Deposit]


class Units(NamedTuple):
    """Grid units in a tick and in a lot, and what these are worth (quote and base asset)."""

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
        One is.
    """
    ids = [market.instrument.id for market in markets]
    twice = next((name for name in ids if ids.count(name) > 1), None)
    if twice is not None:
        raise ConfigError(f"markets: expected each instrument once, was {twice} twice")


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
        Spot beside contracts at a venue, whose wallets differ, or money that is not said to
        be at which venue.
    """
    if isinstance(capital, Sequence):
        return list(capital)
    kinds: dict[str, set[bool]] = {}
    for instrument in instruments:
        kinds.setdefault(venue_of(instrument.id), set()).add(instrument.contract == "spot")
    known = ", ".join(kinds)
    if not isinstance(capital, Mapping):
        if len(kinds) > 1:
            raise ConfigError(f"capital: expected an amount for each of {known}, was {capital}")
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
    given = capital.items()
    return [Deposit(0, wallets[venue], amount, venue) for venue, amount in given if amount]
