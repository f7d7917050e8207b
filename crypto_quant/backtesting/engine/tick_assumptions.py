"""What a tick run assumes, said in its report."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any

from crypto_quant.backtesting.engine.assumptions import unsourced
from crypto_quant.backtesting.engine.band import Band
from crypto_quant.backtesting.engine.cells import CellResult
from crypto_quant.backtesting.metrics.description import Assumption
from crypto_quant.core.clock import iso
from crypto_quant.core.terms import EXACT
from crypto_quant.runtime.config import TickConfig
from crypto_quant.runtime.markets import Markets
from crypto_quant.runtime.opening import begun, pricer
from crypto_quant.runtime.venue_config import FeedSection

Figures = Mapping[str, Any]


def assumptions(config: TickConfig, markets: Markets, band: Band, start: int) -> list[Assumption]:
    """Return the assumptions of a run, and the rules that nobody has a source for.

    Parameters
    ----------
    config, markets
        What was run.
    band
        What it came to.
    start
        When the first session begins, ns UTC.
    """
    rows = [Assumption(topic=topic, text=text) for topic, text in _said(config, band)]
    rows += [Assumption(topic="transfers", text=text) for text in _transfers(config, markets)]
    prices = band.judged.prices
    rows += [Assumption(topic="capital", text=t) for t in _coins(config, markets, prices)]
    count = sum(len(s["liquidations"]) for s in band.judged.sessions)
    rows.append(
        Assumption(
            topic="liquidation",
            text=f"The venue liquidates at the mark, {_margin(config, markets)} margin, by the "
            f"dated brackets: {count} orders here.",
            source="docs/reference/liquidation.md",
        )
    )
    for instrument in markets.instruments:
        rows += unsourced(instrument, config.tier, start)
    return rows


def _transfers(config: TickConfig, markets: Markets) -> Iterator[str]:
    if config.transfers:
        for name in markets.venues:
            venue = config.of_venue(name)
            costs = ", ".join(f"{fee} {asset}" for asset, fee in venue.transfer_fees.items())
            yield (
                f"Money that leaves a wallet at {name} is there after "
                f"{venue.transfer_delay_ms:,} ms and costs {costs or 'nothing'}."
            )


def _coins(config: TickConfig, markets: Markets, prices: Mapping[str, Decimal]) -> Iterator[str]:
    sections = [book.section for book in markets.books]
    amounts = begun(sections)
    for asset, price in prices.items():
        book = markets.instruments[pricer(asset, sections, markets.instruments)].id
        source = f"the middle of the book of {book} at the start of the first session"
        amount = amounts[asset]
        yield (
            f"{amount:f} {asset} count as {EXACT.multiply(amount, price):,f} {markets.quote} at "
            f"first, at {price:,f} each, {source}; how their price moves from there is P&L."
        )


def _margin(config: TickConfig, markets: Markets) -> str:
    own = {name: venue.margin for name, venue in config.venues.items() if venue.margin is not None}
    each = [(name, own.get(name, config.margin)) for name in markets.venues]
    if len({mode for _, mode in each}) == 1:
        return each[0][1]
    return ", ".join(f"{mode} at {name}" for name, mode in each)


def _said(config: TickConfig, band: Band) -> Iterator[tuple[str, str]]:
    y = config.venue.tick_impact_y
    moved = (
        f"beyond that it pays the square-root law, Y = {y:g}, of the session's own trades"
        if y
        else "the market does not react to it otherwise"
    )
    yield (
        "fills",
        "A taker walks the recorded book as it stood at the venue when the order arrived; what it "
        f"took stays taken until the level's next update, and {moved}. A resting order fills "
        "behind the queue that it found, by recorded trades only.",
    )
    if band.rests and any(result.cell.queue == "fitted" for result in band.cells):
        yield "queue", f"Fitted means power with n = {band.fitted.exponent:g}: {band.fitted.basis}."
    elif not band.rests:
        yield "queue", "No order rested: the queue models make no difference to this run."
    for name, venue in config.venues.items():
        if band.rests and venue.queue_exponent is not None:
            yield "queue", f"At {name} n of the power queues is {venue.queue_exponent:g}."
    yield from _latencies(band)
    yield "feed", _feed(config.venue.feed)
    for name, venue in config.venues.items():
        if venue.feed is not None:
            yield "feed", f"At {name}: {_feed(venue.feed)}"
    shifts = [(s["session"], d["recv"]) for s, d in _data(band.judged) if d["recv_shift_ns"]]
    for name, recv in dict.fromkeys(shifts):
        yield "clock", f"{name}: {recv}"
    for ts in dict.fromkeys(band.judged.unpaid):
        yield (
            "funding",
            f"Due at {iso(ts)}, but the catalog has no settled rate: the session ends there.",
        )


def _latencies(band: Band) -> Iterator[tuple[str, str]]:
    for result in band.cells:
        if result.cell.queue != band.cells[0].cell.queue:
            continue
        for session, own in _data(result):
            way = own["latency"]
            yield (
                f"latency {result.cell.latency}",
                f"{_which(session, own)}: {way['entry_ms']:.4g} ms to the venue, "
                f"{way['response_ms']:.4g} ms back ({way['source']}).",
            )


def _data(result: CellResult) -> Iterator[tuple[Figures, Figures]]:
    """Yield each session with what was recorded of each of its instruments."""
    for session in result.sessions:
        for own in session.get("data", [session]):
            yield session, own


def _which(session: Figures, own: Figures) -> str:
    name = str(session["session"])
    return name if own is session else f"{name}, {own['instrument']}"


def _feed(feed: FeedSection) -> str:
    if feed.model == "recorded":
        return "Market data is known at its own recorded stamp."
    if feed.ms is not None and feed.model == "constant":
        return (
            f"Market data is known no earlier than {feed.ms.p50:g} ms (p50) or {feed.ms.p99:g} ms "
            "(p99) after it happened, nor before its own stamp."
        )
    how = "interpolated between" if feed.model == "interpolated" else "drawn from"
    return f"Delays of market data are {how} recorded ones; none is known before its own stamp."
