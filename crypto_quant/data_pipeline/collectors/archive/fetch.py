"""Fetching one file of the archive: resumed, verified, retried, and only then named."""

from __future__ import annotations

import errno
import zipfile
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from threading import Event, Lock
from typing import Final, Literal, TypeVar

import numpy as np

from crypto_quant.core.clock import monotonic_s
from crypto_quant.core.errors import DataError, DecodeError, RateLimited, Transient
from crypto_quant.data_pipeline.collectors.archive import checksum
from crypto_quant.data_pipeline.collectors.archive.connection import (
    Broken,
    Busy,
    Connection,
    Missing,
    Patience,
    address,
)
from crypto_quant.data_pipeline.collectors.archive.plan import Imported, Remote

T = TypeVar("T")
Sleep = Callable[[float], object]
OnBytes = Callable[[int], None]
State = Literal["fetched", "kept", "imported", "missing", "refused"]

_ADVANCE: Final = 1 << 20
"""Bytes that a part file gains before its attempts start anew."""

_NO_SPACE: Final = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT})


@dataclass(frozen=True, slots=True)
class Policy:
    """How often and how patiently a file is asked for.

    Waits double from ``first_wait_s`` to ``longest_wait_s``, each shortened by up to half;
    ``seed`` fixes by how much.
    """

    attempts: int = 6
    first_wait_s: float = 0.5
    longest_wait_s: float = 30.0
    seed: int = 1
    patience: Patience = field(default_factory=Patience)

    def wait_s(self, path: str, attempt: int, least: float = 0.0) -> float:
        """Return how long to wait after a failed attempt (1 is the first)."""
        rng = np.random.default_rng([self.seed, zlib.crc32(path.encode()), attempt])
        doubled = min(self.longest_wait_s, self.first_wait_s * 2.0 ** (attempt - 1))
        return min(self.longest_wait_s, max(least, doubled * float(rng.uniform(0.5, 1.0))))


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of one file.

    ``fetched`` now, ``kept`` from before, ``imported`` before (not fetched), ``missing`` in
    the archive, ``refused`` because it is not what it should be. ``note`` says more where
    there is more to say: why it is refused, or that the archive replaced it.
    """

    remote: Remote
    state: State
    path: Path | None = None
    sha256: str | None = None
    note: str = ""
    is_replaced: bool = False


class Stopped(Exception):  # noqa: N818 - no error: the answer to ``stop``
    """The fetcher was told to stop."""


class Fetcher:
    """Fetches files below one base address; safe to use from several threads.

    Parameters
    ----------
    base : str
        Address of the archive.
    policy : Policy
        Attempts and waits.
    sleep : callable, optional
        Waits for seconds; by default until then or until ``stop``.
    clock : callable
        Seconds that only go forward.

    Raises
    ------
    ConfigError
        The address is none.
    """

    def __init__(
        self,
        base: str,
        policy: Policy | None = None,
        sleep: Sleep | None = None,
        clock: Callable[[], float] = monotonic_s,
    ) -> None:
        self.base = address(base)
        self.policy = policy or Policy()
        self._stopped = Event()
        self._sleep = sleep or self._stopped.wait
        self._clock = clock
        self._open: set[Connection] = set()
        self._lock = Lock()

    def stop(self) -> None:
        """Make all transfers end at once; what has arrived stays for the next time."""
        self._stopped.set()
        with self._lock:
            for connection in self._open:
                connection.cut()

    def fetch(self, remote: Remote, folder: Path, on_bytes: OnBytes) -> Outcome:
        """Get a file and verify it; a finished one is only verified.

        Raises
        ------
        Transient
            The archive did not answer in all attempts.
        DataError
            It refuses, or the disk is full.
        """
        path = folder / remote.path
        try:
            expected = self.checksum(remote)
        except Missing:
            return self._without_checksum(remote)
        except DecodeError as err:
            return Outcome(remote, "refused", note=str(err))
        before = checksum.saved(path) if path.exists() else None
        if path.exists() and checksum.sha256(path) == expected:
            with _disk(path):
                checksum.save(path, expected)
            return Outcome(remote, "kept", path, expected)
        note = ""
        if before not in (None, expected):
            note = f"{remote.name}: replaced in the archive since it was fetched ({before} before)"
        outcome = self._verified(remote, path, expected, on_bytes)
        if note and outcome.state == "fetched":
            return Outcome(remote, "fetched", path, outcome.sha256, note, is_replaced=True)
        return outcome

    def recheck(self, imported: Imported) -> Outcome:
        """Compare the hash that a file had when it was imported with the archive's today."""
        remote, used = imported
        try:
            now = self.checksum(remote)
        except DataError as err:
            return Outcome(remote, "imported", sha256=used, note=f"cannot be compared: {err}")
        if now == used:
            return Outcome(remote, "imported", sha256=used)
        note = (
            f"{remote.name}: replaced in the archive since it was imported; the catalog has "
            f"{used}, the archive now {now}"
        )
        return Outcome(remote, "imported", sha256=used, note=note, is_replaced=True)

    def checksum(self, remote: Remote) -> str:
        """Return the hash that the archive states for a file."""
        where = remote.path + checksum.SUFFIX
        text = self._retried(where, lambda connection: connection.ask("GET", where).text())
        return checksum.parse(text, remote.name)

    def _without_checksum(self, remote: Remote) -> Outcome:
        try:
            self._retried(remote.path, lambda connection: connection.ask("HEAD", remote.path))
        except Missing:
            return Outcome(remote, "missing")
        return Outcome(remote, "refused", note=f"{remote.path}: has no {checksum.SUFFIX}: not used")

    def _verified(self, remote: Remote, path: Path, expected: str, on_bytes: OnBytes) -> Outcome:
        """Fetch until the content is what the checksum says; a second mismatch is final."""
        for is_last in (False, True):
            part = path.with_name(f".{path.name}.{expected[:12]}.part")
            try:
                found = self._whole(remote, part, expected, on_bytes)
            except Missing:
                return Outcome(remote, "missing")
            if found == expected:
                return _named(remote, part, path, expected)
            part.unlink()
            if not is_last:
                expected = self.checksum(remote)  # it may have been replaced just now
        note = (
            f"{remote.path}: sha256 is {found}, its {checksum.SUFFIX} says {expected}; fetched "
            "twice, removed, not used"
        )
        return Outcome(remote, "refused", sha256=found, note=note)

    def _whole(self, remote: Remote, part: Path, expected: str, on_bytes: OnBytes) -> str:
        """Bring the part file to its full length and return its hash."""
        with _disk(part):
            part.parent.mkdir(parents=True, exist_ok=True)
            for stale in part.parent.glob(f".{remote.name}.*.part"):
                if stale != part:
                    stale.unlink()  # the beginning of a file that has been replaced
            if part.exists() and checksum.sha256(part) == expected:
                return expected
        self._retried(
            remote.path,
            lambda link: self._body(link, remote.path, part, on_bytes),
            lambda: _length(part),
        )
        return checksum.sha256(part)

    def _body(self, link: Connection, path: str, part: Path, on_bytes: OnBytes) -> None:
        have = _length(part)
        answer = link.ask("GET", path, {"Range": f"bytes={have}-"} if have else None)
        if answer.status == 416 or answer.begins not in (0, have):  # not what was asked for
            part.unlink(missing_ok=True)
            raise Broken(f"cannot be resumed at byte {have}")
        with _disk(part):
            file = part.open("ab" if answer.begins else "wb")
        with file:
            for piece in answer.pieces(self.policy.patience, self._clock):
                if self._stopped.is_set():
                    raise Stopped
                with _disk(part):
                    file.write(piece)
                    file.flush()  # what arrived counts, even if the process is killed
                on_bytes(len(piece))

    def _retried(
        self, path: str, ask: Callable[[Connection], T], length: Callable[[], int] = int
    ) -> T:
        """Ask until it is answered; what is kept must grow for the attempts to start anew.

        Bytes that arrive prove nothing: without ranges each attempt begins at the first.
        """
        attempt, longest = 0, length()
        while True:
            least = 0.0
            try:
                with self._connection() as connection:
                    return ask(connection)
            except (Transient, RateLimited) as err:
                self._check_running()
                if length() >= longest + _ADVANCE:
                    attempt, longest = 0, length()
                attempt += 1
                if attempt >= self.policy.attempts:
                    raise Transient(f"{path}: gave up after {attempt} attempts: {err}") from err
                least = err.after_s if isinstance(err, Busy) else 0.0
            self._sleep(self.policy.wait_s(path, attempt, least))
            self._check_running()

    def _check_running(self) -> None:
        if self._stopped.is_set():
            raise Stopped

    @contextmanager
    def _connection(self) -> Iterator[Connection]:
        with Connection(self.base, self.policy.patience.timeout_s) as connection:
            with self._lock:
                self._open.add(connection)
            try:
                self._check_running()
                connection.open()
                self._check_running()
                yield connection
            finally:
                with self._lock:
                    self._open.discard(connection)


def _length(part: Path) -> int:
    return part.stat().st_size if part.exists() else 0


def _named(remote: Remote, part: Path, path: Path, digest: str) -> Outcome:
    """Give a verified file its name, unless it is no archive for all its right checksum."""
    if not zipfile.is_zipfile(part):
        part.unlink()
        note = f"{remote.path}: agrees with its checksum but is no whole zip file; not used"
        return Outcome(remote, "refused", sha256=digest, note=note)
    with _disk(path):
        checksum.save(path, digest)
        part.replace(path)
    return Outcome(remote, "fetched", path, digest)


@contextmanager
def _disk(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as err:
        if err.errno in _NO_SPACE:
            raise DataError(f"{path.parent}: the disk is full; nothing was imported") from err
        raise DataError(f"{path}: cannot be written ({err.strerror or err})") from err
