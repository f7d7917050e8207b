"""What a step is given: the stages with their memory, and the view."""

from __future__ import annotations

import numpy as np
from numpy.typing import NDArray

from crypto_quant.core.terms import TermsTable
from crypto_quant.execution.netting import Netting
from crypto_quant.execution.order_manager import OrderManager
from crypto_quant.execution.quoting import Quoting
from crypto_quant.execution.tickets import Tickets
from crypto_quant.runtime.joined_stages import JoinedStages
from crypto_quant.runtime.sleeves import Stage
from crypto_quant.runtime.view import LineView
from crypto_quant.strategy.risk_manager.manager import RiskManager


class SettledFunding:
    """Settled rates, told to the sleeves once they are known.

    Parameters
    ----------
    ts_event, ts_recv
        When each was settled and known, int64 ns (n,), ascending.
    rate
        Fractions per interval (n,).
    hours
        Length of the interval that each pays for (n,).
    """

    __slots__ = ("_at", "_event", "_hours", "_rate", "_recv", "due")

    def __init__(
        self,
        ts_event: NDArray[np.int64],
        ts_recv: NDArray[np.int64],
        rate: NDArray[np.float64],
        hours: NDArray[np.float64],
    ) -> None:
        self._event: list[int] = ts_event.tolist()
        self._hours: list[float] = hours.tolist()
        self._recv: list[int] = [*ts_recv.tolist(), 2**63 - 1]
        self._rate: list[float] = rate.tolist()
        self._at = 0
        self.due = self._recv[0]
        """When the next rate becomes known."""

    def tell(self, now: int, speaker: Stage) -> None:
        """Tell what became known by ``now``."""
        while self._recv[self._at] <= now:
            at = self._at
            speaker.on_funding(self._event[at], self._rate[at], self._hours[at])
            self._at = at + 1
        self.due = self._recv[self._at]


class State:
    """Everything that a step may change.

    ``speaker`` says what all stages want; a lone one speaks for itself.
    """

    __slots__ = (
        "funding",
        "netting",
        "orders",
        "quoting",
        "risk",
        "speaker",
        "terms",
        "tickets",
        "view",
    )

    def __init__(
        self,
        view: LineView,
        terms: TermsTable,
        stages: tuple[Stage, ...],
        risk: RiskManager,
        netting: Netting,
        quoting: Quoting,
        tickets: Tickets,
        orders: OrderManager,
        funding: SettledFunding,
    ) -> None:
        self.view = view
        self.terms = terms
        is_lone = len(stages) == 1
        self.speaker: Stage = stages[0] if is_lone else JoinedStages(stages, tickets.sleeves)
        self.risk = risk
        self.netting = netting
        self.quoting = quoting
        self.tickets = tickets
        self.orders = orders
        self.funding = funding

    def reset(self) -> None:
        """Forget positions and wishes: the tape broke off and the books are flat."""
        self.netting.reset()
        self.quoting.reset()
        self.speaker.reset()
