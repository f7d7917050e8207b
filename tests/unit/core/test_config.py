"""A wrong setting is named; a right one survives the round trip."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

import pytest
from pydantic import Field, model_validator

from crypto_quant.core.config import Section, dump_config, load_config
from crypto_quant.core.errors import ConfigError


class Risk(Section):
    daily_loss: float = Field(0.03, gt=0, lt=1)
    names: tuple[str, ...] = ("a", 'b"c')
    enabled: bool = True


class Whole(Section):
    capital: Decimal = Decimal(100_000)
    risk: Risk = Risk()

    @model_validator(mode="after")
    def _fits(self) -> Whole:
        if self.capital < 10 and self.risk.enabled:
            raise ValueError("capital: 10 at least, or no risk.enabled")
        return self


def test_a_file_and_the_environment_make_one_config(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    path.write_text('capital = "5000"\n[risk]\ndaily_loss = 0.02\n')
    env = {"CQ__RISK__DAILY_LOSS": "0.01", "CQ__RISK__NAMES": '["x"]', "HOME": "/"}
    config = load_config(Whole, path, env)
    assert config == Whole(capital=Decimal(5000), risk=Risk(daily_loss=0.01, names=("x",)))


def test_what_is_dumped_reads_back_equal(tmp_path: Path) -> None:
    path = tmp_path / "c.toml"
    config = Whole(capital=Decimal("1.50"), risk=Risk(enabled=False))
    path.write_text(dump_config(config))
    assert load_config(Whole, path, {}) == config


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("[risk]\ndayly_loss = 0.02", r"unknown key 'risk\.dayly_loss'"),
        ("[risk]\ndaily_loss = 3", r"risk\.daily_loss: Input should be less than 1, was 3"),
        ("capital = ", "not valid TOML"),
        ("capital = 5", r"c\.toml: capital: 10 at least, or no risk\.enabled$"),
    ],
)
def test_a_mistake_is_named_with_its_key(tmp_path: Path, text: str, message: str) -> None:
    path = tmp_path / "c.toml"
    path.write_text(text)
    with pytest.raises(ConfigError, match=message):
        load_config(Whole, path, {})


def test_a_missing_file_or_a_section_overridden_by_a_value_is_one_line(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="cannot read the config"):
        load_config(Whole, tmp_path / "none.toml", {})
    path = tmp_path / "c.toml"
    path.write_text("capital = 10")
    with pytest.raises(ConfigError, match="CQ__CAPITAL__X: capital is a value"):
        load_config(Whole, path, {"CQ__CAPITAL__X": "1"})
