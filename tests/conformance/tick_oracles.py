"""What each feature on ticks should be, by replaying the whole tape up to a time."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Final, TypeAlias

import numpy as np

from crypto_quant.feature_engineering.events import Events, Kind
from tests.conformance.feature_worlds import PRICE_EXP, QTY_EXP, T0, S

Level: TypeAlias = tuple[float, float]


@dataclass(frozen=True)
class Replay:
    """The tape up to ``now`` in plain lists: book states by frame, quotes, trades."""

    now: int
    frames: list[tuple[int, list[Level], list[Level]]]
    quotes: list[tuple[int, Level, Level]]
    trades: list[tuple[int, float]]


def replay(events: Events, now: int) -> Replay:
    sides: dict[int, dict[int, int]] = {1: {}, -1: {}}
    out = Replay(now, [], [], [])

    def scaled(px: int, qty: int) -> Level:
        return px / 10**PRICE_EXP, qty / 10**QTY_EXP

    for head, body in zip(events.head.tolist(), events.body.tolist(), strict=True):
        kind, ts, flags = head[0], head[3], head[4]
        if ts > now:
            break
        if kind == Kind.TRADE:
            out.trades.append((ts, body[2] / 10**QTY_EXP * body[3]))
        elif kind == Kind.QUOTE:
            out.quotes.append((ts, scaled(body[0], body[1]), scaled(body[2], body[3])))
        elif kind == Kind.DELTA:
            side, px, qty = body[:3]
            sides[side][px] = qty
            if flags & 2:
                bids = sorted((p for p, q in sides[1].items() if q), reverse=True)[:10]
                asks = sorted(p for p, q in sides[-1].items() if q)[:10]
                bid_levels = [scaled(p, sides[1][p]) for p in bids]
                ask_levels = [scaled(p, sides[-1][p]) for p in asks]
                out.frames.append((ts, bid_levels, ask_levels))
    return out


def imbalance(levels: int) -> Callable[[Replay], float]:
    def of(r: Replay) -> float:
        _, bids, asks = r.frames[-1]
        bid, ask = (sum(q for _, q in side[:levels]) for side in (bids, asks))
        return (bid - ask) / (bid + ask)

    return of


def _touch(r: Replay) -> tuple[float, float, float, float, float]:
    _, bids, asks = r.frames[-1]
    (bid, bid_qty), (ask, ask_qty) = bids[0], asks[0]
    return bid, bid_qty, ask, ask_qty, (bid + ask) / 2


def spread(r: Replay) -> float:
    bid, _, ask, _, mid = _touch(r)
    return 1e4 * (ask - bid) / mid


def weighted_mid(r: Replay) -> float:
    bid, bid_qty, ask, ask_qty, mid = _touch(r)
    share = bid_qty / (bid_qty + ask_qty)
    return 1e4 * (share * ask + (1 - share) * bid - mid) / mid


def _mids(r: Replay) -> list[float]:
    return [(bid[0] + ask[0]) / 2 for _, bid, ask in r.quotes]


def microprice(r: Replay) -> float:
    """For every quote find the next move of the mid that has happened by now."""
    mids = _mids(r)
    shares = [bid[1] / (bid[1] + ask[1]) for _, bid, ask in r.quotes]
    buckets = [min(int(np.floor(share * 10 + 1e-12)), 9) for share in shares]
    wanted = buckets[-1]
    moved, visits, following = 0.0, 0, None
    for k in range(len(mids) - 2, -1, -1):
        if mids[k + 1] != mids[k]:
            following = (mids[k + 1] / mids[k] - 1) * 1e4
        if following is None:
            continue
        if buckets[k] == wanted:
            moved, visits = moved + following, visits + 1
        if buckets[k] == 9 - wanted:
            moved, visits = moved - following, visits + 1
    return moved / (visits + 100)


def _flow(before: Level, after: Level, better: Callable[[float, float], bool]) -> float:
    """Return what a side gained in the sense of Cont et al.: its queue's change at the touch."""
    if after[0] == before[0]:
        return after[1] - before[1]
    return after[1] if better(after[0], before[0]) else -before[1]


def ofi(seconds: int) -> Callable[[Replay], float]:
    def of(r: Replay) -> float:
        total = 0.0
        for (_, bid0, ask0), (ts, bid1, ask1) in zip(r.quotes, r.quotes[1:], strict=False):
            if ts > r.now - seconds * S:
                total += _flow(bid0, bid1, lambda new, old: new > old)
                total -= _flow(ask0, ask1, lambda new, old: new < old)
        return total

    return of


def ofi_levels(r: Replay) -> float:
    total = 0.0
    for (_, bids0, asks0), (ts, bids1, asks1) in zip(r.frames, r.frames[1:], strict=False):
        if ts > r.now - 10 * S:
            for k in range(5):
                total += _flow(bids0[k], bids1[k], lambda new, old: new > old)
                total -= _flow(asks0[k], asks1[k], lambda new, old: new < old)
    return total


def trade_flow(seconds: int) -> Callable[[Replay], float]:
    def of(r: Replay) -> float:
        inside = [signed for ts, signed in r.trades if ts > r.now - seconds * S]
        return sum(inside) / sum(map(abs, inside)) if inside else float("nan")

    return of


def trade_rate(r: Replay) -> float:
    return sum(ts > r.now - 10 * S for ts, _ in r.trades) / 10


def depth_slope(r: Replay) -> float:
    _, bids, asks = r.frames[-1]
    mid = (bids[0][0] + asks[0][0]) / 2
    slopes = [
        sum(q for _, q in side) / (abs(side[9][0] - mid) / mid * 1e4) for side in (bids, asks)
    ]
    return sum(slopes) / 2


def mid_return(r: Replay) -> float:
    mids = _mids(r)
    then = [mid for mid, quote in zip(mids, r.quotes, strict=True) if quote[0] <= r.now - 10 * S]
    return float(np.log(mids[-1] / then[-1]) * 1e4)


TICK_ORACLES: Final[dict[str, Callable[[Replay], float]]] = {
    "spread_l1": spread,
    "imbalance_l1": imbalance(1),
    "imbalance_l5": imbalance(5),
    "imbalance_l10": imbalance(10),
    "weighted_mid_l1": weighted_mid,
    "microprice_l1": microprice,
    "ofi_l1_1s": ofi(1),
    "ofi_l1_10s": ofi(10),
    "ofi_l5_10s": ofi_levels,
    "trade_flow_1s": trade_flow(1),
    "trade_flow_10s": trade_flow(10),
    "trade_rate_10s": trade_rate,
    "depth_slope_l10": depth_slope,
    "ret_mid_10s": mid_return,
}

WARM: Final = T0 + 60 * S
"""By now every tick feature of the random book has its value."""
