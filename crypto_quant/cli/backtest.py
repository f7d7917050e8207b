"""``cq backtest``: one strategy on recorded order books, session by session."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from decimal import Decimal
from pathlib import Path
from typing import Any, Final

import click

from crypto_quant.backtesting.engine.ticks import TickBacktest
from crypto_quant.cli.data import GENERATED_LINE, catalog_option, json_option
from crypto_quant.cli.progress import stages
from crypto_quant.cli.walk_forward import config_option, runs_option, trials_option
from crypto_quant.core.clock import monotonic_s
from crypto_quant.core.config import load_config
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.runtime.config import TickConfig
from crypto_quant.venues.rules import load_instruments

_TITLES: Final[Mapping[str, str]] = {
    "imbalance": "order-book imbalance",
    "grid": "grid market maker",
}
_BESIDE: Final = 3
"""Sessions beside one another that fit a terminal."""
_PARTS: Final = ("price", "basis", "funding", "fees", "spread", "impact", "transfer_fees")

Session = Mapping[str, Any]


@click.command("backtest")
@config_option
@catalog_option
@runs_option
@trials_option
@click.option("--instrument", help="Instrument id; replaces the config's.")
@click.option(
    "--session",
    "names",
    multiple=True,
    help="Run only sessions whose name (UTC time of the first row) begins so; may be repeated.",
)
@json_option
def backtest(
    config_path: Path | None,
    root: Path,
    runs: Path,
    trials: Path,
    instrument: str | None,
    names: tuple[str, ...],
    as_json: bool,
) -> None:
    """Run a strategy on recorded books and trades; write a run folder.

    The config's key strategy chooses it: imbalance (the default), or grid, a market maker.

    Every session of the instrument that has a book is run through the step that trades, on
    the recorded market with its recorded delays. The run is logged as a trial first.

    Example: cq backtest --session 2024-08-08
    """
    started = monotonic_s()
    config = load_config(TickConfig, config_path, os.environ)
    changes: dict[str, object] = {}
    if instrument is not None:
        changes["instrument"] = instrument
    if names:
        changes["sessions"] = names
    config = config.model_copy(update=changes)
    catalog = Catalog(root)
    with stages() as show:
        run = TickBacktest(config, catalog, load_instruments(), runs, trials, show).run()
    if as_json:
        click.echo((run.folder / "metrics.json").read_text(), nl=False)
        return
    click.echo(_report(run.metrics))
    if catalog.is_generated:
        click.echo(GENERATED_LINE)
    took = monotonic_s() - started
    events = sum(sum(session["events"].values()) for session in run.metrics["sessions"])
    click.echo(f"Configurations in the trial log: {run.trials}.")
    click.echo(f"\n{took:.1f} s, {events / took:,.0f} events/s with reading; run: {run.folder}")


def _report(metrics: Mapping[str, Any]) -> str:
    """Return the page: sessions side by side, then what was left out and assumed."""
    sessions: Sequence[Session] = metrics["sessions"]
    title = (
        f"{metrics['instrument']}: {_TITLES[metrics['strategy']]}, money in {metrics['currency']}"
    )
    starts = range(0, len(sessions), _BESIDE)
    blocks = [title, *(_table(sessions[at : at + _BESIDE]) for at in starts)]
    total = sum((Decimal(s["pnl"]["total"]) for s in sessions), Decimal(0))
    ended = Decimal(metrics["capital"]) + total
    blocks.append(f"all sessions: P&L {total:+,.2f}; {metrics['capital']} became {ended:,.2f}")
    notes = [f"skipped {s['session']}: {s['reason']}" for s in metrics["skipped"]]
    notes += [f"{a['topic']}: {a['text']}" for a in metrics["assumptions"]]
    return "\n\n".join([*blocks, "\n".join([*notes, metrics["annualised"]])])


def _table(sessions: Sequence[Session]) -> str:
    rows: list[tuple[str, Callable[[Session], str]]] = [
        ("session", lambda s: s["session"]),
        ("length", lambda s: f"{s['length_s']:,.1f} s"),
        ("events", lambda s: f"{sum(s['events'].values()):,}"),
        ("gaps in the book", lambda s: f"{s['events']['gap']:,}"),
        ("trades missing", lambda s: f"{s['missing_trade_ids']:,}"),
        ("wake-ups", lambda s: f"{sum(s['wake_ups'].values()):,}"),
        ("orders (stops)", lambda s: f"{s['orders']['sent']:,} ({_stops(s):,})"),
        ("  rejected", lambda s: f"{s['orders']['rejected']:,}"),
        ("fills taker, maker", lambda s: f"{s['fills']['taker']:,}, {s['fills']['maker']:,}"),
        ("traded", lambda s: f"{Decimal(s['traded']):,.0f}"),
        *((f"P&L {part.replace('_', ' ')}", _money(part)) for part in _PARTS),
        ("= P&L", _money("total")),
        ("position at end", lambda s: f"{s['position_end']}"),
        *(
            (f"{kind} markout {horizon}", _markout(kind, horizon))
            for horizon in sessions[0]["markout_bps"]
            for kind in ("entry", "exit")
        ),
    ]
    return "\n".join(
        f"{name:<20}" + "".join(f"{cell(s):>23}" for s in sessions) for name, cell in rows
    )


def _stops(session: Session) -> int:
    return int(session["orders"].get("stop_market", 0))


def _money(part: str) -> Callable[[Session], str]:
    return lambda session: f"{Decimal(session['pnl'][part]):+,.4f}"


def _markout(kind: str, horizon: str) -> Callable[[Session], str]:
    def cell(session: Session) -> str:
        value = session["markout_bps"][horizon][kind]
        return "none" if value is None else f"{value:+.2f} bps"

    return cell
