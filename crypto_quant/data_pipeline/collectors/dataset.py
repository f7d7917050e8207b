"""What the repository knows of data sets: facts per file, by folder and file name.

``datasets/<folder>.toml`` has ``[[file]]`` entries. ``path`` is matched against the end of
the file's path, its first component being the folder; ``*`` is anything within a component,
``(a|b)`` either word, and ``{name}`` captures a word. The other keys are facts
(``facts.Facts``), in which a captured ``{name}`` is put back, or ``note``: why such a file
is not imported.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from importlib import resources
from pathlib import Path
from typing import Any, Final

from crypto_quant.core.errors import ConfigError, DataError
from crypto_quant.data_pipeline.collectors.facts import Facts

_CAPTURED: Final = r"\{(\w+)\}"


@dataclass(frozen=True, slots=True)
class Entry:
    """One ``[[file]]`` of a dataset TOML."""

    where: str
    pattern: re.Pattern[str]
    facts: dict[str, Any]
    note: str | None

    def match(self, path: Path) -> Facts | None:
        """Return the facts about a file, if the entry is about it."""
        found = self.pattern.search(path.as_posix())
        if found is None:
            return None
        captured = found.groupdict()
        filled = {
            key: value.format(**captured) if isinstance(value, str) else value
            for key, value in self.facts.items()
        }
        return Facts.of(filled, self.where)


@dataclass(frozen=True, slots=True)
class Known:
    """What the data sets say of one file."""

    facts: Facts
    note: str | None = None


def look_up(path: Path) -> Known:
    """Find the first entry about a file."""
    absolute = path.absolute()
    for entry in entries():
        facts = entry.match(absolute)
        if facts is not None:
            return Known(facts, entry.note)
    return Known(Facts())


@cache
def entries() -> Sequence[Entry]:
    """Read the dataset files that come with the package."""
    folder = resources.files(__package__) / "datasets"
    files = sorted((f for f in folder.iterdir() if f.name.endswith(".toml")), key=lambda f: f.name)
    return [entry for file in files for entry in parse(file.read_text("utf-8"), file.name)]


def parse(text: str, name: str) -> list[Entry]:
    """Read one dataset file.

    Raises
    ------
    ConfigError
        It is no TOML, or an entry lacks its path or says what no entry says.
    """
    try:
        plain = tomllib.loads(text)
    except tomllib.TOMLDecodeError as err:
        raise ConfigError(f"{name}: {err}") from err
    files = plain.pop("file", [])
    if plain or not isinstance(files, list) or not all(isinstance(file, dict) for file in files):
        raise ConfigError(f"{name}: {', '.join(plain) or 'file'}: only [[file]] entries are known")
    return [_entry(file, f"{name}, file {number}") for number, file in enumerate(files, 1)]


def _entry(file: dict[str, Any], where: str) -> Entry:
    """Check an entry whether or not there ever is a file that it is about."""
    facts = {key: value for key, value in file.items() if key not in ("path", "note")}
    for key, value in file.items():
        if not isinstance(value, list if key == "drop" else str):
            kind = "a list of names" if key == "drop" else "text"
            raise ConfigError(f"{where}: {key}: expected {kind}, was {value!r}")
    if "path" not in file:
        raise ConfigError(f"{where}: path is missing")
    captured = dict.fromkeys(re.findall(_CAPTURED, file["path"]), "1m")
    try:
        pattern = _pattern(file["path"])
        filled = {k: v.format(**captured) if isinstance(v, str) else v for k, v in facts.items()}
        Facts.of(filled, where)
    except (KeyError, IndexError, ValueError) as err:
        named = ", ".join(captured) or "none"
        raise ConfigError(f"{where}: a {{word}} is not in its path, which has {named}") from err
    except re.error as err:
        raise ConfigError(f"{where}: path: {err}") from err
    except DataError as err:
        raise ConfigError(str(err)) from err
    return Entry(where, pattern, facts, file.get("note"))


def _pattern(path: str) -> re.Pattern[str]:
    parts = re.split(r"(\*\*/|\*|\{\w+\}|\([\w|]+\))", path)
    out = ""
    for part in parts:
        if part == "**/":
            out += "(?:[^/]+/)*"
        elif part == "*":
            out += "[^/]*"
        elif part.startswith("("):
            out += f"(?:{part[1:-1]})"
        elif part.startswith("{"):
            out += f"(?P<{part[1:-1]}>[^/_.-]+)"
        else:
            out += re.escape(part)
    return re.compile(f"(?:^|/){out}$")
