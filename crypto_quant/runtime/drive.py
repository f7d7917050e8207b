"""The recorded loop round the step; the live one comes with the feeds."""

from __future__ import annotations

from crypto_quant.core.errors import CryptoQuantError, StrategyError
from crypto_quant.runtime.decisions import DecisionSink
from crypto_quant.runtime.line import RecordedLine
from crypto_quant.runtime.state import State
from crypto_quant.runtime.step import step
from crypto_quant.runtime.where import where


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

    Raises
    ------
    StrategyError
        A stage raised, or said what cannot be meant; says what and where on the tape.
    DataError, InvariantError
        As ``RecordedLine.next`` and ``RecordedLine.execute``; those of a step say where, too.
    """
    state.view.bind(line)
    while (wake := line.next()) is not None:
        try:
            decision = step(state, wake)
        except CryptoQuantError as err:
            err.args = (f"{err} {where(line.native)}",)
            raise
        except Exception as err:
            what = f"{type(err).__name__}: {err}"
            raise StrategyError(f"a stage raised {what} {where(line.native)}") from err
        try:
            log.append(decision)
            if decision.commands:
                line.execute(decision.commands)
        except TypeError as err:
            what = f"what a stage said can be neither logged nor sent: {err}"
            raise StrategyError(f"{what} {where(line.native)}") from err
