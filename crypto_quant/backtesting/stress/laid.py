"""A shock laid over a walk-forward run's data: the same inputs with another tape."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, fields
from typing import Final

import numpy as np

from crypto_quant.backtesting.engine.inputs import PERP, SPOT, Inputs
from crypto_quant.backtesting.stress.tape import HOUR_NS, MINUTE_NS, BarTape, Shock, StressTape
from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.runtime.config import RunConfig
from crypto_quant.runtime.line import RecordedLine
from crypto_quant.runtime.line_spec import Deposit
from crypto_quant.runtime.segments import Span
from crypto_quant.runtime.tape import Columns, Settlements, TapeLoader

INTERVALS: Final = {PERP: "1h", SPOT: "1m"}
INTERVAL_NS: Final = {PERP: HOUR_NS, SPOT: MINUTE_NS}


def recorded_tape(config: RunConfig, inputs: Inputs, span: Span) -> BarTape:
    """Return what a run reads of a span, as recorded."""
    loader = inputs.loader
    funding = loader.settlements(PERP, *span)
    streams = {
        ("bar", index): loader.bar_columns(index, interval, *span)
        for index, interval in INTERVALS.items()
    }
    return StressTape(
        instruments=inputs.instruments,
        streams={**streams, ("funding", PERP): funding.columns},
        interval_ns=INTERVAL_NS,
        rate_exp=funding.exp,
        sim=config.sim.native(),
    )


class TapeOf(TapeLoader):
    """A loader that gives the rows of a tape in memory; outside series are the catalog's."""

    def __init__(self, catalog: Catalog, instruments: Sequence[Instrument], tape: BarTape) -> None:
        super().__init__(catalog, instruments)
        self._tape = tape

    def bar_columns(self, index: int, interval: str, start: int, end: int) -> Columns:
        """Return the tape's bars of ``[start, end)``."""
        return _cut(self._tape.streams["bar", index], start, end)

    def settlements(self, index: int, start: int, end: int) -> Settlements:
        """Return the tape's settlements of ``[start, end)``."""
        columns = _cut(self._tape.streams["funding", index], start, end)
        return Settlements(columns, self._tape.rate_exp)


@dataclass(frozen=True)
class LaidInputs(Inputs):
    """Inputs of one span whose rows are those of a tape; see ``laid``."""

    tape: BarTape

    def line(
        self,
        config: RunConfig,
        segment: Span,
        start: int,
        sleeves: tuple[str, ...],
        capital: list[Deposit],
        *,
        is_research: bool = False,
    ) -> RecordedLine:
        """Build a loaded line, with the marks and deleveragings of the tape."""
        line = super().line(config, segment, start, sleeves, capital, is_research=is_research)
        for index in self.tape.of("mark"):
            name, columns = self.instruments[index].id, self.tape.streams["mark", index]
            line.load(f"marks of {name}", line.native.add_marks, index, **columns)
        for ts, index, fraction in self.tape.deleverages:
            line.native.add_deleverage(index, ts, fraction)
        return line


def laid(
    config: RunConfig, inputs: Inputs, span: Span, shock: Shock | None, at: Span
) -> tuple[RunConfig, LaidInputs]:
    """Return a run's configuration and inputs under a shock.

    Parameters
    ----------
    config, inputs
        Of the run.
    span
        What is put on the line; its first part only warms up.
    shock
        What is laid over it; ``None`` leaves it as recorded.
    at
        From when until when.

    Raises
    ------
    InapplicableError
        The shock has nothing to change on bars.
    """
    tape = recorded_tape(config, inputs, span)
    if shock is not None:
        tape = shock.on_bars(tape, at)
    settings = {
        name: value for name, value in tape.sim.items() if name in type(config.sim).model_fields
    }
    sim = config.sim.model_copy(update=settings)
    same = {field.name: getattr(inputs, field.name) for field in fields(Inputs)}
    same["segments"] = (span,)
    same["loader"] = TapeOf(inputs.catalog, inputs.instruments, tape)
    return config.model_copy(update={"sim": sim}), LaidInputs(**same, tape=tape)


def _cut(columns: Columns, start: int, end: int) -> Columns:
    first, stop = np.searchsorted(columns["ts_event"], [start, end])
    return {name: values[first:stop] for name, values in columns.items()}
