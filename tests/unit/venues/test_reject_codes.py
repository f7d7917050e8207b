"""The codes that a venue gives for what the simulated one refuses."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from crypto_quant import _native

PAGE = Path(__file__).parents[3] / "docs" / "reference" / "matching.md"


def _listed() -> dict[str, int | None]:
    text = PAGE.read_text("utf-8").split("## Why an order is refused")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`[^|]+`) \| ([^|]*)\|", text, re.MULTILINE)
    out: dict[str, int | None] = {}
    for names, codes in rows:
        reasons = re.findall(r"`(\w+)`", names)
        numbers = re.findall(r"-\d+", codes) or [None] * len(reasons)
        pairs = zip(reasons, numbers, strict=True)
        out |= {reason: None if code is None else int(code) for reason, code in pairs}
    return out


def test_the_page_lists_every_reason_with_its_code() -> None:
    listed = _listed()
    assert len(listed) == 35
    assert {reason: _native.reject_code(reason) for reason in listed} == listed


def test_what_is_no_reason_is_refused_with_those_there_are() -> None:
    with pytest.raises(ValueError, match=r'expected one of overloaded, .*, was "nonsense"'):
        _native.reject_code("nonsense")
