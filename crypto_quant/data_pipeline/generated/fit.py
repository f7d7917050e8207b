"""Numbers of the order flow, counted in a capture.

Rates are events per second over the time in which they could happen: arrivals over prices
without a level, cancels and changes over levels. Quantities are tables of quantiles. What a
frame of book updates nets out is not seen; the touch is therefore counted in ``bookTicker``.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import pairwise
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from crypto_quant.data_pipeline.generated.observed import (
    REACH,
    Book,
    Frames,
    Ints,
    Takers,
    sample_book,
    takers,
)

Floats = NDArray[np.float64]
Table = dict[str, Any]

EDGES: Final = (1, 2, 3, 5, 8, 12, 20, 35, 60, 100, 170, 300, 500, 900, 1600, REACH)
"""Bounds of the bands of distances behind the touch, ticks."""
FINE: Final = 129
COARSE: Final = 33
"""Entries of a table of quantiles: of what trades and the touch, and of a band."""
LAGS: Final = 40
"""How many takers back the sides are remembered."""
_CLASSES: Final = 3
_SIZES: Final = 16
_MOMENT_NS: Final = 3 * 10**6
"""By then those who follow a new touch are there."""
_MS: Final = 10**6
_SECOND: Final = 10**9
_PROJECTIONS: Final = 20_000


def fit(frames: Frames) -> Table:
    """Count the parameters of the event-by-event market in a session.

    Parameters
    ----------
    frames : Frames
        A session with book, trades and ``bookTicker``.

    Returns
    -------
    dict
        As ``parameters.toml`` has it: ``price``, ``touch``, ``band``, ``closing``,
        ``taking``.
    """
    book = sample_book(frames)
    quotes = _Quotes.of(frames)
    orders = takers(frames)
    changes = _Changes.of(frames, quotes)
    middle = np.median(book.touch.sum(axis=1) / 2.0)
    found = {
        "price": int(middle),
        "touch": _touch(quotes, book, orders),
        "closing": _closing(quotes, changes),
        "taking": _taking(frames, quotes, orders),
        "band": _bands(book, changes),
    }
    return {key: _rounded(value) for key, value in found.items()}


@dataclass(frozen=True, slots=True)
class _Quotes:
    """Best bid and ask at each of their changes, bids first: (n, 2)."""

    times: Ints
    ids: Ints
    price: Ints
    qty: Ints

    @classmethod
    def of(cls, frames: Frames) -> _Quotes:
        quote = frames.quote
        price = np.stack([quote["bid"], quote["ask"]], axis=1)
        qty = np.stack([quote["bid_qty"], quote["ask_qty"]], axis=1)
        times = np.maximum.accumulate(quote["ts_event"])
        return cls(times, quote["update_id"], price, qty)

    @property
    def seconds(self) -> float:
        return float(self.times[-1] - self.times[0]) / _SECOND

    @property
    def spread(self) -> Ints:
        return np.asarray(self.price[:, 1] - self.price[:, 0])

    @property
    def better(self) -> Ints:
        """Ticks by which each side became better at each change, (n - 1, 2)."""
        return np.asarray(np.diff(self.price, axis=0) * np.array([1, -1]))


@dataclass(frozen=True, slots=True)
class _Changes:
    """Book updates with what was there before: all (n,), and the improved ticks by frame.

    ``distance``: ticks behind the touch before the frame.
    """

    distance: Ints
    before: Ints
    after: Ints
    improved: Ints
    seconds: float

    @classmethod
    def of(cls, frames: Frames, quotes: _Quotes) -> _Changes:
        delta = frames.delta
        side, px, qty = delta["side"].astype(np.int64), delta["px"], delta["qty"]
        order = np.lexsort((np.arange(len(px)), px, side))
        before = np.zeros(len(px), dtype=np.int64)
        is_same = (np.diff(px[order]) == 0) & (np.diff(side[order]) == 0)
        before[order[1:]] = np.where(is_same, qty[order[:-1]], 0)
        at = np.searchsorted(quotes.ids, delta["prev_id"], side="right") - 1
        is_known = (at >= 0) & (delta["flags"] & 1 == 0)
        column = np.where(side > 0, 0, 1)
        distance = (quotes.price[np.maximum(at, 0), column] - px) * side
        last = np.searchsorted(quotes.ids, delta["last_id"], side="right") - 1
        ends = np.flatnonzero((delta["flags"] & 2 != 0) & is_known)
        moved = (quotes.price[last[ends]] - quotes.price[at[ends]]) * np.array([1, -1])
        seconds = float(delta["ts_event"][-1] - delta["ts_event"][0]) / _SECOND
        keep = is_known & (before != qty)
        return cls(distance[keep], before[keep], qty[keep], moved[moved > 0], seconds)


def _touch(quotes: _Quotes, book: Book, orders: Takers) -> Table:
    same = np.diff(quotes.price, axis=0) == 0
    moved = np.diff(quotes.qty, axis=0) != 0
    changed = same.all(axis=1)[:, None] & moved
    takes = len(orders.times) / 2.0
    table = quantiles(book.depth[:, :, 0].ravel(), FINE)
    ranks = _ranks(table, quotes.qty)
    walk = _walk(ranks[:-1][changed], ranks[1:][changed])
    worse = quotes.better < 0
    is_traded = _traded(quotes, orders)[1:, None]
    fresh = np.concatenate([_settled(quotes, side) for side in (0, 1)])
    return {
        "change": (changed.sum() / 2.0 - takes) / quotes.seconds,
        "cancel": (worse & ~is_traded).sum() / 2.0 / quotes.seconds,
        **walk,
        "queue": table,
        "fresh": quantiles(fresh, COARSE),
    }


def _settled(quotes: _Quotes, side: int) -> Ints:
    """Return what a touch that became better holds after a moment, or when it goes before."""
    price, times = quotes.price[:, side], quotes.times
    at = np.flatnonzero(quotes.better[:, side] > 0) + 1
    changed = np.flatnonzero(np.diff(price)) + 1
    gone = np.append(changed, len(price))[np.searchsorted(changed, at, side="right")]
    settled = np.searchsorted(times, times[at] + _MOMENT_NS, side="right")
    return np.asarray(quotes.qty[np.minimum(settled, gone) - 1, side])


def _traded(quotes: _Quotes, orders: Takers) -> NDArray[np.bool_]:
    """Tell of each change of the touch whether a taker came within a millisecond."""
    times = quotes.times // _MS
    near = np.searchsorted(orders.times, times - 1, "left")
    return np.asarray(near < np.searchsorted(orders.times, times + 1, "right"))


def _closing(quotes: _Quotes, changes: _Changes) -> Table:
    """Watch spreads of more than a tick: who quotes inside, how far, how soon."""
    better, spread = quotes.better, quotes.spread
    worse_at = np.where(better < 0, np.arange(len(better))[:, None], -1)
    last = np.maximum.accumulate(worse_at, axis=0)
    # The side that went last; where both did at once nobody followed anybody.
    vacated = np.where(last[:, 0] > last[:, 1], 0, 1)
    is_inside = (spread[:-1] > 1) & ((better > 0).sum(axis=1) == 1) & (last[:, 0] != last[:, 1])
    side = np.where(better[:, 0] > 0, 0, 1)
    previous = np.r_[0, vacated[:-1]]
    ticks = np.maximum(better, 0).sum(axis=1)[is_inside]
    follows = ticks[(side != previous)[is_inside]].sum() / max(int(ticks.sum()), 1)
    whole = (spread[1:] == 1)[is_inside]
    open_ms = np.diff(quotes.times)[spread[:-1] > 1].sum() / _MS
    births = (changes.distance < 0) & (changes.before == 0)
    frames = len(changes.improved)
    trail = (births.sum() - frames) / max(int(changes.improved.sum()) - frames, 1)
    return {
        "delay": open_ms / 1000.0 / max(int(is_inside.sum()), 1),
        "follow": follows,
        "whole": whole.mean(),
        "trail": min(max(trail, 0.0), 1.0),
    }


def _taking(frames: Frames, quotes: _Quotes, orders: Takers) -> Table:
    gaps = np.diff(orders.times).astype(float)
    bounds = np.unique(np.quantile(gaps, np.arange(1, _CLASSES) / _CLASSES))
    classes = np.searchsorted(bounds, gaps[:-1], side="right")
    tables = [quantiles(gaps[1:][classes == c], FINE) for c in range(len(bounds) + 1)]
    filled = frames.trade["qty"]
    done = np.cumsum(filled)
    left = np.repeat(done[np.cumsum(orders.fills) - 1], orders.fills) - done + filled
    # A fill that ends a level is cut by it, as the simulated book cuts them too.
    price = frames.trade["px"]
    is_cut = np.r_[(np.diff(price) != 0) & (left[:-1] > filled[:-1]), False]
    filled, left = filled[~is_cut], left[~is_cut]
    steps = np.unique(np.quantile(left, np.arange(1, _SIZES) / _SIZES, method="lower"))
    sizes = np.searchsorted(steps, left, side="right")
    shares = [quantiles((filled / left)[sizes == c], COARSE) for c in range(len(steps) + 1)]
    return {
        "bounds": bounds,
        "gaps": tables,
        "memory": memory(orders.side.astype(float)),
        "pressure": _pressure(quotes, orders),
        "size": quantiles(orders.size, FINE),
        "steps": steps,
        "shares": shares,
    }


def _pressure(quotes: _Quotes, orders: Takers) -> float:
    """Slope of the side of a taker on the imbalance of the touch before it."""
    at = np.searchsorted(quotes.times // _MS, orders.times, side="left") - 1
    known = at >= 0
    qty = quotes.qty[at[known]].astype(float)
    imbalance = (qty[:, 0] - qty[:, 1]) / qty.sum(axis=1)
    slope = np.cov(imbalance, orders.side[known])[0, 1] / imbalance.var()
    return float(min(max(slope, 0.0), 1.0))


def memory(sides: Floats, lags: int = LAGS) -> Floats:
    """Fit a discrete autoregressive process to signs.

    Its autocorrelation obeys the Yule-Walker equations of an ordinary one (Jacobs, Lewis
    1978); weights are chances, so the equations are solved by least squares among weights
    that are not negative and add up to less than one.

    Returns
    -------
    ndarray
        Weights of the last 1 to ``lags`` signs, shape (lags,).
    """
    centred = sides - sides.mean()
    raw = [float(centred[lag:] @ centred[: len(centred) - lag]) for lag in range(lags + 1)]
    rho = np.array(raw) / raw[0]
    matrix = rho[np.abs(np.subtract.outer(np.arange(lags), np.arange(lags)))]
    weights = np.zeros(lags)
    rate = 1.0 / np.linalg.norm(matrix, 2) ** 2
    for _ in range(_PROJECTIONS):
        weights = np.maximum(weights - rate * matrix.T @ (matrix @ weights - rho[1:]), 0.0)
    return np.asarray(weights * min(1.0, 0.95 / max(float(weights.sum()), 1e-12)))


def _bands(book: Book, changes: _Changes) -> list[Table]:
    found = []
    births = (changes.before == 0) & (changes.after > 0)
    deaths = (changes.before > 0) & (changes.after == 0)
    for low, high in pairwise(EDGES):
        resting = book.depth[:, :, low:high]
        levels = np.count_nonzero(resting) / len(book.times)
        empty = 2 * (high - low) - levels
        inside = (changes.distance >= low) & (changes.distance < high)
        stays = inside & ~births & ~deaths
        table = quantiles(resting[resting > 0], COARSE)
        walk = _walk(_ranks(table, changes.before[stays]), _ranks(table, changes.after[stays]))
        found.append(
            {
                "from": low,
                "to": high,
                "arrival": (births & inside).sum() / changes.seconds / empty,
                "cancel": (deaths & inside).sum() / changes.seconds / levels,
                "change": stays.sum() / changes.seconds / levels,
                **walk,
                "queue": table,
            }
        )
    return found


def quantiles(values: NDArray[Any], count: int) -> Floats:
    """Return ``count`` quantiles at equally spaced ranks.

    The greatest is what gives the last step, log-linear as it is drawn, the mean of the
    sample there: one huge value does not make as many as fit a step.
    """
    ranks = np.linspace(0.0, 1.0, count)
    found = np.quantile(values, ranks, method="inverted_cdf").astype(float)
    found[-1] = _log_linear_end(found[-2], float(values[values >= found[-2]].mean()))
    return np.asarray(found)


def _log_linear_end(start: float, mean: float) -> float:
    """Return where a log-linear step that begins at ``start`` ends if it has this mean."""
    if start <= 0.0 or mean <= start:
        return start if start > 0.0 else 2.0 * mean
    low, high = 0.0, 40.0
    for _ in range(100):
        middle = (low + high) / 2.0
        low, high = (middle, high) if start * np.expm1(middle) / middle < mean else (low, middle)
    return float(start * np.exp(low))


def _ranks(table: Floats, values: Ints) -> Floats:
    """Middle rank of each value in a table, 0 to 1."""
    sides = (np.searchsorted(table, values, side=side) for side in ("left", "right"))
    ranks = np.add(*sides) / 2.0 / len(table)
    return np.asarray(ranks)


def _walk(before: Floats, after: Floats) -> Table:
    """Split changes of a queue's rank into fresh draws and steps of a uniform walk.

    A share ``renew`` of fresh draws pulls ranks towards the middle by that share; what is
    left of the mean size of a change is the walk's.
    """
    change, pull = after - before, 0.5 - before
    renew = float(np.clip((change @ pull) / (pull @ pull), 1e-3, 1.0))
    drawn = float(np.mean(before**2 + (1.0 - before) ** 2)) / 2.0
    rest = (float(np.abs(change).mean()) - renew * drawn) / max(1.0 - renew, 1e-3)
    return {"renew": renew, "step": float(np.clip(2.0 * rest, 1e-3, 1.0))}


Plain = int | float | list["Plain"] | dict[str, "Plain"]


def _rounded(value: object) -> Plain:
    """Return plain numbers of six digits, as the TOML has them."""
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list | np.ndarray):
        return [_rounded(item) for item in value]
    if isinstance(value, int | np.integer):
        return int(value)
    return float(f"{float(str(value)):.6g}")
