"""On the real folder the known blemishes are found and open; the rest is explained."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime

import pytest

from crypto_quant.core.clock import iso, monotonic_s
from crypto_quant.data_pipeline.cleaners.checks.universe import listed
from crypto_quant.data_pipeline.cleaners.findings import Finding, Severity
from crypto_quant.data_pipeline.cleaners.rows import Tables
from crypto_quant.data_pipeline.cleaners.validator import DataValidator
from crypto_quant.data_pipeline.storage import Key

pytestmark = pytest.mark.data


@pytest.fixture(scope="module")
def findings(real_tables: Tables) -> list[Finding]:
    return DataValidator(real_tables).validate()


def _of(findings: Sequence[Finding], check: str, key: str, what: str = "") -> list[Finding]:
    return [f for f in findings if (f.check, f.key) == (check, key) and what in f.what]


OPEN = [
    # holes: the files do not meet, a publisher or collector left days out, the venue an hour
    ("gaps", "bar", "BTCUSDT-PERP.BINANCE/1h", "hole between files", "2023-01-01 00:00"),
    ("gaps", "bar", "ETHUSDT-PERP.BINANCE/1h", "hole between files", "2023-01-01 00:00"),
    ("gaps", "funding", "BTCUSDT-PERP.BINANCE", "hole between files", "2023-01-01 00:00"),
    ("gaps", "funding", "BTC-PERP.HYPERLIQUID", "hole", "2024-08-15 14:00"),
    ("gaps", "series", "fear_greed_1d", "hole", "2018-04-17 00:00"),
    ("gaps", "series", "fear_greed_1d", "hole", "2024-10-27 00:00"),
    ("gaps", "series", "pybcoin_google_trends_1d", "hole", "2018-05-23 00:00"),
    ("gaps", "series", "pybcoin_reddit_sentiment_1d", "hole", "2018-06-03 00:00"),
    ("gaps", "series", "pybcoin_tweets_sentiment_1d", "hole", "2018-02-01 00:00"),
    ("gaps", "series", "pybcoin_tweets_sentiment_1d", "hole", "2018-06-03 00:00"),
    # the one of the 22 gaps of spot that shows no sign of a halt: three minutes
    ("gaps", "bar", "BTCUSDT.BINANCE/1m", "hole", "2019-11-13 05:33"),
    # the quarters that were filled in, the one after them, and the hours that tell
    ("zero", "bar", "BTCUSDT-PERP.BINANCE/15m", "filler", "2024-10-28 20:00"),
    ("units", "bar", "BTCUSDT-PERP.BINANCE/15m", "volume too low", "2024-10-28 21:00"),
    ("agreement", "bar", "BTCUSDT-PERP.BINANCE/1h", "price of 15m", "2024-10-28 20:00"),
    # the bars in which the 5m file differs
    ("agreement", "bar", "BTCUSDT-PERP.BINANCE/15m", "price of 5m", "2024-03-27 12:15"),
    ("agreement", "bar", "BTCUSDT-PERP.BINANCE/15m", "extreme of 5m", "2024-03-28 11:45"),
]
"""What the data README names as missing or wrong, and nothing else."""


def test_what_is_open_are_the_blemishes_of_the_readme(
    findings: list[Finding], real_tables: Tables
) -> None:
    found = [(f.check, f.kind, f.key, f.what, iso(f.ts)) for f in findings if f.is_open]
    assert sorted(set(found) - set(OPEN)) == []
    for _, kind, key, _, at in OPEN:
        _need(real_tables, kind, key, at)
    assert sorted(found) == sorted(OPEN)


def test_most_holes_of_spot_show_that_they_are_halts(
    findings: list[Finding], real_tables: Tables
) -> None:
    _need(real_tables, "bar", "BTCUSDT.BINANCE/1m", "2019-03-12 08:00")
    _need(real_tables, "bar", "BTCUSDT.BINANCE/1m", "2025-05-31 23:59")
    holes = _of(findings, "gaps", "BTCUSDT.BINANCE/1m", "hole")
    assert sum(bool(f.explained) for f in holes) == 21


def test_findings_carry_severity_row_and_reason_in_a_fixed_order(
    findings: list[Finding], real_tables: Tables
) -> None:
    assert findings == sorted(findings, key=lambda f: f.order)
    for finding in findings:
        rows = real_tables.rows(finding.kind, finding.key)
        assert finding.reason
        assert finding.severity in Severity
        assert int(rows.ts[finding.row]) == finding.ts
        if finding.severity is not Severity.NOTE:
            assert finding.row + finding.rows <= len(rows)


def _need(tables: Tables, kind: str, key: str, at: str | None) -> None:
    """Skip where other periods stand in for the ones that the data README describes."""
    if Key(kind, key) not in tables.all_keys():
        pytest.skip(f"this data has no {kind}/{key}")
    ts = tables.rows(kind, key).ts
    if at is not None and not iso(int(ts[0])) <= at <= iso(int(ts[-1])):
        pytest.skip(f"{kind}/{key} is of other times here")


@pytest.mark.parametrize(
    ("check", "kind", "key", "what", "at", "rows"),
    [
        # holes
        ("gaps", "bar", "BTCUSDT-PERP.BINANCE/1h", "hole", "2023-01-01 00:00", 0),
        ("gaps", "funding", "BTCUSDT-PERP.BINANCE", "hole", "2023-01-01 00:00", 0),
        ("gaps", "bar", "BTCUSDT.BINANCE/1m", "hole", "2023-03-24 14:00", 0),
        ("gaps", "funding", "BTC-PERP.HYPERLIQUID", "hole", None, 0),
        ("gaps", "series", "fear_greed_1d", "hole", "2018-04-17 00:00", 0),
        ("gaps", "series", "fear_greed_1d", "hole", "2024-10-27 00:00", 0),
        # how series begin and end
        ("gaps", "bar", "BTC-USDT-SWAP.OKX/5m", "ends within a day", "2022-12-31 18:50", 1),
        ("gaps", "series", "coinglass_funding_4h", "starts within a day", None, 1),
        ("gaps", "series", "coinglass_liquidation_4h", "starts within a day", None, 1),
        ("gaps", "series", "coinglass_oi_4h", "starts within a day", None, 1),
        ("gaps", "series", "coinglass_taker_volume_4h", "starts within a day", None, 1),
        ("gaps", "funding", "BTCUSDT-PERP.BINANCE", "stamps jitter", None, None),
        # zeros, filler, sources that disagree
        ("zero", "bar", "BTCUSDT-PERP.BINANCE/15m", "filler", "2024-10-28 20:00", 4),
        ("units", "bar", "BTCUSDT-PERP.BINANCE/15m", "volume too low", "2024-10-28 21:00", 1),
        ("agreement", "bar", "BTCUSDT-PERP.BINANCE/1h", "price of 15m", "2024-10-28 20:00", 2),
        ("agreement", "bar", "BTCUSDT-PERP.BINANCE/15m", "price of 5m", "2024-03-27 12:15", 2),
        ("zero", "series", "coinglass_cvd_1d", "leading zeros", "2013-12-09 00:00", None),
        # launch prices and grids
        ("prints", "bar", "BTCUSDT-PERP.BINANCE/1h", "jump", "2019-09-08 19:00", 1),
        ("zero", "bar", "BTCUSDT-PERP.BINANCE/1h", "no trade", "2019-09-08 18:00", None),
        ("grid", "bar", "BTCUSDT-PERP.BINANCE/1h", "off tick", None, 4),
        ("grid", "bar", "BTCUSDT.BINANCE/1m", "off lot", None, None),
        # survivorship
        ("universe", "bar", "BTC-PERP.FTX/1m", "ended since", None, 0),
    ],
)  # fmt: skip
def test_a_known_blemish_is_found(
    check: str,
    kind: str,
    key: str,
    what: str,
    at: str | None,
    rows: int | None,
    findings: list[Finding],
    real_tables: Tables,
) -> None:
    _need(real_tables, kind, key, at)
    found = [f for f in _of(findings, check, key, what) if f.kind == kind]
    if at is not None:
        found = [f for f in found if iso(f.ts) == at]
    assert found
    if rows is not None:
        assert {f.rows for f in found} == {rows}


def test_spot_holes_and_empty_minutes_are_counted_as_the_readme_has_them(
    findings: list[Finding], real_tables: Tables
) -> None:
    _need(real_tables, "bar", "BTCUSDT.BINANCE/1m", "2019-03-12 08:00")
    _need(real_tables, "bar", "BTCUSDT.BINANCE/1m", "2025-05-31 23:59")
    holes = _of(findings, "gaps", "BTCUSDT.BINANCE/1m", "hole")
    missing = sum(int(f.value.split()[0].replace(",", "")) for f in holes)
    empty = sum(f.rows for f in _of(findings, "zero", "BTCUSDT.BINANCE/1m"))
    assert (len(holes), missing, empty) == (22, 4_111, 229)


@pytest.mark.parametrize(
    ("first", "last"),
    [
        ("2020-03-12 00:00", "2020-03-14 00:00"),
        ("2021-05-19 00:00", "2021-05-20 00:00"),
        ("2023-03-24 00:00", "2023-03-25 00:00"),
    ],
)
def test_crashes_and_halts_stay_untouched(
    first: str, last: str, findings: list[Finding], real_tables: Tables
) -> None:
    """Nothing there may be repaired, and nothing of Binance is taken for a bad print."""
    for key in ("BTCUSDT-PERP.BINANCE/1h", "BTCUSDT.BINANCE/1m"):
        _need(real_tables, "bar", key, first)
    there = [f for f in findings if first <= iso(f.ts) < last]
    assert [f for f in there if f.mend is not None] == []
    assert [f for f in there if f.check in ("prints", "units", "stale", "shift")] == []


def test_no_close_stands_alone_though_a_market_paused_or_rushed(findings: list[Finding]) -> None:
    """Spot that halts, and minutes in which two markets are apart, are no bad closes."""
    assert [f for f in findings if f.check == "wicks" and f.what == "close alone"] == []


def test_captures_behind_the_venue_are_named_and_books_never_cross(
    findings: list[Finding], real_tables: Tables
) -> None:
    behind = [f for f in findings if f.check == "clock" and "2024-08-08" in iso(f.ts)]
    if Key("quote", "ETHUSDT-PERP.BINANCE") not in real_tables.all_keys():
        pytest.skip("this data has no captures")
    assert {f.what for f in behind} == {"clock behind"}
    assert {f.value for f in behind} == {"least latency -1275.018 ms"}
    assert [f for f in findings if f.check in ("crossed", "sequence")] == []
    back = _of(findings, "order", "BTCUSDT-PERP.BINANCE", "venue time goes back")
    assert {f.severity for f in back} <= {Severity.NOTE}


def test_a_universe_of_the_past_lists_what_has_ended(real_tables: Tables) -> None:
    def ids(year: int) -> tuple[str, ...]:
        return listed(
            real_tables.instruments, int(datetime(year, 1, 1, tzinfo=UTC).timestamp()) * 10**9
        )

    assert "BTC-PERP.FTX" in ids(2022)
    assert "BTC-PERP.FTX" not in ids(2024)
    assert "BTCUSDT-PERP.BINANCE" in ids(2024)


def test_the_main_runs_keys_are_checked_in_fifteen_seconds(real_tables: Tables) -> None:
    keys = [
        Key("bar", "BTCUSDT-PERP.BINANCE/1h"),
        Key("bar", "BTCUSDT.BINANCE/1m"),
        Key("funding", "BTCUSDT-PERP.BINANCE"),
    ]
    there = [key for key in keys if key in real_tables.all_keys()]
    fresh = Tables(real_tables.catalog, real_tables.instruments)
    began = monotonic_s()
    DataValidator(fresh).validate(there)
    assert monotonic_s() - began < 45.0  # thrice the aim: test machines are shared
