"""Instruments under the names that venues, vendors and libraries have for them."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from crypto_quant.data_pipeline.collectors.vendor_names import COIN_IDS, VENUE_CODES, WORDS

_QUOTES: Final = (
    *("USDT", "USDC", "BUSD", "FDUSD", "TUSD", "USDP", "USDE", "DAI", "USD"),
    *("EUR", "GBP", "JPY", "KRW", "TRY", "BRL", "AUD", "CHF", "CAD", "BTC", "ETH", "BNB"),
)
_COINS: Final = {"XBT": "BTC"}
_VENUES: Final = {"OKEX": "OKX", "HUOBI": "HTX", **VENUE_CODES}
_CONTRACT: Final = frozenset(
    {
        *("PERP", "PERPETUAL", "SWAP", "SPOT", "LINEAR", "INVERSE", "FUTURE", "FUTURES"),
        *("P", "PF", "PI", "FI", "UMCBL", "DMCBL", "CMCBL"),
    }
)
"""Words for the sort of a contract: ``PF_XBTUSD``, ``BTCUSDT.P``, ``BTCUSDT_UMCBL``."""

_WORD: Final = re.compile(r"[A-Z0-9]+")
_TAIL: Final = re.compile(r"(?<=.)(PERP|PERPETUAL|SWAP)$")
# KuCoin puts an M behind its contracts: XBTUSDTM.
_PAIR: Final = tuple(re.compile(rf"(.+){quote}M?") for quote in _QUOTES)


class Pair(NamedTuple):
    """One way to read a name: what is traded, and for what (``None``: the name does not say)."""

    base: str
    quote: str | None


def pairs(name: str, venue: str = "") -> frozenset[Pair]:
    """Return every way to read the name of an instrument; none for a bare number.

    Parameters
    ----------
    name : str
        For instance ``BTCUSDT-PERP``, ``BTC/USDT:USDT``, ``XBTUSD``, ``BTC``.
    venue : str
        A venue that the name may have before or behind it.
    """
    if name.strip() in COIN_IDS:
        return frozenset({Pair(COIN_IDS[name.strip()], None)})
    bare = re.sub(r"^t(?=[A-Z])", "", name.strip())  # Bitfinex: tBTCUSD
    at = _spelt(venue)
    own = WORDS.get(at, str)
    words = [word for word in _WORD.findall(bare.upper()) if _VENUES.get(word, word) != at]
    words = [_TAIL.sub("", coin(own(word))) for word in words if word not in _CONTRACT]
    # A number further behind is the day of delivery: BTCUSDT_240927.
    words = words[:1] + [word for word in words[1:] if not word[0].isdigit()]
    if not words or words[0].isdigit():
        return frozenset()
    first, second = words[0], words[1] if len(words) > 1 else None
    if second is None:
        return _of_word(first)
    split = frozenset({Pair(first, second)})
    if second in _QUOTES:
        return split
    return split | _of_word(first) | {Pair(first + second, None)}


def coin(name: str) -> str:
    """Return a coin's name as ``pairs`` has it."""
    return _COINS.get(name.upper(), name.upper())


def may_be_same(one: str, other: str, venue: str = "") -> bool:
    """Say whether two names can mean one asset in one currency, whatever the contract."""
    left, right = pairs(one, venue), pairs(other, venue)
    if not left or not right:
        return True
    return any(
        a.base == b.base and (a.quote == b.quote or a.quote is None or b.quote is None)
        for a in left
        for b in right
    )


def may_be_same_venue(one: str, other: str) -> bool:
    """Say whether two names can mean one venue, whatever of its markets: ``binance-futures``."""
    left, right = _spelt(one), _spelt(other)
    return left.startswith(right) or right.startswith(left)


def _of_word(word: str) -> frozenset[Pair]:
    found = {Pair(word, None)}
    for quote, pattern in zip(_QUOTES, _PAIR, strict=True):
        match = pattern.fullmatch(word)
        if match:
            found.add(Pair(coin(match[1]), quote))
    return frozenset(found)


def _spelt(venue: str) -> str:
    """Return the first word of a venue's name."""
    words = _WORD.findall(venue.upper())
    return _VENUES.get(words[0], words[0]) if words else ""
