"""What a stress comes to: ``stress.json`` of a run folder, made of named tuples."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any, Final, NamedTuple

from crypto_quant.backtesting.metrics.evaluation import jsonable
from crypto_quant.backtesting.metrics.result import put
from crypto_quant.backtesting.stress.measure import Figures
from crypto_quant.backtesting.stress.monte_carlo import Drawn
from crypto_quant.backtesting.stress.surface import Surface
from crypto_quant.core.errors import DataError

NAME: Final = "stress.json"


class WindowRow(NamedTuple):
    """An extreme window, and the run in it; ``value`` as of ``extremes.Extreme``."""

    key: str
    label: str
    start: int
    end: int
    value: float
    figures: Figures


class ShockRow(NamedTuple):
    """A shock, and the run without and with it over the same stretch.

    ``place`` names the moment that it is laid at. ``why`` says why it does not apply; then there
    are no figures. ``to`` is the end of what is measured. ``held`` is the position's value over
    equity when the shock begins, a fraction: of a session of one book the net one, negative where
    short, else the gross one; ``None`` where it begins with the first decision. ``books`` has the
    net one of each book, by its name, where there are several. ``is_idle``: nothing was held then,
    and nothing was traded without it or with it, so the figures show nothing.
    """

    key: str
    label: str
    claim: str
    place: str
    start: int
    end: int
    to: int
    held: float | None
    plain: Figures | None
    shocked: Figures | None
    why: str = ""
    is_idle: bool = False
    books: tuple[tuple[str, float], ...] = ()

    def seen(self, plain: Figures, shocked: Figures, takes: bool) -> ShockRow:
        """Return the row with figures; with the reason where the venue ``takes`` and could not."""
        is_idle = not self.held and plain.fills == 0 == shocked.fills
        if takes and not is_idle and not shocked.taken:
            return self._replace(why="the venue found no position of ours to take then")
        return self._replace(plain=plain, shocked=shocked, is_idle=is_idle)


class Stressed(NamedTuple):
    """Everything that was done to a run.

    ``digits`` of a percentage tell two rows apart: minutes of ticks move less than weeks of
    bars. ``ruin`` is the share of capital that counts as ruin.
    """

    digits: int
    windows: tuple[WindowRow, ...]
    shocks: tuple[ShockRow, ...]
    drawn: tuple[Drawn, ...]
    ruin: float
    surface: Surface | None
    currency: str
    synthetic: bool
    trials: int


def write(folder: Path, found: Stressed) -> None:
    """Write ``stress.json`` into a run folder."""
    text = json.dumps(jsonable(found), indent=1, sort_keys=True, allow_nan=False)
    put(folder / NAME, (text + "\n").encode())


def read(folder: Path) -> dict[str, Any] | None:
    """Read ``stress.json`` of a run folder; ``None`` where the run was not stressed.

    Raises
    ------
    DataError
        The file cannot be read.
    """
    path = folder / NAME
    if not path.exists():
        return None
    try:
        found: dict[str, Any] = json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as err:
        raise DataError(f"{path}: cannot be read: {err}; run cq stress again") from err
    is_ours = isinstance(found, dict) and set(Stressed._fields) <= set(found)
    if not is_ours or any(set(row) != set(ShockRow._fields) for row in found["shocks"]):
        raise DataError(f"{path}: not what cq stress writes; run it again")
    return found
