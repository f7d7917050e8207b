"""What the catalog knows of a feature, and short forms for its rows."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final, Literal, NamedTuple, TypeAlias

Group = Literal[
    "technical_indicators",
    "market_microstructure",
    "market_structure",
    "on_chain_metrics",
    "alternative_data",
]
Gap = Literal["bridge", "reset"]
Params: TypeAlias = dict[str, str | float]

PERP: Final = "perp"
SPOT: Final = "spot"
HOUR_S: Final = 3600
MINUTE_S: Final = 60
DAY_S: Final = 86_400

_TECHNICAL: Final = "technical_indicators"
_MICRO: Final = "market_microstructure"
_STRUCTURE: Final = "market_structure"
_INSTRUMENT_KEYS: Final = ("bars", "spot_bars", "instrument")


class FeatureSpec(NamedTuple):
    """A feature as the line takes it: its name, and its operator with its parameters."""

    name: str
    params: Params


@dataclass(frozen=True, slots=True)
class FeatureInfo:
    """A row of the catalog.

    Parameters
    ----------
    group
        Folder of its row.
    name
        Column name, ``<what>_<level>_<window>``.
    operator
        Row of the native registry.
    params
        The operator's parameters; instruments by role (``perp``, ``spot``).
    inputs
        What it reads: ``perp.bar.1h``, ``spot.bar.1m``, ``perp.funding``, ``perp.book``,
        ``perp.trade`` or ``series:<name>``.
    unit
        Unit and sign of the value.
    warm_up_s
        Seconds from the beginning of its first input to its first value on unbroken data;
        ``None`` where the market's activity decides.
    gap
        ``reset``: starts again after a gap; ``bridge``: goes on over missing bars.
    source
        Paper or definition of the formula.
    """

    group: Group
    name: str
    operator: str
    params: Mapping[str, str | float]
    inputs: tuple[str, ...]
    unit: str
    warm_up_s: int | None
    gap: Gap
    source: str

    @property
    def series(self) -> tuple[str, ...]:
        """Names of the outside series it reads."""
        return tuple(i.removeprefix("series:") for i in self.inputs if i.startswith("series:"))

    def reads(self, role: str) -> bool:
        """Return whether any input comes from the instrument of a role."""
        return any(name.startswith(f"{role}.") for name in self.inputs)

    def spec(self, roles: Mapping[str, str]) -> FeatureSpec:
        """Return the spec with the instrument ids that ``roles`` gives to ``perp`` and ``spot``."""
        params: Params = {"operator": self.operator, **self.params}
        for key in _INSTRUMENT_KEYS:
            role = params.get(key)
            if isinstance(role, str):
                params[key] = roles[role]
        return FeatureSpec(self.name, params)


def perp_hours(
    name: str, operator: str, unit: str, source: str, warm_bars: int, **params: str | float
) -> FeatureInfo:
    """Return the row of an operator on hourly bars of the perpetual."""
    bars: Params = {"bars": PERP, "interval_s": HOUR_S}
    warm = warm_bars * HOUR_S
    inputs = ("perp.bar.1h",)
    return FeatureInfo(
        _TECHNICAL, name, operator, bars | params, inputs, unit, warm, "bridge", source
    )


def spot_minutes(
    name: str, operator: str, unit: str, source: str, warm_up_s: int | None, **params: str | float
) -> FeatureInfo:
    """Return the row of an operator on minute bars of spot."""
    bars: Params = {"bars": SPOT, "interval_s": MINUTE_S}
    inputs = ("spot.bar.1m",)
    return FeatureInfo(
        _MICRO, name, operator, bars | params, inputs, unit, warm_up_s, "bridge", source
    )


def funding_rates(
    name: str, operator: str, unit: str, source: str, warm_rates: int, **params: str | float
) -> FeatureInfo:
    """Return the row of an operator on settled funding rates, eight hours apart."""
    perp: Params = {"instrument": PERP}
    warm = (warm_rates - 1) * 8 * HOUR_S
    inputs = ("perp.funding",)
    return FeatureInfo(
        _STRUCTURE, name, operator, perp | params, inputs, unit, warm, "bridge", source
    )


def daily_series(
    group: Group,
    name: str,
    operator: str,
    series: str,
    unit: str,
    source: str,
    warm_days: int,
    **params: str | float,
) -> FeatureInfo:
    """Return the row of an operator on a daily outside series."""
    of: Params = {"series": series}
    warm = warm_days * DAY_S
    inputs = (f"series:{series}",)
    return FeatureInfo(group, name, operator, of | params, inputs, unit, warm, "bridge", source)


def perp_ticks(
    name: str,
    operator: str,
    kind: Literal["book", "quote", "trade"],
    unit: str,
    source: str,
    warm_up_s: int | None,
    **params: str | float,
) -> FeatureInfo:
    """Return the row of an operator on the perpetual's book, quotes or trades."""
    perp: Params = {"instrument": PERP}
    inputs = (f"perp.{kind}",)
    return FeatureInfo(
        _MICRO, name, operator, perp | params, inputs, unit, warm_up_s, "reset", source
    )
