"""Evidence holds for what it is named after, and not for a fault that looks like it."""

from __future__ import annotations

import numpy as np
import pytest

from crypto_quant.data_pipeline.cleaners.evidence import EVIDENCE
from crypto_quant.data_pipeline.cleaners.findings import Finding, Severity
from crypto_quant.data_pipeline.cleaners.rows import Rows, Tables, resampled
from crypto_quant.data_pipeline.cleaners.trading import against_usual, hardly_traded
from crypto_quant.data_pipeline.storage import Key
from tests.unit.data_pipeline.cleaners.made import HOUR, Columns, bars, of, spoilt

AT = 300
PRICES = ("open", "high", "low", "close")


def _holds(evidence: str, what: str, rows: Rows, *others: Rows, missing: int = 0) -> bool:
    tables = Tables(None, {}, {Key(r.kind, r.key): r for r in (rows, *others)})
    finding = Finding("c", what, Severity.ERROR, rows.kind, rows.key, AT, 1, 0, "v", "r")
    return EVIDENCE[evidence](rows, tables, finding._replace(missing=missing))


def _set(columns: Columns, row: int, price: int, volume: int) -> None:
    for name in PRICES:
        columns[name][row] = price
    columns["volume"][row] = volume


def _days(hours: Rows) -> Rows:
    days = resampled(hours, 24 * HOUR)
    columns = {name: np.round(getattr(days, name) * 100).astype(np.int64) for name in PRICES}
    columns["ts_event"], columns["ts_recv"] = days.ts, days.ts + 24 * HOUR
    columns["volume"] = np.round(days.volume * 1000).astype(np.int64)
    columns["flags"] = np.full(days.ts.size, 4)
    return of("bar", "TEST/1d", columns, 24 * HOUR)


def _halted(columns: Columns) -> None:
    """Take 40 rows out and go on from the last price, with a burst of trades."""
    shift = columns["close"][AT - 1] - columns["open"][AT + 40]
    for name in PRICES:
        columns[name][AT + 40 :] += shift
    columns["volume"][AT + 40] *= 5
    _lost(columns)


def _lost(columns: Columns) -> None:
    for name, values in columns.items():
        columns[name] = np.delete(values, np.arange(AT, AT + 40))


def test_a_halt_resumes_where_it_stopped_and_lost_rows_do_not() -> None:
    assert _holds("halt", "hole", spoilt(bars(), _halted), missing=40)
    assert not _holds("halt", "hole", spoilt(bars(), _lost), missing=40)

    def calm(columns: Columns) -> None:
        _halted(columns)
        columns["volume"][AT] //= 5

    assert not _holds("halt", "hole", spoilt(bars(), calm), missing=40)


@pytest.mark.parametrize(("what", "row"), [("jump between bars", AT - 1), ("close off", AT + 1)])
def test_a_border_is_beside_a_pause_where_one_of_its_bars_hardly_traded(
    what: str, row: int
) -> None:
    def pause(columns: Columns) -> None:
        _set(columns, row, columns["close"][row - 1], 3)

    assert _holds("beside a pause", what, spoilt(bars(), pause))
    assert not _holds("beside a pause", what, bars())


def test_a_thousandth_of_the_volume_with_the_usual_range_is_not_a_bar_cut_short() -> None:
    def scaled(columns: Columns) -> None:
        columns["volume"][AT] //= 1000

    def cut(columns: Columns) -> None:
        scaled(columns)
        for name in ("high", "low", "close"):
            columns[name][AT] = columns["open"][AT] + (name == "high")

    def paused(columns: Columns) -> None:
        scaled(columns)
        _set(columns, AT + 20, columns["close"][AT + 19], 0)

    assert not _holds("cut short", "volume too low", spoilt(bars(), scaled))
    assert _holds("cut short", "volume too low", spoilt(bars(), cut))
    assert _holds("cut short", "volume too low", spoilt(bars(), paused))
    assert not _holds("cut short", "volume too low", spoilt(bars(), cut), _days(bars()))


def test_trades_counted_or_quote_volume_tell_a_bar_cut_short_from_another_unit() -> None:
    rows = bars()
    volume = 1000 * rows.ints("volume")
    names = [*PRICES, "ts_event", "ts_recv", "flags"]
    columns: Columns = {name: rows.ints(name) for name in names}
    columns |= {
        "volume": volume,
        "count": volume // 10,
        "quote_volume": volume * rows.ints("close") // 10**5,
    }

    def holds(*fewer: str) -> bool:
        changed = {name: columns[name].copy() for name in columns}
        for name in fewer:
            changed[name][AT] //= 1000
        return _holds("cut short", "volume too low", of("bar", rows.key, changed, HOUR))

    assert holds("volume", "quote_volume", "count")
    assert not holds("volume", "quote_volume")
    assert not holds("volume", "count")


def test_a_wick_is_seen_in_another_file_or_was_heavily_traded() -> None:
    def wick(columns: Columns) -> None:
        columns["high"][AT] = 2 * columns["high"].max()
        columns["volume"][AT] = np.median(columns["volume"])

    def heavy(columns: Columns) -> None:
        wick(columns)
        columns["volume"][AT] *= 10

    light, traded = spoilt(bars(), wick), spoilt(bars(), heavy)
    assert _holds("another file", "high alone", light, _days(light))
    assert not _holds("another file", "high alone", light, _days(bars()))
    assert not _holds("another file", "high alone", light)
    assert _holds("heavy trading", "high alone", traded)
    assert not _holds("heavy trading", "high alone", light)
    assert not _holds("heavy trading", "high alone", traded, _days(bars()))


def test_what_is_usual_is_the_median_of_the_rows_around() -> None:
    values = np.array([1.0, 2.0, 3.0, 100.0, 5.0, np.nan])
    assert against_usual(values, np.array([3, 0]), 2).tolist() == [100.0 / 3.0, 1.0 / 2.5]
    assert np.isinf(against_usual(np.array([0.0, 4.0, 0.0]), np.array([1]))[0])


def test_without_volume_nothing_is_said_to_pause() -> None:
    rows = bars()
    columns = {name: rows.ints(name) for name in ("ts_event", "ts_recv", *PRICES, "flags")}
    assert not hardly_traded(of("bar", "TEST/1h", columns, HOUR), np.arange(10)).any()
