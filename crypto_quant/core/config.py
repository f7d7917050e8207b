"""One TOML file, checked; unknown keys refused; ``CQ__SECTION__KEY`` overrides.

An error names the key, what was found and what was expected.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any, TypeVar

from pydantic import BaseModel, ConfigDict, ValidationError
from pydantic_core import ErrorDetails

from crypto_quant.core.errors import ConfigError

PREFIX = "CQ__"


class Section(BaseModel):
    """Base of every part's config: frozen, unknown keys refused."""

    model_config = ConfigDict(extra="forbid", frozen=True)


M = TypeVar("M", bound=BaseModel)


def load_config(model: type[M], path: Path | None, env: Mapping[str, str]) -> M:
    """Read a config file and its environment overrides into ``model``.

    Parameters
    ----------
    model
        The pydantic model of the whole file.
    path
        The TOML file; ``None`` uses the defaults.
    env
        Environment; keys such as ``CQ__RISK__DAILY_LOSS`` override ``[risk] daily_loss``.

    Raises
    ------
    ConfigError
        The file is missing or is no TOML, a key is unknown, a value is out of range.
    """
    raw = {} if path is None else _read(path)
    return make_config(model, raw, env, "environment or defaults" if path is None else str(path))


def make_config(model: type[M], raw: dict[str, Any], env: Mapping[str, str], source: str) -> M:
    """Check a config that was read already, under its environment overrides.

    Parameters
    ----------
    model, env
        See ``load_config``.
    raw
        As TOML reads it; overrides are written into it.
    source
        Where it comes from, for errors.

    Raises
    ------
    ConfigError
        A key is unknown, a value is out of range.
    """
    for name, text in sorted(env.items()):
        if name.startswith(PREFIX):
            _override(raw, name, text)
    try:
        return model.model_validate(raw)
    except ValidationError as err:
        raise ConfigError(f"{source}: {_explain(err)}") from None


def value_at(config: BaseModel, key: str) -> object:
    """Return the plain value of a dotted key; a section is a dictionary.

    Raises
    ------
    ConfigError
        There is no such key.
    """
    node: Any = config.model_dump(mode="json")
    for part in key.split("."):
        if not isinstance(node, Mapping) or part not in node:
            raise ConfigError(f"{key}: no such key; cq config show lists them")
        node = node[part]
    plain: object = node
    return plain


def with_values(config: M, changes: Mapping[str, object]) -> M:
    """Return a config with other values at dotted keys, which are there.

    Raises
    ------
    ConfigError
        The values make no config; says which ones, and why.
    """
    raw = config.model_dump(mode="json")
    for key, value in changes.items():
        *sections, last = key.split(".")
        node = raw
        for section in sections:
            node = node[section]
        node[last] = value
    try:
        return type(config).model_validate(raw)
    except ValidationError as err:
        first = err.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        values = ", ".join(f"{key} = {value}" for key, value in changes.items())
        said = f"{where}: {_said(first)}" if where else _said(first)
        raise ConfigError(f"{values}: {said}") from None


def dump_config(config: BaseModel) -> str:
    """Return a resolved config as TOML text, in the order of its fields."""
    lines: list[str] = []
    _dump(config.model_dump(mode="json"), "", lines)
    return "\n".join(lines).strip() + "\n"


def _read(path: Path) -> dict[str, Any]:
    try:
        return tomllib.loads(path.read_text("utf-8"))
    except OSError as err:
        raise ConfigError(f"{path}: cannot read the config: {err.strerror}") from None
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as err:
        raise ConfigError(f"{path}: not valid TOML: {err}") from None


def _override(raw: dict[str, Any], name: str, text: str) -> None:
    keys = name.removeprefix(PREFIX).lower().split("__")
    node = raw
    for key in keys[:-1]:
        node = node.setdefault(key, {})
        if not isinstance(node, dict):
            raise ConfigError(f"{name}: {key} is a value, not a section")
    try:
        node[keys[-1]] = tomllib.loads(f"v = {text}")["v"]
    except tomllib.TOMLDecodeError:
        node[keys[-1]] = text


def _explain(err: ValidationError) -> str:
    first = err.errors()[0]
    key = ".".join(str(part) for part in first["loc"])
    if first["type"] == "extra_forbidden":
        return f"unknown key {key!r}: remove it or correct its spelling"
    said = _said(first)
    if not key:  # of the whole file: it names the keys itself
        return said
    if isinstance(first["input"], dict):  # of a section
        return f"{key}: {said}"
    return f"{key}: {said}, was {first['input']!r}"


def _said(error: ErrorDetails) -> str:
    return error["msg"].removeprefix("Value error, ")


def _dump(node: Mapping[str, Any], path: str, lines: list[str]) -> None:
    values = {k: v for k, v in node.items() if not isinstance(v, dict) and v is not None}
    if path:
        lines.append(f"\n[{path}]")
    lines.extend(f"{key} = {_literal(value)}" for key, value in values.items())
    for key, value in node.items():
        if isinstance(value, dict):
            _dump(value, f"{path}.{key}" if path else key, lines)


def _literal(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return "[" + ", ".join(_literal(v) for v in value) + "]"
    text = str(value).replace("\\", "\\\\").replace('"', '\\"')
    return f'"{text}"'
