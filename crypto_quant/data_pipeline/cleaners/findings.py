"""What a check says about rows: where, how bad, why, and what may be done about it."""

from __future__ import annotations

from collections.abc import Iterable
from enum import StrEnum
from itertools import groupby
from typing import NamedTuple

from crypto_quant.core.clock import iso


class Severity(StrEnum):
    """How far a finding stands in the way."""

    ERROR = "error"
    """Whoever uses these rows gets wrong results."""
    WARNING = "warning"
    """Probably wrong, or missing: look before use."""
    NOTE = "note"
    """Worth knowing; nothing is wrong with it."""


class Mend(StrEnum):
    """The repairs there are; each only leaves rows out or puts them in order."""

    DROP_REPEATED = "drop repeated rows"
    SORT = "sort by time"
    MASK = "remove as missing"


class Finding(NamedTuple):
    """One thing found.

    ``row`` is the index of the first row in what ``Catalog.scan`` returns of the key, and
    ``rows`` how many rows from there it is about (0: none, the rows are missing; a note may
    count rows that lie apart); ``ts`` is the ``ts_event`` of ``row`` in ns UTC. ``what`` names
    the kind of finding within its check, ``value`` is what stands there. ``mend`` is the
    repair that is safe, if one is.
    ``explained`` is why it is no defect of this data, where that is known; ``missing`` is how
    many rows a hole lacks; ``bps`` is how far a price is off as the check measured it, in basis
    points and without sign (``None``: the finding is not about how far).
    """

    check: str
    what: str
    severity: Severity
    kind: str
    key: str
    row: int
    rows: int
    ts: int
    value: str
    reason: str
    mend: Mend | None = None
    explained: str = ""
    missing: int = 0
    bps: float | None = None

    @property
    def is_open(self) -> bool:
        """Whether it is an error or warning that nothing explains."""
        return self.severity is not Severity.NOTE and not self.explained

    @property
    def order(self) -> tuple[str, str, str, int, str, int]:
        """Sort key: findings of the same data always come in the same order."""
        return self.kind, self.key, self.check, self.row, self.what, self.rows


class Line(NamedTuple):
    """Findings of one sort on one key, in words for a report."""

    severity: str
    where: str
    what: str
    action: str


class Group(NamedTuple):
    """Findings of one key that are alike."""

    check: str
    what: str
    severity: Severity
    kind: str
    key: str
    found: tuple[Finding, ...]

    @property
    def rows(self) -> int:
        """How many rows they are about."""
        return sum(finding.rows for finding in self.found)

    @property
    def explained(self) -> str:
        """Why they are no defect; empty if that is not known."""
        return self.found[0].explained


def grouped(findings: Iterable[Finding]) -> list[Group]:
    """Put findings that are alike together, by check, then worst first, then key."""
    rank = list(Severity)

    def alike(f: Finding) -> tuple[str, int, str, str, str, str]:
        return f.check, rank.index(f.severity), f.kind, f.key, f.what, f.explained

    ordered = sorted(findings, key=lambda f: (*alike(f), f.row))
    return [
        Group(same[0].check, same[0].what, same[0].severity, same[0].kind, same[0].key, same)
        for same in (tuple(group) for _, group in groupby(ordered, alike))
    ]


def summarise(findings: Iterable[Finding]) -> list[Line]:
    """Return one line per group of findings, the worst first.

    ``action`` says what is done about it: why nothing needs to be, or which repair there is.
    """
    rank = list(Severity)
    groups = sorted(grouped(findings), key=lambda g: (bool(g.explained), rank.index(g.severity)))
    return [
        Line(str(group.severity), f"{group.kind} {group.key}", _what(group), _action(group))
        for group in groups
    ]


def _what(group: Group) -> str:
    first = group.found[0]
    count = len(group.found)
    if count == 1:
        return f"{group.check}, {group.what}: {first.reason} ({first.value}; {iso(first.ts)})"
    return (
        f"{group.check}, {group.what}: {count:,} times, {group.rows:,} rows, "
        f"{iso(first.ts)} to {iso(group.found[-1].ts)}; first: {first.reason} ({first.value})"
    )


def _action(group: Group) -> str:
    if group.explained:
        return f"kept: {group.explained}"
    if group.severity is Severity.NOTE:
        return "kept as recorded"
    mend = group.found[0].mend
    if mend is None:
        return "kept as recorded; no safe repair"
    return f"kept as recorded; cq data validate --repair would {mend}"
