"""Triple barrier and plain forward return, both for a long and a short trade, net of costs.

A decision at ``t`` enters at the open of the bar that begins at ``t``. A long is taken
off when its *net* return reaches ``+width x ATR`` or ``-width x ATR`` of the entry price,
or at the close of the last bar of the horizon. So, with round-trip cost ``c`` as a
fraction of entry ``e`` and ``w = width x ATR``:

========  ==================  ==================
trade     take                stop
========  ==================  ==================
long      e (1 + c) + w       e (1 + c) - w
short     e (1 - c) - w       e (1 - c) + w
========  ==================  ==================

What a bar cannot tell goes against the trade: a bar that touches both its barriers is its
stop, a stop fills at the worse of trigger and bar open, a take at its trigger and no
better. The two trades are judged apart, so one bar may stop out both.

References
----------
Lopez de Prado (2018), Advances in Financial Machine Learning, ch. 3.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import NamedTuple

import numpy as np
from numpy.typing import NDArray
from pydantic import Field

from crypto_quant.core.config import Section
from crypto_quant.core.errors import ConfigError, DataError

HOUR_NS = 3_600_000_000_000


class LabelConfig(Section):
    """Horizon in hours, barrier width in ATR, round-trip cost as a fraction of the entry.

    The default cost is two taker fees of 5 bp and two half spreads of 1 bp. Funding over
    the horizon is not in it.
    """

    horizon_h: int = Field(24, gt=0, le=8_760)
    width_atr: float = Field(2.0, gt=0, le=100)
    cost_frac: float = Field(0.0012, ge=0, lt=1)

    @property
    def horizon_ns(self) -> int:
        """Horizon in ns."""
        return self.horizon_h * HOUR_NS


class Bars(NamedTuple):
    """Bars in columns: ``ts`` int64 open times (n,), prices float64 (n,), ``interval_ns``."""

    ts: NDArray[np.int64]
    open: NDArray[np.float64]
    high: NDArray[np.float64]
    low: NDArray[np.float64]
    close: NDArray[np.float64]
    interval_ns: int

    def between(self, start: int, end: int) -> Bars:
        """Return the bars that open in ``[start, end)``.

        Raises
        ------
        DataError
            A bar is missing in between, or a price is not a positive number.
        """
        first, stop = np.searchsorted(self.ts, [start, end])
        cut = slice(first, stop)
        part = Bars(
            self.ts[cut],
            self.open[cut],
            self.high[cut],
            self.low[cut],
            self.close[cut],
            self.interval_ns,
        )
        steps = np.diff(part.ts)
        broken = np.flatnonzero(steps != self.interval_ns)
        if broken.size:
            raise DataError(
                f"bars: step of {steps[broken[0]]} ns after {part.ts[broken[0]]} inside the "
                f"segment {start}..{end}: give segments without holes"
            )
        prices = np.stack(part[1:5])
        bad = np.flatnonzero(~(np.isfinite(prices) & (prices > 0)).all(axis=0))
        if bad.size:
            raise DataError(f"bars: the bar at {part.ts[bad[0]]} has a price that is not > 0")
        return part


@dataclass(frozen=True, slots=True)
class Labels:
    """What the trades opened at each decision time came to; arrays of shape (m,).

    Parameters
    ----------
    row
        Index of the decision time in the ``ts`` that was labelled; ascending.
    t0, t1
        Entry, and the time from which the whole label is known (the end of the bar in
        which the later of the two trades ended), ns UTC.
    kind
        int8: +1 a long reached its take, -1 a short did, 0 neither.
    net_long, net_short
        Net return of each trade as a fraction of the entry price.
    """

    row: NDArray[np.int64]
    t0: NDArray[np.int64]
    t1: NDArray[np.int64]
    kind: NDArray[np.int8]
    net_long: NDArray[np.float64]
    net_short: NDArray[np.float64]

    def __len__(self) -> int:
        return len(self.row)

    @property
    def directional(self) -> NDArray[np.float64]:
        """Half of what long earned over short: costs cancel, the sign is the market's."""
        return 0.5 * (self.net_long - self.net_short)

    def take(self, index: NDArray[np.intp] | NDArray[np.bool_]) -> Labels:
        """Return the labels at ``index`` (positions or mask)."""
        return Labels(
            self.row[index],
            self.t0[index],
            self.t1[index],
            self.kind[index],
            self.net_long[index],
            self.net_short[index],
        )


def triple_barrier(
    bars: Bars,
    ts: NDArray[np.int64],
    atr: NDArray[np.float64],
    segments: Sequence[tuple[int, int]],
    config: LabelConfig,
) -> Labels:
    """Label each decision time by the barrier that its trades touch first.

    Parameters
    ----------
    bars
        Bars of the traded instrument, ascending.
    ts
        Decision times (n,), ascending, ns UTC.
    atr
        Average true range in price units as known at ``ts``, shape (n,); where it is NaN
        or not positive no label is made.
    segments
        Stretches without a hole, ``[start, end)`` in ns; a label ends inside the segment
        it began in, or is not made.
    config
        Horizon, width, costs.

    Raises
    ------
    DataError
        A bar is missing inside a segment, or arrays differ in length.
    ConfigError
        The horizon is no multiple of the bar interval.
    """
    if atr.shape != ts.shape:
        raise DataError(f"labels: {len(ts)} decision times but {len(atr)} ATR values")
    parts = [
        _barriers(piece, atr[piece.row], config)
        for piece in _entries(bars, ts, segments, config, usable=atr > 0)
    ]
    return _join(parts)


def forward_return(
    bars: Bars,
    ts: NDArray[np.int64],
    atr: NDArray[np.float64],
    segments: Sequence[tuple[int, int]],
    config: LabelConfig,
) -> Labels:
    """Label each decision time by the return to the end of the horizon: the control.

    ``kind`` is the side that earned after costs, 0 where neither did. Parameters and
    errors as in `triple_barrier`; ``atr`` and the barrier width are not used.
    """
    parts: list[Labels] = []
    for piece in _entries(bars, ts, segments, config, usable=np.ones(len(ts), dtype=np.bool_)):
        entry, last = piece.bars.open[piece.entry], piece.bars.close[piece.entry + piece.steps - 1]
        gross = last / entry - 1.0
        long, short = gross - config.cost_frac, -gross - config.cost_frac
        kind = (long > 0).astype(np.int8) - (short > 0).astype(np.int8)
        t0 = piece.bars.ts[piece.entry]
        parts.append(Labels(piece.row, t0, t0 + config.horizon_ns, kind, long, short))
    return _join(parts)


class _Entries(NamedTuple):
    """Entries of one segment: its bars, decision rows, entry bars, bars in the horizon."""

    bars: Bars
    row: NDArray[np.int64]
    entry: NDArray[np.int64]
    steps: int


def _entries(
    bars: Bars,
    ts: NDArray[np.int64],
    segments: Sequence[tuple[int, int]],
    config: LabelConfig,
    usable: NDArray[np.bool_],
) -> Iterator[_Entries]:
    steps, rest = divmod(config.horizon_ns, bars.interval_ns)
    if rest:
        raise ConfigError(
            f"horizon_h: {config.horizon_h} h is no multiple of the bar interval "
            f"{bars.interval_ns} ns"
        )
    for start, end in segments:
        part = bars.between(start, end)
        if not len(part.ts):
            continue
        entry, off = np.divmod(ts - part.ts[0], bars.interval_ns)
        fits = (entry >= 0) & (off == 0) & (entry + steps <= len(part.ts)) & usable
        row = np.flatnonzero(fits).astype(np.int64)
        yield _Entries(part, row, entry[row], steps)


def _barriers(piece: _Entries, atr: NDArray[np.float64], config: LabelConfig) -> Labels:
    width = config.width_atr * atr
    long_exit, net_long, long_won = _trade(piece, width, config.cost_frac, sign=1.0)
    short_exit, net_short, short_won = _trade(piece, width, config.cost_frac, sign=-1.0)
    t0 = piece.bars.ts[piece.entry]
    held = np.maximum(long_exit, short_exit) + 1
    kind = long_won.astype(np.int8) - short_won.astype(np.int8)
    return Labels(piece.row, t0, t0 + held * piece.bars.interval_ns, kind, net_long, net_short)


def _trade(
    piece: _Entries, width: NDArray[np.float64], cost: float, sign: float
) -> tuple[NDArray[np.int64], NDArray[np.float64], NDArray[np.bool_]]:
    """Return the bar offset of the exit, the net return and whether the take was reached.

    A short is a long in mirrored prices: with ``sign`` -1 its best price is -low.
    """
    entry = piece.bars.open[piece.entry]
    best = sign * (piece.bars.high if sign > 0 else piece.bars.low)
    worst = sign * (piece.bars.low if sign > 0 else piece.bars.high)
    breakeven = sign * entry + cost * entry
    take, stop = breakeven + width, breakeven - width
    end = np.full(len(entry), piece.steps - 1, dtype=np.int64)
    price = sign * piece.bars.close[piece.entry + piece.steps - 1]
    won = np.zeros(len(entry), dtype=np.bool_)
    running = np.arange(len(entry))
    for offset in range(piece.steps):
        bar = piece.entry[running] + offset
        stopped = worst[bar] <= stop[running]
        taken = ~stopped & (best[bar] >= take[running])
        price[running[stopped]] = np.minimum(
            stop[running[stopped]], sign * piece.bars.open[bar[stopped]]
        )
        price[running[taken]] = take[running[taken]]
        won[running[taken]] = True
        ended = stopped | taken
        end[running[ended]] = offset
        running = running[~ended]
    return end, (price - sign * entry) / entry - cost, won


def _join(parts: Sequence[Labels]) -> Labels:
    if not parts:
        none = np.empty(0, dtype=np.int64)
        nothing = np.empty(0, dtype=np.float64)
        return Labels(none, none, none, np.empty(0, dtype=np.int8), nothing, nothing)
    return Labels(
        np.concatenate([p.row for p in parts]),
        np.concatenate([p.t0 for p in parts]),
        np.concatenate([p.t1 for p in parts]),
        np.concatenate([p.kind for p in parts]),
        np.concatenate([p.net_long for p in parts]),
        np.concatenate([p.net_short for p in parts]),
    )
