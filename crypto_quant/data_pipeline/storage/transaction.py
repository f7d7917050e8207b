"""One import into the catalog: all of it or nothing, whatever happens in between."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from types import TracebackType

from crypto_quant.core.errors import DataError, InvariantError
from crypto_quant.core.files import claim
from crypto_quant.data_pipeline.storage import journal, manifest, paths
from crypto_quant.data_pipeline.storage.kinds import KINDS, Batch
from crypto_quant.data_pipeline.storage.manifest import Part, SourceInfo
from crypto_quant.data_pipeline.storage.part import TEMPORARY, PartWriter, stamp


@dataclass(slots=True)
class Transaction:
    """Parts on their way into a catalog; a context manager that commits or leaves no trace.

    ``begin(source)``, ``append(batch)`` …, ``begin(next source)`` …, and on leaving the
    block without an exception everything becomes visible at once: the temporary files get
    their names, the manifest is replaced last. By a journal the next transaction undoes what
    a process that died in between has left.
    """

    root: Path
    parts: list[Part] = field(default_factory=list)
    """The parts this transaction has finished, in order."""
    _known: tuple[Part, ...] = ()
    _source: SourceInfo | None = None
    _writers: dict[tuple[str, str], PartWriter] = field(default_factory=dict)
    _finished: list[tuple[Part, Path]] = field(default_factory=list)
    _lock: int = -1
    _made: list[Path] = field(default_factory=list)
    _is_changed: bool = False
    _damaged: list[Part] = field(default_factory=list)
    _beside: dict[str, bytes] = field(default_factory=dict)

    def __enter__(self) -> Transaction:
        self._make(self.root)
        try:
            self._lock = claim(self.root)
        except OSError as err:
            raise DataError(f"{self.root}: cannot be written ({err.strerror})") from err
        if self._lock < 0:
            raise DataError(f"{self.root}: another import is writing here; wait until it ends")
        try:
            journal.recover(self.root)
            self._known = manifest.load(self.root)
        except BaseException:
            self._unlock()
            raise
        return self

    def __exit__(
        self, kind: type[BaseException] | None, err: BaseException | None, at: TracebackType | None
    ) -> None:
        try:
            if kind is None:
                self._finish()
                self._commit()
        except BaseException:
            self._roll_back()
            raise
        else:
            if kind is not None:
                self._roll_back()
        finally:
            self._unlock()

    def _unlock(self) -> None:
        if self._lock >= 0:
            os.close(self._lock)
            self._lock = -1

    @property
    def known_parts(self) -> tuple[Part, ...]:
        """What the catalog holds, without what this transaction replaces or adds."""
        return self._known

    def known(self, sha256: str) -> tuple[Part, ...]:
        """Finish the source before; return the parts of a file's content, if all are whole."""
        self._finish()
        parts = [p for p in (*self._known, *self.parts) if p.source.sha256 == sha256]
        is_whole = all(p in self.parts or manifest.is_whole(self.root, p) for p in parts)
        return tuple(parts) if is_whole else ()

    def begin(self, source: SourceInfo) -> None:
        """Finish the source before this one and start the next.

        What is known of the same content and is damaged is replaced.

        Raises
        ------
        DataError
            The same content was imported before, under whatever name.
        """
        before = self.known(source.sha256)
        if before:
            raise DataError(
                f"{source.name}: already in the catalog as {before[0].kind}/{before[0].key} "
                f"(from {before[0].source.name})"
            )
        gone = [part for part in self._known if part.source.sha256 == source.sha256]
        if gone:
            self._damaged += gone
            self._known = tuple(part for part in self._known if part not in gone)
            self._is_changed = True
        self._source = source

    def rewrite(self, part: Part) -> None:
        """Start to replace a part: rows appended from here on stand in its place.

        Its file stays where it is, unnamed by the manifest, so that it can be restored.

        Raises
        ------
        DataError
            The catalog has no such part any more.
        """
        self._finish()
        if part not in self._known:
            raise DataError(f"{part.path}: changed since it was read; read the catalog anew")
        self._known = tuple(known for known in self._known if known != part)
        self._source = part.source
        self._is_changed = True

    def restore(self, part: Part, instead_of: Part | None) -> None:
        """Name a part again that was rewritten, in place of what it became.

        Raises
        ------
        DataError
            Its file is gone or is not what it was.
        """
        path = self.root / part.path
        if not manifest.is_whole(self.root, part):
            raise DataError(f"{path}: not what it was; import {part.source.name} anew")
        self._known = (*(known for known in self._known if known != instead_of), part)
        self._is_changed = True

    def put_beside(self, name: str, content: bytes) -> None:
        """Write a file beside the manifest, with it: both change, or neither does."""
        self._beside[name] = content
        self._is_changed = True

    def append(self, batch: Batch) -> None:
        """Add rows of the current source.

        Raises
        ------
        DataError
            The rows overlap rows that another source brought.
        """
        if self._source is None:
            raise InvariantError("rows without a source")
        writer = self._writers.get((batch.kind, batch.key))
        if writer is not None and writer.number != batch.part:
            self._close(writer)
            writer = None
        if writer is None:
            writer = self._open(batch)
        writer.append(batch)
        self._check_overlap(writer)

    def _open(self, batch: Batch) -> PartWriter:
        if batch.kind not in KINDS:
            raise InvariantError(f"unknown kind {batch.kind!r}")
        if not paths.is_key(batch.key):
            raise DataError(f"{batch.key!r} cannot be a key: name it <instrument>[/<interval>]")
        folder = self.root / batch.kind / batch.key
        self._make(folder)
        serial = len(self._finished) + len(self._writers)
        path = folder / f".part-{serial}{TEMPORARY}"
        writer = PartWriter(batch.kind, batch.key, path, number=batch.part)
        self._writers[(batch.kind, batch.key)] = writer
        return writer

    def _check_overlap(self, writer: PartWriter) -> None:
        ticks = KINDS[writer.kind].ticks
        for part in (*self._known, *self.parts):
            if (part.kind, part.key) != (writer.kind, writer.key) or not writer.rows:
                continue
            apart = writer.start > part.end or writer.end < part.start
            touching = writer.start == part.end or writer.end == part.start
            if not (apart or (ticks and touching)):
                name = self._source.name if self._source else ""
                raise DataError(
                    f"{name}: {writer.kind}/{writer.key} {stamp(writer.start)} to "
                    f"{stamp(writer.end)} overlaps {part.source.name}, which holds "
                    f"{stamp(part.start)} to {stamp(part.end)}"
                )

    def _finish(self) -> None:
        if self._source is None:
            return
        for writer in list(self._writers.values()):
            self._close(writer)
        self._source = None

    def _close(self, writer: PartWriter) -> None:
        """Make a part of what a writer has; without rows there is none."""
        if self._source is None:
            raise InvariantError("rows without a source")
        writer.close()
        if writer.rows:
            final = self._free_name(Path(writer.kind) / writer.key / writer.name())
            part = Part(
                kind=writer.kind,
                key=writer.key,
                path=final.as_posix(),
                start=writer.start,
                end=writer.end,
                rows=writer.rows,
                sha256=manifest.sha256(writer.path),
                bytes=writer.path.stat().st_size,
                exps=writer.exps,
                interval=writer.interval,
                recv=writer.recv,
                importer=version("crypto-quant"),
                source=self._source,
                findings=dict(sorted(writer.findings.items())),
            )
            self._finished.append((part, writer.path))
            self.parts.append(part)
        del self._writers[(writer.kind, writer.key)]

    def _free_name(self, path: Path) -> Path:
        """Tick files may span the very same instants, and so do parts and what they become."""
        taken = {part.path for part in (*self._known, *self.parts)}
        name, n = path, 1
        while name.as_posix() in taken or (self.root / name).exists():
            n += 1
            name = path.with_name(f"{path.stem}.{n}{paths.SUFFIX}")
        return name

    def _commit(self) -> None:
        if not self._finished and not self._is_changed:
            return self._roll_back()
        journal.begin(self.root, (part.path for part, _ in self._finished), self._beside)
        for part, temporary in self._finished:
            temporary.rename(self.root / part.path)
        for folder in {temporary.parent for _, temporary in self._finished}:
            manifest.sync_folder(folder)
        for name, content in self._beside.items():
            manifest.replace(self.root / name, content)
        manifest.save(self.root, (*self._known, *self.parts))
        named = {part.path for part in self.parts}
        for part in self._damaged:
            if part.path not in named:
                (self.root / part.path).unlink(missing_ok=True)
        journal.end(self.root)
        return None

    def _roll_back(self) -> None:
        for writer in self._writers.values():
            writer.discard()
        for _, temporary in self._finished:
            temporary.unlink(missing_ok=True)
        if self._lock >= 0:
            journal.recover(self.root)
        for folder in reversed(self._made):
            if folder.is_dir() and not any(folder.iterdir()):
                folder.rmdir()

    def _make(self, folder: Path) -> None:
        missing = [p for p in (folder, *folder.parents) if not p.exists()]
        try:
            for path in reversed(missing):
                path.mkdir()
                self._made.append(path)
        except OSError as err:
            raise DataError(f"{folder}: cannot make the folder ({err.strerror})") from err
