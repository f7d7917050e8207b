"""One file: verified, resumed, retried, and only then named."""

from __future__ import annotations

import hashlib
import os
from datetime import date
from pathlib import Path

import pytest

from crypto_quant.core.errors import ConfigError, DataError, Transient
from crypto_quant.data_pipeline.collectors.archive import (
    Fetcher,
    Imported,
    Patience,
    Policy,
    Remote,
    checksum,
)
from tests.unit.data_pipeline.archive.server import Archive, Asked, Fault, zipped

PATH = "data/futures/um/daily/klines/BTCUSDT/1h/BTCUSDT-1h-2024-01-01.zip"
DAY = Remote(PATH, date(2024, 1, 1), date(2024, 1, 1))
CONTENT = zipped("BTCUSDT-1h-2024-01-01.zip", "".join(f"{i * i},{i}\n" for i in range(3_000)))
OTHER = zipped("BTCUSDT-1h-2024-01-01.zip", "1,2\n")


class Case:
    """A fetcher on an archive, with the waits that it would have made."""

    def __init__(self, archive: Archive, folder: Path, policy: Policy | None = None) -> None:
        self.archive = archive
        self.folder = folder
        self.waits: list[float] = []
        self.bytes: list[int] = []
        self.fetcher = Fetcher(archive.base, policy, self.waits.append)

    def fetch(self) -> tuple[str, str]:
        """Fetch the day; return state and note."""
        outcome = self.fetcher.fetch(DAY, self.folder, self.bytes.append)
        if outcome.path is not None:
            assert outcome.path == self.path
        return outcome.state, outcome.note

    @property
    def path(self) -> Path:
        return self.folder / PATH

    @property
    def left(self) -> list[str]:
        """The names of what is left in the folder."""
        return sorted(p.name for p in self.folder.rglob("*") if p.is_file())

    def begin(self, content: bytes, digest: str | None = None) -> Path:
        """Leave a part file as an interruption does."""
        digest = digest or hashlib.sha256(CONTENT).hexdigest()
        part = self.path.with_name(f".{self.path.name}.{digest[:12]}.part")
        part.parent.mkdir(parents=True, exist_ok=True)
        part.write_bytes(content)
        return part


@pytest.fixture
def case(archive: Archive, tmp_path: Path) -> Case:
    """Return a case with quick time-outs."""
    patience = Patience(timeout_s=0.3, bytes_per_s=1_000)
    return Case(archive, tmp_path / "files", Policy(patience=patience))


DONE = ["BTCUSDT-1h-2024-01-01.zip", "BTCUSDT-1h-2024-01-01.zip.CHECKSUM"]


def test_file_is_named_once_it_is_verified(case: Case) -> None:
    digest = case.archive.add(PATH, CONTENT)
    assert case.fetch() == ("fetched", "")
    assert case.path.read_bytes() == CONTENT
    assert checksum.saved(case.path) == digest
    assert sum(case.bytes) == len(CONTENT)
    assert case.left == DONE
    assert case.waits == []


def test_finished_file_is_verified_and_not_asked_for_again(case: Case) -> None:
    case.archive.add(PATH, CONTENT)
    case.fetch()
    case.path.with_name(DONE[1]).unlink()
    assert case.fetch() == ("kept", "")
    assert case.archive.bodies(PATH) == [None]
    assert case.left == DONE


def test_finished_file_that_was_damaged_is_fetched_again(case: Case) -> None:
    case.archive.add(PATH, CONTENT)
    case.fetch()
    case.path.write_bytes(CONTENT[:-1] + b"?")
    assert case.fetch() == ("fetched", "")
    assert case.path.read_bytes() == CONTENT


def test_finished_file_that_the_archive_replaced_is_fetched_and_said(case: Case) -> None:
    old = case.archive.add(PATH, OTHER)
    case.fetch()
    case.archive.add(PATH, CONTENT)
    outcome = case.fetcher.fetch(DAY, case.folder, case.bytes.append)
    assert (outcome.state, outcome.is_replaced) == ("fetched", True)
    assert old in outcome.note
    assert case.path.read_bytes() == CONTENT


def test_imported_file_that_the_archive_replaced_is_said_with_both_hashes(case: Case) -> None:
    now = case.archive.add(PATH, CONTENT)
    same = case.fetcher.recheck(Imported(DAY, now))
    assert (same.state, same.is_replaced, same.note) == ("imported", False, "")
    other = case.fetcher.recheck(Imported(DAY, "a" * 64))
    assert (other.state, other.is_replaced) == ("imported", True)
    assert "a" * 64 in other.note
    assert now in other.note
    case.archive.files.clear()
    gone = case.fetcher.recheck(Imported(DAY, now))
    assert (gone.state, gone.is_replaced) == ("imported", False)
    assert "cannot be compared" in gone.note
    assert case.archive.bodies(PATH) == []


def test_wrong_checksum_is_tried_twice_and_leaves_nothing(case: Case) -> None:
    right = case.archive.add(PATH, CONTENT, digest="b" * 64)
    state, note = case.fetch()
    assert state == "refused"
    assert PATH in note
    assert "b" * 64 in note
    assert right in note
    assert len(case.archive.bodies(PATH)) == 2
    assert case.left == []


def test_wrong_content_once_is_fetched_again_whole(case: Case) -> None:
    """A part file with other content of the right beginning must not be built upon twice."""
    case.archive.add(PATH, CONTENT)
    case.begin(b"x" * 100)
    assert case.fetch() == ("fetched", "")
    assert case.archive.bodies(PATH) == ["bytes=100-", None]
    assert case.path.read_bytes() == CONTENT


def test_file_replaced_while_it_is_fetched_is_taken_as_it_is_now(case: Case) -> None:
    """The checksum is read again after a mismatch."""
    case.archive.add(PATH, CONTENT, digest="b" * 64)
    ask = case.fetcher.checksum

    def then_right(remote: Remote) -> str:
        digest = ask(remote)
        case.archive.add(PATH, CONTENT)
        return digest

    case.fetcher.checksum = then_right  # type: ignore[method-assign]  # time passes between two
    assert case.fetch() == ("fetched", "")
    assert case.left == DONE


def test_cut_zip_with_a_right_checksum_is_refused(case: Case) -> None:
    case.archive.add(PATH, CONTENT[: len(CONTENT) // 2])
    state, note = case.fetch()
    assert state == "refused"
    assert "agrees with its checksum but is no whole zip file" in note
    assert case.left == []


def test_missing_file_is_an_outcome(case: Case) -> None:
    assert case.fetch() == ("missing", "")
    assert case.waits == []
    case.archive.files[f"{PATH}.CHECKSUM"] = b"c" * 64 + b"  BTCUSDT-1h-2024-01-01.zip"
    assert case.fetch() == ("missing", "")


def test_file_without_checksum_is_not_used(case: Case) -> None:
    case.archive.files[PATH] = CONTENT
    state, note = case.fetch()
    assert state == "refused"
    assert "has no .CHECKSUM" in note
    assert case.archive.bodies(PATH) == []


def test_page_instead_of_a_checksum_is_refused(case: Case) -> None:
    case.archive.add(PATH, CONTENT)
    case.archive.files[f"{PATH}.CHECKSUM"] = b"<html>please log in</html>"
    state, note = case.fetch()
    assert state == "refused"
    assert "please log in" in note


def test_begun_file_goes_on_where_it_was(case: Case) -> None:
    case.archive.add(PATH, CONTENT)
    case.begin(CONTENT[:1_234])
    assert case.fetch() == ("fetched", "")
    assert case.archive.bodies(PATH) == ["bytes=1234-"]
    assert sum(case.bytes) == len(CONTENT) - 1_234
    assert case.path.read_bytes() == CONTENT
    assert case.left == DONE


def test_begun_file_starts_anew_where_ranges_are_not_served(case: Case) -> None:
    case.archive.has_ranges = False
    case.archive.add(PATH, CONTENT)
    case.begin(CONTENT[:1_234])
    assert case.fetch() == ("fetched", "")
    assert case.archive.bodies(PATH) == ["bytes=1234-"]
    assert sum(case.bytes) == len(CONTENT)


def test_whole_part_is_named_without_a_transfer(case: Case) -> None:
    case.archive.add(PATH, CONTENT)
    case.begin(CONTENT)
    assert case.fetch() == ("fetched", "")
    assert case.archive.bodies(PATH) == []


def test_part_longer_than_the_file_starts_anew(case: Case) -> None:
    case.archive.add(PATH, CONTENT)
    case.begin(CONTENT + b"more")
    assert case.fetch() == ("fetched", "")
    assert case.archive.bodies(PATH) == [f"bytes={len(CONTENT) + 4}-", None]


def test_part_of_a_replaced_file_is_dropped(case: Case) -> None:
    case.archive.add(PATH, CONTENT)
    case.begin(OTHER[:50], hashlib.sha256(OTHER).hexdigest())
    assert case.fetch() == ("fetched", "")
    assert case.archive.bodies(PATH) == [None]
    assert case.left == DONE


@pytest.mark.parametrize("kind", ["reset", "close", "stall", "trickle"])
def test_transfer_that_breaks_off_goes_on_after_a_wait(case: Case, kind: str) -> None:
    """What arrived is not asked for again."""
    case.archive.add(PATH, CONTENT)
    case.archive.faults[PATH] = [Fault(kind, 2_000)]
    assert case.fetch() == ("fetched", "")
    first, second = case.archive.bodies(PATH)
    assert first is None
    assert second is not None or kind == "reset"  # a reset may discard what was not yet read
    if kind in ("close", "stall"):
        assert second == "bytes=2000-"
    assert len(case.waits) == 1
    assert case.path.read_bytes() == CONTENT


@pytest.mark.parametrize("status", [500, 502, 503, 504, 429, 408])
def test_busy_archive_is_asked_again(case: Case, status: int) -> None:
    case.archive.add(PATH, CONTENT)
    case.archive.faults[f"{PATH}.CHECKSUM"] = [Fault("status", status)]
    case.archive.faults[PATH] = [Fault("status", status), Fault("status", status)]
    assert case.fetch() == ("fetched", "")
    assert len(case.waits) == 3


def test_archive_may_say_how_long_to_wait(case: Case) -> None:
    case.archive.add(PATH, CONTENT)
    case.archive.faults[PATH] = [
        Fault("status", 503, retry_after="7"),
        Fault("status", 429, retry_after="9000"),
    ]
    assert case.fetch() == ("fetched", "")
    assert case.waits == [7.0, case.fetcher.policy.longest_wait_s]


def test_archive_that_stays_busy_is_given_up_with_doubling_waits(case: Case) -> None:
    case.archive.add(PATH, CONTENT)
    case.archive.faults[PATH] = [Fault("status", 503)] * 100
    with pytest.raises(Transient, match=r"gave up after 6 attempts: .* 503"):
        case.fetch()
    assert len(case.waits) == 5
    for number, wait in enumerate(case.waits):
        assert 0.25 * 2**number <= wait <= 0.5 * 2**number
    again = Case(case.archive, case.folder, case.fetcher.policy)
    case.archive.faults[PATH] = [Fault("status", 503)] * 100
    with pytest.raises(Transient):
        again.fetch()
    assert again.waits == case.waits
    assert Policy(seed=2).wait_s(PATH, 1) != Policy(seed=1).wait_s(PATH, 1)


def test_transfer_that_gets_on_is_never_given_up(case: Case) -> None:
    """A large file over a line that breaks again and again arrives at last."""
    noise = os.urandom(13 << 20).hex()
    large = zipped("BTCUSDT-1h-2024-01-01.zip", noise)
    assert len(large) > 12 << 20
    case.archive.add(PATH, large)
    case.archive.faults[PATH] = [Fault("close", (1 << 20) + 1)] * 10
    case.fetcher.policy = Policy(attempts=2)
    assert case.fetch() == ("fetched", "")
    assert len(case.archive.bodies(PATH)) == 11


def test_transfer_that_begins_anew_each_time_is_given_up(case: Case) -> None:
    """Megabytes that arrive again and again are no advance where ranges are not served."""
    large = zipped("BTCUSDT-1h-2024-01-01.zip", os.urandom(4 << 20).hex())
    case.archive.has_ranges = False
    case.archive.add(PATH, large)
    case.archive.faults[PATH] = [Fault("close", 2 << 20)] * 50
    case.fetcher.policy = Policy(attempts=3)
    with pytest.raises(Transient, match=r"gave up after 3 attempts: ended after 2097152 of"):
        case.fetch()
    assert case.archive.bodies(PATH) == [None, "bytes=2097152-", "bytes=2097152-"]


def test_small_steps_add_up_to_an_advance(case: Case) -> None:
    large = zipped("BTCUSDT-1h-2024-01-01.zip", os.urandom(5 << 20).hex())
    case.archive.add(PATH, large)
    case.archive.faults[PATH] = [Fault("close", 600 << 10)] * 8
    case.fetcher.policy = Policy(attempts=3)
    assert case.fetch() == ("fetched", "")
    assert len(case.archive.bodies(PATH)) == 9


@pytest.mark.parametrize("status", [301, 403, 451])
def test_refusal_is_final(case: Case, status: int) -> None:
    case.archive.add(PATH, CONTENT)
    case.archive.faults[f"{PATH}.CHECKSUM"] = [Fault("status", status)]
    with pytest.raises(DataError, match=f"the archive answered {status} .*--base"):
        case.fetch()
    assert case.waits == []


@pytest.mark.parametrize("base", ["", "data.example", "ftp://host", "http://", "http://h:x"])
def test_address_that_is_none_is_refused(base: str) -> None:
    with pytest.raises(ConfigError, match="expected something like https://host"):
        Fetcher(base)


def test_address_may_have_a_path(case: Case) -> None:
    case.archive.add(f"mirror/{PATH}", CONTENT)
    fetcher = Fetcher(f"{case.archive.base}/mirror/")
    assert fetcher.fetch(DAY, case.folder, case.bytes.append).state == "fetched"


def test_proxy_of_the_environment_is_used(case: Case, monkeypatch: pytest.MonkeyPatch) -> None:
    case.archive.add(PATH, CONTENT)
    monkeypatch.setenv("http_proxy", case.archive.base.replace("//", "//me:secret@"))
    fetcher = Fetcher("http://archive.test")
    assert fetcher.fetch(DAY, case.folder, case.bytes.append).state == "fetched"
    assert Asked("CONNECT", "archive.test:80", None) in case.archive.asked


def test_full_disk_is_said_and_keeps_nothing_named(
    case: Case, monkeypatch: pytest.MonkeyPatch
) -> None:
    case.archive.add(PATH, CONTENT)

    def full(self: Path, target: Path) -> Path:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(Path, "replace", full)
    with pytest.raises(DataError, match="the disk is full"):
        case.fetch()
    assert not case.path.exists()
