"""Daily values that know the day after them."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

import numpy as np

from crypto_quant.data_pipeline.cleaners.findings import Finding, Severity
from crypto_quant.data_pipeline.cleaners.rows import Floats, Rows, Tables

NAME = "lookahead"
_LEAST: Final = 0.35
_ROWS: Final = 120


def find(rows: Rows, tables: Tables) -> Iterator[Finding]:
    """Hold each series' changes against price: they may follow it, not run ahead of it.

    A value stamped D whose change correlates with the return of D+1, more than with that of
    D, was made of D+1.
    """
    if rows.kind != "series" or not rows.interval:
        return
    price = _price(rows, tables)
    if price is None:
        return
    market = np.diff(np.log(price), prepend=np.nan)
    for name in rows.names:
        change = _change(rows.floats(name))
        ahead, count = _correlation(change[:-1], market[1:])
        same, _ = _correlation(change, market)
        is_strong = abs(ahead) > max(_LEAST, 8 / np.sqrt(max(count, 1)))
        if count >= _ROWS and is_strong and abs(ahead) > abs(same) + 0.1:
            yield rows.finding(
                NAME,
                "knows the next period",
                Severity.ERROR,
                0,
                f"{name}: correlation {ahead:+.2f} with the next return, {same:+.2f} with its own",
                "the value moves with the price of the period after its stamp: stamped too early",
                None,
                len(rows),
            )


def _price(rows: Rows, tables: Tables) -> Floats | None:
    """Return the market's close at the end of each row's period, NaN where unknown."""
    best: Floats | None = None
    for kind, key in tables.all_keys():
        known = tables.instruments.get(key.split("/")[0])
        if (
            kind != "bar"
            or known is None
            or known.base != "BTC"
            or not known.quote.startswith("USD")
        ):
            continue
        bars = tables.rows(kind, key)
        if (bars.interval or 0) > (rows.interval or 0) or not len(bars):
            continue
        ends = rows.ts + (rows.interval or 0)
        at = np.searchsorted(bars.ts, ends) - 1
        near = (at >= 0) & (ends - bars.ts[at] <= 2 * (bars.interval or 0))
        close = np.where(near, bars.floats("close")[at], np.nan)
        if near.sum() > _ROWS and (best is None or near.sum() > np.isfinite(best).sum()):
            best = close
    return best


def _change(values: Floats) -> Floats:
    """Return relative changes of positive series, plain ones of others."""
    known = values[np.isfinite(values)]
    if known.size and (known > 0).all():
        values = np.log(values)
    return np.diff(values, prepend=np.nan)


def _correlation(a: Floats, b: Floats) -> tuple[float, int]:
    """Correlate ranks, so that no single day decides."""
    known = np.isfinite(a) & np.isfinite(b)
    count = int(known.sum())
    if count < 3:
        return 0.0, count
    x, y = (np.argsort(np.argsort(v[known])).astype(np.float64) for v in (a, b))
    x, y = x - x.mean(), y - y.mean()
    scale = float(np.sqrt((x * x).sum() * (y * y).sum()))
    return (float((x * y).sum()) / scale if scale else 0.0), count
