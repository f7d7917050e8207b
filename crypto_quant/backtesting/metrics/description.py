"""What a run says about itself beside its tables: ``extra.json``."""

from __future__ import annotations

from decimal import Decimal
from enum import StrEnum

from pydantic import BaseModel, ConfigDict


class _Value(BaseModel):
    model_config = ConfigDict(frozen=True, extra="forbid")


class RowKind(StrEnum):
    """What a variant row is there to show."""

    SLEEVE_ALONE = "sleeve_alone"
    """A sleeve run by itself with the whole capital (``of`` names it)."""
    WITHOUT = "without"
    """The portfolio without a sleeve (``of`` names it): gives its marginal Sharpe."""
    ANCHORED = "anchored"
    """The model trained on an anchored window."""
    CONTROL = "control"
    """A null or control, e.g. the 24 h forward return as label."""
    BENCHMARK = "benchmark"
    """Another thing to hold: 1x perpetual paying funding, plain momentum."""
    CAPACITY = "capacity"
    """The same run with another capital."""
    STRESS = "stress"
    """The same run under worse conditions, re-run by the engine."""


class Row(_Value):
    """A variant: its equity is in ``variants.parquet`` under ``key``."""

    key: str
    label: str
    kind: RowKind
    capital: Decimal
    of: str | None = None
    note: str = ""


class Sleeve(_Value):
    """A virtual book of the run, and the risks that its data lacks.

    A sleeve with risks whose balance stands on a venue gets a stressed row.
    """

    name: str
    label: str
    risks: tuple[str, ...] = ()
    venue_balance: bool = False
    """The whole sleeve stands on a venue: stressed rows take venue losses from it."""


class Benchmark(_Value):
    """Buy-and-hold: the mark column it is read from, and the fee paid once."""

    instrument: str
    taker_fee: Decimal


class Trials(_Value):
    """Evaluated configurations in the trial log when the run was made.

    ``sharpes`` are their daily Sharpe ratios and ``lowest`` the lowest of the three, both per
    day, where they are known; without any the variance under the null is used. A run folder
    of before has no ``lowest``, and hole days in ``sharpes``.
    """

    count: int
    sharpes: tuple[float, ...] = ()
    lowest: tuple[float, ...] = ()

    @property
    def lowest_unknown(self) -> bool:
        """The trials are known to differ, but not by how much in their lowest ratios."""
        return self.count > 1 and len(self.sharpes) > 1 and len(self.lowest) < 2


class Assumption(_Value):
    """Something taken for true that the data does not show."""

    topic: str
    text: str
    source: str = ""


class Finding(_Value):
    """Something found in the data, and what was done about it."""

    severity: str
    where: str
    what: str
    action: str = ""


class Refusal(_Value):
    """How often a check refused orders, and made targets smaller, some of them to nothing."""

    check: str
    orders: int
    targets: int
    to_nothing: int


class Description(_Value):
    """Everything the report needs that is not a time series.

    ``chosen_before_ns``: configuration was chosen on data before this time, and what
    follows is printed apart. ``synthetic``: the market was generated; every output says so.
    """

    title: str
    capital: Decimal
    currency: str
    benchmark: Benchmark
    sleeves: tuple[Sleeve, ...]
    rows: tuple[Row, ...]
    trials: Trials
    seed: int
    synthetic: bool = False
    chosen_before_ns: int | None = None
    assumptions: tuple[Assumption, ...] = ()
    findings: tuple[Finding, ...] = ()
    refused: tuple[Refusal, ...] = ()
