"""Fetching many files at once, and whether there is an archive to fetch from."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor, as_completed
from contextlib import contextmanager, suppress
from pathlib import Path
from threading import Lock, Thread
from typing import Final, NamedTuple

from crypto_quant.core.errors import CryptoQuantError, Transient
from crypto_quant.core.files import owned
from crypto_quant.data_pipeline.collectors.archive.connection import Connection, Missing, address
from crypto_quant.data_pipeline.collectors.archive.fetch import Fetcher, Outcome
from crypto_quant.data_pipeline.collectors.archive.plan import Imported, Remote

FIRST_CONTACT_S: Final = 10.0
"""Longest wait for the first connection: without it an unreachable archive costs minutes."""


class Done(NamedTuple):
    """How far a download is: files done, files in all, bytes that arrived."""

    files: int
    of: int
    bytes: int


Progress = Callable[[Done], None]


class _Tally:
    """Counts what threads report, and tells it one at a time."""

    def __init__(self, of: int, progress: Progress | None) -> None:
        self._done = Done(0, of, 0)
        self._progress = progress
        self._lock = Lock()

    def add(self, files: int, size: int) -> None:
        with self._lock:
            done = self._done
            self._done = Done(done.files + files, done.of, done.bytes + size)
            if self._progress is not None:
                self._progress(self._done)


def download(
    wanted: Sequence[Remote | Imported],
    folder: Path,
    fetcher: Fetcher,
    jobs: int = 4,
    progress: Progress | None = None,
) -> list[Outcome]:
    """Fetch files into ``folder``, below the paths that they have in the archive.

    Parameters
    ----------
    wanted : Sequence[Remote | Imported]
        Files to fetch, and files to compare only, as they were imported before.
    folder : Path
        Made if missing. What is finished there is verified and kept; what was begun goes on.
    fetcher : Fetcher
        Where from, and how patiently; it cannot be used again after an error.
    jobs : int
        Files at a time.
    progress : callable, optional
        Called by the threads, one at a time.

    Returns
    -------
    list[Outcome]
        One per file, in the order of ``wanted``.

    Raises
    ------
    Transient
        The archive cannot be reached, or stopped answering.
    DataError
        Another download writes there, the disk is full, or the archive refuses.
    """
    if not wanted:
        return []
    check_reachable(fetcher)
    tally = _Tally(len(wanted), progress)

    def one(item: Remote | Imported) -> Outcome:
        if isinstance(item, Imported):
            outcome = fetcher.recheck(item)
        else:
            outcome = fetcher.fetch(item, folder, lambda size: tally.add(0, size))
        tally.add(1, 0)
        return outcome

    with _owned(folder), ThreadPoolExecutor(jobs) as pool:
        futures = [pool.submit(one, item) for item in wanted]
        try:
            for future in as_completed(futures):
                future.result()
        except BaseException:
            fetcher.stop()
            pool.shutdown(cancel_futures=True)
            raise
        return [future.result() for future in futures]


def check_reachable(fetcher: Fetcher) -> None:
    """Connect once, so that an archive that cannot be reached is known at once.

    Raises
    ------
    Transient
        It cannot be reached: one line says why.
    """
    host = fetcher.base.hostname
    timeout_s = min(FIRST_CONTACT_S, fetcher.policy.patience.timeout_s)
    said: list[str] = []

    def connect() -> None:
        try:
            with Connection(fetcher.base, timeout_s) as connection:
                connection.open()
        except CryptoQuantError as err:
            said.append(str(err))
        else:
            said.append("")

    _within(connect, timeout_s)
    if said != [""]:
        why = said[0] if said else f"no answer within {timeout_s:g} s"
        raise Transient(
            f"the archive at {host} cannot be reached ({why}); check the network, or give "
            "another address with --base"
        )


def archive_reachable(base: str, timeout_s: float = 3.0) -> bool:
    """Say whether an archive answers at ``base``; takes no longer than ``timeout_s``.

    Raises
    ------
    ConfigError
        ``base`` is no address.
    """
    parts = address(base)
    answered: list[bool] = []

    def ask() -> None:
        try:
            with Connection(parts, timeout_s) as connection:
                connection.ask("HEAD", "")
        except Missing:
            answered.append(True)
        except CryptoQuantError:
            return
        else:
            answered.append(True)

    _within(ask, timeout_s)
    return bool(answered)


def _within(work: Callable[[], None], timeout_s: float) -> None:
    """Wait for work, but not for long: looking up a name knows no timeout of its own."""
    thread = Thread(target=work, daemon=True)
    thread.start()
    thread.join(timeout_s)


@contextmanager
def _owned(folder: Path) -> Iterator[None]:
    """Keep other downloads out of a folder while this one writes there."""
    made = [path for path in (folder, *folder.parents) if not path.exists()]
    with owned(folder, "another download is writing here"):
        try:
            yield
        finally:
            prune(folder)
            _remove_empty(made)


def prune(folder: Path) -> None:
    """Remove the folders of the archive's tree that hold nothing."""
    tree = folder / "data"
    inside = [path for path in tree.rglob("*") if path.is_dir()]
    _remove_empty([*sorted(inside, reverse=True), tree])


def _remove_empty(folders: Sequence[Path]) -> None:
    for folder in folders:
        with suppress(OSError):  # it holds something
            folder.rmdir()
