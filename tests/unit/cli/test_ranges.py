"""Numbers that no comparison keeps out."""

from __future__ import annotations

import pytest
from click import BadParameter

from crypto_quant.cli.ranges import Finite


@pytest.mark.parametrize("text", ["nan", "NaN", "-nan", "inf", "1", "0", "two"])
def test_what_is_no_number_within_is_refused(text: str) -> None:
    with pytest.raises(BadParameter, match=r"range 0<x<1|not a valid float"):
        Finite(0, 1, min_open=True, max_open=True).convert(text, None, None)


def test_what_is_within_is_taken() -> None:
    assert Finite(0, 1, min_open=True, max_open=True).convert("0.5", None, None) == 0.5
