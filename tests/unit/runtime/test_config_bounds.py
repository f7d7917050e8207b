"""Every number of every configuration is bounded: none goes on to overflow what it is put in."""

from __future__ import annotations

from collections.abc import Iterator
from decimal import Decimal
from types import UnionType
from typing import Annotated, Any, Literal, Union, get_args, get_origin

import pytest
from pydantic import BaseModel

from crypto_quant.backtesting.sweep.plan import SweepFile
from crypto_quant.core.config import make_config
from crypto_quant.core.errors import ConfigError
from crypto_quant.runtime.config import RunConfig, TickConfig

NUMBERS = (int, float, Decimal)
ROOTS: tuple[type[BaseModel], ...] = (RunConfig, TickConfig, SweepFile)


def raws(annotation: object, bad: object) -> Iterator[object]:
    """Yield what a file may hold for a type, once with the bad number at each of its places."""
    origin, inside = get_origin(annotation), get_args(annotation)
    if annotation in NUMBERS:
        yield bad
    elif isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield from _of_section(annotation, bad)
    elif origin is Annotated:
        yield from raws(inside[0], bad)
    elif origin in (Union, UnionType):
        for one in inside:
            yield from raws(one, bad)
    elif origin is tuple:
        yield from _of_row(inside, bad)
    elif origin is dict:
        key = get_args(inside[0])[0] if get_origin(inside[0]) is Literal else "any"
        yield from ({key: raw} for raw in raws(inside[1], bad))


def _of_section(model: type[BaseModel], bad: object) -> Iterator[object]:
    fields = model.model_fields.items()
    needed = {n: "any" if f.annotation is str else 1 for n, f in fields if f.is_required()}
    for name, field in model.model_fields.items():
        yield from ({**needed, name: raw} for raw in raws(field.annotation, bad))


def _of_row(types: tuple[object, ...], bad: object) -> Iterator[object]:
    if types[-1] is Ellipsis:
        yield from ([raw] for raw in raws(types[0], bad))
        return
    for place, one in enumerate(types):
        for raw in raws(one, bad):
            yield [raw if n == place else 1 for n in range(len(types))]


def path(raw: object, bad: object) -> str | None:
    """Return the dotted keys above the bad number; ``None`` if it is not there."""
    if not isinstance(raw, dict):
        return "" if raw is bad or isinstance(raw, list) else None
    found = {name: path(value, bad) for name, value in raw.items()}
    return next((f"{name}.{under}" for name, under in found.items() if under is not None), None)


def test_the_walk_finds_settings_at_every_depth() -> None:
    bad = object()
    found = {path(raw, bad) for root in ROOTS for raw in raws(root, bad)}
    for key in ("grid_ms.", "size.hold_ms.", "venue.max_order_rate.", "model.training.seed."):
        assert key in found
    assert len(found) > 100


@pytest.mark.parametrize("bad", [10**20, -(10**20), float("inf"), float("nan")], ids=repr)
@pytest.mark.parametrize("root", ROOTS, ids=lambda root: root.__name__)
def test_no_number_may_be_any_number(root: type[BaseModel], bad: float) -> None:
    base: dict[str, Any] = {"axes": {}} if root is SweepFile else {}
    for raw in raws(root, bad):
        assert isinstance(raw, dict)
        with pytest.raises(ConfigError) as told:
            make_config(root, {**base, **raw}, {}, "my.toml")
        said = str(told.value)
        key = (path(raw, bad) or "").rstrip(".")
        if "capital.shares" in key:  # of them together, so they are named so
            key = "capital.shares"
        assert said.startswith("my.toml: "), said
        last = key.rsplit(".", 1)[-1]
        assert last in said or last.upper() in said, said  # assets are in upper case
        assert len(said.splitlines()) == 1, said
