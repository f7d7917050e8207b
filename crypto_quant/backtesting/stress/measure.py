"""What a stretch of a run came to: money, margin, stops, and whether the limits held."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

import numpy as np

from crypto_quant.backtesting.engine.columns import money, texts, whole
from crypto_quant.backtesting.engine.liquidations import TAG as LIQUIDATED
from crypto_quant.backtesting.engine.portfolio import Books
from crypto_quant.backtesting.stress.tape import DAY_NS, Worth
from crypto_quant.core.instruments import Instrument, venue_of
from crypto_quant.core.measures.arrays import Bools, Floats, Ints
from crypto_quant.core.measures.drawdown import drawdown_series
from crypto_quant.core.messages import Wallet
from crypto_quant.runtime.segments import Span
from crypto_quant.strategy.risk_manager.config import RiskConfig

_NEVER: Final = np.iinfo(np.int64).min
_RATIO: Final = f"margin_ratio.{Wallet.MARGIN.name.lower()}."


class Limit(NamedTuple):
    """A limit: what it allows, the most that was seen, and whether it held."""

    name: str
    allowed: float
    seen: float
    held: bool


class Stops(NamedTuple):
    """Protective stops that traded, and how far beyond their trigger, in bps of it."""

    filled: int
    mean_bps: float
    worst_bps: float


class Figures(NamedTuple):
    """A stretch, measured on hourly marks from the last one before it.

    ``ret``, ``depth`` (deepest fall), ``held`` (what spot gained) and ``unhedged`` (largest
    net value of positions, and of coins that the run began with, over equity) are fractions;
    ``margin_ratio`` the highest maintenance margin over margin balance of any account (1 is
    liquidation). ``taken`` counts fills of a deleveraging. ``ruined``: nothing was left, or the
    venue would have liquidated.
    """

    ret: float
    depth: float
    held: float
    unhedged: float
    margin_ratio: float
    stops: Stops
    fills: int
    rejected: int
    taken: int
    limits: tuple[Limit, ...]
    ruined: bool


class Coins(NamedTuple):
    """Coins that a run begins with: how many, and the place of the instrument that prices them."""

    asset: str
    amount: float
    at: int


class Market(NamedTuple):
    """What positions are valued with: instruments, their prices over time, dollars.

    ``price`` gives an instrument's prices at times (n,), in grid units; ``worth`` says where
    the quote asset is not worth a dollar; ``coins`` are those that margin contracts from the
    start.
    """

    instruments: tuple[Instrument, ...]
    price: Callable[[int, Ints], Ints]
    worth: tuple[Worth, ...]
    coins: tuple[Coins, ...] = ()


def measure(risk: RiskConfig, market: Market, books: Books, span: Span, capital: float) -> Figures:
    """Measure a run over a span, in dollars where the quote asset is not worth one.

    A span before whose start no row was written is measured from the ``capital`` that the run
    began with, flat: what happened before the first row counts.
    """
    ts = whole(books.equity, "ts")
    first = int(np.searchsorted(ts, span.start)) - 1
    rows = slice(max(first, 0), max(int(np.searchsorted(ts, span.end, side="right")), first + 1))
    begins = [] if first >= 0 else [0]
    ts = np.concatenate((np.array(begins, dtype=np.int64) + span.start - 1, ts[rows]))
    path = np.concatenate((np.full(len(begins), capital), _floats(books, "equity")[rows]))
    worth = _worth(market.worth, ts)
    dollars = path * worth
    prices = [market.price(n, ts) for n in range(len(market.instruments))]
    held = [
        np.concatenate((begins, whole(books.equity, f"position.{instrument.id}")[rows]))
        for instrument in market.instruments
    ]
    each = [value(one, prices[n], held[n]) for n, one in enumerate(market.instruments)]
    over = {n: _over(worth, path) for n, worth in enumerate(each)}
    net = np.sum(each, axis=0)
    if market.coins:
        # Beside nothing they stand alone before the run's first trade and after its last close.
        counts = (ts >= span.start) & (ts < span.end) | np.any(held, axis=0)
        net = net + _coins(market, books, rows, prices, path) * counts
    within = _within(whole(books.fills, "ts_event"), span)
    tags = [t for t, yes in zip(texts(books.fills, "tag"), within, strict=True) if yes]
    highest = _margin_ratio(market.instruments, books, rows)
    if LIQUIDATED in tags:
        highest = max(highest, 1.0)  # it was there between two rows
    spot = [n for n, one in enumerate(market.instruments) if one.contract == "spot"]
    price = prices[spot[0] if spot else 0].astype(np.float64) * worth
    return Figures(
        ret=float(dollars[-1] / dollars[0] - 1.0),
        depth=float(drawdown_series(np.maximum(dollars, 0.0)).max()),
        held=float(price[-1] / price[0] - 1.0),
        unhedged=float(np.abs(_over(net, path)).max()),
        margin_ratio=highest,
        stops=_stops(books, span),
        fills=int(within.sum()),
        rejected=_rejected(books, span),
        taken=tags.count("adl"),
        limits=_limits(risk, market.instruments, ts, dollars, over),
        ruined=bool((path <= 0).any()) or highest >= 1.0,
    )


def over_equity(market: Market, books: Books, ts: int, lots: Sequence[int]) -> tuple[float, ...]:
    """Return what positions in the instruments were worth at a time, over the equity then."""
    at = np.array([ts])
    row = max(int(np.searchsorted(whole(books.equity, "ts"), ts, side="right")) - 1, 0)
    equity = _floats(books, "equity")[row : row + 1]
    each = enumerate(zip(market.instruments, lots, strict=True))
    worth = (value(one, market.price(n, at), np.array([held])) for n, (one, held) in each)
    return tuple(float(_over(one, equity)[0]) for one in worth)


def _coins(
    market: Market, books: Books, rows: slice, prices: Sequence[Ints], path: Floats
) -> Floats:
    """Return what coins of the start are worth, without those that are a spot position.

    What margins inverse contracts counts with their open P&L, which is in coin too: all that is
    there but cash. So contracts of as many dollars leave nothing of it open, at any price.
    """
    if any(one.contract == "inverse" for one in market.instruments):
        cash = _balances(books, market.instruments[0].quote, rows)
        return np.maximum(path - _after(path, cash, 0.0), 0.0)
    total = np.zeros(path.size)
    for asset, amount, at in market.coins:
        own = _balances(books, asset, rows)
        for one in market.instruments:
            if one.contract == "spot" and one.base == asset:
                lots = whole(books.equity, f"position.{one.id}")[rows]
                own -= lots * 10.0**-one.qty_exp * float(one.multiplier)
        left = _after(path, own, amount)
        total += left * prices[at] * 10.0 ** -market.instruments[at].price_exp
    return total


def _balances(books: Books, asset: str, rows: slice) -> Floats:
    """Return what all wallets have of an asset in rows, with what is on its way to one."""
    own = ("balance.", "in_flight.")
    names = [n for n in books.equity if n.startswith(own) and n.endswith(f".{asset}")]
    total = np.zeros(whole(books.equity, "ts")[rows].size)
    for name in names:
        total += _floats(books, name)[rows]
    return total


def _after(path: Floats, values: Floats, first: float) -> Floats:
    """Return values of rows after that of the mark before them, where ``path`` has one."""
    return np.concatenate((np.full(path.size - values.size, first), np.maximum(values, 0.0)))


def _over(worth: Floats, equity: Floats) -> Floats:
    """Divide by equity; where there is none, a position is infinitely large."""
    out = np.where(worth > 0, np.inf, np.where(worth < 0, -np.inf, 0.0))
    np.divide(worth, equity, out=out, where=equity > 0)
    return out


def _floats(books: Books, name: str) -> Floats:
    return np.array([float(value) for value in money(books.equity, name).to_pylist()])


def _worth(stretches: tuple[Worth, ...], ts: Ints) -> Floats:
    out = np.ones(ts.size)
    for span, dollars in stretches:
        out[(ts >= span.start) & (ts < span.end)] *= dollars
    return out


def value(instrument: Instrument, px: Ints, qty: Ints) -> Floats:
    """Return what positions are worth at prices, both in grid units, in the quote asset.

    An inverse contract is worth its dollars, whatever the price.
    """
    unit = 10.0**-instrument.qty_exp * float(instrument.multiplier)
    if instrument.contract != "inverse":
        unit *= 10.0**-instrument.price_exp
        return np.asarray(px.astype(np.float64) * qty.astype(np.float64) * unit)
    return np.asarray(qty.astype(np.float64) * unit)


def _margin_ratio(instruments: Sequence[Instrument], books: Books, rows: slice) -> float:
    """Return the highest ratio of any margin wallet; infinite where one has lost all and holds."""
    highest = 0.0
    for name, values in books.equity.items():
        if not name.startswith(_RATIO) or not isinstance(values, np.ndarray):
            continue
        # The venue is empty where there is one alone.
        venue, _, asset = name.removeprefix(_RATIO).rpartition(".")
        own = [i for i in instruments if i.contract != "spot" and _at(i, venue)]
        if not own:
            continue
        settled = [whole(books.equity, f"position.{i.id}")[rows] for i in own if i.settle == asset]
        # Where nothing is left there is no ratio; what margins nothing needs nothing.
        holds = np.any([np.zeros(values[rows].size), *settled], axis=0)
        lost = np.where(holds, np.inf, 0.0)
        ratio = np.where(np.isnan(values[rows]), lost, values[rows])
        highest = max(highest, float(ratio.max(initial=0.0)))
    return highest


def _at(instrument: Instrument, venue: str) -> bool:
    return not venue or venue_of(instrument.id) == venue


def _limits(
    risk: RiskConfig,
    instruments: tuple[Instrument, ...],
    ts: Ints,
    path: Floats,
    over: dict[int, Floats],
) -> tuple[Limit, ...]:
    gross = np.sum([np.abs(share) for share in over.values()], axis=0)
    contracts = [
        np.abs(over[n]) for n, instrument in enumerate(instruments) if instrument.contract != "spot"
    ]
    margin = np.sum([*contracts, np.zeros(ts.size)], axis=0) / risk.leverage
    rows = (
        ("daily loss", risk.daily_loss, _worst_day(ts, path)),
        ("initial margin", risk.initial_margin, float(margin.max())),
        ("gross notional", risk.notional, float(gross.max())),
    )
    return tuple(Limit(name, allowed, seen, seen <= allowed) for name, allowed, seen in rows)


def _worst_day(ts: Ints, path: Floats) -> float:
    """Return the deepest loss since a UTC midnight, or since the first mark, a fraction."""
    day = ts // DAY_NS
    begins = np.concatenate(([True], np.diff(day) > 0))
    start = np.maximum.accumulate(np.where(begins, np.arange(ts.size), 0))
    with np.errstate(divide="ignore", invalid="ignore"):
        lost = np.where(path[start] > 0, 1.0 - path / path[start], 0.0)
    return float(max(lost.max(), 0.0))


def _stops(books: Books, span: Span) -> Stops:
    orders, fills = books.orders, books.fills
    chosen = {
        int(order): (int(stop), int(side))
        for order, stop, side, kind in zip(
            whole(orders, "order_id"),
            whole(orders, "stop"),
            whole(orders, "side"),
            texts(orders, "type"),
            strict=True,
        )
        if kind == "stop_market" and stop != _NEVER
    }
    slips = [
        side * (px / stop - 1.0) * 1e4
        for order, px, inside in zip(
            whole(fills, "order_id").tolist(),
            whole(fills, "px").tolist(),
            _within(whole(fills, "ts_event"), span),
            strict=True,
        )
        if inside and order in chosen
        for stop, side in (chosen[order],)
    ]
    if not slips:
        return Stops(0, float("nan"), float("nan"))
    return Stops(len(slips), float(np.mean(slips)), float(np.max(slips)))


def _rejected(books: Books, span: Span) -> int:
    states = texts(books.orders, "status")
    inside = _within(whole(books.orders, "ts"), span)
    return sum(state == "rejected" for state, yes in zip(states, inside, strict=True) if yes)


def _within(ts: Ints, span: Span) -> Bools:
    return (ts >= span.start) & (ts <= span.end)
