"""A tick run for a terminal: the pessimistic end first, then the range, then each session."""

from __future__ import annotations

import textwrap
from collections.abc import Callable, Iterator, Mapping, Sequence
from decimal import Decimal
from itertools import product
from typing import Any, Final, NamedTuple

from crypto_quant.backtesting.engine.markouts import HORIZONS_NS, KINDS, LIQUIDITY
from crypto_quant.backtesting.metrics.description import Refusal
from crypto_quant.backtesting.visualization import market_text, refusal_text

TITLES: Final[Mapping[str, str]] = {
    "imbalance": "order-book imbalance",
    "grid": "grid market maker",
    "hold": "hold",
}
QUEUES: Final[Mapping[str, str]] = {"risk_averse": "risk-averse"}
PARTS: Final = ("price", "basis", "funding", "fees", "spread", "impact", "transfer_fees")
_BESIDE: Final = 3
"""Sessions beside one another that fit a terminal."""
_WIDTH: Final = 90

Session = Mapping[str, Any]
Metrics = Mapping[str, Any]


def page(metrics: Metrics) -> str:
    """Return the page of ``metrics.json``."""
    sessions: Sequence[Session] = metrics["sessions"]
    cells = metrics["band"]["cells"]
    starts = range(0, len(sessions), _BESIDE)
    blocks = [
        f"{metrics['instrument']}: {title(metrics)}, money in {metrics['currency']}",
        "\n".join(verdict(metrics)),
        "\n".join(_band(metrics)),
        "session by session, at the pessimistic end" if len(cells) > 1 else "session by session",
        *(_table(metrics, sessions[at : at + _BESIDE]) for at in starts),
        *market_text.lines(metrics),
        "\n".join(_markouts(metrics["band"])),
        "\n".join(refusal_text.lines(*refused(metrics))),
    ]
    notes = [f"skipped {s['session']}: {s['reason']}" for s in metrics["skipped"]]
    notes += [f"{a['topic']}: {a['text']}" for a in metrics["assumptions"]]
    wrapped = [
        textwrap.fill(note, _WIDTH, subsequent_indent="  ", break_on_hyphens=False)
        for note in [*notes, metrics["annualised"]]
    ]
    return "\n\n".join([*(block for block in blocks if block), "\n".join(wrapped)])


def title(metrics: Metrics) -> str:
    """Return what was run."""
    # A run of before does not say its markets.
    strategies = [market["strategy"] for market in metrics.get("markets", [metrics])]
    return " and ".join(TITLES[name] for name in dict.fromkeys(strategies))


def verdict(metrics: Metrics) -> Iterator[str]:
    """Yield what the run is judged by, in a line or two."""
    band = metrics["band"]
    worst, best = Decimal(band["pnl"]["worst"]), Decimal(band["pnl"]["best"])
    ended = Decimal(metrics["capital"]) + worst
    judged = band["judged"]
    where = _where(judged, rests=band["rests"])
    became = f"{_begun(metrics)} became {ended:,.2f}"
    if len(band["cells"]) > 1:
        yield f"P&L {worst:+z,.2f} at the pessimistic end ({where}); {became}"
        yield f"{_reach(worst, best)} over the band"
    else:
        yield f"P&L {worst:+z,.2f} ({where}); {became}"
        yield "one cell of the band: another queue or latency may come to less"


def _begun(metrics: Metrics) -> str:
    """Return the starting money, with the coins in it and what they were counted at."""
    held: dict[str, Decimal] = {}
    for market in metrics.get("markets", ()):  # a run of before does not say its coins
        for asset, amount in market.get("coins", {}).items():
            held[asset] = held.get(asset, Decimal(0)) + Decimal(amount)
    prices = metrics.get("prices", {})
    coins = [f"{n:f} {asset} at {_plain(prices[asset])}" for asset, n in held.items()]
    return _plain(metrics["capital"]) + (f" ({', '.join(coins)})" if coins else "")


def _plain(number: str) -> str:
    """Write a number without the zeros at its end that say nothing."""
    return f"{Decimal(number).normalize():,f}"


def refused(metrics: Metrics) -> tuple[tuple[Refusal, ...], int]:
    """Return what the checks refused in all sessions, and how many orders were sent."""
    sessions = metrics["sessions"]
    # A run of before does not say.
    rows = [[Refusal(**row) for row in s.get("refused", ())] for s in sessions]
    return refusal_text.merged(rows), sum(s["orders"]["sent"] for s in sessions)


def queue_name(queue: str) -> str:
    """Return a queue model's name for people."""
    return QUEUES.get(queue, queue)


def _where(cell: Mapping[str, str], *, rests: bool) -> str:
    latency = f"latency {cell['latency']}"
    return f"{queue_name(cell['queue'])} queue, {latency}" if rests else latency


def latencies(band: Mapping[str, Any]) -> list[str]:
    """Return the latencies of a band, the judged one first."""
    names = dict.fromkeys(cell["latency"] for cell in band["cells"])
    judged = band["judged"]["latency"]
    return [judged, *(name for name in names if name != judged)]


def _band(metrics: Metrics) -> Iterator[str]:
    """Yield the P&L of each cell; without resting orders the queues are one row."""
    band = metrics["band"]
    if len(band["cells"]) == 1:
        return
    lags = latencies(band)
    pnl = {(c["queue"], c["latency"]): Decimal(c["pnl"]) for c in band["cells"]}
    models = {c["queue"]: c["model"] for c in band["cells"]}
    yield f"{'P&L of all sessions':<36}" + "".join(f"{f'latency {lag}':>22}" for lag in lags)
    if not band["rests"]:
        queue = band["cells"][0]["queue"]
        row = "".join(f"{pnl[queue, lag]:>+z22,.2f}" for lag in lags)
        yield f"{'any queue (no order ever rested)':<36}{row}"
        return
    for queue, model in models.items():
        row = "".join(f"{pnl[queue, lag]:>+z22,.2f}" for lag in lags)
        shown = queue_name(queue) if queue == model else f"{queue_name(queue)}: {_short(model)}"
        yield f"{f'{shown}':<36.36}{row}"


def _short(model: str) -> str:
    """Return a model without what it rests on, which the assumptions say."""
    return model.partition(" (")[0].removeprefix("power, ")


def session_rows(metrics: Metrics) -> list[tuple[str, Callable[[Session], str]]]:
    """Return what is shown of each session: names, and how each is read off."""
    several = any("markets" in s for s in metrics["sessions"])
    return [
        ("session", lambda s: s["session"]),
        ("length", lambda s: f"{s['length_s']:,.1f} s"),
        ("events", lambda s: f"{sum(s['events'].values()):,}"),
        ("gaps in the book", lambda s: f"{s['events']['gap']:,}"),
        ("trades missing", lambda s: f"{s['missing_trade_ids']:,}"),
        *([] if several else [("orders there, back", _travelled)]),
        ("wake-ups", lambda s: f"{sum(s['wake_ups'].values()):,}"),
        ("orders (stops)", lambda s: f"{s['orders']['sent']:,} ({_stops(s):,})"),
        ("  rejected", lambda s: f"{s['orders']['rejected']:,}"),
        ("fills taker, maker", lambda s: f"{s['fills']['taker']:,}, {s['fills']['maker']:,}"),
        ("traded", lambda s: f"{Decimal(s['traded']):,.0f}"),
        *((f"P&L {part.replace('_', ' ')}", _money(part)) for part in PARTS if _any(metrics, part)),
        ("= P&L", _money("total")),
        *([("  over the band", _span(metrics))] if len(metrics["band"]["cells"]) > 1 else []),
        *([] if several else [("position at end", lambda s: _held(metrics, s))]),
        *market_text.coin_rows(metrics["sessions"]),
    ]


def _table(metrics: Metrics, sessions: Sequence[Session]) -> str:
    return "\n".join(
        f"{name:<20}" + "".join(f"{cell(s):>23}" for s in sessions)
        for name, cell in session_rows(metrics)
    )


def _span(metrics: Metrics) -> Callable[[Session], str]:
    """Return how a session's P&L spreads over the cells."""

    def span(session: Session) -> str:
        found = [
            Decimal(s["pnl"]["total"])
            for cell in metrics["band"]["cells"]
            for s in cell["sessions"]
            if s["session"] == session["session"]
        ]
        return _reach(min(found), max(found))

    return span


def _reach(low: Decimal | float, high: Decimal | float) -> str:
    """Return how far figures of the cells spread."""
    first, last = f"{low:+z,.2f}", f"{high:+z,.2f}"
    return "the same" if first == last else f"{first} to {last}"


def _any(metrics: Metrics, part: str) -> bool:
    """Tell whether a part of the P&L is anything in any session."""
    return any(Decimal(session["pnl"][part]) for session in metrics["sessions"])


def _held(metrics: Metrics, session: Session) -> str:
    (market,) = metrics.get("markets", [{}])
    return market_text.coins(session["position_end"], market)


def _travelled(session: Session) -> str:
    latency = session["latency"]
    return f"{latency['entry_ms']:.4g} ms, {latency['response_ms']:.4g} ms"


def _stops(session: Session) -> int:
    return int(session["orders"].get("stop_market", 0))


def _money(part: str) -> Callable[[Session], str]:
    return lambda session: f"{Decimal(session['pnl'][part]):+z,.4f}"


class MarkoutRow(NamedTuple):
    """Markouts of one kind of fill by horizon, bps: at the judged cell, and over all cells."""

    name: str
    fills: int
    judged: tuple[float | None, ...]
    spans: tuple[tuple[float, float] | None, ...]


def markout_rows(band: Mapping[str, Any]) -> Iterator[MarkoutRow]:
    """Yield the markouts of the kinds of fills that any cell has."""
    cells, judged = band["cells"], band["judged"]
    own = next(cell for cell in cells if judged.items() <= cell.items())
    for market in own.get("markouts_bps", [None]):
        for liquidity, kind in product(LIQUIDITY, KINDS):
            of_kind = [_of_market(cell, market)[liquidity][kind] for cell in cells]
            if not any(found[horizon]["fills"] for found in of_kind for horizon in HORIZONS_NS):
                continue
            mine = _of_market(own, market)[liquidity][kind]
            spans = []
            for horizon in HORIZONS_NS:
                known = [v for f in of_kind if (v := f[horizon]["bps"]) is not None]
                spans.append((min(known), max(known)) if known else None)
            values = tuple(mine[horizon]["bps"] for horizon in HORIZONS_NS)
            fills = int(next(iter(mine.values()))["fills"])
            name = f"{liquidity} {kind}" if market is None else f"{market} {liquidity} {kind}"
            yield MarkoutRow(name, fills, values, tuple(spans))


def _of_market(cell: Mapping[str, Any], market: str | None) -> Mapping[str, Any]:
    found: Mapping[str, Any] = (
        cell["markout_bps"] if market is None else cell["markouts_bps"][market]
    )
    return found


def _markouts(band: Mapping[str, Any]) -> Iterator[str]:
    rows = list(markout_rows(band))
    if not rows:
        return
    yield f"{'markout, bps':<20}{'fills':>7}" + "".join(f"{h:>16}" for h in HORIZONS_NS)
    for name, fills, judged, spans in rows:
        values = ("none" if value is None else f"{value:+z.2f}" for value in judged)
        yield f"{name:<20}{fills:>7,}" + "".join(f"{text:>16}" for text in values)
        if len(band["cells"]) > 1:
            reach = ("" if s is None else _reach(*s) for s in spans)
            yield f"{'  over the band':<27}" + "".join(f"{text:>16}" for text in reach)
