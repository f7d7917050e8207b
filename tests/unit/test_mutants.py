"""The seeded mutants still fit the code that they change; ``make mutants`` runs them."""

from __future__ import annotations

import tomllib
from pathlib import Path

import pytest

from tests.mutants.__main__ import main

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
