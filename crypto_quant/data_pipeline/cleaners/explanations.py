"""Why a finding is no defect: a table kept in the repository, matched by pattern, not by date.

``explanations.toml`` has ``[[explanation]]`` entries. ``check`` and ``what`` name the finding,
``key`` its ``<kind>/<key>``, ``value`` the value it names; the last three may hold ``*``.
``evidence`` names what the rows must show besides (``EVIDENCE`` in evidence.py), ``most_bps``
limits an entry to prices that are off by at most so many basis points, ``first_rows`` to
findings within that many rows of a series' beginning, ``share`` to at most that share of a
series' rows, so that an explanation for a few rows never covers a broken file, ``rows`` to
findings of at most that many rows each. A hole has no rows of its own: ``missing`` limits an
entry to holes that lack at most that many rows each, ``missing_share`` the rows that all its
holes in a series lack together to that share of the series as it would be without them (one
hole of ``missing`` rows always passes, so that a short series may have one). ``why`` is the
explanation.
"""

from __future__ import annotations

import tomllib
from collections import defaultdict
from collections.abc import Callable, Mapping, Sequence
from fnmatch import fnmatchcase
from functools import cache
from importlib import resources

from pydantic import BaseModel, ConfigDict, ValidationError, field_validator

from crypto_quant.core.errors import ConfigError
from crypto_quant.data_pipeline.cleaners.evidence import EVIDENCE
from crypto_quant.data_pipeline.cleaners.findings import Finding, Severity

Shows = Callable[[str, Finding], bool]


class Explanation(BaseModel):
    """One entry of the table."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    check: str
    key: str
    why: str
    what: str = "*"
    value: str = "*"
    evidence: str | None = None
    most_bps: float | None = None
    first_rows: int | None = None
    share: float = 1.0
    rows: int | None = None
    missing: int | None = None
    missing_share: float = 1.0

    @field_validator("evidence")
    @classmethod
    def _is_known(cls, name: str | None) -> str | None:
        if name is not None and name not in EVIDENCE:
            raise ValueError(f"no evidence {name!r}; there is {', '.join(sorted(EVIDENCE))}")
        return name

    def covers(self, finding: Finding) -> bool:
        """Whether it is about a finding, shares and evidence aside."""
        return (
            finding.check == self.check
            and fnmatchcase(finding.what, self.what)
            and fnmatchcase(f"{finding.kind}/{finding.key}", self.key)
            and fnmatchcase(finding.value, self.value)
            and (self.first_rows is None or finding.row < self.first_rows)
            and (self.most_bps is None or self.most_bps >= (finding.bps or 0.0) > 0.0)
            and (self.rows is None or finding.rows <= self.rows)
            and (self.missing is None or finding.missing <= self.missing)
        )

    def bears(self, findings: Sequence[Finding], size: int) -> bool:
        """Whether findings it covers in one series of ``size`` rows are few enough."""
        rows = sum(max(finding.rows, 1) for finding in findings)
        missing = sum(finding.missing for finding in findings)
        return rows <= max(1, self.share * size) and missing <= max(
            self.missing or 0, self.missing_share * (size + missing)
        )


def parse(text: str, name: str) -> tuple[Explanation, ...]:
    """Read a table; ``ConfigError`` if it is none."""
    try:
        plain = tomllib.loads(text)
        return tuple(Explanation(**entry) for entry in plain.get("explanation", []))
    except (tomllib.TOMLDecodeError, ValidationError, TypeError) as err:
        raise ConfigError(f"{name}: {err}") from err


@cache
def table() -> tuple[Explanation, ...]:
    """Return the table that comes with the package."""
    file = resources.files(__package__) / "explanations.toml"
    return parse(file.read_text("utf-8"), file.name)


def explained(
    findings: Sequence[Finding],
    sizes: Mapping[tuple[str, str], int],
    entries: Sequence[Explanation],
    shows: Shows,
) -> list[Finding]:
    """Return the findings with what explains them; the first entry that covers one counts.

    Parameters
    ----------
    findings : Sequence[Finding]
        All findings of the keys in ``sizes``.
    sizes : Mapping[tuple[str, str], int]
        Rows of each (kind, key).
    entries : Sequence[Explanation]
        The table.
    shows : Shows
        Says whether the rows of a finding show the evidence of that name.
    """
    chosen = [_covering(finding, entries, shows) for finding in findings]
    alike = defaultdict[tuple[int, str, str], list[Finding]](list)
    for finding, entry in zip(findings, chosen, strict=True):
        if entry is not None:
            alike[(entry, finding.kind, finding.key)].append(finding)
    held = {slot for slot, same in alike.items() if entries[slot[0]].bears(same, sizes[slot[1:]])}
    return [
        finding._replace(explained=entries[entry].why)
        if entry is not None and (entry, finding.kind, finding.key) in held
        else finding
        for finding, entry in zip(findings, chosen, strict=True)
    ]


def _covering(finding: Finding, entries: Sequence[Explanation], shows: Shows) -> int | None:
    if finding.severity is Severity.NOTE:
        return None
    for i, entry in enumerate(entries):
        if entry.covers(finding) and (entry.evidence is None or shows(entry.evidence, finding)):
            return i
    return None
