"""Every shock: the tape has what it claims, and nothing before its start is another."""

from __future__ import annotations

import contextlib
from collections.abc import Callable
from dataclasses import replace
from decimal import Decimal

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from crypto_quant.backtesting.stress.shocks import SHOCKS
from crypto_quant.backtesting.stress.shocks.mark import marking, marks_of_bars
from crypto_quant.backtesting.stress.tape import (
    DAY_NS,
    HOUR_NS,
    PRICES,
    BarTape,
    InapplicableError,
    Position,
    SessionTape,
    StressTape,
    Way,
    scaled,
)
from crypto_quant.data_pipeline.storage import flags
from crypto_quant.runtime.segments import Span
from crypto_quant.runtime.tape import Columns
from tests.unit.backtesting.stress.tapes import (
    FRAMES,
    HOURS,
    MS,
    PERP,
    SPOT,
    T0,
    TICK_SPAN,
    bar_tape,
    book_at,
    cut_at,
    instruments,
    tick_tape,
    together,
)

SPAN = Span(T0 + 60 * HOUR_NS, T0 + 90 * HOUR_NS)
END = T0 + HOURS * HOUR_NS


def bars(key: str, span: Span = SPAN) -> tuple[BarTape, BarTape]:
    tape = bar_tape()
    return tape, SHOCKS[key].on_bars(tape, span)


def ticks(key: str, span: Span = TICK_SPAN) -> tuple[BarTape, BarTape]:
    """Return a session without and with a shock, each in one piece."""
    tape = tick_tape()
    return together(tape), together(SHOCKS[key].on_ticks(tape, span))


def rows(columns: Columns, chosen: np.ndarray) -> dict[str, list[int]]:
    return {name: values[chosen].tolist() for name, values in columns.items()}


def of_tape(columns: Columns, span: Span) -> Columns:
    """Leave out what is stated anew at the edges of a span, where the tape has no quote or mark."""
    chosen = (columns["ts_event"] != span.start) & (columns["ts_event"] != span.end)
    return {name: values[chosen] for name, values in columns.items()}


def both(key: str) -> list[tuple[BarTape, BarTape, Span]]:
    shock, out = SHOCKS[key], []
    if not isinstance(shock.bars, str):
        out.append((*bars(key), SPAN))
    if not isinstance(shock.ticks, str):
        out.append((*ticks(key), TICK_SPAN))
    return out


@pytest.mark.parametrize("key", SHOCKS)
def test_nothing_before_its_start_is_another(key: str) -> None:
    """Neither by the venue's clock nor by ours: what is known by the start stays as it was."""
    assert both(key)
    for plain, laid, span in both(key):
        for stream, columns in plain.streams.items():
            new = laid.streams[stream]
            for clock in ("ts_event", "ts_recv"):
                before = [rows(c, c[clock] < span.start) for c in (columns, new)]
                if key == "data_gap" and clock == "ts_event":
                    # What happened by then but is not known yet is hidden too.
                    before = [{**part, "ts_recv": []} for part in before]
                assert before[0] == before[1], (key, stream, clock)
        for stream in laid.streams.keys() - plain.streams.keys():
            assert stream[0] in ("mark", "gap")


@pytest.mark.parametrize("key", SHOCKS)
def test_it_changes_no_tape_that_it_was_given(key: str) -> None:
    shock, tape, session = SHOCKS[key], bar_tape(), tick_tape()
    with contextlib.suppress(InapplicableError):
        shock.on_bars(tape, SPAN)
    with contextlib.suppress(InapplicableError):
        together(shock.on_ticks(session, TICK_SPAN))
    for held, kept in ((tape, bar_tape()), (together(session), together(tick_tape()))):
        for stream, columns in kept.streams.items():
            for name, values in columns.items():
                assert (held.streams[stream][name] == values).all()


@pytest.mark.parametrize("key", SHOCKS)
def test_rows_stay_in_the_order_in_which_they_become_known(key: str) -> None:
    for _, laid, _ in both(key):
        for columns in laid.streams.values():
            assert (np.diff(columns["ts_recv"]) >= 0).all()
            assert (columns["ts_recv"] >= columns["ts_event"]).all()


@pytest.mark.parametrize(
    ("key", "factor"),
    [
        ("gap_down", Decimal("0.8")),
        ("gap_up", Decimal("1.2")),
        ("deleveraging", Decimal("0.9")),
        ("usdt_down", 1 / Decimal("0.95")),
        ("usdt_up", 1 / Decimal("1.05")),
    ],
)
def test_prices_of_bars_are_moved_by_the_factor_to_the_tick(key: str, factor: Decimal) -> None:
    plain, laid = bars(key)
    for index in (PERP, SPOT):
        old, new = plain.streams["bar", index], laid.streams["bar", index]
        inside = (old["ts_event"] >= SPAN.start) & (old["ts_event"] < SPAN.end)
        for name in PRICES:
            assert (new[name][inside] % 10 == 0).all()
            assert np.abs(new[name][inside] - old[name][inside] * float(factor)).max() <= 5.0001
            assert (new[name][~inside] == old[name][~inside]).all()
        assert (new["low"] <= np.minimum(new["open"], new["close"])).all()
        assert (new["high"] >= np.maximum(new["open"], new["close"])).all()


def test_a_price_is_rounded_to_the_nearest_step_and_never_to_nothing() -> None:
    assert scaled(np.array([7, 104, 106, 115]), Decimal(1), 10).tolist() == [10, 100, 110, 120]
    assert scaled(np.array([10**15]), Decimal("0.3"), 1).tolist() == [3 * 10**14]


@pytest.mark.parametrize(
    ("key", "dollars"), [("usdt_down", pytest.approx(0.95)), ("usdt_up", pytest.approx(1.05))]
)
def test_the_quote_asset_is_worth_what_the_label_says(key: str, dollars: float) -> None:
    for _, laid, span in both(key):
        [worth] = laid.worth
        assert worth.span == span
        assert worth.dollars == dollars


@pytest.mark.parametrize(
    ("key", "size"),
    [("gap_down", -0.2), ("gap_up", 0.2), ("deleveraging", -0.1), ("usdt_down", 1 / 0.95 - 1)],
)
def test_a_book_is_moved_whole_by_whole_ticks(key: str, size: float) -> None:
    plain, laid = ticks(key)
    old, new = plain.streams["delta", PERP], laid.streams["delta", PERP]
    move = round(3_999_995 * size / 10) * 10
    for ts in range(TICK_SPAN.start, TICK_SPAN.end, 37 * MS):
        moved = {(side, px + move): qty for (side, px), qty in book_at(old, ts).items()}
        assert book_at(new, ts) == moved
    after = TICK_SPAN.end + 100 * MS
    assert book_at(new, after) == book_at(old, after)
    for kind, names in (("trade", ["px"]), ("quote", ["bid", "ask"]), ("mark", ["mark"])):
        before, now = plain.streams[kind, PERP], of_tape(laid.streams[kind, PERP], TICK_SPAN)
        inside = (before["ts_event"] >= TICK_SPAN.start) & (before["ts_event"] < TICK_SPAN.end)
        for name in names:
            assert (now[name] - before[name]).tolist() == np.where(inside, move, 0).tolist()


def test_levels_below_zero_are_no_levels() -> None:
    tape = tick_tape()
    [deltas] = tape.streams["delta", PERP]
    deep = deltas["px"] == 4_000_000 - 10 * 30
    far = {**deltas, "px": np.where(deep, 50, deltas["px"])}  # bids that a fall takes below 0
    fallen = SHOCKS["gap_down"].on_ticks(tape.changed({("delta", PERP): [far]}), TICK_SPAN)
    laid = together(fallen)
    assert (laid.streams["delta", PERP]["px"] > 0).all()
    book = book_at(laid.streams["delta", PERP], TICK_SPAN.end - MS)
    assert min(px for _, px in book) > 1_000_000


def test_the_spread_of_a_book_is_ten_times_as_wide() -> None:
    plain, laid = ticks("spread_x10")
    for ts in range(TICK_SPAN.start + 10 * MS, TICK_SPAN.end, 50 * MS):
        book = book_at(laid.streams["delta", PERP], ts)
        bid, ask = max(p for s, p in book if s > 0), min(p for s, p in book if s < 0)
        assert ask - bid == 100
        assert len(book) == len(book_at(plain.streams["delta", PERP], ts))
    quotes, trades = of_tape(laid.streams["quote", PERP], TICK_SPAN), laid.streams["trade", PERP]
    inside = (quotes["ts_event"] >= TICK_SPAN.start) & (quotes["ts_event"] < TICK_SPAN.end)
    assert (quotes["ask"] - quotes["bid"])[inside].tolist() == [100] * int(inside.sum())
    bought = trades["side"] > 0
    assert (trades["px"][inside & bought] == quotes["ask"][inside & bought]).all()
    assert (trades["px"][inside & ~bought] == quotes["bid"][inside & ~bought]).all()


def test_the_spread_of_bars_is_a_setting_times_ten() -> None:
    plain, laid = bars("spread_x10")
    assert laid.streams == plain.streams
    changed = {name for name, value in laid.sim.items() if value != plain.sim[name]}
    assert changed == {"slippage_floor_bps"}  # the half spread is 0 by default
    assert laid.sim["slippage_floor_bps"] == 10 * plain.sim["slippage_floor_bps"]


def test_a_tenth_of_volume_and_of_every_level() -> None:
    plain, laid = bars("depth_tenth")
    for index in (PERP, SPOT):
        old, new = plain.streams["bar", index], laid.streams["bar", index]
        inside = (old["ts_event"] >= SPAN.start) & (old["ts_event"] < SPAN.end)
        assert (new["volume"][inside] == old["volume"][inside] // 10).all()
        known = inside & (old["taker_buy"] >= 0)
        assert (new["taker_buy"][known] == old["taker_buy"][known] // 10).all()
        assert (new["taker_buy"] <= new["volume"]).all()
        assert (new["taker_buy"][old["taker_buy"] < 0] == -1).all()
        assert all((new[name] == old[name]).all() for name in PRICES)
    plain, laid = ticks("depth_tenth")
    for ts in range(TICK_SPAN.start + 10 * MS, TICK_SPAN.end, 50 * MS):
        old_book = book_at(plain.streams["delta", PERP], ts)
        thin = {level: max(qty // 10, 1) for level, qty in old_book.items()}
        assert book_at(laid.streams["delta", PERP], ts) == thin
    trades = plain.streams["trade", PERP], laid.streams["trade", PERP]
    inside = (trades[0]["ts_event"] >= TICK_SPAN.start) & (trades[0]["ts_event"] < TICK_SPAN.end)
    assert (trades[1]["qty"][inside] == np.maximum(trades[0]["qty"][inside] // 10, 1)).all()


def test_a_venue_that_is_down_trades_nothing() -> None:
    plain, laid = bars("venue_down")
    for index in (PERP, SPOT):
        old, new = plain.streams["bar", index]["ts_event"], laid.streams["bar", index]["ts_event"]
        assert set(old) - set(new) == {t for t in old if SPAN.start <= t < SPAN.end}
    assert laid.streams["funding", PERP] is plain.streams["funding", PERP]
    plain, laid = ticks("venue_down")
    for kind in ("delta", "trade", "quote", "mark"):
        at = laid.streams[kind, PERP]["ts_event"]
        assert not ((at >= TICK_SPAN.start) & (at < TICK_SPAN.end)).any()
    [event], [known] = laid.streams["gap", PERP]["ts_event"], laid.streams["gap", PERP]["ts_recv"]
    assert event == TICK_SPAN.start
    assert known == TICK_SPAN.start + 4 * MS
    for ts in range(TICK_SPAN.end, T0 + FRAMES * 10 * MS, 50 * MS):
        assert book_at(laid.streams["delta", PERP], ts) == book_at(plain.streams["delta", PERP], ts)


def test_what_a_data_gap_hides_is_known_at_its_end() -> None:
    for plain, laid, span in both("data_gap"):
        for stream in plain.streams.keys() - {("funding", PERP)}:
            old, new = plain.streams[stream], laid.streams[stream]
            assert (new["ts_event"] == old["ts_event"]).all()
            hidden = (old["ts_recv"] >= span.start) & (old["ts_recv"] < span.end)
            assert hidden.any()
            assert (new["ts_recv"][hidden] == span.end).all()
            assert (new["ts_recv"][~hidden] == old["ts_recv"][~hidden]).all()


def test_orders_and_feed_are_fifty_times_as_slow() -> None:
    plain, laid = ticks("latency_x50", Span(T0, TICK_SPAN.end))
    assert laid.ways == {"BINANCE": Way(250 * MS, 250 * MS)}
    for stream, old in plain.streams.items():
        new = laid.streams[stream]
        assert (new["ts_event"] == old["ts_event"]).all()
        assert (new["ts_recv"] - new["ts_event"] == 200 * MS).all()
    with pytest.raises(InapplicableError, match="latency does not show on bars"):
        bars("latency_x50")


def test_marks_of_bars_are_those_that_the_line_takes() -> None:
    tape = bar_tape()
    columns = tape.streams["bar", PERP]
    marks = marks_of_bars(columns, HOUR_NS)
    assert marks["mark"][::2].tolist() == columns["open"].tolist()
    assert marks["mark"][1::2].tolist() == columns["close"].tolist()
    assert marks["ts_event"][::2].tolist() == columns["ts_event"].tolist()
    assert marks["ts_event"][1::2].tolist() == (columns["ts_event"] + HOUR_NS - 1).tolist()
    assert marks["ts_recv"][1::2].tolist() == columns["ts_recv"].tolist()


def marks(tape: BarTape) -> Columns:
    found = tape.streams.get(("mark", PERP))
    return found or marks_of_bars(tape.streams["bar", PERP], tape.interval_ns[PERP])


@pytest.mark.parametrize(
    ("key", "expected"),
    [
        (
            "index_outage",
            lambda old, inside: np.full(inside.sum(), old[~inside & _early(inside)][-1]),
        ),
        ("mark_above", lambda old, inside: scaled(old[inside], Decimal("1.03"), 1)),
        ("mark_below", lambda old, inside: scaled(old[inside], Decimal("0.97"), 1)),
    ],
)
def test_only_the_mark_leaves_the_market(
    key: str, expected: Callable[[np.ndarray, np.ndarray], np.ndarray]
) -> None:
    for plain, laid, span in both(key):
        old, new = marks(plain), laid.streams["mark", PERP]
        if span == TICK_SPAN:
            new = of_tape(new, span)
        inside = (old["ts_event"] >= span.start) & (old["ts_event"] < span.end)
        assert new["mark"][inside].tolist() == expected(old["mark"], inside).tolist()
        assert (new["mark"][~inside] == old["mark"][~inside]).all()
        for stream in plain.streams.keys() - {("mark", PERP)}:
            for name, values in plain.streams[stream].items():
                assert (laid.streams[stream][name] == values).all()
        assert ("mark", SPOT) not in laid.streams


def _early(inside: np.ndarray) -> np.ndarray:
    """Return the rows before the first one inside."""
    return np.arange(inside.size) < int(np.argmax(inside))


@pytest.mark.parametrize(("key", "sign"), [("funding_longs_pay", 1), ("funding_shorts_pay", -1)])
def test_funding_is_at_the_cap(key: str, sign: int) -> None:
    span = Span(SPAN.start, SPAN.start + SHOCKS[key].bars_ns)
    plain, laid = bars(key, span)
    old, new = plain.streams["funding", PERP], laid.streams["funding", PERP]
    inside = (old["ts_event"] >= span.start) & (old["ts_event"] < span.end)
    assert inside.sum() == 9
    assert (new["rate"][inside] == sign * 300_000).all()  # 0.3 %: 0.75 x 0.4 %
    assert (new["rate"][~inside] == old["rate"][~inside]).all()
    plain, laid = ticks(key)
    old, new = plain.streams["funding", PERP], laid.streams["funding", PERP]
    assert new["rate"].tolist() == [old["rate"][0], sign * 300_000, old["rate"][2]]
    for span in (Span(T0 + 301 * MS, T0 + 999 * MS), Span(T0 + DAY_NS, T0 + 2 * DAY_NS)):
        with pytest.raises(InapplicableError, match="no funding is settled in this session"):
            ticks(key, span)
    tape = tick_tape()
    streams = {key: parts for key, parts in tape.streams.items() if key[0] != "funding"}
    bare = StressTape(tape.instruments, streams, {}, 8, ways=tape.ways)
    with pytest.raises(InapplicableError, match="no funding is settled in this session"):
        SHOCKS[key].on_ticks(bare, TICK_SPAN)


def test_the_whole_contract_is_taken_at_the_fall() -> None:
    for _, laid, span in both("deleveraging"):
        [taken] = laid.deleverages
        assert taken == (span.start, PERP, Decimal(1))


def contract(over: float, at: int = PERP, book: str = "", venue: str = "BINANCE") -> Position:
    return Position(book, at, venue, is_contract=True, over=over)


@pytest.mark.parametrize(
    ("net", "side", "sign"), [(0.3, "long", 1), (-0.3, "short", -1), (0.0, "short", -1)]
)
def test_a_deleveraging_takes_who_wins(net: float, side: str, sign: int) -> None:
    """A rise takes a long, a fall a short: the venue never takes the loser."""
    shock = SHOCKS["deleveraging"].facing((contract(net),))
    assert shock.key == "deleveraging"
    assert shock.takes
    assert shock.label == f"ADL of the winning {side}"
    assert f"the whole {side} in the contract" in shock.claim
    assert ("rise by 10%" if sign > 0 else "fall by 10%") in shock.claim
    session = together(shock.on_ticks(tick_tape(), TICK_SPAN))
    for plain, laid, span, kind, name in (
        (bar_tape(), shock.on_bars(bar_tape(), SPAN), SPAN, "bar", "open"),
        (together(tick_tape()), session, TICK_SPAN, "trade", "px"),
    ):
        old, new = plain.streams[kind, PERP], laid.streams[kind, PERP]
        inside = (old["ts_event"] >= span.start) & (old["ts_event"] < span.end)
        moves = new[name][inside] / old[name][inside] - 1
        assert moves == pytest.approx(sign * 0.1, abs=1e-3)
        assert laid.deleverages == ((span.start, PERP, Decimal(1)),)


def test_a_deleveraging_takes_the_winning_legs_and_no_other() -> None:
    """The larger side wins; whoever is on the other one, and spot, stays."""
    spot = Position("coins", 0, "BINANCE", is_contract=False, over=0.9)
    short, far = contract(-0.8, 1, "near"), contract(-0.2, 2, "far", "BYBIT")
    long = contract(0.3, 3, "long")
    shock = SHOCKS["deleveraging"].facing((spot, short, far, long))
    assert shock.label == "ADL of the winning short: near and far"
    assert "that of near and far; every other position stays" in shock.claim
    laid = shock.on_ticks(tick_tape(), TICK_SPAN)
    assert [(one.instrument, one.fraction) for one in laid.deleverages] == [
        (1, Decimal(1)),
        (2, Decimal(1)),
    ]
    turned = SHOCKS["deleveraging"].facing((spot, short, far, long._replace(over=1.1)))
    assert turned.label == "ADL of the winning long: long"
    laid = turned.on_ticks(tick_tape(), TICK_SPAN)
    assert [one.instrument for one in laid.deleverages] == [3]


def test_the_venue_fails_where_most_is_held() -> None:
    """Long and short there add up: 0.5 and 0.4 are more than 0.7."""
    held = contract(0.7), contract(-0.5, 1, "far", "BYBIT"), contract(0.4, 2, "leg", "BYBIT")
    for key, said in (("venue_down", "Venue down"), ("data_gap", "Data gap")):
        shock = SHOCKS[key].facing(held)
        assert (shock.key, shock.label) == (key, f"{said}: BYBIT")
        assert "BYBIT" in shock.claim
        assert "the one where most was held" in shock.claim
        alone = SHOCKS[key].facing(held[:1])
        assert alone.label == f"{said}: BINANCE"
        assert "most was held" not in alone.claim
        assert SHOCKS[key].facing((contract(0.7, venue=""),)).label == said


def two_venues() -> SessionTape:
    """Return a session with spot at Binance, and the same contract at two venues."""
    tape, (perp, spot) = tick_tape(), instruments()
    streams = {
        (kind, n): parts
        for (kind, _), parts in tape.streams.items()
        for n in range(3)
        if n or kind not in ("mark", "funding")
    }
    ids = spot, perp, replace(perp, id="BTCUSDT-PERP.BYBIT", venue="bybit")
    ways = {"BINANCE": Way(5 * MS, 5 * MS), "BYBIT": Way(7 * MS, 9 * MS)}
    return StressTape(ids, streams, {}, 8, ways=ways)


@pytest.mark.parametrize("key", ["gap_up", "gap_down", "usdt_up", "deleveraging"])
def test_prices_of_all_markets_move_together(key: str) -> None:
    """Spot, contracts and marks of all venues, from one moment on, by as much."""
    tape = two_venues()
    plain, laid = together(tape), together(SHOCKS[key].on_ticks(tape, TICK_SPAN))
    moves = set()
    for (kind, n), name in [((kind, n), "px") for kind in ("delta", "trade") for n in range(3)] + [
        (("mark", n), "mark") for n in (1, 2)
    ]:
        old, new = plain.streams[kind, n], laid.streams[kind, n]
        first = np.argmax(old["ts_event"] > TICK_SPAN.start)
        (row,) = np.flatnonzero(new["ts_event"] == old["ts_event"][first])[:1]
        moves.add(int(new[name][row] - old[name][first]))
        before = new["ts_event"] < TICK_SPAN.start
        assert (new[name][before] == old[name][old["ts_event"] < TICK_SPAN.start]).all()
    assert len(moves) == 1
    assert moves != {0}


def test_one_venue_is_down_and_the_others_trade_on() -> None:
    tape, held = two_venues(), (contract(0.7, 1), contract(-0.9, 2, "far", "BYBIT"))
    shock = SHOCKS["venue_down"].facing(held)
    plain, laid = together(tape), shock.on_ticks(tape, TICK_SPAN)
    streams = together(laid).streams
    for (kind, n), old in plain.streams.items():
        at = streams[kind, n]["ts_event"]
        inside = ((at >= TICK_SPAN.start) & (at < TICK_SPAN.end)).any()
        assert inside == (n < 2 or kind in ("funding", "gap")), (kind, n)
        if n < 2:
            assert all((streams[kind, n][name] == old[name]).all() for name in old)
    assert [n for kind, n in streams if kind == "gap"] == [2]
    assert laid.ways["BINANCE"] == tape.ways["BINANCE"]
    late = laid.ways["BYBIT"].trips[1]
    assert (late.venue, late.answered) == (TICK_SPAN.end + 7 * MS, TICK_SPAN.end + 16 * MS)
    slow = SHOCKS["latency_x50"].on_ticks(tape, TICK_SPAN).ways
    assert slow == {"BINANCE": Way(250 * MS, 250 * MS), "BYBIT": Way(350 * MS, 450 * MS)}


def test_where_no_mark_is_recorded_trades_mark_and_their_marks_move() -> None:
    """Each market trade but one of a fund is a mark of its own time, stated anew at the gap."""
    tape = tick_tape()
    [trades] = tape.streams["trade", PERP]
    odd = np.arange(trades["px"].size) == 20
    told = {**trades, "flags": np.where(odd, flags.NOT_MARKET, 0).astype(np.uint32)}
    streams = {key: parts for key, parts in tape.streams.items() if key[0] != "mark"}
    bare = replace(tape, streams={**streams, ("trade", PERP): [told]})
    [made] = marking(bare, PERP)
    for name, of in (("ts_event", "ts_event"), ("ts_recv", "ts_recv"), ("mark", "px")):
        assert made[name].tolist() == trades[of][~odd].tolist()
    laid = together(SHOCKS["gap_up"].on_ticks(bare, TICK_SPAN)).streams["mark", PERP]
    inside = (made["ts_event"] >= TICK_SPAN.start) & (made["ts_event"] < TICK_SPAN.end)
    new = of_tape(laid, TICK_SPAN)["mark"]
    assert (new - made["mark"]).tolist() == np.where(inside, 800_000, 0).tolist()
    start = laid["mark"][laid["ts_event"] == TICK_SPAN.start]
    assert start.tolist() == [made["mark"][~inside & _early(inside)][-1] + 800_000]
    for key, size in (("index_outage", None), ("mark_above", Decimal("1.03"))):
        now = of_tape(
            together(SHOCKS[key].on_ticks(bare, TICK_SPAN)).streams["mark", PERP], TICK_SPAN
        )
        still = np.full(inside.sum(), made["mark"][~inside & _early(inside)][-1])
        expected = still if size is None else scaled(made["mark"][inside], size, 1)
        assert now["mark"][inside].tolist() == expected.tolist()
    taken = SHOCKS["deleveraging"].on_ticks(bare, TICK_SPAN)
    assert taken.deleverages == ((TICK_SPAN.start, PERP, Decimal(1)),)


def test_a_deleveraging_before_the_first_mark_states_the_middle_of_the_moved_book() -> None:
    """The first mark is of 11 ms. Else what is taken would be priced as if nothing had moved."""
    span = Span(T0 + 5 * MS, TICK_SPAN.end)
    laid = together(SHOCKS["deleveraging"].on_ticks(tick_tape(), span)).streams
    first = {name: values[0] for name, values in laid["mark", PERP].items()}
    book = book_at(laid["delta", PERP], span.start)
    best = max(px for side, px in book if side > 0), min(px for side, px in book if side < 0)
    assert first["mark"] == sum(best) / 2 == 3_999_995 - 400_000
    assert (first["ts_event"], first["ts_recv"]) == (span.start, span.start + 4 * MS)
    tape = tick_tape()
    none = "mark", "trade"
    streams = {key: parts for key, parts in tape.streams.items() if key[0] not in none}
    bare = StressTape(tape.instruments, streams, {}, 8, ways=tape.ways)
    with pytest.raises(InapplicableError, match="no mark price is recorded"):
        SHOCKS["deleveraging"].on_ticks(bare, TICK_SPAN)


def test_other_shocks_are_the_same_whatever_is_held() -> None:
    aimed = "deleveraging", "venue_down", "data_gap"
    for key, shock in SHOCKS.items():
        assert shock.facing(None) is shock
        if key not in aimed:
            assert shock.facing((contract(0.3),)) is shock


def test_a_shock_that_has_nothing_to_change_says_so() -> None:
    tape = tick_tape()
    book = {("delta", PERP): tape.streams["delta", PERP]}
    bare = StressTape(tape.instruments, book, {}, 8, ways=tape.ways)
    with pytest.raises(InapplicableError, match="no mark price is recorded"):
        SHOCKS["index_outage"].on_ticks(bare, TICK_SPAN)
    late = Span(T0 + DAY_NS, T0 + 2 * DAY_NS)
    early = Span(T0 - DAY_NS, T0 + DAY_NS)
    for key in ("gap_up", "spread_x10", "depth_tenth"):
        with pytest.raises(InapplicableError, match="no frame after its start"):
            SHOCKS[key].on_ticks(tape, late)
        with pytest.raises(InapplicableError, match="no book is known"):
            SHOCKS[key].on_ticks(tape, early)


@pytest.mark.parametrize("key", ["gap_up", "depth_tenth", "spread_x10", "venue_down"])
def test_a_shock_that_ends_after_the_last_frame_ends_all_the_same(key: str) -> None:
    """The last frame is of 1,990 ms; no row follows, and the book of the tape is stated anew."""
    span = Span(TICK_SPAN.start, T0 + 1_995 * MS)
    plain, laid = ticks(key, span)
    old, new = plain.streams["delta", PERP], laid.streams["delta", PERP]
    before, after = book_at(new, span.end - 1), book_at(new, span.end)
    assert after == book_at(old, span.end) != before
    last = slice(-len(after), None)
    assert set(new["ts_event"][last].tolist()) == {span.end}
    assert set(new["ts_recv"][last].tolist()) == {span.end + 4 * MS}
    assert new["flags"][last].tolist() == [
        *[flags.SNAPSHOT] * (len(after) - 1),
        flags.SNAPSHOT | flags.LAST,
    ]
    for kind in ("quote", "mark"):
        row = {name: values[-1] for name, values in laid.streams[kind, PERP].items()}
        stood = {name: values[-1] for name, values in plain.streams[kind, PERP].items()}
        if (kind, key) == ("mark", "venue_down") or kind == "quote":
            assert row["ts_event"] == span.end
        assert {k: row[k] for k in row if k[:2] != "ts"} == {
            k: stood[k] for k in stood if k[:2] != "ts"
        }


PLACES = st.lists(st.integers(0, 700), max_size=6)
STARTS = st.integers(-20, 1_990).map(lambda ms: T0 + ms * MS)


@settings(max_examples=40)
@given(key=st.sampled_from(list(SHOCKS)), places=PLACES, start=STARTS, length=st.integers(1, 2_000))
def test_a_session_may_be_cut_anywhere(
    key: str, places: list[int], start: int, length: int
) -> None:
    """Also in the middle of a frame, of a snapshot, or more than once at one row."""
    span, tape = Span(start, start + length * MS), tick_tape()
    came: list[object] = []
    for session in (tape, cut_at(tape, places)):
        try:
            laid = SHOCKS[key].on_ticks(session, span)
        except InapplicableError as err:
            came.append(str(err))
            continue
        streams = together(laid).streams
        came.append(
            {
                stream: {name: values.tolist() for name, values in columns.items()}
                for stream, columns in streams.items()
            }
        )
        again = together(laid).streams  # each pass over a stream begins anew
        assert all((again[s][n] == v).all() for s, rows in streams.items() for n, v in rows.items())
        if key != "latency_x50":
            ends = [int(columns["ts_recv"].max()) for columns in streams.values()]
            recorded = T0 + (FRAMES - 1) * 10 * MS + 5 * MS
            assert max(ends) <= max(recorded, span.end + 5 * MS)
    assert came[0] == came[1]


def test_every_shock_is_registered_under_its_own_name_and_claims_something() -> None:
    for key, shock in SHOCKS.items():
        assert shock.key == key
        assert shock.claim.endswith(".")
        assert shock.label
