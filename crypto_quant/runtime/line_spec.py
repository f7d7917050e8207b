"""What a recorded line is made of."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import dataclass
from decimal import Decimal
from typing import Final

from crypto_quant.core.errors import ConfigError
from crypto_quant.core.instruments import Instrument
from crypto_quant.core.messages import Wallet

HOUR_NS: Final = 3_600 * 10**9
Settings = Mapping[str, object]
"""Those of a simulated venue by name, see ``_native.Line``."""


@dataclass(frozen=True, slots=True)
class Deposit:
    """Money that a sleeve begins with, in a wallet.

    ``venue`` may be left out where the line has one, ``asset`` where it is the quote asset. A coin
    needs a ``price``, what one is worth in the quote asset at the start: equity begins with that,
    returns count from it, and the first mark goes on from there.
    """

    sleeve: int
    wallet: Wallet
    amount: Decimal
    venue: str = ""
    asset: str = ""
    price: Decimal | None = None


@dataclass(frozen=True, slots=True)
class LineSpec:
    """What a line is made of; see ``_native.Line``.

    ``sim`` holds the settings of the simulated venues, ``None`` for research: one mapping for
    all, or one for each venue by its name. There is a venue for each that the instruments' ids
    name, each with a spot and a margin wallet for what settles there; the margin wallet holds
    the coins of inverse contracts too. At the ``hedged`` venues the account is in hedge mode:
    see ``RecordedLine.legs``. ``collateral`` puts the margin wallet of the only venue into its
    multi-assets mode, with these assets beside the quote asset.
    """

    instruments: tuple[Instrument, ...]
    sleeves: tuple[str, ...]
    features: tuple[tuple[str, Mapping[str, str | float]], ...]
    series: tuple[str, ...]
    quote: str
    grid_ns: int
    start: int
    end: int
    sim: Settings | Mapping[str, Settings] | None
    leverage: int
    tier: str = "VIP0"
    sample_ns: int = HOUR_NS
    hedged: tuple[str, ...] = ()
    collateral: tuple[str, ...] = ()


def prices_of(capital: Iterable[Deposit], quote: str) -> dict[str, Decimal]:
    """Return what each coin of the capital is worth at the start: one price for all that is of it.

    Raises
    ------
    ConfigError
        A coin has no price or two, or the quote asset has one.
    """
    prices: dict[str, Decimal] = {}
    for deposit in capital:
        asset, price = deposit.asset or quote, deposit.price
        if asset == quote:
            if price is not None:
                raise ConfigError(f"capital: {quote} is what all is counted in: give it no price")
        elif price is None:
            raise ConfigError(f"capital: expected a price of {asset} in {quote} at the start")
        elif prices.setdefault(asset, price) != price:
            raise ConfigError(f"capital: {asset} is priced at {prices[asset]} and at {price}")
    return prices


def settings_of(
    sim: Settings | Mapping[str, Settings] | None, names: Collection[str]
) -> tuple[dict[str, object] | None, dict[str, dict[str, object]]]:
    """Return the settings of all venues, and those of each where they are given by venue."""
    if sim is None or set(names).isdisjoint(sim):
        return None if sim is None else dict(sim), {}
    venues = {}
    for name, own in sim.items():
        if not isinstance(own, Mapping):
            raise ConfigError(f"sim.{name}: expected the settings of a venue, beside other venues'")
        venues[name] = dict(own)
    return None, venues


def transfer_terms(settings: Mapping[str, object], asset: str) -> tuple[int, float]:
    """Return how long a venue's transfers take, ns, and what one of an asset costs."""
    delay, rows = settings.get("transfer_delay_ns", 0), settings.get("transfer_fees", ())
    costs = {row[0]: row[1] for row in rows} if isinstance(rows, list | tuple) else {}
    return (delay if isinstance(delay, int) else 0), float(costs.get(asset, 0))


def check_transfer_fees(
    settings: Mapping[str, object], assets: Collection[str], where: str
) -> None:
    """Check that fees of transfers are of assets that a wallet has: others would never be charged.

    Raises
    ------
    ConfigError
        One is not.
    """
    rows = settings.get("transfer_fees", ())
    for row in rows if isinstance(rows, list | tuple) else ():
        asset = row[0] if isinstance(row, list | tuple) and row else None
        if isinstance(asset, str) and asset not in assets:
            known = ", ".join(sorted(assets))
            raise ConfigError(f"{where}.transfer_fees: expected assets of {known}, was {asset}")
