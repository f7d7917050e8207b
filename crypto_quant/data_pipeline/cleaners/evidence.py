"""What the rows themselves show in favour of an explanation, beyond how few they are.

An entry of ``explanations.toml`` may name one of ``EVIDENCE``; it then covers only findings
for which that holds. Each asks what a fault could not have brought about.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Final

import numpy as np

from crypto_quant.data_pipeline.cleaners.findings import Finding
from crypto_quant.data_pipeline.cleaners.rows import Rows, Tables
from crypto_quant.data_pipeline.cleaners.trading import (
    against_usual,
    hardly_traded,
    range_against_usual,
    turnover,
)

Evidence = Callable[[Rows, Tables, Finding], bool]

_STILL: Final = 0.04
"""Price after a halt is where it stopped, to this share of what it does in such a time."""
_BURST: Final = 1.5
"""The first bar after a halt has this many times the usual volume, at least."""
_LONG: Final = 120
_SHORT: Final = 10
_NEAR: Final = 36
"""Rows: a market that does not trade comes and goes for a while."""
_PER_TRADE: Final = 30.0
_QUARTER: Final = 0.25
_HEAVY: Final = 1.75
_DAYS: Final = 48
_ALIKE: Final = 1e-4
_VOLUMES: Final = 0.05


def _halt(rows: Rows, tables: Tables, finding: Finding) -> bool:
    """Price resumes where it stopped, and trading with a burst or with bars without a trade.

    Rows that were lost leave a market that went on meanwhile.
    """
    volume, after = turnover(rows), finding.row
    if volume is None or after < _SHORT or after + _SHORT > len(rows):
        return False
    first, end = max(0, after - _LONG), min(len(rows), after + _LONG)
    close = rows.logs("close")[first:end]
    moves = np.abs(np.delete(np.diff(close), after - first - 1))
    moves = moves[moves > 0]
    if not moves.size:
        return False
    usual = np.sqrt(float(np.mean(moves**2)) * max(finding.missing, 1))
    moved = abs(float(rows.logs("open")[after]) - float(close[after - first - 1]))
    before = volume[after - _SHORT : after]
    is_burst = volume[after] >= _BURST * np.median(before)
    stands = (before[-_SHORT // 2 :] == 0).any() or (volume[after : after + 5] == 0).any()
    return bool(moved <= _STILL * usual and (is_burst or stands))


def _beside_a_pause(rows: Rows, tables: Tables, finding: Finding) -> bool:
    """One of the two bars at a border hardly traded, so that the market was not there."""
    first = finding.row - (finding.what != "close off")
    last = finding.row + (finding.what in ("close off", "bar off"))
    at = np.arange(max(0, first), min(len(rows) - 1, last) + 1)
    return bool(hardly_traded(rows, at).any())


def _cut_short(rows: Rows, tables: Tables, finding: Finding) -> bool:
    """Bars with too little volume traded for a part of their time only.

    Their trades are as large as usual, or bars near by have no trade at all, or price moved
    as little as volume says. Quote volume, or another file, that tells of more rules it out.
    """
    volume = turnover(rows)
    at = np.arange(finding.row, finding.row + finding.rows)
    if volume is None or _is_other_elsewhere(rows, tables, at):
        return False
    near = volume[max(0, at[0] - _NEAR) : at[-1] + _NEAR + 1]
    if (near == 0).any():
        return True
    if rows.has("count") and (rows.ints("count")[at] > 0).all():
        with np.errstate(divide="ignore", invalid="ignore"):
            size = against_usual(volume / rows.ints("count"), at)
        return bool(((size < _PER_TRADE) & (size > 1 / _PER_TRADE)).all())
    return bool((range_against_usual(rows, at) < _QUARTER).all())


def _is_other_elsewhere(rows: Rows, tables: Tables, at: np.ndarray) -> bool:
    if rows.has("volume") and rows.has("quote_volume"):
        volume, quote = rows.floats("volume")[at], rows.floats("quote_volume")[at]
        with np.errstate(divide="ignore", invalid="ignore"):
            price = np.where(volume > 0, quote / volume, np.nan)
        if (price > 1.01 * rows.floats("high")[at]).any():
            return True
    for other in tables.same_instrument(rows):
        step = max(rows.interval or 1, other.interval or 1)
        if not (rows.has("volume") and other.has("volume")):
            continue
        ours, theirs = tables.bars(rows.key, step), tables.bars(other.key, step)
        _, i, j = np.intersect1d(ours.ts, theirs.ts, return_indices=True)
        asked = np.isin(ours.ts[i], rows.ts[at] // step * step) & ours.whole[i] & theirs.whole[j]
        a, b = ours.volume[i[asked]], theirs.volume[j[asked]]
        if (np.abs(a - b) > _VOLUMES * np.maximum(a, b)).any():
            return True
    return False


def _another_file(rows: Rows, tables: Tables, finding: Finding) -> bool:
    """Another file of the same instrument has the price too."""
    return _seen(rows, tables, finding) is True


def _heavy_trading(rows: Rows, tables: Tables, finding: Finding) -> bool:
    """Far more was traded than usual, and no other file of the instrument says otherwise."""
    volume = turnover(rows)
    if volume is None or _seen(rows, tables, finding) is not None:
        return False
    return bool(against_usual(volume, np.array([finding.row]), _DAYS)[0] >= _HEAVY)


def _seen(rows: Rows, tables: Tables, finding: Finding) -> bool | None:
    """Say whether other files of the instrument have a bar's high or low; ``None``: no file.

    A file with finer bars has that price itself; of longer bars only the range can be asked.
    """
    name, row = finding.what.split()[0], finding.row
    price, step = float(rows.floats(name)[row]), rows.interval or 1
    same: list[bool] = []
    within: list[bool] = []
    for other in tables.same_instrument(rows):
        longer = max(step, other.interval or 1)
        bars = tables.bars(other.key, longer)
        slot = int(rows.ts[row]) // longer * longer
        at = min(int(np.searchsorted(bars.ts, slot)), bars.ts.size - 1)
        if bars.ts[at] != slot or not bars.whole[at]:
            continue
        if longer == step:
            same.append(abs(float(getattr(bars, name)[at]) / price - 1) <= _ALIKE)
        else:
            low, high = float(bars.low[at]), float(bars.high[at])
            within.append(low * (1 - _ALIKE) <= price <= high * (1 + _ALIKE))
    if same:
        return any(same)
    return all(within) if within else None


EVIDENCE: Final[Mapping[str, Evidence]] = {
    "halt": _halt,
    "beside a pause": _beside_a_pause,
    "cut short": _cut_short,
    "another file": _another_file,
    "heavy trading": _heavy_trading,
}
