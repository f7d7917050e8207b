"""The event-by-event flow summed over quarters of a minute: what the bars are made of."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

import numpy as np

from crypto_quant import _native
from crypto_quant.data_pipeline.generated.recorder import START_NS, pieces, recorder

QUARTER_NS: Final = 15 * 10**9
HOURS: Final = 3
SEED: Final = 1
_HOUR_NS: Final = 3600 * 10**9
_TICK: Final = 0.1
_LOT: Final = 1e-3


def measure_coarse(parameters: Mapping[str, Any], seed: int = SEED) -> dict[str, float]:
    """Simulate ``HOURS`` hours at the fitted activity and measure their quarter-minutes.

    Parameters
    ----------
    parameters
        From ``fit``.
    seed
        Of the simulation.

    Returns
    -------
    dict
        The table ``coarse``: see ``crates/flow/src/bars.rs`` for units.
    """
    still = {key: (1.0, 0.0) for key in ("activity", "lean", "basis", "rate")}
    driven = {**parameters, "slow": {**still, "mean_rate": 0.0}}
    trade = _trades(driven, seed)
    quarter = (trade["ts_event"] - START_NS) // QUARTER_NS
    count = HOURS * _HOUR_NS // QUARTER_NS
    trades = np.bincount(quarter, minlength=count)
    volume = np.bincount(quarter, trade["qty"] * _LOT, count)
    bought = np.bincount(quarter, trade["qty"] * _LOT * (trade["side"] > 0), count)
    is_taker = np.r_[True, (np.diff(trade["ts_event"]) != 0) | (np.diff(trade["side"]) != 0)]
    net = np.bincount(quarter[is_taker], trade["side"][is_taker], count)
    last = np.searchsorted(quarter, np.arange(count), side="right") - 1
    returns = np.diff(np.log(trade["px"][last] * _TICK))
    share = (bought / volume)[1:]
    kurtosis = float(np.mean((returns - returns.mean()) ** 4) / returns.var() ** 2) - 3.0
    taking = parameters["taking"]
    memory = sum(taking["memory"])
    sided = (1.0 - memory - taking["pressure"]) / (1.0 - memory) * is_taker.sum() / count
    slope = float(np.cov(net[1:], returns)[0, 1] / net[1:].var())
    found = {
        "trades": trades.mean(),
        "trades_sd": np.log(trades).std(),
        "volume": volume.mean(),
        "volume_sd": np.log(volume / trades).std(),
        "share_sd": share.std(),
        "return_sd": returns.std(),
        "return_tail": 4.0 + 6.0 / max(kurtosis, 0.1),
        "impact": np.corrcoef(returns, share)[0, 1],
        "lean_return": slope * sided,
    }
    return {key: float(f"{float(value):.6g}") for key, value in found.items()}


def _trades(parameters: Mapping[str, Any], seed: int) -> dict[str, Any]:
    decoder = _native.TickDecoder("frames", "BTCUSDT", 1, 3)
    found: list[dict[str, Any]] = []
    for text in pieces(recorder(parameters, seed, with_quotes=False), START_NS + HOURS * _HOUR_NS):
        decoder.feed(text)
        found += [columns for kind, _, columns in decoder.take() if kind == "trade"]
    return {key: np.concatenate([columns[key] for columns in found]) for key in found[0]}
