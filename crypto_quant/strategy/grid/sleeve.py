"""The quoting rule: that of ``crates/strategies/src/grid.rs``, operation by operation."""

from __future__ import annotations

from math import ceil, floor, sqrt
from typing import Final

from crypto_quant.core.messages import Quote, Side, Target
from crypto_quant.core.ports import AccountView
from crypto_quant.core.terms import Terms
from crypto_quant.strategy.grid.config import GridConfig

REASON: Final = "grid"
new = tuple.__new__
BUY, SELL = Side.BUY, Side.SELL
MOST_KEPT: Final = 1024
Shape = tuple[int, int, int, int, int, int]
Seen = tuple[int, int, int]
"""Best bid and ask, and the position, all in grid units."""
NOTHING_SEEN: Final[Seen] = (0, 0, 0)
ALL: Final = -1
"""Held by a grid of both sides: it may close as much as it quotes."""


class GridSleeve:
    """Quotes a grid at each wake-up of the clock, while there is a book.

    It holds no quote itself: what it wants is said each time, the same target for as long as that
    is the same, and execution does what changed. Without a book it says nothing: quotes were taken
    back when the book was lost.

    ``side``: the only sign (+1 or -1) that its quotes open; 0: either. With one, the quotes that
    close are of no more than what is held of that sign.
    """

    __slots__ = (
        "_asks",
        "_before",
        "_best",
        "_bids",
        "_centre",
        "_config",
        "_gap",
        "_half",
        "_instrument",
        "_kept",
        "_levels",
        "_most",
        "_name",
        "_quantity",
        "_quotes",
        "_seen",
        "_shape",
        "_side",
        "_skew",
        "_sleeve",
        "_target",
        "_terms",
        "_variance",
        "_vol",
        "_weight",
    )

    def __init__(
        self, config: GridConfig, sleeve: int, name: str, instrument: int, side: int = 0
    ) -> None:
        self._config = config
        self._levels, self._gap = config.levels, config.gap
        self._half, self._vol, self._skew = config.half, config.vol, config.skew
        self._weight, self._kept = config.weight, 1.0 - config.weight
        self._sleeve = sleeve
        self._name = name
        self._instrument = instrument
        self._side = side
        self._terms: Terms | None = None
        self._quantity = self._most = 0
        self._bids, self._asks = _Rungs(BUY, 0), _Rungs(SELL, 0)
        self.reset()

    def reset(self) -> None:
        """Forget the moves of the middle: another session has begun."""
        self._variance = 0.0
        self._before: float | None = None
        self._shape: Shape = (0, 0, 0, 0, 0, 0)
        self._quotes: tuple[Quote, ...] = ()
        self._seen = NOTHING_SEEN
        self._centre = 0.0
        self._best = (0, 0)
        self._target: Target | None = None

    def on_timer(self, terms: Terms, view: AccountView) -> Target | None:
        """Return the quotes of this moment, ``None`` without a valid book."""
        instrument = self._instrument
        top = view.top(instrument)
        if top is None:
            return None
        if terms is not self._terms:
            self._size(terms)
        seen = (top[0], top[2], view.position(self._sleeve, instrument))
        is_still = seen == self._seen
        if is_still:
            self._variance *= self._kept
        else:
            self._see(seen, terms.tick)
        half = self._half + self._vol * sqrt(self._variance)
        centre, gap = self._centre, self._gap
        best = floor((centre - half) / gap), ceil((centre + half) / gap)
        if is_still and best == self._best:
            return self._target
        self._best = best
        return self._say(terms, view.now)

    def _see(self, seen: Seen, tick: int) -> None:
        """Take the middle's move into the variance, and the centre that the position asks for."""
        self._seen = seen
        bid, ask, held = seen
        middle = (bid // tick + ask // tick) / 2.0
        if self._before is not None:
            step = middle - self._before
            self._variance = self._kept * self._variance + self._weight * (step * step)
        self._before = middle
        self._centre = middle - self._skew * held / self._quantity

    def _say(self, terms: Terms, now: int) -> Target:
        """Return the target of what is seen: the one of before where it asks for the same."""
        bid_px, ask_px, held = self._seen
        tick, gap, levels, most = terms.tick, self._gap, self._levels, self._most
        bid, ask = bid_px // tick, ask_px // tick
        low, high = self._best[0] * gap, self._best[1] * gap
        shape = (
            low if low < bid else bid,
            levels if held < most else 0,
            high if high > ask else ask,
            levels if held > -most else 0,
            tick,
            max(held * self._side, 0) // terms.lot * terms.lot if self._side else ALL,
        )
        before = self._target
        if shape != self._shape:
            self._shape = shape
            quotes = self._ladder(shape)
            if self._side:
                quotes = _one_sided(quotes, SELL if self._side > 0 else BUY, shape[5])
            self._quotes = quotes
        elif before is not None and before.quantity == held:
            return before
        said = (now, self._name, self._instrument, held, None, REASON, self._quotes)
        self._target = new(Target, said)
        return self._target

    def _ladder(self, shape: Shape) -> tuple[Quote, ...]:
        """Return the quotes of both sides, each from the best price outwards; bids come first."""
        low, bids, high, asks, tick, _ = shape
        gap = self._gap
        below = range(low * tick, (low - bids * gap) * tick, -gap * tick)
        above = range(high * tick, (high + asks * gap) * tick, gap * tick)
        return (*map(self._bids.__getitem__, below), *map(self._asks.__getitem__, above))

    def _size(self, terms: Terms) -> None:
        """Take the sizes in grid units, down to the lot of the terms in force."""
        quantity = terms.some_lots_of(self._config.size, "grid.size")
        most = terms.lots_of(self._config.most)
        self._terms, self._quantity, self._most = terms, quantity, most
        self._bids, self._asks = _Rungs(BUY, quantity), _Rungs(SELL, quantity)
        self._shape = (0, 0, 0, 0, 0, 0)
        self._seen = NOTHING_SEEN


class _Rungs(dict[int, Quote]):
    """Quotes of one side and size by price: most of a grid were in the one before it."""

    __slots__ = ("_quantity", "_side")

    def __init__(self, side: Side, quantity: int) -> None:
        self._side = side
        self._quantity = quantity

    def __missing__(self, px: int) -> Quote:
        if len(self) >= MOST_KEPT:
            self.clear()
        made = self[px] = new(Quote, (self._side, px, self._quantity))
        return made


def _one_sided(quotes: tuple[Quote, ...], closing: Side, held: int) -> tuple[Quote, ...]:
    """Return the quotes with those that close cut to what is held, from the best price on."""
    kept = []
    for quote in quotes:
        if quote.side is not closing:
            kept.append(quote)
        elif held > 0:
            kept.append(quote._replace(quantity=min(quote.quantity, held)))
            held -= quote.quantity
    return tuple(kept)
