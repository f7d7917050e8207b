"""Times of files as int64 ns UTC."""

from __future__ import annotations

from datetime import datetime
from typing import Final

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
from numpy.typing import NDArray

from crypto_quant.core.errors import DataError

_SIZES: Final = ((10**11, 10**9), (10**14, 10**6), (10**17, 10**3))
"""Epochs below 1e11 are seconds, below 1e14 ms, below 1e17 us, else ns (all after 1973)."""

_LAST: Final = 4_102_444_800
"""2100-01-01 in seconds; it leaves room in 64 bits of ns for a period and a delay."""

_ISO: Final = r"^\d{4}-\d{2}-\d{2}"
_SLASHED: Final = r"^\d{1,2}/\d{1,2}/\d{4}$"


def to_ns(values: pa.ChunkedArray, what: str, dates: str | None = None) -> NDArray[np.int64]:
    """Turn a time column into ns since 1970, UTC; times without a zone are UTC.

    Parameters
    ----------
    values : pa.ChunkedArray
        Timestamps, dates, epochs (s, ms, us or ns by their size) or text of these,
        shape (n,).
    what : str
        Where they come from, for the error.
    dates : {"mdy", "dmy"}, optional
        Order of day and month in ``1/2/2016``.

    Raises
    ------
    DataError
        A time is missing, not understood or out of range.
    """
    kind = values.type
    if pa.types.is_string(kind) or pa.types.is_large_string(kind):
        values = _from_text(values.cast(pa.string()), what, dates)
        kind = values.type
    if values.null_count:
        row = values.is_null().to_numpy(zero_copy_only=False).argmax() if len(values) else 0
        raise DataError(f"{what}: row {row}: the time is missing")
    if pa.types.is_date(kind) or pa.types.is_timestamp(kind):
        zone = kind.tz if pa.types.is_timestamp(kind) else None
        stamps = values.cast(pa.timestamp("ns", tz=zone))
        times = np.asarray(stamps.cast(pa.int64()).to_numpy(), dtype=np.int64)
        return _within(times, np.full_like(times, 10**9), what)
    if pa.types.is_floating(kind):
        if not pc.all(pc.equal(pc.round(values), values), min_count=0).as_py():
            raise DataError(f"{what}: an epoch is not a whole number")
        values = values.cast(pa.int64())
    if pa.types.is_integer(values.type):
        return _from_epoch(values.cast(pa.int64()).to_numpy(), what)
    raise DataError(f"{what}: expected times, found {kind}")


def _from_epoch(epochs: NDArray[np.int64], what: str) -> NDArray[np.int64]:
    scale = np.ones_like(epochs)
    for limit, factor in reversed(_SIZES):
        scale[np.abs(epochs) < limit] = factor
    return np.asarray(_within(epochs, 10**9 // scale, what) * scale, dtype=np.int64)


def _within(times: NDArray[np.int64], second: NDArray[np.int64], what: str) -> NDArray[np.int64]:
    """Return times, of so many to a ``second``, if all are in range."""
    far = (times > _LAST * second) | (times < -_LAST * second)
    if far.any():
        row = int(far.argmax())
        raise DataError(f"{what}: row {row}: {times[row]} is out of range (1840 to 2100)")
    return times


def _from_text(values: pa.ChunkedArray, what: str, dates: str | None) -> pa.Array:
    values = pc.utf8_trim_whitespace(values).combine_chunks()
    if pc.all(pc.match_substring_regex(values, r"^-?\d+$"), min_count=0).as_py():
        return values.cast(pa.int64())
    iso = pc.match_substring_regex(values, _ISO)
    if pc.all(iso, min_count=0).as_py():
        return _from_iso(values, what)
    order = {"mdy": "%m/%d/%Y", "dmy": "%d/%m/%Y"}.get(dates or "")
    slashed = pc.match_substring_regex(values, _SLASHED)
    if order is None or not pc.all(pc.or_(iso, slashed), min_count=0).as_py():
        bad = pc.invert(pc.or_(iso, slashed) if order else iso)
        row = bad.to_numpy(zero_copy_only=False).argmax()
        raise DataError(f"{what}: row {row}: {values[int(row)].as_py()!r} is not a time")
    texts = values.to_pylist()
    return _from_iso(pa.array([_rewritten(t, order, what, n) for n, t in enumerate(texts)]), what)


def _rewritten(text: str, order: str, what: str, row: int) -> str:
    if "/" not in text:
        return text
    try:
        return datetime.strptime(text, order).strftime("%Y-%m-%d")  # noqa: DTZ007 - a date only
    except ValueError:
        raise DataError(f"{what}: row {row}: {text!r} is not a date in this order") from None


def _from_iso(values: pa.Array, what: str) -> pa.Array:
    bare = pc.replace_substring_regex(values, r"(\.\d+)?(Z|\+00:?00| UTC)$", r"\1")
    try:
        return bare.cast(pa.timestamp("ns"))
    except pa.ArrowInvalid as err:
        raise DataError(f"{what}: {str(err).splitlines()[0]}") from None
