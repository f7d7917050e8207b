"""Text out of what it is packed in: whole and in bounded pieces, or refused."""

from __future__ import annotations

import gzip
import io
import zipfile
import zlib
from pathlib import Path

import pytest

from crypto_quant.data_pipeline.collectors.file import File
from crypto_quant.data_pipeline.collectors.ticks.packed import texts

TEXT = b"".join(b"%d,28145.1,0.002\n" % n for n in range(150_000))
CORRUPT = (ValueError, OSError, EOFError, zlib.error, zipfile.BadZipFile)


def _zip(method: int, text: bytes = TEXT, before: bytes = b"") -> bytes:
    out = io.BytesIO()
    out.write(before)
    with zipfile.ZipFile(out, "a" if before else "w", method) as box:
        info = zipfile.ZipInfo("first.csv")
        info.extra = b"\x99\x99\x04\x00abcd"  # an extra field of a kind that nobody knows
        info.compress_type = method
        box.writestr(info, text)
        box.writestr("second.csv", b"end\n")
    return out.getvalue()


def _all(path: Path, content: bytes) -> list[bytes]:
    path.write_bytes(content)
    file = File.open(path)
    return [text for member in file.members or ("",) for text in texts(file, member)]


@pytest.mark.parametrize("method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_LZMA])
def test_members_of_a_zip_come_one_after_the_other(tmp_path: Path, method: int) -> None:
    made = _all(tmp_path / "x", _zip(method))
    assert b"".join(made) == TEXT + b"end\n"
    assert max(map(len, made)) <= 1 << 22


def test_plain_and_gzip_text_is_the_same(tmp_path: Path) -> None:
    for content in (TEXT, gzip.compress(TEXT), gzip.compress(TEXT[:99]) + gzip.compress(TEXT[99:])):
        assert b"".join(_all(tmp_path / "x", content)) == TEXT


def test_a_zip_behind_other_bytes_is_read_where_it_begins(tmp_path: Path) -> None:
    path = tmp_path / "x"
    path.write_bytes(_zip(zipfile.ZIP_DEFLATED, before=b"PK\x03\x04 a stub"))
    file = File(path, "zip", members=("first.csv",))
    assert b"".join(texts(file, "first.csv")) == TEXT


@pytest.mark.parametrize("at", [0.3, 0.6, 0.9])
def test_one_flipped_bit_of_a_member_is_never_read_as_if_it_were_right(
    tmp_path: Path, at: float
) -> None:
    content = bytearray(_zip(zipfile.ZIP_DEFLATED))
    content[int(len(content) * at)] ^= 0x04
    with pytest.raises(CORRUPT):
        _all(tmp_path / "x", bytes(content))


def test_a_checksum_that_is_not_the_texts_is_refused(tmp_path: Path) -> None:
    content = _zip(zipfile.ZIP_DEFLATED)
    wrong = content.replace(zlib.crc32(TEXT).to_bytes(4, "little"), b"\0\0\0\1")
    with pytest.raises(ValueError, match="wrong checksum"):
        _all(tmp_path / "x", wrong)


def test_a_little_that_unpacks_to_very_much_comes_in_bounded_pieces(tmp_path: Path) -> None:
    made = _all(tmp_path / "x", _zip(zipfile.ZIP_DEFLATED, bytes(64 << 20)))
    assert sum(map(len, made)) == (64 << 20) + 4
    assert max(map(len, made)) <= 1 << 22
