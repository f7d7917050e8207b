"""The native line's tape: what it refuses, its order of events, and research over it."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest
from numpy.typing import NDArray

from crypto_quant._native import Line

from .line_tape import (
    DATA_END,
    END,
    FREE,
    HOUR,
    PERP,
    SPOT,
    T0,
    TIMER,
    Feature,
    add_bars,
    bars,
    finish,
    flat,
    line,
    perp,
    spot,
    until,
)

RETURN: Feature = (
    "r",
    {"operator": "log_return", "bars": "BTCUSDT-PERP.TEST", "interval_s": 3600, "window": 1},
)
LEVEL: Feature = ("fng", {"operator": "external_level", "series": "fng", "max_age_s": 864000})


def with_features() -> Line:
    """Return a line with a return of the bars and an outside level."""
    out = Line(
        [perp(), spot()],
        [],
        [RETURN, LEVEL],
        ["fng"],
        grid_ns=HOUR,
        start=T0,
        end=T0 + 5 * HOUR,
        sim=None,
    )
    add_bars(out, PERP, [(p, p, p, p, 10.0) for p in (100, 110, 121, 121, 133.1)])
    when = np.array([T0 - HOUR, T0 + HOUR, T0 + 2 * HOUR], dtype=np.int64)
    values = np.array([7.0, np.nan, 9.0])
    out.add_external(0, when, when + HOUR // 2, values)
    return out


def test_features_are_rewritten_in_place_and_cannot_be_written_to() -> None:
    out = with_features()
    values = out.features
    assert np.isnan(values).all()
    until(out, TIMER, T0 + 2 * HOUR)
    assert out.features is values
    np.testing.assert_allclose(values, [np.log(1.1), 7.0])
    until(out, TIMER, T0 + 3 * HOUR)
    np.testing.assert_allclose(values, [np.log(1.1), 9.0])
    with pytest.raises(ValueError, match="read-only"):
        values[0] = 1.0
    assert out.feature_names == ["r", "fng"]


def test_research_equals_the_wake_ups_bit_for_bit() -> None:
    times, table = with_features().research()
    out = with_features()
    seen = []
    while (woke := out.next()) != END:
        if woke == TIMER:
            seen.append((out.now, out.features.tobytes()))
    assert [int(ts) for ts in times] == [T0 + h * HOUR for h in range(5)]
    assert seen == [(int(ts), row.tobytes()) for ts, row in zip(times, table, strict=True)]


def test_data_before_the_start_warms_up_without_waking() -> None:
    out = line(flat(6), start=T0 + 4 * HOUR, features=[RETURN])
    assert out.next() == TIMER
    assert out.now == T0 + 4 * HOUR
    assert out.features[0] == 0.0
    finish(out)
    hours = [(int(ts) - T0) / HOUR for ts in out.equity_rows()["ts"]]
    assert hours == [4, 5, 6]


def test_nothing_after_the_end_is_read() -> None:
    out = line(flat(6), end=T0 + 3 * HOUR)
    woken = []
    while (woke := out.next()) != END:
        woken.append(((out.now - T0) / HOUR, woke))
    assert woken == [(0, TIMER), (1, TIMER), (2, TIMER), (3, DATA_END)]
    assert out.seq == 3


def test_volume_of_a_day_and_age_of_a_price_are_those_known() -> None:
    """Quarter hours of spot; the hours that say the same again do not count twice."""
    out = line([], end=T0 + 30 * HOUR)
    volumes = [0.0 if 8 <= n < 12 else float(n + 1) for n in range(120)]
    rows = [(100.0, 100.0, 100.0, 100.0, volume) for volume in volumes]
    hourly = [(100.0, 100.0, 100.0, 100.0, sum(volumes[4 * n : 4 * n + 4])) for n in range(30)]
    add_bars(out, SPOT, rows, interval=HOUR // 4)
    add_bars(out, SPOT, hourly)
    seen = {}
    while (woke := out.next()) != END:
        if woke == TIMER:
            hour = (out.now - T0) // HOUR
            seen[hour] = (out.day_volume(SPOT), out.price_age(SPOT))
            known = [1000 * int(v) for v in volumes[: 4 * hour]]
            assert out.day_volume(SPOT) == sum(known[-96:])
            assert (out.day_volume(PERP), out.price_age(PERP)) == (0, None)
    assert seen[0] == (0, None)
    assert [seen[h][1] for h in (1, 2, 3, 4)] == [0, 0, HOUR, 0]
    assert len(seen) == 30


def test_timer_grid_is_anchored_at_the_epoch() -> None:
    out = line(flat(4), start=T0 + HOUR + 1, grid_ns=2 * HOUR, sim=None)
    anchor = -(-(T0 + HOUR + 1) // (2 * HOUR)) * 2 * HOUR
    assert out.next() == TIMER
    assert out.now == anchor


def test_order_in_which_streams_are_added_does_not_matter() -> None:
    def run(swap: bool) -> str:
        out = line([], end=T0 + 4 * HOUR)
        rows = [(100.0, 101.0, 99.0, 100.0, 10.0)] * 4
        order = [(PERP, HOUR), (SPOT, HOUR), (SPOT, HOUR // 4)]
        for instrument, interval in reversed(order) if swap else order:
            add_bars(out, instrument, rows, interval=interval)
        log = []
        while out.next() != END:
            log.append((out.now, out.seq, out.last_price(PERP), out.last_price(SPOT)))
        return repr(log) + repr(out.equity_rows())

    assert run(False) == run(True)


@pytest.mark.parametrize(
    ("event", "recv", "message"),
    [
        ([0, 1], [1, 1], "row 1: a bar is known before its end"),
        ([0, 1], [2, 1], "row 1: ts_recv decreases"),
        ([0, 0], [1, 1], "row 1: bars overlap"),
        ([0, 1], [-1, 2], "row 0: ts_recv lies before ts_event"),
        ([0, 1, 2], [1, 2, 3], "column open: expected 3 values of int64, was 2 of int64"),
    ],
)
def test_bars_that_cannot_be_are_refused(event: list[int], recv: list[int], message: str) -> None:
    out = line([], end=T0 + HOUR)
    opens, known = (T0 + np.array(hours, dtype=np.int64) * HOUR for hours in (event, recv))
    with pytest.raises(ValueError, match=f"bar of instrument 0, .*{message}|{message}"):
        out.add_bars(PERP, HOUR, opens, known, *bars(flat(2)))


NAN = float("nan")
ROWS = np.array([T0, T0 + 1, T0 + 2], dtype=np.int64)


def column(*values: int) -> NDArray[np.int64]:
    return np.array(values, dtype=np.int64)


@pytest.mark.parametrize("bad", [0, -5])
def test_prices_and_quantities_that_cannot_be_are_refused(bad: int) -> None:
    good, sides = column(7, 7, 7), np.ones(3, dtype=np.int8)
    spoilt = column(7, bad, 7)
    price = f"row 1: a price must be positive, was {bad}"
    out = line([], end=T0 + HOUR)
    with pytest.raises(ValueError, match=f"trade of instrument 0, {price}"):
        out.add_trades(PERP, ROWS, ROWS, good, spoilt, good, sides)
    with pytest.raises(ValueError, match=f"row 1: a quantity must be positive, was {bad}"):
        out.add_trades(PERP, ROWS, ROWS, good, good, spoilt, sides)
    with pytest.raises(ValueError, match=f"delta of instrument 0, {price}"):
        out.add_deltas(PERP, ROWS, ROWS, sides, spoilt, good)
    with pytest.raises(ValueError, match=f"quote of instrument 0, {price}"):
        out.add_quotes(PERP, ROWS, ROWS, good, good, spoilt, good)
    with pytest.raises(ValueError, match=f"mark of instrument 0, {price}"):
        out.add_marks(PERP, ROWS, ROWS, spoilt)


@pytest.mark.parametrize("bad", [0, 3, 5, -5])
def test_a_side_is_one_or_minus_one(bad: int) -> None:
    good, sides = column(7, 7, 7), np.array([1, -1, bad], dtype=np.int8)
    said = f"of instrument 0, row 2: a side must be 1 or -1, was {bad}"
    out = line([], end=T0 + HOUR)
    with pytest.raises(ValueError, match=f"trade {said}"):
        out.add_trades(PERP, ROWS, ROWS, good, good, good, sides)
    with pytest.raises(ValueError, match=f"delta {said}"):
        out.add_deltas(PERP, ROWS, ROWS, sides, good, good)


def test_a_deleted_level_has_quantity_zero_and_never_less() -> None:
    sides = np.ones(3, dtype=np.int8)
    out = line([], end=T0 + HOUR)
    out.add_deltas(PERP, ROWS, ROWS, sides, column(7, 7, 7), column(1, 0, 2))
    with pytest.raises(ValueError, match="row 2: a quantity must be zero or more, was -1"):
        out.add_deltas(PERP, ROWS, ROWS, sides, column(7, 7, 7), column(1, 0, -1))


def test_funding_that_would_be_paid_twice_is_refused() -> None:
    out = line([], end=T0 + 9 * HOUR)
    stamps = np.array([T0 + HOUR, T0 + 2 * HOUR, T0 + 2 * HOUR + 7_000_000], dtype=np.int64)
    with pytest.raises(ValueError, match="row 2: funding is settled at this time already"):
        out.add_funding(PERP, stamps, stamps, column(1, 2, 2), 4)


@pytest.mark.parametrize(
    ("column", "value", "message"),
    [
        ("ts_recv", np.zeros(1, dtype=np.int64), "2 values of int64, was 1 of int64"),
        ("px", np.zeros(2), "2 values of int64, was 2 of float64"),
        ("px", [1, 2], "2 values of int64, was a list"),
        ("qty", np.zeros((2, 1), dtype=np.int64), r"2 values of int64, was \[2, 1\] of int64"),
        ("qty", np.zeros(2, dtype=np.int64).astype(">i8"), "2 values of int64, was 2 of >i8"),
        ("side", np.zeros(2, dtype=np.bool_), "2 values of int8, was 2 of bool"),
        ("flags", np.zeros(2, dtype=np.int64), "2 values of uint32, was 2 of int64"),
    ],
)
def test_column_of_another_type_or_length_is_named(
    column: str, value: object, message: str
) -> None:
    zeros = {name: np.zeros(2, dtype=np.int64) for name in ("ts_event", "ts_recv", "px", "qty")}
    columns = {**zeros, "id": np.arange(2), "side": np.ones(2, dtype=np.int8), column: value}
    text = f"^trade of instrument {PERP}, column {column}: expected {message}$"
    with pytest.raises(ValueError, match=text):
        line([], end=T0 + HOUR).add_trades(PERP, **columns)  # type: ignore[arg-type]


def test_points_of_an_outside_series_are_floats() -> None:
    when = np.zeros(2, dtype=np.int64)
    with pytest.raises(ValueError, match="column values: expected 2 values of float64, was 2 of i"):
        line([], end=T0 + HOUR).add_external(0, when, when, when)  # type: ignore[arg-type]


def test_columns_need_not_lie_side_by_side() -> None:
    rows = [(p, p, p, p, 10.0) for p in (100, 110, 121)]
    whole, parts = line(rows), line([], end=T0 + 3 * HOUR)
    opens = T0 + np.arange(3) * HOUR
    open_, high, low, close, volume = np.stack(bars(rows), axis=1).T
    backwards = opens[::-1].copy()[::-1]
    parts.add_bars(PERP, HOUR, backwards, opens + HOUR, open_, high, low, close, volume)
    (times, left), (_, right) = whole.research(), parts.research()
    assert len(times) == 3
    assert np.array_equal(left, right)
    assert parts.last_price(PERP) == whole.last_price(PERP) == 12100


def test_stream_of_an_unknown_instrument_is_refused() -> None:
    with pytest.raises(ValueError, match="instrument: expected an index below 2, was 2"):
        add_bars(line(flat(2)), 2, flat(1))


def test_data_cannot_be_added_to_a_line_that_runs() -> None:
    out = line(flat(3))
    out.next()
    with pytest.raises(ValueError, match="has begun"):
        add_bars(out, SPOT, flat(1))


def test_commands_need_a_line_that_runs() -> None:
    out = line(flat(2))
    with pytest.raises(ValueError, match="between the first wake-up and the end"):
        out.cancel(1)
    finish(out)
    with pytest.raises(ValueError, match="between the first wake-up and the end"):
        out.transfer(0, 0, 1, "USDT", Decimal(1))


@pytest.mark.parametrize(
    ("sim", "message"),
    [
        ({"half_sprad_bps": 1}, "sim.half_sprad_bps: unknown key"),
        ({"half_spread_bps": -1}, "sim.half_spread_bps: expected 0 to 10000"),
        ({"half_spread_bps": "x"}, "sim.half_spread_bps: expected a number"),
        ({"max_participation": 1.5}, "sim.max_participation: expected a fraction"),
        (
            {"max_participation": 2**70},
            f"sim.max_participation: expected a fraction .*, was {2**70}",
        ),
        ({"half_spread_bps": Decimal("1E28")}, "sim.half_spread_bps: expected 0 to 10000, was 1"),
        ({"entry_latency_ns": -1}, "sim.entry_latency_ns: expected 0 to one hour"),
        ({"entry_latency_ns": 0.5}, "sim.entry_latency_ns: expected a whole number"),
        ({"impact_y": -1.0}, "sim.impact_y: expected 0 to 100"),
        ({"cost_multiplier": 101}, "sim.cost_multiplier: expected 0 to 100"),
        ({"max_order_rate": [(300, 0)]}, "sim.max_order_rate: expected windows above 0 ns"),
        ({"max_order_rate": 5}, "sim.max_order_rate: expected rows of .orders, ns.*, was 5"),
        ({"max_orders": -1}, "sim.max_orders: expected a whole number of 0 or more, was -1"),
        ({"latency_seed": -1}, "sim.latency_seed: expected a whole number of 0 or more, was -1"),
        ({"latency_rows": [1]}, "sim.latency_rows: expected rows of .sent, .*, was .1"),
        ({"entry_samples_ns": 5}, "sim.entry_samples_ns: expected a list of whole ns, was 5"),
        ({"partial_fills": "no"}, "sim.partial_fills: expected True or False, was 'no'"),
        ({"queue": 5}, "sim.queue: expected a name, was 5"),
        ({"margin": 5}, "sim.margin: expected a name, was 5"),
        ({"queue_exponent": NAN}, "sim.queue_exponent: expected above 0, at most 100, was nan"),
        ({"queue_exponent": "x"}, "sim.queue_exponent: expected a number, was 'x'"),
        ({"tick_impact_y": "x"}, "sim.tick_impact_y: expected a number, was 'x'"),
        ({"transfer_fees": 5}, "sim.transfer_fees: expected rows of .asset, fee.*, was 5"),
    ],
)
def test_bad_venue_settings_are_named(sim: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        line(flat(2), sim={**FREE, **sim})  # type: ignore[dict-item]


@pytest.mark.parametrize(
    ("parts", "message"),
    [
        ({"grid_ns": 0}, "grid_ns: expected a positive duration"),
        ({"end": T0}, "end: expected a time after start"),
        ({"features": [("r", {"operator": "no"})]}, "no"),
        ({"features": [("r", {})]}, "operator"),
    ],
)
def test_bad_parts_are_named(parts: dict[str, object], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        line(flat(2), **parts)  # type: ignore[arg-type]


def test_unknown_wallet_of_the_capital_is_named() -> None:
    with pytest.raises(ValueError, match='capital: expected a wallet of \\["usdm"\\], was bank'):
        Line(
            [perp()],
            ["one"],
            [],
            [],
            grid_ns=HOUR,
            start=T0,
            end=T0 + HOUR,
            wallets=[("usdm", ["USDT"], [PERP])],
            capital=[(0, "bank", "USDT", Decimal(1))],
        )
