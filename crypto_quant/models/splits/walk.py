"""Walk-forward folds that begin on Mondays and never span a hole."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple, Self

from pydantic import Field, model_validator

from crypto_quant.core.config import Section

DAY_NS = 86_400_000_000_000
WEEK_NS = 7 * DAY_NS
MONDAY_NS = 4 * DAY_NS
"""1970-01-05 00:00 UTC, the first Monday of the epoch."""


class SplitConfig(Section):
    """Train and test length, step between folds and purge, in days and hours.

    ``anchored`` keeps the start of training at the start of the segment; ``train_days`` is
    then the least. ``purge_h`` must be at least the label horizon.
    """

    train_days: int = Field(60, gt=0, le=36_500)
    test_days: int = Field(7, gt=0, le=36_500)
    step_weeks: int = Field(1, gt=0, le=5_200)
    purge_h: int = Field(24, ge=24, le=87_600)
    anchored: bool = False

    @model_validator(mode="after")
    def _one_model_at_a_time(self) -> Self:
        if self.test_days > 7 * self.step_weeks:
            raise ValueError(
                f"test_days {self.test_days} is longer than the step of {self.step_weeks} weeks: "
                "two models would be in force together"
            )
        return self


class Fold(NamedTuple):
    """Training window ``[train_start, test_start)``, test window ``[test_start, test_end)``."""

    segment: int
    train_start: int
    test_start: int
    test_end: int


def walk_forward(segments: Sequence[tuple[int, int]], config: SplitConfig) -> list[Fold]:
    """Return the folds of every segment, oldest first.

    The first test of a segment begins on the first Monday 00:00 UTC that has
    ``train_days`` of the same segment before it; the last test may be cut short by the
    segment's end.

    Parameters
    ----------
    segments
        Stretches without a hole, ``[start, end)`` in ns UTC.
    config
        Lengths.
    """
    train, test = config.train_days * DAY_NS, config.test_days * DAY_NS
    folds: list[Fold] = []
    for number, (start, end) in enumerate(segments):
        earliest = start + train
        monday = earliest + (MONDAY_NS - earliest) % WEEK_NS
        for test_start in range(monday, end, config.step_weeks * WEEK_NS):
            train_start = start if config.anchored else test_start - train
            folds.append(Fold(number, train_start, test_start, min(test_start + test, end)))
    return folds
