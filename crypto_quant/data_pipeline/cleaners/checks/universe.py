"""Survivorship: what had ended by then, and what is listed but not in the catalog."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np

from crypto_quant.core.clock import iso
from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.cleaners.findings import Finding, Mend, Severity
from crypto_quant.data_pipeline.cleaners.rows import Rows, Tables

NAME = "universe"


def listed(instruments: Mapping[str, Instrument], ts: int) -> tuple[str, ...]:
    """Return the ids of what was listed at ``ts`` (ns UTC), sorted: also what has ended since."""
    return tuple(
        sorted(
            name
            for name, known in instruments.items()
            if (known.valid_from is None or known.valid_from <= ts)
            and (known.valid_to is None or ts < known.valid_to)
        )
    )


def find(rows: Rows, tables: Tables) -> Iterator[Finding]:
    """Find rows of an instrument outside its life; name those that have ended."""
    known = tables.instruments.get(rows.instrument)
    if known is None or not len(rows):
        return
    if known.valid_from is not None:
        early = int((rows.ts < known.valid_from).sum())
        if early:
            value = iso(int(rows.ts[0]))
            reason = f"{known.id} was not listed before {iso(known.valid_from)}"
            yield rows.finding(
                NAME, "before listing", Severity.ERROR, 0, value, reason, Mend.MASK, early
            )
    if known.valid_to is None:
        return
    after = int(np.searchsorted(rows.ts, known.valid_to))
    if after < len(rows):
        value, reason = iso(int(rows.ts[after])), f"{known.id} ended {iso(known.valid_to)}"
        count = len(rows) - after
        yield rows.finding(
            NAME, "after its end", Severity.ERROR, after, value, reason, Mend.MASK, count
        )
    yield rows.finding(
        NAME,
        "ended since",
        Severity.NOTE,
        len(rows) - 1,
        f"ended {iso(known.valid_to)}",
        "a universe as of these rows' time lists it, though it cannot be traded today",
        count=0,
    )
