"""A run's config as a whole: what one part's setting asks of another's."""

from __future__ import annotations

import pytest

from crypto_quant.core.config import load_config
from crypto_quant.core.errors import ConfigError
from crypto_quant.runtime.config import RunConfig


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
