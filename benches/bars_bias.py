"""What bars give away: the same orders on recorded books and on bars built from their trades.

``python -m benches.bars_bias`` prints, for every recorded session and kind of order, how much
worse bars filled it, how often they did better, and by how much at most, beside the bound that no
fill of bars may pass. Ticks are taken at the pessimistic end: risk-averse queue, the session's
99th percentile of latency.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final, NamedTuple

import numpy as np

from benches.bars_orders import (
    KINDS,
    Asked,
    Bars,
    Filled,
    Ints,
    bars_line,
    bars_of,
    market_trades,
    orders,
    size,
    tick_line,
    trade,
)
from benches.session import Recording, recording
from crypto_quant.runtime.middles import Middles, middles

FLOOR_BPS: Final = 1
"""Least worsening of a taker on bars, the engine's default."""
CASES: Final = (
    ("hftbacktest/usdm/btcusdt_20240808.gz", "BTCUSDT-PERP.BINANCE"),
    ("hftbacktest/usdm/btcusdt_20230404.dat.gz", "BTCUSDT-PERP.BINANCE"),
    ("hftbacktest/usdm/ethusdt_20240808.gz", "ETHUSDT-PERP.BINANCE"),
)


class Bias(NamedTuple):
    """How bars did beside ticks on one kind of order of one session.

    ``asked`` orders, of which ``bars`` and ``ticks`` filled so many and ``both`` in both.
    ``worse_bps`` is the mean by which bars paid more; ``better`` how many they filled at a better
    price, ``most_bps`` by how much at most; ``bound_bps`` the largest bound of a fill, and
    ``beyond`` how many fills lie beyond their bound. ``alone``: filled on bars only.
    """

    asked: int
    bars: int
    ticks: int
    both: int
    worse_bps: float
    better: int
    most_bps: float
    bound_bps: float
    beyond: int
    alone: int


def bound_bps(
    kind: str,
    order: Asked,
    bars: Bars,
    tick: Filled,
    path: Middles,
    trades: tuple[Ints, Ints, Ints],
) -> float:
    """Return by how much bars may fill an order better than ticks, bps; negative: they may not.

    A market order: by the range of what was traded and of the middle, from the decision to the
    later of its arrival and its bar's first trade, with its own fill, less the floor of bars. A
    limit order: by nothing, both fill at its price. A stop: by how far the book had fallen
    through its trigger when it was hit, less the floor.
    """
    if kind == "limit":
        return 0.0
    if order.px is not None:
        through = (tick.px - order.px) * order.side
        return max(through / order.px * 1e4 - FLOOR_BPS, -FLOOR_BPS)
    n = int(np.searchsorted(bars.open_ts, order.ts))
    until = max(tick.ts, int(bars.first[n]))
    ts, px, _ = trades
    inside = px[np.searchsorted(ts, order.ts) : np.searchsorted(ts, until, side="right")]
    first, last = np.searchsorted(path.times, [order.ts, until], side="right")
    middle = path.sums[max(first - 1, 0) : last] / 2.0
    seen = np.concatenate([inside, middle[middle > 0], [tick.px]])
    return float((seen.max() - seen.min()) / seen.min() * 1e4 - FLOOR_BPS)


def compare(kind: str, session: Recording, latency: int) -> Bias:
    """Run one kind of order through both engines."""
    trades = market_trades(session)
    bars, path = bars_of(trades), middles(session.tape, session.tick)
    asked = orders(kind, bars, session)
    lot = size(session, bars)
    on_ticks = trade(tick_line(session, latency), kind, asked, lot)
    on_bars = trade(bars_line(session, bars, latency), kind, asked, lot)
    gain, bound = [], []
    for n in sorted(set(on_ticks) & set(on_bars)):
        order, tick, bar = asked[n], on_ticks[n], on_bars[n]
        gain.append(order.side * (tick.px - bar.px) / bar.px * 1e4)
        bound.append(bound_bps(kind, order, bars, tick, path, trades))
    better = np.array(gain) if gain else np.zeros(1)
    limits = np.array(bound) if bound else np.zeros(1)
    return Bias(
        len(asked),
        len(on_bars),
        len(on_ticks),
        len(gain),
        float(-better.mean()),
        int((better > 0).sum()),
        float(better.max()),
        float(limits.max()),
        int((better > limits + 1e-6).sum()),
        len(set(on_bars) - set(on_ticks)),
    )


def sessions(folder: Path) -> Iterator[tuple[str, Recording]]:
    """Yield the recorded sessions that there are, by name."""
    for number, (capture, key) in enumerate(CASES):
        place = folder / str(number)
        place.mkdir()
        found = recording(place, capture, key)
        if found is not None:
            yield f"{key.partition('-')[0]} {Path(capture).name.partition('_')[2][:8]}", found


def main() -> None:
    """Print the table."""
    head = (
        "asked",
        "bars",
        "ticks",
        "worse bps",
        "better",
        "most bps",
        "bound bps",
        "beyond",
        "alone",
    )
    print(f"{'session, order':<24}" + "".join(f"{name:>11}" for name in head))
    with tempfile.TemporaryDirectory() as folder:
        for name, session in sessions(Path(folder)):
            latency = session.tape.feed_delay_ns["p99"]
            for kind in KINDS:
                found = compare(kind, session, latency)
                cells = (
                    f"{found.asked}",
                    f"{found.bars}",
                    f"{found.ticks}",
                    f"{found.worse_bps:.2f}",
                    f"{found.better}",
                    f"{found.most_bps:.2f}",
                    f"{found.bound_bps:.2f}",
                    f"{found.beyond}",
                    f"{found.alone}",
                )
                print(f"{f'{name}, {kind}':<24}" + "".join(f"{cell:>11}" for cell in cells))


if __name__ == "__main__":
    main()
