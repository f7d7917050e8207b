"""Many files at once; reachable or not; stopped half-way."""

from __future__ import annotations

import socket
import threading
from datetime import date
from pathlib import Path

import pytest

from crypto_quant.core.clock import monotonic_s
from crypto_quant.core.errors import ConfigError, DataError, Transient
from crypto_quant.core.files import claim
from crypto_quant.data_pipeline.collectors.archive import (
    Done,
    Fetcher,
    Imported,
    Policy,
    Remote,
    archive_reachable,
    download,
)
from crypto_quant.data_pipeline.collectors.archive.fetch import Stopped
from tests.unit.data_pipeline.archive.server import Archive, Fault, zipped


def _day(number: int) -> Remote:
    day = date(2024, 1, number)
    return Remote(f"data/spot/daily/trades/BTCUSDT/BTCUSDT-trades-{day}.zip", day, day)


def _publish(archive: Archive, days: range) -> list[Remote]:
    remotes = [_day(number) for number in days]
    for remote in remotes:
        archive.add(remote.path, zipped(remote.name, f"{remote.name}\n" * 500))
    return remotes


def _refused_port() -> int:
    """Return a port where nothing listens."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        return int(taken.getsockname()[1])


def test_outcomes_come_in_the_order_of_the_files(archive: Archive, tmp_path: Path) -> None:
    remotes = _publish(archive, range(1, 21))
    del archive.files[remotes[7].path], archive.files[f"{remotes[7].path}.CHECKSUM"]
    told: list[Done] = []
    wanted: list[Remote | Imported] = [*remotes]
    wanted[0] = Imported(remotes[0], "0" * 64)
    outcomes = download(wanted, tmp_path / "a" / "b", Fetcher(archive.base), 4, told.append)
    assert [outcome.remote for outcome in outcomes] == remotes
    states = [outcome.state for outcome in outcomes]
    assert states == ["imported"] + ["fetched"] * 6 + ["missing"] + ["fetched"] * 12
    assert [done.files for done in told] == sorted(done.files for done in told)
    sizes = sum(len(archive.files[o.remote.path]) for o in outcomes if o.state == "fetched")
    assert told[-1] == Done(20, 20, sizes)


def test_no_more_files_at_a_time_than_jobs(archive: Archive, tmp_path: Path) -> None:
    remotes = _publish(archive, range(1, 13))
    now, most = 0, 0
    guard = threading.Lock()
    fetcher = Fetcher(archive.base)
    inner = fetcher.checksum

    def counted(remote: Remote) -> str:
        nonlocal now, most
        with guard:
            now += 1
            most = max(most, now)
        try:
            return inner(remote)
        finally:
            with guard:
                now -= 1

    fetcher.checksum = counted  # type: ignore[method-assign]  # to see how many run at once
    download(remotes, tmp_path, fetcher, 3)
    assert 1 <= most <= 3


def test_nothing_wanted_asks_nobody(archive: Archive, tmp_path: Path) -> None:
    assert download([], tmp_path / "x", Fetcher(archive.base)) == []
    assert archive.asked == []
    assert not (tmp_path / "x").exists()


def test_host_that_refuses_or_has_no_name_is_known_at_once(tmp_path: Path) -> None:
    for base in (f"http://127.0.0.1:{_refused_port()}", "https://archive.invalid"):
        began = monotonic_s()
        with pytest.raises(Transient, match=r"cannot be reached \(.+\); check the network") as err:
            download([_day(1)], tmp_path / "x", Fetcher(base))
        assert "\n" not in str(err.value)
        assert monotonic_s() - began < 5
    assert list(tmp_path.iterdir()) == []


def test_reachable_says_yes_only_where_something_answers(archive: Archive) -> None:
    assert archive_reachable(archive.base)
    archive.faults[""] = [Fault("status", 503)]
    assert not archive_reachable(archive.base)
    assert not archive_reachable(f"http://127.0.0.1:{_refused_port()}")
    with pytest.raises(ConfigError):
        archive_reachable("nowhere")


def test_reachable_waits_no_longer_than_it_is_told() -> None:
    with socket.socket() as silent:  # takes the connection, never answers
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        began = monotonic_s()
        assert not archive_reachable(f"http://127.0.0.1:{silent.getsockname()[1]}", 0.2)
        assert monotonic_s() - began < 2


def test_error_of_one_file_stops_all_and_keeps_what_arrived(
    archive: Archive, tmp_path: Path
) -> None:
    remotes = _publish(archive, range(1, 11))
    archive.faults[remotes[4].path] = [Fault("status", 503)] * 50
    policy = Policy(attempts=3, first_wait_s=0.01)
    with pytest.raises(Transient, match=f"{remotes[4].name}: gave up after 3 attempts"):
        download(remotes, tmp_path, Fetcher(archive.base, policy), 2)
    before = {p.name for p in tmp_path.rglob("*.zip")}
    assert {remote.name for remote in remotes[:4]} <= before
    archive.faults.clear()
    outcomes = download(remotes, tmp_path, Fetcher(archive.base), 2)
    assert {o.remote.name for o in outcomes if o.state == "kept"} == before
    assert all(o.state in ("kept", "fetched") for o in outcomes)


def test_interruption_ends_stalled_transfers_and_leaves_them_to_go_on(
    archive: Archive, tmp_path: Path
) -> None:
    remotes = _publish(archive, range(1, 4))
    for remote in remotes[1:]:
        archive.faults[remote.path] = [Fault("stall", 40)]

    def interrupt(done: Done) -> None:
        if done.files == 1:
            raise KeyboardInterrupt

    began = monotonic_s()
    with pytest.raises(KeyboardInterrupt):
        download(remotes, tmp_path, Fetcher(archive.base), 3, interrupt)
    assert monotonic_s() - began < 10  # the time-out is 30 s
    archive.faults.clear()
    outcomes = download(remotes, tmp_path, Fetcher(archive.base), 3)
    assert {o.state for o in outcomes} <= {"kept", "fetched"}
    for remote in remotes:
        assert (tmp_path / remote.path).read_bytes() == archive.files[remote.path]


def test_stopped_fetcher_fetches_no_more(archive: Archive, tmp_path: Path) -> None:
    (remote,) = _publish(archive, range(1, 2))
    fetcher = Fetcher(archive.base)
    fetcher.stop()
    with pytest.raises(Stopped):
        fetcher.fetch(remote, tmp_path, lambda size: None)


def test_folder_has_one_download_at_a_time(archive: Archive, tmp_path: Path) -> None:
    import os

    remotes = _publish(archive, range(1, 2))
    handle = claim(tmp_path)
    with pytest.raises(DataError, match="another download is writing here"):
        download(remotes, tmp_path, Fetcher(archive.base))
    os.close(handle)
    assert download(remotes, tmp_path, Fetcher(archive.base))[0].state == "fetched"


def test_failed_download_leaves_no_folders(archive: Archive, tmp_path: Path) -> None:
    outcomes = download([_day(1)], tmp_path / "a" / "b", Fetcher(archive.base))
    assert outcomes[0].state == "missing"
    assert list(tmp_path.iterdir()) == []
    (tmp_path / "file").write_text("")
    with pytest.raises(DataError, match="cannot be written"):
        download(_publish(archive, range(1, 2)), tmp_path / "file", Fetcher(archive.base))
