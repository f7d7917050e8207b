"""Features over time, labels and trained folds: what the model sleeve is made of."""

from __future__ import annotations

from collections.abc import Callable
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray

from crypto_quant.backtesting.engine.inputs import DAY_NS, PERP, Inputs
from crypto_quant.core.errors import DataError
from crypto_quant.models.labels import LABELS, Bars, Labels
from crypto_quant.models.training import ResearchTable, Training, train_walk_forward
from crypto_quant.runtime.config import ModelSection, RunConfig
from crypto_quant.runtime.line_spec import HOUR_NS

ATR = "atr_perp_14h"


class Research(NamedTuple):
    """Research table of all segments, and the bars its labels are made from."""

    table: ResearchTable
    bars: Bars
    atr: NDArray[np.float64]


def build_research(config: RunConfig, inputs: Inputs) -> Research:
    """Run the features over every segment, by the operators that the run itself uses."""
    times, rows = [], []
    names: tuple[str, ...] = ()
    for segment in inputs.segments:
        line = inputs.line(config, segment, segment.start, ("none",), [], is_research=True)
        ts, values = line.research()
        times.append(ts)
        rows.append(values)
        names = tuple(line.native.feature_names)
    table = ResearchTable(np.concatenate(times), np.concatenate(rows), names)
    bars = _bars(inputs)
    close = np.full(len(table.ts), np.nan)
    at = np.searchsorted(bars.ts, table.ts - HOUR_NS)
    known = (at < len(bars.ts)) & (bars.ts[np.minimum(at, len(bars.ts) - 1)] == table.ts - HOUR_NS)
    close[known] = bars.close[at[known]]
    return Research(table, bars, table.values[:, names.index(ATR)] * close)


def make_labels(research: Research, inputs: Inputs, model: ModelSection) -> Labels:
    """Label every decision time."""
    spans = [(s.start, s.end) for s in inputs.segments]
    make = LABELS[model.label]
    return make(research.bars, research.table.ts, research.atr, spans, model.labels)


def train(
    research: Research,
    labels: Labels,
    inputs: Inputs,
    model: ModelSection,
    progress: Callable[[int, int], None] | None = None,
) -> Training:
    """Train a model for every fold of every segment."""
    spans = [(s.start, s.end) for s in inputs.segments]
    return train_walk_forward(research.table, labels, spans, model.training, 2, progress)


def first_test(config: RunConfig, inputs: Inputs) -> int:
    """Return when the run begins: the first Monday with a full training window before it.

    Raises
    ------
    DataError
        The first segment ends before that.
    """
    split = config.model.training.split
    earliest = inputs.segments[0].start + split.train_days * DAY_NS
    monday = earliest + (4 * DAY_NS - earliest) % (7 * DAY_NS)
    if monday >= inputs.segments[0].end:
        raise DataError("the first segment ends before its first test window: import more data")
    return monday


def _bars(inputs: Inputs) -> Bars:
    """Return the perpetual's bars as floats, for labels only."""
    instrument = inputs.instruments[PERP]
    table = inputs.catalog.scan("bar", f"{instrument.id}/1h")
    unit = 10.0 ** -inputs.catalog.exps("bar", f"{instrument.id}/1h").price
    open_, high, low, close = (
        table[name].to_numpy() * unit for name in ("open", "high", "low", "close")
    )
    return Bars(table["ts_event"].to_numpy(), open_, high, low, close, HOUR_NS)
