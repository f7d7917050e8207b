"""What a run begins with: money where it margins something, and the price that coins count at."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Final

from crypto_quant.core.errors import ConfigError
from crypto_quant.core.instruments import Instrument, venue_of
from crypto_quant.core.terms import EXACT, tick_at
from crypto_quant.runtime.joint_ticks import JointTape
from crypto_quant.runtime.market_config import MOST, MarketSection
from crypto_quant.runtime.middles import Middles

_RANK: Final = {"spot": 0, "linear": 1, "inverse": 2}
"""By what a coin is priced first where nothing in its own wallet does, as in the ledger."""


def margined_in_coin(instruments: Sequence[Instrument]) -> str:
    """Say that money in the quote asset margins none of an account's instruments; else nothing."""
    if not instruments or any(i.contract != "inverse" for i in instruments):
        return ""
    first = instruments[0]
    return f"{first.id} is margined in {first.settle}, not {first.quote}"


def check_money(
    key: str, section: MarketSection, instrument: Instrument, collateral: Sequence[str]
) -> None:
    """Check that a book's money margins, or pays for, what it trades.

    Parameters
    ----------
    key
        What the configuration's keys of the book begin with.
    section, instrument
        What it begins with and trades.
    collateral
        Assets that margin contracts at its venue beside the quote asset.

    Raises
    ------
    ConfigError
        It does not.
    """
    coins, name = section.coins, instrument.id
    if coins and instrument.contract == "spot":
        raise ConfigError(
            f"{key}coins: {name} is spot, which is bought: expected capital in {instrument.quote}"
        )
    takes = list(collateral)
    if unpaid := margined_in_coin([instrument]):
        takes.append(instrument.settle)
        if section.capital or instrument.settle not in coins:
            raise ConfigError(
                f"{key}coins: {unpaid}: expected coins = {{ {instrument.settle} = … }} "
                "and no capital"
            )
    odd = next((asset for asset in coins if asset not in takes), None)
    if odd is not None:
        known = ", ".join(takes) or "none: its venue takes no collateral"
        raise ConfigError(f"{key}coins: expected what margins {name} ({known}), was {odd}")


def pricer(asset: str, sections: Sequence[MarketSection], instruments: Sequence[Instrument]) -> int:
    """Return the place of the instrument that prices a coin which books begin with.

    As in the ledger: a contract at the venue of the wallet in which it lies if there is one, then
    spot before linear before inverse.

    Raises
    ------
    ConfigError
        None of them does, or it lies at several venues.
    """
    found = [n for n, i in enumerate(instruments) if i.base == asset]
    if not found:
        ids = ", ".join(i.id for i in instruments)
        raise ConfigError(f"coins: no instrument of the run prices {asset}, which has {ids}")
    venues = dict.fromkeys(venue_of(one.instrument) for one in sections if asset in one.coins)
    if len(venues) > 1:  # each would count them at another price
        raise ConfigError(f"coins: expected {asset} at one venue, was at {' and '.join(venues)}")
    (venue,) = venues

    def rank(at: int) -> tuple[bool, int, int]:
        one = instruments[at]
        is_elsewhere = one.contract == "spot" or venue_of(one.id) != venue
        return is_elsewhere, _RANK[one.contract], at

    return min(found, key=rank)


def begun(sections: Sequence[MarketSection]) -> dict[str, Decimal]:
    """Return how much of each coin books begin with together."""
    out: dict[str, Decimal] = {}
    for section in sections:
        for asset, amount in section.coins.items():
            out[asset] = EXACT.add(out.get(asset, Decimal(0)), amount)
    return out


def opening_prices(
    sections: Sequence[MarketSection],
    instruments: Sequence[Instrument],
    tape: JointTape,
    paths: Sequence[Middles],
) -> dict[str, Decimal]:
    """Return what each coin of the starting money is counted at.

    That is the middle of the book that prices it, down to the tick and with its decimals, when the
    session begins: the same whatever is assumed of latencies.

    Parameters
    ----------
    sections
        The books' configuration.
    instruments, paths
        What is traded, and the middles of each one's book in the session.
    tape
        That session.

    Raises
    ------
    ConfigError
        Nothing prices a coin, or all of it is worth more than a ledger keeps.
    """
    prices = {}
    for asset in begun(sections):
        at = pricer(asset, sections, instruments)
        tick = tick_at(instruments[at], tape.start)
        ticks = _first(paths[at], tape.session.start) // 2 // tick
        size = Decimal(tick).scaleb(-instruments[at].price_exp).normalize()
        prices[asset] = EXACT.fma(ticks, size, 0)
    total = Decimal(0)
    for section in sections:
        total = EXACT.add(total, worth(section, prices))
    if total > MOST:
        said = ", ".join(f"{asset} at {price:,f}" for asset, price in prices.items())
        raise ConfigError(
            f"coins: expected at most {MOST:,} {instruments[0].quote} to begin with, was "
            f"{total:,.2f} ({said})"
        )
    return prices


def _first(path: Middles, start: int) -> int:
    """Return twice the middle that stood at ``start``, or the first one after it."""
    known = path.sums > 0
    before = max(int(path.times.searchsorted(start, side="right")) - 1, 0)
    return int(path.sums[before + int(known[before:].argmax())])


def worth(section: MarketSection, prices: Mapping[str, Decimal]) -> Decimal:
    """Return what a book begins with, in the quote asset, exact."""
    total = section.capital
    for asset, amount in section.coins.items():
        total = EXACT.add(total, EXACT.multiply(amount, prices[asset]))
    return total
