"""Importing files and folders: all of it or nothing."""

from __future__ import annotations

import errno
import zipfile
import zlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import pyarrow as pa

from crypto_quant.core.errors import CryptoQuantError, DataError, DecodeError
from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.collectors.facts import Facts
from crypto_quant.data_pipeline.collectors.known import Known, is_known
from crypto_quant.data_pipeline.collectors.recognise import Job, Notice, recognise
from crypto_quant.data_pipeline.storage import Batch, Catalog, Part, SourceInfo, Transaction, Unfit

_NO_SPACE: Final = frozenset({errno.ENOSPC, errno.EFBIG, errno.EDQUOT})
_REASONS: Final = 3
"""Files whose reasons are named where nothing could be imported."""
_CORRUPT: Final = (OSError, EOFError, zlib.error, zipfile.BadZipFile, pa.ArrowException)

Progress = Callable[[str, int, int, int], None]
"""Called with a file's name, the rows read of it, the bytes of the files before it, and the
bytes of all."""


@dataclass(slots=True)
class Report:
    """What an import did: the parts it made, and the files that it passed over."""

    parts: list[Part] = field(default_factory=list)
    notices: list[Notice] = field(default_factory=list)
    known: list[Path] = field(default_factory=list)
    """Files whose content the catalog already has, where they were to be passed over."""
    spoilt: list[Notice] = field(default_factory=list)
    """Files that cannot be read, where that was allowed."""


def _nothing_may_fail(_: Path) -> bool:
    return False


def import_files(
    catalog: Catalog,
    paths: Sequence[Path],
    given: Facts,
    instruments: Mapping[str, Instrument],
    skip_known: bool = False,
    progress: Progress | None = None,
    may_fail: Callable[[Path], bool] = _nothing_may_fail,
) -> Report:
    """Import files, and all files of folders, in one transaction.

    Parameters
    ----------
    catalog : Catalog
        Where to.
    paths : Sequence[Path]
        Files and folders. In a folder, files that nothing here reads are passed over and
        reported; a file that is named must be readable.
    given : Facts
        What the user says about the files.
    instruments : Mapping[str, Instrument]
        Known instruments by id.
    skip_known : bool
        Pass over files whose content was imported before, instead of refusing; nothing is
        asked about them. What was imported as something else is refused all the same.
    progress : callable, optional
        See ``Progress``.
    may_fail : callable, optional
        Whether a file that cannot be read is passed over (``Report.spoilt``) instead of ending
        the import.

    Raises
    ------
    DataError
        Nothing was imported; the message names the file and what to do.
    """
    report = Report()
    known = Known(catalog.root, catalog.parts if skip_known else ())
    jobs = _jobs(paths, given, known, may_fail, report)
    if not jobs and report.known:
        return report
    if not jobs:
        where = ", ".join(map(str, paths))
        raise DataError(f"{where}: no file that can be imported{_reasons(report.notices)}")
    jobs.sort(key=lambda job: job.file.path.as_posix())
    with _disk(catalog.root), catalog.transaction() as change:
        _run(change, jobs, instruments, skip_known, may_fail, progress or _silent, report)
    report.parts = list(change.parts)
    return report


def _jobs(
    paths: Sequence[Path],
    given: Facts,
    known: Known,
    may_fail: Callable[[Path], bool],
    report: Report,
) -> list[Job]:
    """Recognise the files; of what the catalog has already nothing is asked."""
    jobs = []
    for path, named in _files(paths):
        try:
            if known.has(path, given):
                report.known.append(path)
                continue
            found = recognise(path, given)
        except DataError as err:
            if not may_fail(path):
                raise
            report.spoilt.append(Notice(path, str(err), is_known=False))
            continue
        if isinstance(found, Job):
            jobs.append(found)
        elif named:
            raise DataError(f"{path}: {found.reason}")
        else:
            report.notices.append(found)
    return jobs


def _reasons(notices: Sequence[Notice]) -> str:
    """Word why files were passed over, those that are known for what they are first."""
    first = sorted(notices, key=lambda notice: not notice.is_known)[:_REASONS]
    said = "; ".join(f"{notice.path.name}: {notice.reason}" for notice in first)
    more = len(notices) - len(first)
    return (f" ({said}" + (f"; and {more} more)" if more else ")")) if said else ""


def _silent(name: str, rows: int, done: int, total: int) -> None:
    """Show no progress."""


def _run(
    change: Transaction,
    jobs: Sequence[Job],
    instruments: Mapping[str, Instrument],
    skip_known: bool,
    may_fail: Callable[[Path], bool],
    progress: Progress,
    report: Report,
) -> None:
    sizes = [job.file.path.stat().st_size for job in jobs]
    done, total = 0, sum(sizes)
    for job, size in zip(jobs, sizes, strict=True):
        name, rows = job.file.path.name, 0
        progress(name, rows, done, total)
        with _reading(job.file.path):
            source = SourceInfo.of(job.file.path, job.name, job.file.is_generated)
        try:
            if skip_known and is_known(change.known(source.sha256), job.file.path, job.facts):
                report.known.append(job.file.path)
                done += size
                continue
            batches = _batches(job, instruments)
            if may_fail(job.file.path):
                batches = iter(list(batches))  # read in full before anything of it is kept
        except DataError as err:
            if not may_fail(job.file.path):
                raise
            report.spoilt.append(Notice(job.file.path, str(err), is_known=False))
            done += size
            continue
        change.begin(source)
        for batch in batches:
            _append(change, batch, job.file.path)
            rows += batch.data.num_rows
            progress(name, rows, done, total)
        done += size
    progress("", 0, total, total)


def _append(change: Transaction, batch: Batch, path: Path) -> None:
    try:
        change.append(batch)
    except Unfit as err:
        raise DataError(f"{path}: {err}") from err


def _batches(job: Job, instruments: Mapping[str, Instrument]) -> Iterator[Batch]:
    """Yield a job's batches; errors while reading are the file's, those outside are not."""
    batches = iter(job.layout.read(job.file, job.facts, instruments))
    while True:
        with _reading(job.file.path):
            batch = next(batches, None)
        if batch is None:
            return
        yield batch


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except CryptoQuantError:
        raise
    except _CORRUPT as err:
        words = str(err).splitlines()[0] if str(err) else type(err).__name__
        raise DecodeError(f"{path}: corrupt file ({words}); fetch it again") from err


@contextmanager
def _disk(root: Path) -> Iterator[None]:
    try:
        yield
    except OSError as err:
        if err.errno in _NO_SPACE or "No space left" in str(err) or "File too large" in str(err):
            raise DataError(f"{root}: the disk is full; nothing was imported") from err
        raise DataError(f"{root}: cannot be written ({err.strerror or err})") from err


def _files(paths: Sequence[Path]) -> Iterator[tuple[Path, bool]]:
    """Yield the files below ``paths``, and whether each was named itself."""
    for path in paths:
        if path.is_dir():
            hidden = path.parts
            for file in sorted(path.rglob("*")):
                parts = file.parts[len(hidden) :]
                if file.is_file() and not any(part.startswith(".") for part in parts):
                    yield file, False
        elif path.is_file():
            yield path, True
        elif path.exists():
            raise DataError(f"{path}: neither a file nor a folder; write it to a file first")
        else:
            raise DataError(f"{path}: no such file or folder")
