"""Names that one vendor alone gives to coins and venues; elsewhere they mean something else.

Sources
-------
Kraken: support article "API symbols and tickers", REST ``Assets`` and ``AssetPairs``: the oldest
assets have four letters, of which the first is X for coins and Z for currencies.
Bitfinex: REST ``conf/pub:map:currency:sym`` and ``:label``; pairs of two codes of three letters
are written together, others with a colon; derivatives end in F0.
CoinGecko: ids of REST ``coins/list``.
Kaiko: exchange codes of its reference data.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from typing import Final

COIN_IDS: Final[Mapping[str, str]] = {
    "binancecoin": "BNB",
    "bitcoin": "BTC",
    "cardano": "ADA",
    "dogecoin": "DOGE",
    "ethereum": "ETH",
    "litecoin": "LTC",
    "ripple": "XRP",
    "solana": "SOL",
    "tether": "USDT",
    "usd-coin": "USDC",
}
"""Coins by CoinGecko's id: small letters, and nothing beside it."""

VENUE_CODES: Final[Mapping[str, str]] = {
    "BFNX": "BITFINEX",
    "BNCE": "BINANCE",
    "CBSE": "COINBASE",
    "KRKN": "KRAKEN",
}
"""Venues by Kaiko's code."""

_KRAKEN: Final = {
    **{f"X{code}": code for code in ("ETC", "ETH", "LTC", "MLN", "REP", "XLM", "XMR", "XRP")},
    **{"XXBT": "BTC", "XXDG": "DOGE", "XDG": "DOGE", "XZEC": "ZEC"},
    **{f"Z{code}": code for code in ("AUD", "CAD", "EUR", "GBP", "JPY", "USD")},
}
_BITFINEX: Final = {"UST": "USDT", "UDC": "USDC"}
_DERIVATIVE: Final = re.compile(r"(?<=.)F0$")


def _of_kraken(word: str) -> str:
    half = len(word) // 2
    if len(word) == 8 and word[:half] in _KRAKEN and word[half:] in _KRAKEN:
        return _KRAKEN[word[:half]] + _KRAKEN[word[half:]]
    if len(word) == 6 and word[:3] in _KRAKEN:
        return _KRAKEN[word[:3]] + word[3:]
    return _KRAKEN.get(word, word)


def _of_bitfinex(word: str) -> str:
    bare = _DERIVATIVE.sub("", word)
    if len(bare) == 6:
        return bare[:3] + _BITFINEX.get(bare[3:], bare[3:])
    return _BITFINEX.get(bare, bare)


WORDS: Final[Mapping[str, Callable[[str], str]]] = {
    "KRAKEN": _of_kraken,
    "BITFINEX": _of_bitfinex,
}
"""What makes a word of a venue's name of an instrument, in capitals, that of everybody."""
