"""Ours beside the peers, one file a question: ``python -m benches NAME``."""

from __future__ import annotations

from typing import NamedTuple


class Result(NamedTuple):
    """One measured number beside a peer's.

    ``ours`` and ``peer`` are medians of the ``runs`` (each a pair of ours and peer, measured
    in turn on the same machine state); ``ratio`` is ours / peer, ``None`` without a peer.
    """

    name: str
    unit: str
    input: str
    ours: float
    peer: float | None
    peer_name: str | None
    ratio: float | None
    runs: tuple[tuple[float, float | None], ...]
