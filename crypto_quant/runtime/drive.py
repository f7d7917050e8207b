"""The recorded loop round the step; the live one comes with the feeds."""

from __future__ import annotations

from crypto_quant.runtime.decisions import DecisionSink
from crypto_quant.runtime.line import RecordedLine
from crypto_quant.runtime.state import State
from crypto_quant.runtime.step import step


def recorded(line: RecordedLine, state: State, log: DecisionSink) -> None:
    """Run a segment of the recorded line to its end.

    Parameters
    ----------
    line
        The tape with its simulated venue, loaded.
    state
        The stages; changed.
    log
        Takes each decision before its commands leave.
    """
    state.view.bind(line)
    while (wake := line.next()) is not None:
        decision = step(state, wake)
        log.append(decision)
        if decision.commands:
            line.execute(decision.commands)
