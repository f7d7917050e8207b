"""The stream says what is wrong with specs and events, and events keep the tape's order."""

from __future__ import annotations

from typing import Final

import numpy as np
import pytest

from crypto_quant.core.errors import ConfigError, DataError
from crypto_quant.feature_engineering import events as ev
from crypto_quant.feature_engineering.catalog import CATALOG
from crypto_quant.feature_engineering.events import Events
from crypto_quant.feature_engineering.rows import FeatureSpec, Params
from crypto_quant.feature_engineering.stream import FeatureStream
from tests.conformance import feature_worlds as fw

_RSI: Final[Params] = {"operator": "rsi", "bars": fw.PERP, "interval_s": 3600, "window": 14}


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"operator": "magic"}, 'unknown operator "magic"'),
        ({"window": 0}, '"window" expected a whole number from 1, was 0'),
        ({"window": "wide"}, '"window" expected a whole number from 1, was "wide"'),
        ({"windw": 3}, '"windw" expected no such parameter'),
        ({"bars": "DOGE"}, "expected an instrument of this run"),
    ],
)
def test_a_wrong_spec_raises_a_config_error(change: dict[str, str | float], message: str) -> None:
    with pytest.raises(ConfigError, match="features: feature rsi") as caught:
        FeatureStream([FeatureSpec("rsi", _RSI | change)], fw.instruments())
    assert message in str(caught.value)


def test_a_name_given_twice_raises_a_config_error() -> None:
    spec = FeatureSpec("rsi", _RSI)
    with pytest.raises(ConfigError, match="rsi is named twice"):
        FeatureStream([spec, spec], fw.instruments())


def _one(kind: int, body: list[int]) -> Events:
    at = np.array([fw.T0], dtype=np.int64)
    cells = [np.array([cell], dtype=np.int64) for cell in body]
    good = ev.columns(ev.Kind.GAP, 0, at, at, cells)
    good.head[:, 0] = kind
    return good


@pytest.mark.parametrize(
    ("events", "message"),
    [
        (_one(9, []), "kind 9: bad kind"),
        (_one(0, [1, 1, 1, 0]), "kind 0: bad side"),
        (_one(4, [1, 99]), "kind 4: bad rate_exp"),
        (_one(5, [-1]), "kind 5: bad series"),
        (
            Events(np.zeros((2, 5), np.int64), np.zeros((1, 8), np.int64), np.zeros(2)),
            r"shapes \(n, 5\), \(n, 8\)",
        ),
    ],
)
def test_a_row_that_is_no_event_raises_a_data_error(events: Events, message: str) -> None:
    live = fw.stream(fw.BAR_ROWS)
    with pytest.raises(DataError, match=message):
        live.table(events, np.array([fw.T0]))


def test_merge_orders_by_ts_recv_and_keeps_the_order_of_streams_where_it_ties() -> None:
    at = np.array([1, 3], dtype=np.int64)
    first = ev.columns(ev.Kind.GAP, 0, at, at, [])
    second = ev.columns(ev.Kind.GAP, 1, at, at + 2, [])
    merged = ev.merge([first, second])
    assert merged.ts_recv.tolist() == [1, 3, 3, 5]
    assert merged.head[:, 1].tolist() == [0, 0, 1, 1]


def test_a_missing_value_of_a_series_makes_no_event() -> None:
    at = np.array([1, 2], dtype=np.int64)
    assert len(ev.external(0, at, at, np.array([np.nan, 4.0]))) == 1


def test_a_market_trade_counts_and_an_insurance_fund_trade_does_not() -> None:
    """Flag 64 (``NOT_MARKET``) marks trades that nobody chose to make."""
    rows = tuple(row for row in fw.TICK_ROWS if row.name == "trade_flow_1s")
    at = fw.T0 + np.array([0, 1, 2], dtype=np.int64) * (fw.S // 2)
    qty = np.array([100, 300, 100], dtype=np.int64)
    side = np.array([1, -1, 1], dtype=np.int64)
    body = [at, at, qty, side]
    flags = np.array([0, 64, 0], dtype=np.int64)
    for marks, expected in ((flags, 1.0), (flags * 0, -0.5)):
        tape = ev.columns(ev.Kind.TRADE, 0, at, at, body, flags=marks)
        assert fw.stream(rows).table(tape, at[-1:]).tolist() == [[expected]]


def test_every_native_operator_has_a_row_in_the_catalog() -> None:
    """Conformance runs over the catalog: an operator without a row would go unchecked."""
    with pytest.raises(ConfigError) as caught:
        FeatureStream([FeatureSpec("x", {"operator": "?"})], fw.instruments())
    known = str(caught.value).split("known: ")[1].split(", ")
    assert known == sorted({row.operator for row in CATALOG.values()})
