"""Money on the native line: funding, equity rows, refusals, sleeves, ends and segments."""

from __future__ import annotations

from decimal import Decimal

import numpy as np
import pytest

from crypto_quant._native import Line

from .line_tape import (
    ACCOUNT,
    DATA_END,
    END,
    FREE,
    HOUR,
    LIMIT,
    MS,
    PERP,
    SPOT,
    STOP,
    T0,
    TIMER,
    add_bars,
    buy,
    finish,
    flat,
    line,
    money,
    perp,
    sell,
    spot,
    until,
)

MINUTE = HOUR // 60


def rejected(out: Line) -> str:
    """Run to the first answer and return why it was a refusal."""
    until(out, ACCOUNT)
    [answer] = out.answers()
    assert answer[0] == "reject"
    return answer[-1]


def received(out: Line) -> list[tuple[float, Decimal]]:
    """Return (hours since T0, amount) of the funding received."""
    return [((a[1] - T0) / HOUR, a[9]) for a in out.answers() if a[0] == "funding"]


STEPS = [(p, p, p, p, 1000.0) for p in (100, 110, 120, 130)]


def test_funding_is_paid_at_the_open_of_the_bar_that_begins_then() -> None:
    out = line(STEPS, funding=[(T0 + 2 * HOUR, "0.001")])
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 2000)
    finish(out)
    assert received(out) == [(2.0, Decimal("-0.24"))]  # 2 x 120 x 0.001, longs pay
    part = money(out.equity_rows()["funding.one"])
    assert part[:3] == [0, 0, Decimal("-0.24")]  # the row of hour 2 has it


def test_shorts_receive_what_longs_pay() -> None:
    out = line(STEPS, funding=[(T0 + 2 * HOUR, "0.001")])
    until(out, TIMER, T0 + HOUR)
    sell(out, 1, 2000)
    finish(out)
    assert received(out) == [(2.0, Decimal("0.24"))]


def test_funding_stamp_that_jitters_is_settled_on_its_minute() -> None:
    for jitter in (-20 * MS, 26 * MS):
        out = line(STEPS, funding=[(T0 + 2 * HOUR + jitter, "0.001")])
        until(out, TIMER, T0 + HOUR)
        buy(out, 1, 2000)
        finish(out)
        assert received(out) == [(2.0, Decimal("-0.24"))]


def test_fill_at_the_scheduled_time_neither_pays_nor_receives() -> None:
    out = line(STEPS, funding=[(T0 + HOUR, "0.001")], sim={**FREE, "entry_latency_ns": 0})
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 2000)
    finish(out)
    assert int(out.fills()["ts_event"][0]) == T0 + HOUR
    assert received(out) == []


def test_position_closed_at_the_scheduled_time_still_pays() -> None:
    out = line(STEPS, funding=[(T0 + 2 * HOUR, "0.001")], sim={**FREE, "entry_latency_ns": 0})
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 2000)
    until(out, TIMER, T0 + 2 * HOUR)
    sell(out, 2, 2000)
    finish(out)
    assert received(out) == [(2.0, Decimal("-0.24"))]


def test_rest_of_an_order_that_fills_at_the_scheduled_open_does_not_count() -> None:
    rows = [(100, 100, 100, 100, 1)] * 4
    out = line(rows, funding=[(T0 + 2 * HOUR, "0.001")])
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 2000)  # one unit at hour 1, one at the open of hour 2
    finish(out)
    assert [int(ts) for ts in out.fills()["ts_event"]][1] == T0 + 2 * HOUR
    assert received(out) == [(2.0, Decimal("-0.1"))]


def test_stop_in_the_last_nanosecond_before_the_schedule_pays_nothing() -> None:
    rows = [(100, 100, 100, 100, 1000), (100, 100, 90, 95, 1000), *flat(2)]
    out = line(rows, funding=[(T0 + 2 * HOUR, "0.001")])
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 2000)
    sell(out, 2, 1000, STOP, stop=9500, reduce_only=True)
    finish(out)
    # One unit was left at the schedule: the stop is known and booked before it.
    assert received(out) == [(2.0, Decimal("-0.1"))]
    assert money(out.equity_rows()["funding.one"])[-1] == Decimal("-0.1")


def test_no_position_no_funding_and_none_before_the_start() -> None:
    out = line(STEPS, funding=[(T0 + HOUR, "0.001"), (T0 + 3 * HOUR, "0.001")])
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 1000)
    until(out, TIMER, T0 + 2 * HOUR)
    sell(out, 2, 1000)
    finish(out)
    assert received(out) == []


def test_recorded_marks_settle_funding_and_value_positions() -> None:
    out = line(STEPS, funding=[(T0 + 2 * HOUR, "0.001")])
    when = np.array([T0, T0 + HOUR, T0 + 2 * HOUR], dtype=np.int64)
    out.add_marks(PERP, when, when, np.array([10000, 10100, 20000], dtype=np.int64))
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 1000)
    finish(out)
    assert received(out) == [(2.0, Decimal("-0.2"))]
    assert money(out.equity_rows()["price.one"])[2] == 90  # from 110 to the mark of 200


def test_equity_row_comes_before_the_fills_of_its_time() -> None:
    out = line(STEPS)
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 1000)
    finish(out)
    rows = out.equity_rows()
    assert [(int(ts) - T0) / HOUR for ts in rows["ts"]] == [0, 1, 2, 3, 4]
    equity = [value - 200_000 for value in money(rows["equity"])]
    # Bought at 110 for a fee of 0.055; marked at the opens 120 and 130; closed at 130, fee 0.065.
    assert equity == [0, 0, Decimal("9.945"), Decimal("19.945"), Decimal("19.88")]
    held = rows["position.BTCUSDT-PERP.TEST"]
    assert [int(q) for q in held] == [0, 0, 1000, 1000, 0]


def test_decision_sees_the_close_and_the_row_the_next_open() -> None:
    rows = [(100, 100, 100, 105, 1000), (120, 120, 120, 125, 1000), *flat(2, price=130)]
    out = line(rows)
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 1000)
    until(out, TIMER, T0 + 2 * HOUR)
    assert out.mark(PERP) == 12500
    assert out.equity() == Decimal("200004.94")  # 125 - 120 less 0.06
    finish(out)
    assert money(out.equity_rows()["equity"])[2] == Decimal("200009.94")  # 130 - 120 less 0.06


def test_sleeves_share_an_order_and_its_costs_by_size() -> None:
    out = line(flat(4), sleeves=("carry", "model"), sim={**FREE, "slippage_floor_bps": 10})
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 4000, allocations=[(0, 1000), (1, 3000)])
    until(out, ACCOUNT)
    assert [out.positions(0), out.positions(1)] == [[1000, 0], [3000, 0]]
    first, second = out.attribution(0), out.attribution(1)
    assert (first["spread"], second["spread"]) == (Decimal("-0.1"), Decimal("-0.3"))
    assert first["fees"] * 3 == second["fees"] == Decimal("-0.15015")
    finish(out)
    rows = out.equity_rows()
    whole = money(rows["equity"])
    parts = zip(money(rows["equity.carry"]), money(rows["equity.model"]), strict=True)
    assert [a + b for a, b in parts] == whole
    for sleeve in ("carry", "model"):
        names = ("deposits", "price", "funding", "basis", "fees", "spread", "impact")
        columns = [money(rows[f"{name}.{sleeve}"]) for name in (*names, "transfer_fees")]
        assert [sum(row) for row in zip(*columns, strict=True)] == money(rows[f"equity.{sleeve}"])


def test_allocations_must_sum_to_the_order() -> None:
    out = line(flat(3))
    until(out, TIMER, T0)
    with pytest.raises(ValueError, match="allocations: expected a sum of 1000, was 999"):
        buy(out, 1, 1000, allocations=[(0, 999)])
    with pytest.raises(ValueError, match="sleeves below 1"):
        buy(out, 1, 1000, allocations=[(1, 1000)])


@pytest.mark.parametrize(
    ("kind", "quantity", "more", "reason"),
    [
        (0, 1000, {"instrument": 7}, "unknown_instrument"),
        (0, 1500, {}, "off_lot"),
        (LIMIT, 2000, {"price": 9995}, "off_tick"),
        (STOP, 2000, {"stop": 9995}, "off_tick"),
        (LIMIT, 2000, {}, "no_price"),
        (LIMIT, 2000, {"price": 0}, "no_price"),
        (LIMIT, 2000, {"price": 240}, "min_notional"),
        (0, 2000, {"reduce_only": True}, "reduce_only"),
    ],
)
def test_venue_refuses_with_a_reason(
    kind: int, quantity: int, more: dict[str, object], reason: str
) -> None:
    coarse = perp(lot=[(0, Decimal(1))])
    out = line(flat(4), instruments=[coarse, spot()])
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, quantity, kind, **more)
    assert rejected(out) == reason
    assert out.now == T0 + HOUR + 70 * MS
    assert (out.orders()["status"][0], out.orders()["reason"][0]) == ("rejected", reason)


def test_least_notional_is_allowed_and_binds_no_reducing_order() -> None:
    out = line(flat(6))
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 50)  # worth 5, the least
    until(out, ACCOUNT)
    assert out.answers()[0][0] == "fill"
    sell(out, 2, 1, reduce_only=True)
    until(out, ACCOUNT)
    assert out.answers()[-1][0] == "fill"
    buy(out, 3, 49)
    assert rejected(out) == "min_notional"


def test_tick_that_changes_binds_from_its_day() -> None:
    dated = perp(tick=[(0, Decimal("0.01")), (T0 + 2 * HOUR, Decimal("0.10"))])
    out = line(flat(5), instruments=[dated, spot()])
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 1000, LIMIT, price=9995)
    until(out, TIMER, T0 + 2 * HOUR)
    assert out.answers()[0][0] == "ack"
    buy(out, 2, 1000, LIMIT, price=9995)
    assert rejected(out) == "off_tick"


def test_order_before_any_bar_has_ended_cannot_be_priced() -> None:
    out = line(flat(3), sim={**FREE, "impact_y": 1.0})
    until(out, TIMER, T0)
    buy(out, 1, 1000)
    assert rejected(out) == "no_history"


def test_delisted_contract_is_closed_and_trades_no_more() -> None:
    gone = perp(valid_to=T0 + 2 * HOUR)
    out = line(flat(5), instruments=[gone, spot()])
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 1000)
    until(out, TIMER, T0 + 3 * HOUR)
    assert out.position(PERP) == 0
    table = out.fills()
    assert table["tag"] == ["", "delisted"]
    assert int(table["ts_event"][1]) == T0 + 2 * HOUR
    out.answers()
    buy(out, 2, 1000)
    assert rejected(out) == "delisted"


def with_spot() -> Line:
    """Return a line whose spot pair trades on minute bars at 50."""
    out = line(flat(4), cash="1000")
    rows = [(50, 50, 50, 50, 1000.0)] * 240
    add_bars(out, SPOT, rows, interval=MINUTE)
    return out


def test_spot_is_bought_with_what_the_sleeve_has_and_no_more() -> None:
    out = with_spot()
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 19_981, instrument=SPOT)  # 999.05 and a fee of 0.99905: 4.905 cents too much
    assert rejected(out) == "insufficient_balance"
    buy(out, 2, 19_980, instrument=SPOT)  # 999 and 0.999
    until(out, ACCOUNT)
    assert out.sleeve_balance(0, 1, "USDT") == Decimal("0.001")
    assert out.sleeve_balance(0, 1, "BTC") == Decimal("19.98")


def test_two_purchases_at_once_cannot_spend_the_same_money() -> None:
    out = with_spot()
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 12_000, instrument=SPOT)
    buy(out, 2, 12_000, instrument=SPOT)
    finish(out)
    assert out.orders()["status"][:2] == ["filled", "rejected"]


def test_spot_is_never_sold_short() -> None:
    out = with_spot()
    until(out, TIMER, T0 + HOUR)
    sell(out, 1, 1000, instrument=SPOT)
    assert rejected(out) == "insufficient_balance"


def test_order_between_minutes_waits_for_the_next_minute_of_spot() -> None:
    out = with_spot()
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 1000)
    until(out, ACCOUNT)
    buy(out, 2, 1000, instrument=SPOT)
    finish(out)
    assert int(out.fills()["ts_event"][1]) == T0 + HOUR + MINUTE


def test_data_end_closes_at_the_last_close_with_costs_and_is_not_foreseen() -> None:
    rows = [*flat(2), (100, 120, 100, 110, 0.001)]
    out = line(rows, sim={**FREE, "slippage_floor_bps": 100, "max_participation": Decimal("0.01")})
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 1000)
    buy(out, 2, 1000, LIMIT, price=9000)
    woken = []
    while True:
        woke = out.next()
        if woke == END:
            break
        woken.append((woke, (out.now - T0) / HOUR))
    assert woken[-2:] == [(TIMER, 2.0), (DATA_END, 3.0)]
    table = out.fills()
    assert table["tag"] == ["", "data_end"]
    assert [int(v) for v in table["px"]] == [10100, 10890]  # 110 less 1 %: 108.90
    assert int(table["reference"][1]) == 11000
    assert [int(v) for v in table["qty"]] == [1000, 1000]  # beyond what the bar would take
    assert out.orders()["status"] == ["filled", "cancelled", "filled"]
    assert out.position(PERP) == 0
    assert money(out.equity_rows()["equity"])[-1] == out.equity()
    assert out.next() == END


def test_answer_on_its_way_at_the_end_is_still_booked() -> None:
    out = line(flat(3), sim={**FREE, "response_latency_ns": HOUR})
    until(out, TIMER, T0 + 2 * HOUR)
    buy(out, 1, 1000)
    finish(out)
    assert out.fills()["tag"] == ["", "data_end"]
    assert out.position(PERP) == 0


def test_second_segment_goes_on_with_the_money_of_the_first() -> None:
    first = line(STEPS[:2])
    until(first, TIMER, T0)
    buy(first, 1, 1000)
    second = line(STEPS, start=T0 + 10 * HOUR, end=T0 + 14 * HOUR, hours=[10, 11, 12, 13])
    with pytest.raises(ValueError, match="has ended"):
        second.adopt(first)
    finish(first)
    equity = first.equity()
    assert equity != 200_000
    second.adopt(first)
    assert second.equity() == equity
    until(second, TIMER, T0 + 11 * HOUR)
    with pytest.raises(ValueError, match="unused id"):
        buy(second, 1, 1000)
    buy(second, 2, 1000)
    finish(second)
    forced = 1 << 62
    assert [int(v) for v in second.orders()["order_id"]] == [1, forced, 2, forced + 1]
    assert [int(v) for v in second.fills()["order_id"]] == [1, forced, 2, forced + 1]
    assert second.orders()["status"] == ["filled"] * 4
    assert second.fills()["tag"] == ["", "data_end"] * 2
    hours = [(int(ts) - T0) / HOUR for ts in second.equity_rows()["ts"]]
    assert hours == [0, 1, 2, 10, 11, 12, 13, 14]
    assert list(first.orders()["order_id"]) == []


def test_wallets_are_linked_by_transfers() -> None:
    out = line(flat(3))
    until(out, TIMER, T0)
    out.transfer(0, 1, 0, "USDT", Decimal(100), Decimal("0.5"))
    assert out.balance(0, "USDT") == 100_100
    assert out.balance(1, "USDT") == Decimal("99899.5")
    assert out.transfer(0, 1, 0, "USDT", Decimal(10**6)) == 2
    assert out.transfers()["status"] == ["arrived", "refused"]
    assert out.balance(0, "USDT") == 100_100


def test_sleeves_cross_without_the_venue() -> None:
    out = line(flat(3), sleeves=("carry", "model"))
    until(out, TIMER, T0 + HOUR)
    out.internal_cross(PERP, 10000, [(0, 500), (1, -500)])
    assert (out.sleeve_position(0, PERP), out.sleeve_position(1, PERP)) == (500, -500)
    assert out.position(PERP) == 0
    assert len(out.fills()["px"]) == 0


def test_line_without_a_venue_writes_orders_down_and_fills_none() -> None:
    out = line(flat(4), sim=None)
    until(out, TIMER, T0 + HOUR)
    buy(out, 1, 1000)
    finish(out)
    assert list(out.orders()["order_id"]) == [1]
    assert out.orders()["status"] == ["sent"]
    assert len(out.fills()["px"]) == 0
    assert out.equity() == 200_000


def test_same_run_twice_gives_the_same_bytes() -> None:
    def run() -> tuple[str, str]:
        rng = np.random.default_rng(7)
        mids = 100 + np.cumsum(rng.integers(-3, 4, 60)) / 10
        rows = [(m, m + 1, m - 1, m + 0.1, float(rng.integers(1, 50))) for m in mids]
        out = line(rows, sim={"impact_y": 1.0}, funding=[(T0 + 8 * HOUR, "0.0003")])
        order = 0
        while out.next():
            order += 1
            (buy if order % 3 else sell)(out, order, 100 * (order % 7 + 1))
            if order > 50:
                break
        finish(out)
        return repr(out.fills()), repr(out.equity_rows())

    assert run() == run()
