"""Files that are kept, to be imported later or as well."""

from __future__ import annotations

from pathlib import Path

from tests.integration.download.served import JANUARY, KEY, add_month, hours
from tests.integration.importing import Cq
from tests.unit.data_pipeline.archive.server import Archive


def test_files_can_be_kept_and_imported_later(cq: Cq, archive: Archive, tmp_path: Path) -> None:
    add_month(archive, 2023, 1)
    keep = tmp_path / "files"
    words = hours("--start", "2023-01", "--keep-files", str(keep), "--no-import")
    assert cq(*words).code == 0
    assert not cq.catalog.exists()
    assert (keep / JANUARY).read_bytes() == archive.files[JANUARY]
    assert (keep / f"{JANUARY}.CHECKSUM").read_bytes() == archive.files[f"{JANUARY}.CHECKSUM"]
    assert "1 were there" in cq(*words).out
    done = cq("data", "import", keep)
    assert done.code == 0
    assert len(cq.rows("bar", KEY)) == 31 * 24
    refused = cq(*hours("--start", "2023-01", "--no-import"))
    assert (refused.code, "--keep-files DIR" in refused.err) == (2, True)


def test_kept_files_stay_after_their_import(cq: Cq, archive: Archive, tmp_path: Path) -> None:
    add_month(archive, 2023, 1)
    keep = tmp_path / "files"
    assert cq(*hours("--start", "2023-01", "--keep-files", str(keep))).code == 0
    assert (keep / JANUARY).exists()
    assert len(cq.rows("bar", KEY)) == 31 * 24
