"""The risk manager: cuts targets to the limits, then stamps orders; nobody else does."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from decimal import Decimal, localcontext
from typing import NamedTuple

from crypto_quant.core.errors import InvariantError
from crypto_quant.core.messages import (
    RISK_SEAL,
    Approved,
    ApprovedCross,
    Cross,
    Order,
    OrderType,
    Refused,
    Side,
    Target,
    approve,
)
from crypto_quant.core.ports import AccountView
from crypto_quant.core.terms import EXACT, Terms, common_step
from crypto_quant.core.wishes import check_target
from crypto_quant.strategy.risk_manager import batch, own_orders, quotes, reasons
from crypto_quant.strategy.risk_manager.batch import Batch
from crypto_quant.strategy.risk_manager.book import DAY_NS, Proposal, RiskBook, RiskState
from crypto_quant.strategy.risk_manager.check import Check
from crypto_quant.strategy.risk_manager.config import RiskConfig
from crypto_quant.strategy.risk_manager.own_orders import Change

OTHER_LEG = "an order of the same sleeve was refused: never leg by leg"
CLOSES = "; what closes may leave"


class _Verdict(NamedTuple):
    """Why an order may not leave, whether it shrinks, and what may leave in its stead."""

    reason: str | None
    shrinks: bool
    close: Order | None


class Stamped(NamedTuple):
    """What may leave, what may not, and what sleeves may trade among themselves."""

    approved: tuple[Approved, ...]
    refused: tuple[Refused, ...]
    crosses: tuple[ApprovedCross, ...]


class RiskManager:
    """Applies every check to every target and order, and those of ours to every cross.

    A sleeve's targets of one wake-up are one intention: where a check cuts one, all are cut
    by the same factor, so that the legs of a pair stay matched.

    Parameters
    ----------
    config
        Limits.
    checks
        The registered checks by name, in the order in which they are applied.
    sleeves
        Names of the run's sleeves.
    state
        What outlives a wake-up; this object is the only one that changes it.
    """

    __slots__ = (
        "_checks",
        "_clearing",
        "_floor",
        "_names",
        "_numbers",
        "_ours",
        "_sleeves",
        "state",
    )

    def __init__(
        self,
        config: RiskConfig,
        checks: Mapping[str, Check],
        sleeves: Sequence[str],
        state: RiskState,
    ) -> None:
        self._checks = dict(checks)
        self._names = tuple(checks)
        self._clearing = tuple([check.clears for check in checks.values()])
        self._ours = {name: check for name, check in checks.items() if not check.is_of_venue}
        self._sleeves = {name: n for n, name in enumerate(sleeves)}
        self._numbers = range(len(sleeves))
        self._floor = 1.0 - config.daily_loss
        self.state = state

    def kill(self) -> None:
        """Let nothing grow any more: the operator said stop. A new run begins without it."""
        self.state.is_killed = True

    def observe(self, view: AccountView) -> bool:
        """Latch the day's halt; called at every wake-up. Tell whether it begins now."""
        before = self.state.halted_day
        if view.equity <= self._floor * view.day_start_equity:
            self.state.halted_day = view.now // DAY_NS
        return self.state.halted_day != before

    def shrink(
        self, targets: Sequence[Target], view: AccountView, terms: Mapping[int, Terms]
    ) -> tuple[Target, ...]:
        """Return the targets cut to the limits; what was cut says by which check.

        Raises
        ------
        StrategyError
            A target cannot be meant.
        """
        book = RiskBook(view, terms, self._numbers, self.state)
        left: list[Target] = []
        quoting: list[Target] = []
        groups: dict[str, list[Target]] = {}
        for target in targets:
            check_target(target, terms.get(target.instrument))
            if target.quotes is None:
                groups.setdefault(target.sleeve, []).append(target)
            else:
                quoting.append(target)
        if groups:
            with localcontext(EXACT):
                for group in groups.values():
                    left += self._shrink_group(group, book)
        for target in quoting:
            sleeve = self._sleeves[target.sleeve]
            left.append(quotes.cut(target, sleeve, book, self._clears, self._allowed))
        return tuple(left)

    def stamp(
        self,
        orders: Sequence[Order],
        view: AccountView,
        terms: Mapping[int, Terms],
        crosses: Sequence[Cross] = (),
    ) -> Stamped:
        """Judge what is about to be done; crosses come first and use up the limits first.

        Of a refused order what closes may leave: one that is refused is always named in
        ``refused``, and its close in ``approved``. Quotes stand each for itself: one that is
        refused takes no other with it. What a sleeve sends itself is judged as if it filled: no
        target of it was cut before.
        """
        book = RiskBook(view, terms, self._numbers, self.state)
        worst = None if crosses else batch.of_orders(orders, book)
        if worst is not None and self._clears(worst, book):
            self.state.sent.add(book.now, len(orders))
            return tuple.__new__(Stamped, (approve(orders, self._names, RISK_SEAL), (), ()))
        judged = [*map(_as_order, crosses), *orders] if crosses else orders
        with localcontext(EXACT):
            verdicts = [
                self._judge(o, book, is_sent=n >= len(crosses)) for n, o in enumerate(judged)
            ]
        broken = {
            part.sleeve
            for order, verdict in zip(judged, verdicts, strict=True)
            if verdict.reason is not None and not (verdict.shrinks or order.is_quote)
            for part in order.allocations
        }
        approved: list[Approved] = []
        agreed: list[ApprovedCross] = []
        refused: list[Refused] = []
        wishes: list[Order | Cross] = [*crosses, *orders]
        for wish, order, (reason, shrinks, close) in zip(wishes, judged, verdicts, strict=True):
            if reason is None and broken and not (shrinks or order.is_quote):
                reason = OTHER_LEG if any(p.sleeve in broken for p in order.allocations) else None
            if reason is not None and close is not None:
                refused.append(Refused(wish, reason + CLOSES))
                approved.append(Approved(close, self._names, RISK_SEAL))
            elif reason is not None:
                refused.append(Refused(wish, reason))
            elif isinstance(wish, Cross):
                agreed.append(ApprovedCross(wish, tuple(self._ours), RISK_SEAL))
            else:
                approved.append(Approved(wish, self._names, RISK_SEAL))
        return Stamped(tuple(approved), tuple(refused), tuple(agreed))

    def lessen(self, pairs: Sequence[tuple[Order, Order]]) -> tuple[Approved, ...]:
        """Stamp orders that take the place of resting ones and trade less: nothing limits that.

        Raises
        ------
        InvariantError
            One does more than get smaller.
        """
        if not pairs:
            return ()
        for before, after in pairs:
            same = before._replace(
                ts=after.ts, quantity=after.quantity, allocations=after.allocations
            )
            parts = zip(before.allocations, after.allocations, strict=True)
            is_less = all(0 <= a.quantity * b.quantity < b.quantity**2 for b, a in parts)
            if same != after or not 0 < after.quantity < before.quantity or not is_less:
                raise InvariantError(f"order {before.id} does more than get smaller: {after}")
        return approve([after for _, after in pairs], self._names, RISK_SEAL)

    def amend(
        self,
        changes: Sequence[Change],
        sent: Sequence[Order],
        crosses: Sequence[ApprovedCross],
        view: AccountView,
        terms: Mapping[int, Terms],
    ) -> tuple[tuple[Approved, ...], tuple[Refused, ...]]:
        """Judge changes of sleeves' own orders, beside the orders just ``sent`` and ``crosses``.

        The venue's rules bind what is to be left of an order, limits what it may trade more, at
        its new price; what it may trade already counts until the venue has answered.
        """
        book = RiskBook(view, terms, self._numbers, self.state)
        approved: list[Approved] = []
        refused: list[Refused] = []
        with localcontext(EXACT):
            for order in (*[_as_order(item.cross) for item in crosses], *sent):
                book.accept_order(order)
            for change in changes:
                reason = self._refusal_of(change, book)
                if reason is None:
                    approved.append(Approved(change.after, self._names, RISK_SEAL))
                    book.accept_order(change.added())
                    book.accept_price(change.rest())
                    self.state.sent.add(book.now)
                else:
                    refused.append(Refused(change.after, reason))
        return tuple(approved), tuple(refused)

    def _refusal_of(self, change: Change, book: RiskBook) -> str | None:
        rest, added = change.rest(), change.added()
        if rest.quantity <= 0:
            return None  # the venue ends it: nothing more is to trade
        reason = self._refusal(rest, book, self._checks, shrinks=True)
        if change.is_less:
            return reason  # limits that the order is beyond by now are no reason to keep it whole
        closes = book.shrinks(added) if added.quantity else not own_orders.opening(added, book)
        if reason is not None or closes:
            return reason
        limits = {name: check for name, check in self._checks.items() if check.is_exposure}
        reason = self._refusal(added, book, limits, shrinks=False)
        return reason or own_orders.beyond(added, book, self._allowed)

    def _clears(self, worst: Batch, book: RiskBook) -> bool:
        """Tell whether every check certainly lets all of it through."""
        for clears in self._clearing:  # noqa: SIM110 -- a generator costs as much as a check
            if not clears(worst, book):
                return False
        return True

    def _judge(self, order: Order, book: RiskBook, *, is_sent: bool) -> _Verdict:
        """Judge an order by those before it; what of it may leave counts for those after it."""
        checks = self._checks if is_sent else self._ours
        shrinks, close = book.shrinks(order), None
        reason = self._refusal(order, book, checks, shrinks=shrinks)
        if reason is None and not shrinks:
            reason = own_orders.beyond(order, book, self._allowed)
        if is_sent and not shrinks:
            close = book.close_in(order)
            if close is not None and self._refusal(close, book, checks, shrinks=True) is not None:
                close = None
        leaves = order if reason is None else close
        if leaves is not None:
            book.accept_order(leaves)
            if is_sent:
                self.state.sent.add(book.now)
        return _Verdict(reason, shrinks, close)

    def _refusal(
        self, order: Order, book: RiskBook, checks: Mapping[str, Check], *, shrinks: bool
    ) -> str | None:
        for name, check in checks.items():
            if shrinks and check.is_exposure:
                continue
            reason = check.refusal(order, book)
            if reason is not None:
                return reasons.refused_by(name, reason)
        return None

    def _shrink_group(self, group: Sequence[Target], book: RiskBook) -> Sequence[Target]:
        proposals = [self._proposal(target, group, book) for target in group]
        numerator, denominator, cutter = 1, 1, ""
        for proposal in proposals:
            if proposal.target == 0:
                continue
            size, name = self._allowed(proposal, book)
            if size * denominator < numerator * abs(proposal.target):
                numerator, denominator, cutter = size, abs(proposal.target), name
        if not cutter:
            shrunk = list(group)
        else:
            shrunk = [
                t._replace(quantity=q, reason=reasons.cut_by(t.reason, (cutter,)))
                for t, q in zip(group, _scaled(proposals, numerator, denominator), strict=True)
            ]
        for proposal, target in zip(proposals, shrunk, strict=True):
            book.accept(proposal, target.quantity)
        return shrunk

    def _proposal(self, target: Target, group: Sequence[Target], book: RiskBook) -> Proposal:
        terms = book.terms[target.instrument]
        sleeve = self._sleeves[target.sleeve]
        px = book.view.px(target.instrument)
        return Proposal(
            sleeve,
            target.instrument,
            target.quantity,
            book.view.position(sleeve, target.instrument),
            px,
            target.stop,
            book.view.stop_px(sleeve, target.instrument),
            terms.worth(px),
            not terms.is_inverse and _net_base(group, terms.base, book) == 0,
            terms,
        )

    def _allowed(self, proposal: Proposal, book: RiskBook) -> tuple[int, str]:
        """Return the smallest size that any check leaves, and that check's name."""
        size, cut_by = abs(proposal.target), ""
        for name, check in self._checks.items():
            left = check.shrink(proposal, book)
            if left * proposal.target < 0 or abs(left) > abs(proposal.target):
                raise InvariantError(f"check {name} made {left} of a target {proposal.target}")
            if abs(left) < size:
                size, cut_by = abs(left), name
        return size, cut_by


def _as_order(cross: Cross) -> Order:
    """Show a cross to the checks as the order that its parts would be."""
    bought = sum(part.quantity for part in cross.allocations if part.quantity > 0)
    return Order(
        ts=cross.ts,
        id=0,
        instrument=cross.instrument,
        side=Side.BUY,
        quantity=bought,
        type=OrderType.MARKET,
        price=cross.px,
        stop=None,
        reduce_only=False,
        allocations=cross.allocations,
        reason=cross.reason,
    )


def _net_base(group: Sequence[Target], base: str, book: RiskBook) -> Decimal:
    """Return the net size in one base asset that a sleeve asks for, but for inverse contracts."""
    rules = ((t.quantity, book.terms[t.instrument]) for t in group)
    own = (q * r.size_step for q, r in rules if r.base == base and not r.is_inverse)
    return sum(own, Decimal(0))


def _scaled(proposals: Sequence[Proposal], numerator: int, denominator: int) -> list[int]:
    """Return the group's quantities times the factor, down to a step that all lots share.

    Inverse contracts, which are sized in the quote asset, share theirs among them.

    All are zero where a new leg, or its stop, would be below the venue's smallest notional.
    """
    kinds = {p.terms.is_inverse for p in proposals}
    steps = {k: common_step(p.terms for p in proposals if p.terms.is_inverse == k) for k in kinds}
    scaled = []
    for p in proposals:
        step = steps[p.terms.is_inverse]
        size = abs(p.target) * p.terms.size_step * numerator / denominator
        quantity = int(int(size / step) * step / p.terms.size_step)
        worst = p.px if p.stop is None else min(p.px, p.stop)
        if p.position == 0 and p.terms.notional(worst, quantity) < p.terms.min_notional:
            return [0] * len(proposals)
        scaled.append(quantity if p.target > 0 else -quantity)
    return scaled
