"""A run's config as a whole: what one part's setting asks of another's."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from crypto_quant.core.config import load_config, make_config, with_values
from crypto_quant.core.errors import ConfigError
from crypto_quant.runtime.config import RunConfig, TickConfig


@pytest.mark.parametrize(
    "env",
    [{"CQ__RISK__PAIR_LOSS": "0.009"}, {"CQ__CARRY__SPREAD_LOSS": "0.011"}],
)
def test_pair_is_not_sized_for_a_smaller_loss_than_it_is_closed_at(env: dict[str, str]) -> None:
    with pytest.raises(ConfigError, match=r"risk\.pair_loss .* carry\.spread_loss"):
        load_config(RunConfig, None, env)


def test_pair_may_be_sized_for_a_larger_loss() -> None:
    env = {"CQ__RISK__PAIR_LOSS": "0.02", "CQ__CARRY__SPREAD_LOSS": "0.015"}
    assert load_config(RunConfig, None, env).risk.pair_loss == 0.02


@pytest.mark.parametrize(
    ("kind", "names"), [(RunConfig, "carry, model, momentum"), (TickConfig, "imbalance")]
)
def test_a_style_of_a_sleeve_that_there_is_not_is_one_line(
    kind: type[RunConfig] | type[TickConfig], names: str, tmp_path: Path
) -> None:
    path = tmp_path / "run.toml"
    path.write_text('[netting.styles]\nimbalanec = "join"\n')
    with pytest.raises(ConfigError, match=f"no sleeve 'imbalanec'; there are {names}") as caught:
        load_config(kind, path, {})
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(
    ("key", "value", "said"),
    [
        ("capital", "1e12", "capital: Input should be less than or equal to 100000000000"),
        ("capital", "-1", "capital: Input should be greater than or equal to 0"),
        ("capital", "0", "capital: imbalance begins with nothing: expected capital, or coins"),
        ("capital", "0.123456789", "capital: Decimal input should have no more than 8 decimal"),
        ("grid_ms", 10**20, "grid_ms: Input should be less than"),
        ("venue.latency.seed", -1, "venue.latency.seed: Input should be greater than"),
        ("venue.latency.seed", 2**64, "venue.latency.seed: Input should be less than"),
        ("venue.feed.seed", -1, "venue.feed.seed: Input should be greater than"),
        ("venue.feed.seed", 2**64, "venue.feed.seed: Input should be less than"),
        ("venue.max_orders", 10**20, "venue.max_orders: Input should be less than"),
        ("venue.max_trigger_orders", 10**20, "venue.max_trigger_orders: Input should be less"),
        ("venue.max_order_rate", [[-1, 5]], "venue.max_order_rate.0.0: Input should be greater"),
        ("venue.max_order_rate", [[10**20, 5]], "venue.max_order_rate.0.0: Input should be less"),
        ("venue.max_order_rate", [[5, 0]], "venue.max_order_rate.0.1: Input should be greater"),
        ("venue.max_order_rate", [[5, 10**20]], "venue.max_order_rate.0.1: Input should be less"),
    ],
)
def test_what_the_native_venue_cannot_take_is_said_with_its_key(
    key: str, value: object, said: str
) -> None:
    with pytest.raises(ConfigError, match=re.escape(said)):
        with_values(TickConfig(), {key: value})


def test_the_largest_seed_and_capital_are_taken() -> None:
    found = with_values(TickConfig(), {"venue.latency.seed": 2**64 - 1, "capital": "1e11"})
    assert found.venue.latency.seed == 2**64 - 1
    assert found.capital == 10**11


def test_capital_of_a_portfolio_and_a_seed_of_training_have_bounds_too() -> None:
    for key in ("capital.amount", "model.training.seed"):
        with pytest.raises(ConfigError, match=re.escape(f"{key}: Input should be less than")):
            with_values(RunConfig(), {key: 10**12})


def test_a_pair_of_two_venues_is_refused() -> None:
    raw = {"market": {"perp": "BTCUSDT-PERP.BYBIT"}}
    with pytest.raises(ConfigError) as told:
        make_config(RunConfig, raw, {}, "my.toml")
    assert "expected perp and spot of one venue, was BTCUSDT-PERP.BYBIT and BTCUSDT.BIN" in str(
        told.value
    )
