"""What a run takes for true that its data does not show, said in words."""

from __future__ import annotations

from typing import Any

from crypto_quant.backtesting.engine.inputs import PERP, SPOT, Inputs
from crypto_quant.backtesting.metrics.description import Assumption, Finding
from crypto_quant.core.clock import iso
from crypto_quant.core.instruments import Dated, Instrument
from crypto_quant.runtime.config import RunConfig, SimSection


def assumptions(config: RunConfig, inputs: Inputs, start: int) -> tuple[Assumption, ...]:
    """Return the assumptions of a run that begins at ``start`` (ns UTC)."""
    sim = config.sim
    latency = f"{sim.entry_latency_ms} ms to the venue, {sim.response_latency_ms} ms back"
    rows = [
        Assumption(
            topic="mark price",
            text="No mark history is recorded: mark(t) is the open of the perpetual's bar that "
            "begins at t; funding and equity use it.",
        ),
        Assumption(
            topic="fills",
            text="A market order decided at the close of a bar fills at the open of the bar that "
            f"begins then, made worse by max(half spread {sim.half_spread_bps} bp, "
            f"{sim.slippage_floor_bps} bp) and by own impact, rounded to the tick against us; at "
            f"most {sim.max_participation * 100:f} % of the bar's volume, the rest in the bars "
            "that follow. Limit orders fill only when a later bar trades through by a tick; stops "
            "at the worse of trigger and open.",
        ),
        Assumption(
            topic="impact",
            text=f"Square-root law with Y = {sim.impact_y:g}, daily volatility and volume of the "
            "24 hours before, on the whole of an order; constants are not fitted to own fills.",
            source="Donier & Bonart, arXiv 1412.4503",
        ),
        Assumption(
            topic="latency",
            text=f"{latency}; constant. Of a bar's open one price is known: what was decided by "
            "then, an order or its withdrawal, is in place at it, so an order decided at a bar's "
            f"close fills at the next bar's open and is stamped {sim.entry_latency_ms} ms later. "
            "What is decided inside a bar is at the venue by the bar's end, and the answer to a "
            "fill is back by then.",
        ),
        Assumption(
            topic="transfers",
            text=f"Between the spot and the margin wallet: {_transfers(sim)}. Nothing is borrowed "
            "and idle cash earns 0.",
        ),
        Assumption(
            topic="collateral",
            text="Each perpetual is margined in its settle asset alone; coins are not collateral.",
        ),
        Assumption(
            topic="holes",
            text=f"{len(inputs.segments)} segments from the data's own coverage. Where one ends "
            "before the data does, positions are closed at the last close with costs, which "
            "nothing foresees; features and training start anew; nothing is spliced.",
        ),
        Assumption(
            topic="outside series",
            text="Daily series are known at the delay that each dataset declares; vendors may have "
            "revised them since.",
        ),
        Assumption(
            topic="liquidation",
            text=f"The simulated venue liquidates at the mark, {sim.margin} margin, by the dated "
            "brackets; of a bar the worst price counts as a mark. Own limits keep initial margin "
            f"below {config.risk.initial_margin * 100:g} % of equity. Each liquidation is an order "
            "with the reason liquidation, and a finding of this report.",
            source="docs/reference/liquidation.md",
        ),
    ]
    for n in (PERP, SPOT):
        rows += unsourced(inputs.instruments[n], config.market.tier, start)
    return tuple(rows)


def _transfers(sim: SimSection) -> str:
    delay, fees = sim.transfer_delay_ms, {a: fee for a, fee in sim.transfer_fees.items() if fee}
    if not delay and not fees:
        return "at once and free of charge"
    takes = f"{delay / 1000:g} s on its way, in no wallet" if delay else "at once"
    costs = ", ".join(f"{fee:f} {asset}" for asset, fee in fees.items())
    return f"{takes}; {f'each costs {costs}' if costs else 'free of charge'}"


def unsourced(instrument: Instrument, tier: str, start: int) -> list[Assumption]:
    """Return an assumption for each rule that no source gives at ``start``, or at all."""
    tables: list[tuple[str, Dated[Any] | None]] = [
        ("contract kind", instrument.contract_rows),
        ("contract size", instrument.multiplier_rows),
        (f"fees of tier {tier}", instrument.fees[tier]),
        ("tick", instrument.tick),
        ("lot", instrument.lot),
        ("smallest notional", instrument.min_notional),
        ("margin brackets", instrument.margin_brackets),
        ("liquidation fee", instrument.liquidation_fee),
        ("funding interval", instrument.funding_interval_h),
    ]
    late = [
        _not_sourced(
            f"{instrument.id}: {what} before {iso(first.valid_from)[:10]}: the first row is used.",
            first.source,
        )
        for what, first in ((what, table.rows[0]) for what, table in tables if table is not None)
        if first.valid_from > start
    ]
    return [*late, *_unknown(instrument)]


def _unknown(instrument: Instrument) -> list[Assumption]:
    """Say what is done where a contract's rule has no row: unknown must not look like zero."""
    if instrument.contract == "spot":
        return []
    said = []
    if instrument.margin_brackets is None:
        said.append(
            "no margin brackets sourced: maintenance margin taken as 0, liquidated only where "
            "nothing is left"
        )
    if instrument.liquidation_fee is None:
        said.append("no liquidation fee sourced: the taker's fee is taken")
    if instrument.funding_interval_h is None:
        said.append(
            "no funding interval sourced: a settlement that the catalog lacks goes unnoticed"
        )
    return [_not_sourced(f"{instrument.id}: {text}") for text in said]


def _not_sourced(text: str, source: str = "") -> Assumption:
    return Assumption(topic="not sourced for this date", text=text, source=source)


def input_findings(inputs: Inputs) -> tuple[Finding, ...]:
    """Return a finding for each outside series that the catalog lacks, and short segment."""
    missing = tuple(
        Finding(
            severity="note",
            where=name,
            what="outside series is not in the catalog",
            action="its features stay empty and are dropped from every fold",
        )
        for name in inputs.missing_series
    )
    short = tuple(
        Finding(
            severity="note",
            where=inputs.instruments[PERP].id,
            what=f"{iso(span.start)} to {iso(span.end)}: a stretch too short to train on",
            action="not traded: its days are flat, and count as days with data",
        )
        for span in inputs.skipped
    )
    return missing + short
