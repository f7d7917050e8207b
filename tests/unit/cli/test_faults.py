"""A fault of the program: one line that says so, exit 1, and all of it in a file."""

from __future__ import annotations

import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

import pytest

from crypto_quant.cli import data
from crypto_quant.core.errors import InvariantError
from tests.integration.importing import Cq, Result
from tests.unit.core.test_panics import MOST

LINE = r"cq: (?P<what>.*); a fault of cq itself, please report it with (?P<path>/\S+\.txt)\n"


@pytest.fixture
def cq(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Cq:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    monkeypatch.delenv("CQ_DEBUG", raising=False)
    return Cq(tmp_path / "catalog", monkeypatch, capsys)


Failing = Callable[[BaseException], Result]


@pytest.fixture
def failing(cq: Cq, monkeypatch: pytest.MonkeyPatch) -> Failing:
    """Return a function that runs ``cq data list`` where opening the catalog fails."""

    def run(error: BaseException) -> Result:
        def broken(root: Path) -> None:
            raise error

        monkeypatch.setattr(data, "Catalog", broken)
        return cq("data", "list")

    return run


@pytest.mark.parametrize(
    ("error", "what"),
    [
        (KeyError("close"), "KeyError: 'close'"),
        (ValueError("two\nlines"), "ValueError: two lines"),
        (RecursionError(), "RecursionError"),
        (
            FileNotFoundError(2, "No such file", "/x"),
            "FileNotFoundError: [Errno 2] No such file: '/x'",
        ),
        (InvariantError("a state that must not be"), "a state that must not be"),
    ],
)
def test_a_fault_is_one_line_and_its_traceback_is_in_a_file(
    failing: Failing, error: BaseException, what: str
) -> None:
    result = failing(error)
    assert (result.code, result.out) == (1, "")
    found = re.fullmatch(LINE, result.err)
    assert found is not None, result.err
    assert found["what"] == what
    details = Path(found["path"]).read_text()
    assert details.startswith("cq data list\ncrypto-quant ")
    assert "Traceback (most recent call last)" in details
    assert "in broken" in details
    assert type(error).__name__ in details


def test_a_fault_where_no_file_can_be_written_says_how_to_see_it(
    failing: Failing, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path / "none"))
    result = failing(KeyError("close"))
    assert (result.code, result.err) == (
        1,
        "cq: KeyError: 'close'; a fault of cq itself, CQ_DEBUG=1 shows where\n",
    )


def test_a_developer_sees_the_traceback(failing: Failing, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("CQ_DEBUG", "1")
    with pytest.raises(KeyError, match="close"):
        failing(KeyError("close"))


@pytest.mark.parametrize("number", [13, 30, 28])
def test_what_the_system_refuses_is_no_fault_of_ours(failing: Failing, number: int) -> None:
    words = os.strerror(number)
    result = failing(OSError(number, words, "/data/part"))
    assert (result.code, result.err) == (2, f"cq: /data/part: {words}\n")
    result = failing(OSError(number, words))
    assert (result.code, result.err) == (2, f"cq: {words}\n")


def _run(program: str, folder: Path, **environment: str) -> subprocess.CompletedProcess[str]:
    known = {k: v for k, v in os.environ.items() if not k.startswith(("CQ_", "RUST_"))}
    return subprocess.run(  # noqa: S603 - our own program
        [sys.executable, "-c", program],
        capture_output=True,
        text=True,
        check=False,
        env={**known, "TMPDIR": str(folder), **environment},
    )


PANIC = f"""
import sys
from crypto_quant.cli import data, main
from crypto_quant.venues.rules import load_instruments

def broken(root):
    load_instruments()["BTCUSDT-PERP.BINANCE"].native().notional({MOST}, {MOST})

data.Catalog = broken
sys.argv = ["cq", "data", "list"]
main()
"""


def test_a_panic_is_one_line_and_the_file_has_both_stacks(tmp_path: Path) -> None:
    done = _run(PANIC, tmp_path)
    found = re.fullmatch(LINE, done.stderr)
    assert found is not None, done.stderr
    assert (done.returncode, found["what"]) == (1, "Multiplication overflowed")
    details = Path(found["path"]).read_text()
    assert "cq_types::instrument::Instrument::notional" in details
    assert "in broken" in details


def test_a_panic_under_debug_shows_both_stacks(tmp_path: Path) -> None:
    done = _run(PANIC, tmp_path, CQ_DEBUG="1")
    assert done.returncode == 1
    assert "cq_types::instrument::Instrument::notional" in done.stderr
    assert "in broken" in done.stderr
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("words", [["features", "list"], ["config", "show"]])
def test_a_reader_that_goes_away_ends_it_without_a_word(tmp_path: Path, words: list[str]) -> None:
    program = f"""
import os, sys
from crypto_quant.cli import main
reader, writer = os.pipe()
os.close(reader)
os.dup2(writer, 1)
sys.argv = ["cq", *{words}]
main()
"""
    done = _run(program, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (1, "", "")


def test_a_broken_installation_is_one_line(tmp_path: Path) -> None:
    program = """
import sys
sys.modules["crypto_quant.cli.root"] = None
from crypto_quant.cli import main
main()
"""
    done = _run(program, tmp_path)
    assert done.returncode == 1
    found = re.fullmatch(LINE, done.stderr)
    assert found is not None, done.stderr
    assert found["what"].startswith("ModuleNotFoundError: ")
