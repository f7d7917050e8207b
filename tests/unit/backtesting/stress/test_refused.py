"""Runs on ticks that are not stressed: said at once, before anything of theirs is read."""

from __future__ import annotations

from pathlib import Path

import pytest

from crypto_quant.backtesting.stress.tick_session import TickStress
from crypto_quant.core.errors import ConfigError

BOOK = """
[markets.{name}]
instrument = "{instrument}"
capital = 50000
side = "{side}"
"""
PERP, ETH = "BTCUSDT-PERP.BINANCE", "ETHUSDT-PERP.BINANCE"
TWO = BOOK.format(name="near", instrument=PERP, side="both") + BOOK.format(
    name="far", instrument=ETH, side="both"
)
LEG = BOOK.format(name="short", instrument=PERP, side="short")
HEDGED = "[venues.BINANCE]\nhedged = true\n"


@pytest.mark.parametrize(
    ("text", "said"),
    [
        (TWO, "markets: cq stress takes a run of one book, was one of near, far: run each alone"),
        (
            LEG + HEDGED,
            "markets.short: cq stress takes an account in one-way mode, was one in hedge mode: run",
        ),
    ],
)
def test_a_run_of_more_than_one_position_is_refused_before_it_is_read(
    tmp_path: Path, text: str, said: str
) -> None:
    """The folder has a configuration alone: to read a manifest or a catalog would fail first."""
    (tmp_path / "config.toml").write_text(text)

    def tell(what: str, done: int, total: int) -> None:
        raise AssertionError(what)

    with pytest.raises(ConfigError) as caught:
        TickStress(tmp_path, tmp_path / "none", {}, tmp_path / "trials.sqlite", ("gap_up",), tell)
    assert str(caught.value).startswith(f"{tmp_path / 'config.toml'}: {said}")
    assert "\n" not in str(caught.value)
    assert [path.name for path in tmp_path.iterdir()] == ["config.toml"]
