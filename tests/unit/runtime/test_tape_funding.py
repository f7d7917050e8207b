"""Settled rates off the catalog: a settlement has one rate."""

from __future__ import annotations

from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import numpy as np
import pytest

from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.storage import KINDS, Catalog, Exps
from crypto_quant.runtime.line import RecordedLine
from crypto_quant.runtime.line_spec import LineSpec
from crypto_quant.runtime.state import SettledFunding
from crypto_quant.runtime.tape import TapeLoader

from .tick_market import MS, PERP, SECOND, keep, table

EIGHT = 8 * 3_600 * SECOND
FIRST = 19_723 * 24 * 3_600 * SECOND
"""2024-01-01 00:00."""
LAST = FIRST + 10 * EIGHT


@pytest.fixture
def loader(tmp_path: Path) -> Callable[..., TapeLoader]:
    """Return a maker of a loader over settlements, each some ms late, at a rate in 1e-6."""

    def make(*rows: tuple[int, int, int]) -> TapeLoader:
        columns = KINDS["funding"].schema().names
        filled = []
        for number, late_ms, rate in rows:
            ts = FIRST + number * EIGHT + late_ms * MS
            known = {"ts_event": ts, "ts_recv": ts, "rate": rate, "interval_h": 8, "flags": 0}
            filled.append(tuple(known[name] for name in columns))
        catalog: Catalog = keep(
            tmp_path / "c", "funding", table("funding", filled), "f", "given", Exps(rate=6)
        )
        return TapeLoader(catalog, (PERP,))

    return make


def _for_the_sleeves(loader: TapeLoader) -> SettledFunding:
    return loader.settled(0, FIRST, LAST)


def _on_the_line(loader: TapeLoader) -> None:
    spec = LineSpec(
        instruments=(PERP,),
        sleeves=("carry",),
        features=(),
        series=(),
        quote="USDT",
        grid_ns=3_600 * SECOND,
        start=FIRST,
        end=LAST,
        sim=None,
        leverage=5,
        tier="VIP0",
    )
    loader.funding(RecordedLine(spec, []), 0, FIRST, LAST)


USES = pytest.mark.parametrize("use", [_for_the_sleeves, _on_the_line])


@USES
def test_two_rates_of_one_settlement_are_refused_with_its_time_and_both(
    loader: Callable[..., TapeLoader], use: Callable[[TapeLoader], object]
) -> None:
    """Recorded stamps jitter: both rows are of 08:00."""
    made = loader((0, 3, 100), (1, 0, 100), (1, 7, 250), (2, 0, 100))
    said = (
        r"^funding of BTCUSDT-PERP\.BINANCE: 2024-01-01 08:00 was settled at two rates, "
        r"0\.000100 and 0\.000250; .*cq data validate"
    )
    with pytest.raises(DataError, match=said):
        use(made)


@USES
def test_a_settlement_that_is_there_twice_is_refused_though_its_rate_is_one(
    loader: Callable[..., TapeLoader], use: Callable[[TapeLoader], object]
) -> None:
    with pytest.raises(DataError, match=r"2024-01-01 08:00 is there twice, at a rate of 0\.000100"):
        use(loader((0, 0, 100), (1, 0, 100), (1, 7, 100)))


@USES
def test_settlements_that_jitter_are_told_apart(
    loader: Callable[..., TapeLoader], use: Callable[[TapeLoader], object]
) -> None:
    use(loader((0, 7, 100), (1, 0, 250), (2, 26, 100)))


def test_the_sleeves_are_told_every_rate_once(loader: Callable[..., TapeLoader]) -> None:
    settled = _for_the_sleeves(loader((0, 7, 100), (1, 0, 250), (2, 26, -100)))
    assert np.array(settled._rate).tolist() == [
        float(Decimal(rate).scaleb(-6)) for rate in (100, 250, -100)
    ]
