"""The books of a run on ticks: which instrument or leg each trades, and at which venue."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final, NamedTuple

from crypto_quant.core.errors import ConfigError
from crypto_quant.core.instruments import Instrument, venue_of
from crypto_quant.core.messages import Wallet
from crypto_quant.runtime.config import TickConfig
from crypto_quant.runtime.legs import BOTH, LONG, SHORT, Legs, legs_of
from crypto_quant.runtime.line_spec import Deposit
from crypto_quant.runtime.market_config import MarketSection
from crypto_quant.runtime.opening import check_money

SIDES: Final[Mapping[str, int]] = {"both": BOTH, "long": LONG, "short": SHORT}


class Book(NamedTuple):
    """One sleeve of a run: ``number`` is its place among the books.

    ``contract`` is the place of its instrument among the run's, ``at`` that of what it trades
    on the line: in hedge mode a leg. ``side`` is the only sign its position may have, or 0.
    """

    name: str
    number: int
    section: MarketSection
    contract: int
    at: int
    side: int
    is_leg: bool

    @property
    def venue(self) -> str:
        """Where it trades."""
        return venue_of(self.section.instrument)


class Markets(NamedTuple):
    """What a run trades: its instruments, their legs, and a book for each market.

    ``hedged`` are the venues whose accounts are in hedge mode. ``is_plain``: one instrument, named
    without a market, whose money is of one asset and stays where it is: there is no more to tell
    than of the run.
    """

    instruments: tuple[Instrument, ...]
    legs: Legs
    books: tuple[Book, ...]
    hedged: tuple[str, ...]
    is_plain: bool

    @property
    def venues(self) -> tuple[str, ...]:
        """The venues, in the order in which the instruments name them."""
        return tuple(dict.fromkeys(venue_of(i.id) for i in self.instruments))

    @property
    def quote(self) -> str:
        """The asset that everything is counted in."""
        return self.instruments[0].quote

    @property
    def coins(self) -> tuple[str, ...]:
        """What its inverse contracts settle in, and what its books begin with beside the quote."""
        settled = [i.settle for i in self.instruments if i.contract == "inverse"]
        begun = [asset for book in self.books for asset in book.section.coins]
        return tuple(dict.fromkeys((*settled, *begun)))

    @property
    def traded(self) -> dict[int, Instrument]:
        """What the books trade, by its place on the line."""
        return {book.at: self.legs.instruments[book.at] for book in self.books}

    @property
    def names(self) -> tuple[str, ...]:
        """The names of the books."""
        return tuple(book.name for book in self.books)

    def deposits(self, prices: Mapping[str, Decimal]) -> list[Deposit]:
        """Return the starting money, each book's in the wallet in which its instrument settles.

        ``prices`` are what its coins are counted at.
        """
        out = []
        for book in self.books:
            is_spot = self.instruments[book.contract].contract == "spot"
            wallet = Wallet.SPOT if is_spot else Wallet.MARGIN
            if book.section.capital:
                out.append(Deposit(book.number, wallet, book.section.capital, book.venue))
            for asset, amount in book.section.coins.items():
                price = prices.get(asset)
                out.append(Deposit(book.number, wallet, amount, book.venue, asset, price))
        return out


def asked(config: TickConfig, known: Mapping[str, Instrument]) -> tuple[Instrument, ...]:
    """Return the instruments that a run names, each once, in order.

    Raises
    ------
    ConfigError
        One has no rules, or they are not quoted in one asset.
    """
    found: dict[str, Instrument] = {}
    for name, market in config.books.items():
        key = f"markets.{name}.instrument" if config.markets else "instrument"
        if market.instrument not in known:
            raise ConfigError(
                f"{key}: no rules for {market.instrument!r}; known: {', '.join(known)}"
            )
        found[market.instrument] = known[market.instrument]
        first = next(iter(found.values()))
        if found[market.instrument].quote != first.quote:
            raise ConfigError(
                f"{key}: expected an instrument quoted in {first.quote} as {first.id} is, was "
                f"{market.instrument}: one portfolio is counted in one asset"
            )
    return tuple(found.values())


def markets_of(config: TickConfig, instruments: Sequence[Instrument]) -> Markets:
    """Return what a run trades, on the given instruments' grids.

    Raises
    ------
    ConfigError
        A side does not fit its instrument or the mode of its venue, or money what it is for.
    """
    venues = dict.fromkeys(venue_of(i.id) for i in instruments)
    hedged = tuple(venue for venue in venues if config.of_venue(venue).hedged)
    legs = legs_of(instruments, hedged)
    places = {instrument.id: n for n, instrument in enumerate(instruments)}
    books = []
    for number, (name, section) in enumerate(config.books.items()):
        contract = places[section.instrument]
        side, leg = SIDES[section.side], legs.sides[contract]
        _check_side(name, section, is_leg=leg != BOTH, is_spot=_is_spot(instruments[contract]))
        key = f"markets.{name}." if config.markets else ""
        collateral = config.of_venue(venue_of(section.instrument)).collateral
        check_money(key, section, instruments[contract], collateral)
        at = legs.short(contract) if leg != BOTH and side == SHORT else contract
        books.append(Book(name, number, section, contract, at, side, leg != BOTH))
    pledged = [b for b in books if b.section.coins and instruments[b.contract].contract == "linear"]
    is_plain = not (config.markets or config.transfers or pledged)
    return Markets(tuple(instruments), legs, tuple(books), hedged, is_plain)


def _is_spot(instrument: Instrument) -> bool:
    return instrument.contract == "spot"


def _check_side(name: str, section: MarketSection, *, is_leg: bool, is_spot: bool) -> None:
    if is_leg and section.side == "both":
        raise ConfigError(
            f"markets.{name}.side: the account at {venue_of(section.instrument)} is in hedge mode: "
            'expected "long" or "short", the leg of '
            f"{section.instrument} that this book trades"
        )
    if is_spot and section.side == "short":
        raise ConfigError(
            f'markets.{name}.side: expected "both" or "long", was "short": spot '
            f"({section.instrument}) is never sold short"
        )
