"""What the risk check cuts of the carry sleeve's wishes on 13 real months, known to it or not."""

from __future__ import annotations

from dataclasses import replace
from typing import NamedTuple

import pytest

from crypto_quant.backtesting.engine.inputs import PERP, SPOT, Inputs
from crypto_quant.backtesting.engine.portfolio import run_portfolio
from crypto_quant.backtesting.engine.research import first_test
from crypto_quant.core.messages import Decision, Target, Transfer
from crypto_quant.runtime.config import RunConfig
from crypto_quant.runtime.segments import Span
from crypto_quant.strategy.carry.pair import Pair

pytestmark = [pytest.mark.data, pytest.mark.xdist_group("real")]

DAY = 86_400 * 10**9
CUT = "cut by loss_at_stop"


class Asked(NamedTuple):
    """Targets of a run, and how often it moved money."""

    targets: list[Target]
    transfers: int

    @property
    def cut(self) -> int:
        """How many of the targets risk cut."""
        return sum("cut by" in target.reason for target in self.targets)

    @property
    def largest(self) -> int:
        """The largest perpetual leg that was asked for, after risk."""
        return max(-t.quantity for t in self.targets if t.instrument == PERP)


class Heard:
    """Keeps what was asked for."""

    def __init__(self) -> None:
        self.targets: list[Target] = []
        self.transfers = 0

    def append(self, decision: Decision) -> None:
        """Take up a decision."""
        self.targets += decision.targets
        self.transfers += sum(isinstance(c, Transfer) for c in decision.commands)


def asked(inputs: Inputs) -> Asked:
    """Run carry on the whole capital for 13 months."""
    config, heard = RunConfig(), Heard()
    start = first_test(config, inputs)
    stretch = replace(inputs, segments=(Span(inputs.segments[0].start, start + 400 * DAY),))
    run_portfolio(config, stretch, start, ("carry",), None, heard)
    return Asked(heard.targets, heard.transfers)


def test_sleeve_that_knows_the_limit_is_never_cut_and_one_that_does_not_is_all_the_time(
    real_inputs: Inputs, monkeypatch: pytest.MonkeyPatch
) -> None:
    known: list[float] = []
    most = Pair.most

    def noted(pair: Pair, equity: float, prices: tuple[float, float]) -> float:
        known.append(most(pair, equity, prices))
        # 1 % of equity; basis 1 %, gap 0.5 %, four times spot's fee of 10 bp and slippage of 5 bp
        assert known[-1] * prices[0] * 0.021 <= 0.01 * equity * (1 + 1e-9)
        return known[-1]

    with monkeypatch.context() as patched:
        patched.setattr(Pair, "most", noted)
        knowing = asked(real_inputs)
    with monkeypatch.context() as patched:
        patched.setattr(Pair, "most", lambda self, equity, prices: float("inf"))
        blind = asked(real_inputs)
    assert blind.cut > 200
    assert all(CUT in t.reason for t in blind.targets if "cut by" in t.reason)
    assert knowing.cut == 0
    assert knowing.transfers < blind.transfers / 2
    # Risk cut none of it, so the limit is what it was; and it is used as far as by the other one.
    assert {t.instrument for t in knowing.targets} == {PERP, SPOT}
    assert knowing.largest * 0.001 <= max(known)
    assert knowing.largest > 0.9 * blind.largest
