"""Captures of Binance frames: ``<local stamp> <json>`` a line, as a recorder wrote them."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Final

import pyarrow as pa

from crypto_quant.core.errors import DataError
from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.cleaners.rebase import Recorded
from crypto_quant.data_pipeline.collectors import ticksize
from crypto_quant.data_pipeline.collectors.claims import check_symbol, check_venue
from crypto_quant.data_pipeline.collectors.facts import Facts
from crypto_quant.data_pipeline.collectors.file import File
from crypto_quant.data_pipeline.collectors.ticks.reader import TickReader
from crypto_quant.data_pipeline.storage.kinds import Batch, Exps

_LINE: Final = re.compile(rb"\d{13,19} \s*\{")
_STREAM: Final = re.compile(
    rb'"stream"\s*:\s*"[^"@]+@(depth|trade|aggTrade|bookTicker|markPrice)|'
    rb'"e"\s*:\s*"(depthUpdate|trade|aggTrade|bookTicker|markPriceUpdate)"'
)
_FUTURES: Final = re.compile(rb'"(pu|X|ps)"\s*:')
_SPOT: Final = re.compile(rb'"M"\s*:')
_SYMBOL: Final = re.compile(rb'"s"\s*:\s*"([^"]+)"')

MARK_EXPS: Final = Exps(price=8, rate=8)
"""Mark and index prices are finer than the instrument's grid: 8 decimals, as sent."""

UNKNOWN_GRID: Final = Exps(price=8, qty=8)
"""Grid of an instrument without rules: as many decimals as the venue ever sends."""

_COUNTED: Final = {
    "trade": {"not_market": "not_market", "trade_breaks": "trade_id_gaps"},
    "agg_trade": {"agg_breaks": "trade_id_gaps"},
    "delta": {"depth_breaks": "update_id_gaps", "clock_back": "clock_back"},
    "quote": {},
    "mark": {},
}


def grid_of(rules: Instrument | None) -> Exps:
    """Return the grid that a decoder writes on."""
    return UNKNOWN_GRID if rules is None else Exps(price=rules.price_exp, qty=rules.qty_exp)


_PRICES: Final = {"quote": ("bid", "ask"), "mark": ()}
_QUANTITIES: Final = {"quote": ("bid_qty", "ask_qty"), "mark": ()}


def off_grid(
    rules: Instrument | None, kind: str, rows: pa.RecordBatch, exps: Exps
) -> dict[str, int]:
    """Count rows off the instrument's tick or lot; they are kept as they are."""
    return ticksize.findings(
        rules,
        rows.column("ts_event").to_numpy(),
        [rows.column(name) for name in _PRICES.get(kind, ("px",))],
        exps.price,
        [rows.column(name) for name in _QUANTITIES.get(kind, ("qty",))],
        exps.qty,
    )


class BinanceFrames:
    """Combined-stream frames of USD-M, COIN-M or spot, with or without a REST snapshot."""

    kinds = frozenset({"trade", "agg_trade", "delta", "quote", "mark"})
    title = "capture of Binance websocket frames"

    def recognise(self, file: File) -> bool:
        """Look for a local stamp, a blank and a frame of a known stream."""
        return bool(_LINE.match(file.head)) and bool(_STREAM.search(file.head))

    def needs(self, file: File, facts: Facts) -> tuple[str, ...]:
        """Ask for what a frame does not name: the venue and the kind of contract."""
        return ("venue", "symbol")

    def read(
        self, file: File, facts: Facts, instruments: Mapping[str, Instrument]
    ) -> Iterator[Batch]:
        """Yield rows by kind; the last batch of a kind carries what was counted.

        ``facts.dataset`` names the recording machine whose clock stamped the lines.
        """
        key, clock = facts.instrument, facts.dataset or ""
        rules = instruments.get(key)
        check_venue(str(file.path), "the layout", "BINANCE", facts)
        _check_contract(file, key, rules)
        reader = TickReader(file, "frames", _symbol(file, facts, rules), grid_of(rules))
        held: dict[str, Batch] = {}
        for kind, rows, exps in reader:
            if kind in held:
                yield held[kind]
            grid = MARK_EXPS if kind == "mark" else exps
            found = off_grid(rules, kind, rows, grid)
            recv = f"recorded; clock={clock}"
            held[kind] = Batch(kind, key, rows, grid, recv, findings=found)
        if not held:
            raise DataError(f"{file.path}: no frame of a known kind in it")
        for kind, last in held.items():
            found = {**last.findings, **_findings(kind, reader.stats)}
            yield replace(last, recv=_recv(clock, reader), findings=found)


def _recv(clock: str, reader: TickReader) -> str:
    """Word how ``ts_recv`` was made; the least latency is known at the end only."""
    least = reader.stats.get("least_latency")
    return f"recorded; clock={clock}" if least is None else Recorded(clock, least).describe()


def _findings(kind: str, stats: Mapping[str, int]) -> dict[str, int]:
    found = {label: stats[name] for name, label in _COUNTED[kind].items() if stats[name]}
    if kind == "delta" and not stats["snapshot"]:
        found["without_snapshot"] = stats["depth"]
    return found


def _symbol(file: File, facts: Facts, rules: Instrument | None) -> str:
    if rules is not None:
        return rules.symbol
    found = _SYMBOL.search(file.head)
    if found is None:
        raise DataError(f"{file.path}: no frame names its symbol")
    symbol = found[1].decode("ascii", "replace")
    check_symbol(str(file.path), "a frame", symbol, facts)
    return symbol


def _check_contract(file: File, key: str, rules: Instrument | None) -> None:
    if rules is None:
        return
    head = file.head
    is_futures = bool(_FUTURES.search(head))
    is_spot = bool(_SPOT.search(head)) or (b"depthUpdate" in head and not is_futures)
    held = "futures" if is_futures else "spot" if is_spot else None
    if held is not None and (held == "spot") != (rules.contract == "spot"):
        raise DataError(f"{file.path}: holds {held} frames, but {key} is {rules.contract}")
