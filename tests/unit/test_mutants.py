"""The seeded mutants still fit the code that they change; ``make mutants`` runs them."""

from __future__ import annotations

import time
import tomllib
from pathlib import Path

import pytest

from tests.mutants.__main__ import Mutant, Try, judge, main

ROOT = Path(__file__).parents[2]
SETS = sorted((ROOT / "tests" / "mutants").glob("*.toml"))


@pytest.mark.parametrize("path", SETS, ids=lambda path: path.stem)
def test_each_mutant_has_its_text_exactly_once(path: Path) -> None:
    for mutant in tomllib.loads(path.read_text("utf-8"))["mutant"]:
        code = (ROOT / mutant["file"]).read_text("utf-8")
        assert code.count(mutant["find"]) == 1, mutant["find"]
        assert mutant["find"] != mutant["replace"]


def test_there_are_mutants_of_ledger_book_fills_and_risk() -> None:
    assert {"book", "ledger", "risk", "sim"} <= {path.stem for path in SETS}


def test_an_unknown_set_is_refused_with_the_names_of_those_there_are(
    capsys: pytest.CaptureFixture[str],
) -> None:
    assert main(["ledger", "nosuch"]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err == (
        "mutants: no set is named nosuch; there are book, ledger, line, quotes, risk, sim, stress\n"
    )


@pytest.mark.parametrize(
    ("commands", "verdict"),
    [
        (["true", "true"], "SURVIVED"),
        (["false", "true"], "killed"),
        (["true", "grep -q before code"], "killed"),
        (["grep -q after code"], "SURVIVED"),
        (["sh -c 'exit 2'"], "does not import"),
    ],
)
def test_a_mutant_is_judged_by_each_try_in_turn(
    tmp_path: Path, commands: list[str], verdict: str
) -> None:
    (tmp_path / "code").write_text("before", "utf-8")
    tries = [Try(command, 1, 60.0) for command in commands]
    assert judge(Mutant("set/1", "code", "before", "after", ""), tries, tmp_path) == verdict
    assert (tmp_path / "code").read_text("utf-8") == "before"


def test_a_mutant_whose_text_is_there_twice_does_not_apply(tmp_path: Path) -> None:
    (tmp_path / "code").write_text("before before", "utf-8")
    said = judge(Mutant("set/1", "code", "before", "after", ""), [Try("false", 1)], tmp_path)
    assert said == "does not apply: its text is not there exactly once"


def test_one_that_does_not_end_is_told_apart_and_leaves_nothing_running(tmp_path: Path) -> None:
    (tmp_path / "code").write_text("before", "utf-8")
    command = "sh -c 'sleep 600 & echo $! > child; wait'"
    said = judge(Mutant("set/1", "code", "before", "after", ""), [Try(command, 1, 0.5)], tmp_path)
    assert said == "killed by timeout"
    child = int((tmp_path / "child").read_text("utf-8"))
    for _ in range(100):  # what is killed ends a moment later
        if _is_gone(child):
            return
        time.sleep(0.1)
    pytest.fail("its child still runs")


def _is_gone(process: int) -> bool:
    try:
        state = Path(f"/proc/{process}/stat").read_text("utf-8").split()[2]
    except FileNotFoundError:
        return True
    return state == "Z"
