"""The grid market maker of the benchmarks through the full step: risk, quoting and their log."""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

from benches.session import Recording
from crypto_quant.core.terms import terms_at
from crypto_quant.execution.netting import NettingConfig
from crypto_quant.execution.quoting import QuotingConfig
from crypto_quant.runtime.compose import join
from crypto_quant.runtime.sleeves import GridStage
from crypto_quant.runtime.state import SettledFunding, State
from crypto_quant.strategy.grid import GridConfig, GridSleeve
from crypto_quant.strategy.risk_manager.config import RiskConfig

UNBOUND = RiskConfig(
    require_stop=False,
    loss_at_stop=1.0,
    daily_loss=1.0,
    initial_margin=1.0,
    notional=10.0,
    leverage=10,
    orders_per_wake=1_000,
    orders_per_minute=1_000_000,
)
"""Every check is asked, and none of them binds: the bare simulator has no limits."""


def grid_state(session: Recording, rule: Mapping[str, int]) -> State:
    """Return the state of a run of the grid; ``rule`` is that of ``grid_python.quote``."""
    step = terms_at(session.instrument, session.tape.start).count_step
    config = GridConfig(
        levels=rule["levels"],
        gap=rule["gap"],
        size=rule["quantity"] * step,
        most=rule["most"] * step,
    )
    none = np.empty(0, dtype=np.int64)
    return join(
        {0: session.instrument},
        "VIP0",
        ["none"],
        (GridStage(GridSleeve(config, 0, "none", 0), 0),),
        UNBOUND,
        NettingConfig(),
        SettledFunding(none, none, none.astype(float), none.astype(float)),
        QuotingConfig(messages=1_000_000),
    )
