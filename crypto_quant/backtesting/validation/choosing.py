"""Choosing between configurations on data before a cut-off, each one counted."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping, Sequence
from typing import Generic, NamedTuple, TypeAlias, TypeVar

from pydantic import BaseModel

from crypto_quant.backtesting.validation.evaluate import evaluate
from crypto_quant.backtesting.validation.trials import Trial, TrialLog
from crypto_quant.core.errors import ConfigError

C = TypeVar("C", bound=BaseModel)
Segments: TypeAlias = tuple[tuple[int, int], ...]


class Choice(NamedTuple, Generic[C]):
    """The configuration that scored best, its name, and every score."""

    name: str
    config: C
    scores: dict[str, float]


def before(segments: Sequence[tuple[int, int]], cutoff: int) -> Segments:
    """Return the parts of segments before a cut-off.

    Labels, folds and runs stay inside the segments they are given, so this is all that it
    takes to keep them from what comes after.

    Parameters
    ----------
    segments
        Stretches without a hole, ``[start, end)`` in ns UTC.
    cutoff
        First time that may not be seen, ns UTC.
    """
    return tuple((start, min(end, cutoff)) for start, end in segments if start < cutoff)


def choose(
    log: TrialLog,
    candidates: Mapping[str, C],
    data: str,
    code: str,
    segments: Sequence[tuple[int, int]],
    cutoff: int,
    score: Callable[[Trial, C, Segments], float],
) -> Choice[C]:
    """Return the candidate with the highest score before the cut-off; the first of equals.

    Parameters
    ----------
    log
        Every candidate is appended to it before it is scored.
    candidates
        Configurations by name, in the order in which ties are broken.
    data, code
        Hashes of the data and the code.
    segments, cutoff
        Only the parts of the segments before the cut-off reach ``score``.
    score
        The higher the better; NaN is never chosen.

    Raises
    ------
    ConfigError
        There is no data before the cut-off, or no candidate with a score.
    """
    past = before(segments, cutoff)
    if not past:
        raise ConfigError(f"cut-off {cutoff}: there is no data before it to choose on")
    scores: dict[str, float] = {}
    for name, config in candidates.items():
        tried = {"choosing_before_ns": cutoff, "config": config.model_dump(mode="json")}

        def run(trial: Trial, config: C = config) -> float:
            return score(trial, config, past)

        scores[name] = evaluate(log, tried, data, code, run, _as_score).result
    known = [name for name, value in scores.items() if not math.isnan(value)]
    if not known:
        raise ConfigError(f"none of the candidates {', '.join(candidates)} has a score")
    best = max(known, key=scores.__getitem__)
    return Choice(best, candidates[best], scores)


def _as_score(value: float) -> dict[str, float]:
    return {"score": value}
