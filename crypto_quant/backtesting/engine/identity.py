"""What a run is made of, as hashes: the same three give the same bytes."""

from __future__ import annotations

import hashlib
import platform
import subprocess
from collections.abc import Iterable, Mapping
from importlib import metadata
from pathlib import Path
from typing import Any

from pydantic import BaseModel

import crypto_quant
from crypto_quant.backtesting.engine.inputs import Inputs
from crypto_quant.backtesting.validation.trials import canonical, code_hash

PACKAGE = Path(crypto_quant.__file__).parent
_LIBRARIES = ("numpy", "pyarrow", "lightgbm", "pydantic")


def data_hash(inputs: Inputs) -> str:
    """Return the sha256 over the content hashes of every part of the catalog that is read."""
    return parts_hash(data_parts(inputs))


def parts_hash(parts: Iterable[str]) -> str:
    """Return the sha256 over lines of ``data_parts``."""
    digest = hashlib.sha256()
    for part in parts:
        digest.update(part.encode())
    return digest.hexdigest()


def data_parts(inputs: Inputs) -> list[str]:
    """Return ``key sha256`` of each part of the catalog that a run reads."""
    perp, spot = inputs.instruments
    keys = [("bar", f"{perp.id}/1h"), ("bar", f"{spot.id}/1m"), ("funding", perp.id)]
    have = {key.key for key in inputs.catalog.keys("series")}
    datasets = dict.fromkeys(name.partition(".")[0] for name in inputs.series)
    keys += [("series", name) for name in datasets if name in have]
    parts = [p for kind, key in keys for p in inputs.catalog.parts_of(kind, key)]
    return [f"{p.kind}/{p.key} {p.sha256}" for p in parts]


def source_hash() -> str:
    """Return the hash of everything that computes: this package, and the libraries' versions."""
    text = f"{code_hash(PACKAGE)}\n{canonical(versions())}"
    return hashlib.sha256(text.encode()).hexdigest()


def versions() -> dict[str, str]:
    """Return the versions that a number may depend on."""
    found = {"python": platform.python_version(), "machine": platform.machine()}
    for name in _LIBRARIES:
        try:
            found[name] = metadata.version(name)
        except metadata.PackageNotFoundError:
            found[name] = "not installed"
    return found


def commit() -> str:
    """Return the commit of the checkout that the package lies in; empty outside of one."""
    try:
        done = subprocess.run(  # noqa: S603 - fixed words
            ["git", "-C", str(PACKAGE), "rev-parse", "HEAD"],  # noqa: S607 - git of the user's path
            capture_output=True,
            text=True,
            timeout=10,
            check=False,
        )
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""


def short_id(config: BaseModel | Mapping[str, Any], data: str, code: str) -> str:
    """Return eight letters that name a run by configuration, data and code."""
    text = f"{canonical(config)}\n{data}\n{code}"
    return hashlib.sha256(text.encode()).hexdigest()[:8]
