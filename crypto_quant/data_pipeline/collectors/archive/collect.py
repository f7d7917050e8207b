"""From requests to rows in the catalog: plan, download, import, tidy up."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import date
from pathlib import Path

from crypto_quant.core.errors import DataError
from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.collectors import importer
from crypto_quant.data_pipeline.collectors.archive import checksum
from crypto_quant.data_pipeline.collectors.archive.download import Progress, download, prune
from crypto_quant.data_pipeline.collectors.archive.fetch import Fetcher, Outcome
from crypto_quant.data_pipeline.collectors.archive.plan import Imported, Plan, Remote, plan
from crypto_quant.data_pipeline.collectors.archive.request import Request
from crypto_quant.data_pipeline.storage import Catalog, Part


@dataclass(slots=True)
class Collected:
    """What became of a request: its plan, its files, and the parts that were imported."""

    plan: Plan
    outcomes: list[Outcome] = field(default_factory=list)
    parts: list[Part] = field(default_factory=list)
    known: list[Path] = field(default_factory=list)
    """Files whose very content the catalog had already."""

    def of(self, state: str) -> list[Outcome]:
        """Return the outcomes in one state."""
        return [outcome for outcome in self.outcomes if outcome.state == state]

    @property
    def files(self) -> list[Path]:
        """The files that are there now, verified."""
        return [o.path for o in self.outcomes if o.path is not None]


@dataclass(frozen=True, slots=True)
class Collector:
    """Brings data of the archive into a catalog.

    ``folder`` is where files are downloaded to (``<catalog>/.downloads`` if not given);
    they are removed once imported, unless ``keeps_files``. ``imports`` off: files only.
    ``today`` is the day, UTC, from which on nothing is published yet.
    """

    catalog: Path
    instruments: Mapping[str, Instrument]
    today: date
    folder: Path | None = None
    imports: bool = True
    keeps_files: bool = False
    jobs: int = 4

    def collect(
        self,
        requests: Sequence[Request],
        fetcher: Fetcher,
        on_download: Progress | None = None,
        on_import: importer.Progress | None = None,
    ) -> list[Collected]:
        """Fetch what the requests need and the catalog lacks, and import it.

        Each request is imported in one transaction. What was downloaded stays until it is
        imported, so after an error or an interruption the same call goes on.

        Raises
        ------
        DataError
            A request lies wholly outside of what the archive has, none of its files is
            there, or they cannot be imported; the catalog is as it was before that request.
        Transient
            The archive cannot be reached, or stopped answering; nothing was imported.
        """
        catalog = Catalog(self.catalog)
        made = [Collected(plan(r, self.today, self._parts(catalog, r))) for r in requests]
        work = self.folder or self.catalog / ".downloads"
        self._download(made, work, fetcher, on_download)
        for collected in made:
            if not any(o.state != "missing" for o in collected.outcomes) and collected.outcomes:
                raise DataError(_none(collected))
            if self.imports and collected.files:
                self._import(catalog, collected, on_import)
                if not self.keeps_files:
                    _remove(collected.files, work)
        return made

    def _parts(self, catalog: Catalog, request: Request) -> list[Part]:
        if not self.imports:
            return []
        return [p for p in catalog.parts if (p.kind, p.key) == (request.rows, request.key)]

    def _download(
        self, made: Sequence[Collected], work: Path, fetcher: Fetcher, progress: Progress | None
    ) -> None:
        """Fetch all files, then the days of months that are missing."""
        wanted: list[tuple[Collected, Remote | Imported]] = []
        for collected in made:
            wanted += [(collected, imported) for imported in collected.plan.imported]
            wanted += [(collected, remote) for remote in collected.plan.remotes]
        done = download([item for _, item in wanted], work, fetcher, self.jobs, progress)
        for (collected, _), outcome in zip(wanted, done, strict=True):
            collected.outcomes.append(outcome)
        days = [(c, day) for c in made for day in _instead(c)]
        more = download([day for _, day in days], work, fetcher, self.jobs, progress)
        for (collected, _), outcome in zip(days, more, strict=True):
            collected.outcomes.append(outcome)

    def _import(
        self, catalog: Catalog, collected: Collected, progress: importer.Progress | None
    ) -> None:
        report = importer.import_files(
            catalog,
            collected.files,
            collected.plan.request.facts,
            self.instruments,
            skip_known=True,
            progress=progress,
        )
        collected.parts, collected.known = report.parts, report.known


def _instead(collected: Collected) -> list[Remote]:
    """Replace missing months by their days.

    Where nothing at all was found, only the last month is tried: it may not be published
    yet, but a symbol that does not exist should not cost a question a day.
    """
    missing = [o for o in collected.of("missing") if o.remote.is_monthly]
    if len(missing) == len(collected.outcomes):
        missing = missing[-1:]
    replaced = {outcome.remote.path: collected.plan.days_of(outcome.remote) for outcome in missing}
    collected.outcomes = [o for o in collected.outcomes if not replaced.get(o.remote.path)]
    return [day for days in replaced.values() for day in days]


def _none(collected: Collected) -> str:
    missing = collected.of("missing")
    return (
        f"{collected.plan.request}: none of {len(missing)} files is in the archive, "
        f"{missing[0].remote.path} for one; check symbol, market and dates"
    )


def _remove(files: Sequence[Path], work: Path) -> None:
    """Remove imported files, and the folders that are empty then."""
    for path in files:
        path.unlink()
        path.with_name(path.name + checksum.SUFFIX).unlink(missing_ok=True)
    prune(work)
    with suppress(OSError):  # another request's files wait there
        work.rmdir()
