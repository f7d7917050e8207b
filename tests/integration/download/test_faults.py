"""Wrong, broken, absent and interrupted: what is refused, and what is left behind."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from crypto_quant.core.clock import monotonic_s
from tests.integration.download.served import FEBRUARY, JANUARY, KEY, add_month, hours
from tests.integration.importing import Cq
from tests.unit.data_pipeline.archive.server import Archive, Fault, zipped


def test_wrong_checksum_refuses_that_file_only(cq: Cq, archive: Archive) -> None:
    right = archive.add(add_month(archive, 2023, 1), archive.files[JANUARY], digest="d" * 64)
    add_month(archive, 2023, 2)
    done = cq(*hours("--start", "2023-01", "--end", "2023-02"))
    assert done.code == 2
    (line,) = done.err.splitlines()
    assert line.startswith(f"cq: {JANUARY}: sha256 is {right}, its .CHECKSUM says {'d' * 64}")
    assert len(cq.rows("bar", KEY)) == 28 * 24
    assert not (cq.catalog / ".downloads").exists()


def test_cut_zip_with_a_right_checksum_refuses_that_file_only(cq: Cq, archive: Archive) -> None:
    archive.add(add_month(archive, 2023, 1), archive.files[JANUARY][:-60])
    add_month(archive, 2023, 2)
    done = cq(*hours("--start", "2023-01", "--end", "2023-02"))
    assert done.code == 2
    assert (
        done.err == f"cq: {JANUARY}: agrees with its checksum but is no whole zip file; not used\n"
    )
    assert len(cq.rows("bar", KEY)) == 28 * 24


def test_only_file_refused_leaves_no_catalog(cq: Cq, archive: Archive) -> None:
    archive.add(add_month(archive, 2023, 1), archive.files[JANUARY], digest="d" * 64)
    assert cq(*hours("--start", "2023-01")).code == 2
    assert not cq.catalog.exists()


def test_symbol_that_does_not_exist_is_one_line_and_few_questions(cq: Cq, archive: Archive) -> None:
    words = ["--kind", "klines", "--symbol", "NOUSDT", "--interval", "1h"]
    done = cq("data", "download", *words, "--start", "2020-01", "--end", "2023-12")
    assert done.code == 2
    assert done.err.startswith("cq: klines um NOUSDT 1h: none of 78 files is in the archive, ")
    assert done.err.count("\n") == 1
    assert len(archive.asked) < 200
    assert not cq.catalog.exists()


def test_request_outside_of_what_there_is_says_what_there_is(cq: Cq, archive: Archive) -> None:
    words = ["--kind", "bookTicker", "--symbol", "BTCUSDT"]
    done = cq("data", "download", *words, "--start", "2024-06", "--end", "2024-08")
    assert done.code == 2
    assert done.err == (
        "cq: bookTicker um: the archive has daily files from 2023-05-16 to 2024-03-30 and monthly "
        "files from 2023-05 to 2024-04 (discontinued by the venue; the month 2024-04 has its first "
        "hours only; a day's file appears the next day, a month's on the first Monday after it; "
        "source: #334, #372, #380); outside of it: 2024-06-01 to 2024-08-31\n"
    )
    assert archive.asked == []


def test_slow_broken_and_busy_archive_gets_there(cq: Cq, archive: Archive) -> None:
    for month in (1, 2):
        add_month(archive, 2023, month)
    archive.faults[JANUARY] = [Fault("stall", 900), Fault("status", 503), Fault("close", 3_000)]
    archive.faults[FEBRUARY] = [Fault("reset", 5_000)]
    done = cq(*hours("--start", "2023-01", "--end", "2023-02", "--timeout", "0.3"))
    assert (done.code, done.err) == (0, "")
    assert archive.bodies(JANUARY)[:3] == [None, "bytes=900-", "bytes=900-"]
    assert len(cq.rows("bar", KEY)) == 59 * 24


def test_archive_that_fails_for_good_imports_nothing_and_goes_on_later(
    cq: Cq, archive: Archive
) -> None:
    for month in (1, 2):
        add_month(archive, 2023, month)
    archive.faults[FEBRUARY] = [Fault("close", 400), Fault("status", 500)]
    words = hours("--start", "2023-01", "--end", "2023-02", "--jobs", "1", "--attempts", "2")
    done = cq(*words)
    assert done.code == 2
    assert done.err == (
        f"cq: {FEBRUARY}: gave up after 2 attempts: {FEBRUARY}: the archive answered 500 Internal "
        "Server Error\n"
    )
    assert not (cq.catalog / "manifest.json").exists()
    done = cq(*words)
    assert done.code == 0
    assert "1 files fetched, 1 were there" in done.out
    assert archive.bodies(JANUARY) == [None]
    assert archive.bodies(FEBRUARY)[-1] == "bytes=400-"


@pytest.mark.parametrize("base", ["", "https://archive.invalid"])
def test_no_network_is_one_line_and_quick(cq: Cq, base: str) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        base = base or f"http://127.0.0.1:{taken.getsockname()[1]}"
        began = monotonic_s()
        done = cq(*hours("--start", "2023-01", "--base", base))
    assert done.code == 2
    assert "cannot be reached" in done.err
    assert done.err.count("\n") == 1
    assert monotonic_s() - began < 5
    assert not cq.catalog.exists()


def test_file_that_cannot_be_read_imports_nothing(cq: Cq, archive: Archive) -> None:
    add_month(archive, 2023, 1)
    archive.add(FEBRUARY, zipped("BTCUSDT-1h-2023-02.zip", "what,is,this\n1,2,3\n"))
    done = cq(*hours("--start", "2023-01", "--end", "2023-02"))
    assert done.code == 2
    assert "BTCUSDT-1h-2023-02.zip: no known layout" in done.err
    assert done.err.count("\n") == 1
    assert not (cq.catalog / "manifest.json").exists()


def test_ctrl_c_leaves_no_rows_and_the_same_command_goes_on(cq: Cq, archive: Archive) -> None:
    """In a process of its own, stalled in the middle of a transfer."""
    for month in (1, 2):
        add_month(archive, 2023, month)
    archive.faults[FEBRUARY] = [Fault("stall", 700)]
    words = hours("--start", "2023-01", "--end", "2023-02", "--catalog", str(cq.catalog))
    running = subprocess.Popen(  # noqa: S603 - our own command
        [sys.executable, "-c", "from crypto_quant.cli import main; main()", *words],
        env={**os.environ, "CQ_ARCHIVE": archive.base},
        stderr=subprocess.PIPE,
        text=True,
    )
    part = cq.catalog / ".downloads" / Path(FEBRUARY).parent
    while not [p for p in part.glob(".*.part") if p.stat().st_size == 700]:
        assert running.poll() is None
        time.sleep(0.01)
    while not (cq.catalog / ".downloads" / JANUARY).exists():
        assert running.poll() is None
        time.sleep(0.01)
    began = monotonic_s()
    running.send_signal(signal.SIGINT)
    _, said = running.communicate(timeout=20)
    assert running.returncode == 2
    assert monotonic_s() - began < 5
    assert said == (
        "cq: interrupted; nothing was imported, what was downloaded is kept: the same command "
        "goes on\n"
    )
    assert not (cq.catalog / "manifest.json").exists()
    done = cq(*words)
    assert done.code == 0
    assert archive.bodies(JANUARY) == [None]
    assert archive.bodies(FEBRUARY) == [None, "bytes=700-"]
    assert len(cq.rows("bar", KEY)) == 59 * 24
