"""Transfers by rule, as a stage of the step: it trades nothing."""

from __future__ import annotations

from collections.abc import Mapping

from crypto_quant.core.errors import ConfigError
from crypto_quant.core.instruments import Instrument
from crypto_quant.core.messages import Wallet
from crypto_quant.runtime.accounts import Accounts
from crypto_quant.runtime.markets import Markets
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
        A rule names a book, a venue or an asset that is not there.
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
    return tuple(made)


def _source(rule: TransferRule, traded: Instrument) -> Wallet:
    own = Wallet.SPOT if traded.contract == "spot" else Wallet.MARGIN
    return _WALLETS[rule.source] if rule.source else own


def _unfit(name: str, key: str, expected: str, was: str) -> ConfigError:
    return ConfigError(f"transfers.{name}.{key}: expected {expected}, was {was}")
