"""Recorded captures on the line: what is decided depends on nothing that comes later."""

from __future__ import annotations

import gzip
import json
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from crypto_quant.core.errors import DataError
from crypto_quant.core.messages import Wake
from crypto_quant.data_pipeline.cleaners.findings import Severity
from crypto_quant.data_pipeline.cleaners.validator import DataValidator
from crypto_quant.data_pipeline.collectors.facts import Facts
from crypto_quant.data_pipeline.collectors.importer import import_files
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.data_pipeline.storage.flags import REBASED_RECV
from crypto_quant.runtime.config import TickConfig
from crypto_quant.runtime.decision_json import as_line
from crypto_quant.runtime.drive import recorded
from crypto_quant.runtime.line import RecordedLine
from crypto_quant.runtime.tape import Columns
from crypto_quant.runtime.ticks import TickReader, TickTape
from crypto_quant.venues.rules import load_instruments
from tests.unit.runtime.one_market import compose_tick_state, tick_capital, tick_line

from .tick_market import MS, Sink, whole

pytestmark = pytest.mark.data

CONFIG = TickConfig()
RESPONSE = 5 * MS
Change = Callable[[Columns, NDArray[np.bool_]], Columns]


@pytest.fixture(scope="module")
def reader(tmp_path_factory: pytest.TempPathFactory, data_dir: Path) -> TickReader:
    """Return the sessions of the USD-M captures of one instrument."""
    files = sorted((data_dir / "hftbacktest" / "usdm").glob("btcusdt_*.gz"))
    if not files:
        pytest.skip("no USD-M capture")
    known = load_instruments()
    root = tmp_path_factory.mktemp("catalog")
    import_files(Catalog(root), files, Facts(), known)
    return TickReader(Catalog(root), known[CONFIG.instrument])


@pytest.fixture(scope="module", params=[0, -1], ids=["first", "last"])
def tape(request: pytest.FixtureRequest, reader: TickReader) -> TickTape:
    """Return the first and the last session that have a book."""
    found = [reader.read(session) for session in reader.sessions()]
    books = [one for one in found if isinstance(one, TickTape)]
    assert books, "no session has a book"
    chosen: int = request.param
    return books[chosen]


def run(reader: TickReader, tape: TickTape) -> tuple[RecordedLine, Sink]:
    sink = Sink()
    capital = tick_capital(CONFIG, reader.instrument)
    line = tick_line(CONFIG, reader.instrument, tape, capital)
    recorded(line, compose_tick_state(CONFIG, reader.instrument), sink)
    return line, sink


def said(sink: Sink, until: int) -> list[dict[str, Any]]:
    """Return every decision up to a time, the quiet ones too."""
    kept = [d for d in sink.decisions if d.ts <= until and d.wake is not Wake.DATA_END]
    return [json.loads(as_line(d)) for d in kept]


def without(columns: Columns, later: NDArray[np.bool_]) -> Columns:
    """Leave what comes later out."""
    return {name: values[~later] for name, values in columns.items()}


def other(columns: Columns, later: NDArray[np.bool_]) -> Columns:
    """Let what comes later be another market: bids for asks, sizes in another order."""
    rng = np.random.default_rng(11)
    out = dict(columns)
    for name in ("qty", "bid_qty", "ask_qty"):
        if name in out:
            out[name] = out[name].copy()
            out[name][later] = rng.permutation(out[name][later])
    return out


def columns(tape: TickTape) -> dict[str, Columns]:
    """Return the session's streams, each in one part."""
    return {kind: whole(parts) for kind, parts in tape.streams.items()}


def changed(tape: TickTape, cut: int, change: Change) -> TickTape:
    """Return the session with another future: of what is known after ``cut``."""
    streams = {k: [change(c, c["ts_recv"] > cut)] for k, c in columns(tape).items()}
    return replace(tape, streams=streams)


def cuts(tape: TickTape, sink: Sink) -> list[int]:
    """Return three times of the clock at which no answer of the venue tells of the future.

    The venue lives ahead of us: what it did with an order since the first row that we do not
    know yet may tell of that row, as it would in truth. So nothing may have come back since.
    """
    heard = np.array([d.ts for d in sink.decisions if d.wake is Wake.ACCOUNT])
    held, out = columns(tape), []
    for share in (0.2, 0.5, 0.8):
        for cut in range(int(tape.start + share * (tape.end - tape.start)), tape.end, 7 * MS):
            ahead = [c["ts_event"][c["ts_recv"] > cut] for c in held.values()]
            first = min(int(events.min()) for events in ahead if len(events))
            if not ((heard >= first + RESPONSE) & (heard <= cut)).any():
                out.append(cut)
                break
    assert len(out) == 3
    return out


@pytest.mark.parametrize("change", [without, other])
def test_no_decision_depends_on_what_is_known_later(
    reader: TickReader, tape: TickTape, change: Change
) -> None:
    _, full = run(reader, tape)
    for cut in cuts(tape, full):
        _, short = run(reader, changed(tape, cut, change))
        expected = said(full, cut)
        assert said(short, cut) == expected
        assert len(expected) > (cut - tape.start) / 1e9 * 9  # the clock wakes ten times a second
        assert any(d["commands"] for d in expected)


def test_what_the_venue_does_later_changes_the_result_at_all(
    reader: TickReader, tape: TickTape
) -> None:
    _, full = run(reader, tape)
    cut = cuts(tape, full)[0]
    _, another = run(reader, changed(tape, cut, other))
    assert said(another, tape.end) != said(full, tape.end)


def test_every_session_ends_flat_and_its_parts_make_its_equity(
    reader: TickReader, tape: TickTape
) -> None:
    line, sink = run(reader, tape)
    native = line.native
    assert native.position(0) == 0
    assert native.equity() == CONFIG.capital + sum(native.attribution(0).values())
    assert sink.decisions[0].ts >= tape.start
    assert np.asarray(native.fills()["ts_event"]).min() > tape.start


def test_recorded_stamps_are_re_based_once_and_flagged(reader: TickReader, tape: TickTape) -> None:
    clock = tape.session.clock
    assert clock is not None
    latencies = [c["ts_recv"] - c["ts_event"] for c in columns(tape).values()]
    least = min(int(latency.min()) for latency in latencies if len(latency))
    assert least >= (MS if clock.shift else 0)
    for kind, held in columns(tape).items():
        assert kind == "gap" or ((held["flags"] & REBASED_RECV != 0).all()) == bool(clock.shift)


def spoil(source: Path, target: Path, channel: str, place: int, name: str, by_ms: int) -> None:
    """Copy a capture with one time of one frame of a channel moved."""
    lines = gzip.decompress(source.read_bytes()).splitlines()
    found = [n for n, line in enumerate(lines) if channel.encode() in line]
    number = found[place if place < 0 else len(found) // place]
    stamp, _, text = lines[number].partition(b" ")
    frame = json.loads(text)
    frame["data"][name] += by_ms
    lines[number] = stamp + b" " + json.dumps(frame).encode()
    target.write_bytes(gzip.compress(b"\n".join(lines) + b"\n", 1))


@pytest.mark.parametrize(
    ("channel", "place", "name", "by_ms", "said"),
    [
        ("@depth", 2, "T", 5_000, r"delta: row .* lies 4,9\d\d\.000 ms before row .* came earlier"),
        ("@trade", 2, "T", -5_000, r"trade: row .* lies 5,000\.000 ms before row .* came earlier"),
        (
            "@depth",
            -1,
            "T",
            5_000,
            r"delta: 1 of .* that of row .* whose time is ahead, in one\.gz",
        ),
        ("@depth", 2, "T", 600, r"delta: 1 of .* that of row .* whose time is ahead, in one\.gz"),
        ("@depth", 2, "E", 5_000, r": 0 of .* of another time in a message, in one\.gz: correct"),
    ],
)
def test_one_wrong_time_in_a_capture_is_named_and_moves_no_result(
    data_dir: Path, tmp_path: Path, channel: str, place: int, name: str, by_ms: int, said: str
) -> None:
    source = data_dir / "hftbacktest" / "usdm" / "btcusdt_20230404.dat.gz"
    if not source.exists():
        pytest.skip("this capture is not in this data folder")
    known = load_instruments()
    spoil(source, tmp_path / "one.gz", channel, place, name, by_ms)
    given = Facts(venue="BINANCE", symbol="BTCUSDT-PERP")
    import_files(Catalog(tmp_path / "catalog"), [tmp_path / "one.gz"], given, known)
    reader = TickReader(Catalog(tmp_path / "catalog"), known[CONFIG.instrument])
    (session,) = reader.sessions()
    with pytest.raises(DataError, match=said):
        reader.read(session)
    found = DataValidator.of(Catalog(tmp_path / "catalog"), known).validate()
    errors = {finding.what for finding in found if finding.severity is Severity.ERROR}
    expected = {"venue time goes back far"} if "lies" in said else set()
    assert errors == (expected | {"least latency alone"} if by_ms > 0 else expected)
