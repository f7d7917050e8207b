"""Bars are no better than ticks at the pessimistic end, fill by fill, within the bound they state.

The bound of a fill is made of recorded trades and books alone: what the market did between the
decision and the fill, less the floor that bars always charge.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from benches.bars_bias import CASES, compare
from benches.bars_orders import KINDS
from benches.session import recording

pytestmark = pytest.mark.data


@pytest.mark.parametrize(("capture", "key"), CASES, ids=[Path(c).name for c, _ in CASES])
def test_no_fill_on_bars_beats_ticks_by_more_than_its_bound(
    tmp_path: Path, capture: str, key: str
) -> None:
    session = recording(tmp_path, capture, key)
    if session is None:
        pytest.skip(f"no {capture}")
    for kind in KINDS:
        found = compare(kind, session, session.tape.feed_delay_ns["p99"])
        assert found.both > 10, kind
        assert found.beyond == 0, kind
        # What bars fill, ticks fill too; and bars cost about their floor more, but for limit
        # orders, which pay their own price in both.
        assert found.alone == 0, kind
        assert found.worse_bps >= (0 if kind == "limit" else 0.9), kind
