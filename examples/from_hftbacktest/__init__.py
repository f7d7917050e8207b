"""Three of hftbacktest's published examples, told in our loop; ``theirs`` is for theirs.

Each has a function ``strategy`` with the rule and ``main``; the numbers are chosen for the
capture of ``examples.tape``.
"""

from __future__ import annotations

from collections.abc import Callable

from crypto_quant.backtesting.simulator import AS_HFTBACKTEST, Simulator
from examples.tape import LATENCY, markets, tell

STEP_NS = 100_000_000


def run(strategy: Callable[[Simulator], None]) -> None:
    """Run a strategy by hftbacktest's rules, and tell what came of it."""
    simulator = Simulator(markets(), sim={**LATENCY, **AS_HFTBACKTEST})
    simulator.run(strategy)
    tell(simulator)
