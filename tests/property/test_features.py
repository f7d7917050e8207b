"""What holds for any bars: bounds, no infinities, and no trace of how they were fed."""

from __future__ import annotations

import pickle
from typing import Final

import numpy as np
from hypothesis import example, given, settings
from hypothesis import strategies as st

from crypto_quant.feature_engineering import events as ev
from crypto_quant.feature_engineering.events import Events, Floats
from crypto_quant.feature_engineering.rows import FeatureInfo, perp_hours, spot_minutes
from tests.conformance import feature_worlds as fw

_SHORT: Final[tuple[FeatureInfo, ...]] = (
    perp_hours("rsi", "rsi", "", "", 4, window=3),
    perp_hours("adx", "adx", "", "", 6, window=3),
    perp_hours("donchian", "donchian", "", "", 3, window=3),
    perp_hours("efficiency", "efficiency", "", "", 4, window=3),
    perp_hours("bollinger", "bollinger", "", "", 3, window=3, output="position"),
    perp_hours("skew", "skew", "", "", 5, window=4),
    perp_hours("volume_z", "volume_z", "", "", 3, window=3),
    spot_minutes("flow", "flow_imbalance", "", "", 300, window_s=300),
    spot_minutes("vpin", "vpin", "", "", None, window_s=300, buckets=4),
    spot_minutes("amihud", "amihud", "", "", 300, window_s=300),
    spot_minutes("roll", "roll", "", "", 300, window_s=300),
    spot_minutes("kyle", "kyle", "", "", 300, window_s=300),
    spot_minutes("jump_ratio", "jump_ratio", "", "", 300, window_s=300),
    spot_minutes("autocorr", "autocorrelation", "", "", 300, window_s=300),
    spot_minutes("trade_size", "trade_size", "", "", 300, fast_s=120, slow_s=300),
)
_BOUNDS: Final = {
    "rsi": (0, 100),
    "adx": (0, 100),
    "donchian": (0, 1),
    "efficiency": (-1, 1),
    "flow": (-1, 1),
    "vpin": (0, 1),
    "amihud": (0, np.inf),
    "roll": (0, np.inf),
    "jump_ratio": (0, 1),
    "autocorr": (-1, 1),
}

_BAR = st.tuples(
    st.integers(1, 4),  # minutes or hours since the last bar's open: holes
    st.integers(1, 3_000),  # close
    st.integers(0, 40),  # how far the high and the low lie off
    st.one_of(st.just(0), st.integers(1, 10**9)),  # volume
    st.one_of(st.none(), st.floats(0, 1)),  # share bought by aggressors
)
_TAPES = st.tuples(st.lists(_BAR, min_size=1, max_size=40), st.lists(_BAR, max_size=60))


def _bars(rows: list[tuple[int, int, int, int, float | None]], index: int, length: int) -> Events:
    step, close, width, volume, share = (list(column) for column in zip(*rows, strict=True))
    begin = fw.T0 + np.cumsum(np.array(step, dtype=np.int64)) * length
    price = np.array(close, dtype=np.int64)
    wide = np.array(width, dtype=np.int64)
    prices = np.stack([price, price + wide, np.maximum(price - wide, 1), price], axis=1)
    size = np.array(volume, dtype=np.int64)
    bought = [ev.NULL if s is None else int(s * v) for s, v in zip(share, volume, strict=True)]
    count = np.array([ev.NULL if s is None else v % 97 for s, v in zip(share, volume, strict=True)])
    return ev.bars(index, length, begin, prices, size, count, np.array(bought, dtype=np.int64))


def _tape(tapes: tuple[list[tuple[int, int, int, int, float | None]], ...]) -> Events:
    perp, spot = tapes
    streams = [_bars(perp, 0, fw.HOUR)]
    if spot:
        streams.append(_bars(spot, 1, fw.MINUTE))
    return ev.merge(streams)


def _read(tape: Events) -> Floats:
    return fw.stream(_SHORT).table(tape, tape.ts_recv)


@settings(max_examples=150, deadline=None)
@given(_TAPES)
# A volume that no trade made up: count 0.
@example(([(1, 1, 0, 0, None)], [(1, 1, 0, 0, 0.0), (2, 1, 0, 1, 0.0), (2, 1, 0, 873, 0.0)]))
def test_features_are_never_infinite_and_stay_in_their_bounds(
    tapes: tuple[list[tuple[int, int, int, int, float | None]], ...],
) -> None:
    values = _read(_tape(tapes))
    assert not np.isinf(values).any()
    for row, column in zip(_SHORT, values.T, strict=True):
        low, high = _BOUNDS.get(row.name, (-np.inf, np.inf))
        known = column[~np.isnan(column)]
        assert (known >= low - 1e-9).all(), row.name
        assert (known <= high + 1e-9).all(), row.name


@settings(max_examples=100, deadline=None)
@given(_TAPES, st.data())
def test_features_do_not_depend_on_how_the_tape_is_cut(
    tapes: tuple[list[tuple[int, int, int, int, float | None]], ...], data: st.DataObject
) -> None:
    tape = _tape(tapes)
    last = tape.ts_recv[-1:]
    whole = fw.stream(_SHORT).table(tape, last)
    cuts = sorted(data.draw(st.lists(st.integers(0, len(tape)), max_size=5)))
    live = fw.stream(_SHORT)
    for begin, end in zip([0, *cuts], [*cuts, len(tape)], strict=True):
        live = pickle.loads(pickle.dumps(live))  # noqa: S301 - made on this very line
        live.table(tape[begin:end], tape.ts_recv[begin:end])
    np.testing.assert_array_equal(live.write(int(last[0])), whole[0])
