"""What one position may lose at its stop, costs and gap included."""

from __future__ import annotations

from crypto_quant.core.messages import Order
from crypto_quant.strategy.risk_manager.batch import SURE, Batch
from crypto_quant.strategy.risk_manager.book import Proposal, RiskBook
from crypto_quant.strategy.risk_manager.config import RiskConfig


def pair_share(config: RiskConfig, taker: float) -> float:
    """Return the largest leg of a hedged pair over the account's equity, at the leg's fee."""
    return config.loss_at_stop / _pair_loss(config, taker)


def _pair_loss(config: RiskConfig, taker: float) -> float:
    """Return what a hedged pair is taken to lose, a fraction of one leg."""
    return config.pair_loss + config.gap + 4.0 * (taker + config.slippage)


class LossAtStop:
    """Cuts a position to what loses ``loss_at_stop`` of equity at its stop, where that is new.

    Loss of one unit: ``worth * (|px - stop| / px + gap + 2 (taker + slippage))``; of a hedged
    pair without stops ``worth * (pair_loss + gap + 4 (taker + slippage))``, four legs at
    this leg's fee. What is held already is spared while its stop is no farther than the one in
    force: a price that moves on from its stop is no new risk, a stop that moves away from the
    price is. A target without a stop leaves the one in force where it is.

    The same holds of an inverse contract, whose loss ``q (1 / px - 1 / stop)`` in coin is
    ``q |px - stop| / px`` in the quote asset at the stop; what the coins that stand behind it are
    worth is no loss of the position.
    """

    is_exposure = True
    is_of_venue = False

    def __init__(self, config: RiskConfig) -> None:
        self._config = config
        self._is_total = not config.require_stop
        self._share = SURE * config.loss_at_stop

    def shrink(self, proposal: Proposal, book: RiskBook) -> int:
        """Return the target or what its budget allows."""
        is_spared = _is_spared(proposal)
        if proposal.target == 0 or (is_spared and proposal.is_shrinking):
            return proposal.target
        unit = self._unit_loss(proposal)
        if unit is None:
            return proposal.kept()
        return proposal.capped(self._config.loss_at_stop * book.equity / unit, keep=is_spared)

    def clears(self, batch: Batch, book: RiskBook) -> bool:
        """Tell that even a total loss stays within the budget, where no stop is demanded."""
        return self._is_total and batch.largest < self._share * book.equity

    def refusal(self, order: Order, book: RiskBook) -> str | None:
        """Never refuse: an order does not carry the stop of its position."""
        return None

    def _unit_loss(self, proposal: Proposal) -> float | None:
        """Return what one grid unit loses; ``None`` where that is unbounded or unknown."""
        config, px, stop = self._config, proposal.px, proposal.stop
        if px <= 0:
            return None
        side = proposal.terms.taker + config.slippage
        if stop is None:
            if proposal.is_hedged:
                return proposal.worth * _pair_loss(config, proposal.terms.taker)
            return None if config.require_stop else proposal.worth
        distance = px - stop if proposal.target > 0 else stop - px
        if distance <= 0:
            return None
        return proposal.worth * (distance / px + config.gap + 2.0 * side)


def _is_spared(proposal: Proposal) -> bool:
    """Tell whether the stop stays where it is, or comes nearer to the price."""
    stop, now = proposal.stop, proposal.stop_now
    if stop is None:
        return True
    if now is None:
        return False
    return stop >= now if proposal.target > 0 else stop <= now
