"""Volume columns that are named after their coin: ``Volume BTC``, ``Volume USDT``."""

from __future__ import annotations

import re
from typing import Final, NamedTuple

from crypto_quant.core.errors import DataError
from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.collectors.facts import Facts
from crypto_quant.data_pipeline.collectors.file import File
from crypto_quant.data_pipeline.collectors.naming import Pair, coin, pairs

_NAME: Final = re.compile(r"volume[ _]\(?([a-z0-9]{2,10})\)?", re.IGNORECASE)


class Volumes(NamedTuple):
    """The columns of volume and of turnover, and the unit (base, quote) of the former."""

    volume: str
    turnover: str | None
    unit: str


def by_coin(file: File) -> dict[str, str]:
    """Return the columns that are named after the coin of their volume, by coin."""
    found = ((name, _NAME.fullmatch(name.strip())) for name in file.columns)
    return {coin(match[1]): name for name, match in found if match}


def choose(file: File, facts: Facts, rules: Instrument | None) -> Volumes:
    """Tell base from quote by the coins of the instrument.

    Raises
    ------
    DataError
        No column is in one of its coins, one is in another coin in place of its base, or they
        are not in the unit that was said.
    """
    columns = by_coin(file)
    if rules is not None:
        coins = frozenset({Pair(rules.base, rules.quote)})
    else:
        coins = pairs(facts.need("symbol"), facts.need("venue"))
    base = next((columns[c] for c in columns if any(c == pair.base for pair in coins)), None)
    quote = next((columns[c] for c in columns if any(c == pair.quote for pair in coins)), None)
    units = {unit: name for unit, name in (("base", base), ("quote", quote)) if name is not None}
    if not units or (base is None and len(columns) > 1):
        named = ", ".join(columns.values())
        raise DataError(
            f"{file.path}: {named}: not in the coins of symbol={facts.symbol}; give the symbol "
            "that the file is of, or rename the column to volume"
        )
    if facts.volume is not None and facts.volume not in units:
        named = " and ".join(f"{name} ({unit})" for unit, name in units.items())
        raise DataError(f"{file.path}: holds {named}, not volume={facts.volume}; leave volume out")
    own = "quote" if rules is not None and rules.contract == "inverse" else "base"
    unit = own if own in units else next(iter(units))
    other = units.get("base" if unit == "quote" else "quote")
    return Volumes(units[unit], other, unit)
