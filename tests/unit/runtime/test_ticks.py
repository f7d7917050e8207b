"""Sessions of a catalog on the line: what is chained, what is re-based, what a gap does."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from crypto_quant.core.errors import ConfigError, DataError
from crypto_quant.core.messages import Wake
from crypto_quant.data_pipeline.cleaners.rebase import Recorded
from crypto_quant.data_pipeline.storage import Exps
from crypto_quant.data_pipeline.storage.flags import LAST, REBASED_RECV
from crypto_quant.runtime.compose_ticks import check_tradable
from crypto_quant.runtime.config import TickConfig
from crypto_quant.runtime.drive import recorded
from crypto_quant.runtime.line import RecordedLine
from crypto_quant.runtime.ticks import NoBook, TickReader, TickSession, TickTape
from crypto_quant.venues.rules import load_instruments
from tests.unit.runtime.one_market import compose_tick_state, tick_capital, tick_line

from .tick_market import (
    ASK,
    BID,
    MS,
    PERP,
    SECOND,
    T0,
    Sink,
    Update,
    book,
    keep,
    levels,
    snapshot,
    table,
    trades,
    whole,
)

MINUTE = 60_000
VENDOR = "vendor's own"
NO_TAPE = TickTape(TickSession("none", T0, T0 + SECOND, None), T0, T0 + SECOND, {}, {}, 0, 0)


def recorder(least_ms: int, clock: str = "box") -> str:
    return Recorded(clock, least_ms * MS).describe()


def quiet(ms: int, before: int, own: int) -> Update:
    """Change a far level: nothing that the strategy looks at."""
    return (ms, before, own, [(1, BID - 5000, own)], 0)


def read(reader: TickReader, number: int = 0) -> TickTape:
    found = reader.read(reader.sessions()[number])
    assert isinstance(found, TickTape)
    return found


def run(tape: TickTape, reader: TickReader) -> tuple[RecordedLine, Sink]:
    config, sink = TickConfig(), Sink()
    line = tick_line(config, reader.instrument, tape, tick_capital(config, reader.instrument))
    recorded(line, compose_tick_state(config, reader.instrument), sink)
    return line, sink


def test_files_of_one_recording_chain_and_others_are_sessions_of_their_own(tmp_path: Path) -> None:
    first = book([snapshot(0, 5, levels(9, 9)), quiet(100, 5, 6)], 2)
    second = book([quiet(5 * MINUTE, 6, 7), quiet(6 * MINUTE, 7, 8)], 2)
    later = book([snapshot(60 * MINUTE, 90, levels(9, 9))], 2)
    keep(tmp_path, "delta", first, "first", recorder(2))
    keep(tmp_path, "delta", second, "second", recorder(2))
    keep(tmp_path, "delta", later, "later", recorder(2))
    reader = TickReader(keep(tmp_path, "trade", trades([100], 2), "first", recorder(2)), PERP)
    both, other = reader.sessions()
    assert [both.name, other.name] == ["2023-11-14T22:13:20Z", "2023-11-14T23:13:20Z"]
    tape = read(reader)
    assert (tape.events, tape.unused, tape.rows["gap"]) == (14, 0, 0)
    assert whole(tape.streams["delta"])["ts_recv"][-1] == T0 + (6 * MINUTE + 2) * MS == tape.end


def test_a_session_without_a_snapshot_says_so(tmp_path: Path) -> None:
    rows = book([quiet(0, 5, 6), quiet(100, 6, 7)], 2)
    keep(tmp_path, "delta", rows, "first", recorder(2))
    reader = TickReader(keep(tmp_path, "trade", trades([60 * MINUTE], 2), "b", recorder(2)), PERP)
    reasons = [reader.read(session) for session in reader.sessions()]
    assert [r.reason for r in reasons if isinstance(r, NoBook)] == [
        "no snapshot: 2 updates make no book",
        "no book updates were recorded",
    ]


def test_all_kinds_are_moved_by_the_sessions_one_constant(tmp_path: Path) -> None:
    keep(tmp_path, "delta", book([snapshot(0, 5, levels(9, 9))], -700), "a", recorder(-700))
    raw = trades([50, 80], -650)
    catalog = keep(tmp_path, "trade", raw, "b", recorder(-650))
    tape = read(TickReader(catalog, PERP))
    assert (whole(tape.streams["delta"])["ts_recv"] == T0 + MS).all()
    assert whole(tape.streams["trade"])["ts_recv"].tolist() == [T0 + 101 * MS, T0 + 131 * MS]
    assert (whole(tape.streams["trade"])["flags"] == REBASED_RECV).all()
    assert catalog.scan("trade", PERP.id).select(["ts_recv"]).equals(raw.select(["ts_recv"]))


def test_a_row_is_known_no_earlier_than_it_happened(tmp_path: Path) -> None:
    rows = book([snapshot(0, 5, levels(9, 9)), quiet(100, 5, 6)], 0)
    early = rows["ts_recv"].to_numpy().copy()
    early[-1] -= MS // 2  # the venue rounded its stamp up
    rows = rows.set_column(1, rows.schema.field(1), [early])
    tape = read(TickReader(keep(tmp_path, "delta", rows, "a", recorder(0)), PERP))
    assert whole(tape.streams["delta"])["ts_recv"][-1] == T0 + 100 * MS
    assert whole(tape.streams["delta"])["flags"].tolist()[-2:] == [3, REBASED_RECV | LAST]


def test_a_venue_time_far_ahead_is_named_in_place_of_a_run(tmp_path: Path) -> None:
    """The third trade is stamped 5 s ahead: by it the session would be re-based."""
    rows = trades([50, 60, 5070, 80], 0)
    keep(tmp_path, "delta", book([snapshot(0, 5, levels(9, 9))], -700), "a", recorder(-5000))
    reader = TickReader(keep(tmp_path, "trade", rows, "b", recorder(-5000)), PERP)
    said = (
        r"^BTCUSDT-PERP\.BINANCE: trade: row 3 \(id 3\) of 2023-11-14T22:13:20\.080000Z lies "
        r"4,990\.000 ms before row 2 \(id 2\) .* correct that message in its file"
    )
    with pytest.raises(DataError, match=said):
        read(reader)


def test_a_time_ahead_in_the_last_message_does_not_set_the_base(tmp_path: Path) -> None:
    """Nothing comes after it that could go back; no other message is as fast."""
    updates = [snapshot(0, 5, levels(9, 9)), *(quiet(10 * n, n - 1, n) for n in range(6, 400))]
    rows = book(updates, -700)
    event = rows["ts_event"].to_numpy().copy()
    event[-1] += 600 * MS
    spoilt = rows.set_column(0, rows.schema.field(0), [event])
    reader = TickReader(keep(tmp_path / "a", "delta", spoilt, "a", recorder(-1300)), PERP)
    said = r"delta: 1 of 395 messages .* row 403 \(id 399\) .* whose time is ahead, in a: correct"
    with pytest.raises(DataError, match=said):
        read(reader)
    whole_one = TickReader(keep(tmp_path / "b", "delta", rows, "a", recorder(-700)), PERP)
    assert read(whole_one).feed_delay_ns["p99"] == MS


def test_prices_move_to_the_finest_grid_of_what_was_recorded(tmp_path: Path) -> None:
    keep(tmp_path, "delta", book([snapshot(0, 5, levels(9, 9))], 2), "a", VENDOR)
    mark = (T0, T0 + MS, BID * 10**6 + 1, None, None, None, 0)
    catalog = keep(tmp_path, "mark", table("mark", [mark]), "m", VENDOR, Exps(price=8, rate=8))
    reader = TickReader(catalog, PERP)
    tape = read(reader)
    assert (reader.instrument.price_exp, reader.instrument.qty_exp) == (8, 3)
    assert whole(tape.streams["mark"])["mark"].tolist() == [BID * 10**6 + 1]
    assert whole(tape.streams["delta"])["px"].max() == (ASK + 40) * 10**6
    assert tape.session.clock is None


def test_aggregated_trades_stand_in_and_missing_ids_are_counted(tmp_path: Path) -> None:
    keep(tmp_path, "delta", book([snapshot(0, 5, levels(9, 9))], 2), "a", VENDOR)
    rows = [
        (T0 + n * MS, T0 + n * MS, number, ASK, 1, -1, 0, number, number)
        for n, number in enumerate((4, 5, 9))
    ]
    catalog = keep(tmp_path, "agg_trade", table("agg_trade", rows), "t", VENDOR)
    tape = read(TickReader(catalog, PERP))
    assert whole(tape.streams["trade"])["side"].tolist() == [-1, -1, -1]
    assert tape.missing_trades == 3


def heavy(*more: Update, until_ms: int = 9000) -> tuple[list[Update], list[int]]:
    """Bids outweigh asks from the start; a trade every 50 ms."""
    return [snapshot(0, 5, levels(200, 20)), *more], list(range(10, until_ms, 50))


def gapped(tmp_path: Path, *more: Update) -> tuple[RecordedLine, Sink]:
    """Lose an update between 1,500 and 2,000 ms; the rest follows."""
    updates, times = heavy(quiet(1500, 5, 6), quiet(2000, 7, 8), *more)
    keep(tmp_path, "delta", book(updates, 3), "a", recorder(3))
    reader = TickReader(keep(tmp_path, "trade", trades(times, 3), "a", recorder(3)), PERP)
    tape = read(reader)
    gap = whole(tape.streams["gap"])
    assert gap["ts_event"].tolist() == [T0 + 1500 * MS + 1]
    assert gap["ts_recv"].tolist() == [T0 + 2003 * MS]
    return run(tape, reader)


def ms(values: object) -> list[float]:
    return [float(v - T0) / MS for v in np.asarray(values)]


def test_after_a_gap_the_position_is_closed_on_the_next_valid_book(tmp_path: Path) -> None:
    balanced = snapshot(4000, 20, levels(50, 50, up=-300))
    line, sink = gapped(tmp_path, balanced, quiet(8000, 20, 21))
    fills = line.native.fills()
    when = ms(fills["ts_event"])
    assert fills["tag"] == ["", ""]
    assert when == [305.0, 4005.0]  # sent at 4000, blind: the venue has its book again
    assert np.asarray(fills["px"]).tolist() == [ASK, BID - 300]
    assert [ms([d.ts])[0] for d in sink.decisions if d.wake is Wake.GAP] == [2003.0]
    blind = [d for d in sink.decisions if 2003 < ms([d.ts])[0] < 4003 and d.wake is Wake.TIMER]
    assert {d.signals[0].reason for d in blind} == {"no valid book"}
    assert not any(c for d in blind[1:] for c in d.targets)
    assert "no_book" in line.native.orders()["reason"]
    assert line.native.position(0) == 0


def test_without_another_snapshot_the_end_of_the_data_closes(tmp_path: Path) -> None:
    line, _ = gapped(tmp_path)
    assert line.native.fills()["tag"] == ["", "data_end"]
    assert line.native.position(0) == 0


def test_nothing_is_decided_before_the_snapshot_is_known(tmp_path: Path) -> None:
    early = [(ms, 3, 4, [(1, BID, 90)], 0) for ms in (0, 2000)]
    updates = [*early, snapshot(3000, 5, levels(90, 9)), quiet(6000, 5, 6)]
    keep(tmp_path, "delta", book(updates, 3), "a", recorder(3))
    times = list(range(10, 6000, 50))
    reader = TickReader(keep(tmp_path, "trade", trades(times, 3), "a", recorder(3)), PERP)
    line, sink = run(read(reader), reader)
    assert ms([sink.decisions[0].ts]) == [3100.0]
    assert ms(line.native.fills()["ts_event"])[0] == 3305.0  # three wake-ups in a row, then 5 ms


def test_the_stop_that_protects_a_position_rests_at_the_venue(tmp_path: Path) -> None:
    updates, times = heavy(until_ms=2000)
    keep(tmp_path, "delta", book(updates, 3), "a", recorder(3))
    crash = trades(times, 3).to_pylist()
    crash.append({**crash[-1], "ts_event": T0 + 2000 * MS, "ts_recv": T0 + 2003 * MS})
    crash[-1] |= {"px": BID - 20_000, "side": -1, "id": 999}
    rows = table("trade", [tuple(row.values()) for row in crash])
    reader = TickReader(keep(tmp_path, "trade", rows, "a", recorder(3)), PERP)
    tape = read(reader)
    line, _ = run(tape, reader)
    fills, orders = line.native.fills(), line.native.orders()
    stops = [n for n, kind in enumerate(orders["type"]) if kind == "stop_market"]
    assert len(stops) == 1
    # 0.1 % below the trade that was seen: 100,000.10, up to the tick.
    assert np.asarray(orders["stop"])[stops].tolist() == [9_990_010]
    assert ms(fills["ts_event"])[-1] == 2000.0
    assert np.asarray(fills["order_id"])[-1] == np.asarray(orders["order_id"])[stops[0]]


def test_settled_funding_is_booked_and_what_is_missing_is_named(tmp_path: Path) -> None:
    before = 6_390_000  # ten seconds before 00:00 UTC
    settled = T0 + (before + 10_000) * MS
    rows = book([snapshot(before, 5, levels(200, 20)), quiet(before + 20_000, 5, 6)], 3)
    keep(tmp_path, "delta", rows, "a", recorder(3))
    times = list(range(before + 10, before + 20_000, 50))
    reader = TickReader(keep(tmp_path, "trade", trades(times, 3), "a", recorder(3)), PERP)
    line, _ = run(read(reader), reader)
    assert reader.unsettled(read(reader)) == (settled,)
    assert reader.settlements(read(reader)) is None
    assert line.native.attribution(0)["funding"] == 0
    paid = table("funding", [(settled + 6 * MS, settled + 6 * MS, 10_000, 8, 0)])
    reader = TickReader(keep(tmp_path, "funding", paid, "f", VENDOR, Exps(rate=8)), PERP)
    line = _empty(reader)
    assert reader.unsettled(read(reader)) == ()
    reader.funding(line, 0, read(reader))
    recorded(line, compose_tick_state(TickConfig(), reader.instrument), Sink())
    # 0.01 BTC long at the mark of 100,000.10, 1 bp.
    assert line.native.attribution(0)["funding"] == Decimal("-0.10000010")


def _empty(reader: TickReader) -> RecordedLine:
    """Return a loaded line that has not begun."""
    capital = tick_capital(TickConfig(), reader.instrument)
    return tick_line(TickConfig(), reader.instrument, read(reader), capital)


def test_what_cannot_be_run_is_one_line(tmp_path: Path) -> None:
    known = load_instruments()
    with pytest.raises(
        ConfigError, match=r"coins: BTCUSD-PERP\.BINANCE is margined in BTC, not USD"
    ):
        compose_tick_state(TickConfig(), known["BTCUSD-PERP.BINANCE"])
    with pytest.raises(ConfigError, match="no sourced fees of tier 'VIP99'"):
        check_tradable(TickConfig(tier="VIP99"), PERP, T0)
    with pytest.raises(ConfigError, match="'rsi' is not in the tick set: spread_l1, imbalance_l1"):
        compose_tick_state(TickConfig(feature="rsi"), PERP)
    catalog = keep(tmp_path, "trade", trades([0], 2), "a", VENDOR)
    with pytest.raises(DataError, match=r"no order book of BTCUSDT-PERP\.BINANCE: import"):
        TickReader(catalog, PERP)
    config = TickConfig()
    line = tick_line(config, PERP, NO_TAPE, tick_capital(config, PERP))
    now, none = np.array([T0 + SECOND], dtype=np.int64), np.zeros(1, dtype=np.int64)
    wrong = r"BTCUSDT-PERP\.BINANCE: mark .*positive, was 0 \(cq data validate finds all"
    with pytest.raises(DataError, match=wrong):
        line.load(PERP.id, line.native.add_marks, 0, now, now, none)


def test_money_of_a_spot_session_lies_in_the_spot_wallet() -> None:
    spot = load_instruments()["BTCUSDT.BINANCE"]
    (deposit,) = tick_capital(TickConfig(), spot)
    assert (deposit.wallet.name, str(deposit.amount)) == ("SPOT", "100000")
    assert tick_capital(TickConfig(), PERP)[0].wallet.name == "MARGIN"
    assert TickConfig().grid_ms * MS == SECOND // 10
