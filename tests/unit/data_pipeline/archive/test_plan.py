"""Which files answer a request."""

from __future__ import annotations

from datetime import UTC, date, datetime, time, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from crypto_quant.core.errors import DataError
from crypto_quant.data_pipeline.collectors.archive import Request, holdings, plan, small_real_set
from crypto_quant.data_pipeline.storage import Part, SourceInfo
from crypto_quant.data_pipeline.storage.kinds import Exps

TODAY = date(2025, 6, 1)  # a Sunday
HOUR = 3_600 * 10**9
_DAY = timedelta(days=1)


def _klines(start: str, end: str, market: str = "um", interval: str = "1h") -> Request:
    return Request.of("klines", market, "BTCUSDT", start, end, interval)


def _names(request: Request, today: date = TODAY, *parts: Part) -> list[str]:
    return [remote.name for remote in plan(request, today, parts).remotes]


def _part(name: str, start: str, end: str, sha256: str = "0" * 64, hours: int = 1) -> Part:
    """Return a part whose first and last row are at ``start`` and ``end``."""
    return Part(
        kind="bar",
        key="BTCUSDT-PERP.BINANCE/1h",
        path="x.parquet",
        start=_ns(start),
        end=_ns(end),
        rows=1,
        sha256="",
        bytes=1,
        exps=Exps(),
        interval=hours * HOUR,
        recv="",
        importer="",
        source=SourceInfo(name, sha256, 1, "binance-klines"),
    )


def _ns(text: str) -> int:
    return int(datetime.fromisoformat(text).replace(tzinfo=UTC).timestamp()) * 10**9


def test_whole_months_are_months_and_the_rest_days() -> None:
    assert _names(_klines("2023-01-30", "2023-04-02")) == [
        "BTCUSDT-1h-2023-01-30.zip",
        "BTCUSDT-1h-2023-01-31.zip",
        "BTCUSDT-1h-2023-02.zip",
        "BTCUSDT-1h-2023-03.zip",
        "BTCUSDT-1h-2023-04-01.zip",
        "BTCUSDT-1h-2023-04-02.zip",
    ]


@pytest.mark.parametrize(
    ("kind", "market", "symbol", "interval", "month"),
    [
        ("klines", "spot", "BTCUSDT", "1m", "data/spot/monthly/klines/BTCUSDT/1m/BTCUSDT-1m-"),
        (
            *("markPriceKlines", "um", "BTCUSDT", "8h"),
            "data/futures/um/monthly/markPriceKlines/BTCUSDT/8h/BTCUSDT-8h-",
        ),
        (
            *("aggTrades", "spot", "BTCUSDT", None),
            "data/spot/monthly/aggTrades/BTCUSDT/BTCUSDT-aggTrades-",
        ),
        (
            *("fundingRate", "um", "BTCUSDT", None),
            "data/futures/um/monthly/fundingRate/BTCUSDT/BTCUSDT-fundingRate-",
        ),
        (
            *("klines", "cm", "BTCUSD_PERP", "1h"),
            "data/futures/cm/monthly/klines/BTCUSD_PERP/1h/BTCUSD_PERP-1h-",
        ),
        (
            *("indexPriceKlines", "cm", "BTCUSD_PERP", "1h"),
            "data/futures/cm/monthly/indexPriceKlines/BTCUSD/1h/BTCUSD-1h-",
        ),
    ],
)
def test_paths_are_those_of_the_archive(
    kind: str, market: str, symbol: str, interval: str | None, month: str
) -> None:
    request = Request.of(kind, market, symbol, "2024-02", "2024-02", interval)
    assert [remote.path for remote in plan(request, TODAY).remotes] == [f"{month}2024-02.zip"]


def test_kinds_without_months_come_by_day() -> None:
    request = Request.of("metrics", "um", "BTCUSDT", "2024-02", "2024-02")
    remotes = plan(request, TODAY).remotes
    assert len(remotes) == 29
    assert remotes[0].path == (
        "data/futures/um/daily/metrics/BTCUSDT/BTCUSDT-metrics-2024-02-01.zip"
    )


def test_month_that_is_not_published_yet_comes_by_day_up_to_yesterday() -> None:
    names = _names(_klines("2025-04", "2025-06"), date(2025, 6, 1))
    assert names[0] == "BTCUSDT-1h-2025-04.zip"
    assert names[1:] == [f"BTCUSDT-1h-2025-05-{day:02d}.zip" for day in range(1, 32)]
    on_monday = _names(_klines("2025-05", "2025-05"), date(2025, 6, 2))
    assert on_monday == ["BTCUSDT-1h-2025-05.zip"]


def test_long_candles_have_months_only() -> None:
    """Candles of three days: a part of a month is the whole month's file, and it is said."""
    made = plan(_klines("2024-02-10", "2024-02-12", interval="3d"), TODAY)
    assert [remote.name for remote in made.remotes] == ["BTCUSDT-3d-2024-02.zip"]
    assert made.notes == (
        "BTCUSDT-3d-2024-02.zip is of a whole month: more is taken than was asked for",
    )


def test_discontinued_book_ticker_has_its_last_hours_in_a_month_only() -> None:
    request = Request.of("bookTicker", "um", "BTCUSDT", "2024-03-29", "2024-05-02")
    made = plan(request, TODAY)
    assert [remote.name for remote in made.remotes] == [
        "BTCUSDT-bookTicker-2024-03.zip",
        "BTCUSDT-bookTicker-2024-04.zip",
    ]
    assert "outside of it: 2024-04-02 to 2024-05-02" in made.notes[0]
    assert "daily files from 2023-05-16 to 2024-03-30" in made.notes[0]
    assert "discontinued" in made.notes[0]
    assert "#334" in made.notes[0]


def test_first_month_of_book_ticker_is_whole_where_its_days_are() -> None:
    whole = Request.of("bookTicker", "um", "BTCUSDT", "2023-05", "2023-05")
    assert _names(whole) == ["BTCUSDT-bookTicker-2023-05.zip"]
    before = Request.of("bookTicker", "um", "BTCUSDT", "2023-05-14", "2023-05-17")
    made = plan(before, TODAY)
    assert [remote.name for remote in made.remotes] == [
        "BTCUSDT-bookTicker-2023-05-16.zip",
        "BTCUSDT-bookTicker-2023-05-17.zip",
    ]
    assert "outside of it: 2023-05-14 to 2023-05-15" in made.notes[0]


@pytest.mark.parametrize(
    ("request_", "covered"),
    [
        (Request.of("bookTicker", "um", "BTCUSDT", "2024-05", "2025-01"), "to 2024-03-30"),
        (Request.of("bookDepth", "um", "BTCUSDT", "2022-01", "2022-12"), "never an order book"),
        (Request.of("metrics", "um", "BTCUSDT", "2021-11", "2021-11"), "from 2021-12-01"),
        (Request.of("fundingRate", "um", "BTCUSDT", "2019-09", "2019-12"), "from 2020-01"),
        (Request.of("fundingRate", "um", "BTCUSDT", "2025-06", "2025-06"), "first Monday"),
        (_klines("2019-09", "2019-11"), "from 2019-12-31"),
        (_klines("2030-01", "2030-02"), "the next day"),
    ],
)
def test_request_wholly_outside_says_what_is_covered(request_: Request, covered: str) -> None:
    with pytest.raises(DataError, match=r"the archive has .* outside of it: ") as refused:
        plan(request_, TODAY)
    assert covered in str(refused.value)
    assert "\n" not in str(refused.value)


def test_known_hole_of_one_symbol_is_not_asked_for() -> None:
    days = ("2021-01-22", "2021-01-26")
    request = Request.of("premiumIndexKlines", "um", "BTCUSDT", *days, interval="1h")
    assert _names(request) == ["BTCUSDT-1h-2021-01-22.zip", "BTCUSDT-1h-2021-01-23.zip"]
    other = Request.of("premiumIndexKlines", "um", "ETHUSDT", *days, interval="1h")
    assert len(_names(other)) == 5


def test_days_in_the_catalog_are_not_fetched_and_their_month_comes_by_day() -> None:
    held = _part("BTCUSDT-1h-2023-03-01.zip", "2023-03-01 00:00", "2023-03-01 23:00", "a" * 64)
    made = plan(_klines("2023-02", "2023-03"), TODAY, [held])
    names = [remote.name for remote in made.remotes]
    assert names == ["BTCUSDT-1h-2023-02.zip"] + [
        f"BTCUSDT-1h-2023-03-{day:02d}.zip" for day in range(2, 32)
    ]
    (imported,) = made.imported
    assert imported.sha256 == "a" * 64
    assert imported.remote.path.endswith("daily/klines/BTCUSDT/1h/BTCUSDT-1h-2023-03-01.zip")
    assert made.notes == ("2023-03-01: already in the catalog, from BTCUSDT-1h-2023-03-01.zip",)


def test_month_in_the_catalog_covers_its_days_and_is_compared_once() -> None:
    held = _part("BTCUSDT-1h-2023-03.zip", "2023-03-01 00:00", "2023-03-31 23:00")
    made = plan(_klines("2023-03-05", "2023-03-20"), TODAY, [held])
    assert made.remotes == ()
    (imported,) = made.imported
    assert imported.remote.path.endswith("monthly/klines/BTCUSDT/1h/BTCUSDT-1h-2023-03.zip")


def test_many_sources_are_one_note() -> None:
    held = [
        _part(f"BTCUSDT-1h-2023-03-{n:02d}.zip", f"2023-03-{n:02d} 00:00", f"2023-03-{n:02d} 23:00")
        for n in (1, 2, 4)
    ]
    made = plan(_klines("2023-03-01", "2023-03-05"), TODAY, held)
    assert len(made.imported) == 3
    assert made.notes == (
        "2023-03-01 to 2023-03-02, 2023-03-04: already in the catalog, from "
        "BTCUSDT-1h-2023-03-01.zip and 2 more files",
    )


def test_rows_of_another_source_are_covered_but_not_compared() -> None:
    held = _part("mine.parquet", "2023-01-01 00:00", "2023-02-14 23:00")
    made = plan(_klines("2023-01", "2023-02"), TODAY, [held])
    assert [remote.name for remote in made.remotes] == [
        f"BTCUSDT-1h-2023-02-{day:02d}.zip" for day in range(15, 29)
    ]
    assert made.imported == ()
    assert made.notes == ("2023-01-01 to 2023-02-14: already in the catalog, from mine.parquet",)


def test_candle_at_midnight_fills_its_day_but_a_closing_stamp_does_not() -> None:
    daily = _part("d.zip", "2023-03-01 00:00", "2023-03-02 00:00", hours=24)
    names = _names(_klines("2023-03-01", "2023-03-03", interval="1d"), TODAY, daily)
    assert names == ["BTCUSDT-1d-2023-03-03.zip"]
    closing = _part("m.zip", "2023-03-01 00:05", "2023-03-02 00:00")
    request = Request.of("metrics", "um", "BTCUSDT", "2023-03-01", "2023-03-02")
    assert _names(request, TODAY, closing) == ["BTCUSDT-metrics-2023-03-02.zip"]


def test_month_that_the_catalog_holds_in_part_stays_shut_where_there_are_no_days() -> None:
    held = _part("f.parquet", "2022-11-01 00:00", "2022-11-14 08:00")
    request = Request.of("fundingRate", "um", "BTCUSDT", "2022-11", "2022-12")
    made = plan(request, TODAY, [held])
    assert [remote.name for remote in made.remotes] == ["BTCUSDT-fundingRate-2022-12.zip"]
    assert made.notes[0] == "2022-11-01 to 2022-11-14: already in the catalog, from f.parquet"
    assert made.notes[1].startswith("2022-11-15 to 2022-11-30: not fetched")


def test_funding_a_few_ms_late_does_not_hold_the_next_month() -> None:
    held = _part("f.zip", "2022-11-01 00:00", "2022-11-30 16:00", hours=8)
    request = Request.of("fundingRate", "um", "BTCUSDT", "2022-12", "2022-12")
    assert _names(request, TODAY, held) == ["BTCUSDT-fundingRate-2022-12.zip"]


def test_days_of_a_month_are_those_that_were_asked_for() -> None:
    request = _klines("2024-02", "2024-02")
    made = plan(request, TODAY)
    days = made.days_of(made.remotes[0])
    assert [day.name for day in days] == [f"BTCUSDT-1h-2024-02-{d:02d}.zip" for d in range(1, 30)]
    funding = Request.of("fundingRate", "um", "BTCUSDT", "2024-02", "2024-02")
    assert plan(funding, TODAY).days_of(plan(funding, TODAY).remotes[0]) == ()


@given(
    first=st.dates(date(2022, 11, 1), date(2023, 4, 1)),
    length=st.integers(0, 100),
    held=st.lists(
        st.tuples(st.dates(date(2022, 11, 1), date(2023, 7, 1)), st.integers(1, 900)), max_size=4
    ),
    today=st.dates(date(2023, 1, 1), date(2023, 9, 1)),
)
def test_each_day_is_fetched_once_and_never_over_what_the_catalog_holds(
    first: date, length: int, held: list[tuple[date, int]], today: date
) -> None:
    """Fetched, held and unpublished days make up the request; files overlap nothing."""
    last = first + timedelta(days=length)
    parts = [
        _part("x", f"{day} 00:00", str(datetime.combine(day, time()) + timedelta(hours=hours - 1)))
        for day, hours in held
    ]
    have = {day + timedelta(hours=n) // _DAY * _DAY for day, hours in held for n in range(hours)}
    asked = {first + n * _DAY for n in range(length + 1)}
    published = {day for day in asked if day < today}
    try:
        made = plan(_klines(str(first), str(last)), today, parts)
    except DataError:
        assert not published
        assert not asked & have
        return
    days = [
        remote.first + n * _DAY
        for remote in made.remotes
        for n in range((remote.last - remote.first).days + 1)
    ]
    assert len(set(days)) == len(days)
    assert set(days) == published - have


def test_small_real_set_is_eight_months_of_three_series() -> None:
    plans = [plan(request, TODAY) for request in small_real_set()]
    assert [len(made.remotes) for made in plans] == [8, 8, 8]
    assert [made.request.key for made in plans] == [
        "BTCUSDT-PERP.BINANCE/1h",
        "BTCUSDT.BINANCE/1m",
        "BTCUSDT-PERP.BINANCE",
    ]
    assert all(made.notes == () for made in plans)


def test_every_holding_names_its_source_and_every_limit_its_reason() -> None:
    held = holdings()
    for holding in held.holding:
        assert holding.kind in held.kinds
        assert holding.source
        limited = [d for d in (holding.daily, holding.monthly) if d and (d.first or d.last)]
        assert bool(holding.reason) == bool(limited), holding
        assert holding.daily or holding.monthly
    assert len({(h.kind, h.market) for h in held.holding}) == len(held.holding)
