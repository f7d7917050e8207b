"""No recorded trade says that it is a deleveraging: what docs/reference/liquidation.md counts."""

from __future__ import annotations

import gzip
import re
from collections import Counter
from pathlib import Path

import pytest

pytestmark = pytest.mark.data

KIND = re.compile(rb'"X":"([A-Z_]*)"')


def test_one_forced_trade_is_recorded_and_it_is_the_insurance_funds(data_dir: Path) -> None:
    kinds: Counter[bytes] = Counter()
    for market in ("usdm", "cm"):
        for path in sorted((data_dir / "hftbacktest" / market).glob("*.gz")):
            with gzip.open(path) as lines:
                trades = (line for line in lines if b'"e":"trade"' in line)
                kinds.update(KIND.findall(b"".join(trades)))
    assert kinds == {b"MARKET": 50_609, b"INSURANCE_FUND": 1}
