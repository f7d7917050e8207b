"""Quotes and the limits: sound ones only, each side cut to what its worst case may reach."""

from __future__ import annotations

from collections.abc import Callable
from decimal import localcontext
from typing import NamedTuple

from crypto_quant import _native
from crypto_quant.core.errors import InvariantError
from crypto_quant.core.messages import Quote, Side, Target
from crypto_quant.core.terms import EXACT, Terms
from crypto_quant.strategy.risk_manager import batch, reasons
from crypto_quant.strategy.risk_manager.batch import Batch
from crypto_quant.strategy.risk_manager.book import Proposal, RiskBook

BUY = Side.BUY
Clear = Callable[[Batch, RiskBook], bool]
"""Tells whether no check cuts or refuses anything, for certain."""
Allow = Callable[[Proposal, RiskBook], tuple[int, str]]
"""Returns the largest size that the checks leave of a proposal, and the check that cut it."""


class _Room(NamedTuple):
    """What a side may quote in all, and the check that leaves no more."""

    quantity: int
    cut_by: str


def totals(target: Target, terms: Terms) -> tuple[int, int]:
    """Return what all bids and what all asks of a target come to, unsigned.

    Raises
    ------
    InvariantError
        A quote is not positive, off tick or lot, beside another one at its price, or meets one
        of the other side.
    """
    try:
        return _native.ladder_sums(target.quotes or (), terms.tick, terms.lot)
    except ValueError as err:
        raise InvariantError(
            f"sleeve {target.sleeve}, instrument {target.instrument}: {err}"
        ) from err


def cut(target: Target, sleeve: int, book: RiskBook, clears: Clear, allow: Allow) -> Target:
    """Return a target whose quotes stay within the limits, whatever of them fills.

    The worst case of a side is that all of it fills and nothing of the other: what it opens is
    asked of every check. What brings the position nearer to flat is always left. A side that is
    too large keeps the quotes nearest to the market.
    """
    terms = book.terms[target.instrument]
    bought, sold = totals(target, terms)
    instrument = target.instrument
    held = book.view.position(sleeve, instrument)
    worst = batch.of_quotes(sleeve, instrument, held - sold, held + bought, book)
    if clears(worst, book):
        book.accept_quotes(worst.sizes)
        return target
    with localcontext(EXACT):
        bids = _room(target, sleeve, held, bought, book, allow)
        asks = _room(target, sleeve, held, -sold, book, allow)
        if bids.quantity < bought or asks.quantity < sold:
            kept = _nearest(target.quotes or (), bids.quantity, asks.quantity, terms)
            names = dict.fromkeys(n for n in (bids.cut_by, asks.cut_by) if n)
            reason = reasons.cut_by(target.reason, names)
            target = target._replace(quotes=kept, reason=reason)
            bought, sold = totals(target, terms)
    left = batch.of_quotes(sleeve, instrument, held - sold, held + bought, book)
    book.accept_quotes(left.sizes)
    return target


def _room(
    target: Target, sleeve: int, held: int, quoted: int, book: RiskBook, allow: Allow
) -> _Room:
    """Return what of a side's quotes (signed, in all) may stay."""
    end = held + quoted
    if end * quoted <= 0:  # not past flat even if all of it fills
        return _Room(abs(quoted), "")
    terms, px = book.terms[target.instrument], book.px(target.instrument)
    is_kept_side = end * held > 0
    proposal = Proposal(
        sleeve,
        target.instrument,
        end,
        held,
        px,
        target.stop if is_kept_side else None,
        book.view.stop_px(sleeve, target.instrument) if is_kept_side else None,
        terms.worth(px),
        False,
        terms,
    )
    size, cut_by = allow(proposal, book)
    return _Room(max(0, size - held if quoted > 0 else size + held), cut_by)


def _nearest(quotes: tuple[Quote, ...], bids: int, asks: int, terms: Terms) -> tuple[Quote, ...]:
    """Return the quotes of each side that fit its room, from the market outwards."""
    left = {True: bids, False: asks}
    kept: dict[int, int] = {}
    for side, px, quantity in sorted(quotes, key=lambda q: -q.px if q.side is BUY else q.px):
        size = min(quantity, left[side is BUY]) // terms.lot * terms.lot
        if size == quantity or terms.notional(px, size) >= terms.min_notional:
            kept[px] = size
            left[side is BUY] -= size
    return tuple(q._replace(quantity=kept[q.px]) for q in quotes if kept.get(q.px))
