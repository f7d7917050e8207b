"""One configuration run over every segment: money in, books out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from crypto_quant.backtesting.engine.inputs import PERP, Inputs
from crypto_quant.backtesting.engine.refusals import Refusals
from crypto_quant.backtesting.metrics.description import Refusal
from crypto_quant.core.errors import InvariantError
from crypto_quant.core.messages import Decision, Place
from crypto_quant.models.switch import ModelSwitch
from crypto_quant.runtime.compose import compose_state, deposits
from crypto_quant.runtime.config import RunConfig, SleeveName
from crypto_quant.runtime.decisions import DecisionSink, NoLog
from crypto_quant.runtime.drive import recorded
from crypto_quant.runtime.line import RecordedLine


@dataclass(frozen=True)
class Books:
    """What a run left: the native tables, as columns, and who traded.

    ``equity``, ``fills``, ``orders``, ``trips`` are as ``_native.Line`` documents them.
    ``refused`` says what the risk checks stopped.
    """

    sleeves: tuple[str, ...]
    equity: Mapping[str, object]
    fills: Mapping[str, object]
    orders: Mapping[str, object]
    trips: Mapping[str, object]
    reasons: Mapping[int, str]
    refused: tuple[Refusal, ...] = ()


class Reasons:
    """Remembers why each order was made, and what was refused, on the way to another sink."""

    def __init__(self, inner: DecisionSink) -> None:
        self._inner = inner
        self.by_order: dict[int, str] = {}
        self.refusals = Refusals()

    def append(self, decision: Decision) -> None:
        """Pass a decision on and note the reasons of its orders."""
        self._inner.append(decision)
        self.refusals.take(decision)
        for command in decision.commands:
            if isinstance(command, Place):
                order = command.approved.order
                self.by_order[order.id] = order.reason


def run_portfolio(
    config: RunConfig,
    inputs: Inputs,
    start: int,
    sleeves: tuple[SleeveName, ...],
    switch: ModelSwitch | None,
    log: DecisionSink | None = None,
) -> Books:
    """Run the sleeves over every segment, one account all the way through.

    Parameters
    ----------
    config
        The run's configuration.
    inputs
        Its data.
    start
        First decision, in the first segment; what is earlier only warms up.
    sleeves
        Who runs; their books share the capital.
    switch
        The model's folds, where the model sleeve runs.
    log
        Takes each decision before its commands leave.
    """
    reasons = Reasons(log or NoLog())
    before: RecordedLine | None = None
    state = None
    for segment in inputs.segments:
        begin = max(start, segment.start)
        capital = deposits(config, sleeves) if before is None else []
        line = inputs.line(config, segment, begin, sleeves, capital)
        if before is not None:
            line.native.adopt(before.native)
        if state is None:
            first, last = inputs.segments[0].start, inputs.segments[-1].end
            funding = inputs.loader.settled(PERP, first, last)
            names = line.native.feature_names
            past = inputs.loader.closes(PERP, "1h")
            state = compose_state(config, sleeves, inputs.instruments, funding, names, switch, past)
        recorded(line, state, reasons)
        before = line
    if before is None:
        raise InvariantError("a run without segments")
    native = before.native
    return Books(
        sleeves,
        native.equity_rows(),
        native.fills(),
        native.orders(),
        native.round_trips(),
        reasons.by_order,
        reasons.refusals.rows(),
    )
