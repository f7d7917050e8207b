"""Files of checksums."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest

from crypto_quant.core.errors import DecodeError
from crypto_quant.data_pipeline.collectors.archive import checksum

DIGEST = "ba7816bf8f01cfea414140de5dae2223b00361a396177a9cb410ff61f20015ad"  # of "abc", FIPS 180-2


@pytest.mark.parametrize(
    "text",
    [f"{DIGEST}  a.zip", f"{DIGEST}  a.zip\n", f"{DIGEST.upper()} *a.zip\r\n"],
    ids=["bare", "line", "binary"],
)
def test_parse_takes_what_sha256sum_writes(text: str) -> None:
    assert checksum.parse(text, "a.zip") == DIGEST


@pytest.mark.parametrize(
    "text", ["", "<html>no</html>", f"{DIGEST[:-1]}  a.zip", f"{DIGEST}", f"{DIGEST}  b.zip"]
)
def test_parse_refuses_anything_else(text: str) -> None:
    with pytest.raises(DecodeError, match=r"a\.zip\.CHECKSUM: "):
        checksum.parse(text, "a.zip")


def test_hash_of_a_file_is_the_published_one(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    path.write_bytes(b"abc")
    assert checksum.sha256(path) == DIGEST


def test_saved_note_is_what_sha256sum_checks(tmp_path: Path) -> None:
    path = tmp_path / "a.zip"
    assert checksum.saved(path) is None
    path.write_bytes(b"abc")
    checksum.save(path, DIGEST)
    assert checksum.saved(path) == DIGEST
    program = shutil.which("sha256sum")
    if program is not None:
        subprocess.run(  # noqa: S603 - a fixed program on a file of this test
            [program, "-c", "a.zip.CHECKSUM"], cwd=tmp_path, check=True, capture_output=True
        )
    (tmp_path / "a.zip.CHECKSUM").write_bytes(b"\xff\xfe")
    assert checksum.saved(path) is None
