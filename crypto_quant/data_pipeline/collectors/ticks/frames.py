"""Captures of Binance frames: ``<local stamp> <json>`` a line, as a recorder wrote them."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
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
from crypto_quant.data_pipeline.collectors.ticks.reader import Rows, TickReader
from crypto_quant.data_pipeline.collectors.ticks.several import Names, SeveralReader
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

        Where the first frames are of several symbols, each goes to an instrument of its own,
        named as the one that was said is.
        ``facts.dataset`` names the recording machine whose clock stamped the lines.
        """
        check_venue(str(file.path), "the layout", "BINANCE", facts)
        symbols = frozenset(name.decode("ascii", "replace") for name in _SYMBOL.findall(file.head))
        if len(symbols) > 1:
            yield from _several(file, facts, instruments, symbols)
            return
        key = facts.instrument
        rules = instruments.get(key)
        _check_contract(file, key, rules)
        reader = TickReader(file, "frames", _symbol(file, facts, rules), grid_of(rules))
        named = ((key, rows) for rows in reader)
        yield from _batches(file, facts, instruments, named, lambda _: reader.stats)


def _several(
    file: File, facts: Facts, instruments: Mapping[str, Instrument], symbols: frozenset[str]
) -> Iterator[Batch]:
    """Yield the rows of each symbol for its own instrument."""
    names = Names(file, facts, symbols)
    for key in sorted(map(names.key, symbols)):
        _check_contract(file, key, instruments.get(key))
    reader = SeveralReader(file, names, instruments, UNKNOWN_GRID)
    named = ((names.key(symbol), rows) for symbol, rows in reader)
    yield from _batches(
        file,
        facts,
        instruments,
        named,
        lambda key: {names.key(symbol): stats for symbol, stats in reader.stats.items()}[key],
    )


def _batches(
    file: File,
    facts: Facts,
    instruments: Mapping[str, Instrument],
    named: Iterable[tuple[str, Rows]],
    stats: Callable[[str], Mapping[str, int]],
) -> Iterator[Batch]:
    """Yield rows of instruments; ``stats`` of each are asked for when all were read."""
    clock = facts.dataset or ""
    held: dict[tuple[str, str], Batch] = {}
    for key, (kind, rows, exps) in named:
        if (key, kind) in held:
            yield held[key, kind]
        grid = MARK_EXPS if kind == "mark" else exps
        found = off_grid(instruments.get(key), kind, rows, grid)
        recv = f"recorded; clock={clock}"
        held[key, kind] = Batch(kind, key, rows, grid, recv, findings=found)
    if not held:
        raise DataError(f"{file.path}: no frame of a known kind in it")
    for (key, kind), last in held.items():
        seen = stats(key)
        found = {**last.findings, **_findings(kind, seen)}
        yield replace(last, recv=_recv(clock, seen), findings=found)


def _recv(clock: str, stats: Mapping[str, int]) -> str:
    """Word how ``ts_recv`` was made; the least latency is known at the end only."""
    least = stats.get("least_latency")
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
