"""What both kinds of run share before they are stressed: the catalog, and the shocks by name."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from crypto_quant.backtesting.stress.shocks import SHOCKS
from crypto_quant.backtesting.stress.tape import Shock
from crypto_quant.core.errors import ConfigError
from crypto_quant.data_pipeline.storage import Catalog


def chosen(keys: Sequence[str]) -> list[Shock]:
    """Return shocks by their keys.

    Raises
    ------
    ConfigError
        There is no such shock.
    """
    for key in keys:
        if key not in SHOCKS:
            raise ConfigError(f"--shock {key}: no such shock; there are {', '.join(SHOCKS)}")
    return [SHOCKS[key] for key in keys]


def catalog_of(parts: object, root: Path) -> Catalog:
    """Find the catalog, at a folder or right below it, that holds all that a run read.

    Parameters
    ----------
    parts
        ``parts`` of the run's manifest.
    root
        Where to look; ``cq demo`` keeps the catalog of a folder of data below its own.

    Raises
    ------
    ConfigError
        There is none.
    """
    wanted = set(parts) if isinstance(parts, list) else set()
    for folder in (root, *sorted(root.glob("*"))):
        if wanted and folder.is_dir():
            catalog = Catalog(folder)
            if wanted <= {f"{p.kind}/{p.key} {p.sha256}" for p in catalog.parts}:
                return catalog
    raise ConfigError(
        f"{root}: no catalog here holds the data that the run was made from: name it with "
        "--catalog, or run it again on this one first"
    )
