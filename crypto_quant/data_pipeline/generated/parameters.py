"""The numbers of the made-up market, as a TOML of tables."""

from __future__ import annotations

import textwrap
import tomllib
from collections.abc import Mapping
from importlib import resources
from pathlib import Path
from typing import Any, Final

from crypto_quant.core.errors import ConfigError, DataError

Table = Mapping[str, Any]
SHIPPED: Final = "parameters.toml"
FITTED: Final = ("price", "touch", "closing", "taking", "band")
"""What ``fit`` counts in a capture; ``coarse`` is measured of what they make, ``slow`` is set."""
_WIDTH: Final = 100


def load_parameters(path: Path | None = None) -> dict[str, Any]:
    """Read parameters: those that come with the package, or a file's.

    Raises
    ------
    ConfigError
        The file is no TOML or lacks a table.
    DataError
        It cannot be read.
    """
    if path is None:
        return tomllib.loads((resources.files(__package__) / SHIPPED).read_text("utf-8"))
    try:
        plain = tomllib.loads(path.read_text("utf-8"))
    except OSError as err:
        raise DataError(f"{path}: cannot be read ({err.strerror})") from err
    except ValueError as err:
        raise ConfigError(f"{path}: {err}") from err
    lacking = [key for key in (*FITTED, "slow", "coarse") if key not in plain]
    if lacking:
        raise ConfigError(f"{path}: lacks {', '.join(lacking)}; see cq data fit-flow --help")
    return plain


def to_toml(parameters: Table, source: str) -> str:
    """Write parameters as TOML, with where they come from at the top."""
    lines = [*(f"# {line}" for line in source.splitlines())]
    plain = {key: value for key, value in parameters.items() if not _is_table(value)}
    lines += [f"{key} = {_value(value)}" for key, value in plain.items()]
    for key, value in parameters.items():
        if key in plain:
            continue
        for table in value if isinstance(value, list) else [value]:
            lines += ["", f"[[{key}]]" if isinstance(value, list) else f"[{key}]"]
            lines += [f"{name} = {_value(item)}" for name, item in table.items()]
    return "\n".join(lines) + "\n"


def _is_table(value: object) -> bool:
    return isinstance(value, Mapping) or (isinstance(value, list) and _is_table(value[0]))


def _value(value: object) -> str:
    if isinstance(value, list | tuple):
        text = f"[{', '.join(map(_value, value))}]"
        return textwrap.fill(text, _WIDTH, subsequent_indent="  ")
    if isinstance(value, float) and value.is_integer() and abs(value) < 1e15:
        return f"{value:.1f}"
    return repr(value)
