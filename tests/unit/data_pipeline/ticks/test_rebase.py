"""One constant per recording session, and only where the clock was provably off."""

from __future__ import annotations

from typing import NamedTuple

import pyarrow as pa

from crypto_quant.data_pipeline.cleaners.rebase import (
    Recorded,
    Session,
    rebase,
    sessions,
    standalone,
)
from crypto_quant.data_pipeline.storage.flags import LAST, REBASED_RECV

MS = 10**6
MINUTE = 60 * 10**9


class Part(NamedTuple):
    """What the rule reads of a catalog part."""

    start: int
    end: int
    recv: str


def part(start: int, end: int, least_ms: float, clock: str = "box") -> Part:
    return Part(start * MINUTE, end * MINUTE, Recorded(clock, round(least_ms * MS)).describe())


def table(events: list[int], recv: list[int]) -> pa.Table:
    return pa.table(
        {
            "ts_event": pa.array(events),
            "ts_recv": pa.array(recv),
            "flags": pa.array([LAST] * len(events), pa.uint32()),
        }
    )


def test_files_of_one_machine_and_time_share_the_least_of_all() -> None:
    found = sessions(
        [part(0, 5, -1272.5), part(1, 6, -1275.0), part(7, 9, 3.0), part(500, 501, 3.0)]
    )
    first, second = found
    assert (first.least_latency, first.shift) == (-1275 * MS, 1276 * MS)
    assert first.bound == 1278 * MS
    assert (first.start, first.end) == (0, 9 * MINUTE)
    assert second.shift == 0
    assert "1276.000 ms" in first.describe()
    assert "raw stamps" in second.describe()


def test_another_machine_is_another_session() -> None:
    found = sessions([part(0, 5, -50), part(0, 5, 2, clock="other")])
    assert {session.clock: session.shift for session in found} == {"box": 51 * MS, "other": 0}


def test_what_rounding_of_a_venue_stamp_explains_is_no_proof() -> None:
    assert sessions([part(0, 5, -1.0)])[0].shift == 0
    assert sessions([part(0, 5, -1.000001)])[0].shift == 2 * MS + 1


def test_stamps_that_no_recorder_made_are_in_no_session() -> None:
    synthetic = Part(0, 5, "synthetic: ts_event")
    assert sessions([synthetic]) == ()
    rows = table([1, 2], [1, 2])
    assert rebase(rows, [synthetic], ()).equals(rows)


def test_rows_of_the_session_are_moved_flagged_and_do_not_go_back() -> None:
    parts = [part(0, 5, -100), part(500, 501, 3)]
    events = [0, MINUTE, 2 * MINUTE, 500 * MINUTE]
    raw = [-100 * MS, MINUTE - 90 * MS, MINUTE - 95 * MS, 500 * MINUTE + 3 * MS]
    out = rebase(table(events, raw), parts, sessions(parts))
    shifted = [1 * MS, MINUTE + 11 * MS, MINUTE + 11 * MS, 500 * MINUTE + 3 * MS]
    assert out.column("ts_recv").to_pylist() == shifted
    assert out.column("ts_event").to_pylist() == events
    assert out.column("flags").to_pylist() == [LAST | REBASED_RECV] * 3 + [LAST]


def test_rebasing_twice_moves_once() -> None:
    parts = [part(0, 5, -100)]
    found: tuple[Session, ...] = sessions(parts)
    once = rebase(table([0, MINUTE], [0, MINUTE]), parts, found)
    assert rebase(once, parts, found).equals(once)


def test_the_manifests_text_reads_back() -> None:
    recorded = Recorded("my box", -5)
    assert Recorded.parse(recorded.describe()) == recorded
    assert Recorded.parse("recorded; clock=my box") is None


def test_a_part_taken_out_of_its_session_keeps_its_shift() -> None:
    both = [part(0, 5, -1272.5), part(1, 6, -1275.0)]
    found = sessions(both)
    alone = [both[0]._replace(recv=standalone(both[0], found))]
    (session,) = sessions(alone)
    assert (session.shift, session.least_latency) == (found[0].shift, found[0].least_latency)
    assert standalone(alone[0], [session]) == alone[0].recv
    assert standalone(both[1], found) == both[1].recv, "it has the session's least itself"
    raw = Part(0, 5, "open + interval")
    assert standalone(raw, found) == raw.recv
    again = Recorded.parse(alone[0].recv)
    assert again == Recorded("box", round(-1272.5 * MS), of_session=-1275 * MS)
