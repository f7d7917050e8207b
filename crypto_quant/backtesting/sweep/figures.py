"""What a cell came to: its row of the table, and proof of what the run did."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from typing import Any, NamedTuple, TypeAlias

import pyarrow as pa

Figure: TypeAlias = str | int | float | None
"""Money is decimal text; a number that is undefined is ``None``."""


class Figures(NamedTuple):
    """What a run came to.

    Parameters
    ----------
    shown
        Its row of the table, by column.
    logged
        What the trial log keeps; NaN: undefined.
    returns
        Daily returns, holes left out; empty where days mean nothing.
    digest
        sha256 over every fill and every row of equity: the same run, the same digest.
    """

    shown: Mapping[str, Figure]
    logged: Mapping[str, float]
    returns: tuple[float, ...]
    digest: str

    def dump(self) -> bytes:
        """Return it as JSON, exact; ``load`` is the inverse."""
        plain = {**self._asdict(), "logged": {k: repr(v) for k, v in self.logged.items()}}
        return (json.dumps(plain, indent=1, allow_nan=False) + "\n").encode()

    @classmethod
    def load(cls, text: bytes) -> Figures:
        """Read what ``dump`` wrote.

        Raises
        ------
        ValueError
            It is something else.
        """
        plain: dict[str, Any] = json.loads(text)
        if not isinstance(plain, dict) or set(plain) != set(cls._fields):
            raise ValueError("no figures of a cell")
        logged = {name: float(value) for name, value in plain.pop("logged").items()}
        return cls(**{**plain, "returns": tuple(plain["returns"])}, logged=logged)


def digest(*tables: pa.Table) -> str:
    """Return the sha256 over the rows of tables, however Arrow has cut them."""
    found = hashlib.sha256()
    for table in tables:
        sink = pa.BufferOutputStream()
        with pa.ipc.new_stream(sink, table.schema) as writer:
            writer.write_table(table.combine_chunks())
        found.update(sink.getvalue())
    return found.hexdigest()
