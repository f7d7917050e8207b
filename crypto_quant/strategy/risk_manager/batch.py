"""All quotes or orders of a wake-up in one worst case, which clears most of them at once."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from math import inf
from typing import Final, NamedTuple

from crypto_quant import _native
from crypto_quant.core.messages import Order
from crypto_quant.strategy.risk_manager.book import RiskBook

Key = tuple[int, int]
"""A sleeve and an instrument."""
new = tuple.__new__
"""Builds a named tuple in less than half the time of its constructor."""
SURE: Final = 1.0 - 1e-9
"""What a limit in floats is taken times where only what is certainly within it may pass."""


class Batch(NamedTuple):
    """Quotes or orders of one wake-up, and what they may lead to at worst, whatever fills.

    ``orders`` counts them, all with a limit price and no trigger; of quotes there are none yet.
    ``grids`` has by instrument the largest price and quantity of which all of theirs are
    multiples, and the smallest price times quantity, in grid units. ``sizes`` are the largest
    positions, unsigned, of the (sleeve, instrument) that they trade, ``is_spot`` tells that one of
    these is spot. The rest are notionals, floats in the quote asset, without end where no price is
    known: ``largest`` of one of ``sizes``, and with what else lives and is held ``gross`` of all
    sleeves, spot included, ``contracts`` without spot, ``of_sleeve`` the contracts of each sleeve.
    """

    orders: int
    grids: Mapping[int, tuple[int, int, int]]
    sizes: Mapping[Key, int]
    is_spot: bool
    largest: float
    gross: float
    contracts: float
    of_sleeve: Mapping[int, float]


def of_orders(orders: Sequence[Order], book: RiskBook) -> Batch | None:
    """Return what orders may lead to on top of what lives.

    ``None`` where one is no plain limit order, or trades what this run does not: such are judged
    one by one, exactly.
    """
    sums = _native.order_sums(tuple(orders))
    if sums is None:
        return None
    sides, grids = sums
    terms = book.terms
    sizes = {}
    for key, (bought, sold) in sides.items():
        if key[1] not in terms:
            return None
        low, high = book.reach(*key)
        sizes[key] = max(sold - low, high + bought)
    return _worst(len(orders), grids, sizes, book)


def of_quotes(sleeve: int, instrument: int, low: int, high: int, book: RiskBook) -> Batch:
    """Return what quotes may lead to: a position between two ends, beside what lives."""
    live_low, live_high = book.reach(sleeve, instrument)
    size = max(-low, high, -live_low, live_high)
    return _worst(0, {}, {(sleeve, instrument): size}, book)


def _worst(
    orders: int,
    grids: Mapping[int, tuple[int, int, int]],
    sizes: Mapping[Key, int],
    book: RiskBook,
) -> Batch:
    is_spot = False
    gross = contracts = largest = 0.0
    of_sleeve: dict[int, float] = {}
    sleeves, is_own_priced = book.sleeves, book.is_own_priced
    for instrument, rule in book.terms.items():
        worth = book.worth(instrument) or inf  # without a price nothing is certain
        is_contract = not rule.is_spot
        for sleeve in sleeves:
            size = sizes.get((sleeve, instrument))
            is_traded = size is not None
            if size is None:
                size = book.extreme(sleeve, instrument)
            if is_traded and not is_contract:
                is_spot = True
            if not size:
                continue
            notional = size * worth
            if is_own_priced:
                notional += book.surplus(sleeve, instrument, -size, size)
            gross += notional
            if is_traded and notional > largest:
                largest = notional
            if is_contract:
                contracts += notional
                of_sleeve[sleeve] = of_sleeve.get(sleeve, 0.0) + notional
    worst = (orders, grids, sizes, is_spot, largest, gross, contracts, of_sleeve)
    return new(Batch, worst)
