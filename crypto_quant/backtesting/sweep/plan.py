"""What a sweep file asks for: a configuration, and lists of values for keys of it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Mapping, Sequence
from itertools import product
from pathlib import Path
from typing import Any, Final, Generic, Literal, NamedTuple, TypeAlias, TypeVar

from pydantic import BaseModel, Field

from crypto_quant.core.config import Section, load_config, make_config, value_at, with_values
from crypto_quant.core.errors import ConfigError
from crypto_quant.core.executors import executor_of
from crypto_quant.runtime.config import RunConfig, TickConfig

LARGEST: Final = 10_000
"""More runs are a mistake in the lists."""

MODELS: Final[Mapping[str, type[RunConfig | TickConfig]]] = {"ticks": TickConfig, "bars": RunConfig}
BARRED: Final[Mapping[str, tuple[str, ...]]] = {
    "ticks": (
        "instrument",
        "sessions",
        "venue.own_fills",
        "venue.latency.rows",
        "venue.feed.rows",
    ),
    "bars": ("market", "model.training.split", "beside", "chosen_before"),
}
"""Keys that change what data is read, or nothing at all: cells must be comparable."""

Scalar: TypeAlias = str | int | float | bool
C = TypeVar("C", bound=BaseModel)


class SweepFile(Section):
    """A sweep file.

    ``kind``: runs of ``cq backtest`` or of ``cq walk-forward``. ``config``: the configuration that
    every cell starts from, as a path beside the file or as a table. ``executor``: see
    ``executor_of``. ``axes``: values by dotted key.
    """

    kind: Literal["ticks", "bars"] = "ticks"
    config: str | dict[str, Any] = Field(default_factory=dict)
    executor: str = "pool"
    workers: int = Field(default=2, ge=1, le=1_024)
    axes: dict[str, Any]


class Axis(NamedTuple):
    """A key of the configuration and its values, in the order given."""

    key: str
    values: tuple[Scalar, ...]


class Cell(NamedTuple, Generic[C]):
    """One combination; ``config`` is ``None`` where the values make none, which ``why`` says."""

    number: int
    values: Mapping[str, Scalar]
    config: C | None
    why: str


class Plan(NamedTuple):
    """What is run: the base, the axes, and where."""

    kind: Literal["ticks", "bars"]
    base: RunConfig | TickConfig
    axes: tuple[Axis, ...]
    executor: str
    workers: int


def read_plan(
    path: Path, env: Mapping[str, str], executor: str | None, workers: int | None
) -> Plan:
    """Read a sweep file.

    Parameters
    ----------
    path
        The TOML file.
    env
        Environment overrides of the base configuration.
    executor, workers
        Replace the file's, where given.

    Raises
    ------
    ConfigError
        The file or the configuration is wrong; an axis is none, or its key changes the data.
    """
    file = load_config(SweepFile, path, {})
    model = MODELS[file.kind]
    if isinstance(file.config, str):
        base = load_config(model, path.parent / file.config, env)
    else:
        base = make_config(model, file.config, env, f"{path}: config")
    plan = Plan(
        kind=file.kind,
        base=base,
        axes=tuple(_axes(file.axes, base, BARRED[file.kind], path)),
        executor=executor or file.executor,
        workers=workers or file.workers,
    )
    executor_of(plan.executor, plan.workers)  # a name that is none is told before any work
    count = math.prod(len(axis.values) for axis in plan.axes)
    if count > LARGEST:
        raise ConfigError(f"{path}: axes: {count:,} runs; at most {LARGEST:,}")
    return plan


def cells(base: C, axes: Sequence[Axis]) -> list[Cell[C]]:
    """Return every combination, the last axis changing first.

    Raises
    ------
    ConfigError
        None of them makes a configuration.
    """
    found = []
    for number, values in enumerate(product(*(axis.values for axis in axes))):
        named = dict(zip((axis.key for axis in axes), values, strict=True))
        try:
            found.append(Cell(number, named, with_values(base, named), ""))
        except ConfigError as err:
            found.append(Cell(number, named, None, str(err)))
    if all(cell.config is None for cell in found):
        raise ConfigError(f"axes: no cell is a configuration; the first: {found[0].why}")
    return found


def _axes(
    tables: Mapping[str, Any], base: BaseModel, barred: Sequence[str], path: Path
) -> Iterator[Axis]:
    found = list(_flat(tables, ""))
    if not found:
        raise ConfigError(f"{path}: axes: expected a list of values for at least one key")
    names = [key for key, _ in found]
    for key, values in found:
        at = f"{path}: axes.{key}"
        if names.count(key) > 1:
            raise ConfigError(f"{at}: it is there twice, quoted and not")
        if any(key == name or key.startswith(f"{name}.") for name in barred):
            raise ConfigError(f"{at}: it changes the data or nothing; vary another key")
        try:
            value_at(base, key)
        except ConfigError as err:
            raise ConfigError(f"{path}: axes.{err}") from None
        yield Axis(key, _values(at, values))


def _values(at: str, values: object) -> tuple[Scalar, ...]:
    if not isinstance(values, list) or not values:
        raise ConfigError(f"{at}: expected a list of values, was {values!r}")
    if odd := [value for value in values if not isinstance(value, Scalar)]:
        raise ConfigError(f"{at}: expected single values, was {odd[0]!r}")
    if any(isinstance(value, float) and not math.isfinite(value) for value in values):
        raise ConfigError(f"{at}: expected finite numbers, was {values!r}")
    if len({canonical(value) for value in values}) < len(values):
        raise ConfigError(f"{at}: a value is there twice: {values!r}")
    return tuple(values)


def _flat(table: Mapping[str, Any], above: str) -> Iterator[tuple[str, Any]]:
    """Yield dotted keys and what they hold, quoted (``"a.b" = …``) or not (``a.b = …``)."""
    for key, value in table.items():
        name = f"{above}{key}"
        if isinstance(value, Mapping):
            yield from _flat(value, f"{name}.")
        else:
            yield name, value


def canonical(value: Scalar) -> str:
    """Return one text for equal values: 1, 1.0 and the decimal ``"1"`` are one."""
    if isinstance(value, bool):
        return str(value)
    try:
        return repr(float(value))
    except ValueError:
        return str(value)
