"""A marked path cut into UTC days, so that any choice of days can be measured alike.

Years, regimes, rolling windows and resampled histories are all choices of days. Each day
keeps enough of its hourly marks (``Span``) for the drawdown over a choice of days to be
that of the hourly path, exactly.
"""

from __future__ import annotations

from typing import NamedTuple

import numpy as np

from crypto_quant.core.measures.arrays import DAY_NS, Bools, Floats, Ints
from crypto_quant.core.measures.drawdown import drawdown_series
from crypto_quant.core.measures.trips import Tally, tally_by_day


class Span(NamedTuple):
    """Marks of each day relative to the mark it began with; each of shape (..., n).

    ``ret`` simple return, ``high`` and ``low`` extreme marks (the start counts, as 1),
    ``dip`` deepest fall from a peak of the same day.
    """

    ret: Floats
    high: Floats
    low: Floats
    dip: Floats

    def at(self, choice: Ints | Bools) -> Span:
        """Choose days."""
        return Span(*(part[choice] for part in self))

    def depth(self) -> Floats:
        """Maximum drawdown of the days put one after another; shape (...), NaN for none."""
        if self.ret.shape[-1] == 0:
            return np.full(self.ret.shape[:-1], np.nan)
        after = np.cumprod(1.0 + self.ret, axis=-1)
        before = np.concatenate((np.ones_like(after[..., :1]), after[..., :-1]), axis=-1)
        tops = np.maximum.accumulate(before * self.high, axis=-1)
        peak = np.concatenate((np.ones_like(tops[..., :1]), tops[..., :-1]), axis=-1)
        fall = np.maximum(self.dip, 1.0 - before * self.low / peak)
        return np.asarray(fall.max(axis=-1))


class Days(NamedTuple):
    """Days of a path beside buy-and-hold's on the same marks.

    ``start`` int64 ns of each UTC midnight, shape (n,); ``length`` share of a day that the
    path covers (below 1 only at its ends), shape (n,); ``ours``, ``theirs`` spans of the
    strategy and of buy-and-hold; ``pnl`` money; ``exposed`` a position was held or money
    moved; ``hole`` there was no data all day; ``trips`` round trips closed that day. The
    last six have shape (..., n).
    """

    start: Ints
    length: Floats
    ours: Span
    theirs: Span
    pnl: Floats
    exposed: Bools
    hole: Bools
    trips: Tally

    @property
    def month(self) -> Ints:
        """Month number (since 1970-01) of each day, shape (n,)."""
        return self.start.astype("datetime64[ns]").astype("datetime64[M]").astype(np.int64)

    @property
    def year(self) -> Ints:
        """Calendar year of each day, shape (n,)."""
        return self.start.astype("datetime64[ns]").astype("datetime64[Y]").astype(np.int64) + 1970

    def at(self, choice: Ints | Bools) -> Days:
        """Choose days of one path: positions or a mask of shape (n,)."""
        return Days(self.start[choice], self.length[choice], *self._parts(choice))

    def redrawn(self, drawn: Ints) -> Days:
        """Put other days in each day's place; the calendar stays.

        Parameters
        ----------
        drawn : ndarray of shape (..., n)
            Positions in this path, see ``bootstrap.stationary_blocks``.
        """
        return Days(self.start, self.length, *self._parts(drawn))

    def window(self, first: int, stop: int) -> Days:
        """Choose positions ``first`` to ``stop`` (excluded) along the last axis."""

        def cut(part: Floats) -> Floats:
            return part[..., first:stop]

        return Days(
            self.start[first:stop],
            self.length[first:stop],
            Span(*map(cut, self.ours)),
            Span(*map(cut, self.theirs)),
            cut(self.pnl),
            self.exposed[..., first:stop],
            self.hole[..., first:stop],
            Tally(*map(cut, self.trips)),
        )

    def _parts(self, choice: Ints | Bools) -> tuple[Span, Span, Floats, Bools, Bools, Tally]:
        return (
            self.ours.at(choice),
            self.theirs.at(choice),
            self.pnl[choice],
            self.exposed[choice],
            self.hole[choice],
            Tally(*(part[choice] for part in self.trips)),
        )


class Marks(NamedTuple):
    """An hourly marked path, each of shape (n,).

    ``ts`` int64 ns ascending; ``growth`` value of 1 in the strategy; ``held`` the same of
    buy-and-hold; ``gained`` equity less outside cash, in money; ``notional`` gross position
    value in the step that ends here; ``hole`` no data in the step that ends here.
    """

    ts: Ints
    growth: Floats
    held: Floats
    gained: Floats
    notional: Floats
    hole: Bools


def cut_days(marks: Marks, closed: Ints, results: Floats) -> Days:
    """Cut a path at UTC midnights.

    A mark at midnight ends the day before, with the funding booked at that moment. Where
    midnight has no mark the last one before it stands in; a day without marks is a hole.

    Parameters
    ----------
    marks : Marks
        At least two marks.
    closed : ndarray of shape (k,)
        int64 ns at which round trips were closed; one outside the path joins its nearest day.
    results : ndarray of shape (k,)
        Their net results, in money.
    """
    ts = marks.ts
    midnights = np.arange(ts[0] // DAY_NS + 1, -(-ts[-1] // DAY_NS), dtype=np.int64) * DAY_NS
    edges = np.concatenate((ts[:1], midnights, ts[-1:]))
    cuts = np.searchsorted(ts, edges, side="right") - 1
    n = edges.size - 1
    position = np.zeros(ts.size)
    position[1:] = marks.notional[1:] != 0
    pnl = np.diff(marks.gained[cuts])
    day = np.clip(np.searchsorted(edges, closed, side="left") - 1, 0, n - 1)
    seen = np.zeros(ts.size)
    seen[1:] = ~marks.hole[1:]
    return Days(
        start=np.concatenate((ts[:1] // DAY_NS * DAY_NS, midnights)),
        length=np.diff(edges) / DAY_NS,
        ours=_spans(marks.growth, cuts),
        theirs=_spans(marks.held, cuts),
        pnl=pnl,
        exposed=(np.diff(np.cumsum(position)[cuts]) > 0) | (pnl != 0),
        hole=np.diff(np.cumsum(seen)[cuts]) == 0,
        trips=tally_by_day(results, day, n),
    )


def _spans(index: Floats, cuts: Ints) -> Span:
    first, last = cuts[:-1, None], cuts[1:, None]
    longest = int((last - first).max())
    rows = np.minimum(first + np.arange(longest + 1), last)
    start = index[first]
    # After ruin nothing is left to gain or lose: the day is flat, the total stays -1.
    marks = np.where(start == 0, 1.0, index[rows] / np.where(start == 0, 1.0, start))
    return Span(
        ret=marks[:, -1] - 1.0,
        high=marks.max(axis=1),
        low=marks.min(axis=1),
        dip=drawdown_series(marks).max(axis=1),
    )
