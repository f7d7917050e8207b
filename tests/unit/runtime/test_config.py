"""A run's config as a whole: what one part's setting asks of another's."""

from __future__ import annotations

from pathlib import Path

import pytest

from crypto_quant.core.config import load_config
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
