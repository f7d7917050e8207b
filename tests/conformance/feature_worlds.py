"""Seeded markets that features are checked on: plain arrays, and the same as events."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

import numpy as np

from crypto_quant.core.instruments import Instrument
from crypto_quant.feature_engineering import events as ev
from crypto_quant.feature_engineering.catalog import CATALOG
from crypto_quant.feature_engineering.events import Events, Floats, Ints, Kind
from crypto_quant.feature_engineering.rows import FeatureInfo, FeatureSpec
from crypto_quant.feature_engineering.stream import FeatureStream
from crypto_quant.venues.rules import load_instruments

PERP: Final = "BTCUSDT-PERP.BINANCE"
SPOT: Final = "BTCUSDT.BINANCE"
ROLES: Final = {"perp": PERP, "spot": SPOT}
PRICE_EXP: Final = 2
QTY_EXP: Final = 5
S: Final = 10**9
MINUTE: Final = 60 * S
HOUR: Final = 3600 * S
DAY: Final = 24 * HOUR
T0: Final = 1_700_006_400 * S
"""2023-11-15 00:00 UTC: the first bar opens here."""

SERIES: Final = tuple(dict.fromkeys(name for row in CATALOG.values() for name in row.series))
TICK_ROWS: Final = tuple(row for row in CATALOG.values() if row.gap == "reset")
BAR_ROWS: Final = tuple(row for row in CATALOG.values() if row.gap == "bridge")


def instruments() -> list[Instrument]:
    """Return the two instruments on one test grid."""
    known = load_instruments()
    return [replace(known[i], price_exp=PRICE_EXP, qty_exp=QTY_EXP) for i in (PERP, SPOT)]


def specs(rows: tuple[FeatureInfo, ...]) -> tuple[FeatureSpec, ...]:
    return tuple(row.spec(ROLES) for row in rows)


def stream(rows: tuple[FeatureInfo, ...], series: tuple[str, ...] = SERIES) -> FeatureStream:
    return FeatureStream(specs(rows), instruments(), series)


@dataclass(frozen=True)
class Bars:
    """Bars in floats, with their ends; ``count`` and ``taker_buy`` on spot only."""

    end: Ints
    high: Floats
    low: Floats
    close: Floats
    volume: Floats
    count: Floats
    taker_buy: Floats

    def until(self, now: int) -> Bars:
        n = int(np.searchsorted(self.end, now, side="right"))
        cut = (self.high, self.low, self.close, self.volume, self.count, self.taker_buy)
        return Bars(self.end[:n], *(column[:n] for column in cut))


@dataclass(frozen=True)
class Points:
    """Dated values with the time that each became known."""

    period: Ints
    known: Ints
    value: Floats

    def until(self, now: int) -> Points:
        seen = self.known <= now
        return Points(self.period[seen], self.known[seen], self.value[seen])


@dataclass(frozen=True)
class BarWorld:
    """Perpetual hours, spot minutes, funding and daily series."""

    perp: Bars
    spot: Bars
    funding: Points
    series: dict[str, Points]
    events: Events
    grid: Ints

    def until(self, now: int) -> BarWorld:
        series = {name: points.until(now) for name, points in self.series.items()}
        cut = (self.perp.until(now), self.spot.until(now), self.funding.until(now))
        return BarWorld(*cut, series, self.events, self.grid)


def _random_bars(
    rng: np.random.Generator, n: int, interval: int, index: int, start: float
) -> tuple[Bars, Events]:
    sd = 0.006 * np.sqrt(interval / HOUR)
    close = np.round(start * np.exp(np.cumsum(rng.standard_t(4, n) * sd)), PRICE_EXP)
    opens = np.concatenate([[start], close[:-1]])
    spread = np.abs(rng.normal(0, sd, (2, n)))
    high = np.round(np.maximum(opens, close) * (1 + spread[0]), PRICE_EXP)
    low = np.round(np.minimum(opens, close) * (1 - spread[1]), PRICE_EXP)
    volume = np.round(rng.lognormal(2.0, 1.0, n), QTY_EXP)
    taker_buy = np.round(volume * rng.beta(5, 5, n), QTY_EXP)
    count = rng.poisson(400, n) + 1
    begin = T0 + np.arange(n, dtype=np.int64) * interval
    prices = np.rint(np.stack([opens, high, low, close], axis=1) * 10**PRICE_EXP)
    lots = [np.rint(x * 10**QTY_EXP).astype(np.int64) for x in (volume, taker_buy)]
    tape = ev.bars(
        index, interval, begin, prices.astype(np.int64), lots[0], count.astype(np.int64), lots[1]
    )
    columns = (high, low, close, volume, count.astype(float), taker_buy)
    return Bars(begin + interval, *columns), tape


def bar_world(seed: int = 7, hours: int = 800, days: int = 400) -> BarWorld:
    """Return a random market without holes; the daily series began ``days`` earlier."""
    rng = np.random.default_rng(seed)
    perp, perp_events = _random_bars(rng, hours, HOUR, 0, 40_000.0)
    spot, spot_events = _random_bars(rng, hours * 60, MINUTE, 1, 40_010.0)
    settled = T0 + np.arange(hours // 8, dtype=np.int64) * 8 * HOUR
    rates = rng.integers(-3_000, 9_000, len(settled))
    funding = Points(settled, settled, rates / 1e8)
    tapes = [spot_events, perp_events, ev.funding(0, settled, settled, rates, 8)]
    series = {}
    total = days + hours // 24
    period = T0 + (np.arange(total, dtype=np.int64) - days) * DAY
    for index, name in enumerate(SERIES):
        value = 50.0 * np.exp(np.cumsum(rng.normal(0, 0.03, total)))
        points = Points(period, period + DAY + 12 * HOUR, value)
        series[name] = points
        tapes.append(ev.external(index, points.period, points.known, value))
    tape = ev.merge(tapes)
    grid = T0 + np.arange(1, hours + 1, dtype=np.int64) * HOUR
    return BarWorld(perp, spot, funding, series, tape, grid)


@dataclass(frozen=True)
class TickWorld:
    """A book, its quotes and trades, event by event."""

    events: Events
    grid: Ints


class _Maker:
    """Keeps a plausible book while it writes the tape."""

    def __init__(self, rng: np.random.Generator) -> None:
        self.rng = rng
        self.mid = 4_000_000
        self.book: tuple[dict[int, int], dict[int, int]] = ({}, {})
        self.rows: list[tuple[list[int], list[int]]] = []

    def add(self, kind: Kind, ts: int, body: list[int], flags: int = 0) -> None:
        self.rows.append(([int(kind), 0, ts, ts, flags], body + [0] * (8 - len(body))))

    def frame(self, ts: int, levels: list[tuple[int, int, int]], snapshot: bool) -> None:
        for index, (side, px, qty) in enumerate(levels):
            book = self.book[0] if side > 0 else self.book[1]
            if qty:
                book[px] = qty
            else:
                book.pop(px, None)
            last = 2 if index + 1 == len(levels) else 0
            self.add(Kind.DELTA, ts, [side, px, qty], int(snapshot) | last)
        bid, ask = max(self.book[0]), min(self.book[1])
        self.add(Kind.QUOTE, ts, [bid, self.book[0][bid], ask, self.book[1][ask]])

    def qty(self) -> int:
        return int(self.rng.integers(1_000, 400_000))

    def snapshot(self, ts: int) -> None:
        levels = [(1, self.mid - 10 * k, self.qty()) for k in range(1, 26)]
        levels += [(-1, self.mid + 10 * k, self.qty()) for k in range(1, 26)]
        self.frame(ts, levels, snapshot=True)

    def shuffle(self, ts: int) -> None:
        """Change a few levels; now and then move the whole book by a step."""
        side = int(self.rng.choice([-1, 1]))
        own, other = self.book if side > 0 else self.book[::-1]
        best = max(own) if side > 0 else min(own)
        if self.rng.random() < 0.2:
            inner = best + 10 * side
            crossing = inner in other
            levels = [(-side, inner, 0)] if crossing else []
            far = (max(other) if side > 0 else min(other)) + 10 * side
            levels += [(side, inner, self.qty()), (-side, far, self.qty())]
        else:
            levels = [(side, best - 10 * side * int(self.rng.integers(0, 12)), self.qty())]
        self.frame(ts, levels, snapshot=False)

    def trade(self, ts: int, index: int) -> None:
        side = int(self.rng.choice([-1, 1]))
        best = min(self.book[1]) if side > 0 else max(self.book[0])
        self.add(Kind.TRADE, ts, [index, best, self.qty(), side])


def tick_world(seed: int = 11, seconds: int = 90) -> TickWorld:
    """Return a random book that never crosses, with 20 frames and 15 trades a second."""
    maker = _Maker(np.random.default_rng(seed))
    maker.snapshot(T0)
    maker.trade(T0, 0)
    for step in range(1, 20 * seconds):
        ts = T0 + step * 50_000_000
        maker.shuffle(ts)
        if maker.rng.random() < 0.75:
            maker.trade(ts + int(maker.rng.integers(1, 40_000_000)), step)
    head = np.array([row[0] for row in maker.rows], dtype=np.int64)
    body = np.array([row[1] for row in maker.rows], dtype=np.int64)
    grid = T0 + np.arange(seconds * 4, dtype=np.int64) * (S // 4)
    return TickWorld(ev.merge([Events(head, body, np.zeros(len(head)))]), grid)
