"""Rules of matching under other names."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

AS_HFTBACKTEST: Final[Mapping[str, object]] = {
    "partial_fills": False,
    "walks_book": False,
    "snapshot_edge": False,
    "late_trades": False,
    "exact_queues": False,
    "self_trade": "ignore",
    "queue": "power",
    "queue_exponent": 2.0,
}
"""``sim`` settings with which orders are matched as by hftbacktest's exchange without partial
fills and its ``power_prob_queue_model(2.0)``. That it has no funding is said of the markets, by
``funding="none"``."""
