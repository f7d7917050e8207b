"""What the user and the data sets say about files."""

from __future__ import annotations

from pathlib import Path

import pytest

from crypto_quant.core.errors import ConfigError, DataError
from crypto_quant.data_pipeline.collectors import dataset
from crypto_quant.data_pipeline.collectors.facts import Facts, ask, duration, period


def test_parse_reads_pairs_and_drop_lists() -> None:
    facts = Facts.parse("venue=BINANCE, symbol=BTCUSDT ,interval=1h,drop=a+b")
    assert facts == Facts(venue="BINANCE", symbol="BTCUSDT", interval="1h", drop=("a", "b"))
    assert facts.instrument == "BTCUSDT.BINANCE"
    assert Facts.parse("") == Facts()


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("vanue=X", "unknown key 'vanue'; known: venue, symbol"),
        ("venue", "expected key=value, found 'venue'"),
        ("venue=", "expected key=value"),
        ("stamp=middle", "stamp is one of open, close, not 'middle'"),
        ("interval=5 minutes", "expected a length such as 15m"),
        ("interval=0h", "interval: a period is longer than 0h"),
        ("interval=9999999999w", "interval: 9999999999w is longer than 50 years"),
        ("available_after=99999999999h", "expected a length such as 15m"),
        ("available_after=soon", "available_after: expected a length"),
    ],
)
def test_parse_of_a_mistake_says_what_is_expected(text: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        Facts.parse(text)


def test_over_completes_and_never_overrides() -> None:
    said, known = Facts(venue="OKX"), Facts(venue="BINANCE", kind="bar", drop=("x",))
    assert said.over(known) == Facts(venue="OKX", kind="bar", drop=("x",))


def test_ask_names_every_missing_fact_with_an_example() -> None:
    assert ask(["venue", "interval"]) == (
        'give venue, interval, for instance --as "venue=BINANCE,interval=1h"'
    )


@pytest.mark.parametrize("text", ["1s", "5m", "15m", "1h", "8h", "1d", "7d"])
def test_period_writes_what_duration_reads(text: str) -> None:
    assert period(duration(text, "x")) == text
    assert duration("1h", "x") == 3_600 * 10**9


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        (
            "binance_spot_1m/BTCUSDT-spot-1m-2031.parquet",
            Facts("BINANCE", "BTCUSDT", "bar", "1m", "open", "base"),
        ),
        (
            "binance_perp/ETHUSDT-perp-1h_2026-01_2031-04.parquet",
            Facts("BINANCE", "ETHUSDT-PERP", "bar", "1h", "open", "base"),
        ),
        (
            "binance_perp/BTCUSDT-perp-funding-8h_2029-09_2030-11.parquet",
            Facts("BINANCE", "BTCUSDT-PERP", "funding", "8h", rate="fraction"),
        ),
        (
            "okx_perp/BTC-USDT-SWAP-5m_2030.parquet",
            Facts("OKX", "BTC-USDT-SWAP", "bar", "5m", "open", "base"),
        ),
        (
            "ftx_perp/BTC-PERP-1m_2022-02.parquet",
            Facts("FTX", "BTC-PERP", "bar", "1m", "close", "quote"),
        ),
        (
            "coinglass/coinglass_top_ls_4h_2030.parquet",
            Facts(
                kind="series",
                dataset="coinglass_top_ls_4h",
                interval="4h",
                available_after="12h",
            ),
        ),
        (
            "data/futures/um/monthly/klines/BTCUSDT/1h/BTCUSDT-1h-2024-01.zip",
            Facts("BINANCE", "BTCUSDT-PERP", "bar", "1h", volume="base"),
        ),
        (
            "data/spot/daily/trades/ETHUSDT/ETHUSDT-trades-2024-01-01.zip",
            Facts("BINANCE", "ETHUSDT"),
        ),
    ],
)
def test_look_up_knows_the_data_sets_whatever_their_dates(path: str, expected: Facts) -> None:
    assert dataset.look_up(Path("/anywhere") / path).facts == expected


def test_look_up_of_a_strange_file_knows_nothing() -> None:
    assert dataset.look_up(Path("/anywhere/my.csv")) == dataset.Known(Facts())


def test_parse_of_a_dataset_file_names_the_broken_entry() -> None:
    with pytest.raises(ConfigError, match=r"x\.toml, file 2: path is missing"):
        dataset.parse('[[file]]\npath="a"\n[[file]]\nvenue="B"', "x.toml")
    with pytest.raises(ConfigError, match=r"x\.toml: "):
        dataset.parse("[[file", "x.toml")


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[[files]]\npath='a'", "x.toml: files: only \\[\\[file\\]\\] entries are known"),
        ("[file]\npath='a'", "x.toml: file: only"),
        ("file=[1]", "x.toml: file: only"),
        ("[[file]]\npath=3", "x.toml, file 1: path: expected text, was 3"),
        ("[[file]]\npath='a'\nnote=3", "x.toml, file 1: note: expected text, was 3"),
        ("[[file]]\npath='a'\ndrop='b'", "drop: expected a list of names, was 'b'"),
        ("[[file]]\npath='d/*'\nvanue='B'", "x.toml, file 1: unknown key 'vanue'"),
        ("[[file]]\npath='a'\nstamp='mid'", "x.toml, file 1: stamp is one of open, close"),
        ("[[file]]\npath='a'\ninterval='0h'", "x.toml, file 1: interval: a period is longer"),
        ("[[file]]\npath='{b}'\nsymbol='{c}'", "a {word} is not in its path, which has b"),
        ("[[file]]\npath='b'\nsymbol='{c}'", "a {word} is not in its path, which has none"),
        ("[[file]]\npath='{a}/{a}'", "x.toml, file 1: path: redefinition of group name 'a'"),
    ],
)
def test_typo_in_a_dataset_file_is_said_without_a_file_it_is_about(text: str, message: str) -> None:
    with pytest.raises(ConfigError, match=message):
        dataset.parse(text, "x.toml")
