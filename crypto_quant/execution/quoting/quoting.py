"""Quoting: what sleeves want to rest in the book, kept there with the fewest messages."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final, NamedTuple

from crypto_quant import _native
from crypto_quant.core.errors import StrategyError
from crypto_quant.core.messages import Approved, Cancel, Order, Quote, Refused, Target
from crypto_quant.core.ports import AccountView
from crypto_quant.execution.order_manager import OrderManager
from crypto_quant.execution.quoting.config import QuotingConfig

MS_NS: Final = 10**6
Key = tuple[int, int]
NOT_WANTED: Final = "quote no longer wanted"
MEETS_OWN: Final = "withheld: it would meet a quote of sleeve "
new = tuple.__new__


class QuotePlan(NamedTuple):
    """What to do at one wake-up: cancels first, then what risk has to stamp.

    ``smaller`` are resting orders with what they are to become. ``withheld`` are quotes that
    would meet those of another sleeve; each is said once.
    """

    cancels: tuple[Cancel, ...]
    smaller: tuple[tuple[Order, Order], ...]
    orders: tuple[Order, ...]
    withheld: tuple[Refused, ...]


NOTHING: Final[tuple[()]] = ()
NO_QUOTES: Final = QuotePlan((), (), (), ())


class _Standing:
    """What a sleeve asked for in an instrument, and whether risk left less of it."""

    __slots__ = ("asked", "held", "is_cut")

    def __init__(self, target: Target, asked: tuple[Quote, ...]) -> None:
        self.asked = asked
        self.is_cut = target.quotes is not asked
        self.held = target.quantity


class Quoting:
    """Keeps the quotes that sleeves want, and asks for what is missing or wrong.

    An order is cancelled first and replaced once it is gone, so there are never two at a price,
    nor one that meets another of our own. Answers are acted on at the next wake-up of the clock;
    a quote that risk refuses is given up until its sleeve asks anew.
    """

    __slots__ = ("_asked", "_desk", "_orders", "_sleeves", "_stand", "_standing")

    def __init__(self, config: QuotingConfig, sleeves: Sequence[str], orders: OrderManager) -> None:
        self._sleeves = {name: n for n, name in enumerate(sleeves)}
        self._orders = orders
        window = config.per_ms * MS_NS
        self._desk = _native.QuoteDesk(config.messages, window, config.refill, config.amends)
        self._stand: dict[Key, _Standing] = {}
        self._asked: dict[Key, tuple[Quote, ...]] = {}
        self._standing: tuple[Target, ...] | None = None
        """Targets that all stand as they were said; nothing has changed since."""

    def reset(self) -> None:
        """Forget what is wanted: a new segment has begun, flat."""
        self._stand.clear()
        self._asked.clear()
        self._standing = None
        self._desk.reset()

    def rests(self, targets: tuple[Target, ...], *, is_timer: bool) -> bool:
        """Return whether targets all stand as they were said, and no quote is to be looked at."""
        if targets and targets is not self._standing:
            return False
        return not is_timer or self._desk.is_idle(self._orders.quotes)

    def news(self, targets: tuple[Target, ...]) -> tuple[Target, ...]:
        """Leave out targets that stand already, uncut, with the same position.

        Raises
        ------
        StrategyError
            A sleeve says twice what it wants in an instrument.
        """
        if targets is self._standing:
            return NOTHING
        if len(targets) > 1:
            _once(targets)
        kept = []
        for target in targets:
            _, sleeve, instrument, held, _, _, quotes = target
            if quotes is not None:
                key = (self._sleeves[sleeve], instrument)
                stands = self._stand.get(key)
                if (
                    stands is not None
                    and not stands.is_cut
                    and stands.held == held
                    and (stands.asked is quotes or stands.asked == quotes)
                ):
                    continue
                self._asked[key] = quotes
            kept.append(target)
        if not kept:
            self._standing = targets
        return targets if len(kept) == len(targets) else tuple(kept)

    def pull(self, reason: str, instrument: int | None = None) -> tuple[Cancel, ...]:
        """Forget what is wanted and take every quote back, of one instrument or of all."""
        self._standing = None
        for key in [k for k in self._stand if instrument is None or k[1] == instrument]:
            del self._stand[key]
        return self._desk.pull(self._orders.quotes, instrument, reason)

    def plan(
        self,
        targets: Sequence[Target],
        view: AccountView,
        *,
        is_timer: bool,
    ) -> QuotePlan:
        """Return what brings the quotes to those wanted; ``NO_QUOTES`` while nothing changes."""
        if not targets and self.rests(NOTHING, is_timer=is_timer):
            return NO_QUOTES
        for target in targets:
            self._take(target)
        orders = self._orders
        plan = self._desk.plan(
            orders.quotes, view, orders.last_id, is_timer, bool(targets), NOT_WANTED
        )
        if plan is None:
            return NO_QUOTES
        cancels, smaller, made, held, orders.last_id = plan
        withheld = tuple([Refused(order, f"{MEETS_OWN}{owner}") for order, owner in held])
        return new(QuotePlan, (cancels, smaller, made, withheld))

    def on_stamped(self, approved: Sequence[Approved], refused: Sequence[Refused]) -> None:
        """Want no longer what risk refused, and only as much as it let through."""
        for item in refused:
            order = item.order
            if isinstance(order, Order) and order.is_quote:
                self._give_up(order, next((a.order for a in approved if a[0].id == order.id), None))

    def _give_up(self, order: Order, left: Order | None) -> None:
        stands = self._stand.get((order.allocations[0][0], order.instrument))
        if stands is not None:
            self._standing = None
            stands.is_cut = True
            self._desk.give_up(order, None if left is None else left.quantity)

    def _take(self, target: Target) -> None:
        self._standing = None
        key = (self._sleeves[target.sleeve], target.instrument)
        quotes = target.quotes
        if quotes is not None:
            self._stand[key] = _Standing(target, self._asked.get(key, quotes))
            self._desk.want(*key, quotes, target.reason)
        elif self._stand.pop(key, None) is not None:
            self._desk.unwant(*key)


def _once(targets: Sequence[Target]) -> None:
    keys = [(target.sleeve, target.instrument) for target in targets]
    for target, key in zip(targets, keys, strict=True):
        if target.quotes is not None and keys.count(key) > 1:
            raise StrategyError(
                f"sleeve {target.sleeve}, instrument {target.instrument}: expected one target at "
                "a wake-up where one quotes: say all quotes in it"
            )
