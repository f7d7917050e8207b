"""Markouts: where the middle of the book stood a while after each fill."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Final

import numpy as np
from numpy.typing import NDArray

from crypto_quant.backtesting.engine.columns import Ints
from crypto_quant.runtime.middles import Middles

HORIZONS_NS: Final[Mapping[str, int]] = {
    "0.1s": 10**8,
    "1s": 10**9,
    "5s": 5 * 10**9,
    "60s": 60 * 10**9,
}
LIQUIDITY: Final = ("maker", "taker")
KINDS: Final = ("entry", "exit")
Markouts = dict[str, dict[str, dict[str, dict[str, float | int | None]]]]
"""By liquidity, kind and horizon: ``bps``, and the ``fills`` and ``quantity`` that it is of."""


def markouts(
    fills: Mapping[str, Ints],
    own: NDArray[np.bool_],
    middles: Middles,
    end: int,
    before: int = 0,
) -> Markouts:
    """Return what the middle did after entries and exits, in bps of the fill's price.

    ``side * (middle(t + horizon) / price - 1) * 10^4``, both on venue time: positive where the
    middle went the fill's way by more than the fill paid. Weighted by quantity. A fill counts at
    a horizon only if the session still runs then, on a book that is known.

    Parameters
    ----------
    fills
        ``ts_event``, ``px``, ``qty``, ``side``, ``is_taker`` of one session, each (n,).
    own
        Which of them the strategy asked for, (n,): no close at the data's end, no liquidation.
    middles
        The session's middles.
    end
        When the session ends, ns UTC.
    before
        What was held when it began.
    """
    signed = fills["side"] * fills["qty"]
    held = before + np.cumsum(signed) - signed
    is_entry = held * signed >= 0
    out: Markouts = {liquidity: {kind: {} for kind in KINDS} for liquidity in LIQUIDITY}
    for horizon, ns in HORIZONS_NS.items():
        when = fills["ts_event"] + ns
        gain = fills["side"] * (middles.at(when) / fills["px"] - 1.0) * 1e4
        seen = own & (when <= end) & np.isfinite(gain)
        for liquidity in LIQUIDITY:
            of_kind = seen & (fills["is_taker"] == (liquidity == "taker"))
            for kind in KINDS:
                chosen = of_kind & (is_entry == (kind == "entry"))
                out[liquidity][kind][horizon] = _mean(gain[chosen], fills["qty"][chosen])
    return out


def pooled(sessions: Iterable[Mapping[str, Any]]) -> Markouts:
    """Return the markouts of all sessions' fills together, from those of each."""
    each = [session["markout_bps"] for session in sessions]
    out: Markouts = {liquidity: {kind: {} for kind in KINDS} for liquidity in LIQUIDITY}
    for liquidity in LIQUIDITY:
        for kind in KINDS:
            for horizon in HORIZONS_NS:
                cells = [found[liquidity][kind][horizon] for found in each]
                known = [cell for cell in cells if cell["fills"]]
                weights = np.array([cell["quantity"] for cell in known], dtype=np.int64)
                values = np.array([cell["bps"] for cell in known], dtype=np.float64)
                found = _mean(values, weights)
                found["fills"] = sum(int(cell["fills"]) for cell in known)
                out[liquidity][kind][horizon] = found
    return out


def _mean(values: NDArray[np.float64], weights: Ints) -> dict[str, float | int | None]:
    mean = round(float(np.average(values, weights=weights)), 4) if len(values) else None
    return {"bps": mean, "fills": len(values), "quantity": int(weights.sum())}
