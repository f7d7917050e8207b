"""The catalog names what it computes, and its sets fit the run that asks."""

from __future__ import annotations

import re
from pathlib import Path
from typing import get_args

import pytest

from crypto_quant.core.errors import ConfigError
from crypto_quant.feature_engineering.catalog import (
    CATALOG,
    default_bar_set,
    default_tick_set,
    required_series,
    specs,
)
from crypto_quant.feature_engineering.rows import Group


def test_at_least_25_features_over_all_groups() -> None:
    assert len(CATALOG) >= 25
    assert {row.group for row in CATALOG.values()} == set(get_args(Group))


def test_every_row_is_complete_and_named_by_the_rule() -> None:
    for name, row in CATALOG.items():
        assert re.fullmatch(r"[a-z]+(_[a-z0-9]+)*", name), name
        assert row.unit, name
        assert row.source, name
        assert all(re.match(r"(perp|spot)\.|series:.+\.", i) for i in row.inputs), name


def test_the_bar_and_the_tick_set_are_the_whole_catalog() -> None:
    both = default_bar_set() + default_tick_set()
    assert sorted(spec.name for spec in both) == sorted(CATALOG)


def test_roles_become_the_instruments_of_the_run() -> None:
    found = {spec.name: spec.params for spec in default_bar_set("A", "B")}
    assert found["rsi_perp_14h"]["bars"] == "A"
    assert found["flow_spot_1h"]["bars"] == "B"
    assert (found["basis_perp_1h"]["bars"], found["basis_perp_1h"]["spot_bars"]) == ("A", "B")
    assert found["funding_perp_last"]["instrument"] == "A"


def test_a_run_without_spot_has_no_feature_that_reads_it() -> None:
    names = {spec.name for spec in default_bar_set(spot=None)}
    assert "rsi_perp_14h" in names
    assert not {"basis_perp_1h", "flow_spot_1h"} & names


def test_required_series_are_named_once() -> None:
    chosen = specs(["fear_greed_1d", "fear_greed_change_7d", "rsi_perp_14h"], "A", "B")
    assert required_series(chosen) == ("fear_greed_1d.fng",)


def test_an_unknown_feature_raises_a_config_error() -> None:
    with pytest.raises(ConfigError, match="no feature 'nope'"):
        specs(["nope"], "A", "B")


def test_the_reference_page_has_a_row_for_every_feature() -> None:
    page = Path(__file__).parents[3] / "docs" / "reference" / "features.md"
    documented = set(re.findall(r"^\| `(\w+)` \|", page.read_text(), flags=re.MULTILINE))
    assert documented == set(CATALOG)
