"""Repairs: rows left out or put in order, never made up; logged, and undone to the byte.

A repaired part is a new file, and the manifest names it instead of the old one, which stays
on disk; the new one goes when the repair is undone.
``repairs.jsonl`` beside the manifest has one line per repair: the old part, the rows that went,
why, and when. Log and manifest change in one step, under one lock: a repair, or the undoing of
one, that was cut off is done and logged, or neither.
"""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.cleaners.findings import Finding, Mend
from crypto_quant.data_pipeline.cleaners.rows import Bools
from crypto_quant.data_pipeline.storage import (
    KINDS,
    Batch,
    Catalog,
    Key,
    Part,
    Transaction,
    flags,
    journal,
    paths,
)
from crypto_quant.data_pipeline.storage.manifest import is_whole

NAME: Final = journal.REPAIRS


@dataclass(frozen=True, slots=True)
class Repair:
    """One part repaired, as ``repairs.jsonl`` has it.

    ``before`` are the rows that went (or, for a sort, moved), each with its ``row`` in the
    old part; ``after`` are the same rows where they stand now (none, if they went).
    ``source`` is the content hash of the imported file. ``at`` and ``undone_at`` are ns UTC.
    """

    id: str
    at: int
    kind: str
    key: str
    words: str
    checks: tuple[str, ...]
    source: str
    part: Part
    before: tuple[dict[str, Any], ...]
    after: tuple[dict[str, Any], ...]
    undone_at: int | None = None

    def summary(self) -> dict[str, Any]:
        """Return what people want to know, as plain values."""
        names = ("id", "at", "kind", "key", "words", "checks", "source", "undone_at")
        return {**{name: getattr(self, name) for name in names}, "rows": len(self.before)}

    def to_json(self) -> dict[str, Any]:
        """Return plain values."""
        rows = {"before": list(self.before), "after": list(self.after)}
        return {**self.summary(), **rows, "part": self.part.to_json()}

    @classmethod
    def from_json(cls, plain: dict[str, Any]) -> Repair:
        """Read what ``to_json`` wrote."""
        kept = {name: value for name, value in plain.items() if name != "rows"}
        for name in ("checks", "before", "after"):
            kept[name] = tuple(kept[name])
        return cls(**{**kept, "part": Part.from_json(plain["part"])})


def log(root: Path) -> list[Repair]:
    """Return every repair of a catalog, in order, undone ones too.

    Raises
    ------
    DataError
        The log is damaged.
    """
    path = root / NAME
    if not path.exists():
        return []
    try:
        entries = [Repair.from_json(json.loads(line)) for line in path.read_text().splitlines()]
    except (ValueError, KeyError, TypeError) as err:
        raise DataError(f"{path}: damaged ({err}); restore it from a copy") from err
    paths.check(root, (entry.part.path for entry in entries), path)
    return entries


def apply(catalog: Catalog, findings: Iterable[Finding], now: int) -> list[Repair]:
    """Do the repairs that open findings suggest, each part once, all or nothing.

    Parameters
    ----------
    catalog : Catalog
        The catalog that the findings are about, unchanged since.
    findings : Iterable[Finding]
        Explained findings and those without a safe repair are passed over.
    now : int
        The time to log, ns UTC.

    Raises
    ------
    DataError
        The catalog changed since the findings were made.
    """
    by_key: dict[Key, list[Finding]] = defaultdict(list)
    for finding in findings:
        if finding.is_open and finding.mend is not None:
            by_key[Key(finding.kind, finding.key)].append(finding)
    if not by_key:
        return []
    done: list[Repair] = []
    with catalog.transaction() as change:
        old = log(catalog.root)
        for key in sorted(by_key):
            for part, table, changes in _parts(catalog, key, by_key[key]):
                number = len(old) + len(done) + 1
                done.append(_rewrite(change, part, table, changes, number, now))
        change.put_beside(NAME, _lines([*old, *done]))
    return done


def undo(catalog: Catalog, name: str, now: int) -> Repair:
    """Take a repair back: the part is again the file it was, to the byte.

    Raises
    ------
    DataError
        There is no such repair, it was undone, or a later one of the same rows is not.
    """
    with catalog.transaction() as change:
        entries = log(catalog.root)
        at, undone = _undone(entries, name, now, catalog.root)
        entry = entries[at]
        current = next((p for p in change.known_parts if _same_rows(p, entry.part)), None)
        if current != entry.part:
            change.restore(entry.part, current)
        change.put_beside(NAME, _lines([*entries[:at], undone, *entries[at + 1 :]]))
    if current is not None and current != entry.part:
        (catalog.root / current.path).unlink(missing_ok=True)
    return undone


def _undone(entries: Sequence[Repair], name: str, now: int, root: Path) -> tuple[int, Repair]:
    """Return where in the log a repair is, and what its entry becomes."""
    at = next((i for i, entry in enumerate(entries) if entry.id == name), None)
    if at is None:
        have = ", ".join(entry.id for entry in entries if entry.undone_at is None) or "none"
        raise DataError(f"no repair {name!r} in {root / NAME}; to undo: {have}")
    entry = entries[at]
    if entry.undone_at is not None:
        raise DataError(f"repair {name} was undone already")
    for later in entries[at + 1 :]:
        if later.undone_at is None and _same_rows(later.part, entry.part):
            raise DataError(f"repair {later.id} came after it on the same rows: undo that first")
    return at, Repair(**{**_fields(entry), "undone_at": now})


def _fields(entry: Repair) -> dict[str, Any]:
    return {name: getattr(entry, name) for name in Repair.__slots__}


def _same_rows(one: Part, other: Part) -> bool:
    """Whether two parts are of the same stretch of the same content, whatever it was called."""
    first, second = ((p.kind, p.key, p.source.sha256) for p in (one, other))
    return first == second and one.start <= other.end and other.start <= one.end


@dataclass(slots=True)
class _Changes:
    """What becomes of one part: rows to leave out (shape (n,)), and whether to sort."""

    gone: Bools
    checks: list[str]
    mends: set[Mend]


def _parts(
    catalog: Catalog, key: Key, findings: Sequence[Finding]
) -> Iterator[tuple[Part, pa.Table, _Changes]]:
    """Yield the parts that change, with their rows."""
    first = 0
    for part in catalog.parts_of(*key):
        changes = _Changes(np.zeros(part.rows, dtype=bool), [], set())
        for finding in findings:
            begin = max(finding.row - first, 0)
            end = min(finding.row + finding.rows - first, part.rows)
            if begin >= end or finding.mend is None:
                continue
            changes.checks.append(f"{finding.check}: {finding.what}")
            changes.mends.add(finding.mend)
            if finding.mend is not Mend.SORT:
                changes.gone[begin:end] = True
        if changes.checks:
            path = catalog.root / part.path
            if not is_whole(catalog.root, part):
                raise DataError(f"{path}: damaged; import {part.source.name} again")
            yield part, pq.read_table(path, partitioning=None), changes
        first += part.rows


def _rewrite(
    change: Transaction, part: Part, table: pa.Table, changes: _Changes, number: int, now: int
) -> Repair:
    order = np.arange(part.rows)
    if Mend.SORT in changes.mends:
        by = "ts_recv" if KINDS[part.kind].ticks else "ts_event"
        order = np.argsort(table.column(by).to_numpy(), kind="stable")
    kept = order[~changes.gone[order]]
    moved = np.flatnonzero(order != np.arange(part.rows))
    touched = np.union1d(np.flatnonzero(changes.gone), order[moved])
    place = {int(row): at for at, row in enumerate(kept)}
    before = [{"row": int(row), **_plain(table, int(row))} for row in touched]
    after = [
        {"row": place[int(row)], **_plain(table, int(row))} for row in touched if int(row) in place
    ]
    change.rewrite(part)
    if kept.size:
        made = _flagged(table.take(pa.array(kept)), _beside(changes.gone, kept, order))
        counted = {**part.findings, "repaired_rows": part.findings.get("repaired_rows", 0)}
        counted["repaired_rows"] += touched.size
        for batch in made.combine_chunks().to_batches():
            change.append(
                Batch(part.kind, part.key, batch, part.exps, part.recv, part.interval, counted)
            )
            counted = {}
    return Repair(
        id=f"{number:04d}-{part.sha256[:8]}",
        at=now,
        kind=part.kind,
        key=part.key,
        words=", ".join(sorted(changes.mends)),
        checks=tuple(sorted(set(changes.checks))),
        source=part.source.sha256,
        part=part,
        before=tuple(before),
        after=tuple(after),
    )


def _beside(gone: Bools, kept: np.ndarray, order: np.ndarray) -> Bools:
    """Mark the kept rows next to rows that went, and those that moved."""
    edge = np.zeros(gone.size, dtype=bool)
    edge[1:] |= gone[:-1]
    edge[:-1] |= gone[1:]
    moved = np.zeros(gone.size, dtype=bool)
    moved[order[order != np.arange(gone.size)]] = True
    return np.asarray((edge | moved)[kept], dtype=bool)


def _flagged(table: pa.Table, marked: Bools) -> pa.Table:
    if "flags" not in table.column_names:
        return table
    marks = table.column("flags").to_numpy() | np.where(marked, flags.REPAIRED, 0)
    at = table.schema.get_field_index("flags")
    return table.set_column(at, table.schema.field(at), pa.array(marks.astype(np.uint32)))


def _plain(table: pa.Table, row: int) -> dict[str, Any]:
    values: dict[str, Any] = table.slice(row, 1).to_pylist()[0]
    return values


def _lines(entries: Sequence[Repair]) -> bytes:
    lines = [json.dumps(entry.to_json(), sort_keys=True) + "\n" for entry in entries]
    return "".join(lines).encode()
