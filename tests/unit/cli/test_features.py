"""What `cq features list` shows is the catalog."""

from __future__ import annotations

import json

import click
import pytest
from click.testing import CliRunner

from crypto_quant.cli.features import features
from crypto_quant.feature_engineering.catalog import CATALOG


def test_the_list_holds_every_feature_as_json() -> None:
    result = CliRunner().invoke(features, ["list", "--json"])
    assert {row["name"] for row in json.loads(result.output)} == set(CATALOG)


def test_a_group_narrows_the_list_and_a_wrong_one_is_named() -> None:
    result = CliRunner().invoke(features, ["list", "--group", "on_chain_metrics"])
    wanted = [i.name for i in CATALOG.values() if i.group == "on_chain_metrics"]
    assert f"{len(wanted)} features" in result.output
    assert all(name in result.output for name in wanted)
    with pytest.raises(click.BadParameter, match="expected one of alternative_data"):
        features.main(["list", "--group", "x"], standalone_mode=False)
