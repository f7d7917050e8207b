"""How far a generated session is from a recorded one, beside how far its halves are apart."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Any, Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from crypto_quant.data_pipeline.generated.observed import (
    STEP_MS,
    Book,
    Frames,
    Takers,
    frames_of,
    sample_book,
    takers,
)
from crypto_quant.data_pipeline.generated.recorder import START_NS, pieces, recorder

Floats = NDArray[np.float64]

LIMIT: Final = 2.0
"""Most that a distance may be, in distances between the halves of the recorded session."""

WITHIN: Final = (1, 10, 30, 100, 300, 1000)
"""Ticks behind the touch within which the depth profile sums the quantity."""
LAGS: Final = 10
RETURN_MS: Final = 1000
RESPONSES: Final = (1, 10, 50)
"""Samples of the book behind a taker at which its impact is measured."""
_MS: Final = 10**6


@dataclass(frozen=True, slots=True)
class Sample:
    """What the distances are taken of.

    ``spread``: ticks, on the grid of 100 ms, (n,); ``depth``: lots within ``WITHIN`` ticks of
    the touch, bids then asks, (n, 12); ``size``: lots of a fill; ``arrival``: ms between
    fills; ``correlation``: of the sides of takers, of returns over a second and of their
    sizes, at lags 1 to 10, (3, 10); ``impact``: mean ticks that the middle moved a taker's
    way from before it to 0.1, 1 and 5 s behind, (3,).
    """

    spread: Floats
    depth: Floats
    size: Floats
    arrival: Floats
    correlation: Floats
    impact: Floats


def sample(frames: Frames) -> Sample:
    """Measure a session."""
    book = sample_book(frames)
    sums = np.cumsum(book.depth, axis=2, dtype=np.int64)
    depth = sums[:, :, np.array(WITHIN) - 1].reshape(len(sums), -1)
    middle = book.touch.sum(axis=1)[:: RETURN_MS // STEP_MS] / 2.0
    returns = np.diff(middle)
    trade = frames.trade
    orders = takers(frames)
    series = (orders.side.astype(float), returns, np.abs(returns))
    return Sample(
        spread=np.diff(book.touch, axis=1)[:, 0].astype(float),
        depth=depth.astype(float),
        size=trade["qty"].astype(float),
        arrival=np.diff(trade["ts_event"] // _MS).astype(float),
        correlation=np.array([autocorrelation(values) for values in series]),
        impact=_impact(book, orders),
    )


def _impact(book: Book, orders: Takers) -> Floats:
    middle = book.touch.sum(axis=1) / 2.0
    before = np.searchsorted(book.times, orders.times) - 1
    known = (before >= 0) & (before + max(RESPONSES) < len(middle))
    before, side = before[known], orders.side[known]
    moves = [(middle[before + later] - middle[before]) * side for later in RESPONSES]
    return np.array([move.mean() for move in moves])


def halves(frames: Frames) -> tuple[Frames, Frames]:
    """Cut a session at the middle of its time; the second half begins with the book there."""
    times = frames.delta["ts_event"]
    middle = (int(times[0]) + int(times[-1])) // 2

    def cut(columns: Mapping[str, NDArray[Any]], is_first: bool) -> dict[str, NDArray[Any]]:
        keep = (columns["ts_event"] < middle) == is_first
        return {key: values[keep] for key, values in columns.items()}

    first, second = (
        Frames(*(cut(columns, is_first) for columns in (frames.trade, frames.quote, frames.delta)))
        for is_first in (True, False)
    )
    return first, Frames(second.trade, second.quote, _carried(first.delta, second.delta))


def _carried(before: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, NDArray[Any]]:
    """Put the book that ``before`` leaves in front of ``after``, as one frame."""
    keys = np.stack([before["side"].astype(np.int64), before["px"]])
    _, at = np.unique(keys[:, ::-1], axis=1, return_index=True)
    last = len(before["px"]) - 1 - at
    rows = last[before["qty"][last] > 0]
    book = {key: values[rows].copy() for key, values in before.items()}
    book["ts_event"][:] = after["ts_event"][0]
    book["flags"][:] = 0
    book["flags"][-1] = 2
    return {key: np.concatenate([book[key], after[key]]) for key in book}


def autocorrelation(values: Floats, lags: int = LAGS) -> Floats:
    """Sample autocorrelation at lags 1 to ``lags``."""
    centred = values - values.mean()
    total = float(centred @ centred)
    return np.array([centred[lag:] @ centred[:-lag] for lag in range(1, lags + 1)]) / total


def kolmogorov_smirnov(one: Floats, two: Floats) -> float:
    """Greatest distance between two samples' distribution functions, 0 to 1."""
    one, two = np.sort(one), np.sort(two)
    every = np.concatenate([one, two])
    below = (np.searchsorted(values, every, side="right") / len(values) for values in (one, two))
    return float(np.abs(np.subtract(*below)).max())


def _profile(one: Sample, two: Sample) -> float:
    columns = range(one.depth.shape[1])
    return float(np.mean([kolmogorov_smirnov(one.depth[:, c], two.depth[:, c]) for c in columns]))


def _correlation(one: Sample, two: Sample) -> float:
    return float(np.abs(one.correlation - two.correlation).mean())


DISTANCES: Final[Mapping[str, Callable[[Sample, Sample], float]]] = {
    "spread": lambda one, two: kolmogorov_smirnov(one.spread, two.spread),
    "depth profile": _profile,
    "trade size": lambda one, two: kolmogorov_smirnov(one.size, two.size),
    "inter-arrival": lambda one, two: kolmogorov_smirnov(one.arrival, two.arrival),
    "autocorrelation": _correlation,
    "impact": lambda one, two: float(np.abs(one.impact - two.impact).mean()),
}
"""What is compared: two-sample Kolmogorov-Smirnov, of the depth profile the mean over its
columns; of autocorrelation and impact the mean absolute difference."""


class Judged(NamedTuple):
    """One distance, over generated sessions of several seeds.

    ``to_real`` and ``ratio`` are of the median session, ``worst`` is the greatest ratio.
    """

    name: str
    to_real: float
    between_halves: float
    worst: float

    @property
    def ratio(self) -> float:
        """The distance to the recorded session in units of that between its halves."""
        return self.to_real / self.between_halves

    @property
    def holds(self) -> bool:
        """Whether it is within the limit."""
        return self.ratio <= LIMIT

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        return {**self._asdict(), "ratio": self.ratio, "holds": self.holds}


def judge(real: Frames, parameters: Mapping[str, Any], seeds: Iterable[int]) -> list[Judged]:
    """Compare generated sessions, as long as the recorded one, with it and its halves.

    Parameters
    ----------
    real : Frames
        The recorded session.
    parameters : Mapping
        Of the generator; it begins at its mean activity.
    seeds : Iterable[int]
        One generated session each.
    """
    whole = sample(real)
    first, second = map(sample, halves(real))
    times = real.delta["ts_event"]
    seconds = -(-int(times[-1] - times[0]) // 10**9)
    made = [sample(_generated(parameters, seed, seconds)) for seed in seeds]
    found = []
    for name, distance in DISTANCES.items():
        apart = distance(first, second)
        far = [distance(one, whole) for one in made]
        found.append(Judged(name, float(np.median(far)), apart, max(far) / apart))
    return found


def _generated(parameters: Mapping[str, Any], seed: int, seconds: int) -> Frames:
    until = START_NS + seconds * 10**9
    return frames_of(f"seed {seed}", pieces(recorder(parameters, seed), until))
