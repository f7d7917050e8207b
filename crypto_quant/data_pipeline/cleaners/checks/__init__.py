"""The checks, by name; a new one is a file with ``NAME`` and ``find``, and a line here."""

from collections.abc import Callable, Iterator
from typing import Final

from crypto_quant.data_pipeline.cleaners.checks import (
    agreement,
    clock,
    crossed,
    duplicates,
    gaps,
    grid,
    impossible,
    lookahead,
    order,
    prints,
    sequence,
    shift,
    stale,
    units,
    universe,
    wicks,
    zero,
)
from crypto_quant.data_pipeline.cleaners.findings import Finding
from crypto_quant.data_pipeline.cleaners.rows import Rows, Tables

Check = Callable[[Rows, Tables], Iterator[Finding]]

CHECKS: Final[dict[str, Check]] = {
    module.NAME: module.find
    for module in (
        order,
        duplicates,
        gaps,
        clock,
        impossible,
        zero,
        stale,
        prints,
        wicks,
        units,
        agreement,
        shift,
        lookahead,
        crossed,
        sequence,
        grid,
        universe,
    )
}
