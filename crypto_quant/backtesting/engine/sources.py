"""Where a run's data comes from when nobody says: a folder, the catalog, a generated market."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import NamedTuple

from crypto_quant.core.clock import now_ns
from crypto_quant.core.errors import ConfigError, CryptoQuantError, DataError
from crypto_quant.core.instruments import Instrument
from crypto_quant.data_pipeline.collectors import importer
from crypto_quant.data_pipeline.collectors.archive import (
    Collector,
    Fetcher,
    archive_reachable,
    holdings,
    small_real_set,
)
from crypto_quant.data_pipeline.collectors.dataset import look_up
from crypto_quant.data_pipeline.collectors.facts import Facts
from crypto_quant.data_pipeline.generated.market import MARKER, generate_market
from crypto_quant.data_pipeline.storage import Catalog
from crypto_quant.runtime.config import RunConfig

Tell = Callable[[str], None]


class Found(NamedTuple):
    """Data for a run: its catalog, where it came from in words, whether it was generated."""

    catalog: Catalog
    origin: str
    is_generated: bool


def find_data(
    config: RunConfig,
    root: Path,
    env: Mapping[str, str],
    known: Mapping[str, Instrument],
    tell: Tell,
) -> Found:
    """Find data: ``CQ_DATA``, the catalog, the public archive, else a generated market.

    A folder is imported into a catalog of its own under ``root``, named after the folder's
    listing: another folder, or a changed one, never mixes with it, and an unchanged one is
    not imported again. A file there that the run can do without may be empty or cut off.

    Raises
    ------
    ConfigError
        ``CQ_DATA`` is no absolute path of a folder.
    DataError
        A file that the run needs cannot be imported.
    """
    folder = data_folder(env)
    if folder is not None:
        catalog = _import(folder, root, config, known, tell)
        return Found(catalog, f"the folder {folder}", catalog.is_generated)
    catalog = Catalog(root)
    if _suffices(catalog, config):
        return Found(catalog, f"the catalog {root}", catalog.is_generated)
    if _download(root, env, known, tell):
        catalog = Catalog(root)
        return Found(catalog, "the venue's public archive", catalog.is_generated)
    folder = root / "generated-data"
    if not (folder / MARKER).is_file():
        tell("nothing at hand: generating a small seeded market")
        generate_market(folder)
    catalog = _import(folder, root, config, known, tell)
    return Found(catalog, "a generated market", is_generated=True)


def _download(
    root: Path, env: Mapping[str, str], known: Mapping[str, Instrument], tell: Tell
) -> bool:
    """Fetch a small real set from the public archive; tell whether it is in the catalog now."""
    base = env.get("CQ_ARCHIVE") or holdings().base
    if not archive_reachable(base):
        return False
    tell(f"no data at hand: fetching eight months of BTCUSDT from {base}")
    day = datetime.fromtimestamp(now_ns() // 10**9, UTC).date()
    try:
        collected = Collector(root, known, day).collect(small_real_set(), Fetcher(base))
    except CryptoQuantError as err:
        tell(f"the archive did not give it all: {err}")
        return False
    for outcome in (o for c in collected for o in c.of("refused")):
        tell(outcome.note)
    return True


def data_folder(env: Mapping[str, str]) -> Path | None:
    """Return the folder that ``CQ_DATA`` names, ``None`` where it is not set."""
    named = env.get("CQ_DATA", "")
    if not named:
        return None
    folder = Path(named)
    if not folder.is_absolute():
        raise ConfigError(f"CQ_DATA: expected an absolute path, was {named!r}")
    if not folder.is_dir():
        raise ConfigError(f"CQ_DATA: there is no folder {named}")
    return folder


def _suffices(catalog: Catalog, config: RunConfig) -> bool:
    market = config.market
    have = set(catalog.keys())
    needed = {
        ("bar", f"{market.perp}/1h"),
        ("bar", f"{market.spot}/1m"),
        ("funding", market.perp),
    }
    return needed <= have


def _import(
    folder: Path, root: Path, config: RunConfig, known: Mapping[str, Instrument], tell: Tell
) -> Catalog:
    catalog = Catalog(root / f"folder-{_listing(folder)}")
    if catalog.keys():
        return catalog
    tell(f"importing {folder}")
    traded = (config.market.perp, config.market.spot)

    def may_fail(path: Path) -> bool:
        facts = look_up(path).facts
        if facts.kind not in ("bar", "funding"):
            return facts.kind == "series"
        return f"{facts.symbol}.{facts.venue}" not in traded

    report = importer.import_files(
        catalog, [folder], Facts.parse(""), known, skip_known=True, may_fail=may_fail
    )
    for spoilt in report.spoilt:
        tell(f"passed over: {spoilt.reason}")
    if not report.parts:
        raise DataError(f"{folder}: nothing in it could be imported; see cq data import {folder}")
    return Catalog(catalog.root)


def _listing(folder: Path) -> str:
    """Hash names, sizes and times of a folder's files."""
    digest = hashlib.sha256(str(folder).encode())
    for path in sorted(p for p in folder.rglob("*") if p.is_file()):
        stat = os.stat(path)
        text = f"{path.relative_to(folder)} {stat.st_size} {stat.st_mtime_ns}\n"
        digest.update(text.encode())
    return digest.hexdigest()[:12]
