"""Transfers by rule, as a stage of the step: it trades nothing."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from crypto_quant.core.errors import ConfigError
from crypto_quant.core.instruments import Instrument
from crypto_quant.core.messages import Wallet
from crypto_quant.runtime.accounts import Accounts
from crypto_quant.runtime.markets import Book, Markets
from crypto_quant.runtime.sleeves import NO_WISH, TermsMap, Wish
from crypto_quant.runtime.view import LineView
from crypto_quant.strategy.transfers import Route, Schedule, TransferRule

_WALLETS: Mapping[str, Wallet] = {"spot": Wallet.SPOT, "margin": Wallet.MARGIN}


class TransferStage:
    """Follows a schedule."""

    __slots__ = ("_schedule",)

    def __init__(self, schedule: Schedule) -> None:
        self._schedule = schedule

    def on_timer(self, view: LineView, terms: TermsMap) -> Wish:
        """Send what is due."""
        sent = self._schedule.on_timer(view)
        return (None, (), (), sent) if sent else NO_WISH

    def on_account(self, view: LineView) -> Wish:
        """Leave answers to the record of transfers."""
        return NO_WISH

    def on_funding(self, ts: int, rate: float, interval_h: float) -> None:
        """Take no notice."""

    def reset(self) -> None:
        """Begin the schedule anew: another session."""
        self._schedule.reset()


def routes(
    rules: Mapping[str, TransferRule], markets: Markets, accounts: Accounts
) -> tuple[Route, ...]:
    """Return the rules with the places that they name.

    Raises
    ------
    ConfigError
        A rule names a book, a venue or an asset that is not there, or an asset that its book can
        never have where it is sent from.
    """
    books = {book.name: book for book in markets.books}
    made = []
    for name, rule in rules.items():
        book = books.get(rule.book)
        if book is None:
            raise _unfit(name, "book", ", ".join(books), rule.book)
        if rule.to and (rule.to == book.venue or rule.to not in markets.venues):
            others = ", ".join(venue for venue in markets.venues if venue != book.venue)
            raise _unfit(name, "to", f"another venue of the run ({others or 'none'})", rule.to)
        source = _source(rule, markets.instruments[book.contract])
        route = Route(name, rule, book.number, source, book.venue, rule.asset or markets.quote)
        places = ((source, book.venue), route.target)
        wallets = accounts.wallets()
        both = [wallets[accounts.wallet(*place)] for place in places]
        for wallet, assets, _ in both:
            if route.asset not in assets:
                raise _unfit(name, "asset", f"{', '.join(assets)} in {wallet}", route.asset)
        if rule.below is not None and route.asset != markets.quote:
            raise _unfit(name, "below", f"an amount of {markets.quote} alone", route.asset)
        made.append(route)
    for book in markets.books:
        _check_held(book, markets, [route for route in made if route.sleeve == book.number])
    return tuple(made)


def _check_held(book: Book, markets: Markets, own: Sequence[Route]) -> None:
    """Check that a book can have what its rules send, where they send it from.

    It has what it begins with, what its instrument is paid for with and pays in, and what other
    rules of its own bring.
    """
    traded = markets.instruments[book.contract]
    settles = Wallet.SPOT if traded.contract == "spot" else Wallet.MARGIN
    assets = {traded.settle, *book.section.coins}
    if traded.contract == "spot":
        assets |= {traded.base, markets.quote}
    held = {(settles, book.venue, asset) for asset in assets}
    left = list(own)
    while sent := [r for r in left if (r.source, r.venue, r.asset) in held]:
        held |= {(*route.target, route.asset) for route in sent}
        left = [route for route in left if route not in sent]
    if left:
        route = left[0]
        where = sorted((wallet.name.lower(), venue, asset) for wallet, venue, asset in held)
        known = ", ".join(f"{asset} in {wallet} at {venue}" for wallet, venue, asset in where)
        raise ConfigError(
            f"transfers.{route.name}.asset: the book {book.name} never has {route.asset} in "
            f"{route.source.name.lower()} at {route.venue}: expected what it has ({known})"
        )


def _source(rule: TransferRule, traded: Instrument) -> Wallet:
    own = Wallet.SPOT if traded.contract == "spot" else Wallet.MARGIN
    return _WALLETS[rule.source] if rule.source else own


def _unfit(name: str, key: str, expected: str, was: str) -> ConfigError:
    return ConfigError(f"transfers.{name}.{key}: expected {expected}, was {was}")
