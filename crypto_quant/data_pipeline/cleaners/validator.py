"""Running the checks over a catalog."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from crypto_quant.core.errors import DataError
from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.cleaners import explanations
from crypto_quant.data_pipeline.cleaners.checks import CHECKS, Check
from crypto_quant.data_pipeline.cleaners.evidence import EVIDENCE
from crypto_quant.data_pipeline.cleaners.explanations import Explanation
from crypto_quant.data_pipeline.cleaners.findings import Finding
from crypto_quant.data_pipeline.cleaners.rows import Tables
from crypto_quant.data_pipeline.storage import Catalog, Key

Progress = Callable[[Key], None]
"""Called with each key before it is checked."""


class DataValidator:
    """Finds what is wrong, odd or worth knowing in market data; changes nothing.

    Parameters
    ----------
    tables : Tables
        The rows to check and those they are held against.
    checks : Mapping[str, Check]
        What to look for.
    table : Sequence[Explanation], optional
        What explains findings; the table of the package, if not given.
    """

    def __init__(
        self,
        tables: Tables,
        checks: Mapping[str, Check] = CHECKS,
        table: Sequence[Explanation] | None = None,
    ) -> None:
        self.tables = tables
        self._checks = checks
        self._table = explanations.table() if table is None else table

    @classmethod
    def of(cls, catalog: Catalog, instruments: Mapping[str, Instrument]) -> DataValidator:
        """Check a catalog with everything there is."""
        return cls(Tables(catalog, instruments))

    def validate(
        self, keys: Iterable[Key] | None = None, progress: Progress | None = None
    ) -> list[Finding]:
        """Return all findings on ``keys`` (default: every key), always in the same order.

        Raises
        ------
        DataError
            A key is not there.
        """
        found: list[Finding] = []
        sizes: dict[tuple[str, str], int] = {}
        for key in sorted(self.tables.all_keys() if keys is None else set(keys)):
            if progress is not None:
                progress(key)
            rows = self.tables.rows(*key)
            sizes[(key.kind, key.key)] = len(rows)
            for check in self._checks.values():
                found.extend(check(rows, self.tables))
        found.sort(key=lambda finding: finding.order)
        return explanations.explained(found, sizes, self._table, self._shows)

    def _shows(self, evidence: str, finding: Finding) -> bool:
        rows = self.tables.rows(finding.kind, finding.key)
        return EVIDENCE[evidence](rows, self.tables, finding)


def choose(tables: Tables, words: Sequence[str]) -> list[Key]:
    """Return the keys that words name: ``kind``, ``kind/key``, or a key of any kind.

    Raises
    ------
    DataError
        A word names none; the message says what there is.
    """
    keys = tables.all_keys()
    if not words:
        return keys
    chosen: list[Key] = []
    for word in words:
        named = [key for key in keys if word in (key.kind, key.key, f"{key.kind}/{key.key}")]
        named = named or [key for key in keys if key.key.split("/")[0] == word]
        if not named:
            have = ", ".join(f"{key.kind}/{key.key}" for key in keys) or "nothing"
            raise DataError(f"no key {word!r} in the catalog; it has {have}")
        chosen.extend(named)
    return sorted(set(chosen))
