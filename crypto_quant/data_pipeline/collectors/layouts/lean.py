"""Minute files of QuantConnect LEAN: a zip with one CSV without header.

Rows are (ms of the day, OHLC, volume) for trades and (ms of the day, bid OHLC, bid size,
ask OHLC, ask size) for quotes. Crypto prices are not scaled. The day is only in the name
of the file inside.

References
----------
https://github.com/QuantConnect/Lean/blob/master/Data/crypto/readme.md
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Final

import numpy as np
import pyarrow as pa

from crypto_quant.core.errors import DataError
from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.collectors import ticksize
from crypto_quant.data_pipeline.collectors.facts import Facts, duration, period
from crypto_quant.data_pipeline.collectors.file import File
from crypto_quant.data_pipeline.collectors.layouts.bars import (
    Columns,
    Plan,
    bar_batch,
    check_aligned,
)
from crypto_quant.data_pipeline.collectors.table import pieces
from crypto_quant.data_pipeline.collectors.times import to_ns
from crypto_quant.data_pipeline.storage import flags
from crypto_quant.data_pipeline.storage.grid import to_grid
from crypto_quant.data_pipeline.storage.kinds import KINDS, Batch, Exps

_DAY_MS: Final = 86_400_000
_MINUTE: Final = 60 * 10**9
_TRADE: Final = ("ms", "open", "high", "low", "close", "volume")
_QUOTE: Final = (
    "ms",
    *(f"bid_{name}" for name in ("open", "high", "low", "close", "qty")),
    *(f"ask_{name}" for name in ("open", "high", "low", "close", "qty")),
)


class LeanMinutes:
    """One day of trade or quote bars."""

    kinds = frozenset({"bar", "quote_bar"})
    title = "LEAN minute file"

    def recognise(self, file: File) -> bool:
        """Look for a zip of 6 or 11 cells a row, the first a growing ms of the day."""
        if file.container != "zip" or len(file.members) != 1 or file.columns:
            return False
        rows = [file.row(0), file.row(1)]
        if any(len(row) not in (len(_TRADE), len(_QUOTE)) for row in rows):
            return False
        if not all(row[0].isdigit() for row in rows):
            return False
        first, second = (int(row[0]) for row in rows)
        return first < second < _DAY_MS and first % 1000 == 0 and second % 1000 == 0

    def needs(self, file: File, facts: Facts) -> tuple[str, ...]:
        """Contract and unit; the date, where the file inside does not begin with it."""
        date = () if _dated(file) else ("date",)
        return ("venue", "symbol", "volume", *date)

    def read(
        self, file: File, facts: Facts, instruments: Mapping[str, Instrument]
    ) -> Iterator[Batch]:
        """Yield the day's bars."""
        is_quote = len(file.row(0)) == len(_QUOTE)
        made = "quote_bar" if is_quote else "bar"
        if facts.kind not in (None, made):
            raise DataError(f"{file.path}: holds {made} rows, not {facts.kind}")
        if facts.interval is not None and duration(facts.interval, "interval") != _MINUTE:
            raise DataError(f"{file.path}: holds minutes (interval=1m), not {facts.interval}")
        day = int(to_ns(pa.chunked_array([[facts.date or _dated(file)]]), f"{file.path}: date")[0])
        table = pa.concat_tables(list(pieces(file, names=_QUOTE if is_quote else _TRADE)))
        ms = to_grid(table.column("ms"), 0, f"{file.path}: ms of the day")[0]
        times = ms.to_numpy(zero_copy_only=False) * 10**6 + day
        if ms.null_count or not (np.diff(times) > 0).all():
            raise DataError(f"{file.path}: the times of the day do not grow")
        what = f"{file.path}: ms of the day"
        check_aligned(times, _MINUTE, what, "only minute files of LEAN are read")
        rules = instruments.get(facts.instrument)
        if is_quote:
            yield _quotes(file, facts, rules, table, times)
            return
        plan = Plan(
            kind="bar",
            instrument=facts.instrument,
            rules=rules,
            interval=_MINUTE,
            is_close_stamped=False,
            volume_unit=facts.volume,
            columns=Columns("ms", ("open", "high", "low", "close"), "volume"),
        )
        yield bar_batch(file, plan, table, times, {})


def _dated(file: File) -> str | None:
    found = re.match(r"(\d{4})(\d{2})(\d{2})_", file.members[0].rpartition("/")[2])
    return "-".join(found.groups()) if found else None


def _quotes(
    file: File,
    facts: Facts,
    rules: Instrument | None,
    table: pa.Table,
    times: np.ndarray[tuple[int], np.dtype[np.int64]],
) -> Batch:
    if facts.volume == "base" and rules is not None and rules.multiplier != 1:
        raise DataError(f"{file.path}: sizes of {rules.id} are contracts; give volume=contracts")
    prices = [name for name in _QUOTE[1:] if not name.endswith("qty")]
    made: dict[str, pa.Array] = {}
    exps = Exps(price=rules.price_exp if rules else 0, qty=rules.qty_exp if rules else 0)
    for name in _QUOTE[1:]:
        least = exps.price if name in prices else exps.qty
        made[name], exp = to_grid(table.column(name), least, f"{file.path}: {name}")
        field = "price" if name in prices else "qty"
        exps = exps.widest(Exps(**{field: exp}))
    for name in made:  # the widest grid is known only now
        least = exps.price if name in prices else exps.qty
        made[name] = to_grid(table.column(name), least, name)[0]
    columns = [made[name] for name in prices]
    found = ticksize.findings(rules, times, columns, exps.price, [], exps.qty)
    arrays = {
        "ts_event": pa.array(times),
        "ts_recv": pa.array(times + _MINUTE),
        **made,
        "flags": pa.array(np.full(times.size, flags.SYNTHETIC_RECV, dtype=np.uint32)),
    }
    schema = KINDS["quote_bar"].schema()
    data = pa.record_batch([arrays[name] for name in schema.names], schema=schema)
    key = f"{facts.instrument}/{period(_MINUTE)}"
    return Batch("quote_bar", key, data, exps, "open + interval", _MINUTE, found)
