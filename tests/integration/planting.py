"""How many planted faults the checks find, as a user sees it: open, with every explanation.

``python -m tests.integration.planting CATALOG`` prints the table of docs/how-to/validate.md.
"""

from __future__ import annotations

import sys
from functools import cache
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pyarrow as pa

from crypto_quant.data_pipeline.cleaners.checks import CHECKS, Check
from crypto_quant.data_pipeline.cleaners.findings import Finding, Mend
from crypto_quant.data_pipeline.cleaners.rows import Rows, Tables
from crypto_quant.data_pipeline.cleaners.validator import DataValidator
from crypto_quant.data_pipeline.storage import Catalog, Key
from crypto_quant.venues.rules import load_instruments
from tests.integration.faults import Columns, Ints
from tests.integration.planted import BARS, TICKS, Case

_FIRST = 500
_MARGIN = 400
_EARLIEST = 60
ALONE = 10
"""Seeds with which each fault is planted by itself."""


class Score(NamedTuple):
    """What was open of the faults planted, and what else the checks would have had.

    Only alarms that are open and were not there before count. ``found`` are faults with one
    of the case's check, ``seen`` those with one of any check, ``exact`` those with one at
    their very row; ``false`` are alarms of any check that lie on no fault; ``removed`` are
    good rows that a repair would take out.
    """

    case: Case
    planted: int
    found: int
    seen: int
    exact: int
    false: int
    removed: int

    @property
    def recall(self) -> float:
        """Share of the faults that the case's check leaves open."""
        return self.found / self.planted

    @property
    def seen_recall(self) -> float:
        """Share of the faults that any check leaves open."""
        return self.seen / self.planted

    @property
    def precision(self) -> float:
        """Share of the new open alarms that lie on a fault."""
        return self.seen / (self.seen + self.false) if self.seen else 0.0


def fits(case: Case, rows: Rows) -> bool:
    """Whether a series is long enough for a case: other data may stand in for this."""
    spread = _FIRST if case.early else 2 * case.faults * case.apart
    return len(rows) >= spread + 2 * max(_MARGIN, case.apart)


def measure(case: Case, tables: Tables, seed: int = 20) -> Score:
    """Plant one case, run every check, and count."""
    rows = tables.rows(case.kind, case.key)
    copy, faults = _planted(case, rows, seed, case.faults)
    new = _new(tables, rows, copy, tuple(CHECKS))
    own = [f for f in new if f.check == case.check]
    found, seen = (
        sum(any(_meets(f, first, count) for f in alarms) for first, count in faults)
        for alarms in (own, new)
    )
    marked = {finding.row for finding in new}
    return Score(
        case,
        len(faults),
        found,
        seen,
        sum(first in marked for first, _ in faults),
        sum(not any(_meets(f, first, count) for first, count in faults) for f in new),
        len(_taken(new) - {row for first, count in faults for row in range(first, first + count)}),
    )


def measure_alone(case: Case, tables: Tables) -> int:
    """Return how many of ``ALONE`` faults, each the only one, the case's check leaves open."""
    rows = tables.rows(case.kind, case.key)
    found = 0
    for seed in range(ALONE):
        copy, faults = _planted(case, rows, seed, 1)
        new = _new(tables, rows, copy, (case.check,))
        found += any(_meets(f, first, count) for f in new for first, count in faults)
    return found


def _planted(case: Case, rows: Rows, seed: int, faults: int) -> tuple[Rows, list[tuple[int, int]]]:
    rng = np.random.default_rng([seed, len(rows)])
    columns = {
        name: rows.ints(name).copy()
        for name in rows.table.column_names
        if pa.types.is_integer(rows.table.schema.field(name).type) and rows.has(name)
    }
    known = {f"known {name}": rows.known(name).astype(np.int64) for name in columns}
    columns.update(known)
    at = _places(rows, case, rng, faults)
    planted = case.plant(columns, rng, at)
    return _copied(rows, columns), planted


def _new(tables: Tables, rows: Rows, copy: Rows, checks: tuple[str, ...]) -> list[Finding]:
    """Return what is open on the copy and was not on the rows as they are."""
    old = {(f.ts, f.check, f.what) for f in _open(tables, Key(rows.kind, rows.key), checks)}
    only: dict[str, Check] = {name: CHECKS[name] for name in checks}
    after = DataValidator(tables.replaced(copy), only).validate([Key(rows.kind, rows.key)])
    return [f for f in after if f.is_open and (f.ts, f.check, f.what) not in old]


@cache
def _open(tables: Tables, key: Key, checks: tuple[str, ...]) -> list[Finding]:
    only: dict[str, Check] = {name: CHECKS[name] for name in checks}
    return [f for f in DataValidator(tables, only).validate([key]) if f.is_open]


def _meets(finding: Finding, first: int, count: int) -> bool:
    """Whether a finding lies on a fault; its row may be the one after it."""
    return finding.row <= first + count and first <= finding.row + max(finding.rows, 1)


def _taken(findings: list[Finding]) -> set[int]:
    """Return the rows that a repair would leave out."""
    return {
        row
        for finding in findings
        if finding.mend in (Mend.MASK, Mend.DROP_REPEATED)
        for row in range(finding.row, finding.row + finding.rows)
    }


def _places(rows: Rows, case: Case, rng: np.random.Generator, faults: int) -> Ints:
    """Choose rows far enough apart, away from the ends; all that were asked for, or fail."""
    margin = max(_MARGIN, case.apart)
    pool = np.arange(margin, len(rows) - margin)
    if case.early:
        pool = np.arange(_EARLIEST, _FIRST)
    if case.wild:
        width = np.log(rows.floats("high") / rows.floats("low"))[pool]
        pool = pool[width >= np.quantile(width, 0.99)]
    if case.kind == "delta":
        snapshot = np.flatnonzero(rows.ints("flags") & 1)[-1]
        pool = pool[(rows.ints("flags")[pool] == 0) & (pool > snapshot + margin)]
    chosen: list[int] = []
    for row in rng.permutation(pool):
        if all(abs(int(row) - other) >= case.apart for other in chosen):
            chosen.append(int(row))
        if len(chosen) == faults:
            return np.sort(np.array(chosen, dtype=np.int64))
    raise AssertionError(f"{case.name} in {case.key}: room for {len(chosen)} of {faults} faults")


def _copied(rows: Rows, columns: Columns) -> Rows:
    """Return rows of changed columns; what was missing is missing still."""
    size = columns["ts_event"].size
    arrays = [
        pa.array(columns[field.name], mask=columns[f"known {field.name}"] == 0).cast(field.type)
        if field.name in columns
        else pa.nulls(size, field.type)
        for field in rows.table.schema
    ]
    table = pa.table(arrays, schema=rows.table.schema)
    return Rows(rows.kind, rows.key, rows.interval, rows.exps, table, rows.parts)


def table(scores: list[tuple[Score, int]]) -> str:
    """Return scores, and how many single faults were found, as Markdown."""
    lines = [
        "| planted | in | check | faults | recall | by any check | alone | at the very row "
        "| precision | good rows removed |",
        "|---|---|---|---|---|---|---|---|---|---|",
    ]
    lines.extend(
        f"| {s.case.name} | {s.case.kind} {s.case.key} | {s.case.check} | {s.planted} "
        f"| {s.recall:.2f} | {s.seen_recall:.2f} | {alone / ALONE:.2f} "
        f"| {s.exact / s.planted:.2f} | {s.precision:.2f} | {s.removed} |"
        for s, alone in scores
    )
    return "\n".join(lines)


def main() -> None:
    """Measure every case whose key the catalog has; ``$CQ_DATA`` imported whole has all."""
    tables = Tables(Catalog(Path(sys.argv[1])), load_instruments())
    there = set(tables.all_keys())
    cases = [case for case in (*BARS, *TICKS) if Key(case.kind, case.key) in there]
    scores = [(measure(case, tables), measure_alone(case, tables)) for case in cases]
    sys.stdout.write(table(scores) + "\n")


if __name__ == "__main__":
    main()
