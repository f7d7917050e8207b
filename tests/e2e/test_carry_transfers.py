"""Carry on real months with transfers that take their time and cost their fee."""

from __future__ import annotations

from dataclasses import replace
from decimal import Decimal
from itertools import pairwise

import pytest

from crypto_quant.backtesting.engine.columns import money, texts, whole
from crypto_quant.backtesting.engine.inputs import PERP, Inputs
from crypto_quant.backtesting.engine.research import first_test
from crypto_quant.core.messages import Decision
from crypto_quant.runtime.compose import compose_state, deposits
from crypto_quant.runtime.config import RunConfig
from crypto_quant.runtime.drive import recorded
from crypto_quant.runtime.line import RecordedLine
from crypto_quant.runtime.segments import Span

pytestmark = [pytest.mark.data, pytest.mark.xdist_group("real")]

DAY, MINUTE = 86_400 * 10**9, 60 * 10**9
FEE = Decimal("1.25")


class Deaf:
    """Keeps nothing."""

    def append(self, decision: Decision) -> None:
        """Let it pass."""


def ran(inputs: Inputs, **sim: object) -> RecordedLine:
    """Run carry on the whole capital for 13 months."""
    config = RunConfig.model_validate({"sim": sim})
    start = first_test(config, inputs)
    span = Span(inputs.segments[0].start, start + 400 * DAY)
    stretch = replace(inputs, segments=(span,))
    line = stretch.line(config, span, start, ("carry",), deposits(config, ("carry",)))
    funding = inputs.loader.settled(PERP, span.start, span.end)
    names = line.native.feature_names
    state = compose_state(config, ("carry",), inputs.instruments, funding, names, None)
    recorded(line, state, Deaf())
    return line


@pytest.mark.parametrize("minutes", [10, 300])
def test_carry_never_has_two_transfers_on_their_way_and_trades_on(
    real_inputs: Inputs, minutes: int
) -> None:
    line = ran(real_inputs, transfer_delay_ms=minutes * 60_000, transfer_fees={"USDT": FEE})
    native = line.native
    table = native.transfers()
    sent, there = whole(table, "ts").tolist(), whole(table, "arrives").tolist()
    assert len(sent) > 10
    assert set(texts(table, "status")) == {"arrived"}
    assert {b - a for a, b in zip(sent, there, strict=True)} == {minutes * MINUTE}
    for (_, before), (after, _) in pairwise(zip(sent, there, strict=True)):
        assert after >= before
    assert set(money(table, "fee").to_pylist()) == {FEE}
    assert native.attribution(0)["transfer_fees"] == -FEE * len(sent)
    assert native.equity() == 100_000 + sum(native.attribution(0).values())
    assert len(whole(native.liquidations(), "qty")) == 0
    # It holds the pair for most of the time that it does without delays.
    free = ran(real_inputs)
    hours = [
        int((whole(run.native.equity_rows(), "position.BTCUSDT.BINANCE") > 0).sum())
        for run in (line, free)
    ]
    assert hours[0] > 0.9 * hours[1] > 0
    assert native.attribution(0)["funding"] > Decimal("0.9") * free.native.attribution(0)["funding"]
