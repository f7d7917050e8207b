"""What a tick run assumes, said in its report."""

from __future__ import annotations

from collections.abc import Iterator

from crypto_quant.backtesting.engine.assumptions import unsourced
from crypto_quant.backtesting.engine.band import Band
from crypto_quant.backtesting.metrics.description import Assumption
from crypto_quant.core.clock import iso
from crypto_quant.core.instruments import Instrument
from crypto_quant.runtime.config import TickConfig


def assumptions(
    config: TickConfig, instrument: Instrument, band: Band, start: int
) -> list[Assumption]:
    """Return the assumptions of a run, and the rules that nobody has a source for.

    Parameters
    ----------
    config, instrument
        What was run.
    band
        What it came to.
    start
        When the first session begins, ns UTC.
    """
    rows = [Assumption(topic=topic, text=text) for topic, text in _said(config, band)]
    count = sum(len(s["liquidations"]) for s in band.judged.sessions)
    rows.append(
        Assumption(
            topic="liquidation",
            text=f"The venue liquidates at the mark, {config.margin} margin, by the dated "
            f"brackets: {count} orders here.",
            source="docs/reference/liquidation.md",
        )
    )
    return [*rows, *unsourced(instrument, config.tier, start)]


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
    for result in band.cells:
        if result.cell.queue != band.cells[0].cell.queue:
            continue
        for session in result.sessions:
            way = session["latency"]
            yield (
                f"latency {result.cell.latency}",
                f"{session['session']}: {way['entry_ms']:.4g} ms to the venue, "
                f"{way['response_ms']:.4g} ms back ({way['source']}).",
            )
    yield "feed", _feed(config)
    for session in band.judged.sessions:
        if session["recv_shift_ns"]:
            yield "clock", f"{session['session']}: {session['recv']}"
    for ts in dict.fromkeys(band.judged.unpaid):
        yield (
            "funding",
            f"Due at {iso(ts)}, but the catalog has no settled rate: the session ends there.",
        )


def _feed(config: TickConfig) -> str:
    feed = config.venue.feed
    if feed.model == "recorded":
        return "Market data is known at its own recorded stamp."
    if feed.ms is not None and feed.model == "constant":
        return (
            f"Market data is known no earlier than {feed.ms.p50:g} ms (p50) or {feed.ms.p99:g} ms "
            "(p99) after it happened, nor before its own stamp."
        )
    how = "interpolated between" if feed.model == "interpolated" else "drawn from"
    return f"Delays of market data are {how} recorded ones; none is known before its own stamp."
