"""Where on the tape something went wrong, in words."""

from __future__ import annotations

from datetime import UTC, datetime

from crypto_quant import _native


def where(native: _native.Line) -> str:
    """Return a line's time and how many events were known then, such as a message ends with."""
    now, ns = divmod(native.now, 10**9)
    time = f"{datetime.fromtimestamp(now, UTC):%Y-%m-%dT%H:%M:%S}.{ns:09d}Z"
    return f"(at {time}, event {native.seq:,})"
