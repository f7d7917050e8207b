"""The accounts of a run: one at each venue that its instruments name, with two wallets."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from crypto_quant.core.errors import ConfigError
from crypto_quant.core.instruments import Instrument, venue_of
from crypto_quant.core.messages import Wallet


class Accounts:
    """Numbers and names of the wallets.

    Parameters
    ----------
    instruments
        What is traded; an id such as ``BTCUSDT-PERP.BINANCE`` names the venue.
    quote
        The asset that all of them are quoted in.
    collateral
        Further assets of the margin wallet; of one venue only.

    Raises
    ------
    ConfigError
        There is collateral, and several venues, an asset twice in it, or the quote asset.
    """

    __slots__ = ("_collateral", "_instruments", "_quote", "venues")

    def __init__(
        self, instruments: Sequence[Instrument], quote: str, collateral: Sequence[str] = ()
    ) -> None:
        self._instruments: Final = tuple(instruments)
        self._quote: Final = quote
        self._collateral: Final = tuple(collateral)
        self.venues: Final = tuple(dict.fromkeys(venue_of(i.id) for i in instruments)) or ("",)
        if collateral and len(self.venues) > 1:
            known = ", ".join(self.venues)
            raise ConfigError(f"collateral: expected one venue in the run, was {known}")
        twice = next((asset for asset in collateral if collateral.count(asset) > 1), None)
        if twice is not None:
            raise ConfigError(f"collateral: expected each asset once, was {twice} twice")
        if quote in collateral:
            raise ConfigError(
                f"collateral: expected assets beside {quote}, was {quote}: it margins by itself"
            )

    def wallet(self, wallet: Wallet, venue: str = "") -> int:
        """Return the number of a wallet; ``venue`` may be left out where there is one.

        Raises
        ------
        ConfigError
            No instrument names the venue, or it is left out and there are several.
        """
        if venue in self.venues:
            return len(Wallet) * self.venues.index(venue) + wallet
        if venue or len(self.venues) > 1:
            known = ", ".join(self.venues)
            raise ConfigError(f"venue: expected one of {known}, was {venue or 'none'}")
        return int(wallet)

    def wallets(self) -> list[tuple[str, list[str], list[int]]]:
        """Return name, assets and instruments of each wallet, in the order of their numbers.

        Where there are several venues, a name says whose it is: ``margin.BINANCE``.
        """
        out = []
        for venue in self.venues:
            at = f".{venue}" if len(self.venues) > 1 else ""
            spot = self.of(Wallet.SPOT, venue)
            contracts = self.of(Wallet.MARGIN, venue)
            bases = sorted({self._instruments[n].base for n in spot})
            settled = {self._instruments[n].settle for n in contracts}
            coins = sorted({*settled, *self._collateral} - {self._quote})
            out.append((f"{Wallet.SPOT.name.lower()}{at}", [self._quote, *bases], spot))
            out.append((f"{Wallet.MARGIN.name.lower()}{at}", [self._quote, *coins], contracts))
        return out

    def of(self, wallet: Wallet, venue: str = "") -> list[int]:
        """Return the instruments that settle in a wallet, by their positions."""
        at = self.venues[self.wallet(wallet, venue) // len(Wallet)]
        is_spot = wallet is Wallet.SPOT
        both = enumerate(self._instruments)
        return [n for n, i in both if venue_of(i.id) == at and (i.contract == "spot") == is_spot]
