"""The rows beside the portfolio: what each runs, and how the report names it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from decimal import Decimal

from crypto_quant.backtesting.engine.inputs import with_capital, with_costs
from crypto_quant.backtesting.metrics.description import Row, RowKind
from crypto_quant.runtime.config import RunConfig, SleeveName

CAPACITIES = (10_000, 1_000_000, 10_000_000)
MAIN = "portfolio"


@dataclass(frozen=True)
class Variant:
    """A run of the engine: its row, its configuration and the sleeves that trade.

    Sleeves that do not run leave their capital to those that do.
    """

    row: Row
    config: RunConfig
    sleeves: tuple[SleeveName, ...]


def main_variant(config: RunConfig) -> Variant:
    """Return the portfolio itself."""
    capital = config.capital.amount
    row = Row(key=MAIN, label="Portfolio", kind=RowKind.CAPACITY, capital=capital)
    return Variant(row, config, tuple(config.capital.shares))


def plan(config: RunConfig) -> tuple[Variant, ...]:
    """Return the variants of a portfolio, in the order in which they are run."""
    all_sleeves = tuple(config.capital.shares)
    variants = [
        Variant(
            _row(config, f"{name}_alone", _ALONE[name], RowKind.SLEEVE_ALONE, of=name),
            config,
            (name,),
        )
        for name in all_sleeves
    ]
    if len(all_sleeves) > 1 and "model" in all_sleeves:
        rest = tuple(name for name in all_sleeves if name != "model")
        row = _row(config, "without_model", "Without the model", RowKind.WITHOUT, of="model")
        variants.append(Variant(row, config, rest))
        variants += _models(config, all_sleeves)
    row = _row(config, "momentum", "Plain momentum, 30 days", RowKind.BENCHMARK)
    variants.append(Variant(row, _unlimited(config), ("momentum",)))
    row = _row(config, "costs_x2", "Fees, spread and impact x 2", RowKind.STRESS)
    variants.append(Variant(row, with_costs(config, 2), all_sleeves))
    for amount in CAPACITIES:
        larger = with_capital(config, amount)
        row = _row(larger, f"capital_{amount}", f"{amount:,} of capital", RowKind.CAPACITY)
        variants.append(Variant(row, larger, all_sleeves))
    return tuple(variants)


def distinct(variants: Sequence[Variant]) -> list[int]:
    """Return for each variant the position of the first that runs the same.

    With two sleeves, for instance, the portfolio without one is the other one alone.
    """
    runs = [(variant.config, variant.sleeves) for variant in variants]
    return [runs.index(run) for run in runs]


_ALONE: dict[str, str] = {
    "carry": "Carry alone",
    "model": "Model alone",
    "momentum": "Momentum alone",
}


def _unlimited(config: RunConfig) -> RunConfig:
    """Return the config without the limits on a loss: a baseline is not ours to protect."""
    risk = config.risk.model_copy(update={"loss_at_stop": 1.0, "daily_loss": 1.0})
    return config.model_copy(update={"risk": risk})


def _models(config: RunConfig, sleeves: tuple[SleeveName, ...]) -> list[Variant]:
    split = config.model.training.split.model_copy(update={"anchored": True})
    training = config.model.training.model_copy(update={"split": split})
    anchored = config.model.model_copy(update={"training": training})
    control = config.model.model_copy(update={"label": "forward_return"})
    return [
        Variant(
            _row(config, "anchored", "Anchored training window", RowKind.ANCHORED),
            config.model_copy(update={"model": anchored}),
            sleeves,
        ),
        Variant(
            _row(config, "control", "24 h forward return as label", RowKind.CONTROL),
            config.model_copy(update={"model": control}),
            sleeves,
        ),
    ]


def _row(config: RunConfig, key: str, label: str, kind: RowKind, of: str | None = None) -> Row:
    return Row(key=key, label=label, kind=kind, capital=Decimal(config.capital.amount), of=of)
