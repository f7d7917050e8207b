"""Explanations cover what they are about, up to their share, and never a whole file."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from fnmatch import fnmatchcase

import pytest

from crypto_quant.core.errors import ConfigError
from crypto_quant.data_pipeline.cleaners.explanations import Explanation, explained, parse, table
from crypto_quant.data_pipeline.cleaners.findings import Finding, Severity, grouped, summarise


def _finding(row: int, severity: Severity = Severity.ERROR, key: str = "A.X/1h") -> Finding:
    return Finding("units", "volume scale", severity, "bar", key, row, 1, row, "v", "r")


def _explained(
    findings: Sequence[Finding],
    sizes: Mapping[tuple[str, str], int],
    entries: Sequence[Explanation],
    shown: tuple[str, ...] = (),
) -> list[Finding]:
    return explained(findings, sizes, entries, lambda name, finding: name in shown)


SIZES = {("bar", "A.X/1h"): 1000, ("bar", "B.X/1h"): 1000}


def _table(limits: str) -> str:
    return f'[[explanation]]\ncheck = "units"\nkey = "bar/A.*"\nwhy = "known"\n{limits}\n'


def test_a_pattern_covers_its_keys_only() -> None:
    entries = parse(_table(""), "t")
    one, other = _explained([_finding(1), _finding(1, key="B.X/1h")], SIZES, entries)
    assert (one.explained, other.explained) == ("known", "")
    assert not one.is_open
    assert other.is_open


def test_more_rows_than_the_share_are_not_explained() -> None:
    entries = parse(_table("share = 0.002"), "t")
    few = _explained([_finding(1), _finding(2)], SIZES, entries)
    many = _explained([_finding(1), _finding(2), _finding(3)], SIZES, entries)
    assert [f.explained for f in few] == ["known"] * 2
    assert [f.explained for f in many] == [""] * 3


def test_only_the_beginning_is_explained() -> None:
    entries = parse(_table("first_rows = 100"), "t")
    early, late = _explained([_finding(99), _finding(100)], SIZES, entries)
    assert (early.explained, late.explained) == ("known", "")


def _hole(row: int, missing: int) -> Finding:
    hole = Finding("gaps", "hole", Severity.WARNING, "bar", "A.X/1h", row, 0, row, "v", "r")
    return hole._replace(missing=missing)


def test_a_hole_is_explained_up_to_its_length_and_the_share_of_missing_rows() -> None:
    text = _table("missing = 20\nmissing_share = 0.03").replace("units", "gaps")
    entries = parse(text, "t")

    def why(*missing: int) -> list[str]:
        holes = [_hole(row, lacks) for row, lacks in enumerate(missing)]
        return [f.explained for f in _explained(holes, SIZES, entries)]

    assert why(20, 21) == ["known", ""]
    assert why(20, 10) == ["known"] * 2  # 30 of 1030
    assert why(20, 11) == [""] * 2  # 31 of 1031


def test_a_price_is_explained_up_to_how_far_it_is_off() -> None:
    entries = parse(_table("most_bps = 90"), "t")
    sizes = [None, 89.9, 90.0, 90.1]
    findings = [_finding(row)._replace(bps=bps) for row, bps in enumerate(sizes)]
    assert [f.explained for f in _explained(findings, SIZES, entries)] == ["", "known", "known", ""]


def test_a_value_and_evidence_are_asked_for() -> None:
    entries = parse(_table('value = "v*"\nevidence = "halt"'), "t")
    finding, other = _finding(1), _finding(2)._replace(value="w")
    shown = _explained([finding, other], SIZES, entries, ("halt",))
    assert [f.explained for f in shown] == ["known", ""]
    assert [f.explained for f in _explained([finding], SIZES, entries)] == [""]


def test_the_packages_table_asks_for_evidence_or_bounds_how_far_it_goes() -> None:
    for entry in table():
        bounds = (entry.evidence, entry.most_bps, entry.missing, entry.rows, entry.first_rows)
        assert entry.check == "clock" or any(bound is not None for bound in bounds), entry
        if entry.check in ("prints", "wicks", "agreement", "units"):
            assert entry.evidence or entry.most_bps, entry


def test_the_packages_table_explains_no_close_that_stands_alone_and_no_volume_too_high() -> None:
    for entry in table():
        assert not (entry.check == "wicks" and fnmatchcase("close alone", entry.what)), entry
        assert not (entry.check == "units" and fnmatchcase("volume too high", entry.what)), entry


def test_notes_need_no_explanation() -> None:
    (note,) = _explained([_finding(1, Severity.NOTE)], SIZES, parse(_table(""), "t"))
    assert note.explained == ""
    assert not note.is_open


@pytest.mark.parametrize(
    "text",
    ["[[explanation]]\ncheck = 'a'", _table("shar = 1"), _table("evidence = 'a'"), "no toml"],
)
def test_a_bad_table_is_one_clear_error(text: str) -> None:
    with pytest.raises(ConfigError, match=r"^t: "):
        parse(text, "t")


def test_the_packages_table_names_real_checks() -> None:
    from crypto_quant.data_pipeline.cleaners.checks import CHECKS

    assert {entry.check for entry in table()} <= set(CHECKS)


def test_a_summary_has_the_open_and_worst_first() -> None:
    entries = parse(_table(""), "t")
    several = [_finding(1), _finding(2, Severity.NOTE, "B.X/1h"), _finding(3, key="B.X/1h")]
    lines = summarise(_explained(several, SIZES, entries))
    assert [(line.severity, line.where) for line in lines] == [
        ("error", "bar B.X/1h"),
        ("note", "bar B.X/1h"),
        ("error", "bar A.X/1h"),
    ]
    assert lines[-1].action == "kept: known"
    assert [len(group.found) for group in grouped(several)] == [1, 1, 1]
